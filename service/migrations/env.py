"""How Alembic sees our tables. ``Database.migrate`` hands in the connection and commits."""

from alembic import context

from service.migrations import compared
from service.models import Model

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Model.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,
    **compared,
)
with context.begin_transaction():
    context.run_migrations()

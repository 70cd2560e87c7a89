"""The tables of the job queue, which on PostgreSQL live beside ours and join our transactions.

They are procrastinate's own. When its version in the lock file changes, a migration of ours runs its migration.
"""

from procrastinate.schema import SchemaManager
from sqlalchemy import Connection


def install(connection: Connection) -> None:
    """Make the tables of the queue on PostgreSQL; SQLite has none."""
    if connection.dialect.name == "postgresql":
        # Without parameters the driver takes many statements at once, and a percent sign for what it is.
        connection.connection.cursor().execute(SchemaManager.get_schema())

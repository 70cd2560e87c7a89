"""Write the next migration: compare the models with tables that have all migrations so far."""

import sys
import tempfile
from pathlib import Path

from alembic import command

from service.db import Database


def main(message: str) -> None:
    """Write the difference between a freshly migrated database and the models into a new file."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'scratch.db'}")
        database.migrate()
        config = database.alembic()
        count = len(list((Path(__file__).parent / "versions").glob("*.py"))) + 1
        with database.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.revision(config, message, autogenerate=True, rev_id=f"{count:04d}")
        database.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit('usage: python -m service.migrations "what changes"')
    main(sys.argv[1])

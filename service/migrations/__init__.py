"""How the tables came to be, one change a file (Alembic).

``python -m service.migrations "what changes"`` writes the next one from the difference to the models.
"""

from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext
from sqlalchemy import BigInteger, Integer, types

from service.models.base import BigId, UtcDateTime


def ours(_object: Any, name: str | None, kind: str, _reflected: bool, _compare_to: Any) -> bool:
    """Leave alone what the job queue keeps in the same database, and the tables behind the full-text index."""
    if kind == "index" and name == "ix_search_entry_terms":  # on PostgreSQL alone, which a comparison cannot see
        return False
    return not (kind == "table" and name is not None and name.startswith(("procrastinate_", "search_words")))


def rendered(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write types into a migration as they were on that day, not by names in the models that may change."""
    if kind != "type":
        return False
    if isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, BigId) or (isinstance(item, BigInteger) and "sqlite" in item._variant_mapping):
        return 'sa.BigInteger().with_variant(sa.Integer(), "sqlite")'
    if isinstance(item, types.JSON) and "postgresql" in item._variant_mapping:
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    if isinstance(item, types.Enum):
        return f"sa.String(length={item.length})"
    return False


def same_type(_context: Any, _inspected: Any, _metadata: Any, inspected: Any, wanted: Any) -> bool | None:
    """Say that two types are the same where the default comparison would not see it; None asks the default."""
    if isinstance(wanted, BigId) and isinstance(inspected, Integer):
        return False
    return None


compared: dict[str, Any] = {"include_object": ours, "compare_type": same_type, "render_item": rendered}
"""What a comparison of tables and models looks at."""

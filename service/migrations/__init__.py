"""How the tables came to be, one change a file (Alembic)."""

from typing import Any


def ours(_object: Any, name: str | None, kind: str, _reflected: bool, _compare_to: Any) -> bool:
    """Leave alone what the job queue keeps in the same database."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


compared: dict[str, Any] = {"include_object": ours, "compare_type": True}
"""What a comparison of tables and models looks at."""

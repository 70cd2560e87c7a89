"""What differs between two versions, with the names of roles as people know them."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from service.engine import compare as comparing

from .impacts import words
from .titles import title_of


def compare(session: Session, old: Mapping[str, bytes], new: Mapping[str, bytes]) -> comparing.Comparison:
    """Every difference between two sets of files."""
    return comparing.compare(old, new, words(session))


__all__ = ["compare", "title_of"]

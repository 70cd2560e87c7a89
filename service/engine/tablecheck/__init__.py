"""What a decision table leaves out, says twice, or never comes to: exact over ranges and lists of values."""

from __future__ import annotations

from .check import Remark, check

__all__ = ["Remark", "check"]

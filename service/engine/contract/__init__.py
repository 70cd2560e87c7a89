"""The data contract: every variable that is read was written before, on every path, by something with a name."""

from __future__ import annotations

from .check import check, unfilled, unused_fields
from .flow import Analysis, analyse
from .known import known_at, sample
from .sources import Catalogue, Service, Sources

__all__ = [
    "Analysis",
    "Catalogue",
    "Service",
    "Sources",
    "analyse",
    "check",
    "known_at",
    "sample",
    "unfilled",
    "unused_fields",
]

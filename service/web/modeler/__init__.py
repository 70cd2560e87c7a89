"""The process owners' workbench: working copies, editors, checks, try-outs, comparison and publishing."""

from __future__ import annotations

from . import compare, copies, editing, publish, scenarios, tryout
from .workbench import blueprint

__all__ = ["blueprint", "compare", "copies", "editing", "publish", "scenarios", "tryout"]

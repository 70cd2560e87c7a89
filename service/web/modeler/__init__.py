"""The process owners' workbench: working copies, editors, checks, try-outs, comparison and publishing."""

from __future__ import annotations

from . import backtest, compare, copies, coverage, editing, english, publish, scenario, scenarioform, scenarios, tryout
from .workbench import blueprint

__all__ = [
    "backtest",
    "blueprint",
    "compare",
    "copies",
    "coverage",
    "editing",
    "english",
    "publish",
    "scenario",
    "scenarioform",
    "scenarios",
    "tryout",
]

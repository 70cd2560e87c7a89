"""What comes of a scenario: that it went as it says, or what came otherwise, where, and in whose words."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .coverage import Seen


@dataclass(frozen=True, slots=True)
class Problem:
    """Something came otherwise, said so that a process owner knows what was expected, what came, and what to do.

    ``element`` is the element of the diagram at which that is shown.
    """

    zh: str
    en: str
    element: str | None = None

    def __str__(self) -> str:
        return f"{self.zh} {self.en}"


class Failed(Exception):
    """Something came otherwise than the scenario says."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(" ".join(str(one) for one in problems))
        self.problems = problems

    @property
    def zh(self) -> str:
        """All of it in Chinese."""
        return "".join(one.zh for one in self.problems)

    @property
    def en(self) -> str:
        """All of it in English."""
        return " ".join(one.en for one in self.problems)


@dataclass(slots=True)
class Outcome:
    """What came of a scenario."""

    file: Path
    name: str
    problems: list[str] = field(default_factory=list)
    """What came otherwise, in both languages, with the place in the file: for the command line and for reports."""
    said: list[Problem] = field(default_factory=list)
    """The same for the pages, which know the place."""
    flows: set[tuple[str, str]] = field(default_factory=set)
    seconds: float = 0.0
    line: int = 0
    """Where in the file it came otherwise; 0: nowhere, or at the end."""
    process: str = ""
    at: list[list[str]] = field(default_factory=list)
    """Where the cases stood at the end: process and element of each open task and incident."""
    seen: Seen = field(default_factory=Seen)

    @property
    def ok(self) -> bool:
        """True where everything came as expected."""
        return not self.problems

    @property
    def element(self) -> str | None:
        """The element at which it came otherwise."""
        return next((one.element for one in self.said if one.element), None)

    def fail(self, failure: Failed, place: str, line: int = 0) -> None:
        """Take note of what came otherwise, and where in the file."""
        self.line = line
        self.said.extend(failure.problems)
        self.problems.extend(f"{place}: {problem}" for problem in failure.problems)

    def touched(self) -> dict[str, list[Any]]:
        """What it touched, as JSON."""
        return {
            "flows": sorted(self.flows),
            "roles": sorted(self.seen.roles),
            "fields": sorted(self.seen.fields),
            "rules": sorted(self.seen.rules),
        }

    def summary(self) -> dict[str, Any]:
        """The outcome as JSON."""
        return {
            "name": self.name,
            "ok": self.ok,
            "problems": [problem[:2000] for problem in self.problems],
            "said": [{"zh": one.zh[:1000], "en": one.en[:1000], "element": one.element} for one in self.said],
            "line": self.line,
            "element": self.element,
            "process": self.process,
            "at": self.at,
            "seconds": round(self.seconds, 2),
        }

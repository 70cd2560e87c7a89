"""How a rule reports: one line per finding, in both languages, at its element."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ..bundle import Contents
from ..model import Finding, Node, Process, Severity
from ..soundness import SECONDS


@dataclass(slots=True)
class Finder:
    """Collects findings about one process, and knows what the rules may refer to."""

    contents: Contents
    process: Process
    roles: Collection[str] | None = None
    lanes: Mapping[str, str] | None = None
    topics: Collection[str] | None = None
    findings: list[Finding] = field(default_factory=list)
    errors: int = 0
    until: float = field(default_factory=lambda: time.monotonic() + SECONDS)
    """When playing its scopes through has to be over, all of them together."""

    def error(
        self,
        element: Node | str | None,
        rule: str,
        zh: str,
        en: str,
        line: int | None = None,
        path: tuple[str, ...] = (),
    ) -> None:
        self._find(element, rule, "error", zh, en, line, path)

    def warning(
        self,
        element: Node | str | None,
        rule: str,
        zh: str,
        en: str,
        line: int | None = None,
        path: tuple[str, ...] = (),
    ) -> None:
        self._find(element, rule, "warning", zh, en, line, path)

    def note(
        self,
        element: Node | str | None,
        rule: str,
        zh: str,
        en: str,
        line: int | None = None,
        path: tuple[str, ...] = (),
    ) -> None:
        self._find(element, rule, "info", zh, en, line, path)

    def _find(
        self,
        element: Node | str | None,
        rule: str,
        severity: Severity,
        zh: str,
        en: str,
        line: int | None,
        path: tuple[str, ...],
    ) -> None:
        self.errors += severity == "error"
        element_id = element.id if isinstance(element, Node) else element
        at = element.line if isinstance(element, Node) else line
        self.findings.append(Finding(self.process.file, element_id, rule, severity, zh, en, at, path))

"""Findings about a bundle before anything is deployed: each with file, element, rule and a sentence."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import lru_cache

from . import formcheck
from .bundle import Contents, read_contents
from .model import Finding
from .rules import events, expressions, structure, tasks
from .rules.finder import Finder

_ORDER = {"error": 0, "warning": 1, "info": 2}


def validate(
    files: Mapping[str, bytes],
    roles: Collection[str] | None = None,
    lanes: Mapping[str, str] | None = None,
    topics: Collection[str] | None = None,
) -> list[Finding]:
    """Everything found in the files, errors first.

    ``roles`` are the known role codes, ``lanes`` maps lane names to roles, ``topics`` are the service-task types
    with a handler; each of them is only checked where it is given.
    """
    return validate_contents(files, roles, lanes, topics)[1]


def validate_contents(
    files: Mapping[str, bytes],
    roles: Collection[str] | None = None,
    lanes: Mapping[str, str] | None = None,
    topics: Collection[str] | None = None,
) -> tuple[Contents, list[Finding]]:
    """The contents as read, with the findings about them."""
    contents = read_contents(files)
    findings = list(contents.findings)
    if not contents.processes and not findings:
        findings.append(
            Finding("", None, "no-process", "error", "没有可执行的流程。", "There is no executable process.")
        )
    for process in contents.processes.values():
        find = Finder(contents, process, roles, lanes, topics)
        structure.check(find)
        events.check(find)
        tasks.check(find)
        expressions.check(find)
        findings += find.findings
    for file in contents.form_files.values():
        findings += _form_findings(file, contents.files[file])
    return contents, sorted(findings, key=lambda f: (_ORDER[f.severity], f.file, f.line or 0))


@lru_cache(maxsize=512)
def _form_findings(file: str, data: bytes) -> tuple[Finding, ...]:
    """What is wrong with a form by itself. Forms stay the same while somebody draws beside them."""
    problems = formcheck.check(json.loads(data))
    return tuple(Finding(file, element, rule, "error", zh, en) for element, rule, zh, en in problems)

"""Findings about a bundle before anything is deployed: each with file, element, rule and a sentence."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from functools import lru_cache

from . import contract, drawing, english, formcheck, placeholders, templates
from .bundle import Contents, read_contents, table_remarks
from .contract import Catalogue
from .model import Finding
from .rules import duties, events, expressions, returns, structure, tasks
from .rules import process as whole
from .rules.finder import Finder

MOST = 1000
"""Findings that are listed of one file."""
_ORDER = {"error": 0, "warning": 1, "info": 2}


def validate(
    files: Mapping[str, bytes],
    roles: Collection[str] | None = None,
    lanes: Mapping[str, str] | None = None,
    topics: Collection[str] | None = None,
    catalogue: Catalogue | None = None,
) -> list[Finding]:
    """Everything found in the files, errors first.

    ``roles`` are the known role codes, ``lanes`` maps lane names to roles, ``topics`` are the service-task types
    with a handler, ``catalogue`` is what is known of their data; each of them is only checked where it is given.
    With the catalogue, data and drawing are looked at too.
    """
    return validate_contents(files, roles, lanes, topics, catalogue)[1]


def validate_contents(
    files: Mapping[str, bytes],
    roles: Collection[str] | None = None,
    lanes: Mapping[str, str] | None = None,
    topics: Collection[str] | None = None,
    catalogue: Catalogue | None = None,
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
        whole.check(find)
        structure.check(find)
        events.check(find)
        tasks.check(find)
        duties.check(find)
        expressions.check(find)
        returns.check(find)
        findings += find.findings
    for file in contents.form_files.values():
        findings += _form_findings(file, contents.files[file])
    findings += english.check(contents)
    if catalogue is not None:
        findings += contract.check(contents, catalogue)
        broken = {one.file for one in contents.findings if one.rule in ("xml", "not-bpmn")}
        for file, data in contents.files.items():
            if file.endswith(".bpmn") and file not in broken:
                findings += drawing.check(file, data)
    for file, data in contents.files.items():
        if file.endswith(".docx"):
            findings += _template_findings(file, data)
        if file.endswith(".dmn"):
            findings += [Finding(file, r.element_id, r.rule, r.severity, r.zh, r.en) for r in table_remarks(data)]
    return contents, _listed(sorted(findings, key=lambda f: (_ORDER[f.severity], f.file, f.line or 0)))


def _listed(findings: list[Finding]) -> list[Finding]:
    """The findings, of each file no more than anybody can put right, the worst first."""
    if len(findings) <= MOST:
        return findings
    counted: Counter[str] = Counter()
    listed: list[Finding] = []
    untold: dict[str, Finding] = {}
    for one in findings:
        counted[one.file] += 1
        if counted[one.file] <= MOST:
            listed.append(one)
        else:
            untold.setdefault(one.file, one)
    for file, first in untold.items():
        more = counted[file] - MOST
        zh = f"另有 {more} 个问题没有列出，请先解决已列出的。"
        en = f"{more} more findings are not listed; put those right first."
        listed.append(Finding(file, None, "findings-many", first.severity, zh, en))
    return sorted(listed, key=lambda one: _ORDER[one.severity])


@lru_cache(maxsize=128)
def _template_findings(file: str, data: bytes) -> tuple[Finding, ...]:
    """What is wrong with a template by itself: Word cannot open it, or its placeholders are no placeholders."""
    try:
        placeholders.placeholders(data)
    except templates.TemplateProblem as problem:
        return (
            Finding(
                file,
                None,
                "template-syntax",
                "error",
                f"模板无法使用：{problem.zh}",
                f"Unusable template: {problem.en}",
            ),
        )
    return ()


@lru_cache(maxsize=512)
def _form_findings(file: str, data: bytes) -> tuple[Finding, ...]:
    """What is wrong with a form by itself. Forms stay the same while somebody draws beside them."""
    problems = formcheck.check(json.loads(data))
    return tuple(Finding(file, element, rule, "error", zh, en) for element, rule, zh, en in problems)

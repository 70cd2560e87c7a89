"""Findings and differences in the formats that other tools read: JSON, SARIF 2.1.0 and JUnit XML."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from service import engine
from service.engine import advice
from service.engine.compare import Comparison

if TYPE_CHECKING:
    from service.commands.procedures.backtests import Backtest
    from service.scenarios import Outcome

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "info": "note"}

Findings = Sequence["engine.Finding"]


def line(finding: engine.Finding) -> str:
    """A finding in one line, for people."""
    place = finding.file + (f":{finding.line}" if finding.line else "")
    return f"{finding.severity:7} {place} {finding.element_id or ''} [{finding.rule}] {finding.zh} {finding.en}"


def as_json(findings: Findings, files: Sequence[str], **more: Any) -> str:
    """Findings as JSON, with the files that were looked at."""
    shown = [
        {
            "file": one.file,
            "element": one.element_id,
            "line": one.line,
            "rule": one.rule,
            "severity": one.severity,
            "zh": one.zh,
            "en": one.en,
            "why": advice.of(one.rule).why_en,
            "fix": advice.of(one.rule).fix_en,
            "path": list(one.path),
        }
        for one in findings
    ]
    counts = {severity: sum(one.severity == severity for one in findings) for severity in LEVELS}
    return json.dumps({"files": list(files), "counts": counts, "findings": shown, **more}, ensure_ascii=False, indent=2)


def as_sarif(findings: Findings) -> str:
    """Findings as SARIF, which code hosts show beside the lines."""
    rules = sorted({one.rule for one in findings})
    run = {
        "tool": {
            "driver": {
                "name": "guohe",
                "informationUri": "https://github.com/oasis-tcs/sarif-spec",
                "rules": [
                    {
                        "id": rule,
                        "shortDescription": {"text": advice.of(rule).why_en},
                        "help": {"text": f"{advice.of(rule).fix_zh} {advice.of(rule).fix_en}"},
                    }
                    for rule in rules
                ],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [
            {
                "ruleId": one.rule,
                "ruleIndex": rules.index(one.rule),
                "level": LEVELS[one.severity],
                "message": {"text": f"{one.zh} {one.en}"},
                "locations": [_location(one)],
            }
            for one in findings
        ],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2)


def _location(finding: engine.Finding) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": finding.file or "."}}
    if finding.line:
        physical["region"] = {"startLine": finding.line}
    location: dict[str, Any] = {"physicalLocation": physical}
    if finding.element_id:
        location["logicalLocations"] = [{"name": finding.element_id, "kind": "element"}]
    return location


def as_junit(findings: Findings, files: Sequence[str], name: str = "guohe validate") -> str:
    """Findings as JUnit XML: one test case a file; errors fail it, the rest is its output."""
    by_file: dict[str, list[engine.Finding]] = {file: [] for file in files}
    for one in findings:
        by_file.setdefault(one.file, []).append(one)
    cases = []
    failures = 0
    for file, own in sorted(by_file.items()):
        errors = [one for one in own if one.severity == "error"]
        others = [one for one in own if one.severity != "error"]
        inner = ""
        if errors:
            failures += 1
            inner += f"<failure message={_attribute(errors[0].en)}>{_text(line(one) for one in errors)}</failure>"
        if others:
            inner += f"<system-out>{_text(line(one) for one in others)}</system-out>"
        cases.append(f"<testcase classname={_attribute(name)} name={_attribute(file or '.')}>{inner}</testcase>")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites><testsuite name={_attribute(name)} tests="{len(cases)}" failures="{failures}" errors="0">\n'
        + "\n".join(cases)
        + "\n</testsuite></testsuites>\n"
    )


def _attribute(text: str) -> str:
    return quoteattr(_printable(text))


def _text(lines: Any) -> str:
    return escape(_printable("\n".join(lines)))


def _printable(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(c for c in text if c in "\t\n\r" or ("\x20" <= c < "\ud800") or "\ue000" <= c < "\ufffe")


def differences(made: Comparison, english: bool = False) -> list[str]:
    """A comparison as lines for people."""
    signs = {"added": "+", "removed": "-", "changed": "~", "layout": " "}
    lines: list[str] = []
    file = None
    for change in made.changes:
        if change.file != file:
            file = change.file
            lines.append(f"{file}:")
        lines.append(f"  {signs[change.kind]} {change.en if english else change.zh}")
    return lines


def differences_as_json(made: Comparison) -> str:
    """A comparison as JSON."""
    shown = [
        {
            "file": one.file,
            "process": one.process_id,
            "element": one.element_id,
            "kind": one.kind,
            "what": one.what,
            "old": one.old,
            "new": one.new,
            "zh": one.zh,
            "en": one.en,
        }
        for one in made.changes
    ]
    return json.dumps({"matters": made.matters, "changes": shown}, ensure_ascii=False, indent=2)


def by_severity(findings: Findings) -> Mapping[str, int]:
    """How many findings of each severity there are."""
    return {severity: sum(one.severity == severity for one in findings) for severity in LEVELS}


def backtest(found: Backtest) -> str:
    """A backtest for people: the sum, and every case that would have gone differently."""
    lines = [f"{one.number} {one.element_name}: {one.again.old_zh} → {one.again.new_zh}" for one in found.differences]
    lines.append(
        f"{found.cases} 件中 {len(found.differences)} 件结果不同；{found.unknown} 个决定无法重做。 "
        f"{len(found.differences)} of {found.cases} case(s) come out differently; "
        f"{found.unknown} decision(s) could not be made again."
    )
    return "\n".join(lines)


def backtest_as_json(found: Backtest) -> str:
    """A backtest as JSON."""
    shown = [
        {
            "case": one.number,
            "title": one.title,
            "process": one.process_id,
            "element": one.element_id,
            "name": one.element_name,
            "old": one.again.old_en,
            "new": one.again.new_en,
            "zh": f"{one.again.old_zh} → {one.again.new_zh}",
        }
        for one in found.differences
    ]
    counts = {
        "cases": found.cases,
        "decided": found.decided,
        "decisions": found.decisions,
        "different": len(found.differences),
        "unknown": found.unknown,
    }
    return json.dumps({"counts": counts, "differences": shown}, ensure_ascii=False, indent=2)


def played_as_json(outcomes: Sequence[Outcome]) -> str:
    """Scenarios that were played, as JSON."""
    shown = [
        {
            "file": str(one.file),
            "name": one.name,
            "passed": one.ok,
            "problems": one.problems,
            "line": one.line or None,
            "element": one.element,
            "seconds": round(one.seconds, 3),
            "flows": len(one.flows),
        }
        for one in outcomes
    ]
    failed = sum(not one.ok for one in outcomes)
    return json.dumps({"played": len(shown), "failed": failed, "scenarios": shown}, ensure_ascii=False, indent=2)


def played_as_junit(outcomes: Sequence[Outcome]) -> str:
    """Scenarios that were played, as JUnit XML: one test case a scenario."""
    cases = []
    for one in outcomes:
        inner = ""
        if not one.ok:
            place = f"{one.file}:{one.line}" if one.line else str(one.file)
            inner = f"<failure message={_attribute(one.problems[0])}>{_text([place, *one.problems])}</failure>"
        cases.append(
            f'<testcase classname={_attribute(str(one.file))} name={_attribute(one.name)} time="{one.seconds:.3f}">'
            f"{inner}</testcase>"
        )
    failed = sum(not one.ok for one in outcomes)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites><testsuite name="guohe test" tests="{len(cases)}" failures="{failed}" errors="0">\n'
        + "\n".join(cases)
        + "\n</testsuite></testsuites>\n"
    )

"""What people call a file: read from its content as cheaply as it goes, and never an obstacle."""

from __future__ import annotations

import html
import json
import re

_PARTICIPANT = re.compile(r"<(?:\w+:)?participant\b[^>]*?\bname=(\"[^\"]*\"|'[^']*')", re.DOTALL)
_PROCESS = re.compile(r"<(?:\w+:)?process\b[^>]*?\bname=(\"[^\"]*\"|'[^']*')", re.DOTALL)
_DEFINITIONS = re.compile(r"<(?:\w+:)?definitions\b[^>]*?\bname=(\"[^\"]*\"|'[^']*')", re.DOTALL)
_DECISION = re.compile(r"<(?:\w+:)?decision\b[^>]*?\bname=(\"[^\"]*\"|'[^']*')", re.DOTALL)
_SCENARIO = re.compile(r"^(?:title|name):[ \t]*(.+)$", re.MULTILINE)
LONGEST = 120


def title_of(path: str, content: bytes) -> str:
    """The name of the process, the decision, the form or the scenario in a file; empty where it has none."""
    text = content[:400_000].decode("utf-8", "ignore")
    if path.endswith(".bpmn"):
        return _attribute(text, _PROCESS, _PARTICIPANT)
    if path.endswith(".dmn"):
        decisions = _DECISION.findall(text)
        return _attribute(text, _DECISION) if len(decisions) == 1 else _attribute(text, _DEFINITIONS, _DECISION)
    if path.endswith(".form"):
        return _heading(text)
    if path.endswith(".yaml"):
        found = _SCENARIO.search(text)
        return found.group(1).strip().strip("\"'")[:LONGEST] if found else ""
    return ""


def _attribute(text: str, *patterns: re.Pattern[str]) -> str:
    for pattern in patterns:
        found = pattern.search(text)
        if found and found.group(1).strip("\"' "):
            return " ".join(html.unescape(found.group(1)[1:-1]).split())[:LONGEST]
    return ""


def _heading(text: str) -> str:
    try:
        components = json.loads(text).get("components", [])
        for component in components:
            shown = str(component.get("text", "")).strip() if component.get("type") == "text" else ""
            if shown.startswith("#"):
                return shown.splitlines()[0].lstrip("# ").strip()[:LONGEST]
    except (ValueError, AttributeError, TypeError, RecursionError):
        return ""
    return ""

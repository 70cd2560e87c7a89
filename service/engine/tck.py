"""The cases of the DMN Technology Compatibility Kit, run on our decisions."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from lxml import etree

from service import clock
from service.errors import ServiceError

from . import decisions, xml

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


@dataclass(frozen=True, slots=True)
class Result:
    """One expected result of one case; ``got`` is the value or the error's sentence."""

    model: str
    case: str
    decision: str
    passed: bool
    expected: Any
    got: Any


def run(folder: Path) -> list[Result]:
    """Run every ``*-test-*.xml`` below the folder against the model it names."""
    return [result for path in sorted(folder.rglob("*-test*.xml")) for result in _run_file(path)]


def _run_file(path: Path) -> Iterator[Result]:
    root = xml.parse(path.read_bytes())
    model = path.with_name(_text(root, "modelName"))
    try:
        known = decisions.read(model.read_bytes())
        problem = None
    except (ServiceError, OSError) as error:
        known, problem = {}, str(error)
    ids = {name: decision.id for decision in known.values() for name in decision.model.nodes[decision.id]["names"]}
    for case in _children(root, "testCase"):
        variables = {node.get("name", ""): _value(node) for node in _children(case, "inputNode")}
        for node in _children(case, "resultNode"):
            name = node.get("name", "")
            expected = next((_value(each) for each in _children(node, "expected")), None)
            passed, got = False, problem
            if problem is None:
                passed, got = _ask(known, ids.get(name, name), variables, expected, node.get("errorResult") == "true")
            yield Result(model.name, case.get("id", ""), name, passed, expected, got)


def _ask(
    known: Mapping[str, decisions.Decision], decision_id: str, variables: Mapping[str, Any], expected: Any, wrong: bool
) -> tuple[bool, Any]:
    try:
        got = decisions.evaluate(known, decision_id, variables, now=clock.now())
    except ServiceError as error:
        # The kit says null where an error makes a decision null; we say which error it was.
        return wrong or expected is None, str(error)
    return same(expected, got), got


def same(expected: Any, got: Any) -> bool:
    """Equal up to eight decimals and up to the spelling of times and durations."""
    if isinstance(expected, dict) and isinstance(got, dict):
        return expected.keys() == got.keys() and all(same(expected[key], got[key]) for key in expected)
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(map(same, expected, got))
    if isinstance(expected, (int, float)) and isinstance(got, (int, float)):
        if isinstance(expected, bool) or isinstance(got, bool):
            return expected is got
        return math.isclose(expected, got, rel_tol=1e-8, abs_tol=1e-8)
    if isinstance(expected, str) and isinstance(got, str):
        return expected == got or _normal(expected) == _normal(got)
    return type(expected) is type(got) and bool(expected == got)


_DURATION = re.compile(r"(-?)P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?")


def _normal(text: str) -> Any:
    if match := _DURATION.fullmatch(text):
        sign = -1 if match[1] else 1
        years, months, days, hours, minutes = (int(part or 0) for part in match.groups()[1:6])
        rest = timedelta(days=days, hours=hours, minutes=minutes, seconds=float(match[7] or 0))
        return sign * (12 * years + months), sign * rest
    if re.match(r"-?\d{4}-\d\d-\d\dT", text):
        # Without an offset a time is China's.
        moment = re.sub(r"(\+08:00|@Asia/Shanghai)$", "", text)
        return re.sub(r"(\+00:00|@Etc/UTC)$", "Z", moment)
    return text


def _value(element: etree._Element) -> Any:
    if (parts := _children(element, "list")) or element.tag.endswith("}list"):
        return [_value(item) for item in _children(parts[0] if parts else element, "item")]
    if parts := _children(element, "component"):
        return {part.get("name", ""): _value(part) for part in parts}
    value = next(iter(_children(element, "value")), None)
    if value is None or value.get(f"{XSI}nil") == "true" or element.get(f"{XSI}nil") == "true":
        return None
    text, kind = value.text or "", (value.get(f"{XSI}type") or "").rpartition(":")[2]
    if kind in ("decimal", "double", "float", "integer", "int", "long"):
        return float(text)
    return text.strip() == "true" if kind == "boolean" else text


def _children(element: etree._Element, name: str) -> list[etree._Element]:
    return [child for child in element if isinstance(child.tag, str) and etree.QName(child).localname == name]


def _text(element: etree._Element, name: str) -> str:
    return next((child.text or "" for child in _children(element, name)), "").strip()

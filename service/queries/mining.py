"""Exports: the log as CSV and JSON Lines, cases as XES and OCEL 2.0 for process-mining tools."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any
from xml.sax.saxutils import quoteattr

from .audit import Activity
from .spreadsheet import harmless

COLUMNS = ("seq", "event_id", "at", "kind", "actor_id", "instance_id", "content", "digest", "hash")


def json_lines(records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """One record a line; ``guohe audit verify --file`` reads this back."""
    for record in records:
        yield json.dumps(record, ensure_ascii=False, sort_keys=True) + "\n"


def csv_lines(records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """One record a line, with what it says in columns; opens in spreadsheet programs."""
    names = ("seq", "at", "kind", "actor", "on_behalf_of", "number", "element", "reason", "before", "after", "hash")
    yield "\ufeff" + _row(names)
    for record in records:
        said = json.loads(record["content"]) if record["content"] else {}
        actor = said.get("actor") or {}
        yield _row(
            (
                record["seq"],
                record["at"],
                record["kind"],
                actor.get("username") or "",
                said.get("on_behalf_of") or "",
                said.get("number") or "",
                said.get("element") or "",
                said.get("reason") or "",
                _text(said.get("before")),
                _text(said.get("after")),
                record["hash"],
            )
        )


def _row(values: Iterable[Any]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([harmless(value) for value in values])
    return out.getvalue()


def _text(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def xes(activities: Iterable[Activity]) -> Iterator[str]:
    """IEEE 1849 XES: one trace a case, with the concept, time, organisational and lifecycle extensions."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<log xes.version="1849-2016" xes.features="" '
    yield 'xmlns="http://www.xes-standard.org/">\n'
    for name, prefix, uri in (
        ("Concept", "concept", "http://www.xes-standard.org/concept.xesext"),
        ("Time", "time", "http://www.xes-standard.org/time.xesext"),
        ("Organizational", "org", "http://www.xes-standard.org/org.xesext"),
        ("Lifecycle", "lifecycle", "http://www.xes-standard.org/lifecycle.xesext"),
    ):
        yield f'  <extension name="{name}" prefix="{prefix}" uri="{uri}"/>\n'
    yield '  <global scope="trace"><string key="concept:name" value=""/></global>\n'
    yield '  <global scope="event"><string key="concept:name" value=""/>'
    yield '<date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/>'
    yield '<string key="lifecycle:transition" value="complete"/></global>\n'
    yield '  <classifier name="Activity" keys="concept:name"/>\n'
    for _case, rows in groupby(activities, key=lambda one: one.case):
        events = list(rows)
        first = events[0]
        yield "  <trace>\n"
        yield _attribute("string", "concept:name", first.number, 4)
        yield _attribute("string", "title", first.title, 4)
        yield _attribute("string", "process", first.process_id, 4)
        for one in events:
            yield "    <event>\n"
            yield _attribute("string", "concept:name", one.activity, 6)
            yield _attribute("date", "time:timestamp", one.at.isoformat(timespec="milliseconds"), 6)
            yield _attribute("string", "lifecycle:transition", "complete", 6)
            yield _attribute("string", "org:resource", one.person or "system", 6)
            if one.organisation:
                yield _attribute("string", "org:group", one.organisation, 6)
            yield _attribute("string", "kind", one.kind, 6)
            yield "    </event>\n"
        yield "  </trace>\n"
    yield "</log>\n"


def _attribute(kind: str, key: str, value: str, indent: int) -> str:
    clean = "".join(
        c for c in value if c in "\t\n\r" or " " <= c < "\ud800" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
    )
    return f"{' ' * indent}<{kind} key={quoteattr(key)} value={quoteattr(clean)}/>\n"


def ocel(activities: Iterable[Activity]) -> Iterator[str]:
    """OCEL 2.0 in JSON: events with the cases, tasks and people they concern."""
    objects: dict[str, dict[str, Any]] = {}
    types: set[str] = set()
    yield '{"events":['
    first = True
    for one in activities:
        types.add(one.activity)
        related = [{"objectId": f"case-{one.case}", "qualifier": "case"}]
        objects.setdefault(
            f"case-{one.case}",
            {
                "id": f"case-{one.case}",
                "type": "case",
                "attributes": [
                    {"name": "number", "time": "1970-01-01T00:00:00Z", "value": one.number},
                    {"name": "process", "time": "1970-01-01T00:00:00Z", "value": one.process_id},
                ],
                "relationships": [],
            },
        )
        if one.task_id is not None:
            related.append({"objectId": f"task-{one.task_id}", "qualifier": "task"})
            owner = [{"objectId": f"case-{one.case}", "qualifier": "belongs to"}]
            made = {"id": f"task-{one.task_id}", "type": "task", "attributes": [], "relationships": owner}
            objects.setdefault(f"task-{one.task_id}", made)
        if one.person:
            related.append({"objectId": f"person-{one.person}", "qualifier": "resource"})
            person = {"id": f"person-{one.person}", "type": "person", "attributes": [], "relationships": []}
            objects.setdefault(f"person-{one.person}", person)
        event = {
            "id": f"event-{one.id}",
            "type": one.activity,
            "time": one.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "attributes": [{"name": "kind", "value": one.kind}],
            "relationships": related,
        }
        yield ("" if first else ",") + json.dumps(event, ensure_ascii=False)
        first = False
    yield '],"objects":' + json.dumps(list(objects.values()), ensure_ascii=False)
    kind = [{"name": "kind", "type": "string"}]
    yield ',"eventTypes":' + json.dumps(
        [{"name": name, "attributes": kind} for name in sorted(types)], ensure_ascii=False
    )
    case = [{"name": "number", "type": "string"}, {"name": "process", "type": "string"}]
    yield ',"objectTypes":' + json.dumps(
        [
            {"name": "case", "attributes": case},
            {"name": "task", "attributes": []},
            {"name": "person", "attributes": []},
        ]
    )
    yield "}"

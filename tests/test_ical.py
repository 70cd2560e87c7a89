"""The calendar feed keeps to RFC 5545: folded lines, escaped text, times in UTC."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import icalendar
from hypothesis import given
from hypothesis import strategies as st

from service import ical
from service.clock import CHINA

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=CHINA)


def unfolded(body: bytes) -> list[str]:
    """The content lines of a calendar, read as a calendar program does."""
    assert body.endswith(b"\r\n")
    lines: list[bytes] = []
    for line in body[:-2].split(b"\r\n"):
        assert len(line) <= 75
        assert b"\n" not in line
        assert b"\r" not in line
        line.decode("utf-8")
        if line.startswith(b" "):
            lines[-1] += line[1:]
        else:
            lines.append(line)
    return [line.decode("utf-8") for line in lines]


def unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


def entry(**more) -> ical.Entry:
    facts = {"uid": "task-7@guohe.example", "sequence": 3, "at": NOW + timedelta(days=2), "changed_at": NOW}
    return ical.Entry(**{**facts, "summary": "推荐审核", **more})


def test_an_entry_says_what_when_and_where():
    lines = unfolded(ical.calendar("期限", [entry(url="https://guohe.example/tasks/7")], now=NOW))
    assert lines[:3] == ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Guohe//Deadlines//ZH"]
    assert lines[-1] == "END:VCALENDAR"
    event = lines[lines.index("BEGIN:VEVENT") : lines.index("END:VEVENT")]
    assert "UID:task-7@guohe.example" in event
    assert "DTSTAMP:20260302T010000Z" in event
    assert "DTSTART:20260304T010000Z" in event
    assert "SEQUENCE:3" in event
    assert "URL:https://guohe.example/tasks/7" in event
    assert event.index("BEGIN:VALARM") < event.index("TRIGGER:-P1D")


@given(st.text(max_size=200))
def test_whatever_a_case_is_called_the_calendar_reads_back_the_same(name):
    lines = unfolded(ical.calendar("期限", [entry(summary=name)], now=NOW))
    assert [line for line in lines if line.startswith(("BEGIN:VEVENT", "END:VEVENT"))] == ["BEGIN:VEVENT", "END:VEVENT"]
    (summary,) = [line for line in lines if line.startswith("SUMMARY:")]
    plain = name.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(one for one in plain if one in "\n\t" or (ord(one) >= 32 and ord(one) != 127))
    assert unescaped(summary.removeprefix("SUMMARY:")) == kept


@given(st.text(max_size=120))
def test_an_independent_parser_reads_the_feed(name):
    entries = [entry(summary=name, url="https://guohe.example/tasks/7?a=1,2;3"), entry(uid="task-8@guohe.example")]
    read = icalendar.Calendar.from_ical(ical.calendar("期限", entries, now=NOW))
    first, second = read.walk("VEVENT")
    plain = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", name.replace("\r\n", "\n").replace("\r", "\n"))
    assert re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", str(first["SUMMARY"])).strip() == plain.strip()
    assert str(first["UID"]) == "task-7@guohe.example"
    assert str(second["UID"]) == "task-8@guohe.example"
    assert first["DTSTART"].dt == NOW + timedelta(days=2)
    assert int(first["SEQUENCE"]) == 3
    assert str(first["URL"]) == "https://guohe.example/tasks/7?a=1,2;3"
    (alarm,) = first.walk("VALARM")
    assert alarm["TRIGGER"].dt == timedelta(days=-1)
    assert [one for one in read.errors if one] == []

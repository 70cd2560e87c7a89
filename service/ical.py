"""iCalendar (RFC 5545): the little of it that a list of deadlines needs.

Lines end in CRLF and are folded before the 76th octet, never inside a character; text is escaped; times are UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

LINE = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A deadline. ``uid`` stays the same for as long as it is the same thing; ``sequence`` grows with its changes."""

    uid: str
    sequence: int
    at: datetime
    changed_at: datetime
    summary: str
    description: str = ""
    url: str = ""
    remind_before: str = "-P1D"


def calendar(name: str, entries: Iterable[Entry], *, now: datetime) -> bytes:
    """Write a calendar."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Guohe//Deadlines//ZH",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
    ]
    for entry in entries:
        lines += _event(entry, now)
    lines.append("END:VCALENDAR")
    return b"".join(folded(line) for line in lines)


def _event(entry: Entry, now: datetime) -> list[str]:
    lines = [
        "BEGIN:VEVENT",
        f"UID:{escaped(entry.uid)}",
        f"DTSTAMP:{moment(now)}",
        f"LAST-MODIFIED:{moment(entry.changed_at)}",
        f"SEQUENCE:{entry.sequence}",
        f"DTSTART:{moment(entry.at)}",
        f"SUMMARY:{escaped(entry.summary)}",
        "TRANSP:TRANSPARENT",
    ]
    if entry.description:
        lines.append(f"DESCRIPTION:{escaped(entry.description)}")
    if entry.url:
        lines.append(f"URL:{entry.url}")
    lines += [
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{escaped(entry.summary)}",
        f"TRIGGER:{entry.remind_before}",
        "END:VALARM",
        "END:VEVENT",
    ]
    return lines


def moment(at: datetime) -> str:
    """A moment in UTC."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def escaped(text: str) -> str:
    """Text as a value: backslash, comma, semicolon and line break escaped, other control characters left out."""
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    return "".join(letter for letter in text if letter == "\t" or (ord(letter) >= 32 and ord(letter) != 127))


def folded(line: str) -> bytes:
    """A content line as octets, folded."""
    out, length = bytearray(), 0
    for letter in line:
        octets = letter.encode()
        if length + len(octets) > LINE:
            out += b"\r\n "
            length = 1
        out += octets
        length += len(octets)
    return bytes(out) + b"\r\n"

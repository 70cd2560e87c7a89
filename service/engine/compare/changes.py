"""Changes and how they read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ChangeKind = Literal["added", "removed", "changed", "layout"]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. ``what`` is the attribute; ``old`` and ``new`` are shown values, where there are any."""

    file: str
    element_id: str | None
    kind: ChangeKind
    zh: str
    en: str
    process_id: str | None = None
    what: str = ""
    old: str | None = None
    new: str | None = None


@dataclass(slots=True)
class Comparison:
    """All changes, and for each file the elements to be coloured: ``{file: {element id: kind}}``."""

    changes: list[Change] = field(default_factory=list)
    marks: dict[str, dict[str, ChangeKind]] = field(default_factory=dict)

    def add(
        self,
        file: str,
        element_id: str | None,
        kind: ChangeKind,
        zh: str,
        en: str,
        **more: Any,
    ) -> None:
        """Note a change and colour its element; what a change is more than layout wins."""
        self.changes.append(Change(file, element_id, kind, zh, en, **more))
        if element_id is not None:
            self.mark(file, element_id, kind)

    def mark(self, file: str, element_id: str, kind: ChangeKind) -> None:
        """Colour an element."""
        own = self.marks.setdefault(file, {})
        if own.get(element_id) in (None, "layout"):
            own[element_id] = kind

    @property
    def matters(self) -> bool:
        """True where something differs that makes a difference when it runs."""
        return any(change.kind != "layout" for change in self.changes)

    def touched(self) -> dict[str, set[str]]:
        """The elements of each process that were added, removed or changed."""
        found: dict[str, set[str]] = {}
        for change in self.changes:
            if change.process_id is not None and change.kind != "layout" and change.element_id is not None:
                found.setdefault(change.process_id, set()).add(change.element_id)
        return found


@dataclass(frozen=True, slots=True)
class Words:
    """The names of roles, by their codes."""

    roles_zh: Mapping[str, str] = field(default_factory=dict)
    roles_en: Mapping[str, str] = field(default_factory=dict)

    def role_zh(self, codes: str | None) -> str:
        """Several codes as their names."""
        return _named(codes, self.roles_zh, "、") or "（未指定）"

    def role_en(self, codes: str | None) -> str:
        """Several codes as their names."""
        return _named(codes, self.roles_en, ", ") or "(none)"


def _named(codes: str | None, names: Mapping[str, str], comma: str) -> str:
    if not codes:
        return ""
    if codes.lstrip().startswith("="):
        return codes.strip()
    return comma.join(names.get(code.strip(), code.strip()) for code in codes.split(",") if code.strip())


_WORKDAYS = re.compile(r"^=?\s*workdays\((?P<from>.+?),\s*(?P<days>[^,()]+)\)\s*$")
_DURATION = re.compile(
    r"^P(?:(?P<y>\d+)Y)?(?:(?P<mo>\d+)M)?(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+)S)?)?$"
)
_UNITS = {
    "y": ("年", "years"),
    "mo": ("个月", "months"),
    "w": ("周", "weeks"),
    "d": ("天", "days"),
    "h": ("小时", "hours"),
    "m": ("分钟", "minutes"),
    "s": ("秒", "seconds"),
}


def shown(value: object, english: bool = False) -> str:
    """A value as people read it: durations and working days in words, nothing as a dash."""
    if value is None or value == "":
        return "(none)" if english else "（无）"
    if value is True or value is False:
        return ("yes" if value else "no") if english else ("是" if value else "否")
    text = " ".join(str(value).split())
    plain = text.strip().strip('"').removeprefix("=").strip().strip('"')
    days = _WORKDAYS.match(plain)
    if days:
        count = days["days"]
        return f"{count} working days" if english else f"{count} 个工作日"
    duration = _DURATION.match(plain)
    if duration and any(duration.groupdict().values()):
        parts = [
            f"{count} {_UNITS[unit][1]}" if english else f"{count} {_UNITS[unit][0]}"
            for unit, count in duration.groupdict().items()
            if count
        ]
        return " ".join(parts)
    return text if len(text) <= 120 else f"{text[:119]}…"


def arrow(old: object, new: object, english: bool = False) -> str:
    """Old and new with an arrow; a unit both share is said once."""
    before, after = shown(old, english), shown(new, english)
    if before == after:
        before, after = _cut(old), _cut(new)
    head, tail = re.match(r"^(\d+) (.+)$", before), re.match(r"^(\d+) (.+)$", after)
    if head and tail and head[2] == tail[2]:
        return f"{head[1]} → {tail[1]} {tail[2]}"
    return f"{before} → {after}"


def _cut(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 120 else f"{text[:119]}…"

"""What the address of the inbox asks for, and how filters read on the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast, get_args

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service import errors
from service.models import User
from service.queries import definitions, identity
from service.queries import inbox as boxes
from service.queries.facets import FACETS
from service.queries.finding import Due, Priority

from . import i18n, registerwords, show

BOXES = ("mine", "later", "group", "deputy", "waiting", "done")
SORTS = ("due", "created", "priority", "case")
SHOWN = 12
"""So many values of a kind are offered; a search finds the rest."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question to the inbox."""

    box: str = "mine"
    sort: str = "due"
    text: str = ""
    filters: dict[str, Any] = field(default_factory=dict)
    after: str | None = None

    @property
    def narrowed(self) -> bool:
        """True where it asks for less than the whole box."""
        return bool(self.text or self.filters)

    def query(self, **changed: Any) -> dict[str, Any]:
        """The parameters of its address, some of them changed; what is not said stays out."""
        said: dict[str, Any] = {"box": self.box, "sort": self.sort if self.sort != "due" else None, "q": self.text}
        return {name: value for name, value in {**said, **self.filters, **changed}.items() if value}

    def url(self, **changed: Any) -> str:
        """Its address."""
        return url_for("inbox.inbox", **self.query(**changed))

    def asked(self) -> dict[str, Any]:
        """The same for ``queries.inbox``."""
        return {"box": cast(boxes.Box, self.box), "text": self.text or None, **self.filters}


def read(args: Mapping[str, str]) -> Question:
    """Read an address; a filter that is none is left out, a box that is none is not found."""
    box, sort = args.get("box", "mine"), args.get("sort", "due")
    if box not in BOXES:
        raise errors.NotFound
    given = {kind: args[kind].strip()[:100] for kind in FACETS if args.get(kind, "").strip()}
    filters: dict[str, Any] = {kind: value for kind, value in given.items() if _may_be(kind, value)}
    if "recommender" in filters:
        filters["recommender"] = int(filters["recommender"])
    text = args.get("q", "").strip()[:100]
    return Question(box, sort if sort in SORTS else "due", text, filters, args.get("after") or None)


def _may_be(kind: str, value: str) -> bool:
    match kind:
        case "due":
            return value in get_args(Due)
        case "priority":
            return value in get_args(Priority)
        case "state":
            return value in ("active", "incident", "suspended", "completed", "terminated")
        case "recommender":
            return value.isascii() and value.isdigit() and len(value) < 18
    return "\x00" not in value


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a filter as a link: chosen, it takes the filter away."""

    label: str
    count: int | None
    chosen: bool
    url: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A filter with its values."""

    name: str
    label: str
    choices: list[Choice]
    more: int = 0


def kinds(session: Session, user: User, question: Question) -> tuple[list[Kind], bool]:
    """Return the filters with counts, and whether there are too many tasks to count by kind."""
    found = boxes.kinds(session, user, **question.asked())
    words = _words(session, user, found.steps, found.counts)
    shown = []
    for kind in FACETS:
        counted = found.counts[kind]
        values = list(words[kind]) if kind in ("due", "priority") else [value for value, _n in counted.most_common()]
        chosen = question.filters.get(kind)
        if chosen is not None and chosen not in values:
            values.insert(0, chosen)
        values = [value for value in values if counted[value] or value == chosen]
        if len(values) < 2 and chosen is None:
            continue  # nothing to choose between
        choices = [
            Choice(
                label=words[kind].get(value, str(value)),
                count=None if found.capped else counted[value],
                chosen=value == chosen,
                url=question.url(**{kind: None if value == chosen else value}),
            )
            for value in values[:SHOWN]
        ]
        shown.append(Kind(kind, labels()[kind], choices, max(0, len(values) - SHOWN)))
    return shown, found.capped


def labels() -> dict[str, str]:
    """What the filters are called."""
    return {
        "process": _("流程"),
        "element": _("环节"),
        "base_type": _("基地类型"),
        "region": _("地区"),
        "recommender": _("推荐部门"),
        "due": _("期限"),
        "priority": _("优先级"),
        "state": _("案件状态"),
    }


def _words(
    session: Session, user: User, steps: Mapping[str, str], counts: Mapping[str, Mapping[Any, int]]
) -> dict[str, dict[Any, str]]:
    offices = identity.organisation_names(session, [one for one in counts["recommender"] if one])
    return {
        "process": dict(definitions.names(session, user)),
        "element": dict(steps),
        "base_type": registerwords.types(),
        "region": dict(registerwords.regions()),
        "recommender": {key: i18n.name_of(one) for key, one in offices.items()},
        "due": {
            "late": _("已逾期"),
            "today": _("今天到期"),
            "soon": _("3 个工作日内"),
            "week": _("本周到期"),
            "none": _("无期限"),
        },
        "priority": {"high": _("高"), "normal": _("普通"), "low": _("低")},
        "state": {code: show.status_word(code) for code in counts["state"]},
    }

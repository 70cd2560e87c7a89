"""The lists that are given away as files: a page of each, and the row of an item.

What is asked comes as plain values and words as a dictionary, so that a page and a worker write the same file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from .. import clock, errors
from ..models import User
from . import inbox, instances, register, stuck
from .page import LARGEST_PAGE, Page

Words = Mapping[str, Mapping[str, str]]
Asked = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """A list: a page of it for what is asked, from where, counted up to where; and the values of an item by column."""

    page: Callable[[Session, User, Asked, str | None, int | None], Page[Any]]
    row: Callable[[Any, Words], Sequence[Any]]


def _tasks(session: Session, user: User, asked: Asked, after: str | None, up_to: int | None) -> Page[Any]:
    return inbox.tasks(session, user, after=after, limit=LARGEST_PAGE, up_to=up_to, **asked)


def _task(one: Any, words: Words) -> Sequence[Any]:
    return (
        one.name, one.number, one.title, one.process_name, one.applicant, one.office, one.assignee, _moment(one.due_at),
        one.priority, _moment(one.created_at), _moment(one.completed_at),
    )  # fmt: skip


def _cases(session: Session, user: User, asked: Asked, after: str | None, up_to: int | None) -> Page[Any]:
    return instances.cases(session, user, after=after, limit=LARGEST_PAGE, up_to=up_to, **asked)


def _case(one: Any, words: Words) -> Sequence[Any]:
    return (
        one.number, one.title, one.process_name, one.applicant, _word(words, "status", one.status),
        _moment(one.started_at), one.started_by, _moment(one.updated_at), _moment(one.ended_at),
    )  # fmt: skip


def _bases(session: Session, user: User, asked: Asked, after: str | None, up_to: int | None) -> Page[Any]:
    # bases are few: they are always counted to the end
    narrowed = {name: value for name, value in asked.items() if name not in ("ours", "sort")}
    return register.bases(
        session,
        user.authority_id,
        register.Filter(**narrowed),
        user=user if asked.get("ours") else None,
        sort=asked.get("sort", "number"),
        after=after,
        limit=LARGEST_PAGE,
    )


def _base(one: Any, words: Words) -> Sequence[Any]:
    return (
        one.number, one.name, _word(words, "type", one.type),
        "、".join(_word(words, "field", field.code) for field in one.fields), one.host.name, one.region,
        one.accredited_on.isoformat(), _word(words, "base", one.status),
    )  # fmt: skip


def _stuck(session: Session, user: User, asked: Asked, after: str | None, up_to: int | None) -> Page[Any]:
    if not stuck.administered(user):
        raise errors.Forbidden
    return stuck.rows(session, user, after=after, limit=LARGEST_PAGE, up_to=up_to, **asked)


def _trouble(one: Any, words: Words) -> Sequence[Any]:
    said = one.en if words.get("locale", {}).get("lang") == "en" else one.zh
    hours = round((clock.now() - one.since).total_seconds() / 3600)
    return (
        one.number, one.title, _word(words, "cause", one.code), said, one.element_name or one.element_id,
        _moment(one.since), hours,
    )  # fmt: skip


LISTS: dict[str, Listed] = {
    "inbox": Listed(_tasks, _task),
    "cases": Listed(_cases, _case),
    "register": Listed(_bases, _base),
    "stuck": Listed(_stuck, _trouble),
}


def _word(words: Words, kind: str, code: str) -> str:
    return words.get(kind, {}).get(code, code)


def _moment(at: datetime | None) -> str:
    return at.astimezone(clock.CHINA).strftime("%Y-%m-%d %H:%M") if at else ""

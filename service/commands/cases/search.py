"""What tasks are found by follows the step: entries are written in the transaction that opens or ends a task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from sqlalchemy import Table, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from service import english, wording, words
from service.models import CaseParty, Instance, Organisation, SearchEntry, Task

BASE_TYPES = {"demonstration_base": "DB", "innovation_park": "IP", "joint_centre": "JC", "transfer_centre": "TT"}
"""The type of base that an application is for; other cases say it in their variable ``baseType``."""

_TABLE = cast(Table, SearchEntry.__table__)


def _writing(insert: Any) -> Any:
    """Write entries, over those that are there."""
    kept = ("task_id", "instance_id")
    changed = {column.name: insert.excluded[column.name] for column in _TABLE.columns if column.name not in kept}
    return insert.on_conflict_do_update(index_elements=["task_id"], set_=changed)


# Built once: nearly every step writes with one of them.
_WRITE = {"postgresql": _writing(postgresql.insert(_TABLE)), "sqlite": _writing(sqlite.insert(_TABLE))}


class Found(NamedTuple):
    """A task as far as it is found: ``submitted`` is what was handed in, nothing while it is open."""

    id: int
    element_id: str
    process_id: str
    name: str
    submitted: Mapping[str, Any] | None


class _Case(NamedTuple):
    """What all tasks of a case have in common."""

    about: str
    region: str | None
    recommender_id: int | None
    base_type: str | None


def follow(
    session: Session, instance: Instance, tasks: Sequence[Found], data: Mapping[str, Any], *, whole: bool
) -> None:
    """Write the entries of tasks that a step opened or ended; ``whole``: of all tasks, as the case has a new name.

    ``data`` are the variables of the case: they say which type of base it is about.
    """
    if whole:
        tasks = of_case(session, instance.id, tasks)
    if not tasks:
        return
    case = _case(session, instance, data)
    rows = [
        _row(instance, task, case, wording.in_english(session, instance.deployment_id, task.process_id, task.name))
        for task in tasks
    ]
    session.execute(_WRITE[session.get_bind().dialect.name], rows)


def anew(session: Session, instance: Instance, data: Mapping[str, Any]) -> None:
    """Write the entries of all tasks of a case as they stand now: after an undo, an upgrade or half a backup."""
    follow(session, instance, of_case(session, instance.id), data, whole=False)


def forget(session: Session, instance_id: int) -> None:
    """Take a case out of what can be found."""
    session.execute(
        delete(SearchEntry).where(SearchEntry.instance_id == instance_id),
        execution_options={"synchronize_session": False},
    )


def of_case(session: Session, instance_id: int, known: Iterable[Found] = ()) -> list[Found]:
    """Return the tasks of a case that can be found, some as they are ``known``."""
    by_id = {task.id: task for task in known}
    rows = session.execute(
        select(Task.id, Task.element_id, Task.process_id, Task.name, Task.submitted).where(
            Task.instance_id == instance_id, Task.status != "cancelled"
        )
    )
    return [by_id.get(row.id) or Found(*row) for row in rows]


# Built once: every step that opens a task asks for it.
_PARTIES = (
    select(CaseParty.party, Organisation.id, Organisation.name, Organisation.name_en, Organisation.region)
    .join(Organisation, Organisation.id == CaseParty.organisation_id)
    .where(CaseParty.instance_id == bindparam("instance"))
    .order_by(CaseParty.party)
)


def _case(session: Session, instance: Instance, data: Mapping[str, Any]) -> _Case:
    parties = session.execute(_PARTIES, {"instance": instance.id}).all()
    organisations = {party.party: party for party in parties}
    applicant, recommender = organisations.get("applicant"), organisations.get("recommender")
    named = [text for party in parties for text in (party.name, party.name_en) if text]
    written = [instance.number, instance.title, instance.definition.name, *named]
    if any(map(english.is_chinese, (instance.title, instance.definition.name))):
        book = wording.book(session, instance.deployment_id)
        process = book.english.of_process(instance.process_id)(instance.definition.name)
        in_english = [book.title(instance.process_id, instance.title), process]
        written += [one for one in dict.fromkeys(in_english) if one not in written]  # last, as the migration adds them
    stated = data.get("baseType")
    return _Case(
        about=words.fold(" ".join(written)),
        region=applicant.region if applicant else None,
        recommender_id=recommender.id if recommender else None,
        base_type=BASE_TYPES.get(instance.process_id) or (stated if isinstance(stated, str) and stated else None),
    )


def _row(instance: Instance, task: Found, case: _Case, in_english: str) -> dict[str, Any]:
    name, said = words.fold(" ".join(dict.fromkeys([task.name, in_english]))), words.said(task.submitted or {})
    terms = words.pairs(name) | words.pairs(case.about) | set(words.typed(words.pairs(said)))
    terms |= {
        words.tag("process", instance.process_id),
        words.tag("process", task.process_id),
        words.tag("step", task.element_id),
        words.tag("region", case.region or "none"),
        words.tag("type", case.base_type or "none"),
        words.tag("recommender", case.recommender_id or "none"),
    }
    return {
        "task_id": task.id,
        "instance_id": instance.id,
        "authority_id": instance.authority_id,
        "name": name,
        "about": case.about,
        "said": said,
        "region": case.region,
        "base_type": case.base_type,
        "recommender_id": case.recommender_id,
        "terms": terms,
    }

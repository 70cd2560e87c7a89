"""Separation of duties: whoever did one step of a case may not do certain others, whatever else grants it.

Which steps, the diagram says (``engine.duties``); a task carries them as ``Task.excludes``. ``refresh`` turns the
history of a case – what was done, by whom and in whose name, and what somebody has in hand – into ``Exclusion`` rows
of its open tasks. It runs with the case locked, in the transaction of the act that changes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session, joinedload

from service import errors, permissions
from service.engine import duties as declared
from service.models import CaseParty, Exclusion, Instance, Task, TaskCandidate, User
from service.models.register import Expert

from . import related
from .difference import table_of
from .putback import put_back

_BLIND = {"synchronize_session": False}
PARTIES = {
    "applicant": ("申报机构", "applicant"),
    "recommender": ("推荐部门", "recommender"),
    "zone": ("国家高新区", "zone"),
    "province": ("省级人民政府", "province"),
    "partner": ("合作方", "partner"),
    "joint": ("联合申报（共建）单位", "joint applicant"),
}
"""What a party is called where somebody must keep away because of it."""


def refresh(session: Session, instance_id: int) -> None:
    """Write anew who must keep away from the open tasks of a case. Free of charge where nobody must."""
    rows = session.execute(
        select(
            Task.id,
            Task.name,
            Task.status,
            Task.process_id,
            Task.element_id,
            Task.assignee_id,
            Task.completed_by_id,
            Task.on_behalf_of_id,
            Task.excludes,
            Task.properties,
        )
        .where(Task.instance_id == instance_id, Task.status != "cancelled")
        .order_by(Task.id)
    ).all()
    bound = [row for row in rows if row.status == "open" and row.excludes is not None]
    if not bound:
        return
    made = [one for task in bound for one in _of_steps(task, rows)]
    made += _of_parties(session, instance_id, bound)
    made += _of_related(session, instance_id, bound)
    session.execute(delete(Exclusion).where(Exclusion.task_id.in_([row.id for row in bound])), execution_options=_BLIND)
    if made:
        session.execute(insert(table_of(Exclusion)), made)


def _of_steps(task: Any, rows: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """One row for each person who did, or holds, a step that the task is apart from."""
    seen = set()
    for other in rows:
        if other.id == task.id or declared.step(other.process_id, other.element_id) not in task.excludes:
            continue
        done = other.status == "completed"
        for person in (other.completed_by_id if done else other.assignee_id, other.on_behalf_of_id):
            if person is not None and person not in seen:
                seen.add(person)
                yield _row(task, "acted" if done else "holds", user_id=person, because_id=other.id, because=other.name)


def _of_parties(session: Session, instance_id: int, tasks: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """One row for each organisation that must keep away, and for each expert named who works there."""
    asked = {task.id: declared.names(task.properties.get(declared.PARTIES)) for task in tasks}
    if not any(asked.values()):
        return
    playing: dict[str, int] = {
        row.party: row.organisation_id
        for row in session.scalars(select(CaseParty).where(CaseParty.instance_id == instance_id))
    }
    for task in tasks:
        for party in asked[task.id]:
            if (organisation := playing.get(party)) is None:
                continue
            yield _row(task, "party", organisation_id=organisation, because=party)
            for expert in _experts(session, task.id):
                if expert.employer_id == organisation:
                    yield _row(task, "party", user_id=expert.user_id, because=party)


def _of_related(session: Session, instance_id: int, tasks: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """The same for the organisations that the case names beside its parties."""
    asked = {task.id: set(declared.names(task.properties.get(declared.PARTIES))) for task in tasks}
    if not any(one & declared.RELATED_KINDS for one in asked.values()):
        return
    named = related.of_case(session, instance_id)
    for task in tasks:
        concerned = [one for one in named if one.party in asked[task.id]]
        experts = _experts(session, task.id) if concerned else []
        for one in concerned:
            why = f"{one.party}:{one.name}"
            if one.organisation_id is not None:
                yield _row(task, "party", organisation_id=one.organisation_id, because=why)
            for expert in experts:
                if related.employs(one, expert):
                    yield _row(task, "party", user_id=expert.user_id, because=why)


def _experts(session: Session, task_id: int) -> Sequence[Expert]:
    """The people of the pool to whom a task is given by name."""
    named = select(TaskCandidate.user_id).where(TaskCandidate.task_id == task_id)
    return session.scalars(select(Expert).where(Expert.user_id.in_(named)).options(joinedload(Expert.employer))).all()


def _row(task: Any, kind: str, **facts: Any) -> dict[str, Any]:
    return {"task_id": task.id, "kind": kind, "user_id": None, "organisation_id": None, "because_id": None, **facts}


def withdraw(session: Session, instance: Instance) -> None:
    """Take tasks back that a step put straight into the hands of somebody who must keep away."""
    given = session.scalars(
        select(Task)
        .where(Task.instance_id == instance.id, Task.status == "open", Task.assignee_id.is_not(None))
        .where(Task.excludes.is_not(None))
        .order_by(Task.id)
        .execution_options(populate_existing=True)
    ).all()
    for task in given:
        holder = session.get_one(User, task.assignee_id)
        found = exclusion(session, task, holder)
        # Of two tasks in hand that exclude each other, the first stays.
        if found is None or (found.kind == "holds" and (found.because_id or 0) > task.id):
            continue
        zh, en = sentence(found, task.name, holder, of="other")
        put_back(session, task, because="excluded", zh=zh, en=en)
        refresh(session, instance.id)


def exclusion(session: Session, task: Task, user: User) -> Exclusion | None:
    """Why somebody must keep away from a task, from rows that hold as of now."""
    if task.excludes is None:
        return None
    found = session.scalars(
        select(Exclusion)
        .where(Exclusion.task_id == task.id)
        .order_by(Exclusion.id)
        .execution_options(populate_existing=True)
    ).all()
    return permissions.exclusion(user, found)


def forbid(session: Session, task: Task, user: User, *, deputy_of: User | None = None) -> None:
    """Refuse a task to whoever must keep away from it – and to a deputy of theirs: exclusion wins over every grant."""
    if task.excludes is None:
        return
    refresh(session, task.instance_id)
    session.expire(task, ["exclusions"])
    for person, of in ((user, "self"), (deputy_of, "principal")):
        if person is not None and (found := exclusion(session, task, person)) is not None:
            zh, en = sentence(found, task.name, person, of=of)
            raise errors.Excluded(zh, en)


def forbid_assignee(session: Session, task: Task, assignee: User) -> None:
    """Refuse to put a task into the hands of somebody who must keep away from it."""
    if task.excludes is None:
        return
    refresh(session, task.instance_id)
    session.expire(task, ["exclusions"])
    if (found := exclusion(session, task, assignee)) is not None:
        raise errors.InvalidInput(*sentence(found, task.name, assignee, of="other"), code="excluded", field="assignee")


def sentence(found: Exclusion, name: str, user: User, *, of: str = "self") -> tuple[str, str]:
    """Say why in Chinese and English. ``of``: ``self`` | ``principal`` (told to their deputy) | ``other``."""
    who, who_en, have, are = {
        "self": ("您", "You", "have", "are"),
        "principal": (f"您所代理的{user.name}", f"{user.name}, for whom you stand in,", "has", "is"),
    }.get(of, (user.name, user.name, "has", "is"))
    step = found.because
    if found.kind == "acted":
        return (
            f"{who}已办理过本案的“{step}”，依规不得再办理“{name}”。",
            f"{who_en} {have} already acted in “{step}” and may therefore not do “{name}”.",
        )
    if found.kind == "holds":
        return (
            f"{who}正在办理“{step}”，依规不得同时办理“{name}”；放回前一步后方可。",
            f"{who_en} {have} “{step}” in hand and may therefore not do “{name}” unless it is put back.",
        )
    party, _, called = step.partition(":")
    zh, en = PARTIES.get(party, (party, party))
    if called:
        zh, en = f"{zh}（{called}）", f"{en} ({called})"
    return (
        f"{who}所在机构是本案的{zh}，依规须回避“{name}”。",
        f"{who_en} {are} with the {en} of this case and must keep away from “{name}”.",
    )


__all__ = ["exclusion", "forbid", "forbid_assignee", "refresh", "sentence", "withdraw"]

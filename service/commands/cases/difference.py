"""What a step changes in the rows of a case: those whose token is gone end, new waits get theirs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import Table, delete, insert, select, tuple_, update
from sqlalchemy.orm import Session

from service import engine
from service.engine import duties as declared
from service.models import (
    NO_DUE,
    Draft,
    Incident,
    Instance,
    Job,
    Model,
    PublishedMessage,
    Subscription,
    Task,
    TaskCandidate,
    User,
)

from . import causes, clocks, jobrows, jobs, search
from .knowledge import Known
from .offers import Directory, Offer

NOBODY = frozenset({"unknown_role", "unknown_party", "unknown_user", "no_candidate", "no_member"})
"""Causes which say that nobody may do an open task."""
JOB_FAILED = "job_failed"
STALLED = "stalled"


@dataclass(kw_only=True)
class Acted:
    """Who or what moves an instance, so that its row is closed as done and not as cancelled.

    ``dropped_job_id`` is a job that another replaces, ``offer_again`` the token of a task that is to be offered
    anew, and ``facts`` is what the history says of the act itself.
    """

    user: User | None = None
    task: Task | None = None
    values: Mapping[str, Any] | None = None
    job_id: int | None = None
    dropped_job_id: int | None = None
    subscription_id: int | None = None
    incident_id: int | None = None
    offer_again: int | None = None
    facts: list[engine.Happened] = field(default_factory=list)

    @property
    def user_id(self) -> int | None:
        return self.user.id if self.user else None


class _Offered(NamedTuple):
    """An open task, as far as its candidates follow it."""

    id: int
    assignee_id: int | None
    due_sort: datetime


class Difference:
    """What a step's waits change in the rows of an instance."""

    def __init__(
        self,
        session: Session,
        instance: Instance,
        acted: Acted,
        known: Sequence[Known],
        now: datetime,
        again: Collection[int],
    ) -> None:
        self.session, self.instance, self.acted, self.now = session, instance, acted, now
        self.known, self.again = known, again
        self.kept: dict[str, dict[int | None, Known]] = {}
        self.troubled = False
        self.opened: list[search.Found] = []

    def close(self, step: engine.Step) -> None:
        """End the rows whose token is gone."""
        waits = {wait.token: wait for wait in step.waits}
        over: dict[str, list[int]] = {"task": [], "job": [], "subscription": [], "incident": []}
        for row in self.known:
            if row.kind in over:
                if self._rests(row, waits.get(row.token) if row.token is not None else None, step):
                    self.kept.setdefault(row.kind, {})[row.token] = row
                else:
                    over[row.kind].append(row.id)
        self._close_tasks(over["task"])
        self._close_jobs(over["job"])
        if over["subscription"]:
            self.session.execute(
                delete(Subscription).where(Subscription.id.in_(over["subscription"])), execution_options=_BLIND
            )
        if over["incident"]:
            self.session.execute(
                update(Incident)
                .where(Incident.id.in_(over["incident"]))
                .values(resolved_at=self.now, resolved_by_id=self.acted.user_id),
                execution_options=_BLIND,
            )

    def _rests(self, row: Known, wait: engine.Wait | None, step: engine.Step) -> bool:
        """True where the row still says what the step says."""
        match row.kind:
            case "task":
                acted = self.acted.task
                return (
                    isinstance(wait, engine.UserWait)
                    and wait.element_id == row.a
                    and (acted is None or acted.id != row.id)
                )
            case "job":
                expected = engine.TimerWait if row.a == "timer" else engine.JobWait
                return (
                    isinstance(wait, expected)
                    and wait.element_id == row.b
                    and row.id not in (self.acted.job_id, self.acted.dropped_job_id)
                )
            case "subscription":
                return (
                    isinstance(wait, engine.MessageWait)
                    and (wait.message_name, wait.correlation_key) == (row.a, row.b)
                    and row.id != self.acted.subscription_id
                )
        return row.id != self.acted.incident_id and self._still_in_trouble(row, wait, step)

    def _still_in_trouble(self, row: Known, wait: engine.Wait | None, step: engine.Step) -> bool:
        if row.a in causes.FOUND:  # the self-check opens and closes these
            return not step.ended and (row.token is None or wait is not None)
        if row.a in NOBODY:
            return isinstance(wait, engine.UserWait) and row.token not in self.again
        if row.a == STALLED:
            return _stalled(step)
        if row.a == JOB_FAILED:
            return not step.ended and (row.token is None or isinstance(wait, engine.JobWait | engine.TimerWait))
        return isinstance(wait, engine.IncidentWait)

    def _close_tasks(self, gone: list[int]) -> None:
        acted = self.acted.task
        handed_in = [acted.id] if acted is not None else []
        if cancelled := [task_id for task_id in gone if task_id not in handed_in]:
            self.session.execute(
                update(Task)
                .where(Task.id.in_(cancelled))
                .values(status="cancelled", completed_at=self.now, version=Task.version + 1),
                execution_options=_BLIND,
            )
        if over := handed_in + cancelled:
            self.session.execute(delete(TaskCandidate).where(TaskCandidate.task_id.in_(over)), execution_options=_BLIND)
            if any(row.kind == "draft" and row.id in over for row in self.known):
                self.session.execute(delete(Draft).where(Draft.task_id.in_(over)), execution_options=_BLIND)

    def _close_jobs(self, gone: list[int]) -> None:
        done = self.acted.job_id
        if done is not None:
            self.session.execute(
                update(Job).where(Job.id == done).values(status="done", finished_at=self.now, lease_until=None),
                execution_options=_BLIND,
            )
        if cancelled := [job_id for job_id in gone if job_id != done]:
            self.session.execute(
                update(Job)
                .where(Job.id.in_(cancelled))
                .values(status="cancelled", finished_at=self.now, lease_until=None),
                execution_options=_BLIND,
            )

    def open(self, step: engine.Step, directory: Directory) -> list[engine.Happened]:
        """Write a row for every new wait and every message thrown; say which troubles were found on the way."""
        new = [wait for wait in step.waits if not self._has_row(wait)]
        offers = [(wait, directory.offer(wait)) for wait in new if isinstance(wait, engine.UserWait)]
        tasks = self._open_tasks(offers, step.run.bundle)
        again = [
            (wait, directory.offer(wait))
            for wait in step.waits
            if isinstance(wait, engine.UserWait) and wait.token in self.again and wait not in new
        ]
        tasks += self._offer_again(again)
        offers += again
        self._open_jobs([self._wound(wait, step.run.bundle) for wait in new], step.events)
        self._subscribe([wait for wait in new if isinstance(wait, engine.MessageWait)])
        troubles = [
            self._trouble(wait, offer.problem, task_id=task.id)
            for (wait, offer), task in zip(offers, tasks, strict=True)
            if offer.problem
        ]
        facts = [_fact_of(wait, offer.problem) for wait, offer in offers if offer.problem]
        troubles += [
            self._trouble(wait, (wait.code, wait.zh, wait.en)) for wait in new if isinstance(wait, engine.IncidentWait)
        ]
        if _stalled(step) and not any(row.a == STALLED for row in self._rows("incident")):
            troubles.append(self._trouble(None, _STALLED_BECAUSE))
        if troubles:
            self.session.execute(insert(table_of(Incident)), troubles)
        self.troubled = bool(troubles) or bool(self.kept.get("incident"))
        return facts

    def _rows(self, kind: str) -> Iterable[Known]:
        return self.kept.get(kind, {}).values()

    def _has_row(self, wait: engine.Wait) -> bool:
        match wait:
            case engine.UserWait():
                kind = "task"
            case engine.JobWait() | engine.TimerWait():
                kind = "job"
            case engine.MessageWait():
                kind = "subscription"
            case engine.IncidentWait():
                kind = "incident"
            case _:
                return True
        return wait.token in self.kept.get(kind, {})

    def _open_tasks(self, offers: Sequence[tuple[engine.UserWait, Offer]], bundle: engine.Bundle) -> list[_Offered]:
        if not offers:
            return []
        made = [{**self._task(wait, offer), "excludes": separated(bundle, wait)} for wait, offer in offers]
        ids = self.session.scalars(insert(table_of(Task)).returning(Task.id, sort_by_parameter_order=True), made)
        tasks = [_Offered(task_id, row["assignee_id"], row["due_sort"]) for task_id, row in zip(ids, made, strict=True)]
        self._add_candidates(tasks, [offer for _, offer in offers])
        self.opened += [
            search.Found(task.id, row["element_id"], row["process_id"], row["name"], None)
            for task, row in zip(tasks, made, strict=True)
        ]
        return tasks

    def _offer_again(self, offers: Sequence[tuple[engine.UserWait, Offer]]) -> list[_Offered]:
        """Replace the candidates of tasks that are open already."""
        if not offers:
            return []
        ids = {wait.token: self.kept["task"][wait.token].id for wait, _ in offers}
        found = {
            task.token: task
            for task in self.session.scalars(
                select(Task).where(Task.id.in_(ids.values())).execution_options(populate_existing=True)
            )
        }
        self.session.execute(
            delete(TaskCandidate).where(TaskCandidate.task_id.in_(ids.values())), execution_options=_BLIND
        )
        tasks = [found[wait.token] for wait, _ in offers]
        for task, (_, offer) in zip(tasks, offers, strict=True):
            task.organisation_id, task.role = _first_group(offer)
            if task.assignee_id is None and offer.assignee_id is not None:
                task.assignee_id, task.claimed_at = offer.assignee_id, self.now
        self.session.flush()
        offered = [_Offered(task.id, task.assignee_id, task.due_sort) for task in tasks]
        self._add_candidates(offered, [offer for _, offer in offers])
        return offered

    def _add_candidates(self, tasks: Sequence[_Offered], offers: Sequence[Offer]) -> None:
        candidates = [
            {
                "task_id": task.id,
                "organisation_id": organisation_id,
                "role": role,
                "user_id": user_id,
                "claimed": task.assignee_id is not None,
                "due_sort": task.due_sort,
            }
            for task, offer in zip(tasks, offers, strict=True)
            for organisation_id, role, user_id in offer.candidates
        ]
        if candidates:
            self.session.execute(insert(table_of(TaskCandidate)), candidates)

    def _task(self, wait: engine.UserWait, offer: Offer) -> dict[str, Any]:
        organisation_id, role = _first_group(offer)
        due = clocks.due(self.session, self.instance, wait, self.now)
        return {
            "authority_id": self.instance.authority_id,
            "instance_id": self.instance.id,
            "token": wait.token,
            "element_id": wait.element_id,
            "process_id": wait.process_id,
            "name": wait.element_name or wait.element_id,
            "documentation": wait.documentation,
            "form_id": wait.form_id,
            "properties": dict(wait.properties),
            "status": "open",
            "organisation_id": organisation_id,
            "role": role,
            "assignee_id": offer.assignee_id,
            "claimed_at": self.now if offer.assignee_id else None,
            "due_at": due,
            "due_sort": due or NO_DUE,
            "follow_up_at": wait.follow_up,
            "priority": wait.priority,
            "created_at": self.now,
            "version": 1,
        }

    def _wound(self, wait: engine.Wait, bundle: engine.Bundle) -> engine.Wait:
        """A timer as the clock of its step sets it; other waits as they are."""
        if not isinstance(wait, engine.TimerWait):
            return wait
        return replace(wait, due=clocks.rings(self.session, self.instance, wait, bundle, self.now))

    def _open_jobs(self, new: Iterable[engine.Wait], events: Iterable[engine.Happened]) -> None:
        made = [
            jobrows.for_wait(self.instance, wait, now=self.now)
            for wait in new
            if isinstance(wait, engine.JobWait | engine.TimerWait)
        ]
        made += [
            jobrows.for_message(self.instance, thrown, now=self.now) for thrown in events if thrown.kind == "message"
        ]
        if made:
            jobs.enqueue(self.session, made)

    def _subscribe(self, waits: Sequence[engine.MessageWait]) -> None:
        if not waits:
            return
        self.session.execute(
            insert(table_of(Subscription)),
            [
                {
                    "authority_id": self.instance.authority_id,
                    "instance_id": self.instance.id,
                    "token": wait.token,
                    "element_id": wait.element_id,
                    "process_id": wait.process_id,
                    "name": wait.message_name,
                    "key": wait.correlation_key,
                    "created_at": self.now,
                }
                for wait in waits
            ],
        )
        # Said before anybody listened: a job brings it, in a transaction of its own.
        said = self.session.scalars(
            select(PublishedMessage.id).where(
                PublishedMessage.authority_id == self.instance.authority_id,
                tuple_(PublishedMessage.name, PublishedMessage.key).in_(
                    {(wait.message_name, wait.correlation_key) for wait in waits}
                ),
                PublishedMessage.expires_at > self.now,
            )
        ).all()
        if said:
            jobs.enqueue(
                self.session, [jobrows.for_published(self.instance, message_id, self.now) for message_id in said]
            )

    def _trouble(
        self, wait: engine.Wait | None, problem: tuple[str, str, str], *, task_id: int | None = None
    ) -> dict[str, Any]:
        cause, zh, en = problem
        return {
            "authority_id": self.instance.authority_id,
            "instance_id": self.instance.id,
            "token": wait.token if wait else None,
            "task_id": task_id,
            "element_id": wait.element_id if wait else None,
            "element_name": wait.element_name if wait else "",
            "process_id": wait.process_id if wait else self.instance.process_id,
            "cause": cause,
            "message_zh": zh,
            "message_en": en,
            "created_at": self.now,
        }


def table_of(model: type[Model]) -> Table:
    """The table itself: the ORM would send rows with and without an empty column in two statements."""
    return cast(Table, model.__table__)


_BLIND = {"synchronize_session": False}
_STALLED_BECAUSE = (
    STALLED,
    "没有人、定时器、消息或作业能使此案卷继续。",
    "No person, timer, message or job can move this case on.",
)


def separated(bundle: engine.Bundle, wait: engine.UserWait) -> list[str] | None:
    """The steps whose doers may not do a task; None where nobody is kept away from it."""
    steps = bundle.separations.get(declared.step(wait.process_id, wait.element_id))
    if steps is None and declared.PARTIES not in wait.properties:
        return None
    return list(steps or ())


def _first_group(offer: Offer) -> tuple[int | None, str | None]:
    return next(((organisation, role) for organisation, role, _ in offer.candidates if role), (None, None))


def _stalled(step: engine.Step) -> bool:
    """True where an instance lives and nothing that anybody could do would move it."""
    return not step.ended and all(isinstance(wait, engine.JoinWait) for wait in step.waits)


def _fact_of(wait: engine.Wait, problem: tuple[str, str, str]) -> engine.Happened:
    cause, zh, en = problem
    return engine.Happened(
        kind="incident",
        element_id=wait.element_id,
        process_id=wait.process_id,
        token=wait.token,
        path=wait.path,
        element_name=wait.element_name,
        data={"code": cause, "zh": zh, "en": en},
    )

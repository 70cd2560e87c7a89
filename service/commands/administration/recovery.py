"""A state that cannot be read is made again: from the newest copy that can be, by the steps the history tells since.

Every repair keeps the state it found; the start of the case is the oldest copy of all. Each later step is done once
more and counts only if it comes to the very events the history tells (``engine.do_again``). Where a step does not,
the state is that of the last one that did, and what came after is named as missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, engine, errors
from service.commands.cases import projection
from service.commands.procedures import deployments
from service.models import Event, Instance, Job, Repair

from . import repairkinds

TOLD = frozenset(
    {"entered", "left", "cancelled", "flow", "variables", "message", "escalated", "error", "decision", "incident"}
    | {"ended"}
)
"""What the engine tells; of the rest, ``MOVING`` begins a step and everything else moves nothing."""
MOVING = frozenset(
    {"started", "completed", "worked", "fired", "received", "retried", "terminated", "repair_undone", "taken_back"}
)
_REPAIRED = frozenset(f"repair_{kind}" for kind in repairkinds.KINDS)
_UNREADABLE = "案件的状态与历史都不足以恢复：只能终止，或从备份恢复。"


@dataclass(slots=True)
class Act:
    """One step as the history tells it: what set it off, and what it came to."""

    event: Event
    record: list[engine.Happened] = field(default_factory=list)


@dataclass(slots=True)
class Recovered:
    """A state made again, and what is ``missing`` in it; ``since`` is of when the copy was (None: the start)."""

    run: engine.Run
    since: datetime | None
    done: int
    missing: list[Act]

    @property
    def notes(self) -> list[dict[str, str]]:
        """How it was made, and what is not in it."""
        begun = ("案件开始", "the start of the case")
        if self.since is not None:
            at = self.since.astimezone(clock.CHINA).strftime("%Y-%m-%d %H:%M")
            begun = (f"{at} 的快照", f"the copy of {at}")
        found = [
            {
                "zh": f"从{begun[0]}起，按历史重做 {self.done} 步，逐步与历史相符。",
                "en": f"From {begun[1]}, {self.done} steps were done again; each comes to what the history tells.",
            }
        ]
        if not self.missing:
            everything = "令牌、变量和多实例进度全部恢复；任务的领取、草稿和期限不变。"
            found.append({"zh": everything, "en": "Tokens, variables and rounds are all back; claims, drafts stay."})
            return found
        first = self.missing[0].event
        name, at = first.element_name or first.element_id, first.at.astimezone(clock.CHINA).strftime("%Y-%m-%d %H:%M")
        found.append(
            {
                "zh": f"不能恢复：自 {at}“{name}”起的 {len(self.missing)} 步。案件回到该步之前，之后的办理须重做；"
                "当时提交的内容仍在办理历史中。",
                "en": f"Not restored: {len(self.missing)} steps since {at} (“{name}”). The case goes back to before "
                "them; what was handed in then stays in its history.",
            }
        )
        return found


def recover(session: Session, instance: Instance) -> Recovered:
    """Make the state of a case again. Raises Unreadable where not even its first step can be done."""
    acts = _acts(session, instance)
    repairs = {
        one.id: one
        for one in session.scalars(select(Repair).where(Repair.instance_id == instance.id).order_by(Repair.id))
    }
    best: Recovered | None = None
    for begin in [*_copies(acts, repairs), 0]:
        copy = repairs[acts[begin].event.data["repair"]] if begin else None
        found = _replayed(session, instance, acts, repairs, begin, copy)
        if found is not None and (best is None or len(found.missing) < len(best.missing)):
            best = found
        if best is not None and not best.missing:
            break
    if best is None:
        raise repairkinds.Unreadable(
            _UNREADABLE, "Neither state nor history are enough to restore it; end it, or use a backup."
        )
    _follow_timers(session, instance, best.run)
    return best


def _acts(session: Session, instance: Instance) -> list[Act]:
    acts: list[Act] = []
    for event in session.scalars(select(Event).where(Event.instance_id == instance.id).order_by(Event.id)):
        if event.kind in MOVING or event.kind in _REPAIRED:
            acts.append(Act(event))
        elif event.kind in TOLD and acts and not _said_by_others(event):
            acts[-1].record.append(_happened(event))
    return acts


def _said_by_others(event: Event) -> bool:
    """Incidents that the rows or the self-check tell of are none of the engine's."""
    data = event.data
    return event.kind == "incident" and (data.get("code") in projection.NOBODY or "job" in data or "found" in data)


def _happened(event: Event) -> engine.Happened:
    return engine.Happened(
        kind=event.kind,
        element_id=event.element_id or "",
        process_id=event.process_id or "",
        element_name=event.element_name,
        token=event.token,
        data=event.data,
    )


def _copies(acts: Sequence[Act], repairs: dict[int, Repair]) -> Iterator[int]:
    """The acts before which a repair has kept a state, the newest first."""
    for at in range(len(acts) - 1, 0, -1):
        event = acts[at].event
        kept = repairs.get(event.data.get("repair", 0))
        if kept is not None and kept.former is not None and event.kind != "repair_undone":
            yield at


def _replayed(
    session: Session,
    instance: Instance,
    acts: list[Act],
    repairs: dict[int, Repair],
    begin: int,
    copy: Repair | None,
) -> Recovered | None:
    until = len(acts)
    while until > begin or (copy is not None and until >= begin):
        play = _Play(session, instance, repairs)
        try:
            if copy is not None and copy.former is not None:
                play.take(copy.former, copy.rows["instance"]["deployment_id"])
            failed = play.through(acts, begin, until)
        except engine.EngineError:
            return None
        if failed is None:
            assert play.run is not None
            return Recovered(play.run, copy.asked_at if copy else None, until - begin, acts[until:])
        until = failed  # a step that went wrong has spoilt the state: do those before it once more
    return None


class _Play:
    """Goes through acts, with the state as it comes to be."""

    def __init__(self, session: Session, instance: Instance, repairs: dict[int, Repair]) -> None:
        self.session, self.instance, self.repairs = session, instance, repairs
        self.run: engine.Run | None = None
        self._before: dict[int | None, bytes] = {}
        moves = [one for one in repairs.values() if one.kind == "migrate" and one.rows]
        self._deployment: int = moves[0].rows["instance"]["deployment_id"] if moves else instance.deployment_id

    def take(self, state: bytes, deployment_id: int) -> None:
        """Go on from a copy."""
        self._deployment = deployment_id
        self.run = engine.load(deployments.bundle(self.session, deployment_id), state)

    def through(self, acts: list[Act], begin: int, until: int) -> int | None:
        """Do acts again; the number of the one that does not come to what is told, or None."""
        back = {act.event.token for act in acts[begin:until] if act.event.kind == "taken_back"}
        for at in range(begin, until):
            event = acts[at].event
            try:
                if self.run is not None and event.kind == "completed" and event.token in back:
                    self._before[event.token] = engine.dump(self.run)
                self._do(event, acts[at].record)
            except (engine.EngineError, errors.ServiceError, KeyError, TypeError, ValueError):
                return at
        return None

    def _do(self, event: Event, record: list[engine.Happened]) -> None:
        at = event.at
        if event.kind == "started":
            bundle = deployments.bundle(self.session, self._deployment)
            process_id = self.instance.process_id
            self.run = engine.start_again(bundle, process_id, record, now=at, start_event=event.element_id).run
            return
        if self.run is None:
            raise engine.WrongToken(event.token or 0, event.kind)
        if event.kind == "repair_undone":
            undone = self.repairs[event.data["repair"]]
            self.take(undone.former or b"", undone.rows["instance"]["deployment_id"])
        elif event.kind == "taken_back":
            self.take(self._before[event.token], self._deployment)
        else:
            verb = self._verb(event, record)
            if verb is not None:
                self.run = engine.do_again(self.run, verb, record).run

    def _verb(self, event: Event, record: list[engine.Happened]) -> repairkinds.Verb | None:
        repair = self.repairs.get(event.data.get("repair", 0))
        if repair is not None:
            return self._of_repair(repair, event.at)
        token, at = event.token or 0, event.at
        first = record[0] if record else None
        match event.kind:
            case "worked" if first is not None and first.kind == "error" and first.token == token:
                code, said = str(first.data.get("code") or ""), str(first.data.get("message") or "")
                return lambda run: engine.throw_error(run, token, code, said, now=at)
            case "completed" | "worked":
                return lambda run: engine.complete(run, token, {}, now=at)
            case "fired":
                due = datetime.fromisoformat(event.data["due"])
                return lambda run: engine.fire(run, token, now=max(at, due))
            case "received":
                written = next((one.data for one in record if one.kind == "variables"), {})
                return lambda run: engine.catch(run, token, written, now=at)
            case "terminated":
                return lambda run: engine.cancel(run, now=at)
            case "retried" if record:
                return self._retried(token, event.data.get("variables") or {}, record, at)
        return None

    def _of_repair(self, repair: Repair, at: datetime) -> repairkinds.Verb | None:
        parameters = repair.parameters
        if repair.kind == "migrate":
            self._deployment = int(parameters["deployment"])
            goal = deployments.bundle(self.session, self._deployment)
            return lambda run: engine.migrate(run, goal, parameters.get("names") or {}, now=at)
        if repair.kind == "restore" or not repairkinds.KINDS[repair.kind].steps:
            return None
        return lambda run: repairkinds.verb(repair.kind, parameters, now=at, run=run)

    @staticmethod
    def _retried(token: int, variables: Any, record: list[engine.Happened], at: datetime) -> repairkinds.Verb:
        def again(run: engine.Run) -> engine.Step:
            first = record[0]
            if first.kind == "incident":  # a job that was given up, with other variables
                said = first.data
                engine.park(run, token, said["code"], said["zh"], said["en"], now=at)
            return engine.retry(run, token, now=at, variables=variables or None)

        return again


def _follow_timers(session: Session, instance: Instance, run: engine.Run) -> None:
    """A timer runs to the very moment its row names: the history is a blink later than the step."""
    rows = session.execute(
        select(Job.token, Job.due_at).where(
            Job.instance_id == instance.id, Job.kind == "timer", Job.status == "queued", Job.token.is_not(None)
        )
    )
    due = {row.token: row.due_at for row in rows}
    for wait in run.waits():
        if isinstance(wait, engine.TimerWait) and wait.token in due:
            engine.reschedule(run, wait.token, due[wait.token], now=clock.now())

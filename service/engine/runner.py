"""The verbs: start an instance, do something to one of its tokens, and run until every branch waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from SpiffWorkflow.util.task import TaskState

from .activities import none_start
from .bundle import Bundle
from .events import throw_error, unhandled
from .problems import Problem, UnknownProcess, WrongToken
from .steps import Happened, IncidentWait, JobWait, MessageWait, Step, TimerWait, UserWait, Wait
from .variables import Visible, assign
from .workflow import Instance, Token

if TYPE_CHECKING:
    from .again import Told


@dataclass(slots=True)
class Run:
    """A decoded instance. Good for one step: what failed half-way is thrown away, never stored."""

    instance: Instance

    @property
    def bundle(self) -> Bundle:
        return self.instance.bundle

    @property
    def ended(self) -> bool:
        return bool(self.instance.completed)

    def waits(self) -> list[Wait]:
        """Why each token rests, in the order in which the tokens came about."""
        found = []
        for scope in self.instance.all_scopes():
            for token in scope.tokens():
                wait = token.task_spec.wait(token)
                if wait is not None:
                    found.append(wait)
        return sorted(found, key=lambda w: w.token)


def start(
    bundle: Bundle, process_id: str, variables: Mapping[str, Any], *, now: datetime, start_event: str | None = None
) -> Step:
    """Start ``process_id`` and run to the first wait states. Raises UnknownProcess."""
    return begin(bundle, process_id, variables, now=now, start_event=start_event)


def begin(
    bundle: Bundle,
    process_id: str,
    variables: Mapping[str, Any],
    *,
    now: datetime,
    start_event: str | None,
    told: Told | None = None,
) -> Step:
    """``start``, for the first time or, with what is ``told`` of it, once more."""
    if process_id not in bundle.models:
        raise UnknownProcess(process_id)
    scope = bundle.models[process_id]
    at = start_event or none_start(scope)
    node = scope.nodes.get(at or "")
    if at is None or node is None or node.kind != "startEvent":
        raise UnknownProcess(process_id, start_event or "")
    instance = Instance(bundle, process_id, now=now)
    instance.told = told
    if node.outputs and node.event is not None and node.event.kind != "none":
        instance.begin(at, result=dict(variables))  # what a message brings is mapped, and kept only so
    else:
        instance.data.update(variables)
        instance.begin(at, **({"result": {}} if node.outputs else {}))
        if variables:
            instance.events.append(
                Happened(kind="variables", element_id=at, process_id=process_id, data=dict(variables))
            )
    step = _run(Run(instance))
    instance.told = None
    return step


def complete(run: Run, token: int, variables: Mapping[str, Any], *, now: datetime) -> Step:
    """A user task or job is done. Raises WrongToken when the token is not at one."""
    at = _waiting(run, token, "complete", UserWait, JobWait)
    return _step(run, now, lambda: at.task_spec.conclude(at, variables))


def fire(run: Run, token: int, *, now: datetime) -> Step:
    """A timer is due."""
    at = _waiting(run, token, "fire", TimerWait)
    return _step(run, now, lambda: at.task_spec.trigger(at, {}))


def catch(run: Run, token: int, variables: Mapping[str, Any], *, now: datetime) -> Step:
    """A message has arrived for the token that waits for it."""
    at = _waiting(run, token, "catch", MessageWait)
    return _step(run, now, lambda: at.task_spec.trigger(at, variables))


def throw_bpmn_error(
    run: Run, token: int, code: str, message: str, *, now: datetime, variables: Mapping[str, Any] | None = None
) -> Step:
    """A job or person reports a business error. Without a handler the token is parked with an incident."""
    at = _waiting(run, token, "throw_error", UserWait, JobWait)

    def throw() -> None:
        if not throw_error(at, code, message, variables or {}):
            at.task_spec.park(at, unhandled(at.task_spec.node, code))

    return _step(run, now, throw)


def park(run: Run, token: int, code: str, zh: str, en: str, *, now: datetime) -> Step:
    """Give up on a token for now: it becomes an incident, to be retried by a person."""
    at = _waiting(run, token, "park", UserWait, JobWait, TimerWait, MessageWait)
    return _step(run, now, lambda: at.task_spec.park(at, Problem(code, zh, en)))


def retry(run: Run, token: int, *, now: datetime, variables: Mapping[str, Any] | None = None) -> Step:
    """Let a parked token try again, with corrected variables if given."""
    at = _waiting(run, token, "retry", IncidentWait)

    def again() -> None:
        for name, value in (variables or {}).items():
            assign(at, name, value)
        if variables:
            run.instance.record("variables", at, data=dict(variables))
        del at.internal_data["incident"]
        at._set_state(TaskState.READY)
        run.instance.ready.append(at)

    return _step(run, now, again)


def cancel(run: Run, *, now: datetime) -> Step:
    """Terminate the instance: every token is cancelled."""

    def end() -> None:
        run.instance.cancel_tokens()
        run.instance.completed = True

    return _step(run, now, end, cancelled=True)


def visible(run: Run, token: int | None = None) -> dict[str, Any]:
    """The variables a token sees, or those of the process itself."""
    if token is None:
        return dict(run.instance.data)
    at = run.instance.find(token)
    if at is None:
        raise WrongToken(token, "visible")
    return dict(Visible(at))


def _waiting(run: Run, token: int, verb: str, *kinds: type[Wait]) -> Token:
    at = run.instance.find(token)
    if at is None or not isinstance(at.task_spec.wait(at), kinds):
        raise WrongToken(token, verb)
    return at


def _step(run: Run, now: datetime, act: Callable[[], None], *, cancelled: bool = False) -> Step:
    run.instance.now = now
    act()
    return _run(run, cancelled=cancelled)


def _run(run: Run, *, cancelled: bool = False) -> Step:
    instance = run.instance
    if not instance.completed:
        instance.do_engine_steps()
    if instance.completed:
        end = None if cancelled else instance.end_event
        node = instance.bundle.node(instance.process_id, end or "")
        instance.events.append(
            Happened(
                kind="ended",
                element_id=end or instance.process_id,
                process_id=instance.process_id,
                element_name=node.name if node else "",
                data={"end_event": end, "cancelled": cancelled},
            )
        )
    events, instance.events = instance.events, []
    return Step(run, [] if instance.completed else run.waits(), events)

"""Steps done once more from what the history says of them, to come to a state that is lost.

What a person, a worker or a message brought is not kept beside the history; but the history says what each token
wrote. So the verb runs as it ran then, and wherever a token takes a result, it takes what is told of it. A step
counts only if it came to the very same events in the very same order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .activities import none_start
from .bundle import Bundle
from .problems import EngineError
from .runner import Run, begin
from .steps import Happened, Step

if TYPE_CHECKING:
    from .workflow import Token


class OtherStep(EngineError):
    """Done again, the step comes to something else than the history tells."""

    def __init__(self, happened: Happened | None, told: Happened | None) -> None:
        one = told or happened
        where = (one.element_name or one.element_id) if one is not None else ""
        super().__init__(f"重做到“{where}”时与历史不符。", f"Done again, it differs from the history at “{where}”.")


class Told:
    """What the tokens of one step wrote, in order."""

    def __init__(self, record: Sequence[Happened]) -> None:
        self._left: dict[int | None, list[Mapping[str, Any]]] = {}
        for one in record:
            if one.kind == "variables":
                self._left.setdefault(one.token, []).append(one.data)

    def of(self, token: Token | None) -> Mapping[str, Any]:
        """What the token writes next, or the start itself; nothing where nothing is told."""
        told = next(iter(self._left.get(token and token.id, ())), {})
        # In a sub-process, a line of the history names the activities around it among its data.
        return {name: value for name, value in told.items() if name != "path"} if token and token.path else told

    def written(self, token: int | None) -> None:
        """The token has written."""
        if left := self._left.get(token):
            left.pop(0)


def start_again(
    bundle: Bundle, process_id: str, record: Sequence[Happened], *, now: datetime, start_event: str | None
) -> Step:
    """Start an instance as it was started. Raises OtherStep, and what ``start`` raises."""
    told = Told(record)
    at = start_event or none_start(bundle.models[process_id]) if process_id in bundle.models else None
    step = begin(bundle, process_id, told.of(None), now=now, start_event=at, told=told)
    return _same(step, record)


def do_again(run: Run, verb: Callable[[Run], Step], record: Sequence[Happened]) -> Step:
    """Let a verb run on the instance as it ran then. Raises OtherStep; the instance is then good for nothing."""
    run.instance.told = Told(record)
    step = verb(run)
    step.run.instance.told = None
    return _same(step, record)


def _same(step: Step, record: Sequence[Happened]) -> Step:
    done = [_name(one) for one in step.events]
    told = [_name(one) for one in record]
    if done != told:
        at = next((i for i, (one, other) in enumerate(zip(done, told, strict=False)) if one != other), None)
        at = min(len(done), len(told)) if at is None else at
        raise OtherStep(step.events[at] if at < len(step.events) else None, record[at] if at < len(record) else None)
    return step


def _name(one: Happened) -> tuple[str, str, str, int | None]:
    return one.kind, one.process_id, one.element_id, one.token

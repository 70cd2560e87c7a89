"""A rehearsal: a play that somebody acts in step by step, looks at in between, and can take back step by step.

What it is made of is its steps, as JSON; the database it plays in can be thrown away and played up again at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from service import clock, engine, errors

from .examples import example
from .outcomes import Failed
from .playing import Play
from .reading import File, WrongScenario, read, step_of, understand
from .stages import Stage
from .views import describe, form_of, look

FILE = "!file"


class Rehearsal:
    """A scenario's head and the steps played so far, on a stage of its own.

    ``stopped`` says which step could not be played again, and why: the diagram has changed since.
    """

    def __init__(self, stage: Stage, head: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> None:
        self.stage = stage
        self.head = dict(head)
        self.steps: list[dict[str, Any]] = []
        self.log: list[dict[str, Any]] = []
        self.stopped: dict[str, Any] | None = None
        self._open = ExitStack()
        self._play: Play | None = None
        self._replay([dict(step) for step in steps])

    @property
    def play(self) -> Play:
        """The play as it stands."""
        assert self._play is not None
        return self._play

    def close(self) -> None:
        """Throw its database away."""
        self._open.close()
        self._play = None

    def step(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Play one more step. What refuses it is said, with the fields where it is a form; then nothing has changed."""
        refusal = self._try(raw)
        return {"refused": refusal} if refusal else {}

    def back(self, count: int) -> None:
        """Take back all steps after the first ``count``."""
        self._replay(self.steps[:count])

    def look(self) -> dict[str, Any]:
        """What there is to see and to do now."""
        return {**look(self.play, self.log), "steps": len(self.steps), "stopped": self.stopped}

    def form(self, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
        """The form of a task, of a start or of a message, for the person who would fill it."""
        return form_of(self.play, wanted)

    def example(self, keys: Sequence[str], like: Mapping[str, Any]) -> dict[str, Any]:
        """What happened, in the words of an expectation: these keys of it, with as much detail as ``like`` has."""
        return flatten(example(self.play, keys, revive(like)))

    def _replay(self, steps: list[dict[str, Any]]) -> None:
        self.close()
        self.steps, self.log, self.stopped = [], [], None
        scenario = understand(revive({**self.head, "steps": []}), Path("rehearsal.yaml"))
        self._play = self._open.enter_context(self.stage.opened(scenario))
        try:
            self._play.begin()
        except Failed as failure:
            self.stopped = {"step": 0, "zh": failure.zh, "en": failure.en}
            return
        for number, raw in enumerate(steps):
            refusal = self._try(raw)
            if refusal:
                self.stopped = {"step": number + 1, "text": describe(self.play, raw), **refusal}
                return

    def _try(self, raw: Mapping[str, Any]) -> dict[str, Any] | None:
        text, at = describe(self.play, raw), clock.now()
        try:
            self.play.step(step_of(revive(raw), "rehearsal"))
        except errors.ServiceError as error:
            return _refusal(error.zh, error.en, error.code, getattr(error, "fields", None))
        except engine.EngineError as error:
            return _refusal(error.zh, error.en, "engine")
        except (Failed, WrongScenario) as failure:
            # It may have come half-way, so it is played up again.
            self._replay(self.steps)
            zh, en = (failure.zh, failure.en) if isinstance(failure, Failed) else (str(failure), str(failure))
            return _refusal(zh, en, "failed")
        self.steps.append(dict(raw))
        self.log.append({"text": text, "at": at.isoformat(), "until": clock.now().isoformat()})
        return None


def as_rehearsal(file: Path, *, within: Path | None = None) -> dict[str, Any]:
    """A scenario file, with its parts, as the head and the steps of a rehearsal. Raises WrongScenario."""
    scenario = read(file, within=within)
    head = {
        "name": scenario.name,
        "process": scenario.process,
        "profile": scenario.profile,
        "now": scenario.now.isoformat(),
        "organisations": scenario.organisations,
        "people": scenario.people,
        "experts": scenario.experts,
        "given": scenario.given,
        "start": scenario.start,
    }
    steps = [{step.verb: step.written, **step.options} for step in scenario.steps]
    lines = [step.line for step in scenario.steps]
    return {"head": flatten(head), "steps": flatten(steps), "lines": lines, "expect": flatten(scenario.expect)}


def _refusal(zh: str, en: str, code: str, fields: Any = None) -> dict[str, Any]:
    return {"zh": zh, "en": en, "code": code, "fields": {name: list(said) for name, said in (fields or {}).items()}}


def revive(value: Any) -> Any:
    """Make of JSON what a scenario's YAML makes: ``{"!file": name}`` is a file."""
    if isinstance(value, Mapping):
        if set(value) == {FILE}:
            return File(str(value[FILE]))
        return {name: revive(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [revive(inner) for inner in value]
    return value


def flatten(value: Any) -> Any:
    """Make JSON of what a scenario's YAML makes."""
    if isinstance(value, File):
        return {FILE: value.name}
    if isinstance(value, Mapping):
        return {str(name): flatten(inner) for name, inner in value.items() if name != "__line__"}
    if isinstance(value, list | tuple):
        return [flatten(inner) for inner in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value


__all__ = ["Rehearsal", "flatten", "revive"]

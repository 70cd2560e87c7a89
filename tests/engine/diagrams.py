"""Small diagrams for tests: the elements as XML, the sequence flows as arrows."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from service import engine
from service.engine.steps import Step, UserWait, Wait

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # a Monday, nine in the morning in Beijing

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="t" id="defs">'
)


def flows(arrows: str, prefix: str = "f") -> str:
    """``a -> b -> c; b -[=x > 1]-> d`` as sequence flows named ``a_b``, ``b_c``, ``b_d``."""
    made = []
    for chain in filter(None, (c.strip() for c in re.split(r";|\n", arrows))):
        nodes = re.split(r"\s*-(?:\[(.*?)\]-)?>\s*", chain)
        for source, condition, target in zip(nodes[::2], nodes[1::2], nodes[2::2], strict=False):
            inner = (
                f'<conditionExpression xsi:type="tFormalExpression">{escape(condition)}</conditionExpression>'
                if condition
                else ""
            )
            made.append(
                f'<sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'
            )
    del prefix
    return "".join(made)


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def process(elements: str, arrows: str, *, pid: str = "p", globals: str = "") -> bytes:
    """One executable process as a ``.bpmn`` file."""
    body = f'{HEAD}{globals}<process id="{pid}" name="{pid}" isExecutable="true">{elements}{flows(arrows)}</process></definitions>'
    return body.encode()


def ext(inner: str) -> str:
    return f"<extensionElements>{inner}</extensionElements>"


def user(node_id: str, inner: str = "", more: str = "") -> str:
    return f'<userTask id="{node_id}" name="{node_id}">{ext("<zeebe:userTask/>" + inner)}{more}</userTask>'


def script(node_id: str, expression: str, variable: str) -> str:
    expression = escape(expression)
    return f'<scriptTask id="{node_id}">{ext(f"""<zeebe:script expression="{expression}" resultVariable="{variable}"/>""")}</scriptTask>'


def bundle(*diagrams: bytes, **files: bytes) -> engine.Bundle:
    named = {f"d{i}.bpmn": d for i, d in enumerate(diagrams)}
    return engine.load_bundle(named | {k.replace("__", "."): v for k, v in files.items()})


class Case:
    """An instance under test; every verb goes through the codec, as in real life."""

    def __init__(
        self, made: engine.Bundle, pid: str = "p", variables: dict[str, Any] | None = None, **options: Any
    ) -> None:
        self.bundle, self.now, self.happened = made, NOW, []
        self.take(engine.start(made, pid, variables or {}, now=NOW, **options))

    def take(self, step: Step) -> Step:
        self.step = step
        self.happened += step.events
        self.state = engine.dump(step.run)
        return step

    def run(self) -> engine.Run:
        return engine.load(self.bundle, self.state)

    @property
    def waits(self) -> list[Wait]:
        return self.step.waits

    @property
    def ended(self) -> bool:
        return self.step.ended

    @property
    def at(self) -> list[str]:
        """Where the tokens rest."""
        return sorted(w.element_id for w in self.waits)

    @property
    def tasks(self) -> list[str]:
        return sorted(w.element_id for w in self.waits if isinstance(w, UserWait))

    def wait(self, element_id: str, nth: int = 0) -> Any:
        return [w for w in self.waits if w.element_id == element_id][nth]

    def do(self, element_id: str, nth: int = 0, **variables: Any) -> Step:
        return self.take(engine.complete(self.run(), self.wait(element_id, nth).token, variables, now=self.now))

    def fire(self, element_id: str, nth: int = 0) -> Step:
        wait = self.wait(element_id, nth)
        self.now = wait.due
        return self.take(engine.fire(self.run(), wait.token, now=wait.due))

    def catch(self, element_id: str, nth: int = 0, **variables: Any) -> Step:
        return self.take(engine.catch(self.run(), self.wait(element_id, nth).token, variables, now=self.now))

    def fail(self, element_id: str, code: str, nth: int = 0) -> Step:
        return self.take(engine.throw_error(self.run(), self.wait(element_id, nth).token, code, "", now=self.now))

    def retry(self, element_id: str, **variables: Any) -> Step:
        return self.take(engine.retry(self.run(), self.wait(element_id).token, now=self.now, variables=variables))

    @property
    def variables(self) -> dict[str, Any]:
        return engine.visible(self.run())

    def kinds(self, kind: str) -> list[str]:
        return [e.element_id for e in self.happened if e.kind == kind]

    @property
    def end(self) -> str | None:
        return next((e.data["end_event"] for e in self.happened if e.kind == "ended"), None)

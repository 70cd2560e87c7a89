"""Decisions that were made, made again on other tables and gateways: what would have come out?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from . import decisions, feel
from .bundle import Bundle
from .decisions import DecisionError
from .model import Flow, Node, Scope, is_expression
from .reads import decision_reads
from .texts import Read, parse

SHOWN = 160


@dataclass(frozen=True, slots=True)
class Past:
    """A decision of the past. ``outcome`` is the result of a table, or the id of the flow that was taken.

    ``known`` are the variables of the case at that moment; ``read`` those that were recorded with the decision, which
    are exact even where a step had values of its own.
    """

    kind: Literal["table", "gateway"]
    process_id: str
    element_id: str
    outcome: Any
    at: datetime
    known: Mapping[str, Any]
    read: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Again:
    """What comes out now. ``differs`` is None where it cannot be said: the step is gone, or an input is not known."""

    differs: bool | None
    old_zh: str
    old_en: str
    new_zh: str
    new_en: str


class Replay:
    """Makes decisions of one bundle again on another."""

    def __init__(self, old: Bundle, new: Bundle) -> None:
        self.old, self.new = old, new
        self._touched: dict[tuple[str, str, str], bool] = {}

    def touches(self, kind: str, process_id: str, element_id: str) -> bool:
        """Whether the decision at an element can come out differently at all; for gateways, of the flow's source."""
        key = (kind, process_id, element_id)
        if key not in self._touched:
            self._touched[key] = self._table_differs(*key[1:]) if kind == "table" else self._flow_differs(*key[1:])
        return self._touched[key]

    def again(self, past: Past) -> Again:
        """The decision made again, at the moment and with the values of then."""
        return self._table(past) if past.kind == "table" else self._gateway(past)

    # -- tables --------------------------------------------------------------------------------

    def _decision_id(self, bundle: Bundle, process_id: str, element_id: str) -> str | None:
        node = bundle.node(process_id, element_id)
        if node is None or not node.decision_id or is_expression(node.decision_id):
            return None
        return node.decision_id if node.decision_id in bundle.decisions else None

    def _table_differs(self, process_id: str, element_id: str) -> bool:
        before = self._decision_id(self.old, process_id, element_id)
        after = self._decision_id(self.new, process_id, element_id)
        if before is None or after is None:
            return before != after
        return _logic(self.old, before) != _logic(self.new, after)

    def _table(self, past: Past) -> Again:
        old = _text(past.outcome)
        decision_id = self._decision_id(self.new, past.process_id, past.element_id)
        if decision_id is None:
            return Again(None, old, old, "新版本没有这一步", "the new version has no such step")
        before = self._decision_id(self.old, past.process_id, past.element_id)
        missing = self._missing(_reads(self.new, decision_id), _reads(self.old, before), past)
        if missing:
            return Again(None, old, old, f"当时没有“{missing}”", f"“{missing}” was not known then")
        try:
            variables = {**past.known, **past.read}
            made = decisions.evaluate(self.new.decisions, decision_id, variables, now=past.at)
        except DecisionError as error:
            return Again(True, old, old, f"异常：{error.zh}", f"an incident: {error.en}")
        new = _text(made)
        return Again(not _same(past.outcome, made), old, old, new, new)

    # -- gateways ------------------------------------------------------------------------------

    def _flow_differs(self, process_id: str, flow_id: str) -> bool:
        before, after = _source(self.old, process_id, flow_id), None
        if before is None:
            return False
        scope, gateway = before
        if not any(scope.flows[each].condition for each in gateway.outgoing):
            return False
        after = _place(self.new, process_id, gateway.id)
        return after is None or _choice(*after) != _choice(scope, gateway)

    def _gateway(self, past: Past) -> Again:
        before = _source(self.old, past.process_id, past.outcome)
        if before is None:
            return Again(None, str(past.outcome), str(past.outcome), "", "")
        scope, gateway = before
        taken = scope.flows[past.outcome]
        old = _way(scope, taken)
        after = _place(self.new, past.process_id, gateway.id)
        if after is None:
            return Again(None, old, old, "新版本没有这个网关", "the new version has no such gateway")
        variables = {**past.known, **past.read}
        missing = self._missing(_conditions(*after), _conditions(scope, gateway), past)
        if missing:
            return Again(None, old, old, f"当时没有“{missing}”", f"“{missing}” was not known then")
        flows, failed = _chosen(*after, variables, past.at)
        if failed is not None:
            return Again(True, old, old, f"异常：{failed.zh}", f"an incident: {failed.en}")
        if not flows:
            return Again(True, old, old, "异常：没有一个条件成立", "an incident: no condition holds")
        same = any(flow.id == taken.id or flow.target == taken.target for flow in flows)
        new = "、".join(_way(after[0], flow) for flow in flows)
        return Again(not same, old, old, new, new)

    def _missing(self, new: Iterable[Read], old: Iterable[Read], past: Past) -> str | None:
        """A variable that only the new version reads and that nothing is known of."""
        before = {read.name for read in old}
        for read in new:
            known = read.name in past.known or read.name in past.read or read.name in before
            if read.sure and not read.tested and not known:
                return read.name
        return None


def _conditions(scope: Scope, gateway: Node) -> list[Read]:
    return [read for f in gateway.outgoing for read in parse(scope.flows[f].condition or "null").reads]


def _reads(bundle: Bundle, decision_id: str | None) -> list[Read]:
    return [] if decision_id is None else decision_reads(bundle.decisions[decision_id].model.nodes, decision_id)


def _logic(bundle: Bundle, decision_id: str) -> Any:
    """What a decision and all that it requires say."""
    nodes = bundle.decisions[decision_id].model.nodes
    queue, found = [decision_id], {}
    while queue:
        current = queue.pop()
        if current in nodes and current not in found:
            found[current] = nodes[current]
            queue += nodes[current]["requires"]
    return [found[each] for each in sorted(found)]


def _place(bundle: Bundle, process_id: str, node_id: str) -> tuple[Scope, Node] | None:
    process = bundle.models.get(process_id)
    if process is None:
        return None
    return next(((scope, node) for scope, node in process.walk() if node.id == node_id), None)


def _source(bundle: Bundle, process_id: str, flow_id: str) -> tuple[Scope, Node] | None:
    process = bundle.models.get(process_id)
    if process is None:
        return None
    return next(((scope, node) for scope, node in process.walk() if flow_id in node.outgoing), None)


def _choice(scope: Scope, gateway: Node) -> Any:
    return (
        gateway.kind,
        gateway.default,
        [(f, scope.flows[f].condition, scope.flows[f].target) for f in gateway.outgoing],
    )


def _chosen(
    scope: Scope, gateway: Node, variables: Mapping[str, Any], now: datetime
) -> tuple[list[Flow], feel.FeelError | None]:
    """The flows out of a gateway that would be taken."""
    flows = [scope.flows[flow_id] for flow_id in gateway.outgoing]
    asked = [flow for flow in flows if flow.condition is not None and flow.id != gateway.default]
    answers = feel.evaluate_many([(flow.condition or "", variables) for flow in asked], now=now)
    for answer in answers:
        if isinstance(answer, feel.FeelError):
            return [], answer
    holding = [flow for flow, answer in zip(asked, answers, strict=True) if answer is True]
    if gateway.kind == "exclusiveGateway":
        holding = holding[:1]
    plain = [flow for flow in flows if flow.condition is None and flow.id != gateway.default]
    default = [flow for flow in flows if flow.id == gateway.default]
    return holding or plain or default, None


def _way(scope: Scope, flow: Flow) -> str:
    target = scope.nodes[flow.target].label
    return f"{flow.name} → {target}" if flow.name else f"→ {target}"


def _same(one: Any, other: Any) -> bool:
    return json.dumps(_plain(one), sort_keys=True) == json.dumps(_plain(other), sort_keys=True)


def _plain(value: Any) -> Any:
    """Numbers alike whatever their type: 3 and 3.0 are one value."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, Iterable):
        return [_plain(each) for each in value]
    return str(value)


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"

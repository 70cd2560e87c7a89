"""What a new version would mean for running instances: untouched, stays, moves by itself, needs a choice, blocked.

Instances that rest at the same places are judged once, so ten thousand cost little more than the places they are at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import orjson
import zstandard

from .bundle import Bundle
from .codec import MAGIC, MAX_STATE, load
from .compare import Comparison
from .migration import Names, migrate, obstacles
from .model import Node, Process, Scope, is_expression
from .problems import EngineError, UnreadableState
from .steps import MessageWait, TimerWait

Kind = Literal["unaffected", "stays", "automatic", "choice", "blocked"]
KINDS: tuple[Kind, ...] = ("unaffected", "stays", "automatic", "choice", "blocked")

Place = tuple[str, str, bool]
"""The scope, the element, and whether the token only listens there."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A token's element without a counterpart, and the elements of the new version it could become."""

    process_id: str
    element_id: str
    label: str
    targets: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a new version means for instances at certain places, with the reason; ``ahead`` names what changes."""

    kind: Kind
    zh: str
    en: str
    ahead: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()


@dataclass(slots=True)
class Judge:
    """Judges the instances of one bundle against another."""

    old: Bundle
    new: Bundle
    made: Comparison
    names: Names = field(default_factory=dict)
    _touched: dict[str, set[str]] = field(default_factory=dict)
    _reach: dict[tuple[str, str], frozenset[tuple[str, str]]] = field(default_factory=dict)
    _verdicts: dict[tuple[Place, ...], Verdict] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._touched = {process_id: set(ids) for process_id, ids in self.made.touched().items()}
        changed_files = {change.file for change in self.made.changes if change.kind != "layout"}
        forms = {form_id for form_id, path in _form_files(self.old).items() if path in changed_files}
        forms |= set(set(self.old.forms) ^ set(self.new.forms))
        decisions = _changed_decisions(self.old, self.new)
        templates = {path.rpartition("/")[2] for path in changed_files if path.endswith(".docx")}
        for process in self.old.models.values():
            for _, node in process.walk():
                if _uses(node, forms, decisions, templates):
                    self._touched.setdefault(process.id, set()).add(node.id)
        for process in self.new.models.values():
            added = self._touched.get(process.id)
            if added:
                added |= set(_beside(process, set(added)))

    def verdict(self, state: bytes, *, now: datetime) -> Verdict:
        """What the new version means for an instance in this state."""
        places = where(state)
        found = self._verdicts.get(places)
        if found is None:
            found = self._verdicts[places] = self._judge(state, places, now)
        return found

    def _judge(self, state: bytes, places: tuple[Place, ...], now: datetime) -> Verdict:
        processes = {scope.partition("#")[0] for scope, _, _ in places}
        reachable: set[tuple[str, str]] = set()
        for scope, node_id, _ in places:
            reachable |= self._ahead(scope.partition("#")[0], node_id)
        around = processes | {process_id for process_id, _ in reachable}
        if not any(self._touched.get(process_id) for process_id in around):
            return Verdict("unaffected", "所在流程没有变化。", "Nothing changes in its procedure.")
        ahead = sorted((p, e) for p, e in reachable if e in self._touched.get(p, ()))
        missing = [p for p in sorted(processes) if p not in self.new.models]
        if missing:
            names = "、".join(self.old.models[p].label for p in missing if p in self.old.models)
            return Verdict(
                "blocked",
                f"新版本没有流程“{names}”，这些案件只能在原版本办完。",
                f"The new version has no process “{names}”; these cases end on theirs.",
            )
        if not ahead:
            return Verdict("stays", "它还要走的步骤没有变化。", "Nothing changes in the steps that lie ahead of it.")
        labels = tuple(dict.fromkeys(self._label(p, e) for p, e in ahead))
        return self._movable(state, labels, now)

    def _movable(self, state: bytes, labels: tuple[str, ...], now: datetime) -> Verdict:
        shown = "、".join(f"“{label}”" for label in labels[:4]) + ("等" if len(labels) > 4 else "")
        run = load(self.old, state)
        blocked = obstacles(run, self.new, self.names)
        if blocked:
            choices = [self._choice(one.process_id, one.element_id) for one in blocked]
            zh = "；".join(dict.fromkeys(one.zh for one in blocked))
            en = "; ".join(dict.fromkeys(one.en for one in blocked))
            if all(choice.targets for choice in choices):
                return Verdict(
                    "choice",
                    f"{zh}，请选择它对应新版本的哪一步。",
                    f"{en}; choose what it becomes.",
                    labels,
                    tuple(dict.fromkeys(choices)),
                )
            return Verdict(
                "blocked", f"{zh}，也没有同类的步骤可以对应。", f"{en}, and nothing of its kind is there.", labels
            )
        try:
            step = migrate(run, self.new, self.names, now=now)
        except EngineError as error:
            return Verdict("blocked", error.zh, error.en, labels)
        after = {wait.token for wait in step.waits}
        lost = [w for w in run.waits() if w.token not in after and not isinstance(w, TimerWait | MessageWait)]
        if lost:
            what = "、".join(f"“{wait.element_name or wait.element_id}”" for wait in lost)
            return Verdict("blocked", f"迁移会丢失{what}。", f"{what} would be lost.", labels)
        return Verdict(
            "automatic",
            f"后面的{shown}有变化，可以直接迁移。",
            f"{', '.join(labels[:4])} ahead of it changed; it can move as it is.",
            labels,
        )

    def _choice(self, process_id: str, element_id: str) -> Choice:
        old = self.old.node(process_id, element_id)
        process = self.new.models.get(process_id)
        if old is None or process is None:
            return Choice(process_id, element_id, element_id, ())
        same = [node for _, node in process.walk() if node.kind == old.kind and bool(node.loop) == bool(old.loop)]
        depth = _depth(self.old.models[process_id], old.id)
        same = [node for node in same if _depth(process, node.id) == depth]
        # What has the same name comes first, then what is new in this version, then the rest.
        known = {node.id for _, node in self.old.models[process_id].walk()}
        same.sort(key=lambda node: (node.name != old.name or not old.name, node.id in known, node.label))
        return Choice(process_id, element_id, old.label, tuple((node.id, node.label) for node in same))

    def _label(self, process_id: str, element_id: str) -> str:
        for bundle in (self.old, self.new):
            node = bundle.node(process_id, element_id)
            if node is not None:
                return node.label
        process = self.old.models.get(process_id) or self.new.models.get(process_id)
        flow = None if process is None else _flow(process, element_id)
        if flow is not None and process is not None:
            return flow
        return process.label if process is not None else element_id

    def _ahead(self, process_id: str, node_id: str) -> frozenset[tuple[str, str]]:
        """Every element that an instance with a token here may still come to, the element itself included."""
        key = (process_id, node_id)
        if key not in self._reach:
            self._reach[key] = frozenset(_reachable(self.old, process_id, node_id))
        return self._reach[key]


def _beside(process: Process, changed: set[str]) -> Iterator[str]:
    """What a new element changes of those that were there: its host, where it comes from, all it may interrupt."""
    for scope, node in process.walk():
        if node.id in changed and node.attached_to:
            yield node.attached_to
        if node.id in changed and node.triggered_by_event:
            yield from scope.nodes
    scopes: list[Scope] = [process, *(node.scope for _, node in process.walk() if node.scope is not None)]
    for scope in scopes:
        yield from (flow.source for flow in scope.flows.values() if flow.id in changed)


def where(state: bytes) -> tuple[Place, ...]:
    """Where the tokens of a stored instance are, without rebuilding it. Raises UnreadableState."""
    try:
        if state[:2] != MAGIC:
            raise ValueError("magic")
        record = orjson.loads(zstandard.ZstdDecompressor().decompress(state[2:], max_output_size=MAX_STATE))
        places = {(scope["n"], token[1], "armed" in token[3]) for scope in record["s"] for token in scope["t"]}
    except (ValueError, KeyError, IndexError, TypeError, zstandard.ZstdError) as error:
        raise UnreadableState(f"案件状态无法读取（{error}）。", f"The state cannot be read ({error}).") from error
    return tuple(sorted(places))


def _reachable(bundle: Bundle, process_id: str, node_id: str) -> set[tuple[str, str]]:
    process = bundle.models.get(process_id)
    if process is None:
        return set()
    found: set[tuple[str, str]] = set()
    called: set[str] = set()
    levels = _levels(process, node_id)
    # Inside out: what follows in its scope, then what follows the sub-process around it, and so on.
    for scope, start in levels:
        _follow(bundle, process_id, scope, start, found, called)
    # A process that was called goes on in its callers; those have tokens of their own.
    return found


def _levels(process: Process, node_id: str) -> list[tuple[Scope, str]]:
    """The scope the node lies in and those around it, each with the node to go on from."""

    def find(scope: Scope) -> list[tuple[Scope, str]] | None:
        if node_id in scope.nodes:
            return [(scope, node_id)]
        for node in scope.nodes.values():
            inner = None if node.scope is None else find(node.scope)
            if inner is not None:
                return [*inner, (scope, node.id)]
        return None

    return find(process) or [(process, start.id) for start in process.start_events()]


def _follow(
    bundle: Bundle, process_id: str, scope: Scope, start: str, found: set[tuple[str, str]], called: set[str]
) -> None:
    queue = [start, *(node.id for node in scope.event_subprocesses())]
    seen: set[str] = set()
    while queue:
        node_id = queue.pop()
        if node_id in seen or node_id not in scope.nodes:
            continue
        seen.add(node_id)
        node = scope.nodes[node_id]
        found.add((process_id, node_id))
        for flow_id in node.outgoing:
            found.add((process_id, flow_id))
            queue.append(scope.flows[flow_id].target)
        queue += [event.id for event in scope.boundary_events(node_id)]
        if node.scope is not None:
            _everything(bundle, process_id, node.scope, found, called)
        _call(bundle, node, found, called)


def _everything(bundle: Bundle, process_id: str, scope: Scope, found: set[tuple[str, str]], called: set[str]) -> None:
    found.update((process_id, flow_id) for flow_id in scope.flows)
    for inner, node in scope.walk():
        found.add((process_id, node.id))
        found.update((process_id, flow_id) for flow_id in inner.flows)
        _call(bundle, node, found, called)


def _call(bundle: Bundle, node: Node, found: set[tuple[str, str]], called: set[str]) -> None:
    if node.called_process is None:
        return
    known = [node.called_process] if not is_expression(node.called_process) else list(bundle.models)
    for process_id in known:
        process = bundle.models.get(process_id)
        if process is not None and process_id not in called:
            called.add(process_id)
            _everything(bundle, process_id, process, found, called)


def _form_files(bundle: Bundle) -> dict[str, str]:
    found = {}
    for path in bundle.files:
        if path.endswith(".form"):
            try:
                form_id = orjson.loads(bundle.files[path]).get("id")
            except (orjson.JSONDecodeError, AttributeError):
                continue
            found[form_id] = path
    return found


def _changed_decisions(old: Bundle, new: Bundle) -> set[str]:
    changed = {
        decision_id
        for decision_id, one in old.decisions.items()
        if decision_id not in new.decisions
        or one.model.nodes[decision_id] != new.decisions[decision_id].model.nodes[decision_id]
    }
    while True:
        more = {d for d, one in old.decisions.items() if d not in changed and changed & set(one.requires)}
        if not more:
            return changed
        changed |= more


def _uses(node: Node, forms: set[str], decisions: set[str], templates: set[str]) -> bool:
    if node.form_id and (node.form_id in forms or (forms and is_expression(node.form_id))):
        return True
    if node.decision_id and (node.decision_id in decisions or (decisions and is_expression(node.decision_id))):
        return True
    return bool(templates) and node.headers.get("template") in templates


def _depth(scope: Scope, node_id: str) -> int:
    """How many sub-processes lie around a node; -1 where it is not there."""
    if node_id in scope.nodes:
        return 0
    for node in scope.nodes.values():
        inner = -1 if node.scope is None else _depth(node.scope, node_id)
        if inner >= 0:
            return inner + 1
    return -1


def _flow(scope: Scope, flow_id: str) -> str | None:
    if flow_id in scope.flows:
        flow = scope.flows[flow_id]
        return f"{scope.nodes[flow.source].label} → {scope.nodes[flow.target].label}"
    for node in scope.nodes.values():
        inner = None if node.scope is None else _flow(node.scope, flow_id)
        if inner is not None:
            return inner
    return None


__all__ = ["KINDS", "Choice", "Judge", "Kind", "Verdict", "where"]

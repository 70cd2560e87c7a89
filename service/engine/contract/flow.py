"""Which variables have a value where: for certain on every way there, or perhaps on some.

Two questions are answered at once, as compilers do for local variables. *Must*: what every way to a node has written –
the largest solution, begun with "everything" and taken back step by step. *May*: what some way has, with where it comes
from – the smallest solution, begun with nothing. Conditions are left open, except that a flow whose condition cannot
hold for an empty variable is only taken where it has a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ..model import Flow, Node, Process, Scope, feel_of
from ..shapes import ANY, Shape, union
from ..texts import learn, parse
from .asks import texts_of
from .sources import Result, Sources, Write

Writers = Mapping[str, frozenset[Write]]
MOST_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class State:
    """What is known at a point: ``must`` have a value, ``may`` have one, with who gives it."""

    must: frozenset[str]
    may: Writers = field(default_factory=dict)

    def shape(self, name: str) -> Shape:
        """What a variable may look like here."""
        writers = self.may.get(name, ())
        if len(writers) == 1:
            return next(iter(writers)).shape
        return union(write.shape for write in writers)


@dataclass(slots=True)
class Analysis:
    """What is known before and after every node, by process and node."""

    sources: Sources
    everything: frozenset[str] = frozenset()
    entry: dict[str, State] = field(default_factory=dict)
    before: dict[tuple[str, str], State] = field(default_factory=dict)
    after: dict[tuple[str, str], State] = field(default_factory=dict)
    inner: dict[tuple[str, str], State] = field(default_factory=dict)
    ends: dict[str, State] = field(default_factory=dict)


def analyse(sources: Sources) -> Analysis:
    """What is known where, in every process of a bundle."""
    learn([*texts_of(sources), *sources.new_form_texts()])
    return _Work(sources).run()


class _Work:
    """The rounds until nothing changes any more."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.processes = sources.contents.processes
        self.found = Analysis(sources, _names(sources))
        self.results: dict[tuple[str, str], Result] = {}
        self.inputs: dict[tuple[str, str], list[Write]] = {}
        # What each call activity hands over, by the process it calls, its own process, and its id.
        self.calls: dict[tuple[str, str, str], State] = {}
        self.callees = {
            p.id: sorted({n.called_process for _, n in p.walk() if n.called_process in self.processes} - {None})
            for p in self.processes.values()
        }
        self.caller = ""
        self.orders: dict[int, list[Node]] = {}
        self.handed: dict[tuple[str, str], tuple[State | None, Result]] = {}
        self.shapes: dict[int, tuple[State, dict[str, Shape]]] = {}

    def run(self) -> Analysis:
        found = self.found
        given = _writers(self.sources.given())
        called = {n.called_process for p in self.processes.values() for _, n in p.walk() if n.called_process}
        first = {p.id: State(frozenset(given), given) for p in self.processes.values() if _startable(p, called)}
        every = State(found.everything)
        found.ends = dict.fromkeys(self.processes, every)
        found.entry = {pid: first.get(pid, every) for pid in self.processes}
        done: dict[str, list[State]] = {}
        for _ in range(MOST_ROUNDS):
            changed = False
            for process in self.processes.values():
                # A process changes only with what it begins with and with what the processes it calls end with.
                known = [found.entry[process.id], *(found.ends[pid] for pid in self.callees[process.id])]
                if done.get(process.id) == known:
                    continue
                done[process.id], changed = known, True
                self.caller = process.id
                found.ends[process.id] = self.scope(process, process, found.entry[process.id])
            for pid in self.processes:
                ways = [first[pid]] if pid in first else []
                ways += [state for (callee, *_), state in self.calls.items() if callee == pid]
                found.entry[pid] = _joined(ways) if ways else every
            if not changed:
                break
        return found

    def scope(self, process: Process, scope: Scope, entry: State) -> State:
        """Work a scope through until it is stable; what is known where it ends."""
        every = State(self.found.everything)
        key = process.id
        for node in scope.nodes.values():
            self.found.after.setdefault((key, node.id), every)
            self.found.inner.setdefault((key, node.id), every)
        for _ in range(MOST_ROUNDS):
            changed = False
            for node in self.order(scope):
                before = self.into(process, scope, node, entry)
                after = self.through(process, node, before)
                if (key, node.id) not in self.found.before or self.found.after[key, node.id] != after:
                    changed = True
                self.found.before[key, node.id], self.found.after[key, node.id] = before, after
            if not changed:
                break
        return self.end(process, scope, entry)

    def order(self, scope: Scope) -> list[Node]:
        """The nodes as a token comes by them, so that few rounds are needed; what is never come by is last."""
        if id(scope) not in self.orders:
            starts = [*scope.start_events(), *scope.event_subprocesses()]
            found: list[str] = []
            seen: set[str] = set()
            for start in starts:
                found = [*_behind(scope, start.id, seen), *found]
            rest = [node_id for node_id in scope.nodes if node_id not in seen]
            events = [n.id for n in scope.event_subprocesses()]
            ways = [node_id for node_id in found if node_id not in events]
            self.orders[id(scope)] = [scope.nodes[node_id] for node_id in (*ways, *events, *rest)]
        return self.orders[id(scope)]

    def into(self, process: Process, scope: Scope, node: Node, entry: State) -> State:
        """What is known as a token comes to a node."""
        if node.kind == "startEvent":
            return entry
        if node.attached_to:
            return self.aside(process, scope, node.attached_to, entry)
        if node.triggered_by_event:
            return self.event(process, scope, entry)
        ways = [self.along(process, scope, scope.flows[flow_id]) for flow_id in node.incoming]
        if not ways:
            return State(self.found.everything)
        if node.kind == "parallelGateway":
            return State(frozenset().union(*(way.must for way in ways)), _merged(way.may for way in ways))
        return _joined(ways)

    def event(self, process: Process, scope: Scope, entry: State) -> State:
        """What is known when an event sub-process begins: nothing happens outside before the case first rests."""
        must = self.found.everything
        for node in scope.nodes.values():
            if _rests(node):
                must &= self.found.before.get((process.id, node.id), entry).must
        return State(must | entry.must, _merged(self.found.after[process.id, n].may for n in scope.nodes))

    def aside(self, process: Process, scope: Scope, host_id: str, entry: State) -> State:
        """What is known when a boundary event happens: what was there before its activity, and perhaps more."""
        before = self.found.before.get((process.id, host_id), entry)
        # A host that lies in another scope is said elsewhere; until it is put right nothing is known of it.
        inner = self.found.inner.get((process.id, host_id), before)
        return State(before.must, _merged([before.may, inner.may]))

    def along(self, process: Process, scope: Scope, flow: Flow) -> State:
        """What is known on a flow: where it is taken its condition holds, and those before it did not."""
        after = self.found.after[process.id, flow.source]
        return State(after.must | facts(scope, flow), after.may)

    def through(self, process: Process, node: Node, before: State) -> State:
        """What is known when a token leaves a node."""
        inputs = self.made(process, node)
        inside = _with(before, inputs)
        if node.loop is not None:
            extra = [Write("loopCounter", Shape("number"), "rounds")]
            if node.loop.input_element:
                extra.append(Write(node.loop.input_element, ANY, "rounds", process.file, node.id, node.label))
            inside = _with(inside, extra)
        hidden = {write.name for write in inputs} - before.must
        done = inside
        if node.scope is not None:
            done = self.scope(process, node.scope, inside)
            self.found.inner[process.id, node.id] = done
        elif node.kind == "callActivity":
            self.call(node, inside)
        result = self.result(process, node)
        if node.triggered_by_event:
            return done
        if node.loop is not None:
            return self.rounds(process, node, before, done, result)
        must = done.must - hidden
        may = {name: writers for name, writers in done.may.items() if name not in hidden}
        if result.open:
            return State(self.found.everything, _merged([may, _writers(result.writes)]))
        return _with(State(must, may), result.writes)

    def rounds(self, process: Process, node: Node, before: State, done: State, result: Result) -> State:
        """Rounds may be none, so of all they write only their collection is there for certain."""
        loop = node.loop
        assert loop is not None
        writes = []
        may = _merged([before.may, _writers(result.writes)])
        if loop.output_collection:
            shape = self.item(process, node, done)
            writes.append(Write(loop.output_collection, shape, "rounds", process.file, node.id, node.label))
        return _with(State(before.must, may), writes)

    def item(self, process: Process, node: Node, done: State) -> Shape:
        """What one round puts into the collection."""
        loop = node.loop
        assert loop is not None
        if not loop.output_element:
            return Shape("list")
        parsed = parse(feel_of(loop.output_element))
        if not parsed.path:
            return Shape("list", parsed.shape.members)
        raw = {write.name: write.shape for write in self.raw(process, node).writes}
        name, *rest = parsed.path
        shape = raw.get(name) or (done.shape(name) if name in done.may else ANY)
        return Shape("list", (shape.at(rest) or ANY).members)

    def call(self, node: Node, inside: State) -> None:
        if node.called_process in self.processes:
            visible = inside
            if not node.propagate_parent:
                own = {mapping.target.split(".")[0] for mapping in node.inputs}
                visible = State(inside.must & own, {n: w for n, w in inside.may.items() if n in own})
            self.calls[node.called_process or "", self.caller, node.id] = visible

    def end(self, process: Process, scope: Scope, entry: State) -> State:
        """What is known when a scope is over: at each of its ends."""
        ends = [
            self.found.after[process.id, node.id]
            for node in scope.nodes.values()
            if not node.outgoing
            and not (node.event is not None and node.kind == "endEvent" and node.event.kind == "error")
            and not (node.triggered_by_event and not _interrupts(node))
        ]
        return _joined(ends) if ends else State(self.found.everything, entry.may)

    def made(self, process: Process, node: Node) -> list[Write]:
        key = (process.id, node.id)
        if key not in self.inputs:
            self.inputs[key] = self.sources.inputs(process, node)
        return self.inputs[key]

    def result(self, process: Process, node: Node) -> Result:
        key = (process.id, node.id)
        if node.kind != "callActivity":
            if key not in self.results:
                self.results[key] = self.sources.result(process, node)
            return self.results[key]
        end = self.found.ends.get(node.called_process or "")
        known = self.handed.get(key)
        if known is None or known[0] is not end:
            known = self.handed[key] = (end, self.sources.result(process, node, self.called(node)))
        return known[1]

    def raw(self, process: Process, node: Node) -> Result:
        return self.sources.raw(process, node, self.called(node))

    def called(self, node: Node) -> dict[str, Shape] | None:
        end = self.found.ends.get(node.called_process or "")
        if end is None:
            return None
        known = self.shapes.get(id(end))
        if known is None or known[0] is not end:
            known = self.shapes[id(end)] = (end, {name: end.shape(name) for name in end.must})
        return known[1]


def _behind(scope: Scope, start: str, seen: set[str]) -> list[str]:
    """The nodes that can be come to from a node, each before those that follow it, loops aside."""
    done: list[str] = []
    seen.add(start)
    stack = [(start, _following(scope, start))]
    while stack:
        here, ways = stack[-1]
        following = next((node_id for node_id in ways if node_id not in seen), None)
        if following is None:
            done.append(here)
            stack.pop()
        else:
            seen.add(following)
            stack.append((following, _following(scope, following)))
    return done[::-1]


def _following(scope: Scope, node_id: str) -> Iterator[str]:
    yield from (event.id for event in scope.boundary_events(node_id))
    yield from (scope.flows[flow_id].target for flow_id in scope.nodes[node_id].outgoing)


def facts(scope: Scope, flow: Flow) -> frozenset[str]:
    """The variables that have a value where a flow is taken."""
    source = scope.nodes[flow.source]
    if source.kind != "exclusiveGateway":
        return frozenset() if flow.condition is None else parse(flow.condition).holds
    found: frozenset[str] = frozenset()
    for flow_id in source.outgoing:
        other = scope.flows[flow_id]
        if flow_id == flow.id and flow_id != source.default:
            return found | (parse(flow.condition).holds if flow.condition else frozenset())
        if other.condition is not None and flow_id != source.default:
            found |= parse(other.condition).fails
    return found


def _rests(node: Node) -> bool:
    """Whether a token may stay at a node while something else happens."""
    if node.triggered_by_event or node.attached_to:
        return False
    return node.kind in ("intermediateCatchEvent", "receiveTask", "userTask", "manualTask", "callActivity") or bool(
        node.topic or node.scope is not None
    )


def _interrupts(node: Node) -> bool:
    return node.scope is not None and any(start.interrupting for start in node.scope.start_events())


def _startable(process: Process, called: Iterable[str | None]) -> bool:
    """Whether somebody or something outside begins it; else only its callers count."""
    if process.properties.get("starter") or process.id not in called:
        return True
    return any(
        start.form_id or (start.event is not None and start.event.kind != "none") for start in process.start_events()
    )


def _names(sources: Sources) -> frozenset[str]:
    """Every name that anything could write."""
    names = {*sources.catalogue.given, *sources.catalogue.form_given, "loopCounter"}
    for service in sources.catalogue.services.values():
        names |= {*service.writes, *service.reads}
    for form_id in sources.contents.forms:
        form = sources.form(form_id)
        if form is not None:
            names |= set(form.writes) | {read.name for _, read in form.reads}
    for kind, text in texts_of(sources):
        names |= {read.name for read in parse(text, kind).reads}
    for process in sources.contents.processes.values():
        for _, node in process.walk():
            names |= {mapping.target.split(".")[0] for mapping in (*node.inputs, *node.outputs)}
            names |= {name for name in (node.result_variable, node.decision_id) if name}
            if node.loop is not None:
                names |= {name for name in (node.loop.input_element, node.loop.output_collection) if name}
    return frozenset(names)


def _writers(writes: Iterable[Write]) -> dict[str, frozenset[Write]]:
    found: dict[str, frozenset[Write]] = {}
    for write in writes:
        found[write.name] = found.get(write.name, frozenset()) | {write}
    return found


def _with(state: State, writes: Iterable[Write]) -> State:
    """After writing: what is written replaces what was there, except where it only adds a part."""
    new = _writers(writes)
    if not new:
        return state
    return State(state.must | frozenset(new), {**state.may, **new})


def _joined(ways: Iterable[State]) -> State:
    ways = list(ways)
    must = frozenset.intersection(*(way.must for way in ways))
    return State(must, _merged(way.may for way in ways))


def _merged(many: Iterable[Writers]) -> dict[str, frozenset[Write]]:
    found: dict[str, frozenset[Write]] = {}
    for one in many:
        for name, writers in one.items():
            known = found.get(name)
            found[name] = writers if known is None else known | writers
    return found

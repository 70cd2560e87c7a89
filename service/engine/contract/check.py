"""Findings of the data contract: variables that nobody writes, that some way leaves out, and fields nobody uses."""

from __future__ import annotations

import difflib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from ..bundle import Contents
from ..model import Finding, Node, Process, Scope, is_expression
from ..reads import decision_reads
from ..shapes import Shape
from ..texts import parse
from .asks import Ask, all_asks, template_of
from .flow import Analysis, State, analyse, facts
from .sources import Catalogue, Sources, Write, walk

MANY = 8
MOST_NODES = 5_000
NEVER = "variable-unwritten"
PERHAPS = "variable-maybe-unwritten"
CERTAIN = ("list", "context", "string", "number", "boolean", "date")


def check(contents: Contents, catalogue: Catalogue) -> list[Finding]:
    """Everything the data contract finds in a bundle."""
    sources = Sources(contents, catalogue)
    found = list(_missing_templates(sources))
    if sum(1 for _ in walk(contents)) > MOST_NODES:
        zh, en = "流程太大，未检查变量是否都已写入。", "The bundle is too large to follow its variables."
        return [*found, Finding("", None, "contract-open", "info", zh, en)]
    analysis = analyse(sources)
    return [*found, *_broken(analysis), *unused_fields(analysis)]


def _missing_templates(sources: Sources) -> Iterator[Finding]:
    for process, node in walk(sources.contents):
        name = node.headers.get("template", "")
        if node.topic not in sources.catalogue.template_topics or not name or is_expression(name):
            continue
        if not {name, f"{name}.docx"} & set(sources.contents.templates):
            yield Finding(
                process.file,
                node.id,
                "template-missing",
                "error",
                f"“{node.label}”使用的模板“{name}”不在本次部署中。",
                f"The template “{name}” of “{node.label}” is not in this deployment.",
                node.line,
            )


def _broken(found: Analysis) -> Iterator[Finding]:
    written = {name for states in (found.before, found.after) for one in states.values() for name in one.may}
    written |= {*found.sources.catalogue.given, *found.sources.catalogue.form_given}
    for process in found.sources.contents.processes.values():
        written |= {mapping.target.split(".")[0] for _, node in process.walk() for mapping in node.inputs}
    said: set[tuple[str, str, str]] = set()
    # A form or a table that several tasks use may read what only some of them have.
    shared: dict[tuple[str, str, tuple[str, ...]], list[Problem | None]] = {}
    for process, scope, node, ask in all_asks(found.sources):
        problem = _Question(found, process, scope, node, ask, written).problem()
        if ask.owner is not None and (problem is None or problem[0] == NEVER):
            shared.setdefault((*ask.owner, ask.read.path), []).append(problem)
        elif problem is not None and (key := (process.id, ask.element_id, f"{problem[0]} {ask.text}")) not in said:
            said.add(key)
            yield problem[1]()
    yield from _of_shared({key: answers[0] for key, answers in shared.items() if all(answers)})


def _of_shared(open_: Mapping[tuple[str, str, tuple[str, ...]], Problem | None]) -> Iterator[Finding]:
    """What no user of a form or a table has. Members that a shared form shows for nobody are said once a variable."""
    members: dict[tuple[str, str], list[tuple[str, Problem, tuple[str, ...]]]] = {}
    for (file, element_id, path), problem in open_.items():
        if problem is None:
            continue
        if file and len(path) > 1:
            members.setdefault((file, path[0]), []).append((element_id, problem, path))
        else:
            finding = problem[1]()
            yield replace(finding, file=file, element_id=element_id, line=None) if file else finding
    for (file, name), group in members.items():
        element_id, problem, _ = group[0]
        if len(group) == 1:
            yield replace(problem[1](), file=file, element_id=element_id, line=None)
            continue
        paths = [".".join(path) for _, _, path in group]
        more = len(paths) > MANY
        yield Finding(
            file,
            element_id,
            NEVER,
            "info",
            f"表单读取“{name}”的 {len(paths)} 项内容，用到它的任务之前没有人写入："
            f"{'、'.join(paths[:MANY])}{'等' if more else ''}。",
            f"The form reads {len(paths)} members of “{name}” that nobody writes before any task that uses it: "
            f"{', '.join(paths[:MANY])}{' …' if more else ''}.",
        )


Problem = tuple[str, Callable[[], Finding]]
"""The rule, and the finding, made when it is wanted."""


def unfilled(found: Analysis, template: str) -> set[str]:
    """The placeholders of a template that nobody fills at some task that uses it."""
    written = {name for state in found.after.values() for name in state.may}
    names = {template, template.removesuffix(".docx")}
    return {
        ask.text
        for process, scope, node, ask in all_asks(found.sources)
        if ask.placeholder is not None
        and node.headers.get("template") in names
        and (problem := _Question(found, process, scope, node, ask, written).problem()) is not None
        and problem[0] == NEVER
    }


class _Question:
    """One ask, held against what is known at its place."""

    def __init__(
        self, found: Analysis, process: Process, scope: Scope, node: Node, ask: Ask, written: set[str]
    ) -> None:
        self.found, self.process, self.scope, self.node, self.ask = found, process, scope, node, ask
        self.written = written
        self.state = self._state()

    def problem(self) -> Problem | None:
        """What is wrong with reading this here; None where nothing is."""
        read = self.ask.read
        local = dict(self.ask.local)
        if read.name in local:
            return None
        if self._only_forms_have(read.name):
            return NEVER, self._form_only
        if read.name in self.state.must:
            return self._inside(self.state.shape(read.name)) if read.name in self.state.may else None
        if not read.sure:
            return None
        if read.name in self.state.may:
            return None if self.ask.soft or read.tested else (PERHAPS, self._perhaps)
        if read.name in self.written and (self.ask.soft or read.tested):
            return None
        return NEVER, self._never

    def _only_forms_have(self, name: str) -> bool:
        """True where the platform hands a list to forms alone, nobody writes one of its name, and no form asks."""
        if name not in self.found.sources.catalogue.form_given or (self.ask.owner is not None and self.ask.owner[0]):
            return False
        return all(write.kind == "given" for write in self.state.may.get(name, ()))

    def _form_only(self) -> Finding:
        name = self.ask.read.name
        return self._say(
            NEVER,
            f"{self._place_zh()}读取“{self.ask.text}”，但“{name}”只在表单打开时由平台给出，图和决策表读不到。",
            f"{self._place_en()} reads “{self.ask.text}”, but the platform gives “{name}” to open forms alone; "
            "diagrams and tables cannot read it.",
        )

    def _state(self) -> State:
        key = (self.process.id, self.node.id)
        if self.ask.when == "leaving":
            return self.found.after[key]
        before = self.found.before[key]
        if self.ask.when == "before":
            return before
        writes: list[Write] = list(self.found.sources.inputs(self.process, self.node))
        must, may = set(before.must), dict(before.may)
        if self.ask.when == "after":
            inner = self.found.inner.get(key)
            if self.node.scope is not None and inner is not None:
                must, may = set(inner.must), dict(inner.may)
            ends = self.found.ends.get(self.node.called_process or "")
            called = None
            if ends is not None:
                called = {name: ends.shape(name) for name in ends.must}
                may |= {name: writers for name, writers in ends.may.items() if name not in ends.must}
            raw = self.found.sources.raw(self.process, self.node, called)
            if raw.open:
                must |= self.found.everything
            writes += raw.writes
        for write in writes:
            must.add(write.name)
            may[write.name] = frozenset({write})
        return State(frozenset(must), may)

    def _inside(self, shape: Shape) -> Problem | None:
        """A member that no writer of the variable gives."""
        read, asked = self.ask.read, self.ask.placeholder
        here = shape
        for depth, name in enumerate(read.path[1:], 1):
            # FEEL goes through a list to the members of its items; a template has to go through it itself.
            if asked is not None and (here.type == "list") != (depth in asked.items) and here.type in CERTAIN:
                return NEVER, partial(self._not_each, read.path[:depth], here)
            if here.members is None:
                return None
            if name not in here.members:
                return NEVER, partial(self._no_member, read.path[:depth], name, here)
            here = here.members[name]
        return None

    def _not_each(self, path: tuple[str, ...], here: Shape) -> Finding:
        around = ".".join(path)
        zh, en = self._from(self.state.may[path[0]])
        if here.type == "list":
            return self._say(
                NEVER,
                f"{self._place_zh()}读取“{self.ask.text}”，但{zh}写入的“{around}”是列表，要用 "
                f"{{% for … in {around} %}} 逐项写。",
                f"{self._place_en()} reads “{self.ask.text}”, but “{around}”, written by {en}, is a list; go through "
                f"it with {{% for … in {around} %}}.",
            )
        return self._say(
            NEVER,
            f"{self._place_zh()}逐项读取“{self.ask.text}”，但{zh}写入的“{around}”不是列表。",
            f"{self._place_en()} reads “{self.ask.text}” item by item, but “{around}”, written by {en}, is no list.",
        )

    def _no_member(self, path: tuple[str, ...], name: str, here: Shape) -> Finding:
        around = ".".join(path)
        names = sorted(here.members or ())
        close = difflib.get_close_matches(name, names, 1)
        if self.ask.placeholder is not None:
            around = self.ask.text.rsplit(".", len(self.ask.read.path) - len(path))[0]
        hint_zh = f"是不是“{around}.{close[0]}”？" if close else f"它有：{'、'.join(names[:MANY])}。"
        hint_en = f"Is “{around}.{close[0]}” meant?" if close else f"It has {', '.join(names[:MANY])}."
        zh, en = self._from(self.state.may[path[0]])
        return self._say(
            NEVER,
            f"{self._place_zh()}读取“{self.ask.text}”，但写入“{path[0]}”的{zh}里没有“{name}”。{hint_zh}",
            f"{self._place_en()} reads “{self.ask.text}”, but “{path[0]}”, written by {en}, has no “{name}”. {hint_en}",
        )

    def _never(self) -> Finding:
        read = self.ask.read
        known = sorted({*self.state.may, *self.state.must} & (set(self.state.may) | self.written))
        close = difflib.get_close_matches(read.name, [name for name in known if name != read.name], 1, 0.75)
        if read.name in self.written:
            hint_zh, hint_en = "它在别处写入，但走到这里之前还没有。", "It is written elsewhere, but never before this."
        elif close:
            hint_zh, hint_en = f"是不是“{close[0]}”？", f"Is “{close[0]}” meant?"
        else:
            hint_zh, hint_en = "", ""
        return self._say(
            NEVER,
            f"{self._place_zh()}读取“{self.ask.text}”，但在它之前没有任何表单、决策表、脚本或服务写入“{read.name}”。{hint_zh}",
            f"{self._place_en()} reads “{self.ask.text}”, but no form, table, script or service writes “{read.name}” "
            f"before it. {hint_en}".rstrip(),
        )

    def _perhaps(self) -> Finding:
        read = self.ask.read
        zh, en = self._from(self.state.may[read.name])
        way = self._way(read.name)
        labels = [self._label(node_id) for node_id in way]
        shown = " → ".join(labels if len(labels) <= MANY else [*labels[:2], "…", *labels[3 - MANY :]])
        way_zh = f"没写入的路径：{shown}。" if way else "调用它的流程没有都先写好。"
        way_en = f"A path without: {shown}." if way else "Not every process that calls it has written it."
        return self._say(
            PERHAPS,
            f"{self._place_zh()}读取“{self.ask.text}”，它由{zh}写入，但有的路径走到这里还没有值。{way_zh}",
            f"{self._place_en()} reads “{self.ask.text}”, which is written by {en}, yet not on every path here. "
            f"{way_en}",
            way,
        )

    def _say(self, rule: str, zh: str, en: str, path: tuple[str, ...] = ()) -> Finding:
        if self.ask.placeholder is not None and rule == NEVER:
            rule = "template-unknown"
        return Finding(self.process.file, self.ask.element_id, rule, "warning", zh, en, self.ask.line, path)

    def _place_zh(self) -> str:
        return f"“{self.node.label}”的{self.ask.zh}"

    def _place_en(self) -> str:
        return f"{self.ask.en[0].upper()}{self.ask.en[1:]} of “{self.node.label}”"

    def _from(self, writers: frozenset[Write]) -> tuple[str, str]:
        named = sorted({(one.zh, one.en) for one in writers})
        return "、".join(zh for zh, _ in named[:3]), ", ".join(en for _, en in named[:3])

    def _label(self, node_id: str) -> str:
        return next((n.label for _, n in self.process.walk() if n.id == node_id), node_id)

    def _way(self, name: str) -> tuple[str, ...]:
        """The shortest way to the element on which nothing writes the variable, out of the scopes around it."""
        way: list[str] = []
        for scope, node in _levels(self.process, self.node.id):
            if name in self.found.before[self.process.id, node.id].must:
                way = []
                continue
            way += _avoiding(self.found, self.process, scope, node.id, name) or [node.id]
        return tuple(way)


def _levels(process: Process, node_id: str) -> list[tuple[Scope, Node]]:
    """The scopes around a node from the outside in, each with the node to get to."""

    def find(scope: Scope) -> list[tuple[Scope, Node]]:
        if node_id in scope.nodes:
            return [(scope, scope.nodes[node_id])]
        for node in scope.nodes.values():
            inner = find(node.scope) if node.scope is not None else []
            if inner:
                return [(scope, node), *inner]
        return []

    return find(process)


def _avoiding(found: Analysis, process: Process, scope: Scope, goal: str, name: str) -> list[str]:
    """The shortest way from a start to a node past everything that writes a variable."""
    starts = [node.id for node in scope.start_events()] + [node.id for node in scope.event_subprocesses()]
    came: dict[str, str | None] = dict.fromkeys(starts)
    queue = deque(starts)
    while queue:
        here = queue.popleft()
        if here == goal:
            break
        nexts = [event.id for event in scope.boundary_events(here)]
        if name not in found.after[process.id, here].must:
            flows = [scope.flows[flow_id] for flow_id in scope.nodes[here].outgoing]
            nexts += [flow.target for flow in flows if name not in facts(scope, flow)]
        for following in nexts:
            if following not in came:
                came[following] = here
                queue.append(following)
    if goal not in came:
        return []
    way: list[str] = []
    step: str | None = goal
    while step is not None:
        way.append(step)
        step = came[step]
    return way[::-1]


# Fields without use ---------------------------------------------------------------------------------------------------


def unused_fields(found: Analysis) -> list[Finding]:
    """Fields somebody fills in and nothing ever reads: no condition, table, script, mapping, form or template."""
    sources = found.sources
    used = _all_reads(found)
    findings = []
    for form_id, file in sources.contents.form_files.items():
        form = sources.form(form_id)
        if form is None or not any(node.form_id == form_id for node in _nodes(sources.contents)):
            continue
        for field in form.fields:
            if field.path not in used and not any(field.path[:n] in used for n in range(1, len(field.path))):
                name = ".".join(field.path)
                findings.append(
                    Finding(
                        file,
                        field.component,
                        "form-field-unused",
                        "info",
                        f"字段“{field.label}”（{name}）填了以后没有任何条件、决策表、脚本、映射、表单或模板用到。",
                        f"Nothing uses the field “{field.label}” ({name}): no condition, table, script, mapping, "
                        "form or template.",
                    )
                )
    return findings


def _all_reads(found: Analysis) -> set[tuple[str, ...]]:
    sources = found.sources
    used = {ask.read.path for _, _, _, ask in all_asks(sources)}
    for process in sources.contents.processes.values():
        used |= {read.path for _, text in process.expressions() for read in parse(text).reads}
        for _, node in process.walk():
            for text in (node.properties.get("condition"), node.properties.get("corrections")):
                used |= {read.path for read in parse(text.lstrip("= ")).reads} if text else set()
            used |= {one.path for one in template_of(sources, node)[1]}
    for decision in sources.contents.decisions.values():
        used |= {read.path for read in decision_reads(decision.model.nodes, decision.id)}
    for form_id in sources.contents.forms:
        form = sources.form(form_id)
        if form is not None:
            used |= {read.path for _, read in form.reads}
    # Whatever lies around what is read is read, too.
    return used | {path[:length] for path in used for length in range(2, len(path))}


def _nodes(contents: Contents) -> Iterator[Node]:
    for process in contents.processes.values():
        for _, node in process.walk():
            yield node

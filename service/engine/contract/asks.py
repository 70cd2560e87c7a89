"""What each element reads: every FEEL text of it, its form, its table, its service and its template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ..model import Node, Process, Scope, feel_of, is_expression
from ..placeholders import Placeholder, placeholders
from ..reads import decision_reads, decision_texts
from ..shapes import ANY, Shape
from ..templates import TemplateProblem
from ..texts import Read, Text, parse
from .sources import Sources

ROUND = {"loopCounter": ANY}
DATA = "documentData"
COUNTS = {
    "numberOfInstances": Shape("number"),
    "numberOfActiveInstances": Shape("number"),
    "numberOfCompletedInstances": Shape("number"),
    "numberOfTerminatedInstances": Shape("number"),
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One path that an element reads.

    ``when``: before (as the token comes in) | inside (with what the input mappings made) | after (with the result).
    ``local`` are names that mean something there alone. ``soft`` asks are made to live without a value: what a form
    shows, what a mapping hands on.
    """

    element_id: str
    zh: str
    en: str
    read: Read
    when: str = "before"
    local: tuple[tuple[str, Shape], ...] = ()
    soft: bool = False
    line: int | None = None
    # The form or table that asks, and where in it: it may serve several elements.
    owner: tuple[str, str] | None = None
    placeholder: Placeholder | None = None

    @property
    def text(self) -> str:
        """What is read, as it is written there."""
        return self.placeholder.text if self.placeholder is not None else self.read.text


def texts_of(sources: Sources) -> Iterator[Text]:
    """Every text of every process and table, to be asked about at once."""
    for process in sources.contents.processes.values():
        for _, text in process.expressions():
            yield "expression", text
        for scope, node in process.walk():
            for _, _, text, *_rest in _own(node):
                yield "expression", text
            for mapping in (*node.inputs, *node.outputs):
                if is_expression(mapping.source):
                    yield "expression", feel_of(mapping.source)
            for flow_id in node.outgoing:
                if scope.flows[flow_id].condition is not None:
                    yield "expression", scope.flows[flow_id].condition or ""
    for decision in sources.contents.decisions.values():
        yield from decision_texts(decision.model.nodes)


def asks(sources: Sources, process: Process, scope: Scope, node: Node) -> Iterator[Ask]:
    """Everything a node reads, and the conditions of the flows out of it."""
    inside = dict(ROUND) if node.loop is not None else {}
    if node.loop is not None and node.loop.input_element:
        inside[node.loop.input_element] = ANY
    yield from _mappings(node, inside)
    for zh, en, text, when, extra in _own(node):
        local = {**inside, **extra} if when != "before" else {}
        yield from _of(node.id, zh, en, text, when, local, node.line)
    if node.form_id:
        yield from _form(sources, node, inside)
    if node.kind == "businessRuleTask" and not node.topic:
        yield from _decision(sources, node, inside)
    if node.topic:
        yield from _service(sources, node, inside)
    for flow_id in node.outgoing:
        flow = scope.flows[flow_id]
        if flow.condition is not None:
            yield from _of(
                flow.id,
                f"出口“{flow.name or flow.id}”的条件",
                "the condition",
                flow.condition,
                "leaving",
                {},
                flow.line,
            )


def _own(node: Node) -> Iterator[tuple[str, str, str, str, dict[str, Shape]]]:
    """The node's own expressions: what they are called, the text, when it is evaluated, what it knows besides."""
    named = [
        ("表单", "the form", node.form_id),
        ("办理人", "the assignee", node.assignee),
        ("候选人", "the candidate users", node.candidate_users),
        ("候选角色", "the candidate groups", node.candidate_groups),
        ("期限", "the due date", node.due),
        ("跟进日期", "the follow-up date", node.follow_up),
        ("优先级", "the priority", node.priority),
        ("任务类型", "the type", node.topic),
        ("决策", "the decision", node.decision_id),
        ("被调用流程", "the called process", node.called_process),
    ]
    if node.event is not None:
        when_zh, when_en = "定时", "the timer"
        named += [
            (when_zh, when_en, node.event.timer),
            ("消息名", "the message", node.event.message),
            ("关联键", "the correlation key", None if node.kind == "startEvent" else node.event.correlation_key),
        ]
    for zh, en, value in named:
        if is_expression(value):
            yield zh, en, feel_of(value or ""), "inside", {}
    if node.script:
        yield "脚本", "the script", feel_of(node.script), "inside", {}
    if node.loop is not None:
        yield "输入集合", "the input collection", feel_of(node.loop.input_collection), "before", {}
        if node.loop.output_element:
            yield "输出元素", "the output element", feel_of(node.loop.output_element), "after", {}
        if node.loop.completion_condition:
            yield "完成条件", "the completion condition", node.loop.completion_condition, "after", COUNTS


def _of(
    element_id: str, zh: str, en: str, text: str, when: str, local: Mapping[str, Shape], line: int | None
) -> Iterator[Ask]:
    for read in parse(text).reads:
        yield Ask(element_id, zh, en, read, when, tuple(local.items()), line=line)


def _mappings(node: Node, inside: Mapping[str, Shape]) -> Iterator[Ask]:
    known = dict(inside)
    for mapping in node.inputs:
        if is_expression(mapping.source):
            parsed = parse(feel_of(mapping.source))
            for read in parsed.reads:
                zh, en = f"输入映射“{mapping.target}”", f"the input mapping “{mapping.target}”"
                # A mapping that hands on a variable as it is hands on that there is none.
                soft = bool(parsed.path)
                yield Ask(node.id, zh, en, read, "before", tuple(known.items()), soft, node.line)
        known[mapping.target.split(".")[0]] = ANY
    for mapping in node.outputs:
        if is_expression(mapping.source):
            parsed = parse(feel_of(mapping.source))
            for read in parsed.reads:
                zh, en = f"输出映射“{mapping.target}”", f"the output mapping “{mapping.target}”"
                yield Ask(node.id, zh, en, read, "after", tuple(inside.items()), bool(parsed.path), node.line)


def _form(sources: Sources, node: Node, inside: Mapping[str, Shape]) -> Iterator[Ask]:
    form = sources.form(node.form_id)
    if form is None:
        return
    file = sources.contents.form_files[node.form_id or ""]
    seen: set[tuple[str, ...]] = set()
    for component, read in form.reads:
        if read.path not in seen:
            seen.add(read.path)
            zh, en = f"表单“{node.form_id}”", f"the form “{node.form_id}”"
            yield Ask(node.id, zh, en, read, "inside", tuple(inside.items()), True, node.line, (file, component))


def _decision(sources: Sources, node: Node, inside: Mapping[str, Shape]) -> Iterator[Ask]:
    decision = sources.contents.decisions.get(node.decision_id or "")
    if decision is None:
        return
    for read in decision_reads(decision.model.nodes, decision.id):
        zh, en = f"决策表“{decision.name}”", f"the table “{decision.name}”"
        owner = ("", f"decision {decision.id}")
        yield Ask(node.id, zh, en, read, "inside", tuple(inside.items()), False, node.line, owner)


def _service(sources: Sources, node: Node, inside: Mapping[str, Shape]) -> Iterator[Ask]:
    service = sources.catalogue.services.get(node.topic or "")
    mapped = {mapping.target.split(".")[0] for mapping in node.inputs}
    if service is not None:
        for name in service.reads:
            if name not in mapped:
                zh, en = f"服务“{node.topic}”", f"the service “{node.topic}”"
                yield Ask(node.id, zh, en, Read((name,)), "inside", tuple(inside.items()), False, node.line)
    if node.topic in sources.catalogue.template_topics:
        yield from _template(sources, node, inside)


def _template(sources: Sources, node: Node, inside: Mapping[str, Shape]) -> Iterator[Ask]:
    name, asked = template_of(sources, node)
    given: dict[str, tuple[str, ...]] = dict.fromkeys(sources.catalogue.template_given, ())
    for mapping in node.inputs:
        root, _, member = mapping.target.partition(".")
        if root != DATA:
            continue
        data = parse(feel_of(mapping.source))
        if member:
            given[member.partition(".")[0]] = () if "." in member else data.path
        elif data.shape.members is None:
            return
        else:
            given |= {entry: data.entries.get(entry, ()) for entry in data.shape.members}
    zh, en = f"模板“{name}”的占位符", f"a placeholder of the template “{name}”"
    for one in asked:
        root, *rest = one.path
        meant, when = one, "inside"
        if root in given:
            # What the service is handed is looked at there; here, whether it has the members that are asked for.
            if not given[root] or not rest:
                continue
            path, deeper = given[root], len(given[root]) - 1
            meant = replace(one, path=(*path, *rest), items=frozenset(depth + deeper for depth in one.items))
            when = "before"
        read = Read(meant.path, tested=meant.tested)
        yield Ask(node.id, zh, en, read, when, tuple(inside.items()), line=node.line, placeholder=meant)


def template_of(sources: Sources, node: Node) -> tuple[str, list[Placeholder]]:
    """The template that a service task fills in, where it says so by name, and the placeholders of it."""
    name = node.headers.get("template", "")
    content = sources.contents.templates.get(name) or sources.contents.templates.get(f"{name}.docx")
    if content is None or is_expression(name):
        return name, []
    try:
        return name, placeholders(content)
    except TemplateProblem:
        return name, []


def all_asks(sources: Sources) -> Iterable[tuple[Process, Scope, Node, Ask]]:
    """Every ask of every node of the bundle."""
    for process in sources.contents.processes.values():
        for scope, node in process.walk():
            for ask in asks(sources, process, scope, node):
                yield process, scope, node, ask

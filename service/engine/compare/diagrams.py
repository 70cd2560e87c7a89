"""Diagrams: elements, flows, their settings and their extension attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lxml import etree

from .. import xml
from ..bundle import Contents
from ..model import Event, Flow, IoMapping, Loop, Node, Process, Scope
from .changes import Comparison, Words, arrow, shown

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
BPMNDI = "{http://www.omg.org/spec/BPMN/20100524/DI}"

KINDS: dict[str, tuple[str, str]] = {
    "userTask": ("任务", "task"),
    "manualTask": ("任务", "task"),
    "task": ("任务", "task"),
    "serviceTask": ("服务任务", "service task"),
    "scriptTask": ("脚本任务", "script task"),
    "sendTask": ("发送任务", "send task"),
    "receiveTask": ("接收任务", "receive task"),
    "businessRuleTask": ("业务规则任务", "business rule task"),
    "callActivity": ("调用活动", "call activity"),
    "subProcess": ("子流程", "sub-process"),
    "exclusiveGateway": ("网关", "gateway"),
    "parallelGateway": ("并行网关", "parallel gateway"),
    "inclusiveGateway": ("包容网关", "inclusive gateway"),
    "eventBasedGateway": ("事件网关", "event-based gateway"),
    "startEvent": ("开始事件", "start event"),
    "endEvent": ("结束事件", "end event"),
    "boundaryEvent": ("边界事件", "boundary event"),
    "intermediateCatchEvent": ("捕获事件", "catching event"),
    "intermediateThrowEvent": ("抛出事件", "throwing event"),
}

# attribute of Node -> its name in Chinese and English
PLAIN: dict[str, tuple[str, str]] = {
    "documentation": ("说明", "documentation"),
    "form_id": ("表单", "form"),
    "assignee": ("办理人", "assignee"),
    "candidate_users": ("候选人", "candidate users"),
    "due": ("期限", "due date"),
    "follow_up": ("提醒日期", "follow-up date"),
    "priority": ("优先级", "priority"),
    "topic": ("任务类型", "type"),
    "retries": ("重试次数", "retries"),
    "script": ("脚本", "script"),
    "decision_id": ("决策表", "decision"),
    "result_variable": ("结果变量", "result variable"),
    "called_process": ("调用的流程", "called process"),
    "propagate_parent": ("传入全部变量", "all variables go in"),
    "propagate_children": ("传回全部变量", "all variables come back"),
    "interrupting": ("中断", "interrupting"),
    "attached_to": ("所附的任务", "host"),
    "triggered_by_event": ("由事件触发", "triggered by an event"),
}


def compare(made: Comparison, old: Contents, new: Contents, words: Words) -> None:
    """Compare every process that is in one of the bundles."""
    before, after = _Files(old.files), _Files(new.files)
    for process_id in sorted(set(old.processes) | set(new.processes)):
        one, other = old.processes.get(process_id), new.processes.get(process_id)
        if one is None and other is not None:
            made.add(
                other.file,
                process_id,
                "added",
                f"新增流程“{other.label}”",
                f"New process “{other.label}”",
                process_id=process_id,
            )
        elif other is None and one is not None:
            made.add(
                one.file,
                process_id,
                "removed",
                f"删除流程“{one.label}”",
                f"Process “{one.label}” removed",
                process_id=process_id,
            )
        elif one is not None and other is not None:
            _Differ(made, one, other, before, after, words).run()


class _Files:
    """The XML of diagrams, element by element, read when it is asked for."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self._elements: dict[str, dict[str, etree._Element]] = {}
        self._shapes: dict[str, dict[str, str]] = {}

    def element(self, file: str, element_id: str) -> etree._Element | None:
        return self._read(file).get(element_id)

    def shape(self, file: str, element_id: str) -> str | None:
        self._read(file)
        return self._shapes[file].get(element_id)

    def _read(self, file: str) -> dict[str, etree._Element]:
        if file not in self._elements:
            found: dict[str, etree._Element] = {}
            shapes: dict[str, str] = {}
            try:
                root = xml.parse(self.files.get(file, b""))
            except xml.UnsafeXml:
                root = etree.Element("none")
            for element in root.iter(etree.Element):
                if element.get("bpmnElement"):
                    shapes[str(element.get("bpmnElement"))] = _shape(element)
                elif element.get("id") and str(element.tag).startswith(BPMN):
                    found.setdefault(str(element.get("id")), element)
            self._elements[file], self._shapes[file] = found, shapes
        return self._elements[file]


def _shape(element: etree._Element) -> str:
    """Where a shape lies, without ids and labels."""
    return "|".join(
        ",".join(str(part.get(name)) for name in ("x", "y", "width", "height") if part.get(name))
        for part in element.iter(etree.Element)
        if part.get("x") is not None
    )


class _Differ:
    """Compares the two versions of one process."""

    def __init__(
        self, made: Comparison, old: Process, new: Process, before: _Files, after: _Files, words: Words
    ) -> None:
        self.made, self.old, self.new, self.before, self.after = made, old, new, before, after
        self.words = words
        self.file = new.file

    def run(self) -> None:
        self._process()
        nodes, others = dict(_nodes(self.old)), dict(_nodes(self.new))
        for node_id in [*nodes, *(n for n in others if n not in nodes)]:
            one, other = nodes.get(node_id), others.get(node_id)
            if one is None and other is not None:
                zh, en = _kind(other)
                self._add(
                    node_id, "added", f"新增{zh}“{other.label}”{self._who_zh(other)}", f"New {en} “{other.label}”"
                )
            elif other is None and one is not None:
                zh, en = _kind(one)
                self._add(node_id, "removed", f"删除{zh}“{one.label}”", f"Removed {en} “{one.label}”")
            elif one is not None and other is not None:
                self._node(one, other)
        self._flows(dict(_flows(self.old)), dict(_flows(self.new)), nodes | others)
        self._lanes()

    def _add(self, element_id: str | None, kind: Any, zh: str, en: str, **more: Any) -> None:
        self.made.add(self.file, element_id, kind, zh, en, process_id=self.new.id, **more)

    def _changed(self, node: Node, zh: str, en: str, old: Any, new: Any, what: str) -> None:
        self._add(
            node.id,
            "changed",
            f"“{node.label}”{zh} {arrow(old, new)}",
            f"“{node.label}”: {en} {arrow(old, new, english=True)}",
            what=what,
            old=shown(old),
            new=shown(new),
        )

    def _process(self) -> None:
        if self.old.name != self.new.name:
            self._add(
                self.new.id,
                "changed",
                f"流程改名：{arrow(self.old.name, self.new.name)}",
                f"Process renamed: {arrow(self.old.name, self.new.name, english=True)}",
                what="name",
            )
        for attribute, zh, en in (
            ("version_tag", "版本标签", "version tag"),
            ("documentation", "流程说明", "documentation of the process"),
        ):
            one, other = getattr(self.old, attribute), getattr(self.new, attribute)
            if (one or "") != (other or ""):
                self._add(
                    self.new.id,
                    "changed",
                    f"{zh} {arrow(one, other)}",
                    f"{en.capitalize()}: {arrow(one, other, english=True)}",
                    what=attribute,
                )
        self._properties(self.new.id, "流程", "Process", self.old.properties, self.new.properties)

    def _properties(self, element_id: str, zh: str, en: str, old: Mapping[str, str], new: Mapping[str, str]) -> None:
        names = {
            "title": ("案件标题", "title of cases"),
            "starter": ("可发起的角色", "who may start it"),
            "caseNumber": ("案号前缀", "prefix of case numbers"),
            "source": ("依据", "source"),
            "relatedParties": ("案件所列单位", "organisations the case names"),
        }
        for name in sorted(set(old) | set(new)):
            if old.get(name) == new.get(name):
                continue
            label_zh, label_en = names.get(name, (f"属性 {name}", f"property {name}"))
            one, other = old.get(name), new.get(name)
            if name == "starter":
                zh_text = f"{self.words.role_zh(one)} → {self.words.role_zh(other)}"
                en_text = f"{self.words.role_en(one)} → {self.words.role_en(other)}"
            else:
                zh_text, en_text = arrow(one, other), arrow(one, other, english=True)
            self._add(
                element_id,
                "changed",
                f"{zh}{label_zh} {zh_text}",
                f"{en}: {label_en} {en_text}",
                what=f"property:{name}",
            )

    # -- nodes ---------------------------------------------------------------------------------

    def _node(self, old: Node, new: Node) -> None:
        said = len(self.made.changes)
        if old.name != new.name:
            zh, en = _kind(new)
            self._add(
                new.id,
                "changed",
                f"{zh}改名：{arrow(old.name or old.id, new.name or new.id)}",
                f"{en.capitalize()} renamed: {arrow(old.name or old.id, new.name or new.id, english=True)}",
                what="name",
                old=old.name,
                new=new.name,
            )
        if old.kind != new.kind:
            self._changed(new, "改成另一种元素", "another kind", _kind(old)[0], _kind(new)[0], "kind")
        self._role(old, new)
        for attribute, (zh, en) in PLAIN.items():
            one, other = getattr(old, attribute), getattr(new, attribute)
            if one != other:
                self._changed(new, zh, en, one, other, attribute)
        self._properties(new.id, f"“{new.label}”", f"“{new.label}”", old.properties, new.properties)
        self._pairs(new, "输入映射", "input mapping", _mappings(old.inputs), _mappings(new.inputs))
        self._pairs(new, "输出映射", "output mapping", _mappings(old.outputs), _mappings(new.outputs))
        self._pairs(new, "参数", "header", old.headers, new.headers)
        self._event(old, new)
        self._loop(old, new)
        if (old.default or "") != (new.default or ""):
            name = self._flow_name
            self._changed(
                new, "默认出口", "default way", name(self.old, old.default), name(self.new, new.default), "default"
            )
        if said == len(self.made.changes):
            self._rest(new)
        self._layout(new.id)

    def _role(self, old: Node, new: Node) -> None:
        """Who does it: by role, or by the lane where no role is given."""
        one, other = old.candidate_groups, new.candidate_groups
        if one != other:
            self._add(
                new.id,
                "changed",
                f"“{new.label}”办理角色 {self.words.role_zh(one)} → {self.words.role_zh(other)}",
                f"“{new.label}”: role {self.words.role_en(one)} → {self.words.role_en(other)}",
                what="candidate_groups",
                old=one,
                new=other,
            )
        if old.lane != new.lane:
            self._add(
                new.id,
                "changed",
                f"“{new.label}”从“{old.lane or '（无泳道）'}”移到“{new.lane or '（无泳道）'}”",
                f"“{new.label}” moved from “{old.lane or '(no lane)'}” to “{new.lane or '(no lane)'}”",
                what="lane",
                old=old.lane,
                new=new.lane,
            )

    def _pairs(self, node: Node, zh: str, en: str, old: Mapping[str, str], new: Mapping[str, str]) -> None:
        for name in [*old, *(n for n in new if n not in old)]:
            if old.get(name) != new.get(name):
                self._changed(node, f"{zh} {name}", f"{en} {name}", old.get(name), new.get(name), f"{en}:{name}")

    def _event(self, old: Node, new: Node) -> None:
        one, other = old.event or Event("none"), new.event or Event("none")
        parts: list[tuple[str, str, str]] = [
            ("kind", "事件类型", "type of event"),
            ("timer", "时间", "time"),
            ("message", "消息", "message"),
            ("correlation_key", "关联键", "correlation key"),
            ("code", "代码", "code"),
        ]
        for attribute, zh, en in parts:
            if getattr(one, attribute) != getattr(other, attribute):
                self._changed(new, zh, en, getattr(one, attribute), getattr(other, attribute), f"event:{attribute}")
        if one.timer == other.timer and one.timer_kind != other.timer_kind:
            self._changed(new, "时间种类", "kind of time", one.timer_kind, other.timer_kind, "event:timer_kind")

    def _loop(self, old: Node, new: Node) -> None:
        if old.loop == new.loop:
            return
        if old.loop is None or new.loop is None:
            words = ("改为逐项办理", "is done item by item now") if new.loop else ("不再逐项办理", "is done once now")
            self._add(new.id, "changed", f"“{new.label}”{words[0]}", f"“{new.label}” {words[1]}", what="loop")
            return
        names: dict[str, tuple[str, str]] = {
            "sequential": ("依次办理", "one after the other"),
            "input_collection": ("逐项办理的列表", "input collection"),
            "input_element": ("每一项的变量", "input element"),
            "output_collection": ("汇总变量", "output collection"),
            "output_element": ("每一项的结果", "output element"),
            "completion_condition": ("提前结束的条件", "completion condition"),
        }
        for attribute, (zh, en) in names.items():
            if getattr(old.loop, attribute) != getattr(new.loop, attribute):
                self._changed(
                    new, zh, en, getattr(old.loop, attribute), getattr(new.loop, attribute), f"loop:{attribute}"
                )

    def _rest(self, node: Node) -> None:
        """A difference in the XML that the engine does not read is still a difference."""
        one = self.before.element(self.old.file, node.id)
        other = self.after.element(self.new.file, node.id)
        if one is None or other is None:
            return
        names = sorted(_facts(one) ^ _facts(other))
        if names:
            which = "、".join(dict.fromkeys(name.split("=")[0] for name in names))
            self._add(
                node.id,
                "changed",
                f"“{node.label}”的其他设置有变化：{which}",
                f"Other settings of “{node.label}” differ: {which}",
                what="extension",
            )

    def _layout(self, element_id: str) -> None:
        one, other = self.before.shape(self.old.file, element_id), self.after.shape(self.new.file, element_id)
        if one != other and one is not None and other is not None:
            self.made.mark(self.file, element_id, "layout")

    # -- flows and lanes -----------------------------------------------------------------------

    def _flows(self, old: Mapping[str, Flow], new: Mapping[str, Flow], nodes: Mapping[str, Node]) -> None:
        def ends(flow: Flow) -> tuple[str, str]:
            source, target = nodes.get(flow.source), nodes.get(flow.target)
            return source.label if source else flow.source, target.label if target else flow.target

        for flow_id in [*old, *(f for f in new if f not in old)]:
            one, other = old.get(flow_id), new.get(flow_id)
            if one is None and other is not None:
                source, target = ends(other)
                name = f"（{other.name}）" if other.name else ""
                self._add(flow_id, "added", f"新增连线“{source}”→“{target}”{name}", f"New flow “{source}” → “{target}”")
            elif other is None and one is not None:
                source, target = ends(one)
                self._add(flow_id, "removed", f"删除连线“{source}”→“{target}”", f"Removed flow “{source}” → “{target}”")
            elif one is not None and other is not None:
                self._flow(one, other, ends)

    def _flow(self, old: Flow, new: Flow, ends: Callable[[Flow], tuple[str, str]]) -> None:
        source, target = ends(new)
        label_zh = f"“{source}”→“{target}”"
        label_en = f"“{source}” → “{target}”"
        if (old.source, old.target) != (new.source, new.target):
            was = ends(old)
            self._add(
                new.id,
                "changed",
                f"连线改接：“{was[0]}”→“{was[1]}” 改为 {label_zh}",
                f"Flow reconnected: “{was[0]}” → “{was[1]}” became {label_en}",
                what="flow",
            )
        if old.condition != new.condition:
            self._add(
                new.id,
                "changed",
                f"{label_zh}的条件 {arrow(old.condition, new.condition)}",
                f"Condition of {label_en}: {arrow(old.condition, new.condition, english=True)}",
                what="condition",
                old=old.condition,
                new=new.condition,
            )
        if old.name != new.name:
            self._add(
                new.id,
                "changed",
                f"{label_zh}的名称 {arrow(old.name, new.name)}",
                f"Name of {label_en}: {arrow(old.name, new.name, english=True)}",
                what="name",
            )
        self._layout(new.id)

    def _flow_name(self, process: Process, flow_id: str | None) -> str | None:
        if flow_id is None:
            return None
        for known, flow in _flows(process):
            if known == flow_id:
                return flow.name or flow_id
        return flow_id

    def _lanes(self) -> None:
        for lane_id in [*self.old.lanes, *(i for i in self.new.lanes if i not in self.old.lanes)]:
            one, other = self.old.lanes.get(lane_id), self.new.lanes.get(lane_id)
            if one == other:
                self._layout(lane_id)
                continue
            if one is None:
                self._add(lane_id, "added", f"新增泳道“{other}”", f"New lane “{other}”", what="lane")
            elif other is None:
                self._add(lane_id, "removed", f"删除泳道“{one}”", f"Lane “{one}” removed", what="lane")
            else:
                self._add(
                    lane_id, "changed", f"泳道改名：{arrow(one, other)}", f"Lane renamed: {arrow(one, other, True)}"
                )

    def _who_zh(self, node: Node) -> str:
        if node.kind not in ("userTask", "manualTask"):
            return ""
        who = self.words.role_zh(node.candidate_groups) if node.candidate_groups else node.lane
        return f"（{who}）" if who else ""


def _kind(node: Node) -> tuple[str, str]:
    return KINDS.get(node.kind, (node.kind, node.kind))


def _mappings(mappings: list[IoMapping]) -> dict[str, str]:
    return {one.target: one.source for one in mappings}


def _nodes(scope: Scope) -> Iterator[tuple[str, Node]]:
    for _, node in scope.walk():
        yield node.id, node


def _flows(scope: Scope) -> Iterator[tuple[str, Flow]]:
    yield from scope.flows.items()
    for _, node in scope.walk():
        if node.scope is not None:
            yield from node.scope.flows.items()


INNER = {f"{BPMN}{name}" for name in ("incoming", "outgoing")}


def _facts(element: etree._Element) -> set[str]:
    """Everything an element says in its XML, apart from what lies inside it and what is only connection."""
    facts = {f"{etree.QName(name).localname}={value!s}" for name, value in element.attrib.items()}
    for child in element.iterchildren(etree.Element):
        tag = str(child.tag)
        if tag in INNER or (tag.startswith(BPMN) and child.get("id") and _is_flow_element(child)):
            continue
        facts.add(f"{etree.QName(child).localname}={_canonical(child)}")
    return facts


def _is_flow_element(element: etree._Element) -> bool:
    name = etree.QName(element).localname
    return name == "sequenceFlow" or name in KINDS or name.endswith(("Event", "Gateway", "Task"))


def _canonical(element: etree._Element) -> str:
    """The XML of an element, the same whatever prefixes and blanks were used, without ids given by the modeler."""
    given = str(element.tag).startswith(BPMN)
    attributes = sorted(f"{name!s}={value!s}" for name, value in element.attrib.items() if name != "id" or not given)
    inner = "".join(_canonical(child) for child in element.iterchildren(etree.Element))
    return f"<{element.tag!s} {' '.join(attributes)}>{(element.text or '').strip()}{inner}"


__all__ = ["Loop", "compare"]

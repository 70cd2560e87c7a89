"""BPMN 2.0 with the ``zeebe:`` profile, read into :mod:`.model`.

What the profile does not know becomes a finding with the element's id, never a surprise at run time.
Source: BPMN 2.0.2 (OMG formal/2013-12-09), the zeebe extension elements as Camunda Modeler 8.8 writes them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from lxml import etree

from .model import Event, Finding, Flow, IoMapping, Loop, Node, Process, Scope, feel_of
from .xml import UnsafeXml, parse

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"

TASKS = {
    "task",
    "userTask",
    "manualTask",
    "serviceTask",
    "scriptTask",
    "businessRuleTask",
    "sendTask",
    "receiveTask",
}
GATEWAYS = {"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"}
EVENTS = {"startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"}
NODES = TASKS | GATEWAYS | EVENTS | {"subProcess", "callActivity"}
# Drawn for the reader; they mean nothing to the engine.
SILENT = {
    "documentation",
    "extensionElements",
    "laneSet",
    "textAnnotation",
    "association",
    "group",
    "dataObject",
    "dataObjectReference",
    "dataStoreReference",
    "category",
    "auditing",
    "monitoring",
    "incoming",
    "outgoing",
    "dataInputAssociation",
    "dataOutputAssociation",
    "ioSpecification",
    "property",
    "conversationNode",
    "messageFlow",
    "artifact",
}
EVENT_KINDS = {
    "timerEventDefinition": "timer",
    "messageEventDefinition": "message",
    "errorEventDefinition": "error",
    "escalationEventDefinition": "escalation",
    "terminateEventDefinition": "terminate",
}


MOST_NODES = 5_000
"""Activities, events and gateways of a file; nobody can read a diagram of more, nor wait for its check."""


class DiagramReader:
    """Reads one ``.bpmn`` file. ``processes`` and ``findings`` are what it found."""

    def __init__(self, file: str, data: bytes) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self.processes: list[Process] = []
        self._ids: set[str] = set()
        try:
            self.root = parse(data)
        except UnsafeXml as error:
            self.findings.append(Finding(file, None, "xml", "error", error.zh, error.en, error.line))
            return
        if self.root.tag != f"{BPMN}definitions":
            self._find(
                self.root,
                "not-bpmn",
                "文件不是 BPMN 2.0 图（根元素应为 bpmn:definitions）。",
                "The file is no BPMN 2.0 diagram (its root should be bpmn:definitions).",
            )
            return
        nodes = sum(
            1 for _ in itertools.islice(self.root.iter(*(f"{BPMN}{kind}" for kind in sorted(NODES))), MOST_NODES + 1)
        )
        if nodes > MOST_NODES:
            zh = f"图中的任务、事件和网关超过 {MOST_NODES} 个，请拆成几个流程。"
            en = f"The diagram has more than {MOST_NODES} activities, events and gateways; divide it into processes."
            self._find(self.root, "too-large", zh, en)
            return
        self._globals()
        for element in self.root.iterchildren(f"{BPMN}process"):
            self._process(element)

    # -- small helpers -------------------------------------------------------------------------

    def _find(self, element: etree._Element, rule: str, zh: str, en: str, severity: str = "error") -> None:
        self.findings.append(Finding(self.file, element.get("id"), rule, severity, zh, en, line(element)))  # type: ignore[arg-type]

    def _unique(self, element: etree._Element) -> str:
        element_id = element.get("id", "")
        label = element.get("name") or local(element)
        if not element_id:
            self._find(element, "id-missing", f"元素“{label}”没有 id。", f"The element “{label}” has no id.")
        elif element_id in self._ids:
            self._find(element, "id-duplicate", f"id“{element_id}”重复。", f"The id “{element_id}” is used twice.")
        self._ids.add(element_id)
        return element_id

    def _globals(self) -> None:
        self.messages: dict[str, tuple[str | None, str | None]] = {}
        for message in self.root.iterchildren(f"{BPMN}message"):
            subscription = extension(message, "subscription")
            key = subscription.get("correlationKey") if subscription is not None else None
            self.messages[self._unique(message)] = (message.get("name"), key)
        self.codes: dict[str, str | None] = {}
        for tag, attribute in (("error", "errorCode"), ("escalation", "escalationCode")):
            for element in self.root.iterchildren(f"{BPMN}{tag}"):
                self.codes[self._unique(element)] = element.get(attribute)

    # -- processes and scopes ------------------------------------------------------------------

    def _process(self, element: etree._Element) -> None:
        process = Process(
            id=self._unique(element),
            name=element.get("name") or self._participant_name(element.get("id", "")) or "",
            file=self.file,
            documentation=documentation(element),
            properties=properties(element),
            line=line(element),
        )
        tag = extension(element, "versionTag")
        process.version_tag = tag.get("value") if tag is not None else None
        lanes: dict[str, str] = {}
        for lane in element.iter(f"{BPMN}lane"):
            process.lanes[self._unique(lane)] = lane.get("name") or ""
            for reference in lane.iterchildren(f"{BPMN}flowNodeRef"):
                # The innermost lane comes last in document order and is the one that counts.
                lanes[(reference.text or "").strip()] = lane.get("name") or ""
        self._scope(process, element)
        for _, node in process.walk():
            node.lane = lanes.get(node.id)
        for scope, node in process.walk():
            if node.scope is not None and node.lane:
                for _, inner in node.scope.walk():
                    inner.lane = inner.lane or node.lane
            del scope
        if element.get("isExecutable", "false") != "true":
            self._find(
                element,
                "not-executable",
                f"流程“{process.label}”未标为可执行，不会部署。",
                f"The process “{process.label}” is not marked executable and is left out.",
                "warning",
            )
            return
        self.processes.append(process)

    def _participant_name(self, process_id: str) -> str | None:
        for participant in self.root.iter(f"{BPMN}participant"):
            if participant.get("processRef") == process_id:
                return participant.get("name")
        return None

    def _scope(self, scope: Scope, element: etree._Element) -> None:
        flows = []
        for child in element.iterchildren(tag=etree.Element):
            name = local(child)
            if name == "sequenceFlow":
                flows.append(child)
            elif name in NODES:
                node = self._node(child)
                if node is not None and node.id:
                    scope.nodes.setdefault(node.id, node)
            elif name not in SILENT and not (scope_of_foreign(child)) and not is_loop_or_event(name):
                self._find(
                    child,
                    "unknown-element",
                    f"元素 {name} 不在支持的范围内。",
                    f"The element {name} is not supported.",
                )
        for child in flows:
            self._flow(scope, child)

    def _flow(self, scope: Scope, element: etree._Element) -> None:
        condition = element.find(f"{BPMN}conditionExpression")
        text = (condition.text or "").strip() if condition is not None else ""
        flow = Flow(
            id=self._unique(element),
            name=element.get("name") or "",
            source=element.get("sourceRef") or "",
            target=element.get("targetRef") or "",
            condition=feel_of(text) if text else None,
            line=line(element),
        )
        for end in (flow.source, flow.target):
            if end not in scope.nodes:
                self._find(
                    element,
                    "flow-end",
                    f"顺序流“{flow.id}”连到不存在的元素“{end}”。",
                    f"The sequence flow “{flow.id}” is connected to “{end}”, which is not there.",
                )
                return
        if not flow.id or flow.id in scope.flows:
            return
        scope.flows[flow.id] = flow
        scope.nodes[flow.source].outgoing.append(flow.id)
        scope.nodes[flow.target].incoming.append(flow.id)

    # -- nodes ---------------------------------------------------------------------------------

    def _node(self, element: etree._Element) -> Node | None:
        kind = local(element)
        node = Node(
            id=self._unique(element),
            kind=kind,
            name=" ".join((element.get("name") or "").split()),
            line=line(element),
            documentation=documentation(element),
            properties=properties(element),
            default=element.get("default"),
        )
        for tag, into in (("input", node.inputs), ("output", node.outputs)):
            for mapping in extensions(element, "ioMapping", tag):
                into.append(IoMapping(mapping.get("source") or "", mapping.get("target") or ""))
        node.headers = {h.get("key") or "": h.get("value") or "" for h in extensions(element, "taskHeaders", "header")}
        definition = extension(element, "taskDefinition")
        if definition is not None:
            node.topic, node.retries = definition.get("type"), definition.get("retries")
        self._form_and_assignment(node, element)
        if kind in EVENTS:
            self._event(node, element)
        elif kind in ("sendTask", "receiveTask"):
            node.event = self._message(element, element.get("messageRef"))
        elif kind == "scriptTask":
            self._script(node, element)
        elif kind == "businessRuleTask":
            decision = extension(element, "calledDecision")
            if decision is not None:
                node.decision_id = decision.get("decisionId")
                node.result_variable = decision.get("resultVariable")
        elif kind == "callActivity":
            called = extension(element, "calledElement")
            if called is not None:
                node.called_process = called.get("processId")
                node.propagate_parent = called.get("propagateAllParentVariables", "true") != "false"
                node.propagate_children = called.get("propagateAllChildVariables", "true") != "false"
        elif kind == "subProcess":
            node.triggered_by_event = element.get("triggeredByEvent") == "true"
            node.scope = Scope(node.id)
            self._scope(node.scope, element)
        self._loop(node, element)
        self._unsupported(node, element)
        return node

    def _form_and_assignment(self, node: Node, element: etree._Element) -> None:
        form = extension(element, "formDefinition")
        if form is not None:
            node.form_id = form.get("formId") or form.get("formKey")
        assignment = extension(element, "assignmentDefinition")
        if assignment is not None:
            node.assignee = assignment.get("assignee")
            node.candidate_users = assignment.get("candidateUsers")
            node.candidate_groups = assignment.get("candidateGroups")
        schedule = extension(element, "taskSchedule")
        if schedule is not None:
            node.due, node.follow_up = schedule.get("dueDate"), schedule.get("followUpDate")
        priority = extension(element, "priorityDefinition")
        if priority is not None:
            node.priority = priority.get("priority")

    def _script(self, node: Node, element: etree._Element) -> None:
        script = extension(element, "script")
        if script is not None:
            node.script, node.result_variable = script.get("expression"), script.get("resultVariable")
        elif element.find(f"{BPMN}script") is not None:
            self._find(
                element,
                "script-language",
                f"脚本任务“{node.label}”只能使用 FEEL，不能含其他语言的脚本。",
                f"The script task “{node.label}” may only use FEEL, no other script language.",
            )

    def _event(self, node: Node, element: etree._Element) -> None:
        node.attached_to = element.get("attachedToRef")
        node.interrupting = (
            element.get("cancelActivity" if node.kind == "boundaryEvent" else "isInterrupting", "true") != "false"
        )
        definitions = [c for c in element.iterchildren(tag=etree.Element) if local(c).endswith("EventDefinition")]
        if len(definitions) > 1:
            self._find(
                element,
                "event-multiple",
                f"事件“{node.label}”有多个事件定义，只支持一个。",
                f"The event “{node.label}” has several event definitions; only one is supported.",
            )
        node.event = Event("none")
        for definition in definitions[:1]:
            node.event = self._event_definition(node, element, definition)

    def _event_definition(self, node: Node, element: etree._Element, definition: etree._Element) -> Event:
        kind = EVENT_KINDS.get(local(definition))
        if kind is None:
            word = local(definition).removesuffix("EventDefinition")
            self._find(
                element,
                "event-unsupported",
                f"事件“{node.label}”的类型 {word} 不支持。",
                f"The event “{node.label}” is of type {word}, which is not supported.",
            )
            return Event("none")
        if kind == "timer":
            for tag, timer_kind in (("timeDate", "date"), ("timeDuration", "duration"), ("timeCycle", "cycle")):
                timer = definition.find(f"{BPMN}{tag}")
                if timer is not None:
                    return Event("timer", timer_kind=timer_kind, timer=(timer.text or "").strip())
            return Event("timer")
        if kind == "message":
            return self._message(element, definition.get("messageRef"))
        if kind in ("error", "escalation"):
            reference = definition.get(f"{kind}Ref")
            if reference and reference not in self.codes:
                self._find(
                    element,
                    "reference",
                    f"“{node.label}”引用的“{reference}”不存在。",
                    f"“{node.label}” refers to “{reference}”, which is not there.",
                )
            return Event(kind, code=self.codes.get(reference) if reference else None)
        return Event(kind)

    def _message(self, element: etree._Element, reference: str | None) -> Event:
        if reference and reference not in self.messages:
            self._find(
                element,
                "reference",
                f"引用的消息“{reference}”不存在。",
                f"The message “{reference}” is not there.",
            )
        name, key = self.messages.get(reference or "", (None, None))
        return Event("message", message=name, correlation_key=key)

    def _loop(self, node: Node, element: etree._Element) -> None:
        if element.find(f"{BPMN}standardLoopCharacteristics") is not None:
            self._find(
                element,
                "loop-standard",
                f"“{node.label}”使用了标准循环；请改画回流或多实例。",
                f"“{node.label}” uses a standard loop; draw a flow back or a multi-instance instead.",
            )
        loop = element.find(f"{BPMN}multiInstanceLoopCharacteristics")
        if loop is None:
            return
        zeebe = extension(loop, "loopCharacteristics")
        condition = loop.find(f"{BPMN}completionCondition")
        if zeebe is None or not zeebe.get("inputCollection"):
            self._find(
                element,
                "loop-collection",
                f"多实例“{node.label}”没有输入集合（inputCollection）。",
                f"The multi-instance “{node.label}” has no input collection.",
            )
            return
        node.loop = Loop(
            sequential=loop.get("isSequential") == "true",
            input_collection=zeebe.get("inputCollection") or "",
            input_element=zeebe.get("inputElement") or None,
            output_collection=zeebe.get("outputCollection") or None,
            output_element=zeebe.get("outputElement") or None,
            completion_condition=feel_of(condition.text) if condition is not None and condition.text else None,
        )

    def _unsupported(self, node: Node, element: etree._Element) -> None:
        if element.get("isForCompensation") == "true":
            self._find(
                element,
                "compensation",
                f"“{node.label}”标为补偿活动，不支持。",
                f"“{node.label}” is marked for compensation, which is not supported.",
            )
        for child in extension_children(element):
            if child.tag.startswith("{http://camunda.org/schema/1.0/bpmn}"):
                self._find(
                    element,
                    "camunda-7",
                    f"“{node.label}”含 Camunda 7 扩展 {local(child)}，不会执行。",
                    f"“{node.label}” has the Camunda 7 extension {local(child)}, which is not executed.",
                )


def line(element: etree._Element) -> int | None:
    return element.sourceline  # type: ignore[return-value]


def local(element: etree._Element) -> str:
    return etree.QName(element).localname


def scope_of_foreign(element: etree._Element) -> bool:
    return not str(element.tag).startswith(BPMN)


def is_loop_or_event(name: str) -> bool:
    return name.endswith(("LoopCharacteristics", "EventDefinition"))


def extension_children(element: etree._Element) -> Iterator[etree._Element]:
    for container in element.iterchildren(f"{BPMN}extensionElements"):
        yield from container.iterchildren(tag=etree.Element)


def extension(element: etree._Element, name: str) -> etree._Element | None:
    """The first ``zeebe:name`` among the extension elements."""
    return next((child for child in extension_children(element) if child.tag == ZEEBE + name), None)


def extensions(element: etree._Element, container: str, name: str) -> Iterator[etree._Element]:
    found = extension(element, container)
    if found is not None:
        yield from found.iterchildren(ZEEBE + name)


def properties(element: etree._Element) -> dict[str, str]:
    return {p.get("name") or "": p.get("value") or "" for p in extensions(element, "properties", "property")}


def documentation(element: etree._Element) -> str:
    return "\n".join((d.text or "").strip() for d in element.iterchildren(f"{BPMN}documentation")).strip()

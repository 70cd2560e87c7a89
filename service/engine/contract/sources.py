"""Where variables come from: what each node writes, and which form, table, script or service is behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..bundle import Contents
from ..model import Node, Process, feel_of, is_expression
from ..shapes import ANY, Shape, put, seal
from ..texts import Text, parse
from .forms import Form
from .forms import read as read_form
from .forms import texts as form_texts

TYPES = {"string": "string", "number": "number", "integer": "number", "boolean": "boolean", "date": "date"}


@dataclass(frozen=True, slots=True)
class Service:
    """What a service-task topic reads without a mapping, and what it writes."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is known beside the files: the services, what every case holds from its start, what forms are given when
    they are opened, and templates when they are filled in."""

    services: Mapping[str, Service] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    form_given: tuple[str, ...] = ()
    template_given: tuple[str, ...] = ()
    template_topics: frozenset[str] = frozenset()
    service_names: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Write:
    """One variable that something writes, with what it looks like and where it comes from.

    kind: form | table | script | service | message | mapping | call | rounds | given.
    """

    name: str
    shape: Shape
    kind: str
    file: str = ""
    element_id: str | None = None
    label: str = ""

    @property
    def zh(self) -> str:
        return f"{_KINDS[self.kind][0]}“{self.label}”" if self.label else _KINDS[self.kind][0]

    @property
    def en(self) -> str:
        return f"{_KINDS[self.kind][1]} “{self.label}”" if self.label else _KINDS[self.kind][1]


_KINDS = {
    "form": ("表单", "the form of"),
    "table": ("决策表", "the table"),
    "script": ("脚本", "the script"),
    "service": ("服务", "the service"),
    "message": ("消息", "the message"),
    "mapping": ("映射", "the mapping of"),
    "call": ("被调用的流程", "the called process"),
    "rounds": ("多实例", "the rounds of"),
    "given": ("系统", "the system"),
}


@dataclass(frozen=True, slots=True)
class Result:
    """What a node hands over when it is done. ``open`` says that it may write anything besides."""

    writes: tuple[Write, ...] = ()
    open: bool = False


class Sources:
    """The files of a bundle as sources of variables."""

    def __init__(self, contents: Contents, catalogue: Catalogue) -> None:
        self.contents, self.catalogue = contents, catalogue
        self._forms: dict[str, Form] = {}

    def form(self, form_id: str | None) -> Form | None:
        """What a form writes and reads; None where it is not known which."""
        if not form_id or is_expression(form_id) or form_id not in self.contents.forms:
            return None
        if form_id not in self._forms:
            self._forms[form_id] = form_of(self.contents.files[self.contents.form_files[form_id]])
        return self._forms[form_id]

    def new_form_texts(self) -> list[Text]:
        """The texts of the forms that nobody has asked about."""
        files = self.contents.form_files
        new = [
            schema
            for form_id, schema in self.contents.forms.items()
            if self.contents.files[files[form_id]] not in _FORMS
        ]
        return [text for schema in new for text in form_texts(schema)]

    def given(self) -> list[Write]:
        """What every case holds from its start, and its forms beside it."""
        return [Write(name, ANY, "given") for name in (*self.catalogue.given, *self.catalogue.form_given)]

    def inputs(self, process: Process, node: Node) -> list[Write]:
        """What the input mappings make, for the node alone."""
        return _mapped(process, node, node.inputs, {})

    def result(self, process: Process, node: Node, called: Mapping[str, Shape] | None = None) -> Result:
        """What a node gives to the case. ``called`` is what the called process holds at its end."""
        raw = self.raw(process, node, called)
        if node.outputs:
            known = {one.name: one for one in raw.writes}
            return Result(tuple(_mapped(process, node, node.outputs, known)))
        return raw

    def raw(self, process: Process, node: Node, called: Mapping[str, Shape] | None = None) -> Result:
        """What a node has in hand before its output mappings."""
        if node.topic and node.kind not in ("userTask", "manualTask"):
            return self._service(process, node)
        if node.kind in ("userTask", "manualTask"):
            return self._form(process, node, node.form_id)
        if node.kind == "scriptTask" and node.result_variable:
            shape = parse(feel_of(node.script or "")).shape
            return Result((Write(node.result_variable, shape, "script", process.file, node.id, node.label),))
        if node.kind == "businessRuleTask":
            name = node.result_variable or node.decision_id or ""
            return Result((self._decision(process, node, name),)) if name else Result()
        if node.kind == "callActivity":
            return self._call(process, node, called)
        if node.event is not None and node.event.kind == "message" and node.kind in _CATCHING:
            return self._message(process, node)
        if node.event is not None and node.event.kind in ("error", "escalation") and node.kind in _CATCHING:
            return self._caught(process, node)
        if node.kind == "startEvent" and node.form_id:
            return self._form(process, node, node.form_id)
        return Result()

    def _form(self, process: Process, node: Node, form_id: str | None) -> Result:
        if not form_id:
            return Result()
        form = self.form(form_id)
        if form is None:
            return Result(open=True)
        file = self.contents.form_files[form_id]
        return Result(tuple(Write(n, s, "form", file, None, node.label) for n, s in form.writes.items()))

    def _service(self, process: Process, node: Node) -> Result:
        service = self.catalogue.services.get(node.topic or "")
        if service is None:
            return Result(open=True)
        return Result(tuple(Write(n, ANY, "service", process.file, node.id, node.label) for n in service.writes))

    def _decision(self, process: Process, node: Node, name: str) -> Write:
        decision = self.contents.decisions.get(node.decision_id or "")
        if decision is None:
            return Write(name, ANY, "table", process.file, node.id, node.label)
        return Write(
            name, table_shape(decision.model.nodes[decision.id]["logic"]), "table", "", decision.id, decision.name
        )

    def _call(self, process: Process, node: Node, called: Mapping[str, Shape] | None) -> Result:
        if is_expression(node.called_process) or node.called_process not in self.contents.processes:
            return Result(open=True)
        if called is None or not (node.outputs or node.propagate_children):
            return Result()
        label = self.contents.processes[node.called_process].label
        return Result(tuple(Write(n, s, "call", process.file, node.id, label) for n, s in called.items()))

    def _message(self, process: Process, node: Node) -> Result:
        assert node.event is not None
        name = node.event.message
        payloads = list(self._senders.get(name or "", ()))
        form = self.form(node.properties.get("form"))
        if form is not None:
            payloads.append(dict(form.writes))
        elif node.properties.get("sender"):
            payloads.append({})
        if not payloads:
            return Result(open=True)
        common = set(payloads[0]).intersection(*payloads[1:])
        writes = [Write(n, payloads[0][n], "message", process.file, node.id, name or "") for n in sorted(common)]
        return Result(tuple(writes))

    def _caught(self, process: Process, node: Node) -> Result:
        """What an error or escalation brings along: the input mappings of the ends that throw it."""
        assert node.event is not None
        found: dict[str, Write] = {}
        for thrower in (each for _, each in process.walk()):
            event = thrower.event
            if event is None or thrower.kind in _CATCHING or event.kind != node.event.kind:
                continue
            if node.event.code in (None, event.code):
                found |= {one.name: one for one in self.inputs(process, thrower)}
        return Result(tuple(found.values()))

    @cached_property
    def _senders(self) -> dict[str, list[dict[str, Shape]]]:
        """The payloads of each message that a diagram of the bundle sends: its input mappings, nothing else."""
        found: dict[str, list[dict[str, Shape]]] = {}
        for process in self.contents.processes.values():
            for _, node in process.walk():
                event = node.event
                if (
                    event is None
                    or event.kind != "message"
                    or not event.message
                    or node.kind in _CATCHING
                    or node.topic
                ):
                    continue
                payload = {one.name: one.shape for one in self.inputs(process, node)}
                found.setdefault(event.message, []).append(payload)
        return found


_CATCHING = ("startEvent", "intermediateCatchEvent", "boundaryEvent", "receiveTask")


def form_of(data: bytes) -> Form:
    """What a form file writes and reads, remembered by its content."""
    if data not in _FORMS:
        import json

        if len(_FORMS) > 500:
            _FORMS.clear()
        _FORMS[data] = read_form(json.loads(data))
    return _FORMS[data]


_FORMS: dict[bytes, Form] = {}


def table_shape(logic: Mapping[str, Any]) -> Shape:
    """What the result of a decision looks like."""
    if logic["kind"] == "literal":
        return parse(logic["text"]).shape
    if logic["kind"] != "table":
        return ANY
    table = logic["table"]
    if table["policy"] in ("SUM", "MIN", "MAX", "COUNT"):
        return Shape("number")
    outputs = table["outputs"]
    if len(outputs) == 1:
        one = Shape(TYPES.get(outputs[0]["type"] or "", "any"))
        return Shape("list") if table["policy"] in _LISTS else one
    members = {output["name"]: Shape(TYPES.get(output["type"] or "", "any")) for output in outputs}
    return Shape("list" if table["policy"] in _LISTS else "context", members)


_LISTS = ("COLLECT", "RULE ORDER", "OUTPUT ORDER")


def _mapped(process: Process, node: Node, mappings: Iterable[Any], known: Mapping[str, Write]) -> list[Write]:
    """What mappings write; one that hands on a result keeps the result's shape and source."""
    nested: dict[str, Any] = {}
    origin: dict[str, Write] = {}
    for mapping in mappings:
        parts = mapping.target.split(".")
        shape, source = _shape_of(mapping.source, known)
        put(nested, parts, shape)
        if source is not None:
            origin.setdefault(parts[0], source)
    found = []
    for name, shape in seal(nested).items():
        source = origin.get(name)
        if source is not None:
            found.append(Write(name, shape, source.kind, source.file, source.element_id, source.label))
        else:
            found.append(Write(name, shape, "mapping", process.file, node.id, node.label))
    return found


def _shape_of(value: str, known: Mapping[str, Write]) -> tuple[Shape, Write | None]:
    if not is_expression(value):
        return Shape("string"), None
    parsed = parse(feel_of(value))
    source = known.get(parsed.path[0]) if parsed.path else None
    if source is None:
        reads = [known[read.name] for read in parsed.reads if read.name in known]
        return parsed.shape, reads[0] if reads else None
    return source.shape.at(parsed.path[1:]) or ANY, source


def walk(contents: Contents) -> Iterator[tuple[Process, Node]]:
    """Every node of every process."""
    for process in contents.processes.values():
        for _, node in process.walk():
            yield process, node

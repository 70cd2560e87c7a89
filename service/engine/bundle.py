"""A bundle: the diagrams, tables, forms and templates that are deployed together and never change again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import PurePosixPath
from typing import Any

from service.english import is_file

from . import decisions, dmn, duties, english, tablecheck
from .decisions import Decision
from .model import Finding, Node, Process
from .nodes import ScopeSpec
from .parser import DiagramReader
from .specs import build

SUFFIXES = (".bpmn", ".dmn", ".form", ".docx")


def belongs(path: str) -> bool:
    """True for what cases run on or are read by; scenarios and notes may lie beside it."""
    return path.endswith(SUFFIXES) or is_file(path)


@dataclass(frozen=True, slots=True)
class StartInfo:
    """A way to start a process. kind: none | message | timer. ``timer`` is (date|duration|cycle, expression value)."""

    element_id: str
    kind: str
    form_id: str | None = None
    message_name: str | None = None
    correlation_key: str | None = None
    timer: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """What people see of a process before it is started."""

    id: str
    name: str
    version_tag: str | None
    documentation: str
    properties: Mapping[str, str]
    file: str
    start_events: tuple[StartInfo, ...]


@dataclass(slots=True)
class Contents:
    """The files of a bundle, read. ``findings`` holds what reading alone has found."""

    files: dict[str, bytes]
    processes: dict[str, Process] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    forms: dict[str, dict[str, Any]] = field(default_factory=dict)
    form_files: dict[str, str] = field(default_factory=dict)
    templates: dict[str, bytes] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def find(self, file: str, rule: str, zh: str, en: str, element_id: str | None = None) -> None:
        self.findings.append(Finding(file, element_id, rule, "error", zh, en))


def read_contents(files: Mapping[str, bytes]) -> Contents:
    """Read every file of a kind a bundle holds; others (scenarios, notes) are left out."""
    contents = Contents({p: files[p] for p in sorted(files) if belongs(p)})
    for path, data in contents.files.items():
        suffix = PurePosixPath(path).suffix
        if suffix == ".bpmn":
            _read_diagram(contents, path, data)
        elif suffix == ".dmn":
            _read_table(contents, path, data)
        elif suffix == ".form":
            _read_form(contents, path, data)
        elif suffix == ".docx":
            contents.templates[PurePosixPath(path).name] = data
    return contents


CLOSED = ("xml", "not-bpmn", "too-large", "form-structure")


def unreadable(path: str, data: bytes) -> Finding | None:
    """Why no editor opens a file: broken, or nested or drawn beyond what a browser bears. None where one may."""
    return next((one for one in read_contents({path: data}).findings if one.rule in CLOSED), None)


# Files come again and again while somebody edits the one beside them. What is read of them never changes.
@lru_cache(maxsize=128)
def _diagram(path: str, data: bytes) -> tuple[list[Finding], list[Process]]:
    reader = DiagramReader(path, data)
    return reader.findings, reader.processes


@lru_cache(maxsize=128)
def _table(data: bytes) -> tuple[list[dmn.Problem], dict[str, Decision]]:
    problems = decisions.check(data)
    try:
        return problems, decisions.read(data)
    except decisions.DecisionError:
        return problems, {}  # decisions.check has said what is wrong


@lru_cache(maxsize=128)
def table_remarks(data: bytes) -> tuple[tablecheck.Remark, ...]:
    """What to say about the tables of a DMN file that can be read."""
    problems, tables = _table(data)
    if problems:
        return ()
    found: list[tablecheck.Remark] = []
    for decision in tables.values():
        logic = decision.model.nodes[decision.id]["logic"]
        if logic["kind"] == "table":
            found += tablecheck.check(decision.id, decision.name, logic["table"])
    return tuple(found)


def _read_diagram(contents: Contents, path: str, data: bytes) -> None:
    findings, processes = _diagram(path, data)
    contents.findings.extend(findings)
    for process in processes:
        other = contents.processes.setdefault(process.id, process)
        if other is not process:
            contents.find(
                path,
                "process-duplicate",
                f"流程 id“{process.id}”已在 {other.file} 中使用。",
                f"The process id “{process.id}” is already used in {other.file}.",
                process.id,
            )


def _read_table(contents: Contents, path: str, data: bytes) -> None:
    problems, tables = _table(data)
    for element_id, rule, zh, en in problems:
        contents.find(path, rule, zh, en, element_id)
    for decision_id, decision in tables.items():
        if contents.decisions.setdefault(decision_id, decision) is not decision:
            contents.find(
                path,
                "decision-duplicate",
                f"决策 id“{decision_id}”重复。",
                f"The decision id “{decision_id}” is used twice.",
                decision_id,
            )


def _read_form(contents: Contents, path: str, data: bytes) -> None:
    try:
        schema = json.loads(data)
        form_id = schema["id"]
        components = schema["components"]
        if not isinstance(form_id, str) or not isinstance(components, list):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError):
        contents.find(
            path,
            "form",
            "不是有效的表单（应为 JSON，含 id 与 components）。",
            "Not a form (JSON with id and components is expected).",
        )
        return
    if _is_too_deep(components):
        contents.find(
            path,
            "form-structure",
            f"表单的组件嵌套超过 {MOST_NESTED} 层。",
            f"The form's components are nested deeper than {MOST_NESTED} levels.",
            form_id,
        )
        return
    if form_id in contents.forms:
        contents.find(
            path,
            "form-duplicate",
            f"表单 id“{form_id}”已在 {contents.form_files[form_id]} 中使用。",
            f"The form id “{form_id}” is already used in {contents.form_files[form_id]}.",
            form_id,
        )
        return
    contents.forms[form_id], contents.form_files[form_id] = schema, path


MOST_NESTED = 50


def _is_too_deep(components: list[Any]) -> bool:
    """Whether components lie in each other deeper than anybody draws; asked without recursion."""
    queue = [(components, 1)]
    while queue:
        values, depth = queue.pop()
        if depth > MOST_NESTED:
            return True
        for value in values:
            inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else None
            if inner:
                queue.append((inner, depth + (not isinstance(value, dict))))
    return False


def content_hash(files: Mapping[str, bytes]) -> str:
    """SHA-256 over the names and contents of what belongs to a bundle, in the order of the names.

    Scenarios may lie beside it and change: no case runs on them.
    """
    total = hashlib.sha256()
    for path in sorted(path for path in files if belongs(path)):
        total.update(f"{path}\0{hashlib.sha256(files[path]).hexdigest()}\n".encode())
    return total.hexdigest()


class Bundle:
    """What instances run on. It holds no state of any instance and may be shared by threads."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self.files = contents.files
        self.hash = content_hash(contents.files)
        self.findings = contents.findings
        self.models = contents.processes
        self.decisions = contents.decisions
        self.forms = contents.forms
        self.form_files = contents.form_files
        self.english = english.of(contents)
        self.templates = contents.templates
        self.specs: dict[str, ScopeSpec] = {}
        for process in contents.processes.values():
            self.specs.update(build(process))

    @cached_property
    def processes(self) -> dict[str, ProcessInfo]:
        return {
            p.id: ProcessInfo(
                p.id,
                p.name,
                p.version_tag,
                p.documentation,
                p.properties,
                p.file,
                tuple(_start(n) for n in p.start_events()),
            )
            for p in self.models.values()
        }

    @cached_property
    def decided(self) -> list[list[str]]:
        """The strings of every text that its decision tables may make."""
        return english.decided(self._contents)

    @cached_property
    def told(self) -> list[list[str]]:
        """The strings of every notice that it gives."""
        return english.told(self._contents)

    @cached_property
    def separations(self) -> dict[str, tuple[str, ...]]:
        """The steps (``process/element``) that nobody may do besides the named one, from both sides."""
        return duties.separations(self.models)

    def node(self, process_id: str, element_id: str) -> Node | None:
        """The node of a process, at any depth."""
        return self._nodes.get((process_id, element_id))

    @cached_property
    def _nodes(self) -> dict[tuple[str, str], Node]:
        return {(p.id, n.id): n for p in self.models.values() for _, n in p.walk()}


def _start(node: Node) -> StartInfo:
    event = node.event
    assert event is not None
    timer = (event.timer_kind, event.timer) if event.timer_kind and event.timer else None
    return StartInfo(node.id, event.kind, node.form_id, event.message, event.correlation_key, timer)

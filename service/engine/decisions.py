"""DMN decisions: read from XML, checked before they are deployed, evaluated in V8 beside FEEL.

Decision tables with all hit policies (U A P F R O C, C+ C< C> C#), literal and boxed expressions, required decisions
and business knowledge models, of DMN 1.1 to 1.5. The shape of a result is Camunda's: one output column gives its value,
several give a context, and R, O and C give lists. A violated table – two hits where one is allowed, a value that is not
among the allowed ones – raises DecisionError, with the decision and the rules by name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from lxml import etree

from service import workdays
from service.errors import ServiceError

from . import feel, isolate, xml

NAMESPACES = frozenset(
    f"http{s}://www.omg.org/spec/DMN/{version}/{file}"
    for s in ("", "s")
    for version, file in [
        ("20151101", "dmn.xsd"),
        ("20180521", "MODEL/"),
        ("20191111", "MODEL/"),
        ("20211108", "MODEL/"),
        ("20230324", "MODEL/"),
    ]
)
POLICIES = ("UNIQUE", "ANY", "PRIORITY", "FIRST", "RULE ORDER", "OUTPUT ORDER", "COLLECT")
AGGREGATIONS = ("SUM", "MIN", "MAX", "COUNT")

Problem = tuple[str, str, str, str]
"""Element id, rule, Chinese and English sentence."""


class DecisionError(ServiceError):
    """The decision cannot be made."""

    zh_default = "无法作出决策。"
    status = 422
    code = "decision"


@dataclass(frozen=True, eq=False)
class Model:
    """All decisions and knowledge models of one file, as V8 reads them."""

    nodes: Mapping[str, Mapping[str, Any]]

    @cached_property
    def json(self) -> str:
        return json.dumps({"nodes": self.nodes}, ensure_ascii=False, sort_keys=True)

    @cached_property
    def key(self) -> str:
        return hashlib.sha256(self.json.encode()).hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Decision:
    """One decision of a model. ``rules`` maps the id of each rule of its table to its number."""

    id: str
    name: str
    model: Model = field(repr=False)
    requires: tuple[str, ...] = ()

    @property
    def rules(self) -> Mapping[str, int]:
        logic = self.model.nodes[self.id]["logic"]
        rules = logic["table"]["rules"] if logic["kind"] == "table" else []
        return {rule["id"]: number for number, rule in enumerate(rules, 1)}


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One decision on the way to a result: what went into its table, which rules hit, what came out."""

    decision: str
    inputs: tuple[Any, ...]
    rules: tuple[str, ...]
    result: Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a decision, the rules of its own table that hit, and all decisions made for it, itself last."""

    result: Any
    rules: tuple[str, ...]
    decisions: tuple[Evaluated, ...]


def evaluate(
    decisions: Mapping[str, Decision], decision_id: str, variables: Mapping[str, Any], *, now: datetime
) -> Any:
    """The result of a decision."""
    return evaluate_detailed(decisions, decision_id, variables, now=now).result


def evaluate_detailed(
    decisions: Mapping[str, Decision], decision_id: str, variables: Mapping[str, Any], *, now: datetime
) -> Outcome:
    """The result of a decision, with the rules that led to it."""
    decision = decisions.get(decision_id)
    if decision is None:
        raise DecisionError(f"没有决策“{decision_id}”。", f"There is no decision “{decision_id}”.")
    model, calendar = decision.model, workdays.current()
    question = {
        "model": model.key,
        "decision": decision_id,
        "variables": feel.named_in(model.json, variables),
        "now": now.timestamp() * 1000,
        "calendar": calendar.key,
    }
    needs = [
        isolate.Kept("calendar", calendar.key, calendar.json),
        isolate.Kept("model", model.key, model.json),
    ]
    try:
        answer = isolate.call(feel.SCRIPT, "decide", question, needs=needs, seconds=2 * isolate.SECONDS)
    except (isolate.ScriptError, TypeError, ValueError) as error:
        failed = feel.failed(error)
        raise DecisionError(
            f"决策“{decision.name}”：{failed.zh}", f"Decision “{decision.name}”: {failed.en}"
        ) from error
    if "error" in answer:
        raise _violation(model, answer["error"])
    made = tuple(
        Evaluated(trace["decision"], tuple(trace["inputs"]), tuple(trace["rules"]), trace["value"])
        for trace in answer["traces"]
    )
    return Outcome(answer["value"], made[-1].rules, made)


def read(data: bytes) -> dict[str, Decision]:
    """The decisions of a DMN file by id. Raises DecisionError for what ``check`` finds in its structure."""
    nodes, problems = _read(data)
    if problems:
        _, _, zh, en = problems[0]
        raise DecisionError(zh, en)
    model = Model(nodes)
    return {
        node["id"]: Decision(node["id"], node["names"][0], model, tuple(node["requires"]))
        for node in nodes.values()
        if not node["knowledge"]
    }


def check(data: bytes) -> list[Problem]:
    """Everything that is wrong with a DMN file as far as one can see: its structure and the FEEL of every cell."""
    nodes, problems = _read(data)
    found = [cell for node in nodes.values() for cell in cells(node["logic"])]
    known = {name for node in nodes.values() if node["knowledge"] for name in node["names"]}
    known |= {name for node in nodes.values() for name in bound(node["logic"])}
    for cell, error in zip(found, feel.check_many([(kind, text) for _, kind, text in found], known), strict=True):
        if error:
            problems.append((cell[0], "feel", error.zh, error.en))
    return problems


# Sentences ------------------------------------------------------------------------------------------------------------


def _violation(model: Model, error: Mapping[str, Any]) -> DecisionError:
    node = model.nodes[error["decision"]]
    name = node["names"][0]
    zh, en = _what_happened(node, error)
    return DecisionError(
        f"决策“{name}”：{zh}", f"Decision “{name}”: {en}", decision=node["id"], rules=tuple(error.get("rules", ()))
    )


def _what_happened(node: Mapping[str, Any], error: Mapping[str, Any]) -> tuple[str, str]:
    kind = error["kind"]
    label, value = error.get("label", ""), _shown(error.get("value"))
    rows_zh, rows_en = _rows(node, error.get("rules", ()))
    if kind == "unique":
        return (
            f"命中策略为“唯一”，但{rows_zh}同时命中。",
            f"hit policy UNIQUE, yet {rows_en} hit at once.",
        )
    if kind == "any":
        return (
            f"命中策略为“任意”，但{rows_zh}的输出不一致。",
            f"hit policy ANY, yet {rows_en} give different outputs.",
        )
    if kind == "order":
        return (
            f"{rows_zh}的输出 {value} 不在“{label}”的输出值列表中，无法排序。",
            f"output {value} of {rows_en} is not among the output values of “{label}” and has no priority.",
        )
    if kind == "aggregate":
        return (
            f"{rows_zh}的输出无法按 {error['policy']} 汇总。",
            f"the outputs of {rows_en} cannot be aggregated by {error['policy']}.",
        )
    if kind == "type":
        return (
            f"“{label}”应为 {error['type']}，实为 {value}。",
            f"“{label}” should be of type {error['type']} but is {value}.",
        )
    if kind == "allowed":
        return (
            f"“{label}”的值 {value} 不在允许的范围 {error['allowed']} 内。",
            f"the value {value} of “{label}” is not among the allowed ones, {error['allowed']}.",
        )
    inner = feel.error_of(error["problem"], error.get("text", node["names"][0]))
    place_zh, place_en = _place(node, error.get("element"))
    return f"{place_zh}{inner.zh}", f"{place_en}{inner.en}"


def _rows(node: Mapping[str, Any], rules: Iterable[str]) -> tuple[str, str]:
    numbers = [str(number) for number, rule in enumerate(_rules(node), 1) if rule["id"] in set(rules)]
    english = f"{', '.join(numbers[:-1])} and {numbers[-1]}" if len(numbers) > 1 else "".join(numbers)
    return f"第 {'、'.join(numbers)} 行", f"row{'s' if len(numbers) > 1 else ''} {english}"


def _place(node: Mapping[str, Any], element: str | None) -> tuple[str, str]:
    for number, rule in enumerate(_rules(node), 1):
        for column, cell in enumerate(rule["inputs"] + rule["outputs"], 1):
            if cell["id"] == element:
                return f"第 {number} 行第 {column} 列：", f"row {number}, column {column}: "
    return "", ""


def _rules(node: Mapping[str, Any]) -> list[dict[str, Any]]:
    logic = node["logic"]
    return logic["table"]["rules"] if logic["kind"] == "table" else []


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:79]}…"


# Reading --------------------------------------------------------------------------------------------------------------


def _read(data: bytes) -> tuple[dict[str, dict[str, Any]], list[Problem]]:
    try:
        root = xml.parse(data)
    except xml.UnsafeXml as error:
        return {}, [("", "xml", error.zh, error.en)]
    name = etree.QName(root)
    if name.localname != "definitions" or name.namespace not in NAMESPACES:
        return {}, [("", "dmn-namespace", "这不是 DMN 1.1–1.5 文件。", "This is not a DMN 1.1 to 1.5 file.")]
    reader = _Reader(root, str(name.namespace))
    return reader.nodes, reader.problems


def cells(logic: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Every FEEL text of a logic with its element id and kind."""
    kind = logic["kind"]
    if kind == "literal":
        yield logic["id"], "expression", logic["text"]
    elif kind == "table":
        yield from _table_cells(logic["table"])
    elif kind == "invocation":
        yield logic["id"], "expression", logic["function"]
    for part in _parts(logic):
        yield from cells(part)


def _table_cells(table: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for column in table["inputs"]:
        yield column["id"], "expression", column["text"]
    for column in table["inputs"] + table["outputs"]:
        if column["values"]:
            yield column["id"], "test", column["values"]
        if column.get("default"):
            yield column["id"], "expression", column["default"]
    for rule in table["rules"]:
        yield from ((cell["id"], "test", cell["text"]) for cell in rule["inputs"] if cell["text"] not in ("", "-"))
        yield from ((cell["id"], "expression", cell["text"]) for cell in rule["outputs"] if cell["text"])


def _parts(logic: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The logics inside a logic."""
    match logic["kind"]:
        case "context":
            return [entry["logic"] for entry in logic["entries"]]
        case "invocation":
            return [binding["logic"] for binding in logic["bindings"]]
        case "function":
            return [logic["body"]]
        case "list":
            return list(logic["items"])
        case "relation":
            return [cell for row in logic["rows"] for cell in row]
        case "if":
            return [logic["condition"], logic["yes"], logic["no"]]
    return []


def bound(logic: Mapping[str, Any]) -> Iterator[str]:
    """Names inside a logic that may hold functions."""
    if logic["kind"] == "context":
        yield from (entry["name"] for entry in logic["entries"] if entry["name"])
    if logic["kind"] == "function":
        yield from logic["parameters"]
    for part in _parts(logic):
        yield from bound(part)


class _Reader:
    """Turns the elements of a DMN file into what V8 evaluates, and notes what is wrong with them."""

    def __init__(self, root: etree._Element, namespace: str) -> None:
        self.namespace = namespace
        self.problems: list[Problem] = []
        self.nodes: dict[str, dict[str, Any]] = {}
        self._ids: set[str] = set()
        self._types = {item.get("name", ""): item for item in self._all(root, "itemDefinition")}
        self._inputs = {element.get("id", ""): element for element in self._all(root, "inputData")}
        self._language(root)
        for element in [*self._all(root, "decision"), *self._all(root, "businessKnowledgeModel")]:
            self._node(element)
        if not self.nodes:
            self._wrong(root, "dmn-empty", "文件中没有决策。", "The file has no decision.")
        for node in self.nodes.values():
            self._requirements(node)
        self._cycles()

    # Elements

    def _all(self, parent: etree._Element, name: str) -> list[etree._Element]:
        return list(parent.findall(f"{{{self.namespace}}}{name}"))

    def _one(self, parent: etree._Element | None, name: str) -> etree._Element | None:
        return None if parent is None else parent.find(f"{{{self.namespace}}}{name}")

    def _text(self, parent: etree._Element | None, name: str = "text") -> str:
        element = self._one(parent, name)
        return "" if element is None else (element.text or "").strip()

    def _wrong(self, element: etree._Element | str, rule: str, zh: str, en: str) -> None:
        self.problems.append((element if isinstance(element, str) else element.get("id", ""), rule, zh, en))

    def _language(self, element: etree._Element) -> None:
        language = element.get("expressionLanguage", "")
        if language and not language.rstrip("/").lower().endswith("feel"):
            self._wrong(
                element,
                "dmn-language",
                f"表达式语言“{language}”不受支持，只能使用 FEEL。",
                f"The expression language “{language}” is not supported; only FEEL is.",
            )

    def _node(self, element: etree._Element) -> None:
        knowledge = etree.QName(element).localname == "businessKnowledgeModel"
        node_id, name = element.get("id", ""), element.get("name", "")
        variable = self._one(element, "variable")
        if not node_id or node_id in self._ids:
            self._wrong(
                element,
                "dmn-id",
                f"决策“{name}”的 id “{node_id}”缺失或重复。",
                f"The id “{node_id}” of decision “{name}” is missing or used twice.",
            )
            return
        self._ids.add(node_id)
        names = [name, variable.get("name", "") if variable is not None else "", node_id]
        required = [
            (requirement, target.get("href", "").rpartition("#")[2])
            for requirement in element
            if isinstance(requirement.tag, str) and requirement.tag.endswith("Requirement")
            for target in requirement
            if isinstance(target.tag, str) and etree.QName(target).localname.startswith("required")
        ]
        self.nodes[node_id] = {
            "id": node_id,
            "knowledge": knowledge,
            "names": list(dict.fromkeys(each for each in names if each)),
            "requires": [target for _, target in required if target not in self._inputs],
            "inputs": [self._input_data(self._inputs[target]) for _, target in required if target in self._inputs],
            "logic": self._knowledge(element) if knowledge else self._only_logic(element, element),
        }

    def _input_data(self, element: etree._Element) -> dict[str, Any]:
        variable = self._one(element, "variable")
        name = element.get("name", "")
        names = [variable.get("name", "") if variable is not None else "", name]
        reference = variable.get("typeRef") if variable is not None else None
        kind, values = self._type(reference)
        return {"names": list(dict.fromkeys(each for each in names if each)), "type": kind, "values": values}

    def _type(self, reference: str | None) -> tuple[str | None, str | None]:
        """The built-in type behind a reference, and the values it allows."""
        values: str | None = None
        for _ in range(20):
            item = self._types.get((reference or "").rpartition(":")[2])
            if item is None:
                return reference, values
            if item.get("isCollection") == "true" or self._all(item, "itemComponent"):
                return None, None
            values = values or self._text(self._one(item, "allowedValues")) or None
            reference = self._text(item, "typeRef") or None
        return None, None

    def _knowledge(self, element: etree._Element) -> dict[str, Any]:
        function = self._one(element, "encapsulatedLogic")
        if function is None:
            self._no_logic(element)
            return {"kind": "function", "parameters": [], "body": _nothing(element)}
        return self._function(function)

    def _function(self, element: etree._Element) -> dict[str, Any]:
        if element.get("kind", "FEEL") != "FEEL":
            self._wrong(element, "dmn-function", "只支持 FEEL 函数。", "Only FEEL functions are supported.")
        parameters = [parameter.get("name", "") for parameter in self._all(element, "formalParameter")]
        return {"kind": "function", "parameters": parameters, "body": self._only_logic(element, element)}

    # Logic

    def _only_logic(self, parent: etree._Element, owner: etree._Element) -> dict[str, Any]:
        for child in parent:
            if isinstance(child.tag, str) and (logic := self._logic(child)) is not None:
                return logic
        self._no_logic(owner)
        return _nothing(owner)

    def _no_logic(self, owner: etree._Element) -> None:
        name = owner.get("name") or owner.get("id", "")
        self._wrong(
            owner,
            "dmn-logic",
            f"“{name}”没有可执行的内容（决策表或表达式）。",
            f"“{name}” has no logic: a decision table or an expression.",
        )

    def _logic(self, element: etree._Element) -> dict[str, Any] | None:
        self._language(element)
        match etree.QName(element).localname:
            case "literalExpression":
                return {"kind": "literal", "id": element.get("id", ""), "text": self._text(element)}
            case "decisionTable":
                return {"kind": "table", "table": self._table(element)}
            case "context":
                return {
                    "kind": "context",
                    "entries": [self._entry(each) for each in self._all(element, "contextEntry")],
                }
            case "invocation":
                return self._invocation(element)
            case "functionDefinition":
                return self._function(element)
            case "list":
                return {"kind": "list", "items": self._logics(element)}
            case "relation":
                return {
                    "kind": "relation",
                    "columns": [column.get("name", "") for column in self._all(element, "column")],
                    "rows": [self._logics(row) for row in self._all(element, "row")],
                }
            case "conditional":
                parts = [self._one(element, part) for part in ("if", "then", "else")]
                logics = [_nothing(element) if part is None else self._only_logic(part, element) for part in parts]
                return {"kind": "if", "condition": logics[0], "yes": logics[1], "no": logics[2]}
            case "for" | "every" | "some" | "filter" as name:
                self._wrong(
                    element,
                    "dmn-boxed",
                    f"框式表达式“{name}”不受支持，请用 FEEL 书写。",
                    f"The boxed expression “{name}” is not supported; write it in FEEL.",
                )
                return _nothing(element)
        return None

    def _logics(self, element: etree._Element) -> list[dict[str, Any]]:
        logics = [self._logic(child) for child in element if isinstance(child.tag, str)]
        return [logic for logic in logics if logic is not None]

    def _entry(self, element: etree._Element) -> dict[str, Any]:
        variable = self._one(element, "variable")
        name = variable.get("name") if variable is not None else None
        return {"name": name, "logic": self._only_logic(element, element)}

    def _invocation(self, element: etree._Element) -> dict[str, Any]:
        bindings = []
        for binding in self._all(element, "binding"):
            parameter = self._one(binding, "parameter")
            name = parameter.get("name", "") if parameter is not None else ""
            bindings.append({"name": name, "logic": self._only_logic(binding, element)})
        return {
            "kind": "invocation",
            "id": element.get("id", ""),
            "function": self._text(self._one(element, "literalExpression")),
            "bindings": bindings,
        }

    # Tables

    def _table(self, element: etree._Element) -> dict[str, Any]:
        table_id = element.get("id", "")
        inputs = [self._input(each, f"{table_id}_input{n}") for n, each in enumerate(self._all(element, "input"), 1)]
        outputs = [
            self._output(each, f"{table_id}_output{n}") for n, each in enumerate(self._all(element, "output"), 1)
        ]
        rules = [self._rule(each, f"{table_id}_rule{n}") for n, each in enumerate(self._all(element, "rule"), 1)]
        table = {"policy": self._policy(element, outputs), "inputs": inputs, "outputs": outputs, "rules": rules}
        self._columns(element, table)
        return table

    def _policy(self, element: etree._Element, outputs: list[dict[str, Any]]) -> str:
        policy = element.get("hitPolicy", "UNIQUE")
        aggregation = element.get("aggregation")
        if policy not in POLICIES or (aggregation and (policy != "COLLECT" or aggregation not in AGGREGATIONS)):
            self._wrong(
                element,
                "dmn-hit-policy",
                f"命中策略“{policy} {aggregation or ''}”不存在。",
                f"There is no hit policy “{policy} {aggregation or ''}”.",
            )
            return "UNIQUE"
        if aggregation and aggregation != "COUNT" and len(outputs) != 1:
            self._wrong(
                element,
                "dmn-aggregation",
                f"按 {aggregation} 汇总的决策表只能有一个输出列。",
                f"A table aggregated by {aggregation} can have only one output column.",
            )
        if policy in ("PRIORITY", "OUTPUT ORDER") and not any(output["values"] for output in outputs):
            self._wrong(
                element,
                "dmn-priority",
                f"命中策略 {policy} 需要列出输出值及其先后。",
                f"Hit policy {policy} needs output values in their order.",
            )
        return aggregation or policy

    def _input(self, element: etree._Element, fallback: str) -> dict[str, Any]:
        expression = self._one(element, "inputExpression")
        if expression is not None:
            self._language(expression)
        text = self._text(expression)
        kind, values = self._type(expression.get("typeRef") if expression is not None else None)
        return {
            "id": element.get("id") or fallback,
            "label": element.get("label") or text,
            "text": text,
            "type": kind,
            "values": self._text(self._one(element, "inputValues")) or values,
        }

    def _output(self, element: etree._Element, fallback: str) -> dict[str, Any]:
        kind, values = self._type(element.get("typeRef"))
        return {
            "id": element.get("id") or fallback,
            "name": element.get("name") or element.get("label") or "",
            "type": kind,
            "values": self._text(self._one(element, "outputValues")) or values,
            "default": self._text(self._one(element, "defaultOutputEntry")) or None,
        }

    def _rule(self, element: etree._Element, fallback: str) -> dict[str, Any]:
        rule_id = element.get("id") or fallback
        return {
            "id": rule_id,
            "inputs": [
                self._cell(each, f"{rule_id}_in{n}") for n, each in enumerate(self._all(element, "inputEntry"), 1)
            ],
            "outputs": [
                self._cell(each, f"{rule_id}_out{n}") for n, each in enumerate(self._all(element, "outputEntry"), 1)
            ],
        }

    def _cell(self, element: etree._Element, fallback: str) -> dict[str, str]:
        self._language(element)
        return {"id": element.get("id") or fallback, "text": self._text(element)}

    def _columns(self, element: etree._Element, table: dict[str, Any]) -> None:
        outputs = [output["name"] for output in table["outputs"]]
        if not outputs:
            self._wrong(element, "dmn-outputs", "决策表没有输出列。", "The table has no output column.")
        if len(outputs) > 1 and ("" in outputs or len(set(outputs)) < len(outputs)):
            self._wrong(
                element,
                "dmn-output-names",
                "有多个输出列时，每列都要有不同的名称。",
                "With several output columns each needs a name of its own.",
            )
        for column in table["inputs"]:
            if not column["text"]:
                self._wrong(
                    column["id"],
                    "dmn-input",
                    f"输入列“{column['label']}”没有表达式。",
                    f"Input column “{column['label']}” has no expression.",
                )
        for number, rule in enumerate(table["rules"], 1):
            if len(rule["inputs"]) != len(table["inputs"]) or len(rule["outputs"]) != len(outputs):
                self._wrong(
                    rule["id"],
                    "dmn-cells",
                    f"第 {number} 行的单元格数与列数不符。",
                    f"Row {number} does not have one cell for each column.",
                )

    # Requirements

    def _requirements(self, node: dict[str, Any]) -> None:
        for target in list(node["requires"]):
            if target not in self.nodes:
                node["requires"].remove(target)
                self._wrong(
                    node["id"],
                    "dmn-requirement",
                    f"“{node['names'][0]}”所需的“{target}”不存在。",
                    f"“{node['names'][0]}” requires “{target}”, which does not exist.",
                )

    def _cycles(self) -> None:
        state: dict[str, int] = {}
        for start in self.nodes:
            stack = [(start, iter(self.nodes[start]["requires"]))] if start not in state else []
            if stack:
                state[start] = 1
            while stack:
                current, targets = stack[-1]
                target = next(targets, None)
                if target is None:
                    state[current] = 2
                    stack.pop()
                elif target not in state:
                    state[target] = 1
                    stack.append((target, iter(self.nodes[target]["requires"])))
                elif state[target] == 1:
                    self._wrong(
                        current,
                        "dmn-cycle",
                        f"决策之间循环依赖：“{current}”需要“{target}”。",
                        f"The decisions require each other in a circle: “{current}” requires “{target}”.",
                    )


def _nothing(element: etree._Element) -> dict[str, Any]:
    return {"kind": "literal", "id": element.get("id", ""), "text": "null"}

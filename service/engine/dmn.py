"""DMN files: the decisions of DMN 1.1 to 1.5 as V8 evaluates them, and what is wrong with their structure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from . import xml

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


def parse(data: bytes) -> tuple[dict[str, dict[str, Any]], list[Problem]]:
    """The nodes of a DMN file (decisions, knowledge models, inputs) by id, and what is wrong with its structure."""
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

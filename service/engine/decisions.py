"""DMN decisions: read from XML, checked before they are deployed, evaluated in V8 beside FEEL.

Decision tables with all hit policies (U A P F R O C, C+ C< C> C#), literal and boxed expressions, required decisions
and business knowledge models, of DMN 1.1 to 1.5. The shape of a result is Camunda's: one output column gives its value,
several give a context, and R, O and C give lists. A violated table – two hits where one is allowed, a value that is not
among the allowed ones – raises DecisionError, with the decision and the rules by name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from service import workdays
from service.errors import ServiceError

from . import feel, isolate
from .dmn import Problem, bound, cells, parse


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

    @property
    def columns(self) -> frozenset[str]:
        """What the columns of its table are called: inputs by their label, outputs by their name."""
        logic = self.model.nodes[self.id]["logic"]
        if logic["kind"] != "table":
            return frozenset()
        table = logic["table"]
        return frozenset({one["label"] for one in table["inputs"]} | {one["name"] for one in table["outputs"]})


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
    nodes, problems = parse(data)
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
    nodes, problems = parse(data)
    found = [cell for node in nodes.values() for cell in cells(node["logic"])]
    known = {name for node in nodes.values() if node["knowledge"] for name in node["names"]}
    known |= {name for node in nodes.values() for name in bound(node["logic"])}
    for cell, error in zip(found, feel.check_many([(kind, text) for _, kind, text in found], known), strict=True):
        if error:
            problems.append((cell[0], "feel", error.zh, error.en))
    return problems


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

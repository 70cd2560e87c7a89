"""Decision tables: columns, hit policies, rows and cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import xml
from ..bundle import Contents
from ..decisions import Decision
from .changes import Comparison, arrow, shown


def compare(made: Comparison, old: Contents, new: Contents) -> None:
    """Compare every decision that is in one of the bundles."""
    labels = {**_labels(old), **_labels(new)}
    for decision_id in sorted(set(old.decisions) | set(new.decisions)):
        one, other = old.decisions.get(decision_id), new.decisions.get(decision_id)
        file = _file(new if other is not None else old, decision_id)
        if one is None and other is not None:
            made.add(file, decision_id, "added", f"新增决策“{other.name}”", f"New decision “{other.name}”")
        elif other is None and one is not None:
            made.add(file, decision_id, "removed", f"删除决策“{one.name}”", f"Decision “{one.name}” removed")
        elif one is not None and other is not None and _node(one) != _node(other):
            _decision(made, file, one, other, labels)


def _file(contents: Contents, decision_id: str) -> str:
    marker = f'"{decision_id}"'.encode()
    files = (path for path, data in contents.files.items() if path.endswith(".dmn") and marker in data)
    return next(files, "")


def _labels(contents: Contents) -> dict[str, str]:
    """The headings of columns, by their ids; what V8 evaluates does without them."""
    found: dict[str, str] = {}
    for path, data in contents.files.items():
        if path.endswith(".dmn"):
            try:
                root = xml.parse(data)
            except xml.UnsafeXml:
                continue
            for element in root.iter("{*}input", "{*}output"):
                if element.get("id") and element.get("label"):
                    found[str(element.get("id"))] = str(element.get("label"))
    return found


def _labelled(table: Mapping[str, Any], labels: Mapping[str, str]) -> Mapping[str, Any]:
    return {
        **table,
        **{kind: [{"label": labels.get(c["id"]), **c} for c in table[kind]] for kind in ("inputs", "outputs")},
    }


def _node(decision: Decision) -> Mapping[str, Any]:
    return decision.model.nodes[decision.id]


def _decision(made: Comparison, file: str, old: Decision, new: Decision, labels: Mapping[str, str]) -> None:
    said = len(made.changes)
    one, other = _node(old), _node(new)
    if old.name != new.name:
        made.add(
            file,
            new.id,
            "changed",
            f"决策改名：{arrow(old.name, new.name)}",
            f"Decision renamed: {arrow(old.name, new.name, english=True)}",
        )
    if old.requires != new.requires:
        made.add(
            file,
            new.id,
            "changed",
            f"“{new.name}”依据的决策 {arrow('、'.join(old.requires), '、'.join(new.requires))}",
            f"“{new.name}” requires {arrow(', '.join(old.requires), ', '.join(new.requires), english=True)}",
        )
    before, after = one["logic"], other["logic"]
    if before["kind"] == after["kind"] == "table":
        _table(made, file, new.name, _labelled(before["table"], labels), _labelled(after["table"], labels))
    elif before["kind"] == after["kind"] == "literal" and before["text"] != after["text"]:
        made.add(
            file,
            new.id,
            "changed",
            f"“{new.name}”的表达式 {arrow(before['text'], after['text'])}",
            f"Expression of “{new.name}”: {arrow(before['text'], after['text'], english=True)}",
        )
    if said == len(made.changes):
        made.add(file, new.id, "changed", f"决策“{new.name}”有变化", f"The decision “{new.name}” differs")


def _table(made: Comparison, file: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    policies = [" ".join(filter(None, (table["policy"], table.get("aggregation")))) for table in (old, new)]
    if policies[0] != policies[1]:
        made.add(
            file,
            new.get("id"),
            "changed",
            f"“{name}”命中策略 {policies[0]} → {policies[1]}",
            f"“{name}”: hit policy {policies[0]} → {policies[1]}",
        )
    columns = {}
    for kind, zh, en in (("inputs", "条件列", "input column"), ("outputs", "结果列", "output column")):
        columns[kind] = _columns(made, file, name, old[kind], new[kind], zh, en)
    _rules(made, file, name, old, new, columns)


def _label(column: Mapping[str, Any]) -> str:
    return str(column.get("label") or column.get("name") or column.get("text") or column["id"])


def _columns(
    made: Comparison,
    file: str,
    name: str,
    old: list[Mapping[str, Any]],
    new: list[Mapping[str, Any]],
    zh: str,
    en: str,
) -> dict[str, tuple[int, int]]:
    """The columns both have: id -> place before and after."""
    before, after = {c["id"]: c for c in old}, {c["id"]: c for c in new}
    for column_id in [*before, *(c for c in after if c not in before)]:
        one, other = before.get(column_id), after.get(column_id)
        if one is None and other is not None:
            made.add(
                file, column_id, "added", f"“{name}”新增{zh}“{_label(other)}”", f"“{name}”: new {en} “{_label(other)}”"
            )
        elif other is None and one is not None:
            made.add(
                file,
                column_id,
                "removed",
                f"“{name}”删除{zh}“{_label(one)}”",
                f"“{name}”: {en} “{_label(one)}” removed",
            )
        elif one is not None and other is not None and one != other:
            parts = [key for key in sorted(set(one) | set(other)) if one.get(key) != other.get(key)]
            for key in parts:
                made.add(
                    file,
                    column_id,
                    "changed",
                    f"“{name}”{zh}“{_label(other)}”的{_KEYS.get(key, key)} {arrow(one.get(key), other.get(key))}",
                    f"“{name}”: {key} of {en} “{_label(other)}” {arrow(one.get(key), other.get(key), english=True)}",
                )
    order, others = [c["id"] for c in old], [c["id"] for c in new]
    return {c: (order.index(c), others.index(c)) for c in order if c in after}


_KEYS = {
    "label": "名称",
    "name": "变量名",
    "text": "表达式",
    "type": "类型",
    "values": "可能的值",
    "default": "默认值",
}


def _rules(
    made: Comparison,
    file: str,
    name: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    columns: Mapping[str, Mapping[str, tuple[int, int]]],
) -> None:
    before = {rule["id"]: (number, rule) for number, rule in enumerate(old["rules"], 1)}
    after = {rule["id"]: (number, rule) for number, rule in enumerate(new["rules"], 1)}
    for rule_id, (number, rule) in after.items():
        if rule_id not in before:
            text = _row(new, rule)
            made.add(
                file, rule_id, "added", f"“{name}”新增第 {number} 行：{text}", f"“{name}”: new row {number}: {text}"
            )
    for rule_id, (number, rule) in before.items():
        if rule_id not in after:
            text = _row(old, rule)
            made.add(
                file,
                rule_id,
                "removed",
                f"“{name}”删除第 {number} 行：{text}",
                f"“{name}”: row {number} removed: {text}",
            )
    for rule_id, (number, rule) in after.items():
        if rule_id in before:
            _cells(made, file, name, number, before[rule_id][1], rule, old, new, columns)
    kept = [rule_id for rule_id in after if rule_id in before]
    if kept != sorted(kept, key=lambda rule_id: before[rule_id][0]):
        made.add(
            file, new.get("id"), "changed", f"“{name}”各行的顺序有变化", f"The rows of “{name}” are in another order"
        )


def _row(table: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
    conditions = [
        f"{_label(column)} {shown(cell['text'])}"
        for column, cell in zip(table["inputs"], rule["inputs"], strict=False)
        if cell["text"] not in ("", "-")
    ]
    results = [
        f"{_label(column)} {shown(cell['text'])}"
        for column, cell in zip(table["outputs"], rule["outputs"], strict=False)
        if cell["text"]
    ]
    return f"{'，'.join(conditions) or '任何情况'} ⇒ {'，'.join(results) or '—'}"


def _cells(
    made: Comparison,
    file: str,
    name: str,
    number: int,
    one: Mapping[str, Any],
    other: Mapping[str, Any],
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    columns: Mapping[str, Mapping[str, tuple[int, int]]],
) -> None:
    for kind in ("inputs", "outputs"):
        for column_id, (here, there) in columns[kind].items():
            before, after = one[kind][here], other[kind][there]
            if (before["text"] or "-") == (after["text"] or "-"):
                continue
            label = _label(next(c for c in new[kind] if c["id"] == column_id))
            made.add(
                file,
                after["id"],
                "changed",
                f"“{name}”第 {number} 行“{label}” {arrow(before['text'], after['text'])}",
                f"“{name}”, row {number}, “{label}”: {arrow(before['text'], after['text'], english=True)}",
                old=before["text"],
                new=after["text"],
            )
            made.mark(file, other["id"], "changed")

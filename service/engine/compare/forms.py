"""Forms: fields added, removed and changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..bundle import Contents
from .changes import Comparison, arrow

KINDS: dict[str, tuple[str, str]] = {
    "textfield": ("文本框", "text field"),
    "textarea": ("多行文本", "text area"),
    "number": ("数字", "number"),
    "datetime": ("日期", "date"),
    "checkbox": ("复选框", "checkbox"),
    "checklist": ("多选", "checklist"),
    "radio": ("单选", "radio buttons"),
    "select": ("下拉选择", "select"),
    "taglist": ("标签多选", "tag list"),
    "text": ("文字说明", "text"),
    "html": ("HTML", "HTML"),
    "image": ("图片", "image"),
    "table": ("表格", "table"),
    "group": ("分组", "group"),
    "dynamiclist": ("列表", "list"),
    "attachments": ("附件", "attachments"),
    "expression": ("计算字段", "expression"),
    "button": ("按钮", "button"),
    "spacer": ("空白", "spacer"),
    "separator": ("分隔线", "separator"),
}
NAMES: dict[str, tuple[str, str]] = {
    "label": ("标签", "label"),
    "description": ("填写说明", "description"),
    "key": ("变量名", "key"),
    "path": ("路径", "path"),
    "text": ("文字", "text"),
    "type": ("类型", "type"),
    "values": ("选项", "options"),
    "valuesKey": ("选项变量", "options from"),
    "valuesExpression": ("选项表达式", "options expression"),
    "defaultValue": ("默认值", "default value"),
    "disabled": ("停用", "disabled"),
    "readonly": ("只读", "read-only"),
    "accept": ("允许的类型", "types"),
    "maxFiles": ("最多几个", "at most"),
    "multiple": ("可传多个", "several"),
    "dataSource": ("数据来源", "data source"),
    "columns": ("各列", "columns"),
    "validate.required": ("必填", "required"),
    "validate.minLength": ("最少字数", "minimum length"),
    "validate.maxLength": ("最多字数", "maximum length"),
    "validate.min": ("最小值", "minimum"),
    "validate.max": ("最大值", "maximum"),
    "validate.pattern": ("格式", "pattern"),
    "validate.minFiles": ("至少几个", "at least"),
    "conditional.hide": ("隐藏条件", "hidden if"),
}
QUIET = {"id", "components"}
LAYOUT = {"layout", "appearance", "properties", "exporter", "schemaVersion"}


def compare(made: Comparison, old: Contents, new: Contents) -> None:
    """Compare every form that is in one of the bundles."""
    for form_id in sorted(set(old.forms) | set(new.forms)):
        one, other = old.forms.get(form_id), new.forms.get(form_id)
        if one is None and other is not None:
            made.add(new.form_files[form_id], form_id, "added", f"新增表单“{form_id}”", f"New form “{form_id}”")
        elif other is None and one is not None:
            made.add(old.form_files[form_id], form_id, "removed", f"删除表单“{form_id}”", f"Form “{form_id}” removed")
        elif one is not None and other is not None and one != other:
            _form(made, new.form_files[form_id], form_id, one, other)


def _form(made: Comparison, file: str, form_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    said = len(made.changes)
    before, after = dict(_fields(old)), dict(_fields(new))
    pairs = _paired(before, after)
    for field_id, (field, _) in before.items():
        if field_id not in pairs:
            zh, en = _kind(field)
            made.add(
                file,
                field_id,
                "removed",
                f"表单“{form_id}”删除{zh}“{_label(field)}”",
                f"Form “{form_id}”: {en} “{_label(field)}” removed",
            )
    known = set(pairs.values())
    for field_id, (field, _) in after.items():
        if field_id not in known:
            zh, en = _kind(field)
            need = "（必填）" if _get(field, "validate.required") else ""
            made.add(
                file,
                field_id,
                "added",
                f"表单“{form_id}”新增{zh}“{_label(field)}”{need}",
                f"Form “{form_id}”: new {en} “{_label(field)}”",
            )
    for old_id, new_id in pairs.items():
        _field(made, file, form_id, new_id, before[old_id], after[new_id])
    kept = [pairs[field_id] for field_id in before if field_id in pairs]
    if kept != [field_id for field_id in after if field_id in known]:
        made.add(
            file, None, "changed", f"表单“{form_id}”的字段顺序有变化", f"The fields of “{form_id}” are in another order"
        )
    if said == len(made.changes):
        made.add(
            file, None, "layout", f"表单“{form_id}”只有版式上的变化", f"The form “{form_id}” differs only in layout"
        )


def _fields(schema: Mapping[str, Any], inside: str = "") -> Iterator[tuple[str, tuple[Mapping[str, Any], str]]]:
    """Every component by its id, with where it lies."""
    for number, component in enumerate(schema.get("components") or ()):
        if not isinstance(component, Mapping):
            continue
        field_id = str(component.get("id") or f"{inside}/{component.get('key', number)}")
        yield field_id, (component, inside)
        if component.get("components"):
            yield from _fields(component, str(component.get("key") or component.get("path") or field_id))


def _paired(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """The same field in both: by its id, or else by its key in the same place."""
    pairs = {field_id: field_id for field_id in before if field_id in after}
    keys = {(field.get("key"), inside): field_id for field_id, (field, inside) in after.items() if field.get("key")}
    taken = set(pairs.values())
    for field_id, (field, inside) in before.items():
        other = keys.get((field.get("key"), inside))
        if field_id not in pairs and other is not None and other not in taken:
            pairs[field_id] = other
            taken.add(other)
    return pairs


def _field(
    made: Comparison,
    file: str,
    form_id: str,
    field_id: str,
    old: tuple[Mapping[str, Any], str],
    new: tuple[Mapping[str, Any], str],
) -> None:
    (one, inside), (other, there) = old, new
    label = _label(other)
    if inside != there:
        made.add(
            file,
            field_id,
            "changed",
            f"表单“{form_id}”的“{label}”移到另一分组",
            f"Form “{form_id}”: “{label}” moved to another group",
        )
    before, after = _flat(one), _flat(other)
    for name in [*before, *(n for n in after if n not in before)]:
        if before.get(name) == after.get(name):
            continue
        if name.partition(".")[0] in LAYOUT:
            made.mark(file, field_id, "layout")
            continue
        zh, en = NAMES.get(name, (name, name))
        values = [_shown(field.get(name)) for field in (before, after)]
        made.add(
            file,
            field_id,
            "changed",
            f"表单“{form_id}”的“{label}”{zh} {arrow(values[0], values[1])}",
            f"Form “{form_id}”, “{label}”: {en} {arrow(values[0], values[1], english=True)}",
            what=name,
        )


def _flat(field: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in field.items():
        if name in QUIET:
            continue
        if name in ("validate", "conditional") and isinstance(value, Mapping):
            flat.update({f"{name}.{key}": inner for key, inner in value.items()})
        else:
            flat[name] = value
    return flat


def _get(field: Mapping[str, Any], path: str) -> Any:
    return _flat(field).get(path)


def _shown(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(one, Mapping) and "label" in one for one in value):
        return "、".join(str(one["label"]) for one in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _kind(field: Mapping[str, Any]) -> tuple[str, str]:
    kind = str(field.get("type", ""))
    return KINDS.get(kind, (kind, kind))


def _label(field: Mapping[str, Any]) -> str:
    text = field.get("label") or field.get("text") or field.get("key") or field.get("id") or ""
    text = " ".join(str(text).split())
    return text if len(text) <= 40 else f"{text[:39]}…"

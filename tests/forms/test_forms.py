"""Every form of the project: form-js takes it, its keys and expressions are sound, and it says where it comes from."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service import forms
from service.engine import feel
from service.traceability import REFERENCE

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "forms").rglob("*.form"))
TYPES = {
    "attachments", "checkbox", "checklist", "datetime", "dynamiclist", "expression", "group", "number", "radio", "select", "table",
    "taglist", "text", "textarea", "textfield",
}  # fmt: skip
EXPRESSIONS = ("label", "description", "text", "dataSource", "valuesExpression", "readonly", "columnsExpression")


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_bytes())


def components(component: dict[str, Any], inside: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every component with the path of what it is in."""
    for one in component.get("components", []):
        yield inside, one
        deeper = ".".join(filter(None, [inside, one.get("path", "")]))
        yield from components(one, deeper + "[]" if one["type"] == "dynamiclist" else deeper)


@pytest.fixture(params=FILES, ids=[path.stem for path in FILES])
def form(request: pytest.FixtureRequest) -> dict[str, Any]:
    return read(request.param)


def test_ids_of_forms_are_file_names_and_unique():
    assert len(FILES) > 20
    assert [path.stem for path in FILES if read(path)["id"] != path.stem] == []
    assert [name for name, count in Counter(path.stem for path in FILES).items() if count > 1] == []


def test_a_form_declares_what_the_desktop_modeler_edits(form):
    assert (form["executionPlatform"], form["executionPlatformVersion"]) == ("Camunda Cloud", "8.8.0")
    assert form["schemaVersion"] == 19
    assert {one["type"] for _, one in components(form)} <= TYPES


def test_form_js_takes_the_form_empty_and_with_nothing_known(form):
    filled = forms.fill(form, {}, {})
    assert isinstance(filled.values, dict)


def test_keys_are_unique_and_lower_camel_case(form):
    ids = Counter(one["id"] for _, one in components(form))
    assert [name for name, count in ids.items() if count > 1] == []
    keys = Counter(f"{inside}.{one['key']}" for inside, one in components(form) if "key" in one)
    assert [key for key, count in keys.items() if count > 1] == []
    assert [key for key in keys if not re.fullmatch(r"[a-z][A-Za-z0-9]*", key.rpartition(".")[2])] == []


def test_every_expression_is_sound(form):
    wrong = []
    for _, one in components(form):
        found = [(name, one.get(name)) for name in EXPRESSIONS]
        found += [("hide", one.get("conditional", {}).get("hide"))]
        found += [(name, one.get("validate", {}).get(name)) for name in ("min", "max")]
        for name, value in found:
            if isinstance(value, str) and value.startswith("=") and (problem := feel.check(value[1:])):
                wrong.append(f"{one['id']}.{name}: {problem}")
    assert wrong == []


def test_every_field_has_a_label_and_says_where_it_comes_from(form):
    """A field shown for reading only repeats another form's, and needs no source of its own."""
    wrong = []
    for _, one in components(form):
        if "key" not in one or one["type"] == "expression" or one.get("readonly") is True or one.get("disabled"):
            continue
        source = one.get("properties", {}).get("source") or _list_source(form, one["id"])
        if not (one.get("label") or one.get("dateLabel")):
            wrong.append(f"{one['key']} has no label")
        if not re.fullmatch(f"{REFERENCE.pattern}|practice|assumption", source or ""):
            wrong.append(f"{one['key']} has the source {source}")
    assert wrong == []


def _list_source(component: dict[str, Any], field_id: str) -> str | None:
    """The source of the list a field stands in."""
    for one in component.get("components", []):
        if one["type"] == "dynamiclist" and any(inner["id"] == field_id for _, inner in components(one)):
            return one.get("properties", {}).get("source")
        if found := _list_source(one, field_id):
            return found
    return None


def test_every_choice_has_chinese_words(form):
    for _, one in components(form):
        for option in one.get("values", []):
            assert re.search(r"[\u4e00-\u9fff]", option["label"]), (one["id"], option)

"""Forms that would not work are found before they are deployed."""

import json

import pytest

from service import frontend
from service.engine import formcheck


def form(*components):
    return {"id": "f", "type": "default", "components": list(components)}


def field(kind, key, **rest):
    return {"type": kind, "id": f"Field_{key}", "key": key, **rest}


def rules(*components):
    return [(element, rule) for element, rule, _, _ in formcheck.check(form(*components))]


def test_a_good_form_has_no_problems():
    assert rules(field("textfield", "a", validate={"pattern": "^x$"}), field("attachments", "b")) == []


@pytest.mark.parametrize(
    ("component", "rule"),
    [
        (field("textfield", "a", conditional={"hide": "=x ="}), "form-feel"),
        (field("textfield", "a", readonly="=foo(1)"), "form-feel"),
        (field("number", "a", validate={"max": "=1 +"}), "form-feel"),
        (field("select", "a", valuesExpression="=[1,"), "form-feel"),
        (field("expression", "a", expression="=if"), "form-feel"),
        (field("textfield", "a", validate={"pattern": "("}), "form-pattern"),
    ],
)
def test_feel_and_patterns_are_read(component, rule):
    assert rules(component) == [("Field_a", rule)]


def test_what_form_js_cannot_open_is_a_problem_of_the_form():
    assert rules(field("hologram", "a")) == [("f", "form-structure")]
    assert rules(field("textfield", "a"), {**field("textfield", "a"), "id": "other"}) == [("f", "form-structure")]
    assert rules(field("textfield", "a"), field("textfield", "a.b"))[0] == ("f", "form-structure")
    (_, _, zh, en) = formcheck.check(form(field("textfield", "a"), {**field("textfield", "a"), "id": "other"}))[0]
    assert zh == "表单无法打开：字段标识“a”重复。"
    assert en == "The form cannot be opened: binding path 'a' is already claimed."


def test_inside_groups_and_lists_too():
    inner = field("textfield", "a", conditional={"hide": "=)"})
    group = {"type": "group", "id": "G", "components": [inner]}
    assert rules(group) == [("Field_a", "form-feel")]


def test_the_forms_of_the_processes_are_in_order():
    for path in sorted((frontend.ROOT / "forms").rglob("*.form")):
        assert formcheck.check(json.loads(path.read_bytes())) == [], path

"""What somebody fills in, judged on the server as form-js judges it in the browser."""

import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import forms

NOW = datetime(2026, 3, 2, 17, 30, tzinfo=UTC)
REQUIRED = {"validate": {"required": True}}


def form(*components, form_id="f"):
    return {"id": form_id, "type": "default", "schemaVersion": 19, "components": list(components)}


def field(kind, key=None, **rest):
    named = {"key": key} if key else {}
    return {"type": kind, "id": f"Field_{key or kind}", **named, **rest}


def check(schema, values, context=None, **options):
    return forms.check(schema, values, context or {}, now=NOW, **options)


def clean(schema, values, context=None):
    return forms.clean(schema, values, context or {}, now=NOW)


def test_messages_in_chinese_and_english():
    schema = form(field("textfield", "name", **REQUIRED))
    assert check(schema, {"name": ""}) == {"name": ["此项必填。"]}
    assert check(schema, {"name": ""}, locale="en") == {"name": ["Field is required."]}
    assert check(schema, {"name": "甲"}) == {}


OPTIONS = [{"label": "甲", "value": "a"}, {"label": "乙", "value": "b"}]


@pytest.mark.parametrize(
    ("component", "good", "bad", "sentence"),
    [
        (field("textfield", "x", validate={"minLength": 3}), "abc", "ab", "至少填写 3 个字。"),
        (field("textfield", "x", validate={"maxLength": 3}), "abc", "abcd", "最多填写 3 个字。"),
        (
            field("textfield", "x", validate={"pattern": "^[0-9A-Z]{18}$"}),
            "91110000MA0000000X",
            "9111",
            "格式不正确，应符合 ^[0-9A-Z]{18}$。",
        ),
        (
            field("textfield", "x", validate={"pattern": "^\\d+$", "patternErrorMessage": "只填数字"}),
            "12",
            "x",
            "只填数字",
        ),
        (
            field("textfield", "x", validate={"validationType": "email"}),
            "li@example.cn",
            "li",
            "请填写有效的电子邮箱。",
        ),
        (field("textarea", "x", validate={"required": True}), "x", "", "此项必填。"),
        (field("number", "x", validate={"min": 1}), 1, 0, "不能小于 1。"),
        (field("number", "x", validate={"max": 5}), 5, 5.5, "不能大于 5。"),
        (field("number", "x", decimalDigits=0), 3, 3.5, "请填写整数。"),
        (field("number", "x", decimalDigits=2), 3.25, 3.255, "最多保留 2 位小数。"),
        (field("number", "x", increment=5), 10, 7, "请填写有效的数值，最接近的有效值是 5 和 10。"),
        (field("number", "x"), 0, "many", "请填写数字。"),
        (field("number", "x", validate={"required": True}), 0, None, "此项必填。"),
        (field("checkbox", "x", validate={"required": True}), True, False, "此项必填。"),
        (field("checkbox", "x"), True, "yes", "此项内容不在允许的范围内，请重新填写。"),
        (field("select", "x", values=OPTIONS), "a", "c", "此项内容不在允许的范围内，请重新填写。"),
        (field("radio", "x", values=OPTIONS), "b", {"a": 1}, "此项内容不在允许的范围内，请重新填写。"),
        (field("checklist", "x", values=OPTIONS), ["a", "b"], ["a", "c"], "此项内容不在允许的范围内，请重新填写。"),
        (field("checklist", "x", values=OPTIONS, **REQUIRED), ["a"], [], "此项必填。"),
        (field("taglist", "x", values=OPTIONS), ["b"], "b", "此项内容不在允许的范围内，请重新填写。"),
        (field("datetime", "x", subtype="date"), "2026-03-15", "2026-3-15", "日期请写作 2026-03-15 的形式。"),
        (field("datetime", "x", subtype="date"), "2024-02-29", "2026-02-30", "日期请写作 2026-03-15 的形式。"),
        (field("datetime", "x", subtype="date"), None, 20260315, "此项内容不在允许的范围内，请重新填写。"),
        (field("datetime", "x", subtype="time"), "09:30", "late", "此项内容不在允许的范围内，请重新填写。"),
        (
            field("datetime", "x", subtype="datetime"),
            "2026-03-15T09:30",
            "2026-03-15",
            "此项内容不在允许的范围内，请重新填写。",
        ),
    ],
)
def test_constraints(component, good, bad, sentence):
    schema = form(component)
    assert check(schema, {"x": good}) == {}
    assert clean(schema, {"x": good}) == {"x": good}
    assert check(schema, {"x": bad}) == {"x": [sentence]}


def test_limits_may_be_expressions():
    schema = form(field("number", "share", validate={"max": "=total"}), field("number", "total"))
    assert check(schema, {"share": 5, "total": 5}) == {}
    assert check(schema, {"share": 6, "total": 5}) == {"share": ["不能大于 5。"]}
    assert check(schema, {"share": 6}, {"total": 7}) == {}


# Conditions

REASON = form(
    field("radio", "result", values=OPTIONS, **REQUIRED),
    field("textarea", "reason", conditional={"hide": '=result = "a"'}, **REQUIRED),
)


def test_a_hidden_field_is_neither_asked_nor_kept():
    assert check(REASON, {"result": "a", "reason": ""}) == {}
    assert clean(REASON, {"result": "a", "reason": "leftover"}) == {"result": "a"}
    assert check(REASON, {"result": "b", "reason": ""}) == {"reason": ["此项必填。"]}
    assert clean(REASON, {"result": "b", "reason": "why"}) == {"result": "b", "reason": "why"}


def test_a_missing_variable_is_null_in_a_condition():
    schema = form(field("textfield", "x", conditional={"hide": "=corrections = null"}, **REQUIRED))
    assert check(schema, {}) == {}
    assert check(schema, {}, {"corrections": []}) == {"x": ["此项必填。"]}


def test_conditions_read_the_case_but_not_what_was_smuggled_in():
    schema = form(field("textfield", "x", conditional={"hide": "=exempt = true"}, **REQUIRED))
    assert check(schema, {}, {"exempt": True}) == {}
    assert check(schema, {"exempt": True}, {"exempt": False}) == {"x": ["此项必填。"]}
    assert clean(schema, {"x": "1", "exempt": True, "other": 1}) == {"x": "1"}


def test_a_hidden_group_hides_its_fields():
    inner = field("textfield", "x", **REQUIRED)
    schema = form({"type": "group", "id": "G", "path": "part", "components": [inner], "conditional": {"hide": "=off"}})
    assert check(schema, {}, {"off": True}) == {}
    assert check(schema, {}, {"off": False}) == {"part.x": ["此项必填。"]}
    assert clean(schema, {"part": {"x": "1", "y": 2}}, {"part": {"kept": 1}, "off": False}) == {"part": {"x": "1"}}


def test_a_condition_is_a_unary_test_so_that_a_bare_missing_variable_hides():
    schema = form(field("textfield", "x", conditional={"hide": "=off"}, **REQUIRED))
    assert check(schema, {}) == {}
    assert check(schema, {}, {"off": False}) == {"x": ["此项必填。"]}


def test_a_field_hidden_by_a_hidden_field():
    schema = form(
        field("checkbox", "one"),
        field("checkbox", "two", conditional={"hide": "=one != true"}),
        field("textfield", "three", conditional={"hide": "=two != true"}, **REQUIRED),
    )
    assert check(schema, {"one": True, "two": True, "three": ""}) == {"three": ["此项必填。"]}
    assert check(schema, {"one": False, "two": True, "three": ""}) == {}


# What may not be changed


def test_disabled_and_read_only_fields_keep_the_value_of_the_case():
    schema = form(
        field("textfield", "a", disabled=True, **REQUIRED),
        field("textfield", "b", readonly=True),
        field("textfield", "c", readonly="=locked"),
        field("textfield", "d"),
    )
    case = {"a": "case", "b": "case", "c": "case", "locked": True}
    sent = {"a": "sent", "b": "sent", "c": "sent", "d": "sent", "locked": False}
    assert clean(schema, sent, case) == {"b": "case", "c": "case", "d": "sent"}
    assert clean(schema, sent, {**case, "locked": False}) == {"b": "case", "c": "sent", "d": "sent"}
    assert check(schema, sent, {}) == {}


def test_expression_fields_are_computed_here():
    schema = form(
        field("number", "own"),
        field("number", "granted"),
        field("expression", "total", expression="=own + granted"),
        field("expression", "enough", expression="=total >= 100"),
    )
    sent = {"own": 40, "granted": 70, "total": 5, "enough": False}
    assert clean(schema, sent) == {"own": 40, "granted": 70, "total": 110, "enough": True}


def test_expressions_that_never_settle_end():
    schema = form(field("number", "n"), field("expression", "up", expression="=if up = null then 1 else up + 1"))
    assert clean(schema, {"n": 1})["up"] > 1


def test_defaults_stand_in_for_what_was_not_sent():
    schema = form(field("textfield", "a", defaultValue="默认"), field("number", "b", defaultValue=5), field("text"))
    assert clean(schema, {}) == {"a": "默认", "b": 5}
    assert clean(schema, {"a": "", "b": None}) == {"a": "", "b": None}
    assert clean(schema, {}, {"a": "case"}) == {"a": "case", "b": 5}


# Lists

PARTNERS = form(
    {
        "type": "dynamiclist",
        "id": "L",
        "path": "partners",
        "isRepeating": True,
        "allowAddRemove": True,
        "defaultRepetitions": 1,
        "components": [
            field("textfield", "name", **REQUIRED),
            field("checkbox", "foreign"),
            field("textfield", "country", conditional={"hide": "=this.foreign != true"}, **REQUIRED),
        ],
    }
)


def test_items_of_a_dynamic_list_are_judged_one_by_one():
    sent = [{"name": "甲", "foreign": True, "country": ""}, {"name": "", "foreign": False}]
    assert check(PARTNERS, {"partners": sent}) == {
        "partners[0].country": ["此项必填。"],
        "partners[1].name": ["此项必填。"],
    }


def test_hidden_fields_of_items_are_dropped_and_strangers_too():
    sent = [{"name": "甲", "foreign": False, "country": "德国", "admin": True}]
    assert clean(PARTNERS, {"partners": sent}) == {"partners": [{"name": "甲", "foreign": False}]}


def test_an_emptied_list_is_empty():
    assert check(PARTNERS, {"partners": []}) == {}
    assert clean(PARTNERS, {}, {"partners": [{"name": "乙"}]}) == {"partners": []}
    assert clean(PARTNERS, {"partners": []}) == {"partners": []}


def test_what_is_no_list_of_items_is_refused():
    for wrong in ("x", {"name": "甲"}, [1], [None]):
        assert check(PARTNERS, {"partners": wrong})["partners"] == ["此项内容不在允许的范围内，请重新填写。"]


CRITERIA = form(
    {
        "type": "dynamiclist",
        "id": "L",
        "path": "criteria",
        "isRepeating": True,
        "allowAddRemove": False,
        "components": [
            field("textfield", "title", readonly=True),
            field("number", "score", validate={"required": True, "min": 0, "max": "=this.most"}),
        ],
    }
)


def test_a_fixed_list_keeps_what_the_case_says_of_each_item():
    case = {"criteria": [{"title": "DB-1", "most": 20}, {"title": "DB-2", "most": 5}]}
    sent = {"criteria": [{"title": "changed", "score": 20, "most": 99}, {"score": 6}]}
    assert check(CRITERIA, sent, case) == {"criteria[1].score": ["不能大于 5。"]}
    assert clean(CRITERIA, sent, case)["criteria"][0] == {"title": "DB-1", "score": 20}
    longer = {"criteria": [{"score": 1}, {"score": 1}, {"score": 1}]}
    assert "criteria" in check(CRITERIA, longer, case)


# Options


def test_options_from_the_case_and_from_expressions():
    schema = form(
        field("select", "one", valuesKey="offered"),
        field("select", "two", valuesExpression="=offered[item.value != one]"),
    )
    case = {"offered": OPTIONS}
    assert check(schema, {"one": "a", "two": "b"}, case) == {}
    assert set(check(schema, {"one": "c", "two": "b"}, case)) == {"one"}
    assert set(check(schema, {"one": "a", "two": "a"}, case)) == {"two"}


# Attachments

FILES = form(field("attachments", "files", accept=".pdf,.docx", maxFiles=2, **REQUIRED))
PDF = {"id": 7, "name": "计划.PDF", "size": 10}


def test_attachments():
    assert check(FILES, {"files": [PDF]}) == {}
    assert clean(FILES, {"files": [PDF]}) == {"files": [PDF]}
    assert check(FILES, {"files": []}) == {"files": ["此项必填。"]}
    assert check(FILES, {}) == {"files": ["此项必填。"]}
    assert check(FILES, {"files": [PDF, {**PDF, "id": 8}, {**PDF, "id": 9}]}) == {"files": ["最多可上传 2 个文件。"]}
    assert check(FILES, {"files": [{**PDF, "name": "x.exe"}]}) == {
        "files": ["文件“x.exe”的类型不在允许范围内（.pdf .docx）。"]
    }


@pytest.mark.parametrize(
    "wrong",
    ["7", 7, [7], [{"id": "7", "name": "a.pdf", "size": 1}], [{"id": -1, "name": "a.pdf", "size": 1}], [PDF, PDF]],
)
def test_attachments_must_be_stored_files(wrong):
    assert set(check(FILES, {"files": wrong})) == {"files"}


# Frame


def test_the_variables_of_a_form():
    schema = form(
        field("text"),
        field("textfield", "a.b"),
        field("textfield", "a.c"),
        {"type": "group", "id": "G1", "components": [field("number", "n")]},
        {"type": "group", "id": "G2", "path": "part.deep", "components": [field("number", "m")]},
        field("button"),
    )
    assert forms.keys(schema) == ["a", "n", "part"]
    assert forms.keys(PARTNERS) == ["partners"]


def test_nested_names_make_nested_values():
    schema = form(field("textfield", "a.b", **REQUIRED), field("textfield", "a.c"))
    assert check(schema, {"a": {"b": ""}}) == {"a.b": ["此项必填。"]}
    assert clean(schema, {"a": {"b": "1", "c": "2", "d": "3"}}) == {"a": {"b": "1", "c": "2"}}


def test_now_is_the_moment_of_the_call_in_china():
    schema = form(field("textfield", "x", conditional={"hide": '=string(now()) = "2026-03-03T01:30:00"'}, **REQUIRED))
    assert check(schema, {}) == {}


def test_two_forms_in_turn_do_not_disturb_each_other():
    other = form(field("number", "name", validate={"min": 5}), form_id="other")
    one = form(field("textfield", "name", **REQUIRED))
    for _ in range(3):
        assert check(one, {"name": ""}) == {"name": ["此项必填。"]}
        assert check(other, {"name": 1}) == {"name": ["不能小于 5。"]}


def test_a_hostile_form_or_value_ends():
    loop = form(
        field("textfield", "x", conditional={"hide": "=count(for a in 1..100000, b in 1..100000 return 1) = 1"})
    )
    began = time.monotonic()
    with pytest.raises(forms.FormError):
        check(loop, {"x": "1"})
    assert time.monotonic() - began < 10
    deep: dict = {}
    for _ in range(300):
        deep = {"x": deep}
    assert check(form(field("textfield", "x", **REQUIRED)), {"x": deep}) != {}
    assert check(form(field("textfield", "x", **REQUIRED)), {"x": "fine"}) == {}


def test_prototypes_are_out_of_reach():
    sent = json.loads('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}, "x": "1"}')
    assert clean(form(field("textfield", "x")), sent) == {"x": "1"}
    assert clean(form(field("textfield", "polluted")), {}) == {"polluted": ""}


# Random data

TEXT = st.text("ab 甲0.", max_size=6)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-20, 20) | st.floats(-9, 9) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "name", "x"]), inner),
    max_leaves=6,
)
EVERYTHING = form(
    field("textfield", "text", validate={"required": True, "minLength": 2, "maxLength": 4}),
    field("textarea", "area", conditional={"hide": "=flag = true"}, **REQUIRED),
    field("number", "number", validate={"min": 0, "max": 10}, decimalDigits=1),
    field("checkbox", "flag"),
    field("select", "one", values=OPTIONS, **REQUIRED),
    field("checklist", "many", values=OPTIONS),
    field("datetime", "day", subtype="date"),
    field("attachments", "files", maxFiles=1),
    field("expression", "sum", expression="=number + 1"),
    {
        "type": "group",
        "id": "G",
        "path": "part",
        "components": [field("textfield", "inner", validate={"maxLength": 3})],
    },
    *PARTNERS["components"],
)
SENT = st.fixed_dictionaries(
    {},
    optional={
        "text": TEXT | ANYTHING,
        "area": TEXT | ANYTHING,
        "number": st.integers(-3, 12) | ANYTHING,
        "flag": st.booleans() | ANYTHING,
        "one": st.sampled_from(["a", "b", "c"]) | ANYTHING,
        "many": st.lists(st.sampled_from(["a", "b", "c"]), max_size=3) | ANYTHING,
        "day": st.dates().map(str) | ANYTHING,
        "files": st.lists(st.just(PDF), max_size=1) | ANYTHING,
        "sum": ANYTHING,
        "part": st.fixed_dictionaries({}, optional={"inner": TEXT | ANYTHING}) | ANYTHING,
        "partners": st.lists(
            st.fixed_dictionaries({}, optional={"name": TEXT, "foreign": st.booleans(), "country": TEXT}), max_size=3
        )
        | ANYTHING,
        "stranger": ANYTHING,
    },
)


@settings(max_examples=150, deadline=None)
@given(SENT, SENT)
def test_any_values_get_a_verdict_and_what_is_kept_is_stable(sent, case):
    filled = forms.fill(EVERYTHING, sent, case, now=NOW)
    owned = set(forms.keys(EVERYTHING))
    assert set(filled.values) <= owned
    assert all(sentence for sentences in filled.problems.values() for sentence in sentences)
    assert forms.fill(EVERYTHING, sent, case, now=NOW) == filled
    if not filled.problems:
        again = forms.fill(EVERYTHING, filled.values, case, now=NOW)
        assert (again.problems, again.values) == ({}, filled.values)
        assert filled.values["sum"] == (None if filled.values["number"] is None else filled.values["number"] + 1)
        assert ("area" in filled.values) is (filled.values["flag"] is not True)
        assert 2 <= len(filled.values["text"].strip()) <= 4 or filled.values["text"].strip() == ""
        assert filled.values["one"] in ("a", "b")


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.none(), TEXT), st.none() | st.integers(0, 4), st.none() | st.integers(0, 4), st.booleans())
def test_texts_by_a_second_opinion(value, least, most, required):
    rules = {"required": required}
    if least is not None:
        rules["minLength"] = least
    if most is not None:
        rules["maxLength"] = most
    problems = check(form(field("textfield", "x", validate=rules)), {"x": value})
    length = len((value or "").strip())
    expected = (required and not value) + bool(value and least is not None and length < least)
    expected += bool(value and most is not None and length > most)
    assert len(problems.get("x", [])) == expected

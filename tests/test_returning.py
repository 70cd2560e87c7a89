"""Fields of a form: named by a reviewer, the only ones that may change, compared old beside new."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import forms, returning
from service.returning.changes import _text


def field(kind: str, key: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "key": key, "id": f"F_{key}", "label": f"标签{key}"} | more


LIST = {
    "type": "dynamiclist", "id": "L", "path": "partners", "label": "合作伙伴", "isRepeating": True, "allowAddRemove": True,
    "components": [field("textfield", "name", id="F_partner", validate={"required": True}), field("number", "year")],
}  # fmt: skip
FORM = {
    "id": "f", "type": "default", "schemaVersion": 16,
    "components": [
        {"type": "text", "id": "T", "text": "说明"},
        {"type": "group", "id": "G", "path": "application", "label": "基本信息", "components": [
            field("textfield", "name", validate={"required": True, "minLength": 3}),
            field("radio", "kind", values=[{"label": "大学", "value": "u"}, {"label": "企业", "value": "c"}]),
            field("textarea", "why", conditional={"hide": '=application.kind != "c"'}, validate={"required": True}),
            LIST,
            field("attachments", "files"),
        ]},
        field("textfield", "shown", disabled=True),
    ],
}  # fmt: skip
CASE = {"application": {"name": "甲所", "kind": "u", "partners": [{"name": "乙", "year": 2020}], "files": []}}


def narrowed(*named: str) -> dict[str, Any]:
    said = returning.remarks(FORM, [{"field": one, "problem": f"请改{one}"} for one in named])
    return returning.narrow(FORM, said, {f"application.{key}" for key in ("name", "kind", "partners", "files")})


def test_the_fields_of_a_form_are_what_people_fill_in():
    assert [(one.path, one.label, one.section) for one in returning.fields(FORM)] == [
        ("application.name", "标签name", "基本信息"),
        ("application.kind", "标签kind", "基本信息"),
        ("application.why", "标签why", "基本信息"),
        ("application.partners", "合作伙伴", "基本信息"),
        ("application.files", "标签files", "基本信息"),
    ]


def test_a_remark_finds_its_field_with_and_without_the_variable_and_forgets_what_is_not_there():
    said = returning.remarks(
        FORM, [{"field": "kind"}, {"field": "application.name", "problem": "一"}, {"field": "name", "problem": "二"},
               {"field": "gone", "problem": "三"}, "nonsense"],
    )  # fmt: skip
    assert [(one.path, one.text) for one in said] == [("application.name", "一\n二"), ("application.kind", "")]


def test_only_the_named_field_changes_whatever_is_sent():
    sent = {
        "application": {"name": "丙研究院", "kind": "c", "partners": [], "files": [{"id": 1, "name": "x", "size": 1}]}
    }
    filled = forms.fill(narrowed("name"), sent, CASE)
    assert filled.problems == {}
    assert filled.values == {"application": {**CASE["application"], "name": "丙研究院"}}


def test_what_is_locked_is_not_checked_but_the_named_field_is():
    """A value that a newer rule would refuse must not keep the applicant from answering."""
    assert forms.check(narrowed("kind"), {}, CASE) == {}
    assert forms.check(narrowed("name"), {}, CASE) == {"application.name": ["至少填写 3 个字。"]}


def test_a_field_that_a_correction_brings_to_light_can_be_filled():
    sent = {"application": {"kind": "c", "why": "企业也有研发机构"}}
    filled = forms.fill(narrowed("kind"), sent, CASE)
    assert filled.problems == {}
    assert filled.values["application"]["why"] == "企业也有研发机构"


def test_a_named_list_may_grow_and_another_may_not():
    more = {"application": {"partners": [{"name": "乙", "year": 2020}, {"name": "丁", "year": 2024}]}}
    assert len(forms.clean(narrowed("partners"), more, CASE)["application"]["partners"]) == 2
    assert len(forms.clean(narrowed("name"), more, CASE)["application"]["partners"]) == 1


def test_a_remark_is_no_template_and_no_markup():
    """It stands in a place of its own: what somebody writes into it is shown, never evaluated."""
    said = returning.remarks(FORM, [{"field": "name", "problem": "{{secret}} <script>alert(1)</script>"}])
    (group,) = [one for one in returning.narrow(FORM, said)["components"] if one["id"] == "G"]
    name = group["components"][0]
    assert name["remark"] == "{{secret}} <script>alert(1)</script>"
    assert {key: value for key, value in name.items() if key != "remark"} == FORM["components"][1]["components"][0]


def test_changes_are_told_in_the_words_of_the_form():
    new = {"application": {
        "name": "甲所（北京）", "kind": "c", "partners": [{"name": "乙", "year": 2020}, {"name": "丁", "year": 2024}],
        "files": [{"id": 4, "name": "协议.pdf", "size": 9}], "why": "",
    }}  # fmt: skip
    found = {one.path.partition(".")[2]: one for one in returning.changes(FORM, CASE, new)}
    assert list(found) == ["name", "kind", "partners", "files"]
    assert [(part.text, part.changed) for part in found["name"].after] == [("甲所", False), ("（北京）", True)]
    assert (found["kind"].before[0].text, found["kind"].after[0].text) == ("大学", "企业")
    assert [(part.text.strip(), part.changed) for part in found["partners"].after] == [
        ("标签name：乙；标签year：2020", False),
        ("标签name：丁；标签year：2024", True),
    ]
    assert [part.text.strip() for part in found["files"].after] == ["协议.pdf"]
    assert found["files"].before == ()


@pytest.mark.parametrize(("old", "new"), [(None, ""), ("", None), ([], None), (False, None)])
def test_empty_is_empty_in_whatever_way_a_form_says_so(old, new):
    assert returning.changes(FORM, {"application": {"name": old}}, {"application": {"name": new}}) == []


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_parts_of_a_changed_text_are_the_whole_text(old: str, new: str):
    before, after = _text([old] if old else [], [new] if new else [])
    assert "".join(part.text for part in before) == old
    assert "".join(part.text for part in after) == new
    assert [part.text for part in before if not part.changed] == [] or (old and new)
    assert "".join(p.text for p in before if not p.changed) == "".join(p.text for p in after if not p.changed)

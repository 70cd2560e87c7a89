"""What a Word template asks for is held against what the case has, through loops to the members of each item."""

from __future__ import annotations

import pytest

from service import engine
from service.commands.procedures.catalogue import CATALOGUE
from service.engine import placeholders
from service.engine.templates import TemplateProblem
from service.handlers.documents import render
from tests.engine.diagrams import ext, process
from tests.workshop.test_compare import template
from tests.workshop.test_data_contract import END, START, field, form, group, with_form
from tests.workshop.test_hostile_files import word

PEOPLE = {
    "type": "dynamiclist",
    "path": "people",
    "id": "f_people",
    "components": [{**field("name"), "id": "f_person"}],
}
PARTNERS = {
    "type": "dynamiclist",
    "path": "partners",
    "id": "f_partners",
    "components": [field("name"), field("country"), PEOPLE],
}
APPLY = form("apply", group("application", field("title"), PARTNERS), field("remark"))


def letter(*inputs: tuple[str, str]) -> str:
    mapped = "".join(f'<zeebe:input source="{source}" target="{target}"/>' for target, source in inputs)
    return (
        '<serviceTask id="t" name="发文">'
        + ext(
            '<zeebe:taskDefinition type="issue_document"/><zeebe:taskHeaders>'
            '<zeebe:header key="template" value="letter"/></zeebe:taskHeaders>'
            f"<zeebe:ioMapping>{mapped}</zeebe:ioMapping>"
        )
        + "</serviceTask>"
    )


def unknown(text: str, *inputs: tuple[str, str]) -> list[str]:
    files = {
        "p.bpmn": process(START + END + with_form("a", "apply") + letter(*inputs), "s -> a -> t -> e"),
        "apply.form": APPLY,
        "letter.docx": word(text),
    }
    return [one.zh for one in engine.validate(files, catalogue=CATALOGUE) if one.rule == "template-unknown"]


RIGHT = (
    "{{ application.title }}{% for p in application.partners %}{{ loop.index }}{{ p.name }}（{{ p.country }}）"
    "{% for q in p.people %}{{ q.name }}{% endfor %}{% endfor %}{{ application.partners|length }}"
    "{{ application.partners[0].name }}{{ application.partners|map(attribute='name')|join('、') }}"
)


def test_members_of_items_that_the_form_has_are_in_order():
    assert unknown(RIGHT) == []


def test_a_misspelt_member_in_a_loop_is_said_as_it_is_written_with_the_one_that_was_meant():
    (sentence,) = unknown("{% for p in application.partners %}{{ p.nam }}{% endfor %}")
    assert "读取“p.nam”" in sentence
    assert "表单“a”" in sentence
    assert "是不是“p.name”？" in sentence


def test_a_loop_in_a_loop_is_followed():
    (sentence,) = unknown(
        "{%tr for p in application.partners %}{%p for q in p.people|sort(attribute='name') %}{{r q.nmae }}"
        "{%p endfor %}{%tr endfor %}"
    )
    assert "读取“q.nmae”" in sentence
    assert "是不是“q.name”？" in sentence


@pytest.mark.parametrize(
    "data", [("documentData", "={list: application.partners}"), ("documentData.list", "=application.partners")]
)
def test_what_the_task_hands_on_keeps_its_members(data):
    assert unknown("{% for p in list %}{{ p.name }}{% endfor %}", data) == []
    (sentence,) = unknown("{% for p in list %}{{ p.nam }}{% endfor %}", data)
    assert "读取“p.nam”" in sentence
    assert "是不是“p.name”？" in sentence


def test_a_list_read_without_a_loop_and_a_loop_over_no_list_are_said():
    (sentence,) = unknown("{{ application.partners.name }}")
    assert "“application.partners”是列表" in sentence
    (sentence,) = unknown("{% for p in application %}{{ p.title }}{% endfor %}")
    assert "“application”不是列表" in sentence


def test_names_end_with_their_loop_and_a_set_name_stands_for_its_value():
    (sentence,) = unknown("{% for p in application.partners %}{{ p.name }}{% endfor %}{{ p.name }}")
    assert "写入“p”" in sentence
    (sentence,) = unknown("{% set a = application %}{{ a.title }}{{ a.titel }}")
    assert "读取“a.titel”" in sentence
    assert "是不是“a.title”？" in sentence


def test_filters_that_filling_in_would_not_know_are_refused():
    with pytest.raises(TemplateProblem, match="“dya”"):
        placeholders.placeholders(word("{{ issuedOn|dya }}"))
    assert [one.text for one in placeholders.placeholders(word("{{ issuedOn|day }}"))] == ["issuedOn"]


def test_what_is_in_order_is_filled_in():
    partner = {"name": "虚构研究所", "country": "法国", "people": [{"name": "甲"}]}
    assert render(template(RIGHT), "t", {"application": {"title": "题", "partners": [partner]}})

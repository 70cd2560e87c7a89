"""What changed, in sentences a process owner understands."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from docx import Document

from service.engine import compare as comparing
from service.engine.compare import Words, compare
from service.engine.compare.changes import arrow, shown
from tests.engine.diagrams import escape, process, user

ROOT = Path(__file__).resolve().parents[2]
START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'
WORDS = Words(
    {"coop.intake": "国合司受理", "coop.signatory": "国合司签署"},
    {"coop.intake": "Intake", "coop.signatory": "Signatory"},
)


def sentences(old: dict[str, bytes], new: dict[str, bytes]) -> list[str]:
    return [change.zh for change in compare(old, new, WORDS).changes]


def english(old: dict[str, bytes], new: dict[str, bytes]) -> list[str]:
    return [change.en for change in compare(old, new, WORDS).changes]


def task(inner: str, name: str = "专家评审") -> bytes:
    return process(START + user("review", inner).replace('name="review"', f'name="{name}"') + END, "s -> review -> e")


def diagrams(one: bytes, other: bytes) -> tuple[dict[str, bytes], dict[str, bytes]]:
    return {"p.bpmn": one}, {"p.bpmn": other}


def due(expression: str) -> str:
    return f'<zeebe:taskSchedule dueDate="{escape(expression)}"/>'


def test_the_same_files_differ_in_nothing():
    files = {"p.bpmn": task(due("=workdays(today(), 10)"))}
    assert compare(files, files).changes == []


def test_a_deadline_is_said_in_working_days():
    pair = diagrams(task(due("=workdays(today(), 10)")), task(due("=workdays(today(), 15)")))
    assert sentences(*pair) == ["“专家评审”期限 10 → 15 个工作日"]
    assert english(*pair) == ["“专家评审”: due date 10 → 15 working days"]


def test_durations_are_said_in_words():
    assert shown("P5D") == "5 天"
    assert shown("=P1DT2H", english=True) == "1 days 2 hours"
    assert arrow("P5D", "P10D") == "5 → 10 天"
    assert arrow("a", "b") == "a → b"
    assert arrow(None, "P1M") == "（无） → 1 个月"


def test_a_task_given_to_another_role_says_so():
    pair = diagrams(
        task('<zeebe:assignmentDefinition candidateGroups="coop.intake"/>'),
        task('<zeebe:assignmentDefinition candidateGroups="coop.signatory"/>'),
    )
    assert sentences(*pair) == ["“专家评审”办理角色 国合司受理 → 国合司签署"]


def test_a_task_moved_to_another_lane_says_so():
    def lanes(first: str, second: str) -> bytes:
        lane = f'<laneSet id="ls"><lane id="l1" name="国际合作司">{first}</lane><lane id="l2" name="科技部">{second}</lane></laneSet>'
        return process(lane + START + user("decide").replace('name="decide"', 'name="决定"') + END, "s -> decide -> e")

    here, there = "<flowNodeRef>decide</flowNodeRef>", ""
    assert sentences(*diagrams(lanes(here, there), lanes(there, here))) == ["“决定”从“国际合作司”移到“科技部”"]


def test_a_change_of_extension_attributes_alone_is_a_change():
    one = task('<zeebe:properties><zeebe:property name="source" value="practice"/></zeebe:properties>')
    other = task('<zeebe:properties><zeebe:property name="source" value="text:art.8(2)1"/></zeebe:properties>')
    assert sentences(*diagrams(one, other)) == ["“专家评审”依据 practice → text:art.8(2)1"]


def test_a_setting_that_the_engine_does_not_read_is_still_a_change():
    one = task('<zeebe:formDefinition formId="f" bindingType="latest"/>')
    other = task('<zeebe:formDefinition formId="f" bindingType="deployment"/>')
    assert sentences(*diagrams(one, other)) == ["“专家评审”的其他设置有变化：extensionElements"]


def test_another_way_of_writing_the_xml_is_no_change():
    one = task(due("P1D"))
    other = one.replace(b"<userTask ", b"<userTask\n   ").replace(b'"p" name', b'"p"   name')
    made = compare(*diagrams(one, other))
    assert not made.matters
    assert [change.kind for change in made.changes] == ["layout"]


def test_new_and_removed_steps_and_flows_are_named():
    one = process(START + user("a") + END, "s -> a -> e")
    other = process(
        START + user("a") + user("b", '<zeebe:assignmentDefinition candidateGroups="coop.intake"/>') + END,
        "s -> a -> b -> e",
    )
    assert sentences(*diagrams(one, other)) == [
        "新增任务“b”（国合司受理）",
        "删除连线“a”→“e”",
        "新增连线“a”→“b”",
        "新增连线“b”→“e”",
    ]
    assert "Removed task “b”" in english(*diagrams(other, one))
    assert compare(*diagrams(one, other)).marks["p.bpmn"] == {
        "b": "added",
        "a_e": "removed",
        "a_b": "added",
        "b_e": "added",
    }


def test_a_condition_that_changed_shows_both():
    def choice(condition: str) -> bytes:
        return process(
            START + '<exclusiveGateway id="x" name="结论" default="x_b"/>' + user("a") + user("b") + END,
            f"s -> x -[={condition}]-> a -> e; x -> b -> e",
        )

    assert sentences(*diagrams(choice("score > 60"), choice("score > 80"))) == [
        "“结论”→“a”的条件 score > 60 → score > 80"
    ]


def test_an_error_in_a_mapping_is_seen():
    one = task('<zeebe:ioMapping><zeebe:input source="=a" target="x"/></zeebe:ioMapping>')
    other = task(
        '<zeebe:ioMapping><zeebe:input source="=b" target="x"/><zeebe:output source="=y" target="z"/></zeebe:ioMapping>'
    )
    assert sentences(*diagrams(one, other)) == ["“专家评审”输入映射 x =a → =b", "“专家评审”输出映射 z （无） → =y"]


def test_a_timer_on_the_border_is_seen():
    def timer(duration: str) -> bytes:
        event = f'<boundaryEvent id="t" name="逾期" attachedToRef="review"><timerEventDefinition id="te"><timeDuration>{duration}</timeDuration></timerEventDefinition></boundaryEvent>'
        return process(START + user("review") + event + END, "s -> review -> e; t -> e")

    assert sentences(*diagrams(timer("P5D"), timer("P7D"))) == ["“逾期”时间 5 → 7 天"]


def test_processes_that_come_and_go():
    one, other = process(START + END, "s -> e", pid="p"), process(START + END, "s -> e", pid="q")
    assert sentences({"p.bpmn": one}, {"p.bpmn": other}) == ["删除流程“p”", "新增流程“q”"]


# Tables ---------------------------------------------------------------------------------------------------------------


def table(rows: list[tuple[str, str, str]], policy: str = "UNIQUE", label: str = "类型") -> dict[str, bytes]:
    rules = "".join(
        f'<rule id="{rule_id}"><inputEntry id="{rule_id}_i"><text>{escape(test)}</text></inputEntry>'
        f'<outputEntry id="{rule_id}_o"><text>{escape(result)}</text></outputEntry></rule>'
        for rule_id, test, result in rows
    )
    return {
        "d.dmn": (
            '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="D" name="D" namespace="x">'
            f'<decision id="deadlines" name="期限"><decisionTable id="dt" hitPolicy="{policy}">'
            f'<input id="i1" label="{label}"><inputExpression id="ie"><text>baseType</text></inputExpression></input>'
            f'<output id="o1" label="评审期限" name="days"/>{rules}</decisionTable></decision></definitions>'
        ).encode()
    }


def test_a_cell_that_changed_is_said_with_its_row():
    one, other = table([("r1", '"DB"', "10"), ("r2", "-", "20")]), table([("r1", '"DB"', "15"), ("r2", "-", "20")])
    made = compare(one, other)
    assert [change.zh for change in made.changes] == ["“期限”第 1 行“评审期限” 10 → 15"]
    assert made.marks["d.dmn"] == {"r1_o": "changed", "r1": "changed"}


def test_rows_that_come_go_and_move():
    one = table([("r1", '"DB"', "10"), ("r2", '"IP"', "20")])
    assert sentences(one, table([("r1", '"DB"', "10")])) == ['“期限”删除第 2 行：类型 "IP" ⇒ 评审期限 20']
    assert sentences(one, table([("r1", '"DB"', "10"), ("r2", '"IP"', "20"), ("r3", "-", "30")])) == [
        "“期限”新增第 3 行：任何情况 ⇒ 评审期限 30"
    ]
    assert sentences(one, table([("r2", '"IP"', "20"), ("r1", '"DB"', "10")])) == ["“期限”各行的顺序有变化"]


def test_hit_policy_and_columns():
    one = table([("r1", '"DB"', "10")])
    assert sentences(one, table([("r1", '"DB"', "10")], policy="FIRST")) == ["“期限”命中策略 UNIQUE → FIRST"]
    assert sentences(one, table([("r1", '"DB"', "10")], label="基地类型")) == [
        "“期限”条件列“基地类型”的名称 类型 → 基地类型"
    ]


# Forms ----------------------------------------------------------------------------------------------------------------


def form(*fields: dict) -> dict[str, bytes]:
    return {"f.form": json.dumps({"id": "f", "type": "default", "components": list(fields)}).encode()}


NAME = {"type": "textfield", "id": "F1", "key": "name", "label": "姓名"}
PHONE = {"type": "textfield", "id": "F2", "key": "phone", "label": "电话"}


def test_fields_that_come_and_go():
    assert sentences(form(NAME), form(NAME, {**PHONE, "validate": {"required": True}})) == [
        "表单“f”新增文本框“电话”（必填）"
    ]
    assert sentences(form(NAME, PHONE), form(NAME)) == ["表单“f”删除文本框“电话”"]
    assert sentences(form(NAME, PHONE), form(PHONE, NAME)) == ["表单“f”的字段顺序有变化"]


def test_a_field_that_became_required_or_got_other_options():
    assert sentences(form(NAME), form({**NAME, "validate": {"required": True}})) == ["表单“f”的“姓名”必填 （无） → 是"]
    one = {"type": "radio", "id": "F3", "key": "r", "label": "结论", "values": [{"label": "通过", "value": "p"}]}
    other = {**one, "values": [{"label": "通过", "value": "p"}, {"label": "退回", "value": "r"}]}
    assert sentences(form(one), form(other)) == ["表单“f”的“结论”选项 通过 → 通过、退回"]


def test_a_field_that_only_has_a_new_id_is_the_same_field():
    assert not compare(form(NAME), form({**NAME, "id": "other"})).matters


def test_fields_inside_groups_are_compared():
    one = form({"type": "group", "id": "G", "path": "g", "components": [NAME]})
    other = form({"type": "group", "id": "G", "path": "g", "components": [{**NAME, "label": "名称"}]})
    assert sentences(one, other) == ["表单“f”的“名称”标签 姓名 → 名称"]


def test_layout_alone_is_said_to_be_layout():
    made = compare(form(NAME), form({**NAME, "layout": {"columns": 8}}))
    assert not made.matters
    assert made.changes[0].kind == "layout"


# Templates and the rest -----------------------------------------------------------------------------------------------


def template(*paragraphs: str) -> dict[str, bytes]:
    document, out = Document(), io.BytesIO()
    for text in paragraphs:
        document.add_paragraph(text)
    document.save(out)
    return {"t.docx": out.getvalue()}


def test_a_sentence_of_a_template_that_changed():
    one, other = template("关于认定的通知", "自发文之日起三年。"), template("关于认定的通知", "自发文之日起五年。")
    assert sentences(one, other) == ["模板“t.docx”：自发文之日起三年。 → 自发文之日起五年。"]


@pytest.mark.parametrize("broken", [b"", b"PK\x03\x04", b"<xml/>", b"\x00" * 100])
def test_what_cannot_be_read_is_compared_as_a_whole(broken):
    for path in ("p.bpmn", "d.dmn", "f.form", "t.docx"):
        made = compare({path: broken}, {path: broken + b"x"})
        assert len(made.changes) == 1


def test_the_real_procedures_differ_only_where_they_were_changed():
    files = {}
    for folder in ("processes", "forms"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".bpmn", ".dmn", ".form", ".docx"):
                files[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    assert comparing.compare(files, dict(files)).changes == []
    path = "processes/rules/deadlines.dmn"
    cell = re.search(rb"<outputEntry id=.([^\"\']+).[^>]*>\s*<text>(\d+)</text>", files[path])
    assert cell is not None
    other = files[path][: cell.start(2)] + b"77" + files[path][cell.end(2) :]
    made = comparing.compare(files, {**files, path: other})
    assert [(change.element_id, change.old, change.new) for change in made.changes] == [
        (cell[1].decode(), cell[2].decode(), "77")
    ]

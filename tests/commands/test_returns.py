"""Returning in a case: named fields come back, the clock stands, the reviewer sees what changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from service import clock, errors
from service.commands.cases import clocks
from service.commands.inbox import returns, task_forms
from service.models import Job, Task
from tests.engine.diagrams import ext

from .conftest import END, START, Office, diagram

APPLICATION = json.dumps({
    "id": "application", "type": "default", "schemaVersion": 16,
    "components": [{"type": "group", "id": "G", "path": "application", "label": "申报", "components": [
        {"type": "textfield", "id": "A", "key": "name", "label": "名称", "validate": {"required": True}},
        {"type": "textarea", "id": "B", "key": "goals", "label": "目标"},
        {"type": "checkbox", "id": "P", "key": "pledge", "label": "承诺", "validate": {"required": True}},
    ]}],
}).encode()  # fmt: skip
REVIEW = json.dumps({
    "id": "review", "type": "default", "schemaVersion": 16,
    "components": [{"type": "group", "id": "G", "path": "review", "label": "审核", "components": [
        {"type": "radio", "id": "R", "key": "result", "label": "结论", "validate": {"required": True},
         "values": [{"label": "同意", "value": "pass"}, {"label": "退回", "value": "return"}]},
        {"type": "dynamiclist", "id": "C", "path": "corrections", "label": "修改", "isRepeating": True,
         "allowAddRemove": True, "defaultRepetitions": 0, "conditional": {"hide": '=review.result != "return"'},
         "components": [
            {"type": "select", "id": "F", "key": "field", "label": "字段", "valuesExpression": "=returnable",
             "validate": {"required": True}},
            {"type": "textarea", "id": "Q", "key": "problem", "label": "要求", "validate": {"required": True}}]},
    ]}],
}).encode()  # fmt: skip


def step(node_id: str, form: str, group: str, more: str = "", **named: str) -> str:
    quoted = "".join(f"<zeebe:property name='{name}' value='{value}'/>" for name, value in named.items())
    inner = (
        f'<zeebe:userTask/><zeebe:formDefinition formId="{form}"/><zeebe:assignmentDefinition candidateGroups="{group}"/>'
        f"{more}<zeebe:properties>{quoted}</zeebe:properties>"
    )
    return f'<userTask id="{node_id}" name="{node_id}">{ext(inner)}</userTask>'


DUE = "<zeebe:taskSchedule dueDate='=workdays(today(), 5)'/>"
RETURNING = diagram(
    START
    + step("draft", "application", "applicant.drafter",
           corrections='=if review.result = "return" then review.corrections else null')
    + step("check", "review", "coop.intake", DUE, returns="application", clock="continues")
    + '<exclusiveGateway id="g" default="g_e"/>' + END,
    's -> draft -> check -> g; g -[=review.result = "return"]-> draft; g -> e',
)  # fmt: skip
WHOLE = {"name": "海洋研究所", "goals": "目标", "pledge": True}


@pytest.fixture
def case(office: Office) -> int:
    office.deploy(RETURNING, application__form=APPLICATION, review__form=REVIEW)
    return office.start()


def form_of(office: Office, task_id: int, user: Any) -> task_forms.TaskForm:
    with office.database.transaction() as session:
        found = task_forms.of_task(session, task_id, user=office.fresh(session, user))
        assert found is not None
        return found


def review_of(office: Office, task_id: int) -> returns.Review:
    with office.database.transaction() as session:
        found = returns.review(session, task_id, user=office.fresh(session, office.li))
        assert found is not None
        return found


def return_(office: Office, case: int, *fields: str) -> None:
    named = [{"field": one, "problem": f"请完善{one}"} for one in fields]
    office.do(case, "check", office.li, review={"result": "return", "corrections": named})


def test_a_reviewer_is_offered_the_fields_of_the_form_and_no_other(office: Office, case: int):
    office.do(case, "draft", office.wang, application=WHOLE)
    offered = form_of(office, office.open(case)["check"], office.li).values["returnable"]
    assert [(one["value"], one["label"]) for one in offered] == [("name", "名称"), ("goals", "目标")]
    with pytest.raises(errors.InvalidForm) as refused:
        return_(office, case, "secret")
    assert list(refused.value.fields) == ["review.corrections[0].field"]


def test_the_applicant_changes_the_named_field_and_the_server_keeps_the_others(office: Office, case: int):
    office.do(case, "draft", office.wang, application=WHOLE)
    return_(office, case, "goals")
    form = form_of(office, office.open(case)["draft"], office.wang)
    assert [(one.label, one.text) for one in form.remarks] == [("目标", "请完善goals")]
    office.do(case, "draft", office.wang, application={"name": "改了名", "goals": "新的目标", "pledge": False})
    assert office.variables(case)["application"] == {**WHOLE, "goals": "新的目标"}


def test_a_return_that_names_nothing_opens_the_whole_form(office: Office, case: int):
    office.do(case, "draft", office.wang, application=WHOLE)
    return_(office, case)
    assert form_of(office, office.open(case)["draft"], office.wang).remarks == []
    office.do(case, "draft", office.wang, application={**WHOLE, "name": "另一个研究所"})
    assert office.variables(case)["application"]["name"] == "另一个研究所"


def test_the_reviewer_sees_what_changed_and_what_was_asked_for_in_vain(office: Office, case: int):
    office.do(case, "draft", office.wang, application=WHOLE)
    assert review_of(office, office.open(case)["check"]).decided_at is None
    return_(office, case, "goals", "name")
    office.do(case, "draft", office.wang, application={**WHOLE, "goals": "目标已经写明"})
    seen = review_of(office, office.open(case)["check"])
    assert seen.decided_at is not None
    assert [one.path for one in seen.changes] == ["application.goals"]
    assert seen.asked == {"application.name": "请完善name", "application.goals": "请完善goals"}
    assert [one.path for one in seen.unanswered] == ["application.name"]


def test_the_clock_stands_while_the_case_is_away(office: Office):
    with clock.travel(datetime(2026, 3, 2, 2, tzinfo=UTC)):  # a Monday
        office.deploy(RETURNING, application__form=APPLICATION, review__form=REVIEW)
        case = office.start()
        office.do(case, "draft", office.wang, application=WHOLE)
        assert office.task(office.open(case)["check"]).due_at == datetime(2026, 3, 9, 15, 59, 59, tzinfo=UTC)
        clock.advance(timedelta(days=2))
        return_(office, case, "goals")
        clock.advance(timedelta(days=7))
        office.do(case, "draft", office.wang, application={**WHOLE, "goals": "新"})
        task_id = office.open(case)["check"]
        # Two of five days were used; three are left from the day of the return.
        assert office.task(task_id).due_at == datetime(2026, 3, 16, 15, 59, 59, tzinfo=UTC)
        clock.advance(timedelta(days=1))
        with office.database.transaction() as session:
            explained = clocks.of_task(session, session.get_one(Task, task_id))
        assert explained is not None
        assert explained[0].zh == "第 3 个工作日，共 5；暂停 5 天；截止 2026-03-16"


TIMED = RETURNING.replace(
    b'<exclusiveGateway id="g"',
    b'<boundaryEvent id="late" attachedToRef="check" cancelActivity="false"><timerEventDefinition>'
    b"<timeDate>=workdays(today(), 6)</timeDate></timerEventDefinition></boundaryEvent>"
    b'<endEvent id="told"/><sequenceFlow id="late_told" sourceRef="late" targetRef="told"/><exclusiveGateway id="g"',
)


def test_a_timer_on_a_step_goes_by_the_clock_of_the_step(office: Office):
    def rings(case: int) -> datetime:
        with office.database.transaction() as session:
            due = select(Job.due_at).where(Job.instance_id == case, Job.kind == "timer", Job.status == "queued")
            return session.scalars(due).one()

    with clock.travel(datetime(2026, 3, 2, 2, tzinfo=UTC)):  # a Monday
        office.deploy(TIMED, application__form=APPLICATION, review__form=REVIEW)
        case = office.start()
        office.do(case, "draft", office.wang, application=WHOLE)
        assert rings(case) == datetime(2026, 3, 9, 16, tzinfo=UTC)
        clock.advance(timedelta(days=2))
        return_(office, case, "goals")
        clock.advance(timedelta(days=7))
        office.do(case, "draft", office.wang, application={**WHOLE, "goals": "新"})
        # The sixth day: two of them were used before the return.
        assert rings(case) == datetime(2026, 3, 16, 16, tzinfo=UTC)


def part(form_id: str, path: str, *keys: str) -> bytes:
    fields = [{"type": "textfield", "id": f"{path}_{key}", "key": key, "label": f"{path} {key}"} for key in keys]
    group = {"type": "group", "id": f"G_{path}", "path": path, "label": path, "components": fields}
    return json.dumps({"id": form_id, "type": "default", "schemaVersion": 16, "components": [group]}).encode()


def test_a_task_may_return_the_fields_of_several_forms(office: Office):
    drawn = diagram(
        START
        + step("plan", "plan", "applicant.drafter", corrections="=review.corrections")
        + step("summary", "summary", "applicant.drafter", corrections="=review.corrections")
        + step("check", "review", "coop.intake", returns="plan, summary")
        + '<exclusiveGateway id="g" default="g_e"/>' + END,
        's -> plan -> summary -> check -> g; g -[=review.result = "return"]-> plan; g -> e',
    )  # fmt: skip
    files = {"plan__form": part("plan", "plan", "goals", "funds"), "summary__form": part("summary", "summary", "staff")}
    office.deploy(drawn, review__form=REVIEW, **files)
    case = office.start()
    office.do(case, "plan", office.wang, plan={"goals": "旧", "funds": "1"})
    office.do(case, "summary", office.wang, summary={"staff": "2"})
    check = office.open(case)["check"]
    seen = review_of(office, check)
    assert seen.returnable == ["plan.goals", "plan.funds", "summary.staff"]
    assert seen.values == {"plan": {"goals": "旧", "funds": "1"}, "summary": {"staff": "2"}}
    office.complete(
        check, office.li, review={"result": "return", "corrections": [{"field": "plan.goals", "problem": "具体些"}]}
    )
    opened = form_of(office, office.open(case)["plan"], office.wang)
    assert [one.path for one in opened.remarks] == ["plan.goals"]
    office.do(case, "plan", office.wang, plan={"goals": "新", "funds": "9"})
    office.do(case, "summary", office.wang, summary={"staff": "2"})
    changed = review_of(office, office.open(case)["check"])
    assert [one.path for one in changed.changes] == ["plan.goals"], "what was not named is as it was"
    assert changed.values["plan"] == {"goals": "新", "funds": "1"}
    assert changed.unanswered == []

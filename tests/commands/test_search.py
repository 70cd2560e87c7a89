"""What tasks are found by follows every step, is written anew on demand, and goes when a case is forgotten."""

from __future__ import annotations

from service.commands import reindex, retention, search
from service.models import SearchEntry
from service.queries import inbox
from tests.commands.conftest import Office


def test_a_new_title_is_found_in_the_tasks_that_were_there_before(office: Office):
    office.deploy(
        b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
            xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="x">
          <process id="p" name="Example" isExecutable="true">
            <extensionElements><zeebe:properties>
              <zeebe:property name="title" value="=planName"/></zeebe:properties></extensionElements>
            <startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="both"/>
            <parallelGateway id="both"/>
            <sequenceFlow id="f2" sourceRef="both" targetRef="a"/>
            <sequenceFlow id="f3" sourceRef="both" targetRef="b"/>
            <userTask id="a" name="First"><extensionElements><zeebe:userTask/><zeebe:formDefinition formId="plan"/>
              <zeebe:assignmentDefinition candidateGroups="coop.intake"/></extensionElements></userTask>
            <userTask id="b" name="Second"><extensionElements><zeebe:userTask/><zeebe:formDefinition formId="plan"/>
              <zeebe:assignmentDefinition candidateGroups="coop.intake"/></extensionElements></userTask>
            <sequenceFlow id="f4" sourceRef="a" targetRef="e"/><sequenceFlow id="f5" sourceRef="b" targetRef="e"/>
            <endEvent id="e"/>
          </process></definitions>""",
        plan__form=b"""{"type": "default", "id": "plan", "components": [
            {"type": "textfield", "key": "planName", "label": "Name"},
            {"type": "number", "key": "budget", "label": "Budget"},
            {"type": "textfield", "key": "remark", "label": "Remark"}]}""",
    )
    case_id = office.start(user=office.admin)

    def found(text: str, box: str = "group") -> set[str]:
        with office.database.transaction(readonly=True) as session:
            page = inbox.tasks(session, office.fresh(session, office.li), box=box, text=text)
            return {item.element_id for item in page.items}

    assert found("First") == {"a"}
    office.do(case_id, "a", planName="高原冻土研究", budget=7531)
    assert found("冻土") == {"b"}
    assert found("7531") == {"b"}
    assert found("冻土", "done") == {"a"}

    with office.database.transaction() as session:
        before = entries(session)
        search.forget(session, case_id)
    assert found("冻土") == set()
    with office.database.transaction() as session:
        assert reindex.rebuild(session) == (case_id, 1)
        assert reindex.rebuild(session, after=case_id) == (0, 0)
        session.flush()
        assert entries(session) == before
    assert found("冻土") == {"b"}
    office.do(case_id, "b", planName="高原冻土研究", remark="可以公开")
    assert found("可以公开", "done") == {"a", "b"}
    with office.database.transaction() as session:
        retention.forget(session, case_id, user=office.fresh(session, office.admin), reason="asked")
    assert found("冻土", "done") == found("可以公开", "done") == set()


def entries(session) -> list[tuple[object, ...]]:
    fields = ("task_id", "name", "about", "said", "region", "base_type", "recommender_id", "terms")
    found = session.query(SearchEntry).order_by(SearchEntry.task_id).execution_options(populate_existing=True)
    return [tuple(getattr(one, field) for field in fields) for one in found]

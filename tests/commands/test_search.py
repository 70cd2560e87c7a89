"""What tasks are found by follows every step, is written anew on demand, and goes when a case is forgotten."""

from __future__ import annotations

import importlib
import json

from alembic.migration import MigrationContext
from alembic.operations import Operations

from service import words
from service.commands.administration import retention
from service.commands.cases import reindex, search
from service.models import SearchEntry
from service.queries import inbox
from tests.commands.conftest import DESK, END, START, Office, diagram
from tests.engine.diagrams import user


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


def test_entries_of_before_are_marked_anew_by_the_migration(office):
    """What was typed used to stand among the words of the line."""
    migration = importlib.import_module("service.migrations.versions.0019_typed_words_apart")
    office.deploy(diagram(START + user("a", DESK) + END, "s -> a -> e"))
    task = office.open(office.start())["a"]
    with office.database.transaction() as session:
        entry = session.get_one(SearchEntry, task)
        tags = {word for word in terms(session, task) if ":" in word}
        line = words.pairs(entry.name) | words.pairs(entry.about)
        assert terms(session, task) == tags | line
        entry.said, entry.terms = "高原冻土", tags | line | words.pairs("高原冻土")
        session.flush()
        with Operations.context(MigrationContext.configure(session.connection())):
            migration.upgrade()
        assert terms(session, task) == tags | line | set(words.typed(words.pairs("高原冻土")))


def test_english_names_are_found_beside_the_chinese_also_of_before(office):
    """What a reader of English sees of a line: its step, its process and its title."""
    migration = importlib.import_module("service.migrations.versions.0020_english_names_are_found")
    say = {
        "形式审查": "Formal check",
        "基地认定": "Accreditation of a base",
        "某基地认定申请": "Application of some base",
    }
    drawn = diagram(START + user("a", DESK) + user("b", DESK) + END, "s -> a -> b -> e")
    drawn = drawn.replace(b'name="p"', 'name="基地认定"'.encode())
    drawn = drawn.replace(b'name="a"', 'name="形式审查"'.encode()).replace(b'name="b"', b'name="Second"')
    office.deploy(drawn, en__json=json.dumps(say, ensure_ascii=False).encode())
    case_id = office.start()

    def found(text: str) -> int:
        with office.database.transaction(readonly=True) as session:
            return inbox.tasks(session, office.fresh(session, office.li), box="group", text=text).total

    assert [found(text) for text in ("formal", "FORMAL check", "形式", "accreditation", "认定")] == [1] * 5
    assert found("second") == 0
    with office.database.transaction() as session:
        before = entries(session)
        entry = session.query(SearchEntry).one()
        assert (entry.name, entry.about.count("accreditation of a base")) == ("形式审查 formal check", 1)
        entry.name, entry.about = "形式审查", entry.about.removesuffix(" accreditation of a base")
        tags = {word for word in terms(session, entry.task_id) if ":" in word}
        entry.terms = tags | words.pairs(entry.name) | words.pairs(entry.about)
        session.flush()
        assert entries(session) != before
        with Operations.context(MigrationContext.configure(session.connection())):
            migration.upgrade()
        assert entries(session) == before
    assert found("formal") == found("accreditation") == 1
    office.do(case_id, "a")
    assert found("formal") == 0
    assert found("second") == found("accreditation") == 1


def terms(session, task_id: int) -> set[str]:
    return set(str(session.get_one(SearchEntry, task_id, populate_existing=True).terms).replace("'", "").split())

"""Ask a colleague, put aside, talk about a case, see what lies ahead."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service import clock, engine, errors
from service.commands.cases import outlook
from service.commands.inbox import comments, drafts, planning, tasks
from service.models import Draft, Instance, Notification, StepNorm, User
from service.queries import comments as said
from service.queries import inbox
from tests.engine.diagrams import user

from .conftest import DESK, END, START, Office, diagram, form

ROOT = Path(__file__).parents[2]
FORMED = DESK + '<zeebe:formDefinition formId="f"/>'
TWO = diagram(START + user("a", FORMED) + user("b", DESK) + END, "s -> a -> b -> e")


@pytest.fixture
def case(office: Office) -> int:
    office.deploy(TWO, f__form=form("f", "opinion"))
    return office.start()


def act(office: Office, verb: Any, *args: Any, user: User, **options: Any) -> Any:
    with office.database.transaction() as session:
        fresh = {name: office.fresh(session, one) if isinstance(one, User) else one for name, one in options.items()}
        return verb(session, *args, user=office.fresh(session, user), **fresh)


def test_a_delegated_task_comes_back_with_what_was_filled_in_and_its_owner_hands_it_in(office: Office, case: int):
    task_id = office.open(case)["a"]
    act(office, tasks.claim, task_id, user=office.li)
    act(office, drafts.save, task_id, {"opinion": "开头"}, user=office.li)
    act(office, tasks.delegate, task_id, user=office.li, to=office.zhao)
    assert (office.task(task_id).assignee_id, office.task(task_id).owner_id) == (office.zhao.id, office.li.id)
    (handed,) = [one for one in office.rows(Draft) if one.user_id == office.zhao.id]
    assert handed.values == {"opinion": "开头"}
    with pytest.raises(errors.Conflict) as refused:
        office.complete(task_id, office.zhao, opinion="同意")
    assert refused.value.code == "delegated"
    act(office, drafts.save, task_id, {"opinion": "同意"}, user=office.zhao)
    act(office, tasks.resolve, task_id, user=office.zhao)
    back = office.task(task_id)
    assert (back.assignee_id, back.delegation) == (office.li.id, "resolved")
    (kept,) = [one for one in office.rows(Draft) if one.user_id == office.li.id]
    assert kept.values == {"opinion": "同意"}
    office.complete(task_id, office.li, opinion="同意")
    assert [kind for kind in office.kinds(case) if kind in ("delegated", "resolved")] == ["delegated", "resolved"]


def test_a_task_is_delegated_by_who_has_it_to_somebody_it_is_offered_to(office: Office, case: int):
    task_id = office.open(case)["a"]
    with pytest.raises(errors.Forbidden):
        act(office, tasks.delegate, task_id, user=office.li, to=office.zhao)
    act(office, tasks.claim, task_id, user=office.li)
    stranger = office.people.user("feng", "coop.assessor")
    with pytest.raises(errors.InvalidInput):
        act(office, tasks.delegate, task_id, user=office.li, to=stranger)
    with pytest.raises(errors.Forbidden):
        act(office, tasks.resolve, task_id, user=office.li)


def test_what_is_put_aside_comes_back_on_its_day(office: Office, case: int):
    task_id = office.open(case)["a"]
    act(office, tasks.claim, task_id, user=office.li)
    with clock.travel(clock.now()):
        tomorrow = clock.today() + timedelta(days=1)
        for wrong in (clock.today(), clock.today() - timedelta(days=30)):
            with pytest.raises(errors.InvalidInput) as refused:
                act(office, planning.plan, task_id, user=office.li, follow_up=wrong, priority=50)
            assert refused.value.field == "follow_up"
        act(office, planning.plan, task_id, user=office.li, follow_up=tomorrow, priority=90)

        def box(name: str) -> list[int]:
            return [one.id for one in act(office, box_of, name, user=office.li)]

        assert (box("mine"), box("later")) == ([], [task_id])
        clock.advance(timedelta(days=2))
        assert (box("mine"), box("later")) == ([task_id], [])
    assert office.task(task_id).priority == 90
    with pytest.raises(errors.Forbidden):
        act(office, planning.plan, task_id, user=office.zhao, follow_up=None, priority=10)


def box_of(session: Any, name: str, *, user: User) -> list[Any]:
    return inbox.tasks(session, user, box=name).items  # type: ignore[arg-type]


def read(office: Office, case: int, user: User) -> list[str]:
    with office.database.transaction() as session:
        return [one.text for one in said.of_case(session, office.fresh(session, user), case).rows]


def test_a_comment_reaches_its_circle_and_no_further(office: Office, case: int):
    expert = office.people.user("expert", "experts.reviewer")
    act(office, comments.write, case, "内部讨论", user=office.li, audience="internal")
    act(office, comments.write, case, "请补充材料 <script>alert(1)</script>", user=office.li, audience="applicant")
    act(office, comments.write, case, "好的", user=office.wang, audience="applicant")
    assert read(office, case, office.zhao) == ["内部讨论", "请补充材料 <script>alert(1)</script>", "好的"]
    assert read(office, case, office.wang) == ["请补充材料 <script>alert(1)</script>", "好的"]
    assert read(office, case, expert) == []
    with pytest.raises(errors.Forbidden):
        act(office, comments.write, case, "越界", user=office.wang, audience="internal")
    with pytest.raises(errors.NotFound):
        act(office, comments.write, case, "路过", user=expert, audience="applicant")


def test_a_mention_tells_who_may_read_and_refuses_who_may_not(office: Office, case: int):
    with office.database.transaction() as session:
        office.fresh(session, office.li).email = "li@example.org"
    act(office, comments.write, case, "@李明请看，抄送 @zhao", user=office.wang, audience="applicant")
    (mail,) = office.jobs(kind="mail")
    assert mail.payload["to"] == "li@example.org"
    assert "提到了您：@李明请看" in mail.payload["text"]
    told = {one.user_id: one.text_zh for one in office.rows(Notification)}
    assert set(told) == {office.li.id, office.zhao.id}
    assert told[office.li.id].startswith("王芳在案件")
    with pytest.raises(errors.InvalidInput) as refused:
        act(office, comments.write, case, "@王芳 不该看到", user=office.li, audience="internal")
    assert "王芳看不到" in refused.value.zh
    assert "不该看到" not in " ".join(read(office, case, office.li))
    act(office, comments.write, case, "@查无此人 只是文字", user=office.li, audience="internal")


@pytest.mark.parametrize(("text", "part"), [("   ", "请写下意见"), ("长" * 4001, "最多 4000 字")])
def test_a_comment_that_says_nothing_or_too_much_is_refused(office: Office, case: int, text: str, part: str):
    with pytest.raises(errors.InvalidInput) as refused:
        act(office, comments.write, case, text, user=office.li, audience="internal")
    assert part in refused.value.zh


def test_a_comment_taken_back_leaves_that_it_was_there(office: Office, case: int):
    comment = act(office, comments.write, case, "说错了", user=office.li, audience="internal")
    with pytest.raises(errors.NotFound):
        act(office, comments.withdraw, comment.id, user=office.zhao)
    act(office, comments.withdraw, comment.id, user=office.li)
    assert read(office, case, office.zhao) == [""]


@pytest.fixture(scope="module")
def bundle() -> engine.Bundle:
    files = [one for name in ("processes", "forms") for one in (ROOT / name).rglob("*") if one.is_file()]
    return engine.load_bundle({str(one.relative_to(ROOT)): one.read_bytes() for one in files if one.suffix != ".py"})


def test_the_main_line_of_a_procedure_leads_to_its_farthest_end(bundle: engine.Bundle):
    line = [one.id for one in outlook.main_line(bundle, bundle.models["demonstration_base"])]
    assert line[:2] == ["draft_application", "review_internally"]
    assert line[-2:] == ["sign_document", "issue_accreditation"]
    assert "handle_ineligible" not in line


def test_of_two_ways_as_long_the_main_line_is_the_one_that_the_case_went(bundle: engine.Bundle):
    process = bundle.models["column_article"]
    for written, other in (("write_article", "write_experience"), ("write_experience", "write_article")):
        line = [one.id for one in outlook.main_line(bundle, process, {"article_begun", "who_sends", written})]
        assert written in line
        assert other not in line


def test_every_step_of_every_procedure_says_what_comes_next(bundle: engine.Bundle):
    """A person's step that leads nowhere would be drawn wrong."""
    for process in bundle.models.values():
        for _scope, node in process.walk():
            if node.kind == "userTask":
                found = outlook._place(process, node.id)
                assert found is not None
                assert list(outlook._ahead(found[0], found[1], (), set())), (process.id, node.id)


def test_next_steps_name_the_ways_that_lead_there(office: Office, bundle: engine.Bundle):
    process = bundle.models["demonstration_base"]
    place = outlook._place(process, "review_recommendation")
    assert place is not None
    ahead = {one.element_id: one for one in outlook._ahead(place[0], place[1], (), set())}
    assert ahead["draft_application"].ways == ("退回修改",)
    assert ahead["sign_recommendation"].lane == "推荐部门"
    assert ahead["not_recommended"].kind == "end"


def test_how_far_a_case_is_follows_its_diagram_and_its_usual_times(office: Office, case: int):
    def where(states: dict[str, str]) -> outlook.Course | None:
        with office.database.transaction() as session:
            return outlook.course(session, session.get_one(Instance, case), states)

    first = where({"a": "active"})
    assert first is not None
    assert (first.number, first.total, first.name, first.expected) == (1, 2, "a", None)
    with office.database.transaction() as session:
        for element in ("a", "b"):
            session.add(
                StepNorm(
                    authority_id=office.li.authority_id, process_id="p", element_id=element, count=5,
                    median=86400.0, p95=90000.0, learned_at=clock.now(),
                )
            )  # fmt: skip
    second = where({"a": "done", "b": "active"})
    assert second is not None
    assert (second.number, second.name) == (2, "b")
    assert second.expected is not None
    assert timedelta(hours=23) < second.expected - clock.now() < timedelta(hours=25)


def test_a_draft_meets_a_case_that_has_changed_field_by_field(office: Office, case: int):
    task_id = office.open(case)["a"]
    act(office, tasks.claim, task_id, user=office.li)
    opened = {"opinion": "案件原有"}
    act(office, drafts.keep, task_id, {"opinion": "我的修改"}, user=office.li, opened=opened)

    def reopened(**now: Any) -> drafts.Kept:
        return act(office, drafts.on_opening, task_id, now, user=office.li)

    assert reopened(opinion="案件原有").values == {"opinion": "我的修改"}
    (conflict,) = reopened(opinion="别人改过").conflicts
    assert (conflict.label, conflict.mine_text, conflict.theirs_text) == ("opinion", "我的修改", "别人改过")


def test_a_stale_draft_is_put_together_with_the_newer_one(office: Office, case: int):
    task_id = office.open(case)["a"]
    act(office, tasks.claim, task_id, user=office.li)
    first = act(office, drafts.keep, task_id, {"opinion": "甲"}, user=office.li, opened={})
    again = act(
        office, drafts.keep, task_id, {"opinion": "乙"}, user=office.li,
        known=first.draft.saved_at.isoformat(), base={"opinion": "甲"},
    )  # fmt: skip
    assert (again.values, again.conflicts) == ({"opinion": "乙"}, [])
    stale = act(office, drafts.keep, task_id, {"opinion": "丙"}, user=office.li, known=None, base={})
    assert stale.values == {"opinion": "丙"}
    assert [(one.mine, one.theirs) for one in stale.conflicts] == [("丙", "乙")]

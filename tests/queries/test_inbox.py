"""The inbox: boxes, order, pages, filters, and what it costs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service import clock, errors
from service.queries import inbox
from service.queries import tasks as one_task
from tests import rows
from tests.statements import counted


@pytest.fixture
def case(session, people):
    """A case of the university."""
    of = rows.definition(session, people.authority().id)
    parties = {"applicant": people.organisation("uni", name="大学"), "recommender": people.organisation("sd")}
    return rows.instance(session, of, parties, title="示范型基地申报", number="DB-2026-0001")


@pytest.fixture
def desk(people):
    """The group of the reviewers of the recommending department."""
    return [(people.organisation("sd", name="山东省科技厅"), "recommender.reviewer")]


@pytest.fixture
def reviewer(people):
    """One of them."""
    return people.user("wang", "recommender.reviewer@sd")


def ids(page):
    return [item.id for item in page.items]


def days(number: int):
    return clock.now() + timedelta(days=number)


def test_the_group_box_holds_what_is_offered_and_not_taken(session, people, case, desk, reviewer):
    free = rows.task(session, case, groups=desk)
    other = people.user("other", "recommender.reviewer@sd")
    rows.task(session, case, groups=desk, assignee_id=other.id)
    rows.task(session, case, groups=[(people.organisation("hn"), "recommender.reviewer")])
    rows.task(session, case, groups=desk, status="completed")
    personal = rows.task(session, case, users=[reviewer])
    page = inbox.tasks(session, reviewer, box="group")
    assert set(ids(page)) == {free.id, personal.id}
    assert (page.total, page.capped, page.next) == (2, False, None)


def test_my_box_holds_what_i_took(session, case, desk, reviewer, people):
    mine = rows.task(session, case, groups=desk, assignee_id=reviewer.id)
    rows.task(session, case, groups=desk, assignee_id=people.user("other", "recommender.reviewer@sd").id)
    rows.task(session, case, groups=desk, assignee_id=reviewer.id, status="completed", completed_by_id=reviewer.id)
    page = inbox.tasks(session, reviewer)
    assert ids(page) == [mine.id]
    assert page.items[0].assignee == "Wang"


def test_the_done_box_shows_the_latest_first(session, case, desk, reviewer):
    def done(hours):
        at = clock.now() + timedelta(hours=hours)
        return rows.task(session, case, groups=desk, status="completed", completed_by_id=reviewer.id, completed_at=at)

    first, second = done(1), done(2)
    assert ids(inbox.tasks(session, reviewer, box="done")) == [second.id, first.id]


def test_a_line_says_what_where_and_for_whom(session, case, desk, reviewer):
    due = days(-1)
    rows.task(session, case, groups=desk, name="审核", due_at=due, form_id="review")
    (line,) = inbox.tasks(session, reviewer, box="group").items
    assert (line.name, line.number, line.title) == ("审核", "DB-2026-0001", "示范型基地申报")
    assert (line.applicant, line.office, line.role_zh) == ("大学", "山东省科技厅", "推荐部门审核人")
    assert (line.process_name, line.form_id, line.due_at, line.overdue) == ("Demo", "review", due, True)


def test_earliest_due_comes_first_and_no_due_date_last(session, case, desk, reviewer):
    without = rows.task(session, case, groups=desk)
    late = rows.task(session, case, groups=desk, due_at=days(2))
    later = rows.task(session, case, groups=desk, due_at=days(3))
    overdue = rows.task(session, case, groups=desk, due_at=days(-1))
    expected = [overdue.id, late.id, later.id, without.id]
    assert ids(inbox.tasks(session, reviewer, box="group")) == expected
    for task in (without, late, later, overdue):
        task.assignee_id = reviewer.id
    session.flush()
    assert ids(inbox.tasks(session, reviewer, box="mine")) == expected


def test_moving_a_due_date_moves_the_task(session, case, desk, reviewer):
    one = rows.task(session, case, groups=desk, due_at=days(1), assignee_id=reviewer.id)
    two = rows.task(session, case, groups=desk, due_at=days(2), assignee_id=reviewer.id)
    one.due_at = days(3)
    session.flush()
    assert ids(inbox.tasks(session, reviewer)) == [two.id, one.id]
    two.due_at = None
    session.flush()
    assert ids(inbox.tasks(session, reviewer)) == [one.id, two.id]


def test_lists_can_be_sorted_by_arrival_and_priority(session, case, desk, reviewer):
    old = rows.task(session, case, groups=desk, priority=90, created_at=days(-2))
    new = rows.task(session, case, groups=desk, priority=10, created_at=days(-1))
    assert ids(inbox.tasks(session, reviewer, box="group", sort="created")) == [new.id, old.id]
    assert ids(inbox.tasks(session, reviewer, box="group", sort="priority")) == [old.id, new.id]


@pytest.mark.parametrize("box", ["group", "mine", "all", "done", "waiting"])
@pytest.mark.parametrize("sort", ["due", "created", "priority"])
def test_pages_add_up_to_the_list_without_gaps_or_repeats(session, people, case, desk, box, sort):
    user = people.user("many", "recommender.reviewer@sd", "recommender.signatory@sd", "applicant.drafter@uni")
    both = [*desk, (people.organisation("sd"), "recommender.signatory")]
    strangers = [(people.organisation("coop"), "coop.intake")]
    facts = {
        "group": {"groups": both, "users": [user]},
        "mine": {"groups": desk, "assignee_id": user.id},
        "all": {"groups": desk},
        "done": {"groups": desk, "status": "completed", "completed_by_id": user.id, "completed_at": days(0)},
        "waiting": {"groups": strangers},
    }[box]
    dues = [days(1), days(1), None, None, days(-1), None, days(2)]
    made = {
        rows.task(session, case, due_at=due, priority=50 + number % 2, **facts).id for number, due in enumerate(dues)
    }
    whole = inbox.tasks(session, user, box=box, sort=sort)
    seen, after = [], None
    for _ in range(4):
        page = inbox.tasks(session, user, box=box, sort=sort, after=after, limit=2)
        assert page.total == 7
        seen += ids(page)
        after = page.next
    assert after is None
    assert seen == ids(whole)
    assert set(seen) == made
    assert len(seen) == 7


def test_a_task_done_meanwhile_does_not_shift_the_next_page(session, case, desk, reviewer):
    made = [rows.task(session, case, groups=desk, due_at=days(number)) for number in range(6)]
    first = inbox.tasks(session, reviewer, box="group", limit=3)
    for candidate in made[0].candidates:
        candidate.claimed = True
    session.flush()
    second = inbox.tasks(session, reviewer, box="group", limit=3, after=first.next)
    assert ids(second) == [task.id for task in made[3:]]


def test_a_task_offered_to_me_twice_is_one_line(session, people, case, desk):
    user = people.user("both", "recommender.reviewer@sd", "recommender.signatory@sd")
    rows.task(session, case, groups=[*desk, (people.organisation("sd"), "recommender.signatory")], users=[user])
    page = inbox.tasks(session, user, box="group")
    assert (len(page.items), page.total) == (1, 1)
    assert inbox.counts(session, user) == {"mine": 0, "late": 0, "group": 1}


def test_new_staff_see_old_tasks_and_leavers_none(session, people, case, desk):
    task = rows.task(session, case, groups=desk)
    new = people.user("new", "recommender.reviewer@sd")
    assert ids(inbox.tasks(session, new, box="group")) == [task.id]
    new.memberships[0].until = clock.today()
    assert ids(inbox.tasks(session, new, box="group")) == []
    assert inbox.tasks(session, new, box="group", sort="created").items == []


def test_a_closed_account_has_an_empty_inbox(session, case, desk, reviewer):
    rows.task(session, case, groups=desk, users=[reviewer])
    rows.task(session, case, groups=desk, assignee_id=reviewer.id)
    reviewer.active = False
    for box in ("mine", "group", "all", "waiting"):
        for sort in ("due", "priority"):
            assert inbox.tasks(session, reviewer, box=box, sort=sort).items == []
    assert inbox.counts(session, reviewer)["group"] == 0


@pytest.mark.parametrize("box", ["group", "mine", "all"])
def test_filters_narrow_every_box(session, people, case, desk, box):
    admin_too = people.user("wang2", "recommender.reviewer@sd")
    taken = {"assignee_id": admin_too.id} if box == "mine" else {}
    other_process = rows.definition(session, people.authority().id, "other")
    other = rows.instance(session, other_process, title="100% 别的_事")
    wanted = rows.task(session, case, groups=desk, name="审核", element_id="review", due_at=days(-1), **taken)
    rest = rows.task(session, other, groups=desk, name="签署", element_id="sign", **taken)

    def found(**filters):
        return ids(inbox.tasks(session, admin_too, box=box, **filters))

    assert found() == [wanted.id, rest.id]
    assert found(process="demo") == [wanted.id]
    assert found(element="sign") == [rest.id]
    assert found(instance=case.id) == [wanted.id]
    assert found(overdue=True) == [wanted.id]
    assert found(overdue=False) == [rest.id]
    assert found(text="示范") == [wanted.id]
    assert found(text="db-2026") == [wanted.id]
    assert found(text="签署") == [rest.id]
    assert found(text="100%") == [rest.id]
    assert found(text="别的_事") == [rest.id]
    assert found(text="%") == found(text="\\") == [], "nothing but signs is no word"
    assert found(text="\x00") == [wanted.id, rest.id]


def test_waiting_shows_where_my_case_is_but_not_who_has_it(session, people, case):
    applicant = people.user("lin", "applicant.drafter@uni")
    expert = people.user("expert", "experts.reviewer")
    pool = [(people.organisation("experts", name="专家库"), "experts.reviewer")]
    waiting = rows.task(session, case, groups=pool, name="专家评审", assignee_id=expert.id)
    rows.task(session, case, groups=[(people.organisation("uni"), "applicant.drafter")])
    (line,) = inbox.tasks(session, applicant, box="waiting").items
    assert (line.id, line.name, line.office) == (waiting.id, "专家评审", "专家库")
    assert (line.assignee, line.assignee_id, line.claimed_at) == (None, None, None)


def test_a_colleague_who_has_the_task_is_named_while_i_wait(session, people, case):
    applicant = people.user("lin", "applicant.drafter@uni")
    colleague = people.user("mei", "applicant.drafter@uni")
    office = [(people.organisation("uni"), "applicant.drafter")]
    rows.task(session, case, groups=office, assignee_id=colleague.id)
    (line,) = inbox.tasks(session, applicant, box="waiting").items
    assert line.assignee == "Mei"


def test_an_applicant_finds_nothing_of_another_case(session, people, case, desk):
    rows.task(session, case, groups=desk)
    rows.task(session, case, groups=[(people.organisation("uni"), "applicant.drafter")])
    stranger = people.user("stranger", "applicant.drafter@other")
    for box in ("mine", "group", "waiting", "done", "all"):
        assert inbox.tasks(session, stranger, box=box).items == []


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("box", {"box": "trash"}),
        ("sort", {"sort": "random"}),
        ("status", {"status": "lost"}),
        ("after", {"after": "rubbish"}),
        ("after", {"after": "e30"}),
        ("after", {"after": "WyJ4IiwxXQ"}),
        ("after", {"after": "WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwxXQ"}),
        ("after", {"after": "WyIyMDI2LTAxLTAxVDAwOjAwOjAwKzAwOjAwIiwxZTIwXQ"}),
        ("after", {"after": "\udcff林"}),
    ],
)
def test_a_question_nobody_can_answer_is_refused(session, reviewer, field, asked):
    with pytest.raises(errors.InvalidInput) as raised:
        inbox.tasks(session, reviewer, **{"box": "group", **asked})
    assert raised.value.field == field


@pytest.mark.parametrize("limit", [-1, 0, 10**9])
def test_a_page_is_neither_empty_nor_endless(session, case, desk, reviewer, limit):
    for _ in range(2):
        rows.task(session, case, groups=desk)
    assert 1 <= len(inbox.tasks(session, reviewer, box="group", limit=limit).items) <= 2


def test_a_long_list_is_counted_up_to_a_limit_or_to_its_end(session, case, desk, reviewer, monkeypatch):
    monkeypatch.setattr(inbox, "COUNTED", 3)
    for _ in range(5):
        rows.task(session, case, groups=desk)
    for sort in ("due", "created", "case"):
        page = inbox.tasks(session, reviewer, box="group", sort=sort, up_to=3)
        assert (page.total, page.capped, len(page.items)) == (3, True, 5)
        page = inbox.tasks(session, reviewer, box="group", sort=sort, up_to=None)
        assert (page.total, page.capped, len(page.items)) == (5, False, 5)


@pytest.mark.parametrize("box", ["mine", "group", "waiting", "done", "all"])
def test_a_box_takes_two_statements(database, people, box):
    user = people.user("wang", "recommender.reviewer@sd", "recommender.signatory@sd", "applicant.drafter@uni")
    with database.transaction(readonly=True) as session, counted(database) as statements:
        inbox.tasks(session, user, box=box, text="x")
        assert len(statements) == 2
        inbox.counts(session, user)
        assert len(statements) == 3


def test_what_waits_for_me_is_counted_with_what_is_late(session, case, desk, reviewer):
    for due in (days(-1), days(1), None):
        rows.task(session, case, groups=desk, assignee_id=reviewer.id, due_at=due)
    rows.task(session, case, groups=desk)
    assert inbox.counts(session, reviewer) == {"mine": 3, "late": 1, "group": 1}


# One task


def test_the_page_of_a_task_says_what_i_may_do(session, people, case, desk, reviewer):
    task = rows.task(session, case, groups=desk, users=[people.user("mei")], name="审核", due_at=days(-1))
    view = one_task.task(session, reviewer, task.id)
    assert (view.name, view.number, view.process_name, view.deployment_id) == (
        "审核",
        "DB-2026-0001",
        "Demo",
        case.deployment_id,
    )
    assert (view.may_claim, view.may_complete, view.may_release, view.may_assign) == (True, True, False, True)
    assert (view.mine, view.overdue, view.office) == (False, True, "山东省科技厅")
    assert [(one.user, one.organisation, one.role_zh) for one in view.candidates] == [
        (None, "山东省科技厅", "推荐部门审核人"),
        ("Mei", None, None),
    ]


def test_a_suspended_case_lets_nobody_work(session, case, desk, reviewer):
    task = rows.task(session, case, groups=desk)
    case.status = "suspended"
    session.flush()
    view = one_task.task(session, reviewer, task.id)
    assert (view.may_claim, view.may_complete, view.may_assign) == (False, False, False)


def test_a_task_of_others_is_not_there(session, people, case, desk):
    task = rows.task(session, case, groups=desk)
    assert one_task.task(session, people.user("lin", "applicant.drafter@uni"), task.id) is None
    assert one_task.task(session, people.user("mei", "recommender.reviewer@sd"), 10**30) is None


def test_a_task_is_handed_to_holders_of_its_role(session, people, case, desk):
    names = {"mei": {}, "gone": {"until": clock.today()}}
    for name in names:
        people.user(name, "recommender.reviewer@sd")
    session.flush()
    gone = people.user("left", "recommender.reviewer@sd")
    gone.memberships[0].until = clock.today()
    people.user("closed", "recommender.reviewer@sd").active = False
    expert = people.user("expert", "experts.reviewer")
    session.flush()
    task = rows.task(session, case, groups=desk, users=[expert])
    assert [name for _, name in one_task.assignable(session, task.id)] == ["Expert", "Gone", "Mei"]

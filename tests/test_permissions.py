"""Who may see and do what; and that the rules for one thing and for lists say the same."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from service import clock, permissions
from service.commands.people import identity
from service.models import FIXED_PARTIES, Attachment, Instance, ProcessDefinition, Task, User
from tests import rows


@pytest.fixture
def demo(session, people):
    """A process of the ministry that applicants and the department may start."""
    return rows.definition(session, people.authority().id, starters=["applicant.drafter", "coop.organiser"])


@pytest.fixture
def case(session, people, demo):
    """A case of the university, recommended by the province."""
    parties = {"applicant": people.organisation("uni"), "recommender": people.organisation("sd")}
    return rows.instance(session, demo, parties)


def sees(session, user, case) -> bool:
    tasks = session.scalars(select(Task).where(Task.instance_id == case.id)).all()
    by_rule = permissions.may_see_instance(user, case, case.parties, tasks)
    listed = select(Instance.id).where(Instance.id == case.id, permissions.instances_seen_by(user))
    assert (session.scalar(listed) is not None) == by_rule
    return by_rule


# Cases


@pytest.mark.parametrize(
    "membership",
    [
        "applicant.drafter@uni",
        "applicant.liaison@uni",
        "recommender.reviewer@sd",
        "coop.intake",
        "most.decider",
        "torch.organiser",
        "secretariat.officer",
        "platform.admin",
    ],
)
def test_parties_and_desks_see_the_case(session, people, case, membership):
    assert sees(session, people.user("lin", membership), case)


@pytest.mark.parametrize(
    "membership",
    [
        "applicant.drafter@other",
        "applicant.drafter@sd",
        "recommender.reviewer@uni",
        "recommender.reviewer@other",
        "zone.drafter@uni",
        "experts.reviewer",
        "experts.chair",
    ],
)
def test_nobody_else_sees_the_case(session, people, case, membership):
    assert not sees(session, people.user("lin", membership), case)


def test_a_desk_of_another_authority_does_not_see_the_case(session, people, case):
    for role in ("coop.intake", "platform.admin"):
        assert not sees(session, people.user(role, role, authority="shandong"), case)


def test_a_member_who_left_or_has_not_begun_sees_nothing(session, people, case):
    today, uni = clock.today(), people.organisation("uni")
    for name, days in {"gone": {"until": today}, "soon": {"since": today + timedelta(days=1)}}.items():
        user = people.user(name)
        identity.add_membership(session, user, uni, "applicant.drafter", **days)
        assert not sees(session, user, case)
    last_day = people.user("last")
    identity.add_membership(session, last_day, uni, "applicant.drafter", until=today + timedelta(days=1))
    assert sees(session, last_day, case)


def test_a_closed_account_or_organisation_sees_nothing(session, people, case):
    user = people.user("lin", "applicant.drafter@uni")
    user.active = False
    assert not sees(session, user, case)
    user.active = True
    people.organisation("uni").active = False
    session.flush()
    assert not sees(session, user, case)


def test_whoever_started_a_case_without_parties_sees_it(session, people, demo):
    user, other = people.user("lin"), people.user("mei")
    case = rows.instance(session, demo, started_by_id=user.id)
    assert sees(session, user, case)
    assert not sees(session, other, case)


def test_having_started_a_case_is_not_enough_once_it_has_parties(session, people, demo):
    user = people.user("lin")
    case = rows.instance(session, demo, {"applicant": people.organisation("uni")}, started_by_id=user.id)
    assert not sees(session, user, case)


def test_an_expert_sees_the_case_they_are_asked_about_before_and_after(session, people, case):
    asked, colleague = people.user("asked", "experts.reviewer"), people.user("colleague", "experts.reviewer")
    task = rows.task(session, case, users=[asked])
    assert sees(session, asked, case)
    task.status, task.completed_by_id, task.candidates = "completed", asked.id, []
    session.flush()
    assert sees(session, asked, case)
    assert not sees(session, colleague, case)


def test_an_expert_who_leaves_the_pool_loses_sight_of_old_cases(session, people, case):
    expert = people.user("lin", "experts.reviewer")
    rows.task(session, case, status="completed", completed_by_id=expert.id)
    assert sees(session, expert, case)
    identity.remove_membership(session, expert.memberships[0])
    assert not sees(session, expert, case)


def test_a_leaver_who_once_did_a_task_sees_nothing(session, people, case):
    clerk = people.user("lin", "recommender.reviewer@sd")
    rows.task(session, case, status="completed", completed_by_id=clerk.id, assignee_id=clerk.id)
    assert sees(session, clerk, case)
    identity.remove_membership(session, clerk.memberships[0])
    assert not sees(session, clerk, case)


def test_a_task_taken_by_another_closes_the_case_to_the_rest_of_the_pool(session, people, case):
    one, other = people.user("one", "experts.reviewer"), people.user("two", "experts.reviewer")
    task = rows.task(session, case, groups=[(people.organisation("experts"), "experts.reviewer")])
    assert sees(session, one, case)
    assert sees(session, other, case)
    task.assignee_id = one.id
    for candidate in task.candidates:
        candidate.claimed = True
    session.flush()
    assert sees(session, one, case)
    assert not sees(session, other, case)


def test_the_data_of_a_case_are_for_desks(session, people, case):
    assert permissions.may_see_variables(people.user("clerk", "coop.intake"), case)
    for membership in ("applicant.drafter@uni", "recommender.reviewer@sd", "experts.reviewer"):
        assert not permissions.may_see_variables(people.user(membership.partition("@")[0], membership), case)


# Starting and administering


def test_a_starter_role_starts_in_the_name_of_its_organisation(session, people, demo):
    user = people.user("lin", "applicant.drafter@uni", "applicant.reviewer@lab")
    assert permissions.may_start(user, demo)
    assert permissions.may_start(user, demo, people.organisation("uni"))
    assert not permissions.may_start(user, demo, people.organisation("lab"))
    assert not permissions.may_start(people.user("mei", "applicant.reviewer@uni"), demo)


def test_a_starter_role_of_another_authority_does_not_start(session, people, demo):
    assert not permissions.may_start(people.user("lin", "applicant.drafter@uni", authority="shandong"), demo)


def test_a_process_without_starters_is_the_platforms(session, people):
    inner = rows.definition(session, people.authority().id, "inner")
    assert permissions.may_start(people.user("root", "platform.admin"), inner)
    assert permissions.may_start(people.user("owner", "platform.owner"), inner)
    assert not permissions.may_start(people.user("clerk", "coop.intake"), inner)


def test_deploying_is_for_owners_and_administering_for_administrators(session, people):
    authority_id = people.authority().id
    admin, owner = people.user("root", "platform.admin"), people.user("owner", "platform.owner")
    clerk = people.user("clerk", "most.decider")
    foreign = people.user("foreign", "platform.admin", authority="shandong")
    assert [permissions.may_deploy(one, authority_id) for one in (admin, owner, clerk, foreign)] == [
        True,
        True,
        False,
        False,
    ]
    assert [permissions.may_administer(one, authority_id) for one in (admin, owner, clerk, foreign)] == [
        True,
        False,
        False,
        False,
    ]


# Tasks


def test_a_task_is_claimed_by_those_it_is_offered_to(session, people, case):
    task = rows.task(session, case, groups=[(people.organisation("sd"), "recommender.reviewer")])
    reviewer = people.user("one", "recommender.reviewer@sd")
    assert permissions.may_claim(reviewer, task, task.candidates)
    for membership in ("recommender.signatory@sd", "recommender.reviewer@hn", "platform.admin", "coop.intake"):
        other = people.user(membership.replace("@", "."), membership)
        assert not permissions.may_claim(other, task, task.candidates)
        assert not permissions.may_complete(other, task, task.candidates)


def test_a_taken_task_is_completed_and_released_by_its_holder_alone(session, people, case):
    one, other = people.user("one", "recommender.reviewer@sd"), people.user("two", "recommender.reviewer@sd")
    admin = people.user("root", "platform.admin")
    task = rows.task(session, case, groups=[(people.organisation("sd"), "recommender.reviewer")], assignee_id=one.id)
    assert permissions.may_complete(one, task, task.candidates)
    assert not permissions.may_claim(other, task, task.candidates)
    assert not permissions.may_complete(other, task, task.candidates)
    assert not permissions.may_complete(admin, task, task.candidates)
    assert [permissions.may_release(user, task) for user in (one, other, admin)] == [True, False, True]


def test_a_task_is_handed_only_to_somebody_it_is_offered_to(session, people, case):
    one, two = people.user("one", "recommender.reviewer@sd"), people.user("two", "recommender.reviewer@sd")
    stranger, admin = people.user("stranger", "recommender.reviewer@hn"), people.user("root", "platform.admin")
    task = rows.task(session, case, groups=[(people.organisation("sd"), "recommender.reviewer")])
    assert permissions.may_assign(one, task, task.candidates, two)
    assert permissions.may_assign(admin, task, task.candidates, two)
    assert not permissions.may_assign(admin, task, task.candidates, stranger)
    assert not permissions.may_assign(stranger, task, task.candidates, two)
    two.active = False
    assert not permissions.may_assign(admin, task, task.candidates, two)


def test_a_finished_task_is_nobodys_to_do(session, people, case):
    one = people.user("one", "recommender.reviewer@sd")
    task = rows.task(session, case, status="completed", assignee_id=one.id, completed_by_id=one.id)
    for rule in (permissions.may_claim, permissions.may_complete):
        assert not rule(one, task, task.candidates)
    assert not permissions.may_release(one, task)


def test_new_staff_may_do_old_tasks(session, people, case):
    task = rows.task(session, case, groups=[(people.organisation("sd"), "recommender.reviewer")])
    assert permissions.may_claim(people.user("new", "recommender.reviewer@sd"), task, task.candidates)


def test_an_office_looks_into_its_own_tasks_and_the_applicant_not_into_the_experts(session, people, case):
    expert = people.user("expert", "experts.reviewer")
    drafter, colleague = people.user("aa", "applicant.drafter@uni"), people.user("bb", "applicant.reviewer@uni")
    filing = rows.task(
        session, case, groups=[(people.organisation("uni"), "applicant.drafter")], status="completed",
        completed_by_id=drafter.id,
    )  # fmt: skip
    scoring = rows.task(
        session, case, groups=[(people.organisation("experts"), "experts.reviewer")], status="completed",
        completed_by_id=expert.id,
    )  # fmt: skip
    assert permissions.may_see_task(colleague, filing, [])
    assert permissions.may_see_task(expert, scoring, [])
    assert not permissions.may_see_task(drafter, scoring, [])
    assert not permissions.may_see_task(people.user("xx", "recommender.reviewer@sd"), scoring, [])
    assert not permissions.may_see_task(people.user("e2", "experts.reviewer"), scoring, [])
    assert permissions.may_see_task(people.user("cc", "coop.assessor"), scoring, [])


# Files


def test_files_follow_the_task_they_came_with(session, people, case):
    uploader = people.user("uu", "applicant.drafter@uni")
    loose = Attachment(uploaded_by_id=uploader.id, instance_id=None)
    other = people.user("vv", "platform.admin")
    see = permissions.may_see_attachment
    assert see(uploader, loose, sees_instance=False, sees_task=False)
    assert not see(other, loose, sees_instance=True, sees_task=True)
    scoring = rows.task(session, case, groups=[(people.organisation("experts"), "experts.reviewer")])
    secret = Attachment(instance_id=case.id, task=scoring)
    assert not see(uploader, secret, sees_instance=True, sees_task=False)
    assert see(other, secret, sees_instance=True, sees_task=True)
    issued = Attachment(instance_id=case.id, task=None)
    assert see(uploader, issued, sees_instance=True, sees_task=False)
    assert not see(uploader, issued, sees_instance=False, sees_task=False)


def test_an_expert_opens_no_file_before_a_task_that_discloses_the_case(session, people, case):
    expert = people.user("ee", "experts.reviewer")
    declaring = rows.task(session, case, assignee_id=expert.id, properties={"discloses": "false"})
    assert not permissions.may_open_files(expert, case, case.parties, [declaring])
    scoring = rows.task(session, case, assignee_id=expert.id)
    assert permissions.may_open_files(expert, case, case.parties, [declaring, scoring])
    assert permissions.may_open_files(people.user("dd", "coop.intake"), case, case.parties, [])


# One rule, two forms


ROLES = [code for code, *_ in identity.ROLES]


def a_random_world(session, people, dice: random.Random) -> None:
    """People, cases and tasks with no plan at all, but of shapes the projection writes."""
    places = ["uni", "lab", "sd", "gov"]
    for authority in ("most", "shandong"):
        people.organisation("gov", authority=authority, kind="provincial_government")
    definitions = [rows.definition(session, people._authority(session, code).id) for code in ("most", "shandong")]
    today = clock.today()
    users = []
    for number in range(24):
        home = dice.choice(["most", "most", "shandong"])
        user = people.user(f"user{number}", authority=home)
        for role in dice.sample(ROLES, dice.randint(0, 2)):
            party = role.partition(".")[0]
            code = party if party in FIXED_PARTIES else dice.choice(places)
            code = "gov" if party == "province" else code
            days = dice.choice([{}, {}, {}, {"until": today}, {"since": today}, {"since": today + timedelta(days=1)}])
            identity.add_membership(session, user, people.organisation(code, authority=home), role, **days)
        user.active = dice.random() > 0.1
        users.append(user)
    for _ in range(30):
        of = dice.choice(definitions)
        home = "most" if of is definitions[0] else "shandong"
        named = dice.sample(["applicant", "recommender", "zone", "province"], dice.randint(0, 3))
        parties = {party: people.organisation(dice.choice(places), authority=home) for party in named}
        starter = dice.choice([None, *users])
        case = rows.instance(session, of, parties, started_by_id=starter and starter.id)
        for _ in range(dice.randint(0, 3)):
            a_random_task(session, people, dice, case, home, users, places)
    people.organisation("lab").active = False
    session.flush()


def a_random_task(session, people, dice, case, home, users, places) -> None:
    groups = []
    for role in dice.sample(ROLES, dice.randint(0, 2)):
        party = role.partition(".")[0]
        code = party if party in FIXED_PARTIES else dice.choice(places)
        groups.append((people.organisation(code, authority=home), role))
    someone = dice.choice(users).id
    shapes = [
        {},
        {"assignee_id": someone},
        {"status": "completed", "completed_by_id": someone, "assignee_id": someone},
        {"status": "cancelled", "assignee_id": dice.choice([None, someone])},
    ]
    rows.task(session, case, groups=groups, users=dice.sample(users, dice.randint(0, 1)), **dice.choice(shapes))


@pytest.mark.parametrize("seed", range(4))
def test_lists_show_exactly_what_the_rules_allow(session, people, seed):
    a_random_world(session, people, random.Random(seed))
    session.expire_all()
    users = session.scalars(select(User).options(selectinload(User.memberships))).all()
    cases = session.scalars(select(Instance).options(selectinload(Instance.parties))).all()
    tasks = session.scalars(select(Task).options(selectinload(Task.candidates))).all()
    seen_cases = seen_tasks = 0
    for user in users:
        of_case = {case.id: [task for task in tasks if task.instance_id == case.id] for case in cases}
        expected = {
            case.id for case in cases if permissions.may_see_instance(user, case, case.parties, of_case[case.id])
        }
        assert set(session.scalars(select(Instance.id).where(permissions.instances_seen_by(user)))) == expected
        open_to = {task.id for task in tasks if permissions.may_see_task(user, task, task.candidates)}
        assert set(session.scalars(select(Task.id).where(permissions.tasks_seen_by(user)))) == open_to
        doors = permissions.task_doors(user)
        assert {one for door in doors for one in session.scalars(select(Task.id).where(door))} == open_to
        seen_cases, seen_tasks = seen_cases + len(expected), seen_tasks + len(open_to)
    assert 0 < seen_cases < len(users) * len(cases)
    assert 0 < seen_tasks < len(users) * len(tasks)


def test_a_task_one_may_see_is_in_a_case_one_may_see(session, people):
    a_random_world(session, people, random.Random(99))
    for user in session.scalars(select(User)).all():
        hidden = (
            select(Task.id).join(Instance).where(permissions.tasks_seen_by(user), ~permissions.instances_seen_by(user))
        )
        for task in session.scalars(select(Task).where(Task.id.in_(hidden))):
            # An office keeps its own old tasks even where the case no longer names it as a party.
            assert (task.organisation_id, (task.role or "").partition(".")[0]) in permissions.parties(user)


def test_no_definition_is_startable_by_everybody(session, people, demo):
    nobody = people.user("nobody")
    assert all(not permissions.may_start(nobody, one) for one in session.scalars(select(ProcessDefinition)))

"""Processes, incidents, audit, notifications and people, as pages list them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service import clock, errors
from service.commands.people import identity as accounts
from service.models import Job, Notification
from service.queries import audit, definitions, identity, notifications, page, stuck
from tests import rows

PLAIN = [{"element_id": "start", "kind": "none", "form_id": "file", "message_name": None, "timer": None}]
MESSAGE = [{"element_id": "start", "kind": "message", "form_id": None, "message_name": "go", "timer": None}]


# Processes


def test_a_user_is_shown_the_processes_they_may_start_and_in_whose_name(session, people):
    authority_id = people.authority().id
    rows.definition(session, authority_id, "filing", starters=["applicant.drafter"], start_events=PLAIN)
    rows.definition(session, authority_id, "inner", start_events=PLAIN)
    rows.definition(session, authority_id, "reply", starters=["applicant.drafter"], start_events=MESSAGE)
    rows.definition(session, authority_id, "old", starters=["applicant.drafter"], start_events=PLAIN, latest=False)
    user = people.user("lin", "applicant.drafter@uni", "applicant.drafter@lab")
    (one,) = definitions.startable(session, user)
    assert (one.process_id, one.form_id) == ("filing", "file")
    assert [organisation.code for organisation in one.organisations] == ["lab", "uni"]
    assert [one.process_id for one in definitions.startable(session, people.user("root", "platform.admin"))] == [
        "inner"
    ]
    assert definitions.startable(session, people.user("nobody")) == []


def test_processes_in_service_come_with_their_running_cases(session, people):
    authority_id = people.authority().id
    old = rows.definition(session, authority_id, version=1, latest=False)
    new = rows.definition(session, authority_id, version=2)
    for status in ("active", "suspended", "completed"):
        rows.instance(session, new, status=status)
    rows.definition(session, people.authority("shandong").id, "local")
    user = people.user("clerk", "coop.intake")
    assert [(one.id, one.version, one.active) for one in definitions.definitions(session, user)] == [(new.id, 2, 2)]
    versions = definitions.definitions(session, user, process="demo", latest=False)
    assert [one.id for one in versions] == [new.id, old.id]
    assert definitions.names(session, user) == [("demo", "Demo")]
    assert definitions.latest(session, authority_id, "demo").id == new.id
    assert len(definitions.deployments(session, user)) == 2


def test_a_diagram_is_read_by_people_of_the_authority(session, people):
    one = rows.definition(session, people.authority().id)
    assert definitions.diagram(session, people.user("clerk", "coop.intake"), one.id) == b"<bpmn demo>"
    assert definitions.diagram(session, people.user("other", "coop.intake", authority="shandong"), one.id) is None


# Incidents


def test_incidents_are_listed_for_the_administrators_of_their_authority(session, people):
    case = rows.instance(session, rows.definition(session, people.authority().id))
    first = rows.incident(session, case, element_id="mail", process_id="demo")
    second = rows.incident(session, case, "no_candidate")
    resolved = rows.incident(session, case, resolved_at=clock.now())
    admin = people.user("root", "platform.admin")
    found = stuck.incidents(session, admin)
    assert [(row.id, row.number) for row in found.items] == [(second.id, case.number), (first.id, case.number)]
    assert found.total == 2
    assert [row.id for row in stuck.incidents(session, admin, cause="no_candidate").items] == [second.id]
    assert [row.id for row in stuck.incidents(session, admin, process="demo").items] == [first.id]
    assert len(stuck.incidents(session, admin, open_only=False, instance=case.id).items) == 3
    assert resolved.id in [row.id for row in stuck.incidents(session, admin, open_only=False).items]
    for other in (people.user("clerk", "coop.intake"), people.user("far", "platform.admin", authority="shandong")):
        assert stuck.incidents(session, other).items == []


def test_jobs_that_are_not_over_are_counted(session, people):
    authority_id, now = people.authority().id, clock.now()
    for status in ("queued", "queued", "failed", "done"):
        session.add(Job(authority_id=authority_id, kind="mail", status=status, due_at=now, created_at=now))
    session.flush()
    assert stuck.job_counts(session, authority_id) == {"queued": 2, "failed": 1}


# Audit


def test_administrators_read_who_did_what(session, people):
    admin = people.user("root", "platform.admin")
    accounts.create_user(session, people.authority(), "new", "New", user=admin)
    case = rows.instance(session, rows.definition(session, people.authority().id))
    rows.event(session, case, "claimed", "review", user_id=admin.id)
    rows.event(session, case, "entered", "review")
    found = audit.acts(session, admin, actor="root")
    assert [(row.kind, row.user, row.number) for row in found.items] == [
        ("claimed", "Root", case.number),
        ("user_created", "Root", None),
    ]
    assert [row.kind for row in audit.acts(session, admin, kind="claimed").items] == ["claimed"]
    assert "claimed" not in [row.kind for row in audit.acts(session, admin, platform_only=True).items]
    assert audit.acts(session, people.user("clerk", "coop.intake")).items == []


# Notifications


def test_notifications_are_the_users_own_newest_first(session, people):
    user, other = people.user("lin"), people.user("mei")
    now = clock.now()
    for number, owner in enumerate((user, user, other)):
        session.add(Notification(user_id=owner.id, text_zh=f"第{number}条", text_en=str(number), created_at=now))
    session.flush()
    assert [row.text_en for row in notifications.notifications(session, user).items] == ["1", "0"]
    assert notifications.unread(session, user) == 2
    session.query(Notification).filter_by(text_en="0").update({"read_at": now})
    assert notifications.unread(session, user) == 1
    assert [row.text_en for row in notifications.notifications(session, user, unread_only=True).items] == ["1"]


# People


def test_holders_of_a_role_are_those_of_today(session, people):
    today, sd = clock.today(), people.organisation("sd")
    for name, days in {
        "now": {},
        "gone": {"until": today},
        "soon": {"since": today + timedelta(days=1)},
        "last": {"until": today + timedelta(days=1)},
    }.items():
        accounts.add_membership(session, people.user(name), sd, "recommender.reviewer", **days)
    people.user("closed", "recommender.reviewer@sd").active = False
    people.user("elsewhere", "recommender.reviewer@hn")
    session.flush()
    assert [user.username for user in identity.holders(session, sd.id, "recommender.reviewer")] == ["last", "now"]


def test_people_organisations_and_roles_are_found(session, people):
    user = people.user("lin", "applicant.drafter@uni", password="long enough")
    people.user("mei", authority="shandong")
    assert identity.user(session, " LIN ") == user
    assert identity.user(session, "nobody") is None
    assert identity.users(session, people.authority().id) == [user]
    assert identity.demo_users(session) == [user]
    assert [one.code for one in identity.organisations(session, people.authority().id, "institution")] == ["uni"]
    assert identity.roles(session)["applicant.drafter"].name_zh == "起草人"
    assert identity.authority(session, "most").name == "科学技术部"
    _, text = accounts.create_token(session, "script", user=user)
    (token,) = identity.tokens(session, user)
    assert token.hint == text[:10]


# Pages


def test_a_mark_is_read_back_as_it_was_written():
    now = clock.now()
    assert page.position(page.mark(now, 7), (type(now), int)) == (now, 7)


@pytest.mark.parametrize("mark", ["", "!", "bnVsbA", "W10", "WyJhIl0", "W3RydWVd", "WzEuNV0", "WzEsMl0", "=" * 5, "林"])
def test_a_mark_of_another_list_is_refused(mark):
    with pytest.raises(errors.InvalidInput):
        page.position(mark, (int,))

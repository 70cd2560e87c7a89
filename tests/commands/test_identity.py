"""Accounts, memberships, signing in, tokens."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from service import clock, errors
from service.commands.people import identity
from service.models import FIXED_PARTIES, ApiToken, Event, Role, SignInFailure, UserSession
from service.queries import identity as asked
from tests.statements import counted


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch):
    monkeypatch.setattr(identity, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    monkeypatch.setattr(identity, "_nobodys", [])


def attempt(session, username, password, **options):
    return identity.sign_in(session, identity.authenticate(session, username, password), **options)


def test_every_role_of_the_table_belongs_to_a_known_party(session):
    identity.seed_roles(session)
    identity.seed_roles(session)
    roles = session.scalars(select(Role)).all()
    assert len(roles) == len(identity.ROLES)
    assert {role.party for role in roles} == FIXED_PARTIES | {"applicant", "recommender", "zone", "province"}
    assert all(role.name_zh and role.name_en for role in roles)


def test_a_lane_means_one_role(session):
    identity.seed_roles(session)
    lanes = dict(session.execute(select(Role.lane, Role.code).where(Role.lane.is_not(None))).all())
    assert lanes["推荐部门"] == "recommender.reviewer"
    assert lanes["申报机构"] == "applicant.drafter"
    assert lanes["国际合作司"] == "coop.intake"


def test_a_role_of_a_fixed_party_exists_only_in_that_party(session, people):
    user = people.user("lin")
    with pytest.raises(errors.InvalidInput):
        identity.add_membership(session, user, people.organisation("sd", kind="recommender"), "coop.intake")
    with pytest.raises(errors.InvalidInput):
        identity.add_membership(session, user, people.organisation("coop"), "applicant.drafter")
    with pytest.raises(errors.InvalidInput):
        identity.add_membership(session, user, people.organisation("coop"), "coop.king")
    assert user.memberships == []


def test_nobody_but_a_provincial_government_has_its_roles(session, people):
    user = people.user("lin")
    with pytest.raises(errors.InvalidInput):
        identity.add_membership(
            session, user, people.organisation("sd-kj", kind="provincial_department"), "province.drafter"
        )
    government = people.organisation("sd-gov", kind="provincial_government")
    identity.add_membership(session, user, government, "province.drafter")
    assert [one.organisation for one in user.memberships] == [government]


def test_setting_a_membership_twice_changes_its_days(session, people):
    user = people.user("lin", "applicant.drafter@uni")
    until = clock.today() + timedelta(days=1)
    identity.add_membership(session, user, people.organisation("uni"), "applicant.drafter", until=until)
    assert [one.until for one in user.memberships] == [until]


def test_a_membership_that_ends_before_it_begins_is_refused(session, people):
    user, uni, today = people.user("lin"), people.organisation("uni"), clock.today()
    with pytest.raises(errors.InvalidInput) as raised:
        identity.add_membership(session, user, uni, "applicant.drafter", since=today, until=today)
    assert raised.value.field == "until"


def test_a_user_name_is_taken_once_whatever_its_case(session, people):
    user = people.user("Lin")
    assert user.username == "lin"
    with pytest.raises(errors.Conflict) as raised:
        people.user("LIN")
    assert raised.value.field == "username"


@pytest.mark.parametrize("name", ["", "x", "a b", "林", "a" * 101, "../x", "<b>"])
def test_an_odd_user_name_is_refused(session, people, name):
    with pytest.raises(errors.InvalidInput):
        people.user(name)


def test_only_an_administrator_of_the_authority_changes_accounts(session, people):
    admin = people.user("root", "platform.admin")
    foreign = people.user("other", "platform.admin", authority="shandong")
    clerk = people.user("clerk", "coop.intake")
    authority = people.authority()
    assert identity.create_user(session, authority, "new", "New", user=admin).id
    for user in (foreign, clerk):
        with pytest.raises(errors.Forbidden):
            identity.create_user(session, authority, "newer", "Newer", user=user)
        with pytest.raises(errors.Forbidden):
            identity.create_organisation(session, authority, "x", "institution", "X", user=user)
        with pytest.raises(errors.Forbidden):
            identity.add_membership(session, clerk, people.organisation("coop"), "coop.organiser", user=user)
        with pytest.raises(errors.Forbidden):
            identity.set_password(session, admin, "longenough", user=user)
        with pytest.raises(errors.Forbidden):
            identity.set_active(session, admin, False, user=user)


def test_what_an_administrator_does_is_written_down(session, people):
    admin = people.user("root", "platform.admin")
    made = identity.create_user(session, people.authority(), "new", "New", user=admin)
    event = session.scalar(select(Event).where(Event.kind == "user_created", Event.user_id == admin.id))
    assert event.data == {"account_id": made.id, "username": "new"}


def test_a_short_password_is_refused(session, people):
    with pytest.raises(errors.InvalidInput) as raised:
        people.user("lin", password="1234567")
    assert raised.value.field == "password"


def test_the_right_password_opens_a_session(session, people):
    user = people.user("lin", "applicant.drafter@uni", password="correct horse")
    opened, token = attempt(session, " LIN ", "correct horse", address="127.0.0.1")
    found = asked.signed_in(session, token)
    assert found.id == opened.id
    assert found.user == user
    assert token.encode() not in opened.token_hash


def test_the_user_of_a_session_comes_with_memberships_in_one_statement(database, people):
    people.user("lin", "applicant.drafter@uni", "applicant.reviewer@uni", password="correct horse")
    with database.transaction() as session:
        _, token = attempt(session, "lin", "correct horse")
    with database.transaction() as session, counted(database) as statements:
        found = asked.signed_in(session, token)
        assert {one.organisation.code for one in found.user.memberships} == {"uni"}
        assert len(found.user.memberships) == 2
    assert len(statements) == 1


def test_a_wrong_password_and_an_unknown_name_read_the_same(session, people):
    people.user("lin", password="correct horse")
    people.user("mei")
    sentences = {str(identity.authenticate(session, name, "wrong").error) for name in ("lin", "mei", "nobody", "\x00")}
    assert len(sentences) == 1


def test_an_unknown_name_costs_a_look_at_a_hash_too(session, people, monkeypatch):
    looked = []

    class Hasher:
        def hash(self, password):
            return "hash"

        def verify(self, password_hash, password):
            looked.append(password_hash)
            return True

    monkeypatch.setattr(identity, "HASHER", Hasher())
    assert identity.authenticate(session, "nobody", "x").refused == "wrong"
    people.user("mei")
    assert identity.authenticate(session, "mei", "x").refused == "wrong"
    assert looked == ["hash", "hash"]


def test_a_closed_account_is_told_so_only_with_the_right_password(session, people):
    user = people.user("lin", password="correct horse")
    identity.set_active(session, user, False)
    assert identity.authenticate(session, "lin", "correct horse").refused == "inactive"
    assert identity.authenticate(session, "lin", "wrong").refused == "wrong"
    assert attempt(session, "lin", "correct horse") is None


def test_many_wrong_passwords_pause_the_account_even_for_the_right_one(session, people):
    people.user("lin", password="correct horse")
    with clock.travel(clock.now()):
        for _ in range(identity.FREE_FAILURES):
            assert attempt(session, "lin", "wrong") is None
        paused = identity.authenticate(session, "lin", "correct horse")
        assert paused.refused == "throttled"
        assert paused.error.status == 429
        assert identity.sign_in(session, paused) is None
        clock.advance(timedelta(seconds=31))
        assert attempt(session, "lin", "correct horse") is not None
        assert session.scalar(select(func.count()).select_from(SignInFailure)) == 0


def test_an_unknown_name_is_paused_alike_and_forgotten_later(session, people):
    people.authority()
    with clock.travel(clock.now()):
        for _ in range(identity.FREE_FAILURES):
            attempt(session, "nobody", "wrong")
        assert identity.authenticate(session, "nobody", "x").refused == "throttled"
        clock.advance(timedelta(hours=1))
        attempt(session, "somebody", "wrong")
        assert session.scalars(select(SignInFailure.username)).all() == ["somebody"]


def test_a_failed_attempt_stays_counted(database, people):
    people.user("lin", password="correct horse")
    for _ in range(2):
        with database.transaction(readonly=True) as session:
            verdict = identity.authenticate(session, "lin", "wrong")
        with database.transaction() as session:
            identity.sign_in(session, verdict)
    with database.transaction(readonly=True) as session:
        assert session.get(SignInFailure, "lin").failures == 2


def test_a_session_ends_by_time_by_signing_out_and_by_closing_the_account(session, people):
    user = people.user("lin", password="correct horse")
    with clock.travel(clock.now()):
        tokens = [attempt(session, "lin", "correct horse", hours=1)[1] for _ in range(3)]
        identity.sign_out(session, tokens[0])
        assert asked.signed_in(session, tokens[0]) is None
        assert asked.signed_in(session, tokens[1]) is not None
        clock.advance(timedelta(minutes=61))
        assert asked.signed_in(session, tokens[1]) is None
        fresh = attempt(session, "lin", "correct horse")[1]
        identity.set_active(session, user, False)
        assert asked.signed_in(session, fresh) is None
    assert asked.signed_in(session, "no such token") is None


def test_a_session_in_use_lives_on_and_is_written_rarely(session, people):
    people.user("lin", password="correct horse")
    with clock.travel(clock.now()):
        opened, token = attempt(session, "lin", "correct horse", hours=1)
        assert identity.touch_session(session, opened, hours=1) is False
        clock.advance(timedelta(minutes=40))
        assert identity.touch_session(session, asked.signed_in(session, token), hours=1) is True
        clock.advance(timedelta(minutes=40))
        session.expire_all()
        assert asked.signed_in(session, token) is not None


def test_a_new_password_signs_out_everywhere(session, people):
    user = people.user("lin", password="correct horse")
    _, token = attempt(session, "lin", "correct horse")
    _, text = identity.create_token(session, "script", user=user)
    identity.set_password(session, user, "another horse", user=user)
    assert asked.signed_in(session, token) is None
    assert asked.by_token(session, text) is None
    assert attempt(session, "lin", "correct horse") is None
    assert attempt(session, "lin", "another horse") is not None


def test_a_token_is_shown_once_and_kept_as_a_hash(session, people):
    user = people.user("lin")
    token, text = identity.create_token(session, "script", user=user, scopes=("read",))
    assert text.startswith("guohe_")
    assert text not in repr([getattr(token, column.key) for column in ApiToken.__table__.columns])
    found = asked.by_token(session, text)
    assert (found.user, found.scopes) == (user, ["read"])


def test_a_token_expires_and_can_be_revoked_by_its_owner_alone(session, people):
    user, other = people.user("lin"), people.user("mei")
    with clock.travel(clock.now()):
        token, text = identity.create_token(session, "script", user=user, days=1)
        with pytest.raises(errors.NotFound):
            identity.revoke_token(session, token.id, user=other)
        assert asked.by_token(session, text) is not None
        clock.advance(timedelta(days=2))
        assert asked.by_token(session, text) is None
        token, text = identity.create_token(session, "another", user=user)
        identity.revoke_token(session, token.id, user=user)
        assert asked.by_token(session, text) is None


@pytest.mark.parametrize(
    ("field", "arguments"),
    [("name", {"name": " "}), ("scopes", {"scopes": ("root",)}), ("scopes", {"scopes": ()}), ("days", {"days": 0})],
)
def test_a_token_with_odd_settings_is_refused(session, people, field, arguments):
    with pytest.raises(errors.InvalidInput) as raised:
        identity.create_token(session, **{"name": "script", **arguments}, user=people.user("lin"))
    assert raised.value.field == field


def test_the_use_of_a_token_is_noted_rarely(session, people):
    token, _ = identity.create_token(session, "script", user=people.user("lin"))
    with clock.travel(clock.now()):
        assert identity.touch_token(session, token) is True
        session.refresh(token)
        assert identity.touch_token(session, token) is False


def test_a_cookie_that_is_no_text_opens_nothing(session, people):
    people.authority()
    for odd in ("", "\udcff", "x" * 10_000, "\x00"):
        assert asked.signed_in(session, odd) is None
        assert asked.by_token(session, odd) is None
    assert session.scalar(select(func.count()).select_from(UserSession)) == 0

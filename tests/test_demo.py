"""The demonstration: complete, named cases included, fictional by name, and loaded only once."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from service import clock, config, demo, files, handlers
from service.commands.people import identity
from service.commands.procedures import deployments
from service.db import Database
from service.models import Authority, Incident, Instance, Membership, Organisation, Role, Task, User
from service.models.register import Ban, Base, Expert, Notice, Violation
from service.queries import register as asked
from service.upkeep import Upkeep

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def town(tmp_path_factory, sqlite_template):
    """A database with the demonstration in it, loaded once for all tests that only look."""
    path = tmp_path_factory.mktemp("town") / "guohe.db"
    shutil.copyfile(sqlite_template, path)
    database = Database(f"sqlite:///{path}", synchronous="OFF")
    with database.transaction() as opened:
        demo.load(opened)
    yield database
    database.close()


@pytest.fixture
def seen(town):
    with town.transaction(readonly=True) as opened:
        yield opened


@pytest.fixture
def loaded(seen):
    return seen.scalars(select(Authority).where(Authority.code == "most")).one()


def base(session, words):
    return session.scalars(select(Base).where(Base.name.contains(words))).one()


def outcomes(session, words):
    return [one["result"] for one in asked.results(session, base(session, words))]


def test_every_role_has_somebody(seen, loaded):
    held = set(seen.scalars(select(Membership.role).distinct()))
    assert set(seen.scalars(select(Role.code))) - held == set()


def test_sixty_bases_lie_over_twelve_recommenders_or_more_and_all_four_types(seen, loaded):
    page = asked.bases(seen, loaded.id, asked.Filter(status=None), limit=100)
    assert page.total == 60
    assert set(Counter(one.type for one in page.items)) == {"IP", "JC", "TT", "DB"}
    assert len({asked.recommender(seen, one).organisation_id for one in page.items}) >= 12


def test_fifteen_experts_or_more_work_in_different_places(seen, loaded):
    employers = seen.scalars(select(Expert.employer_id)).all()
    assert len(employers) >= 15
    assert len(set(employers)) == len(employers)


def test_every_institution_is_named_fictional(seen, loaded):
    kinds = ("university", "institute", "enterprise", "intermediary", "park", "zone", "central_enterprise")
    names = seen.scalars(select(Organisation.name).where(Organisation.kind.in_(kinds))).all()
    assert names
    assert [name for name in names if "虚构" not in name] == []


def test_the_named_cases_are_there(seen, loaded):
    assert outcomes(seen, "（不合格一年）")[-2:] == ["pass", "fail"]
    assert outcomes(seen, "连续不合格两年")[-3:] == ["pass", "fail", "fail"]
    assert outcomes(seen, "连续不合格三年")[-3:] == ["fail", "fail", "fail"]
    assert outcomes(seen, "不合格、不合格、合格、不合格")[-4:] == ["fail", "fail", "pass", "fail"]
    assert outcomes(seen, "中间一年不参加评估")[-3:] == ["fail", "excused", "fail"]
    noticed, unnoticed = base(seen, "已被通报"), base(seen, "但未被通报")
    notices = set(seen.scalars(select(Notice.base_id).where(Notice.lifted_on.is_(None))))
    assert noticed.id in notices
    assert unnoticed.id not in notices
    violated = set(seen.scalars(select(Violation.base_id)))
    assert violated == {noticed.id, unnoticed.id}


def test_a_ban_ends_tomorrow(seen, loaded):
    tomorrow = clock.today() + timedelta(days=1)
    ban = seen.scalars(select(Ban)).one()
    assert ban.last_on == tomorrow
    assert asked.is_banned(seen, loaded.id, ban.uscc, tomorrow)
    assert not asked.is_banned(seen, loaded.id, ban.uscc, tomorrow + timedelta(days=1))


def test_a_company_is_364_days_old_and_one_park_is_not_on_the_agenda(seen, loaded):
    company = demo.accounts.find(seen, loaded, "newborn-tt")
    assert clock.today() - company.registered_on == timedelta(days=364)
    year = clock.today().year
    for government, listed in (("js-gov", 1), ("sn-gov", 0)):
        province = demo.accounts.find(seen, loaded, government)
        assert len(asked.agenda(seen, loaded.id, province.id, year)) == listed


def test_history_stands_at_its_own_day(seen, loaded):
    one = base(seen, "连续不合格三年")
    lines = asked.history(seen, one)
    assert lines[-1].kind == "accredited"
    assert clock.today(lines[-1].at) == one.accredited_on


def test_every_demo_account_opens_with_the_demo_password(seen, loaded):
    user = seen.scalars(select(User).where(User.username == "haidai.drafter")).one()
    assert identity.authenticate(seen, "haidai.drafter", demo.accounts.PASSWORD).user is user


def test_loading_again_adds_nothing(session):
    def rows():
        return [
            session.scalar(select(func.count()).select_from(model)) for model in (Organisation, User, Membership, Base)
        ]

    demo.load(session)
    before = rows()
    demo.load(session)
    assert rows() == before


def test_the_demonstration_can_be_loaded_on_a_leap_day(session):
    with clock.travel(clock.now().replace(year=2028, month=2, day=28)):
        demo.load(session)
    assert session.scalars(select(Ban.last_on)).one() == date(2028, 2, 29)


@pytest.mark.parametrize("number", [1, 42, 999_999])
def test_made_up_credit_codes_have_a_right_check_digit(number):
    digits = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    code = demo.accounts.uscc(number)
    assert len(code) == 18
    total = sum(digits.index(digit) * pow(3, place, 31) for place, digit in enumerate(code[:17]))
    assert (total + digits.index(code[17])) % 31 == 0


def test_applications_run_at_different_steps_and_one_is_accredited(tmp_path, sqlite_template):
    shutil.copyfile(sqlite_template, tmp_path / "guohe.db")
    settings = config.read({"GUOHE_DATA": str(tmp_path), "GUOHE_DEMO": "1"})
    database = Database(settings.database_url, synchronous="OFF")
    with database.transaction() as opened:
        demo.load(opened, settings)
        owner = opened.scalars(select(User).where(User.username == "platform.owner")).one()
        whole = files.of_project(ROOT) | files.scenarios_of_project(ROOT)
        deployments.deploy(opened, whole, user=owner, topics=handlers.topics())
    for _ in range(2):
        demo.start_cases(database, settings)
    found = Upkeep(database, settings, "demo").check()
    assert (found.healed, found.reported) == ([], []), "a first look at the cockpit shows nothing wrong"
    with database.transaction(readonly=True) as opened:
        assert [one.message_zh for one in opened.scalars(select(Incident))] == []
        applied = Instance.process_id == "demonstration_base"
        ends = Counter(opened.scalars(select(Instance.end_event).where(applied)))
        mine = select(Task.element_id).join(Instance).where(Task.status == "open", applied)
        steps = set(opened.scalars(mine))
        assert opened.scalars(select(Base.name).where(Base.name.contains("白鹤"))).one()
    database.close()
    assert ends == {"accredited": 1, None: 4}
    assert steps == {"score_application", "check_form", "review_recommendation", "draft_application"}


def test_without_procedures_no_case_is_started(database, tmp_path):
    settings = config.read({"GUOHE_DATA": str(tmp_path)})
    demo.start_cases(database, settings)
    with database.transaction(readonly=True) as opened:
        assert opened.scalars(select(Instance)).all() == []

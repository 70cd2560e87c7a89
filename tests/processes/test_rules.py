"""The decision tables and the functions beside them, against oracles that know the requirements and not the code.

Each oracle is written from the defaults A1–A31 of the requirements, the plainest way there is: it walks years one by
one, days one by one. Where one disagrees with a table, one of the two misreads the regulation.
"""

from __future__ import annotations

import calendar as western
import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import chinese_calendar
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from service import errors, workdays
from service.commands.bases import register as bases
from service.commands.bases import sanctions
from service.engine import decisions, feel
from service.handlers import organisations
from service.queries import organisations as known_of
from service.queries import register as asked
from tests.conftest import People

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
TABLES: dict[str, decisions.Decision] = {}
for file in sorted((ROOT / "processes").glob("*/*.dmn")):
    TABLES |= decisions.read(file.read_bytes())

DAYS = st.dates(date(2000, 1, 1), date(2060, 12, 31))
TYPES = st.sampled_from(["IP", "JC", "TT", "DB"])
P, F, X = "pass", "fail", "excused"


def ask(table: str, /, **variables: Any) -> Any:
    """What a table of the project says."""
    return decisions.evaluate(TABLES, table, variables, now=NOW)


def say(expression: str, /, **variables: Any) -> Any:
    return feel.evaluate(expression, variables, now=NOW)


# Streak, notice, being under notice (A1–A5)


class Year(NamedTuple):
    """What a year of a base leads to."""

    streak: int
    notice: bool
    under: bool


def expected(results: Mapping[int, str]) -> dict[int, Year]:
    """Walk through the years: a notice for each third-or-later failed calendar year in a row, lifted by a pass."""
    under, walked = False, {}
    for year in sorted(results):
        run = 0
        while results.get(year - run) == F:
            run += 1
        if results[year] == P:
            under = False
        notice = run >= 3
        under = under or notice
        walked[year] = Year(min(run, 3), notice, under)
    return walked


class Register:
    """The notices of a base, as the cases of its years enter and lift them when their results are confirmed."""

    def __init__(self) -> None:
        self.results: dict[int, str] = {}
        self.notices: dict[int, bool] = {}
        """Year of the notice → whether it stands."""

    def confirm(self, year: int, result: str) -> Year:
        """Do what the diagrams do once a result is confirmed: ask the table, lift, reprimand."""
        self.results[year] = result
        said = ask(
            "streak",
            results=[{"year": one, "result": self.results[one]} for one in sorted(self.results)],
            thisYear=year,
            annualFacts={
                "noticeYears": sorted(self.notices),
                "standingNotices": [one for one, stands in sorted(self.notices.items()) if stands],
            },
        )
        if said["liftNotice"]:
            self.notices |= dict.fromkeys([one for one in self.notices if one < year], False)
        if said["noticeDue"]:
            noticed = said["noticeYear"]
            assert noticed not in self.notices, "reprimanded twice for one year"
            passed = any(one > noticed and known == P for one, known in self.results.items())
            self.notices[noticed] = not (passed and said["passLifts"])
        return Year(min(said["streak"], 3), said["noticeDue"], any(self.notices.values()))


def lived(results: Mapping[int, str]) -> dict[int, Year]:
    """What the table says of each year as its result comes in, in the order of years."""
    register = Register()
    return {year: register.confirm(year, results[year]) for year in sorted(results)}


@given(st.dictionaries(st.integers(2012, 2024), st.sampled_from([P, F, F, X]), max_size=10))
@example({2021: F, 2022: F, 2023: F})
@example({2020: F, 2021: F, 2022: P, 2023: F})
@example({2020: F, 2021: F, 2022: X, 2023: F})
@example({2020: F, 2021: F, 2023: F})
@example({2019: F, 2020: F, 2021: F, 2022: F, 2023: P, 2024: F})
@example({2019: F, 2020: F, 2021: F, 2022: X, 2023: F, 2024: F})
@settings(max_examples=150, deadline=None)
def test_the_streak_is_of_calendar_years(results: dict[int, str]):
    assert lived(results) == expected(results)


@pytest.mark.parametrize(
    ("years", "notices"),
    [
        ((F, F, P, F), []),
        ((F, F, F), [2022]),
        ((F, F, F, F), [2022, 2023]),
        ((F, F, X, F), []),
        ((F, F, None, F), []),
        ((F, F, F, P, F, F), [2022]),
        ((F, F, F, P, F, F, F), [2022, 2026]),
    ],
    ids=["fail–fail–pass–fail", "three", "a fourth year", "an excused year", "a year without result", "pass", "again"],
)
def test_years_that_are_often_miscounted(years: tuple[str | None, ...], notices: list[int]):
    results = {2020 + place: result for place, result in enumerate(years) if result}
    assert [year for year, one in lived(results).items() if one.notice] == notices


@given(st.integers(2015, 2022), st.integers(1, 6))
def test_a_year_confirmed_late_does_not_lift_a_later_notice(noticed: int, back: int):
    """A5: until the *next* passing result; one of an earlier year is none."""
    late = noticed - back - 2
    said = ask(
        "streak",
        results=[{"year": late, "result": P}],
        thisYear=late,
        annualFacts={"noticeYears": [noticed], "standingNotices": [noticed]},
    )
    assert (said["streak"], said["noticeDue"], said["liftNotice"]) == (0, False, False)


def test_a_year_has_one_notice():
    results = [{"year": year, "result": F} for year in (2021, 2022, 2023)]
    facts = {"noticeYears": [2023], "standingNotices": [2023]}
    assert ask("streak", results=results, thisYear=2023, annualFacts=facts)["noticeDue"] is False


# Grades (A24), who is assessed at all (A3), commendation (article 13)


@pytest.mark.parametrize(
    ("grade", "result"),
    [
        ("excellent", P),
        ("good", P),
        ("qualified", P),
        ("failed", F),
        ("excused", X),
        ("outstanding", None),
        (None, None),
    ],
)
def test_grades_become_pass_or_fail_and_what_is_no_grade_becomes_nothing(grade: str | None, result: str | None):
    assert ask("grade_result", grade=grade) == result


@given(DAYS, st.integers(2000, 2060), st.sampled_from(["none", "overdue", "accepted", "late"]))
@example(date(2024, 12, 31), 2025, "accepted")
@example(date(2025, 1, 1), 2025, "accepted")
@settings(deadline=None)
def test_who_is_assessed(accredited: date, year: int, report: str):
    facts = {"reportStatus": report, "unfiledYears": 1}
    way = ask("assessable", base={"accreditedOn": str(accredited)}, year=year, annualFacts=facts)["way"]
    if accredited.year >= year:
        assert way == "excused", "a base without a whole year is no failure"
    elif report in ("accepted", "late"):
        assert way == "assess"
    else:
        assert way == "not_filed", "a person decides about who has not filed, never the table"


@given(*[st.booleans()] * 4)
@settings(deadline=None)
def test_commendation_takes_three_tests_and_a_person(nominate: bool, effective: bool, rapid: bool, exemplary: bool):
    met = {"nominate": nominate, "effective": effective, "rapid": rapid, "exemplary": exemplary}
    assert ask("commendation_tests", commendation=met, grade="excellent") is all(met.values())


# Revocation (A5, A6) and ban (A8–A11)


@given(st.booleans(), st.booleans())
@settings(deadline=None)
def test_only_a_base_under_notice_with_a_serious_violation_can_be_revoked(serious: bool, under: bool):
    said = ask("revocation_eligibility", seriousness={"serious": serious}, underNotice=under)
    assert said["revocable"] is (serious and under)
    assert said["ground"]


def day_three_years_later(day: date) -> date:
    """By the calendar: same month, same day, and the month's last day where there is none."""
    year = day.year + 3
    return date(year, day.month, min(day.day, western.monthrange(year, day.month)[1]))


@given(DAYS)
@example(date(2024, 3, 15))
@example(date(2024, 2, 29))
@example(date(2023, 2, 28))
@example(date(2021, 2, 28))
@example(date(2024, 12, 31))
@settings(deadline=None)
def test_a_ban_starts_with_the_document_and_ends_on_the_corresponding_day(issued: date):
    term = ask("ban_term", document={"issuedOn": str(issued)})
    assert term == {"startOn": str(issued), "lastOn": str(day_three_years_later(issued)), "scope": "unit"}


def test_the_two_days_everybody_asks_about():
    assert ask("ban_term", document={"issuedOn": "2024-03-15"})["lastOn"] == "2027-03-15"
    assert ask("ban_term", document={"issuedOn": "2024-02-29"})["lastOn"] == "2027-02-28"


USCC = "91370200000000001X"


@pytest.fixture
def host(session, people: People):
    return people.organisation("host", name="虚构研究院", region="山东", uscc=USCC)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(issued=DAYS, offset=st.integers(-800, 1900))
@example(issued=date(2024, 3, 15), offset=-1)
@example(issued=date(2024, 3, 15), offset=0)
@example(issued=date(2024, 3, 15), offset=(date(2027, 3, 15) - date(2024, 3, 15)).days)
@example(issued=date(2024, 3, 15), offset=(date(2027, 3, 16) - date(2024, 3, 15)).days)
@example(issued=date(2024, 2, 29), offset=(date(2027, 2, 28) - date(2024, 2, 29)).days)
@example(issued=date(2024, 2, 29), offset=(date(2027, 3, 1) - date(2024, 2, 29)).days)
def test_who_is_barred_on_a_day(session, host, issued: date, offset: int):
    """From the day of the document to the corresponding day, both included; the entity, whatever it calls itself."""
    day = issued + timedelta(days=offset)
    term = ask("ban_term", document={"issuedOn": str(issued)})
    with session.begin_nested() as savepoint:
        sanctions.ban(
            session, host, start_on=date.fromisoformat(term["startOn"]), last_on=date.fromisoformat(term["lastOn"])
        )
        session.flush()
        barred = issued <= day <= day_three_years_later(issued)
        assert asked.is_banned(session, host.authority_id, f" {USCC.lower()} ", day) is barred
        assert not asked.is_banned(session, host.authority_id, "91370200000000002X", day), "another entity"
        savepoint.rollback()


def test_the_ban_binds_across_types_and_leaves_other_bases(session, people: People, host):
    recommender = people.organisation("sd-kj", kind="provincial_department", region="山东")

    def base(type: str, name: str) -> Any:
        return bases.register_base(
            session, type=type, name=name, host=host, recommender=recommender, relation="territory", fields=["energy"],
            decided_on=date(2015, 5, 4),
        )  # fmt: skip

    lost, kept = base("DB", "甲基地"), base("JC", "乙中心")
    day = date(2024, 3, 15)
    with pytest.raises(errors.Conflict):
        sanctions.revoke(session, lost, decided_on=day, reason="未被通报")
    sanctions.reprimand(session, lost, 2022, issued_on=date(2023, 7, 1))
    assert sanctions.under_notice(session, lost)
    assert not sanctions.under_notice(session, kept)
    sanctions.lift_notices(session, lost, on=date(2024, 3, 1), passed_year=2023)
    with pytest.raises(errors.Conflict):
        sanctions.revoke(session, lost, decided_on=day, reason="通报已解除")
    sanctions.reprimand(session, lost, 2023, issued_on=date(2024, 3, 10))
    sanctions.revoke(session, lost, decided_on=day, reason="被通报后严重违规")
    assert (lost.status, kept.status) == ("revoked", "active")


def test_a_base_that_leaves_is_not_barred(session, people: People, host):
    recommender = people.organisation("sd-kj", kind="provincial_department", region="山东")
    base = bases.register_base(
        session, type="DB", name="丙基地", host=host, recommender=recommender, relation="territory", fields=["energy"],
        decided_on=date(2015, 5, 4),
    )  # fmt: skip
    bases.leave(session, base, on=date(2024, 3, 15), reason="自愿退出")
    assert not asked.is_banned(session, host.authority_id, USCC, date(2024, 3, 16))


# Working days (A23)

KNOWN = st.dates(date(2006, 1, 1), date(2024, 12, 31))


def worked(day: date) -> bool:
    return chinese_calendar.is_workday(day)


def nth_after(day: date, n: int) -> date:
    """The start is day 0: tick off one day after another."""
    while n:
        day += timedelta(days=1)
        n -= worked(day)
    return day


def last_of_notice(posted: date, n: int) -> date:
    """The posting day is day 1, if it is a working day at all."""
    day, seen = posted, int(worked(posted))
    while seen < n:
        day += timedelta(days=1)
        seen += worked(day)
    return day


@given(KNOWN, st.integers(1, 40))
@example(date(2024, 9, 29), 1)
@example(date(2024, 9, 30), 1)
@example(date(2024, 2, 4), 5)
@settings(max_examples=120, deadline=None)
def test_deadlines_and_notices_by_a_calendar_on_the_wall(day: date, n: int):
    due, end = nth_after(day, n), last_of_notice(day, n)
    assert workdays.add(day, n) == workdays.deadline(day, n).day == due
    assert workdays.notice_end(day, n).day == end
    assert [str(due), str(end)] == say("[workdays(day, n), noticeEnd(day, n)]", day=str(day), n=n)
    assert say("workdaysBetween(a, b)", a=str(day), b=str(due)) == workdays.count(day, due) == n
    assert say("isWorkday(a)", a=str(day)) is workdays.is_workday(day) is worked(day)


@given(st.datetimes(datetime(2010, 1, 1), datetime(2024, 11, 30)), st.integers(1, 15))
@settings(max_examples=60, deadline=None)
def test_the_day_is_the_day_in_china(moment: datetime, n: int):
    """16:00 UTC is midnight in Beijing: what comes in later counts from the next day."""
    at = moment.replace(tzinfo=UTC)
    day = (at + timedelta(hours=8)).date()
    assert workdays.deadline(at, n).day == nth_after(day, n)
    assert say("string(today())") == "2026-03-02"
    assert feel.evaluate("workdays(today(), n)", {"n": n}, now=at) == str(nth_after(day, n))


@given(DAYS, st.integers(1, 9))
@settings(deadline=None)
def test_years_are_the_same_in_tables_and_in_python(day: date, years: int):
    later = date(day.year + years, day.month, min(day.day, western.monthrange(day.year + years, day.month)[1]))
    assert workdays.years_later(day, years) == later
    assert say("yearsLater(date(day), n)", day=str(day), n=years) == str(later)


@given(st.dictionaries(st.integers(2016, 2024), st.sampled_from([P, F, F, F, X]), max_size=8), st.randoms())
@example({2024: F, 2025: F, 2026: F}, random.Random(1))
@example({2022: F, 2023: F, 2024: F, 2025: P}, random.Random(3))
@settings(max_examples=120, deadline=None)
def test_notices_follow_the_years_in_whatever_order_they_are_confirmed(results: dict[int, str], chance: random.Random):
    order = list(results)
    chance.shuffle(order)
    register = Register()
    for year in order:
        register.confirm(year, results[year])
    long = [run for run in runs(results) if len(run) >= 3]
    founded = {year for run in long for year in run[2:]}
    assert set(register.notices) <= founded, "a notice needs its own year and the two before"
    assert {run[-1] for run in long} <= set(register.notices), "the last year of each streak is noticed"
    for noticed, stands in register.notices.items():
        passed = any(year > noticed and result == P for year, result in results.items())
        assert stands is not passed, "under notice until a later year passes, whenever that was confirmed"


def runs(results: Mapping[int, str]) -> list[list[int]]:
    """The longest stretches of failed calendar years."""
    found: list[list[int]] = []
    for year in sorted(one for one, result in results.items() if result == F):
        if found and found[-1][-1] == year - 1:
            found[-1].append(year)
        else:
            found.append([year])
    return found


def test_how_long_a_public_notice_stands():
    assert ask("notice_rule", profile="practice") == {"enabled": True, "workingDays": 5}
    assert ask("notice_rule", profile="strict") == {"enabled": False, "workingDays": 0}


# What an applicant must meet (A14–A17)


def missing(type: str = "DB", on: date = date(2026, 3, 15), **changed: Any) -> set[str]:
    """The criteria that the table finds missing at somebody who meets all but what is changed."""
    applicant = {"domestic": True, "legalPerson": True, "zoneCode": "z", "registeredOn": "2000-01-01", "uscc": USCC}
    projects = [{"level": "national", "programme": "special", "status": "completed"}] * 2
    facts = {"activeBases": [], "openCases": [], "projects": projects, "recommendedThisYear": 0}
    found = ask(
        "eligibility",
        baseType=type,
        applicant=applicant | changed.pop("applicant", {}),
        application={"projects": [], "fields": ["energy"], "dedicatedStaff": 3} | changed.pop("application", {}),
        registerFacts=facts | changed.pop("facts", {}),
        checkedOn=str(on),
        listing=changed.pop("listing", {"listed": True}),
        profile=changed.pop("profile", "strict"),
        checkpoint=changed.pop("checkpoint", "filing"),
    )
    assert not changed
    assert all(one["article"] and one["message"] for one in found)
    return {one["criterion"] for one in found}


@given(TYPES)
@settings(deadline=None)
def test_who_meets_everything_is_not_refused(type: str):
    assert missing(type) == set()


@given(TYPES, st.dates(date(2015, 1, 1), date(2026, 3, 15)))
@example("TT", date(2025, 3, 15))
@example("TT", date(2025, 3, 16))
@settings(deadline=None)
def test_only_a_transfer_centre_must_be_a_year_old(type: str, registered: date):
    filed = date(2026, 3, 15)
    anniversary = date(registered.year + 1, registered.month, min(registered.day, 28 if registered.month == 2 else 31))
    young = type == "TT" and filed < anniversary
    assert missing(type, filed, applicant={"registeredOn": str(registered)}) == ({"TT-1e"} if young else set())


def test_registered_364_days_is_a_day_short():
    filed = date(2026, 3, 15)
    assert missing("TT", filed, applicant={"registeredOn": str(filed - timedelta(days=364))}) == {"TT-1e"}
    assert missing("TT", filed, applicant={"registeredOn": str(filed - timedelta(days=365))}) == set()
    assert missing("TT", date(2025, 2, 28), applicant={"registeredOn": "2024-02-29"}) == set()


@given(TYPES, st.booleans(), st.booleans(), st.booleans())
@settings(deadline=None)
def test_each_type_has_its_own_tests(type: str, legal: bool, in_zone: bool, listed: bool):
    lacking: set[str] = set()
    if type == "TT":
        lacking = {code for code, met in (("TT-1d", legal), ("TT-1a", in_zone)) if not met}
    elif type == "IP":
        lacking = set() if listed else {"IP-0"}
    found = missing(
        type, applicant={"legalPerson": legal, "zoneCode": "z" if in_zone else None}, listing={"listed": listed}
    )
    assert found == lacking


PROJECTS = st.lists(
    st.fixed_dictionaries(
        {
            "programme": st.sampled_from(["special", "intergovernmental", "provincial", "other"]),
            "status": st.sampled_from(["ongoing", "completed", "terminated"]),
        }
    ).map(
        lambda one: (
            one
            | {
                "level": {"provincial": "provincial", "other": "other"}.get(one["programme"], "national"),
            }
        )
    ),
    max_size=4,
)


@given(st.sampled_from(["JC", "DB"]), PROJECTS)
@settings(deadline=None)
def test_projects_a_centre_and_a_base_must_have(type: str, projects: list[dict[str, str]]):
    """JC: two of 专项 and 政府间 together (A15), ongoing or completed (A16). DB: one, national or provincial."""
    if type == "JC":
        counted = [
            one
            for one in projects
            if one["programme"] in ("special", "intergovernmental") and one["status"] in ("ongoing", "completed")
        ]
        lacking = {"JC-1d"} if len(counted) < 2 else set()
    else:
        lacking = {"DB-1b"} if all(one["level"] == "other" for one in projects) else set()
    assert missing(type, facts={"projects": projects}) == lacking


@given(st.integers(0, 4), st.integers(0, 4))
@settings(deadline=None)
def test_a_missing_kind_of_project_is_a_warning_only(special: int, intergovernmental: int):
    said = ask("project_mix", candidate={"special": special, "intergovernmental": intergovernmental})
    assert said["total"] == special + intergovernmental
    assert bool(said["warning"]) is (special == 0 or intergovernmental == 0)


@given(TYPES, st.sampled_from(["strict", "practice"]), st.integers(0, 40))
@settings(deadline=None)
def test_quotas_are_practice(type: str, profile: str, recommended: int):
    found = missing(type, profile=profile, facts={"recommendedThisYear": recommended})
    assert found == ({"QUOTA"} if profile == "practice" and recommended >= 20 else set())
    assert missing(type, profile=profile, checkpoint="decision", facts={"recommendedThisYear": recommended}) == set()


@given(st.lists(st.integers(2020, 2026), max_size=4), st.integers(2020, 2026))
@settings(deadline=None)
def test_the_consultation_of_the_same_year_counts(listed: list[int], year: int):
    items = [{"year": one, "recordNumber": f"会商{one}"} for one in listed]
    said = ask("agenda_listing", agendaItems=items, parkProposal={"year": year})
    counts = year in listed and year == NOW.year
    assert said == {"listed": counts, "recordNumber": f"会商{year}" if counts else None}


# Who recommends (article 8(2)1, article 11, A18)

DEPARTMENTS: tuple[tuple[str, str, str | None, dict[str, str]], ...] = (
    ("moe", "department", None, {}),
    ("group", "central_enterprise", None, {}),
    ("sd-kj", "provincial_department", "山东", {}),
    ("gd-kj", "provincial_department", "广东", {}),
    ("qd-kj", "plan_city", "山东", {"planCity": "青岛"}),
    ("sz-kj", "plan_city", "广东", {"planCity": "深圳"}),
)


def who_recommends(superior: str | None, region: str, city: str | None) -> str:
    """The superior department or group; else the plan city; else the province."""
    if superior:
        return superior
    return {"青岛": "qd-kj", "深圳": "sz-kj"}[city] if city else {"山东": "sd-kj", "广东": "gd-kj"}[region]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    superior=st.sampled_from([None, "moe", "group"]),
    levels=st.integers(0, 2),
    place=st.sampled_from([("山东", None), ("山东", "青岛"), ("广东", None), ("广东", "深圳")]),
)
def test_affiliation_before_territory(session, people: People, superior, levels, place):
    region, city = place
    with session.begin_nested() as savepoint:
        known = {
            code: people.organisation(code, kind=kind, name=code, region=where, attributes=attributes)
            for code, kind, where, attributes in DEPARTMENTS
        }
        parent = known[superior] if superior else None
        for level in range(levels):
            parent = people.organisation(f"between{level}", region=region, parent=parent)
        host = people.organisation("host", region=region, parent=parent, attributes={"planCity": city})
        session.flush()
        facts = known_of.facts(session, host)
        route = ask("recommender_route", applicant=facts)
        found = organisations._routed(session, host, route["relation"], route["kind"])
        assert found.code == who_recommends(superior, region, city)
        assert route["relation"] == ("affiliation" if superior else "territory")
        assert organisations.relation(host, found) == route["relation"]
        charged = {code for code, one in known.items() if known_of.in_charge(one, host)}
        assert charged == {found.code}, "one recommender and no other"
        savepoint.rollback()


# Panel and recusal (assumption, practice), who issues (articles 5–8)


@given(TYPES, st.lists(st.sampled_from("abcdefgh"), max_size=8), st.sampled_from("abcdefgh"))
@settings(max_examples=150, deadline=None)
def test_a_panel_has_its_size_once_each_an_odd_number_and_a_chair_of_its_own(type, members, chair):
    rule = ask("panel_rule", baseType=type)
    problem = ask("panel_composition", panelRule=rule, panelChoice={"members": members, "chair": chair})
    assert rule["size"] % 2 == 1
    assert rule["size"] >= 3
    assert rule["size"] / 2 < rule["quorum"] <= rule["size"]
    good = (
        len(members) >= rule["size"]
        and len(set(members)) == len(members)
        and chair in members
        and len(members) % 2 == 1
    )
    assert (problem is None) is good, problem


@given(st.sampled_from([None, "host", "elsewhere"]), st.booleans(), st.sampled_from([None, "亲属", "合作者"]))
@settings(deadline=None)
def test_experts_of_the_applicant_and_those_who_say_so_stand_aside(organisation, conflict, ground):
    said = ask(
        "recusal",
        expert={"organisation": organisation},
        applicant={"code": "host"},
        declaration={"conflict": conflict, "ground": ground},
    )
    assert said["recused"] is (organisation == "host" or conflict)


@given(
    st.sampled_from(["approve", "reject"]),
    st.sampled_from(["recommend", "not_recommend"]),
    st.sampled_from(["pass", "fail"]),
)
@settings(deadline=None)
def test_leaving_the_experts_opinion_takes_a_reason(decision, opinion, visit):
    """A19, A20: no approval against either without a reason, no refusal against both."""
    said = ask(
        "deviation", decision={"result": decision}, expertOpinion={"conclusion": opinion},
        assessment={"conclusion": visit},
    )  # fmt: skip
    favourable = opinion == "recommend" and visit == "pass"
    assert said["deviates"] is ((decision == "approve") is not favourable)


def test_who_issues_what():
    """Trap 8 and 5: 示范型基地 is of 国际合作司; only a transfer centre bears two signatures; 科技部 has the rest."""
    issuers = {type: ask("issuer", baseType=type) for type in ("IP", "JC", "TT", "DB")}
    assert {type: one["issuers"] for type, one in issuers.items()} == {
        "IP": ["most"], "JC": ["most"], "TT": ["coop", "torch"], "DB": ["coop"]
    }  # fmt: skip
    assert [type for type, one in issuers.items() if one["joint"]] == ["TT"]
    assert {type for type, one in issuers.items() if any("torch" in role for role in one["organiserRoles"])} == {"TT"}
    assert {type: one["deciderRole"].partition(".")[0] for type, one in issuers.items()} == {
        "IP": "most", "JC": "most", "TT": "coop", "DB": "coop"
    }  # fmt: skip


@given(TYPES)
@settings(deadline=None)
def test_weights_make_a_hundred(type: str):
    assert sum(one["full"] for one in ask("review_criteria", baseType=type)) == 100
    assert sum(one["full"] for one in ask("indicators", baseType=type)) == 100


@given(st.integers(0, 500), st.integers(0, 500), st.booleans())
@settings(deadline=None)
def test_matching_funds_know_no_ratio(promised: int, paid: int, final: bool):
    said = ask("matching_shortfall", matchingTotals={"promised": promised, "paid": paid}, payment={"final": final})
    assert said == ("none" if paid >= promised else "short" if final else "open")

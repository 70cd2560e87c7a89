"""The topics of the other procedures: parties, candidates, the yearly round, sanctions, projects, plaques abroad."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from service import clock, errors, handlers
from service.commands.bases import column, cooperation, register, sanctions
from service.commands.inbox import prefills
from service.models import CaseParty, Job, User
from service.models.register import (
    AllianceMember,
    AnnualReport,
    AnnualResult,
    Ban,
    Commendation,
    CoordinationNote,
    ForeignPlaque,
    MatchingFund,
    Notice,
    Talent,
    Violation,
)
from service.queries import register as asked

ROOT = Path(__file__).parents[2]
SUMMARY = json.loads((ROOT / "forms" / "annual_report" / "ar_summary.form").read_bytes())


@pytest.fixture
def recommender(session, people):
    return people.organisation("kj-sd", kind="provincial_department", name="山东科技厅", region="山东")


@pytest.fixture
def base(session, applicant, recommender):
    return make(session, applicant, recommender)


def make(session, host, recommender, type="JC", name="虚构中心"):
    return register.register_base(
        session, type=type, name=name, host=host, recommender=recommender, relation="territory", fields=["health"],
        decided_on=date(2020, 1, 1),
    )  # fmt: skip


def project(session, host, number, programme="special", status="ongoing", base=None, special=False):
    return cooperation.add_project(
        session, host, number=number, name=number, programme=programme, level="national", status=status,
        special=special, base=base, starts_on=date(2024, 1, 1),
    )  # fmt: skip


# Parties


def test_a_party_is_added_once_and_an_unknown_one_is_a_business_error(session, people, instance, work):
    people.organisation("zone1", kind="zone", name="虚构高新区")
    given = work("add_party", {"party": "zone"}, code=" zone1 ")
    assert given["organisation"]["name"] == "虚构高新区"
    assert given["parties"] == {"applicant": "uni", "zone": "zone1"}
    work("add_party", {"party": "zone"}, code="zone1")
    parties = session.scalars(select(CaseParty.party).where(CaseParty.instance_id == instance.id)).all()
    assert sorted(parties) == ["applicant", "zone"]
    for party, code in (("zone", "nowhere"), ("most", "zone1"), ("zone", "")):
        with pytest.raises(handlers.BusinessError) as caught:
            work("add_party", {"party": party}, code=code)
        assert caught.value.code == "unknown_organisation"


def test_candidates_are_those_in_charge_that_execute_either_kind_of_project(
    session, people, applicant, recommender, work
):
    ministry = people.organisation("moe", kind="department", name="某部")
    below = people.organisation("below", name="部属大学", region="山东", parent=ministry)
    city = people.organisation("city", name="青岛某所", region="山东", attributes={"planCity": "青岛"})
    elsewhere = people.organisation("elsewhere", name="别处", region="广东")
    for host, number, programme, status in (
        (applicant, "1", "special", "ongoing"), (applicant, "2", "intergovernmental", "completed"),
        (applicant, "3", "provincial", "ongoing"), (applicant, "4", "special", "terminated"),
        (below, "5", "special", "ongoing"), (city, "6", "special", "ongoing"), (elsewhere, "7", "special", "ongoing"),
    ):  # fmt: skip
        project(session, host, number, programme, status)
    people.organisation("kj-qd", kind="plan_city", region="山东", attributes={"planCity": "青岛"})
    found = {
        code: work("list_candidates", parties={"recommender": code}, statuses=["ongoing", "completed"])["candidates"]
        for code in ("kj-sd", "moe", "kj-qd")
    }
    assert found["kj-sd"] == [
        {
            "code": "uni", "name": "虚构大学", "projects": 2, "special": 1, "intergovernmental": 1,
            "statuses": ["completed", "ongoing"], "barredUntil": None,
        }
    ]  # fmt: skip
    assert [one["code"] for one in found["moe"]] == ["below"]
    assert [one["code"] for one in found["kj-qd"]] == ["city"]


def test_the_agenda_is_that_of_the_park_and_the_province(session, people, work):
    province, park = people.organisation("gov", kind="provincial_government"), people.organisation("park", kind="park")
    other = people.organisation("park2", kind="park")
    for year, listed in ((2025, park), (2026, park), (2026, other)):
        column.list_on_agenda(
            session,
            province,
            year=year,
            title=f"共建{year}",
            listed_on=date(year, 1, 9),
            park=listed,
            record_number="1号",
        )
    items = work("lookup_agenda", parties={"province": "gov"}, park="park")["agendaItems"]
    assert items[1] == {"year": 2026, "title": "共建2026", "recordNumber": "1号", "listedOn": "2026-01-09"}
    assert len(items) == 2


# A base in a case


def test_a_base_is_read_with_its_host_and_recommender_as_parties(
    session, people, applicant, recommender, base, instance, work
):
    sanctions.reprimand(session, base, 2025, issued_on=date(2026, 1, 1))
    given = work("lookup_base", {"party": "applicant"}, baseNumber=base.number.lower(), parties={})
    assert given["base"]["underNotice"] is True
    assert given["base"]["typeName"] == "国际联合研究中心"
    assert given["applicant"]["code"] == "uni"
    assert given["recommender"]["relation"] == "territory"
    assert given["parties"] == {"applicant": "uni", "recommender": "kj-sd"}


def report(session, base, year, status="accepted", **content):
    signed = (
        {"opinion": "同意报送", "signatory": "王签", "signed_on": date(year + 1, 3, 1)} if status != "overdue" else {}
    )
    sanctions.record_report(session, base, year, status=status, content=content, **signed)


def test_what_a_base_reported_last_and_its_partners_abroad_are_read_with_it(
    session, people, applicant, base, instance, work
):
    overseas = [{"name": "柏林联络处", "country": "德国", "investment": 20}]
    report(session, base, 2023, annualSummary={"staff": 9})
    report(
        session,
        base,
        2024,
        "late",
        annualPlan={"goals": "扩大合作", "files": []},
        annualSummary={"overseas": overseas, "files": [1]},
    )
    report(session, base, 2025, "overdue")
    report(session, base, 2026, annualSummary={"staff": 30})
    cooperation.add_partner(session, base, name="柏林研究所", country="德国")
    for number, partner in (("P1", "柏林研究所"), ("P2", "巴黎大学"), ("P3", "")):
        cooperation.add_project(
            session, applicant, number=number, name=number, programme="other", level="other", starts_on=date(2024, 1, 1),
            partner=partner, country="法国", base=base,
        )  # fmt: skip
    given = work("lookup_base", {"party": "applicant"}, baseNumber=base.number, reportYear=2026, parties={})
    assert given["formerReport"] == {"year": 2024, "plan": {"goals": "扩大合作"}, "summary": {"overseas": overseas}}
    assert given["base"]["partners"] == [
        {"name": "柏林研究所", "country": "德国"}, {"name": "巴黎大学", "country": "法国"},
    ]  # fmt: skip
    known = {name: given[name] for name in ("formerReport", "base")}
    opened = prefills.filled(SUMMARY, known, user=User(name="李", email=""), now=clock.now())["annualSummary"]
    assert opened["overseas"] == [{"name": "柏林联络处", "country": "德国"}]
    assert "staff" not in opened
    assert work("lookup_base", {"party": "applicant"}, baseNumber=base.number, parties={})["formerReport"] is None


@pytest.mark.parametrize(
    ("number", "parties"),
    [("JC1999001", {}), ("", {}), (None, {"applicant": "somebody-else"}), (None, {"recommender": "kj-gd"})],
)
def test_somebody_elses_base_is_no_base(session, people, base, work, number, parties):
    with pytest.raises(handlers.BusinessError) as caught:
        work(
            "lookup_base", {"party": "applicant"}, baseNumber=base.number if number is None else number, parties=parties
        )
    assert caught.value.code == "unknown_base"


def test_own_bases_are_the_active_ones_of_the_applicant(session, people, applicant, recommender, base, work):
    gone = make(session, applicant, recommender, name="已退出")
    register.leave(session, gone, on=date(2026, 1, 1))
    make(session, people.organisation("other"), recommender, name="别家")
    assert work("list_own_bases")["ownBases"] == [{"number": base.number, "name": "虚构中心", "type": "JC"}]


def test_a_recommender_chooses_among_the_active_bases_in_its_charge_today(
    session, people, applicant, recommender, work
):
    elsewhere = people.organisation("bj", kind="provincial_department")
    base = make(session, applicant, recommender)
    other = make(session, people.organisation("other"), recommender, name="别家")
    handed_on = make(session, applicant, recommender, name="已移交")
    register.change_recommender(session, handed_on, elsewhere, "territory", since=date(2026, 1, 1))
    make(session, applicant, elsewhere, name="不归本部门")
    register.leave(session, make(session, applicant, recommender, name="已退出"), on=date(2026, 1, 1))
    given = work("list_own_bases", {"party": "recommender"}, parties={"recommender": recommender.code})
    assert [one["number"] for one in given["ownBases"]] == sorted([base.number, other.number])


@pytest.mark.parametrize(
    ("kind", "value", "seen"),
    [
        ("name", "新名称", lambda session, base: base.name == "新名称"),
        ("director", "新主任", lambda session, base: base.director == "新主任"),
        ("host", "newhost", lambda session, base: base.host.code == "newhost"),
        ("plan", "第二版", lambda session, base: asked.base_file(session, base).plans[0].goals == "第二版"),
        ("recommender", "moe", lambda session, base: asked.recommender(session, base).organisation.code == "moe"),
    ],
)
def test_an_approved_change_is_entered(session, people, base, work, kind, value, seen):
    people.organisation("newhost")
    people.organisation("moe", kind="department")
    work(
        "update_base",
        base={"number": base.number},
        changeRequest={"kind": kind, "value": value},
        effectiveOn="2026-03-16",
    )
    session.expire_all()
    assert seen(session, base)


def test_an_unknown_change_is_refused(base, work):
    with pytest.raises(errors.ServiceError, match="kind"):
        work("update_base", base={"number": base.number}, changeRequest={"kind": "colour", "value": "red"})


def test_a_base_that_leaves_is_not_banned(session, base, applicant, work):
    work("end_base", base={"id": base.id}, reason="自愿", endedOn="2026-03-16")
    assert base.status == "exited"
    assert session.scalars(select(Ban)).all() == []


# The yearly round


def test_each_active_base_gets_one_message_and_nobody_twice(session, people, applicant, recommender, base, work):
    reported = make(session, applicant, recommender, name="已报")
    sanctions.record_report(
        session, reported, 2025, status="accepted", opinion="同意", signatory="某", signed_on=date(2026, 3, 1)
    )
    late = make(session, applicant, recommender, name="逾期")
    sanctions.record_report(session, late, 2025, status="overdue")
    register.leave(session, make(session, applicant, recommender, name="退出"), on=date(2026, 1, 1))
    cycle = {"year": 2025, "deadline": "2026-03-31"}
    assert work("start_annual_reports", cycle=cycle, profile="practice") == {"started": 2}
    said = [job.payload["throw"] for job in session.scalars(select(Job).where(Job.kind == "message").order_by(Job.id))]
    assert [one["key"] for one in said] == [f"2025/{base.number}", f"2025/{late.number}"]
    assert said[0] == {
        "name": "annual_report_due",
        "key": f"2025/{base.number}",
        "variables": {
            "cycle": cycle,
            "baseNumber": base.number,
            "parties": {"applicant": "uni", "recommender": "kj-sd"},
            "profile": "practice",
        },
    }


def test_an_assessment_is_due_for_bases_without_a_result(session, applicant, recommender, base, work):
    assessed = make(session, applicant, recommender, name="已考核")
    sanctions.record_result(session, assessed, 2025, grade="good", result="pass", confirmed_on=date(2026, 3, 1))
    assert work("start_assessments", cycle={"year": 2025})["started"] == 1
    (job,) = session.scalars(select(Job).where(Job.kind == "message")).all()
    assert job.payload["throw"]["variables"]["assessmentYear"] == 2025


def test_reports_are_recorded_and_summed_up(session, applicant, recommender, base, work):
    other = make(session, applicant, recommender, name="未报")
    report = {
        "annualPlan": {"goals": "目标"},
        "annualSummary": {"overview": "情况"},
        "reportOpinion": {"opinion": "同意", "signatory": "某", "signedOn": "2026-03-10"},
    }
    work("record_annual_report", {"status": "overdue"}, base={"id": base.id}, year=2025)
    assert work("collect_reports", cycle={"year": 2025})["reportSummary"]["overdue"] == 1
    work("record_annual_report", {"status": "late"}, base={"id": base.id}, year=2025, **report)
    entered = session.scalars(select(AnnualReport)).one()
    assert (entered.status, entered.signed_on) == ("late", date(2026, 3, 10))
    assert work("collect_reports", cycle={"year": 2025})["reportSummary"] == {
        "total": 2,
        "accepted": 0,
        "late": 1,
        "overdue": 0,
        "missing": [{"number": other.number, "name": "未报", "recommender": "山东科技厅"}],
    }


def test_a_report_without_signed_opinion_is_not_recorded_as_accepted(base, work):
    with pytest.raises(errors.InvalidInput):
        work("record_annual_report", {"status": "accepted"}, base={"id": base.id}, year=2025, annualSummary={})


def test_an_assessment_reads_the_years_before_and_the_report_of_its_year(session, base, work):
    for year, grade, result in ((2023, "failed", "fail"), (2024, "good", "pass"), (2025, "failed", "fail")):
        sanctions.record_result(session, base, year, grade=grade, result=result, confirmed_on=date(year + 1, 5, 1))
    sanctions.reprimand(session, base, 2023, issued_on=date(2024, 6, 1))
    facts = work("lookup_annual_facts", base={"id": base.id}, year=2025)["annualFacts"]
    assert [one["year"] for one in facts["results"]] == [2023, 2024]
    assert (facts["reportStatus"], facts["summary"]) == ("none", None)
    assert (facts["noticeOn"], facts["noticeYears"]) == ("2024-06-01", [2023])
    work("lift_notice", base={"id": base.id}, liftedOn="2025-06-01", passedYear=2024)
    facts = work("lookup_annual_facts", base={"id": base.id}, year=2025)["annualFacts"]
    assert (facts["noticeOn"], facts["noticeYears"]) == (None, [2023])
    sanctions.reprimand(session, base, 2025, issued_on=date(2026, 6, 1))
    work("lift_notice", base={"id": base.id})  # as a diagram of former days calls it
    assert not sanctions.under_notice(session, base)


def test_years_in_a_row_without_a_report_are_counted_up_to_the_year_asked_for(session, base, work):
    for year in (2021, 2023, 2024):
        sanctions.record_report(session, base, year, status="overdue")
    unfiled = [
        work("lookup_annual_facts", base={"id": base.id}, year=year)["annualFacts"]["unfiledYears"]
        for year in (2022, 2024, 2025, 2027)
    ]
    assert unfiled == [2, 2, 3, 1]
    signed = {"opinion": "同意", "signatory": "某处长", "signed_on": date(2026, 3, 1)}
    sanctions.record_report(session, base, 2025, status="late", **signed)
    assert work("lookup_annual_facts", base={"id": base.id}, year=2025)["annualFacts"]["unfiledYears"] == 0


# What follows


def test_result_commendation_and_notice_are_entered_with_the_case(session, base, instance, work):
    named = {"base": {"id": base.id}, "year": 2025}
    work("record_annual_result", **named, grade="excellent", result="pass", reason="好")
    work("share_result", **named, grade="excellent")
    work("record_commendation", **named, reason="三项均符合")
    assert work("record_notice", **named) == {"notice": {"year": 2025, "passedIn": None}}
    for model in (AnnualResult, Commendation, Notice):
        assert session.scalars(select(model.instance_id)).all() == [instance.id]
    assert "result_shared" in [line.kind for line in asked.history(session, base)]


def test_a_result_of_half_a_year_is_refused(base, work):
    with pytest.raises(errors.ServiceError, match="year"):
        work("record_annual_result", base={"id": base.id}, year=2025.5, grade="good", result="pass")


@pytest.mark.parametrize(("outcome", "serious"), [("minor", False), ("not_under_notice", True)])
def test_a_finding_is_on_record_whatever_comes_of_it(session, base, work, outcome, serious):
    work(
        "record_violation", {"outcome": outcome}, base={"id": base.id}, seriousness={"serious": serious, "category": "funds"},
        finding={"category": "fraud", "facts": "事实", "foundOn": "2026-02-01", "committedOn": None},
    )  # fmt: skip
    found = session.scalars(select(Violation)).one()
    assert (found.outcome, found.serious, found.category) == (outcome, serious, "funds")
    assert base.status == "active"


def test_revocation_and_ban_follow_a_notice_and_the_ban_is_closed(session, base, applicant, work):
    with pytest.raises(errors.Conflict):
        work("revoke_base", base={"id": base.id}, reason="严重", decidedOn="2026-03-16")
    sanctions.reprimand(session, base, 2025, issued_on=date(2026, 1, 1))
    work("revoke_base", base={"id": base.id}, reason="严重", decidedOn="2026-03-16")
    work(
        "start_ban",
        base={"id": base.id},
        applicant={"code": "uni"},
        ban={"startOn": "2026-03-16", "lastOn": "2029-03-16"},
    )
    assert asked.is_banned(session, base.authority_id, applicant.uscc, date(2029, 3, 16))
    work("release_ban", base={"id": base.id}, applicant={"code": "uni"})
    assert session.scalars(select(Ban.released_at)).one() is not None
    assert base.status == "revoked"


# Projects, plaques abroad, talent, alliance, log


def test_special_projects_of_bases_in_charge_are_matched_and_paid_in_parts(session, base, applicant, recommender, work):
    project(session, applicant, "S-1", base=base, special=True)
    project(session, applicant, "S-2", base=base)
    project(session, applicant, "S-3", special=True)
    party = {"parties": {"recommender": "kj-sd"}}
    assert [one["number"] for one in work("list_special_projects", **party)["specialProjects"]] == ["S-1"]
    named = {"projectNumber": "S-1", **party}
    given = work("record_matching", **named, matching={"promised": 100.5, "dueOn": "2026-12-31"})
    assert given["matchingTotals"] == {"promised": 100.5, "paid": 0.0}
    for paid in (60, 40.5):
        given = work("record_matching", **named, matching={"paid": paid, "paidOn": "2026-06-01", "proof": [{"id": 1}]})
    assert given["matchingTotals"] == {"promised": 100.5, "paid": 100.5}
    fund = session.scalars(select(MatchingFund)).one()
    assert (fund.paid, len(fund.proof)) == (Decimal("100.50"), 2)
    for number in ("S-2", "nothing"):
        with pytest.raises(errors.ServiceError):
            work("record_matching", **{**named, "projectNumber": number}, matching={"promised": 1})


def test_a_plaque_abroad_goes_step_by_step(session, base, work):
    named = {"base": {"number": base.number}, "partner": {"name": "外方大学", "nameEn": "Example U", "country": "德国"}}
    work("record_foreign_plaque", {"status": "requested"}, **named, detail={"foreignAuthority": "外方部门"})
    work("record_foreign_plaque", {"status": "recognised"}, **named, detail={"on": "2026-04-01"})
    work("record_foreign_plaque", {"status": "confirmed"}, **named, detail={"on": "2026-05-01", "mechanism": "联委会"})
    work("record_foreign_plaque", {"status": "placed"}, **named, detail={"placedOn": "2026-06-01", "place": "柏林"})
    plaque = session.scalars(select(ForeignPlaque)).one()
    assert (plaque.status, plaque.recognised_on, plaque.confirmed_on, plaque.placed_on) == (
        "placed", date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1),
    )  # fmt: skip
    work("record_foreign_plaque", {"status": "ended"}, **named, detail={})
    assert (plaque.status, base.status) == ("ended", "active")


def test_a_nomination_is_recorded_and_decided_once(session, base, work):
    named = {
        "base": {"id": base.id},
        "nomination": {"name": "某专家", "country": "法国", "field": "health", "plan": "计划"},
    }
    work("record_talent", {"status": "nominated"}, **named)
    work("record_talent", {"status": "supported"}, **named, detail={"reason": "重点支持"})
    talent = session.scalars(select(Talent)).one()
    assert (talent.status, talent.remarks) == ("supported", "重点支持")


@pytest.mark.parametrize(("status", "expected"), [("member", "member"), ("declined", "declined")])
def test_an_answer_to_the_alliance_is_recorded(session, base, work, status, expected):
    work("record_alliance", {"status": status}, base={"id": base.id})
    assert session.scalars(select(AllianceMember.status)).all() == [expected]


@pytest.mark.parametrize(("level", "by"), [("regional", "kj-sd"), ("national", "coop")])
def test_the_coordination_log_names_who_coordinates(session, people, base, recommender, work, level, by):
    people.organisation("coop", name="国际合作司")
    work(
        "record_coordination", {"level": level}, base={"id": base.id}, issue="签证", action="协调",
        parties={"recommender": "kj-sd"},
    )  # fmt: skip
    note = session.scalars(select(CoordinationNote)).one()
    assert note.organisation_id == people.organisation(by).id
    assert asked.history(session, base)[0].kind == "coordination"

"""The topics of applications: what they read, what they give, what they write."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from service import errors, handlers
from service.commands.bases import cooperation, register, sanctions
from service.commands.cases import related
from service.handlers.case import WrongInput
from service.models import CaseParty, Job, Notification, Task
from service.models.register import ColumnArticle, Expert, Plaque
from service.queries import register as asked
from tests.handlers.conftest import make_instance


def test_an_unknown_topic_says_its_name():
    with pytest.raises(handlers.UnknownTopic, match="brew_coffee"):
        handlers.find("brew_coffee")


def test_a_topic_has_one_handler():
    with pytest.raises(ValueError, match="already"):
        handlers.topic("notify")(lambda session, job: None)


# Organisations


def test_an_organisation_is_known_with_its_superior_and_zone(session, people, applicant, work):
    academy = people.organisation("academy", kind="department", name="虚构科学院")
    people.organisation("zone1", kind="zone", name="虚构高新区")
    applicant.parent = people.organisation("branch", name="分院", parent=academy)
    applicant.attributes = {"zone": "zone1", "legalPerson": True}
    session.flush()
    assert work("lookup_organisation", {"party": "applicant"})["organisation"] == {
        "code": "uni",
        "name": "虚构大学",
        "kind": "institution",
        "uscc": "91370000MA00000001",
        "region": "山东",
        "registeredOn": "2001-02-03",
        "domestic": True,
        "legalPerson": True,
        "affiliation": "department",
        "parentCode": "branch",
        "parentName": "分院",
        "planCity": None,
        "zoneCode": "zone1",
        "zoneName": "虚构高新区",
    }


def assign(work, relation, kind, **more):
    return work("assign_recommender", applicant={"code": "uni"}, route={"relation": relation, "kind": kind}, **more)


def test_by_territory_the_department_of_the_region_recommends(session, people, applicant, instance, work):
    for region in ("山东", "广东"):
        people.organisation(f"kj-{region}", kind="provincial_department", region=region, name=f"{region}科技厅")
    given = assign(work, "territory", "province")
    assert given["recommender"] == {
        "code": "kj-山东",
        "name": "山东科技厅",
        "kind": "provincial_department",
        "relation": "territory",
    }
    assert given["parties"] == {"applicant": "uni", "recommender": "kj-山东"}
    parties = session.scalars(select(CaseParty.party).where(CaseParty.instance_id == instance.id)).all()
    assert sorted(parties) == ["applicant", "recommender"]


def test_a_plan_city_recommends_its_own(session, people, applicant, work):
    people.organisation("kj-sd", kind="provincial_department", region="山东")
    people.organisation("kj-qd", kind="plan_city", region="山东", attributes={"planCity": "青岛"})
    applicant.attributes = {"planCity": "青岛"}
    session.flush()
    assert assign(work, "territory", "plan_city")["recommender"]["code"] == "kj-qd"


def test_by_affiliation_the_superior_recommends(session, people, applicant, work):
    applicant.parent = people.organisation("moe", kind="department")
    session.flush()
    assert assign(work, "affiliation", "department")["recommender"]["code"] == "moe"


def test_a_recommender_that_cannot_be_told_is_a_business_error(people, work):
    with pytest.raises(handlers.BusinessError) as caught:
        assign(work, "territory", "province")
    assert caught.value.code == "no_recommender"


def test_a_person_may_choose_a_recommender_but_nobody_else(people, work):
    people.organisation("kj-sd", kind="provincial_department")
    chosen = work("assign_recommender", applicant={"code": "uni"}, chosen="kj-sd")
    assert chosen["recommender"]["relation"] == "territory"
    for code in ("uni", "nowhere"):
        with pytest.raises(handlers.BusinessError):
            work("assign_recommender", applicant={"code": "uni"}, chosen=code)


# Checks


def test_a_ban_is_found_by_the_code_of_the_entity_on_the_day(session, applicant, work):
    sanctions.ban(session, applicant, start_on=date(2024, 3, 15), last_on=date(2027, 3, 15), reason="取消资格")
    ask = {"applicant": {"uscc": applicant.uscc}}
    assert work("check_ban", **ask)["ban"]["active"]
    assert work("check_ban", **ask, checkedOn="2027-03-15")["ban"]["lastOn"] == "2027-03-15"
    assert not work("check_ban", **ask, checkedOn="2027-03-16")["ban"]["active"]
    assert not work("check_ban", applicant={"uscc": None})["ban"]["active"]


def test_a_moment_counts_as_its_day_in_china(session, applicant, work):
    sanctions.ban(session, applicant, start_on=date(2024, 3, 15), last_on=date(2027, 3, 15))
    late = datetime(2027, 3, 15, 16, 30, tzinfo=UTC).isoformat()
    assert not work("check_ban", applicant={"uscc": applicant.uscc}, checkedOn=late)["ban"]["active"]


def test_an_absurd_date_is_named_with_its_topic(applicant, work):
    with pytest.raises(WrongInput, match="checkedOn"):
        work("check_ban", applicant={"uscc": applicant.uscc}, checkedOn="next week")


def test_the_register_tells_bases_cases_projects_and_recommendations(session, people, applicant, instance, work):
    kj = people.organisation("kj-sd", kind="provincial_department", name="山东科技厅")
    register.register_base(
        session, type="JC", name="虚构中心", host=applicant, recommender=kj, relation="territory", fields=["health"],
        decided_on=date(2020, 1, 1),
    )  # fmt: skip
    cooperation.add_project(
        session, applicant, number="P-1", name="虚构项目", programme="intergovernmental", level="national",
        starts_on=date(2024, 1, 1),
    )  # fmt: skip
    other = make_instance(session, applicant, "TT-2026-0001", recommender=kj)
    signed = make_instance(session, applicant, "DB-2026-0002", recommender=kj)
    make_instance(session, applicant, "DBX-2026-0009")
    for case, result in ((signed, "signed"), (other, "signed")):
        session.add(
            Task(
                authority_id=case.authority_id, instance_id=case.id, token=1, element_id="sign_recommendation",
                process_id="p", name="签署", status="completed", created_at=case.started_at, completed_at=case.started_at,
                submitted={"recommendation": {"result": result}},
            )
        )  # fmt: skip
    session.flush()
    asked = {"applicant": {"uscc": applicant.uscc}, "recommender": {"code": "kj-sd"}, "baseType": "DB"}
    facts = work("lookup_register", **asked)["registerFacts"]
    assert [one["type"] for one in facts["activeBases"]] == ["JC"]
    assert facts["openCases"] == []
    assert facts["projects"][0]["programme"] == "intergovernmental"
    assert facts["recommendedThisYear"] == 1
    latest = make_instance(session, applicant, "DB-2026-0003")
    open_cases = work("lookup_register", of=latest, **asked)["registerFacts"]["openCases"]
    assert [one["number"] for one in open_cases] == ["DB-2026-0001", "TT-2026-0001", "DB-2026-0002"]


# Experts


def test_experts_of_the_field_come_first_and_the_applicants_own_not_at_all(session, people, applicant, instance, work):
    elsewhere = people.organisation("elsewhere", name="别处研究院")
    for name, employer, fields in (
        ("e1", elsewhere, ["space"]), ("e2", elsewhere, ["health", "energy"]), ("e3", applicant, ["health"]),
        ("e4", elsewhere, ["health"]),
    ):  # fmt: skip
        user = people.user(name, "experts.reviewer")
        session.add(
            Expert(
                user_id=user.id, authority_id=user.authority_id, employer_id=employer.id, title="研究员", fields=fields
            )
        )
    session.flush()
    given = work(
        "list_experts",
        {"role": "experts.reviewer"},
        fields=["health", "energy"],
        excluded=["e4"],
        applicant={"code": "uni"},
    )
    assert [one["user"] for one in given["expertCandidates"]] == ["e2", "e1"]
    assert given["expertCandidates"][0]["organisationName"] == "别处研究院"
    assert [(one["user"], one["reason"]) for one in given["expertsKeptAway"]] == [("e3", "与申报机构同单位")]
    related.write(session, instance, {"partner": ["别处 研究院"], "joint": []})
    given = work("list_experts", {"role": "experts.reviewer"}, applicant={"code": "uni"})
    assert given["expertCandidates"] == []
    assert {one["user"]: one["reason"] for one in given["expertsKeptAway"]}["e1"] == (
        "所在单位是本案所列的合作方（别处 研究院）"
    )
    assert work("list_experts", {"role": "experts.visitor"})["expertCandidates"] == []


# The base, its plaque, the layout, the column


@pytest.fixture
def accredited(people, work):
    people.organisation("kj-sd", kind="provincial_department", name="山东科技厅")
    return work(
        "register_base",
        baseType="DB",
        applicant={"code": "uni", "zoneCode": None},
        recommender={"code": "kj-sd", "relation": "territory"},
        application={
            "baseName": "虚构示范基地",
            "fields": ["health"],
            "goals": "目标",
            "directorName": "某主任",
            "planFiles": [{"id": 1}],
        },
        decidedOn="2026-03-16",
    )["base"]


def test_a_base_is_entered_with_its_case_and_its_plan(session, instance, accredited):
    base = asked.find(session, instance.authority_id, accredited["number"])
    assert accredited == {
        "id": base.id,
        "number": "DB2026001",
        "name": "虚构示范基地",
        "type": "DB",
        "typeName": "示范型国际科技合作基地",
        "status": "active",
        "region": "山东",
        "fields": ["health"],
        "accreditedOn": "2026-03-16",
        "accreditedUnder": "2011",
        "director": "某主任",
        "hostCode": "uni",
        "hostName": "虚构大学",
    }
    assert {event.instance_id for event in asked.history(session, base)} == {instance.id}
    assert asked.base_file(session, base).plans[0].version == 1


def test_a_plaque_is_recorded_for_the_base_that_the_case_names(session, work, accredited):
    for base in (accredited, {"number": accredited["number"]}, accredited["number"]):
        work("record_plaque", base=base, plaque={"inscription": "示范型国际科技合作基地", "givenOn": "2026-04-01"})
    assert session.scalars(select(Plaque.given_on)).all() == [date(2026, 4, 1)] * 3
    with pytest.raises(errors.NotFound):
        work("record_plaque", base={"id": 999}, plaque={"inscription": "x"})


def test_a_base_of_another_register_is_out_of_reach(session, people, work):
    local = register.register_base(
        session, type="DB", name="地方基地", host=people.organisation("l", authority="sd", region="山东"),
        recommender=people.organisation("k", authority="sd"), relation="territory", fields=[], decided_on=date(2020, 1, 1),
    )  # fmt: skip
    with pytest.raises(errors.NotFound):
        work("record_plaque", base={"id": local.id}, plaque={"inscription": "x"})


def test_the_layout_is_counted_for_region_and_fields(work, accredited):
    facts = work("layout_report", baseType="DB", region="山东", fields=["health"])["layoutFacts"]
    assert facts == {
        "total": 1,
        "sameRegion": 1,
        "sameFields": 1,
        "byRegion": [{"region": "山东", "count": 1}],
        "byField": [{"field": "health", "count": 1}],
    }


def test_notices_and_articles_appear_in_the_column(session, work, accredited):
    work("publish_notice", noticeTitle="公示", noticeText="拟认定", noticeFrom="2026-03-16", noticeUntil="2026-03-20")
    work("publish_column", {"section": "news"}, articleTitle="新认定", articleText="正文", base=accredited)
    notice, news = session.scalars(select(ColumnArticle).order_by(ColumnArticle.id)).all()
    assert notice.body == "拟认定\n\n公示期：2026-03-16 至 2026-03-20。"
    assert (news.section, news.base_id) == ("news", accredited["id"])


def test_a_form_may_choose_the_section_and_nothing_but_title_and_text_is_published(session, work, accredited):
    sent = {"title": "征集伙伴", "text": "共建观测站。", "contact": "0531-88880000"}
    asked = {"articleTitle": sent["title"], "articleText": sent["text"], "base": accredited, "columnArticle": sent}
    given = work("publish_column", section="cooperation", **asked)
    row = session.get_one(ColumnArticle, given["article"]["id"])
    assert (row.section, row.title, row.body) == ("cooperation", "征集伙伴", "共建观测站。")
    with pytest.raises(errors.InvalidInput, match="elsewhere"):
        work("publish_column", section="elsewhere", **asked)
    # A section that the diagram fixes is not changed by a variable that happens to be called so.
    fixed = work("publish_column", {"section": "notices"}, section="news", **asked)
    assert session.get_one(ColumnArticle, fixed["article"]["id"]).section == "notices"


# Telling people


def test_the_holders_of_a_role_in_this_case_are_told_once_and_by_mail(session, people, work, instance):
    people.user("wang", "applicant.drafter@uni", email="wang@example.org")
    people.user("other", "applicant.drafter@elsewhere", email="other@example.org")
    people.user("li", "coop.intake")
    work(
        "notify",
        {"to": "applicant.drafter, coop.intake"},
        recipients=["wang", "nobody"],
        noteTitle="已受理",
        noteText="材料齐全。",
    )
    told = session.scalars(select(Notification)).all()
    assert sorted(one.text_zh for one in told) == ["已受理：材料齐全。"] * 2
    (job,) = session.scalars(select(Job)).all()
    assert (job.kind, job.topic, job.payload["to"]) == ("mail", "mail", "wang@example.org")
    assert job.payload["subject"] == "[DB-2026-0001] 已受理"
    assert f"/cases/{instance.id}" in job.payload["text"]


def test_the_mail_job_leaves_a_file_where_no_server_is_set(session, settings):
    job = handlers.JobContext(
        id=7, key="job-7", topic="mail", headers={}, instance_id=None, settings=settings,
        variables={"to": "wang@example.org", "name": "王", "subject": "已受理", "text": "正文"},
        now=datetime(2026, 3, 16, tzinfo=UTC),
    )  # fmt: skip
    handler = handlers.find("mail")
    assert handler.outside
    handler.function(job)
    handler.function(job)
    assert len(list(settings.mailbox.glob("*.eml"))) == 1

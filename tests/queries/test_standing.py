"""What the register knows before a case is started, where the applicant is chosen only afterwards."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from service.commands.bases import cooperation, sanctions
from service.commands.inbox import registered
from service.engine import decisions
from service.queries import standing

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
DAY = date(2026, 3, 2)
TABLES = {
    name: decisions.read((ROOT / "processes" / path).read_bytes())
    for name, path in (("candidate_pool", "qualification_check/eligibility.dmn"), ("may_start", "rules/may_start.dmn"))
}


def told(session, organisation, process: str, **more) -> list[str]:
    """What the start page says, the tables asked one after the other as the process names them."""
    known = {"profile": "strict", "process": process, "running": []} | standing.of_organisation(
        session, organisation, DAY
    )
    pool = decisions.evaluate(TABLES["candidate_pool"], "candidate_pool", known, now=NOW)
    known |= {"candidate_pool": pool} | more
    return [row["message"] for row in decisions.evaluate(TABLES["may_start"], "may_start", known, now=NOW)]


def barred(session, one, start=date(2024, 3, 15), last=date(2027, 3, 15)):
    sanctions.ban(session, one, start_on=start, last_on=last)


def test_a_province_is_told_which_of_its_parks_are_barred(session, people, monkeypatch):
    province = people.organisation("gov", kind="provincial_government", region="山东")
    for code, region, ban in (
        ("p1", "山东", (date(2024, 3, 15), date(2027, 3, 15))),
        ("p2", "山东", (date(2020, 3, 15), date(2023, 3, 15))),
        ("p3", "广东", (date(2024, 3, 15), date(2027, 3, 15))),
    ):
        barred(
            session, people.organisation(code, kind="park", region=region, uscc=f"91370000MA000000{code.upper()}"), *ban
        )
    message = told(session, province, "innovation_park", agendaItems=[{"year": 2026}])
    assert message == ["这些园区在禁申期内，期满前不能由其申报：p1（至 2027-03-15）。其他园区不受影响。"]
    monkeypatch.setattr("service.clock.today", lambda *_: DAY)
    offered = registered.LISTS["registeredParks"](session, province.authority_id)
    assert {one["code"]: one["barredUntil"] for one in offered} == {"p1": "2027-03-15", "p2": None, "p3": "2027-03-15"}


@pytest.mark.parametrize("statuses", [["ongoing", "completed"], ["ongoing"]])
def test_a_recommender_is_told_by_the_table_who_can_be_recommended_and_who_is_barred(session, people, statuses):
    recommender = people.organisation("kj", kind="provincial_department", region="山东")
    host = people.organisation("uni", region="山东", uscc="91370000MA00000001")
    for number, status in (("1", "ongoing"), ("2", "completed"), ("3", "terminated")):
        cooperation.add_project(
            session, host, number=number, name=number, programme="special", level="national", status=status,
            starts_on=date(2020, 1, 1),
        )  # fmt: skip
    nobody = "登记库中，本部门所辖机构没有承担 2 项以上专项或政府间项目的，没有可以推荐的对象。"
    counted = [] if "completed" in statuses else [nobody]
    assert told(session, recommender, "joint_centre", candidate_pool=statuses) == counted
    barred(session, host)
    assert told(session, recommender, "joint_centre", candidate_pool=statuses) == [
        *counted,
        "这些候选机构在禁申期内，期满前不能推荐：uni（至 2027-03-15）。其他候选机构不受影响。",
    ]

"""Each default of what the regulation leaves open is changed the way a process owner would, and takes effect."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from lxml import etree

from service import files, scenarios, traceability
from service.engine import decisions

ROOT = Path(__file__).resolve().parents[2]
DMN = "{https://www.omg.org/spec/DMN/20191111/MODEL/}"
NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
TABLES = {
    str(decision.get("id")): path
    for path in (ROOT / "processes").glob("*/*.dmn")
    for decision in etree.parse(path).iter(f"{DMN}decision")
}
P, F, X = "pass", "fail", "excused"


def changed(table: str, column: str, text: str, *, rule: int = 1) -> bytes:
    """The file of a table with another text in one cell – or, with rule 0, at the head of an input column."""
    root = etree.parse(TABLES[table]).getroot()
    found = next(one for one in root.iter(f"{DMN}decision") if one.get("id") == table)
    inputs, outputs = list(found.iter(f"{DMN}input")), list(found.iter(f"{DMN}output"))
    heads = [one.get("label") for one in inputs] + [one.get("name") for one in outputs]
    if rule == 0:
        cell = inputs[heads.index(column)].find(f".//{DMN}text")
    else:
        row = list(found.iter(f"{DMN}rule"))[rule - 1]
        cells = [*row.iter(f"{DMN}inputEntry"), *row.iter(f"{DMN}outputEntry")]
        cell = cells[heads.index(column)].find(f"{DMN}text")
    assert cell is not None
    assert cell.text != text
    cell.text = text
    return etree.tostring(root)


class Case(NamedTuple):
    """A change of one cell, a question, and what the table says before and after."""

    default: str
    table: str
    column: str
    text: str
    rule: int
    ask: str
    variables: dict[str, Any]
    before: Any
    after: Any


def years(*results: str | None, **facts: Any) -> dict[str, Any]:
    """The results of 2020 and the years after, the last of them confirmed now."""
    known = [{"year": 2020 + place, "result": one} for place, one in enumerate(results) if one]
    return {"results": known, "thisYear": known[-1]["year"], "annualFacts": {"noticeYears": [], "standingNotices": []} | facts}  # fmt: skip


LICENSED = {"baseType": "TT", "checkedOn": "2026-03-02", "checkpoint": "filing", "profile": "strict", "application": {"fields": ["energy"]}}  # fmt: skip
FRESH = LICENSED | {"applicant": {"domestic": True, "legalPerson": True, "zoneCode": "z", "uscc": "U", "registeredOn": "2025-03-03"}}  # fmt: skip
CENTRE = FRESH | {"baseType": "JC", "registerFacts": {"activeBases": [], "openCases": [], "projects": [
    {"programme": "special", "status": "ongoing"}, {"programme": "special", "status": "completed"}]}}  # fmt: skip
UNDER = {"seriousness": {"serious": True}, "underNotice": True, "noticeOn": "2020-06-01"}
EARLIER = UNDER | {"finding": {"committedOn": "2019-01-01"}}
ISSUED = {"document": {"issuedOn": "2024-03-15"}}
UNFILED = {"base": {"accreditedOn": "2015-01-01"}, "year": 2025, "annualFacts": {"reportStatus": "overdue", "unfiledYears": 2}}  # fmt: skip
PAID = {"matchingTotals": {"paid": 10, "promised": 10}, "payment": {"final": False}, "promise": {"projectNumber": "P"}, "specialProjects": [{"number": "P", "funding": 100}]}  # fmt: skip
AGENDA = {"agendaItems": [{"year": 2025, "recordNumber": "1"}], "parkProposal": {"year": 2025}}
LOCAL = {"applicant": {"affiliation": "local", "planCity": "青岛"}}
AGAINST = {"decision": {"result": "approve"}, "expertOpinion": {"conclusion": "not_recommend"}, "assessment": {"conclusion": "pass"}}  # fmt: skip
FAILED_VISIT = {"decision": {"result": "approve"}, "expertOpinion": {"conclusion": "recommend"}, "assessment": {"conclusion": "fail"}}  # fmt: skip

CASES = [
    Case("A1", "streak_rule", "by", '"round"', 1, "streak.noticeDue", years(F, F, None, F), False, True),
    Case("A2", "streak_rule", "passResets", "false", 1, "streak.noticeDue", years(F, F, P, F), False, True),
    Case("A3", "streak_rule", "unassessed", '"skip"', 1, "streak.noticeDue", years(F, F, X, F), False, True),
    Case("A3", "streak_rule", "unassessed", '"fail"', 1, "streak.streak", years(F, F, X, F), 1, 4),
    Case("A3", "assessable", "way", '"assess"', 3, "assessable.way", UNFILED | {"annualFacts": {"reportStatus": "none", "unfiledYears": 1}}, "not_filed", "assess"),
    Case("A4", "streak_rule", "again", "false", 1, "streak.noticeDue", years(F, F, F, F, noticeYears=[2022]), True, False),
    Case("A5", "streak_rule", "passLifts", "false", 1, "streak.liftNotice", years(F, P, standingNotices=[2020]), True, False),
    Case("A5", "notice_term", "years", "5", 1, "revocation_eligibility.revocable", UNDER, True, False),
    Case("A6", "revocation_eligibility", "违规发生在通报之后（日期不详为空）", "true", 1, "revocation_eligibility.revocable", EARLIER, True, False),
    Case("A7", "violation_categories", "code", '"abuse"', 6, "violation_categories.5.code", {"profile": "strict"}, "other", "abuse"),
    Case("A8", "ban_term", "startOn", "string(today())", 1, "ban_term.startOn", ISSUED, "2024-03-15", "2026-03-02"),
    Case("A9", "ban_term", "lastOn", "string(workdays(yearsLater(date(document.issuedOn), 3), 1))", 1, "ban_term.lastOn", ISSUED, "2027-03-15", "2027-03-16"),
    Case("A11", "ban_term", "scope", '"group"', 1, "ban_term.scope", ISSUED, "unit", "group"),
    Case("A12", "issuer", "drafterRole", '"province.drafter"', 1, "issuer.drafterRole", {"baseType": "IP"}, "applicant.drafter", "province.drafter"),
    Case("A13", "recommender_route", "kind", '"province"', 3, "recommender_route.kind", LOCAL, "plan_city", "province"),
    Case("A14", "agenda_listing", "会商年度为当年", "-", 1, "agenda_listing.listed", AGENDA, False, True),
    Case("A15", "eligibility", "专项与政府间项目数", "< 3", 5, "eligibility.0.criterion", CENTRE, None, "JC-1d"),
    Case("A15", "project_mix", "warning", '"两类都要有。"', 1, "project_mix.warning", {"candidate": {"special": 0, "intergovernmental": 2}}, "没有国家国际科技合作专项项目，请说明。", "两类都要有。"),
    Case("A16", "candidate_pool", "statuses", '["ongoing"]', 1, "candidate_pool", {}, ["ongoing", "completed"], ["ongoing"]),
    Case("A17", "eligibility", "注册满一年", 'date("2026-12-31") >= yearsLater(date(applicant.registeredOn), 1)', 0, "eligibility.0.criterion", FRESH, "TT-1e", None),
    Case("A18", "recommender_route", "relation", '"affiliation"', 4, "recommender_route.relation", {"applicant": {"affiliation": "local"}}, "territory", "affiliation"),
    Case("A19", "deviation", "deviates", "false", 1, "deviation.deviates", AGAINST, True, False),
    Case("A20", "deviation", "考核结论", '"never"', 2, "deviation.deviates", FAILED_VISIT, True, False),
    Case("A22", "notice_rule", "enabled", "true", 2, "notice_rule.enabled", {"profile": "strict"}, False, True),
    Case("A22", "notice_rule", "workingDays", "7", 1, "notice_rule.workingDays", {"profile": "practice"}, 5, 7),
    Case("A23", "deadlines", "formalCheckDays", "15", 1, "deadlines.formalCheckDays", {"baseType": "DB"}, 10, 15),
    Case("A24", "grade_result", "result", '"fail"', 2, "grade_result", {"grade": "excused"}, "excused", "fail"),
    Case("A25", "assessable", "连续几年未报送（含本年）", ">= 3", 2, "assessable.alert", UNFILED, "连续 2 年未报送年度材料。办法没有规定由此取消资格，请核实情况后认定。", None),
    Case("A27", "exit_rule", "banYears", "3", 1, "exit_rule", {"base": {"type": "DB"}}, 0, 3),
    Case("A29", "rule_set", "认定日期", '< date("2030-01-01")', 1, "rule_set", {"decidedOn": "2026-03-02"}, "2011", "trial"),
    Case("A31", "matching_ratio", "ratio", "0.5", 1, "matching_shortfall", PAID, "none", "open"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.default} {case.table} {case.column}")
def test_a_change_of_the_table_takes_effect(case: Case):
    assert asked(TABLES[case.table].read_bytes(), case) == case.before
    assert asked(changed(case.table, case.column, case.text, rule=case.rule), case) == case.after


def asked(file: bytes, case: Case) -> Any:
    """The value that the case looks at; none where the way to it ends early."""
    name, *way = case.ask.split(".")
    found = decisions.evaluate(decisions.read(file), name, {"profile": "strict"} | case.variables, now=NOW)
    for step in way:
        if isinstance(found, list):
            found = found[int(step)] if int(step) < len(found) else None
        elif found is not None:
            found = found[step]
    return found


def test_which_projects_count_is_changed_in_one_place():
    """A16: the pool, the qualification check and the look before a start count by one table."""
    ongoing = changed("candidate_pool", "statuses", '["ongoing"]')
    check = Case("A16", "candidate_pool", "statuses", "", 1, "eligibility.0.criterion", CENTRE, None, "JC-1d")
    assert asked(TABLES["candidate_pool"].read_bytes(), check) is None
    assert asked(ongoing, check) == "JC-1d"
    pool = {
        "process": "joint_centre",
        "candidates": [{"statuses": ["ongoing", "completed"]}],
        "running": [],
        "barred": [],
    }
    start = check._replace(ask="may_start.0.criterion")
    for statuses, unmet in ((["ongoing", "completed"], None), (["ongoing"], "JC-1d")):
        known = start._replace(variables=pool | {"candidate_pool": statuses})
        assert asked(TABLES["may_start"].read_bytes(), known) == unmet


def test_every_place_where_a_default_is_changed_is_tried():
    named = {
        (default, one["table"], one["column"])
        for default, about in traceability.defaults().items()
        for one in about.get("change", [])
        if "table" in one
    }
    assert named == {(case.default, case.table, case.column) for case in CASES}


# Those that handlers or several steps carry out, played to their end


CHANGES = (
    changed("ban_term", "scope", '"group"'),
    changed("issuer", "drafterRole", '"province.drafter"'),
    changed("candidate_pool", "statuses", '["ongoing"]'),
    changed("exit_rule", "banYears", "3"),
    changed("rule_set", "认定日期", '< date("2030-01-01")'),
)


@pytest.fixture(scope="module")
def stage() -> Iterator[scenarios.Stage]:
    """The project as an owner has changed it."""
    content = files.of_project(ROOT)
    for data in CHANGES:
        table = next(iter(decisions.read(data)))
        content[str(TABLES[table].relative_to(ROOT))] = data
    with scenarios.Stage(content) as made:
        yield made


@pytest.mark.parametrize("file", sorted((Path(__file__).parent / "changed").glob("*.yaml")), ids=lambda file: file.stem)
def test_a_changed_default_is_lived(stage: scenarios.Stage, file: Path):
    outcome = stage.play(scenarios.read(file))
    assert outcome.ok, "\n".join(outcome.problems)

"""The forms of a demonstration base as people fill them in."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from service import forms, returning

ROOT = Path(__file__).parents[2] / "forms"
FILE = [{"id": 1, "name": "证明.pdf", "size": 10}]
LONG = "这里是一段用来满足最少字数要求的说明文字，内容为虚构。"

APPLICATION: dict[str, Any] = {
    "uscc": "12370000MB28XXXX0A",
    "baseName": "虚构示范基地",
    "fields": ["health"],
    "directorName": "某主任",
    "directorTitle": "教授",
    "contactName": "某联络",
    "contactPhone": "0531-88880000",
    "contactEmail": "contact@example.org",
    "achievements": LONG,
    "needs": LONG,
    "independentConditions": LONG,
    "independentFiles": FILE,
    "projects": [
        {
            "name": "虚构项目", "number": "P-1", "programme": "special", "level": "national", "status": "ongoing",
            "partner": "外方研究所", "country": "德国", "startsOn": "2025-01-01",
        }
    ],
    "projectFiles": FILE,
    "outlineField": "health",
    "direction": LONG,
    "teamSize": 12,
    "team": LONG,
    "channels": [{"partner": "外方研究所", "country": "德国", "sinceYear": 2015, "form": "联合实验室"}],
    "funds": [{"source": "自筹", "amount": 120.5, "period": "2024—2026"}],
    "dedicatedBody": "国际合作处",
    "dedicatedStaff": 3,
    "dedicatedFiles": FILE,
    "goals": LONG,
    "plan": LONG,
    "planFiles": FILE,
    "expansion": LONG,
    "outcomes": LONG,
    "outcomeFiles": FILE,
    "level": "international",
    "levelFiles": FILE,
    "talentEffect": LONG,
    "guidingScopes": ["field"],
    "guidingCases": LONG,
    "pledge": True,
}  # fmt: skip


def form(name: str) -> dict[str, Any]:
    (path,) = ROOT.rglob(f"{name}.form")
    return json.loads(path.read_bytes())


def check(name: str, values: dict[str, Any], **context: Any) -> dict[str, list[str]]:
    return forms.check(form(name), values, context)


def without(*keys: str, **changes: Any) -> dict[str, Any]:
    values = copy.deepcopy(APPLICATION)
    for key in keys:
        del values[key]
    return {"application": {**values, **changes}}


def test_a_complete_application_is_accepted_and_kept_whole():
    values = {"application": APPLICATION}
    assert check("db_application", values) == {}
    kept = forms.clean(form("db_application"), values, {})["application"]
    assert {key: value for key, value in kept.items() if key in APPLICATION and key != "projects"} == {
        key: value for key, value in APPLICATION.items() if key != "projects"
    }
    assert kept["projects"][0]["level"] == "national"


@pytest.mark.parametrize(
    "missing",
    ["baseName", "fields", "goals", "planFiles", "dedicatedStaff", "level", "guidingScopes", "projectFiles", "pledge"],
)
def test_what_a_criterion_needs_is_asked_for_at_its_field(missing):
    problems = check("db_application", without(missing))
    assert list(problems) == [f"application.{missing}"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"contactEmail": "nobody"}, "contactEmail"),
        ({"contactPhone": "call me"}, "contactPhone"),
        ({"teamSize": 0}, "teamSize"),
        ({"teamSize": 1.5}, "teamSize"),
        ({"dedicatedStaff": -1}, "dedicatedStaff"),
        ({"outlineField": "astrology"}, "outlineField"),
        ({"fields": ["moon"]}, "fields"),
        ({"goals": "短"}, "goals"),
    ],
)
def test_a_wrong_value_is_named_at_its_field(change, field):
    assert f"application.{field}" in check("db_application", without(**change))


def test_a_project_row_is_checked_like_any_field():
    problems = check("db_application", without(projects=[{"name": "x", "level": "galactic"}]))
    assert "application.projects[0].level" in problems


def returned(name: str, *fields: str) -> dict[str, Any]:
    """The form after somebody returned these fields."""
    schema = form(name)
    named = returning.remarks(schema, [{"field": one, "problem": "不够明确"} for one in fields])
    assert len(named) == len(fields)
    return returning.narrow(schema, named)


def test_a_correction_changes_the_named_fields_only():
    context = {"application": APPLICATION}
    narrowed = returned("db_application", "goals")
    sent = without(goals=LONG + "补充。", baseName="另一个名称", projects=[])
    assert forms.check(narrowed, sent, context) == {}
    kept = forms.clean(narrowed, sent, context)["application"]
    assert kept["goals"].endswith("补充。")
    assert kept["baseName"] == APPLICATION["baseName"]
    assert len(kept["projects"]) == 1


def test_a_list_named_for_correction_may_change():
    second = {**APPLICATION["projects"][0], "number": "P-2"}
    sent = without(projects=[*APPLICATION["projects"], second])
    kept = forms.clean(returned("db_application", "projects"), sent, {"application": APPLICATION})["application"]
    assert [project["number"] for project in kept["projects"]] == ["P-1", "P-2"]


CASE = {
    "registeredRecommenders": [{"code": "sd-kj", "name": "虚构厅", "region": "山东"}],
    "rules": {"baseType": "DB", "typeName": "示范型国际科技合作基地"},
    "application": APPLICATION,
    "applicant": {"name": "虚构大学"},
    "expertCandidates": [
        {"user": "e1", "name": "甲", "organisation": "o1", "organisationName": "一所", "title": "研究员", "fields": ["health"]},
        {"user": "e2", "name": "乙", "organisation": "o2", "organisationName": "二所", "title": "教授", "fields": []},
    ],
    "requiredMaterials": [{"item": "实施方案", "article": "第八条"}],
    "returnable": [{"label": "目标", "value": "goals", "section": ""}],
}  # fmt: skip

DECISIONS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("internal_review", {"internalReview": {"result": "pass"}}, []),
    ("internal_review", {"internalReview": {"result": "return"}}, ["internalReview.comment"]),
    ("internal_review",
     {"internalReview": {"result": "return", "comment": "请修改", "corrections": [{"field": "goals", "problem": "不明确"}]}}, []),
    ("internal_review", {"internalReview": {"result": "return", "comment": "请修改", "corrections": [{"field": "goals"}]}},
     ["internalReview.corrections[0].problem"]),
    ("internal_review", {}, ["internalReview.result"]),
    ("applicant_signature", {"applicantSignature": {"result": "signed"}},
     ["applicantSignature.signatory", "applicantSignature.signedOn"]),
    ("applicant_signature", {"applicantSignature": {"result": "return", "comment": "请修改"}}, []),
    ("recommendation_review", {"recommendationReview": {"result": "refuse"}}, ["recommendationReview.reason"]),
    ("recommendation_review", {"recommendationReview": {"result": "recommend", "support": LONG}}, []),
    ("recommendation_signature",
     {"recommendation": {"result": "signed", "opinion": LONG, "number": "函1", "signatory": "某", "signedOn": "2026-01-02"}}, []),
    ("recommendation_signature", {"recommendation": {"result": "return", "comment": "再核"}}, []),
    ("formal_check", {"formalVerdict": {"result": "complete"}}, []),
    ("formal_check", {"formalVerdict": {"result": "inadmissible"}}, ["formalVerdict.reason"]),
    ("formal_check", {"formalVerdict": {"result": "correctable", "corrections": [{"field": "goals", "problem": "不明确"}]}}, []),
    ("formal_check", {"formalVerdict": {"result": "correctable", "corrections": [{"field": "secret", "problem": "不明确"}]}},
     ["formalVerdict.corrections[0].field"]),
    ("convene_panel", {"panelChoice": {"members": ["e1", "e2"], "chair": "e1"}}, []),
    ("convene_panel", {"panelChoice": {"members": ["e1", "stranger"], "chair": "e1"}}, ["panelChoice.members"]),
    ("convene_panel", {"panelChoice": {"members": ["e1"], "chair": "e2"}}, ["panelChoice.chair"]),
    ("conflict_declaration", {"declaration": {"conflict": False}}, []),
    ("conflict_declaration", {"declaration": {"conflict": True}}, ["declaration.ground"]),
    ("conflict_declaration", {}, ["declaration.conflict"]),
    ("overdue_review", {"overdueChoice": {"next": "extend", "reason": "逾期"}}, []),
    ("panel_opinion", {"panelOpinion": {"text": LONG, "conclusion": "recommend"}}, []),
    ("assessment_team", {"visitPlan": {"members": ["e1"], "leader": "e1", "visitOn": "2026-05-06", "place": "济南", "agenda": "座谈"}}, []),
    ("visit_confirmation", {"visitConfirmation": {"result": "reschedule"}}, ["visitConfirmation.comment"]),
    ("visit_approval", {"visitApproval": {"result": "accept"}}, []),
    ("objection", {"objection": {"objector": "某", "contact": "a@b.cn", "content": LONG}}, []),
    ("objection_review", {"objectionReview": {"upheld": False, "reason": "经核实异议不成立"}}, []),
    ("db_layout_report", {"layoutReport": {"layout": LONG, "situation": LONG, "evaluation": LONG, "proposal": "approve"}}, []),
    ("db_decision", {"decision": {"result": "approve", "reason": LONG}}, []),
    ("db_decision", {"decision": {"result": "approve"}}, ["decision.reason"]),
    ("deviation_reason", {"deviationReason": {"text": LONG}}, []),
    ("document_signature", {"signature": {"signed": True, "signatory": "某", "signedOn": "2026-01-02"}}, []),
    ("document_signature", {"signature": {"signed": False}}, ["signature.comment"]),
    ("plaque", {"plaque": {"inscription": "示范型国际科技合作基地", "givenOn": "2026-02-03", "receiver": "某"}}, []),
    ("alliance_invitation", {"invitation": {"text": LONG, "sent": True}}, []),
    ("withdrawal", {"withdrawal": {"reason": "不再申报"}}, []),
    ("ineligible", {"ineligibleChoice": {"next": "revise"}}, []),
    ("choose_recommender", {"recommenderChoice": {"code": "sd-kj", "reason": "属地"}}, ["recommenderChoice.reason"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "values", "problems"), DECISIONS, ids=[f"{row[0]}-{number}" for number, row in enumerate(DECISIONS)]
)
def test_a_step_is_decided(name, values, problems):
    assert list(check(name, values, **CASE)) == problems


@pytest.mark.parametrize(("name", "values", "problems"), [row for row in DECISIONS if not row[2]])
def test_a_step_keeps_its_own_variable_and_never_the_application(name, values, problems):
    kept = forms.clean(form(name), {**values, "application": {"baseName": "改名"}}, CASE)
    assert list(kept) == list(values)


SHEET = [{"criterion": "DB-1", "article": "art.8(1)1", "label": "条件", "full": 20, "score": None, "comment": None}]


def test_a_score_sheet_keeps_its_criteria_and_takes_no_more_than_the_full_score():
    review = {"scores": SHEET, "opinion": None, "conclusion": None}
    given = [{**SHEET[0], "full": 100, "label": "改了", "score": 18, "comment": "好"}]
    values = {"review": {"scores": given, "opinion": LONG, "conclusion": "recommend"}}
    context = {**CASE, "review": review}
    assert forms.check(form("expert_score"), values, context) == {}
    row = forms.clean(form("expert_score"), values, context)["review"]["scores"][0]
    assert (row["full"], row["label"], row["score"]) == (20, "条件", 18)
    values["review"]["scores"] = [{**SHEET[0], "score": 21}]
    assert list(forms.check(form("expert_score"), values, context)) == ["review.scores[0].score"]
    values["review"]["scores"] = [{**SHEET[0], "score": 1}, {**SHEET[0], "score": 1}]
    assert forms.check(form("expert_score"), values, context) != {}


def test_a_visit_record_says_for_every_item_whether_it_is_met():
    items = [{"item": "DB-2b", "article": "art.8(1)2", "label": "专职机构", "finding": None, "met": None}]
    visit = {"visitedOn": "2026-05-06", "items": items, "summary": None, "conclusion": None, "files": []}
    values = {"visitRecord": {"visitedOn": "2026-05-06", "items": [{**items[0], "met": False, "finding": "无专职人员"}],
                              "summary": LONG, "conclusion": "fail"}}  # fmt: skip
    context = {**CASE, "visitRecord": visit}
    assert forms.check(form("visit_record"), values, context) == {}
    values["visitRecord"]["items"] = [items[0]]
    assert list(forms.check(form("visit_record"), values, context)) == [
        "visitRecord.items[0].met",
        "visitRecord.items[0].finding",
    ]

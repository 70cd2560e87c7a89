"""The forms of the other procedures: what each step takes, what it asks for, and what it never lets through."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service import clock, forms, returning
from service.commands.inbox import bulk, returns, task_forms
from service.engine import feel

ROOT = Path(__file__).parents[2] / "forms"
FILE = [{"id": 1, "name": "证明.pdf", "size": 10}]
SAID = "这里是一段用来满足最少字数要求的说明文字，内容为虚构。"
DAY = "2026-03-05"
APPLICATIONS = {"DB": "db_application", "IP": "ip_application", "JC": "jc_application", "TT": "tt_application"}


def form(name: str) -> dict[str, Any]:
    (path,) = ROOT.rglob(f"{name}.form")
    return json.loads(path.read_bytes())


def fields(component: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The fields and lists of a form, without what stands in a list."""
    for one in component.get("components", []):
        if "key" in one or one["type"] == "dynamiclist":
            yield one
        else:
            yield from fields(one)


@pytest.mark.parametrize("name", APPLICATIONS.values())
def test_a_reviewer_can_name_every_field_of_the_application_but_the_pledge(name):
    offered = returns.returnable(form(name), filled(form(name)))
    asked = {one.get("key") or one["path"]: one.get("label") or one.get("dateLabel") for one in fields(form(name))}
    asked.pop("pledge")
    assert {one["value"]: one["label"] for one in offered} == asked


@pytest.mark.parametrize(
    "name",
    [
        "formal_check",
        "internal_review",
        "applicant_signature",
        "recommendation_review",
        "tt_zone_opinion",
        "ip_decision",
        "ar_submission",
        "ar_review",
        "cr_review",
        "ca_review",
        "ya_check",
    ],
)
def test_whoever_returns_an_application_may_name_its_fields(name):
    (named,) = [one for one in _all(form(name)) if one.get("path") == "corrections"]
    assert [one["key"] for one in named["components"]] == ["field", "problem"]
    assert named["components"][0]["valuesExpression"] == "=returnable"


@pytest.mark.parametrize(("type", "name"), APPLICATIONS.items())
def test_every_file_of_an_application_can_be_read_by_its_reviewers(type, name):
    shown = {one["key"] for one in _all(form("expert_score")) if one["type"] == "attachments"}
    assert {one["key"] for one in fields(form(name)) if one["type"] == "attachments"} <= shown


def _all(component: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in component.get("components", []):
        yield one
        yield from _all(one)


CRITERIA = {
    "DB": "1a 1b 1c 2a 2b 3a 3b 4a 4b 4c 5",
    "IP": "0 1a 1b 1c 2a 2b 2c 3a 3b 4a 4b 5a 5b",
    "JC": "0 1a 1b 1c 1d 2a 2b 3a 3b 3c 4a 4b 4c 4d 4e 5a 5b",
    "TT": "1b 1c 1d 2a 2b 2c 3a 3b 3c 3d 4a 4b 4c",
}
"""TT-1a and TT-1e are read from the register and asked of nobody."""


@pytest.mark.parametrize("type", APPLICATIONS)
def test_every_criterion_of_a_type_has_its_field(type):
    named = {one.get("properties", {}).get("criterion") for one in _all(form(APPLICATIONS[type]))} - {None}
    assert named == {f"{type}-{number}" for number in CRITERIA[type].split()}


def test_transfer_centres_have_no_outline_clause_and_the_others_do():
    with_clause = {type for type, name in APPLICATIONS.items() if "outlineField" in str(form(name))}
    assert with_clause == {"DB", "IP", "JC"}


def test_a_summary_has_fifteen_sections():
    groups = [one["label"] for one in _all(form("ar_summary")) if one["type"] == "group" and one["label"]]
    assert [label.split(".")[0] for label in groups] == [str(number) for number in range(1, 16)]


SCORE = {"zoneNeed": 8, "geography": 7, "potential": 9, "demonstration": 10}
CASES = [{"caseNumber": "TT-2026-0001", "name": "某中心", **SCORE, "rank": None, "selected": None, "reason": None}]
SHEET = [{"indicator": "JC-1", "label": "研发能力与贡献", "full": 40, "score": None, "comment": None}]
KNOWN: dict[str, Any] = {
    "returnable": [{"label": "目标", "value": "goals", "section": ""}],
    "rules": {"baseType": "TT", "typeName": "国际技术转移中心"},
    "candidates": [
        {"code": "uni", "name": "虚构大学", "projects": 2, "special": 1, "intergovernmental": 1, "barredUntil": None}
    ],
    "expertCandidates": [{"user": "e1", "name": "甲", "organisationName": "一所", "title": "研究员", "fields": []}],
    "specialProjects": [{"number": "S-1", "name": "项目", "base": {"number": "JC1", "name": "中心"}, "funding": 100}],
    "members": [{"caseNumber": "TT-2026-0001", "name": "某中心"}],
    "violationCategories": [{"code": "fraud", "label": "弄虚作假", "hint": "造假。"}],
    "ownBases": [{"number": "JC2020001", "name": "虚构中心", "type": "JC"}],
    "basesInCharge": [{"number": "DB2021002", "name": "虚构示范基地", "type": "DB"}],
    "registeredProvinces": [{"code": "gov", "name": "虚构省人民政府", "region": "山东"}],
    "registeredParks": [{"code": "park", "name": "虚构园区", "region": "山东", "barredUntil": None}],
    "registeredRecommenders": [{"code": "bj", "name": "虚构委员会", "region": None}],
    "registeredBases": [
        {"number": "JC2020001", "name": "虚构中心", "typeName": "国际联合研究中心", "host": "虚构大学"}
    ],
    "ranking": {"cases": CASES, "text": None},
    "yearlyReview": {"scores": SHEET, "grade": None, "opinion": None},
}

STEPS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("ip_proposal", {"parkProposal": {"park": "park", "year": 2026, "title": "共建", "reason": SAID}}, []),
    ("ip_proposal", {"parkProposal": {"park": "A park!", "year": 2026, "title": "共建", "reason": SAID}}, ["parkProposal.park"]),
    ("ip_letter", {"provinceLetter": {"result": "file", "number": "函1", "text": SAID}}, []),
    ("ip_letter", {"provinceLetter": {"result": "return"}}, ["provinceLetter.comment"]),
    ("ip_letter_signature", {"provinceSignature": {"result": "signed", "signatory": "某", "signedOn": DAY}}, []),
    ("ip_evaluation", {"evaluation": {"standard": SAID, "experts": SAID, "assessment": SAID, "text": SAID, "proposal": "supplement"}}, []),
    ("ip_decision", {"decision": {"result": "supplement", "reason": SAID, "corrections": [{"field": "goals", "problem": "补充"}]}}, []),
    ("ip_decision", {"decision": {"result": "approve", "reason": SAID}}, []),
    ("jc_selection", {"selection": {"code": "uni", "reason": SAID}}, []),
    ("jc_selection", {"selection": {"code": "not-in-the-pool", "reason": SAID}}, ["selection.code"]),
    ("jc_evaluation", {"evaluation": {"standard": SAID, "experts": SAID, "assessment": SAID, "text": SAID, "proposal": "supplement"}}, ["evaluation.proposal"]),
    ("jc_decision", {"decision": {"result": "reject"}}, ["decision.reason"]),
    ("fp_request", {"recognitionRequest": {"foreignAuthority": "外方部门", "requestedOn": DAY}}, []),
    ("fp_recognition", {"recognition": {"result": "recognised", "on": DAY}}, ["recognition.document"]),
    ("fp_recognition", {"recognition": {"result": "refused", "on": DAY}}, []),
    ("fp_confirmation", {"confirmation": {"mechanism": "联委会", "on": DAY}}, []),
    ("fp_plaque", {"foreignPlaque": {"placedOn": DAY, "place": "柏林"}}, []),
    ("tt_zone_opinion", {"zoneOpinion": {"result": "support", "text": SAID, "policies": "有关政策", "funds": "资金", "conditions": "条件"}}, []),
    ("tt_zone_opinion", {"zoneOpinion": {"result": "support", "text": SAID}},
     ["zoneOpinion.policies", "zoneOpinion.funds", "zoneOpinion.conditions"]),
    ("tt_zone_opinion", {"zoneOpinion": {"result": "refuse"}}, ["zoneOpinion.reason"]),
    ("tt_zone_signature", {"zoneSignature": {"result": "return", "comment": "再议"}}, []),
    ("tt_review_plan", {"reviewPlan": {"text": SAID, "schedule": "三月", "panel": "五人"}}, []),
    ("tt_plan_approval", {"planApproval": {"result": "return"}}, ["planApproval.comment"]),
    ("tt_evaluation", {"evaluation": {**SCORE, "text": SAID, "proposal": "approve"}}, []),
    ("tt_evaluation", {"evaluation": {**SCORE, "zoneNeed": 11, "text": SAID, "proposal": "approve"}}, ["evaluation.zoneNeed"]),
    ("tb_batch", {"batch": {"name": "第一批", "closesOn": DAY}}, []),
    ("tb_ranking", {"ranking": {"cases": [{"rank": 1, "selected": True, "reason": "择优"}], "text": SAID}}, []),
    ("tb_ranking", {"ranking": {"cases": [{"rank": 0, "selected": False, "reason": "靠后"}], "text": SAID}}, ["ranking.cases[0].rank"]),
    ("tb_ranking", {"ranking": {"cases": [], "text": SAID}}, None),
    ("tb_ranking_agreement", {"rankingAgreement": {"result": "agree"}}, []),
    ("tb_removal", {"removal": {"caseNumber": "TT-2026-0001", "reason": "单位已注销"}}, []),
    ("tb_removal", {"removal": {"caseNumber": "TT-2026-0009", "reason": "单位已注销"}}, ["removal.caseNumber"]),
    ("ac_cycle", {"cycle": {"year": 2025, "planYear": 2026, "deadline": DAY, "instructions": "请按时报送。"}}, []),
    ("ac_cycle", {"cycle": {"year": 2025, "planYear": 2026, "instructions": "请按时报送。"}}, ["cycle.deadline"]),
    ("ac_closing", {"cycleClosing": {"result": "wait"}}, ["cycleClosing.until"]),
    ("ar_plan", {"annualPlan": {"goals": SAID, "tasks": [{"name": "任务", "milestone": "六月", "owner": "某"}], "linkage": SAID, "funds": 20}}, []),
    ("ar_submission", {"reportSubmission": {"result": "submit"}}, []),
    ("ar_submission", {"reportSubmission": {"result": "return"}}, ["reportSubmission.comment"]),
    ("ar_review", {"reportReview": {"result": "pass", "comment": "属实"}}, []),
    ("ar_opinion", {"reportOpinion": {"result": "signed", "signatory": "某", "signedOn": DAY}}, ["reportOpinion.opinion"]),
    ("ar_acceptance", {"reportAcceptance": {"result": "accept"}}, []),
    ("ya_nonfiling", {"nonFiling": {"result": "excused", "reason": "不可抗力原因"}}, []),
    ("ya_check", {"materialsCheck": {"result": "supplement"}}, ["materialsCheck.missing"]),
    ("ya_supplement", {"assessmentSupplement": {"text": SAID}}, ["assessmentSupplement.files"]),
    ("ya_reviewers", {"yearlyPanel": {"members": ["e1"], "visit": True}}, ["yearlyPanel.visitOn"]),
    ("ya_review", {"yearlyReview": {"scores": [{"score": 39}], "grade": "good", "opinion": SAID}}, []),
    ("ya_review", {"yearlyReview": {"scores": [{"score": 41}], "grade": "excused", "opinion": SAID}},
     ["yearlyReview.scores[0].score", "yearlyReview.grade"]),
    ("ya_visit", {"yearlyVisit": {"visitedOn": DAY, "findings": SAID}}, []),
    ("ya_proposal", {"gradeProposal": {"grade": "excused", "reason": SAID}}, []),
    ("ya_confirmation", {"gradeConfirmation": {"result": "confirm"}}, ["gradeConfirmation.grade"]),
    ("ya_commendation", {"commendation": {"nominate": False, "reason": "暂不"}}, []),
    ("ya_commendation", {"commendation": {"nominate": True, "effective": True, "rapid": True, "evidence": SAID, "reason": "提名"}}, ["commendation.exemplary"]),
    ("ya_commendation_decision", {"commendationDecision": {"result": "decline", "reason": "不足"}}, []),
    ("ya_rectification", {"rectification": {"advice": SAID, "dueOn": DAY}}, []),
    ("rp_draft", {"noticeDraft": {"title": "通报", "text": SAID}}, []),
    ("rp_signature", {"noticeSignature": {"result": "signed", "signatory": "某", "signedOn": DAY}}, []),
    ("sn_finding", {"finding": {"baseNumber": "JC2020001", "category": "fraud", "facts": SAID, "foundOn": DAY}}, []),
    ("sn_finding", {"finding": {"baseNumber": "that one", "category": "fraud", "facts": SAID, "foundOn": DAY}}, ["finding.baseNumber"]),
    ("sn_investigation", {"investigation": {"result": "confirmed", "text": SAID}}, []),
    ("sn_defence", {"defence": {"waived": True}}, []),
    ("sn_defence", {"defence": {"waived": False}}, ["defence.text"]),
    ("sn_seriousness", {"seriousness": {"serious": True, "category": "fraud", "reason": SAID}}, []),
    ("sn_decision", {"revocation": {"result": "revoke", "reason": SAID}}, ["revocation.signatory", "revocation.signedOn"]),
    ("mf_promise", {"promise": {"projectNumber": "S-1", "amount": 50, "dueOn": DAY, "source": "省级财政"}}, []),
    ("mf_promise", {"promise": {"projectNumber": "S-9", "amount": 50, "dueOn": DAY, "source": "省级财政"}}, ["promise.projectNumber"]),
    ("mf_payment", {"payment": {"paid": 0, "paidOn": DAY, "final": True, "proof": FILE}}, ["payment.paid"]),
    ("mf_receipt", {"receipt": {"result": "confirmed"}}, []),
    ("tn_nomination", {"nomination": {"baseNumber": "JC2020001", "name": "某", "country": "法国", "field": "health", "plan": SAID, "files": FILE}}, []),
    ("tn_nomination", {"nomination": {"baseNumber": "JC9999999", "name": "某", "country": "法国", "field": "health", "plan": SAID, "files": FILE}}, ["nomination.baseNumber"]),
    ("tn_opinion", {"talentOpinion": {"result": "support", "comment": "支持"}}, []),
    ("tn_decision", {"talentDecision": {"result": "support", "reason": "符合"}}, []),
    ("cr_request", {"changeRequest": {"baseNumber": "JC2020001", "kind": "exit", "reason": SAID}}, []),
    ("cr_request", {"changeRequest": {"baseNumber": "JC2020001", "kind": "name", "reason": SAID}}, ["changeRequest.value"]),
    ("cr_request", {"changeRequest": {"baseNumber": "JC2020001", "kind": "recommender", "recommender": "bj", "reason": SAID}}, []),
    ("cr_request", {"changeRequest": {"baseNumber": "JC2020001", "kind": "recommender", "value": "bj", "reason": SAID}},
     ["changeRequest.recommender"]),
    ("re_entry", {"entry": {"kind": "window", "window": {"type": "DB", "opensOn": DAY, "closesOn": DAY, "title": "申报通知"}}}, []),
    ("re_entry", {"entry": {"kind": "agenda", "agenda": {"province": "sd", "year": 2026}}},
     ["entry.agenda.province", "entry.agenda.park", "entry.agenda.listedOn", "entry.agenda.title"]),
    ("cr_review", {"changeReview": {"result": "agree", "comment": "同意"}}, []),
    ("cr_decision", {"changeDecision": {"result": "approve", "reason": "同意"}}, ["changeDecision.effectiveOn"]),
    ("hr_request", {"helpRequest": {"baseNumber": "JC2020001", "topic": "people", "text": SAID}}, []),
    ("hr_answer", {"helpAnswer": {"result": "escalate", "text": SAID}}, []),
    ("hr_coordination", {"helpCoordination": {"text": SAID, "action": "协调"}}, []),
    ("hr_feedback", {"helpFeedback": {"result": "solved"}}, []),
    ("am_answer", {"allianceAnswer": {"result": "join"}}, ["allianceAnswer.representative", "allianceAnswer.contact"]),
    ("am_answer", {"allianceAnswer": {"result": "decline"}}, []),
    ("am_welcome", {"allianceWelcome": {}}, []),
    ("ca_article", {"columnArticle": {"baseNumber": "JC2020001", "kind": "cooperation", "title": "征集伙伴", "text": SAID, "contact": "某"}}, []),
    ("ca_article", {"columnArticle": {"baseNumber": "DB2021002", "kind": "experience", "title": "征集伙伴", "text": SAID, "contact": "某"}},
     ["columnArticle.baseNumber", "columnArticle.kind"]),
    ("ca_experience", {"columnArticle": {"baseNumber": "DB2021002", "kind": "experience", "title": "做法", "text": SAID, "contact": "某"}}, []),
    ("ca_experience", {"columnArticle": {"baseNumber": "JC2020001", "kind": "news", "title": "做法", "text": SAID}},
     ["columnArticle.baseNumber", "columnArticle.contact"]),
    ("ca_review", {"columnReview": {"result": "publish"}}, []),
    ("ca_review", {"columnReview": {"result": "return"}}, ["columnReview.comment"]),
    ("ca_review", {"columnReview": {"result": "decline"}}, ["columnReview.comment"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "values", "problems"), STEPS, ids=[f"{row[0]}-{number}" for number, row in enumerate(STEPS)]
)
def test_a_step_takes_what_it_should_and_names_what_is_wrong(name, values, problems):
    found = list(forms.check(form(name), values, KNOWN))
    assert found if problems is None else found == problems


def test_every_form_of_a_step_is_tried():
    tried = {row[0] for row in STEPS}
    there = {
        path.stem
        for folder in ("innovation_park", "joint_centre", "foreign_plaque", "transfer_centre", "transfer_batch",
                       "annual_cycle", "annual_report", "yearly_assessment", "reprimand", "sanction", "matching_funds",
                       "talent_nomination", "change_request", "register_entry", "help_request", "alliance_membership",
                       "column_article")
        for path in (ROOT / folder).glob("*.form")
    }  # fmt: skip
    assert there - tried == {"ip_application", "jc_application", "tt_application", "ar_summary"}


def test_a_ranking_keeps_what_was_scored():
    sent = {"ranking": {"cases": [{"rank": 1, "selected": True, "reason": "择优", "potential": 1}], "text": SAID}}
    (row,) = forms.clean(form("tb_ranking"), sent, KNOWN)["ranking"]["cases"]
    assert row == {**CASES[0], "rank": 1, "selected": True, "reason": "择优"}


def test_a_summary_asks_for_text_and_lets_empty_lists_pass():
    sections = {
        "overview": SAID, "staff": 3, "income": 120.5, "visitsIn": 4, "visitsOut": 2, "longStays": 1, "papers": 5,
        "jointPapers": 2, "patents": 1, "awards": 0, "achievements": SAID, "management": SAID, "next": SAID,
    }  # fmt: skip
    assert forms.check(form("ar_summary"), {"annualSummary": sections}, KNOWN) == {}
    assert list(forms.check(form("ar_summary"), {"annualSummary": {**sections, "overview": ""}}, KNOWN)) == [
        "annualSummary.overview"
    ]


def filled(component: dict[str, Any]) -> dict[str, Any]:
    """Something acceptable for every field of a form."""
    values: dict[str, Any] = {}
    for one in component.get("components", []):
        if one["type"] in ("text", "table") or one.get("disabled"):
            continue
        if one["type"] == "dynamiclist":
            values[one["path"]] = [filled(one)]
        elif one["type"] == "group":
            inner = filled(one)
            values.update({one["path"]: inner} if one.get("path") else inner)
        else:
            values[one["key"]] = acceptable(one)
    return values


def acceptable(one: dict[str, Any]) -> Any:
    match one["type"]:
        case "number":
            return 2015 if "year" in one["key"].lower() else 3
        case "datetime":
            return DAY
        case "checkbox":
            return True
        case "attachments":
            return FILE
        case "radio" | "select":
            return one["values"][0]["value"]
        case "checklist":
            return [one["values"][0]["value"]]
    special = {"uscc": "12370000MB28XXXX0A", "contactPhone": "010-12345678", "contactEmail": "a@example.org"}
    return special.get(one["key"], SAID)


@pytest.mark.parametrize("name", APPLICATIONS.values())
def test_a_complete_application_is_accepted_and_an_empty_one_is_not(name):
    values = filled(form(name))
    assert forms.check(form(name), values, {}) == {}
    kept = forms.clean(form(name), values, {})
    assert kept == values
    assert len(forms.check(form(name), {}, {})) > 20


@pytest.mark.parametrize("name", APPLICATIONS.values())
def test_what_is_not_met_stands_above_an_application_a_ban_too(name):
    (table,) = [one for one in form(name)["components"] if "尚未满足" in one.get("label", "")]
    for outcome, failed, hidden in (("banned", 1, False), ("ineligible", 2, False), ("eligible", 0, True)):
        reasons = [{"criterion": "BAN", "article": "text:art.13", "message": "禁申期"}] * failed
        seen = {"qualification": {"outcome": outcome, "failed": reasons}}
        assert feel.evaluate(table["conditional"]["hide"][1:], seen, now=clock.now()) is hidden
    assert feel.evaluate(table["conditional"]["hide"][1:], {"qualification": None}, now=clock.now()) is True


@pytest.mark.parametrize("name", APPLICATIONS.values())
def test_a_correction_locks_every_other_field(name):
    known = filled(form(name))
    changed = {
        "application": {**known["application"], "baseName": "另一个名称", "goals": SAID + "补充。", "channels": []}
    }
    schema = form(name)
    narrowed = returning.narrow(schema, returning.remarks(schema, [{"field": "goals", "problem": "不明确"}]))
    kept = forms.clean(narrowed, changed, known)
    assert kept["application"] == {**known["application"], "goals": SAID + "补充。"}


BULK = sorted(path.stem for path in ROOT.rglob("*.form") if bulk.is_allowed(json.loads(path.read_bytes())))


def test_every_signature_and_opinion_that_a_desk_gives_to_many_can_be_given_once():
    assert BULK == [
        "am_welcome", "ar_acceptance", "ar_opinion", "document_signature", "mf_receipt", "recommendation_signature",
        "rp_signature", "tn_decision", "tn_opinion", "tt_zone_signature", "visit_approval", "ya_commendation_decision",
        "ya_nonfiling",
    ]  # fmt: skip


@pytest.mark.parametrize("name", BULK)
def test_a_form_for_many_asks_nothing_that_only_one_case_knows(name):
    shared = bulk.blank(form(name))
    own = set(forms.keys(shared))
    assert own
    # what is filled in is either of nobody's case or left empty (prefills.filled)
    read = task_forms.names(_without_prefill(shared)) - {"hide", "true", "false", "null"}
    known = {one.get("key") for one in fields(shared)} | {one.get("path") for one in _all(shared)}
    assert {one for one in read if one[0].islower()} - _literals(shared) <= own | known


def _without_prefill(component: Any) -> Any:
    if isinstance(component, list):
        return [_without_prefill(one) for one in component]
    if isinstance(component, dict):
        return {name: _without_prefill(one) for name, one in component.items() if name != "prefill"}
    return component


def _literals(component: Any) -> set[str]:
    return set(re.findall(r'"(\w+)"', json.dumps(component).replace('\\"', '"')))

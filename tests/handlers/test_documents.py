"""Official documents: their numbers, their files – opened again with python-docx – and what goes wrong."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from pathlib import Path

import docx
import pytest
from sqlalchemy import select

from service import errors
from service.engine import decisions
from service.handlers.documents import TemplateBroken, TemplateMissing, chinese_day, render
from service.models import Attachment, DeploymentFile
from service.models.register import Document
from service.storage import Folder
from tests import rows

TEMPLATES = Path(__file__).parents[2] / "processes" / "issue_accreditation" / "templates"


@pytest.fixture
def offices(people):
    people.organisation("coop", name="科学技术部国际合作司", attributes={"documentSeries": {"default": "国科外基"}})
    people.organisation("torch", name="科学技术部火炬中心", attributes={"documentSeries": {"default": "国科火"}})


def issue(work, key="job-1", template="accreditation_DB", issuers=("coop",), **more):
    variables = {
        "issuers": list(issuers),
        "documentTitle": "关于认定虚构示范基地的通知",
        "documentData": {},
        "applicant": {"name": "虚构大学<A&B>"},
        "application": {"baseName": "虚构示范基地"},
        "recommender": {"name": "山东科技厅"},
        "rules": {"baseType": "DB", "typeName": "示范型国际科技合作基地"},
        "documentNumber": None,
        **more,
    }
    number = variables["documentNumber"] or work("next_document_number", {"kind": "accreditation"}, **variables)
    variables["documentNumber"] = number if isinstance(number, str) else number["documentNumber"]
    return work("issue_document", {"kind": "accreditation", "template": template}, key=key, **variables)["document"]


def words(session, settings, document_id):
    key = session.get(Document, document_id).storage_key
    with Folder(settings.files).open(key) as file:
        return [line.text for line in docx.Document(io.BytesIO(file.read())).paragraphs]


def test_a_document_is_numbered_filled_in_kept_and_entered(session, settings, instance, offices, work):
    made = issue(work)
    assert made["number"] == "国科外基〔2026〕1号"
    assert made["issuedOn"] == "2026-03-16"
    lines = words(session, settings, made["id"])
    assert lines[0] == "科学技术部国际合作司"
    assert lines[1] == "国科外基〔2026〕1号"
    assert "虚构大学<A&B>：" in lines
    assert any("第八条" in line and "“虚构示范基地”" in line for line in lines)
    assert lines[-4:] == ["2026年3月16日", "", "", "（演示文书，内容为虚构）"]  # nobody signed in this case
    entered = session.get(Document, made["id"])
    assert [one.organisation.code for one in entered.issuers] == ["coop"]
    attached = session.scalars(select(Attachment)).one()
    assert (attached.instance_id, attached.name) == (instance.id, "关于认定虚构示范基地的通知.docx")


def test_a_joint_document_has_two_issuers_and_one_number(session, settings, offices, work):
    made = issue(
        work, template="accreditation_TT", issuers=("coop", "torch"),
        rules={"baseType": "TT", "typeName": "国际技术转移中心"},
    )  # fmt: skip
    lines = words(session, settings, made["id"])
    assert lines[:3] == ["科学技术部国际合作司", "科学技术部火炬中心", "国科外基〔2026〕1号"]
    assert any("第七条" in line for line in lines)


def test_a_signer_in_somebodys_place_stands_in_the_document_so(session, settings, people, instance, offices, work):
    li, chen = people.user("li", "coop.signatory", name="李明"), people.user("chen", "coop.signatory", name="陈评")
    rows.task(
        session, instance, element_id="sign_document", status="completed", completed_by_id=li.id,
        on_behalf_of_id=chen.id, completed_at=datetime(2026, 3, 15, 18, tzinfo=UTC),
    )  # fmt: skip
    template = docx.Document()
    template.add_paragraph("签发人：{{ signers.sign_document.name }}，{{ signers.sign_document.on }}")
    file = io.BytesIO()
    template.save(file)
    instance.deployment.bundle_hash = "a template that shows who signed"
    instance.deployment.files.append(DeploymentFile(path="signed.docx", content=file.getvalue()))
    session.flush()
    lines = words(session, settings, issue(work, template="signed")["id"])
    assert lines == ["签发人：李明（代陈评），2026年3月16日"]


SIGNED = {
    "accreditation_IP": ("innovation_park", ["sign_document"]),
    "accreditation_JC": ("joint_centre", ["sign_document"]),
    "accreditation_TT": ("transfer_centre", ["sign_coop", "sign_torch"]),
    "accreditation_DB": ("demonstration_base", ["sign_document"]),
    "notice": ("reprimand", ["sign_notice"]),
    "revocation": ("sanction", ["decide_revocation"]),
    "commendation": ("yearly_assessment", ["decide_commendation"]),
}
"""Template -> the procedure in which it is signed, and the steps that sign it."""


def test_the_same_job_again_issues_nothing_new(session, offices, work):
    first = issue(work)
    assert issue(work, documentNumber=first["number"]) == first
    assert len(session.scalars(select(Document)).all()) == 1
    second = issue(work, key="job-2", documentTitle="另一份")
    assert second["number"] == "国科外基〔2026〕2号"


def test_a_number_is_not_used_twice(session, offices, work):
    first = issue(work)
    with pytest.raises(errors.Conflict):
        issue(work, key="job-2", documentNumber=first["number"])


def test_a_missing_template_is_named(offices, work):
    with pytest.raises(TemplateMissing, match="farewell"):
        issue(work, template="farewell.docx")


def test_a_template_that_asks_for_what_the_case_has_not_says_what(offices, work):
    with pytest.raises(TemplateBroken, match="baseName"):
        issue(work, application={})


def template(text: str) -> dict[str, bytes]:
    made, document = io.BytesIO(), docx.Document()
    document.add_paragraph(text)
    document.save(made)
    return {"t.docx": made.getvalue()}


@pytest.mark.parametrize("text", ["{{ ''.__class__.__mro__ }}", "{{ cycler.__init__.__globals__ }}", "{{ x"])
def test_a_template_reaches_nothing_but_the_case(text):
    with pytest.raises(TemplateBroken):
        render(template(text), "t.docx", {})


def test_a_broken_file_is_no_template():
    with pytest.raises(TemplateBroken):
        render({"t.docx": b"no archive"}, "t.docx", {})


def test_the_same_data_make_the_same_bytes():
    data = {"a": "甲", "on": "2026-03-05"}
    made = [render(template("{{ a }} {{ on | day }}"), "t", data) for _ in range(2)]
    assert made[0] == made[1]
    assert docx.Document(io.BytesIO(made[0])).paragraphs[0].text == "甲 2026年3月5日"


@pytest.mark.parametrize(
    ("value", "expected"), [(None, ""), ("", ""), ("soon", "soon"), ("2026-12-31T01:00:00Z", "2026年12月31日")]
)
def test_a_day_reads_the_chinese_way(value, expected):
    assert chinese_day(value) == expected


def test_the_templates_are_what_their_script_writes():
    import runpy

    module = runpy.run_path(str(TEMPLATES.parents[1] / "templates.py"))
    for name, (paragraphs, signatures) in module["LETTERS"].items():
        assert (TEMPLATES.parents[1] / name).read_bytes() == module["_same_bytes"](
            module["letter"](paragraphs, signatures)
        )


@pytest.mark.parametrize("name", sorted(path.name for path in (TEMPLATES.parents[1]).rglob("*.docx")))
def test_every_template_becomes_a_document_that_word_can_open(name):
    (path,) = TEMPLATES.parents[1].rglob(name)
    process, steps = SIGNED[path.stem]
    diagram = (TEMPLATES.parents[1] / process / f"{process}.bpmn").read_text("utf-8")
    assert all(f'<bpmn:userTask id="{step}"' in diagram for step in steps)
    base = {"name": "虚构基地", "number": "DB2026001"}
    made = render(
        {name: path.read_bytes()},
        name.removesuffix(".docx"),
        {
            "applicant": {"name": "虚构大学"}, "application": {"baseName": "虚构基地"}, "recommender": {"name": "某厅"},
            "base": base, "year": 2025, "text": "请限期整改。", "reason": "理由", "issuers": ["甲", "乙"],
            "documentNumber": "文号", "documentTitle": "标题", "issuedOn": "2026年3月5日", "mark": "",
            "signers": {step: {"name": f"{step}的李明（代陈评）", "on": "2026年3月4日"} for step in steps},
        },
    )  # fmt: skip
    text = "\n".join(line.text for line in docx.Document(io.BytesIO(made)).paragraphs)
    assert "{{" not in text
    signed = [line for line in text.split("\n") if "签发" in line]
    assert signed == [f"签发人：{step}的李明（代陈评）　签发日期：2026年3月4日" for step in steps]
    assert all(
        word in text for word in ("甲", "文号", "标题", "虚构大学", "虚构基地", "《国家国际科技合作基地管理办法》第")
    )


def test_every_kind_of_document_that_a_diagram_issues_has_its_template_tried():
    """Those named in diagrams and those that the table of issuers names, and no template beside them."""
    processes = TEMPLATES.parents[1]
    issued = set()
    for path in processes.glob("*/*.bpmn"):
        for task in re.findall(r"<bpmn:serviceTask.*?</bpmn:serviceTask>", path.read_text("utf-8"), re.S):
            if 'type="issue_document"' in task:
                issued |= set(re.findall(r'key="template" value="([^"]+)"', task))
    issuer = decisions.read((processes / "rules/issuer.dmn").read_bytes())
    for type in ("IP", "JC", "TT", "DB"):
        rules = decisions.evaluate(issuer, "issuer", {"baseType": type}, now=datetime(2026, 3, 2, tzinfo=UTC))
        issued.add(rules["template"])
    assert issued == {path.stem for path in processes.rglob("*.docx")}

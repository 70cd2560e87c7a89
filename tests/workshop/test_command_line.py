"""What the command line answers to programs: exit codes, JSON, SARIF and JUnit, and the bytes of files left alone."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import pytest
import yaml
from lxml import etree

from service import cli, corpus
from service.commands.procedures import archives, workshop
from service.engine import tck
from service.models import User
from tests.commands.conftest import DESK, END, START, diagram
from tests.engine.diagrams import user
from tests.workshop.test_table_analysis import table

ROOT = Path(__file__).parents[2]
GOOD = diagram(START + user("a", DESK) + END, "s -> a -> e")
BAD = diagram(START + user("a", DESK) + user("lost", DESK) + END, "s -> a -> e")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith("GUOHE_") or name in ("DATABASE_URL", "SMTP_URL"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GUOHE_DATA", str(tmp_path / "var"))
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


def run(*arguments: str) -> int:
    try:
        cli.main(list(arguments))
    except SystemExit as over:
        return int(over.code or 0)
    return 0


def test_validate_answers_in_sarif_with_the_place_of_each_finding(folder, capsys):
    (folder / "p.bpmn").write_bytes(BAD)
    assert run("validate", str(folder), "--format", "sarif") == 1
    sarif = json.loads(capsys.readouterr().out)
    assert sarif["version"] == "2.1.0"
    (made,) = sarif["runs"]
    rules = [rule["id"] for rule in made["tool"]["driver"]["rules"]]
    lost = next(one for one in made["results"] if one["ruleId"] == "unreachable")
    assert rules[lost["ruleIndex"]] == "unreachable"
    assert lost["level"] == "error"
    assert lost["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].endswith("p.bpmn")
    assert lost["locations"][0]["logicalLocations"][0]["name"] == "lost"


def test_validate_answers_in_junit_with_a_case_a_file(folder, capsys):
    (folder / "good.bpmn").write_bytes(GOOD)
    (folder / "bad.bpmn").write_bytes(BAD.replace(b'id="p"', b'id="q"'))
    assert run("validate", str(folder), "--format", "junit") == 1
    suite = etree.fromstring(capsys.readouterr().out.encode())[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert [Path(name).name for name in failed] == ["bad.bpmn"]


def test_strict_lets_warnings_fail(folder):
    (folder / "p.bpmn").write_bytes(GOOD)
    (folder / "t.dmn").write_bytes(table("UNIQUE", [("n", "number")], [("< 3", "1"), ("> 5", "2")]))
    assert run("validate", str(folder)) == 0
    assert run("validate", str(folder), "--strict") == 1


def test_scenarios_answer_in_junit_and_json(folder, capsys):
    scenario = folder / "scenarios"
    scenario.mkdir()
    (scenario / "wrong.yaml").write_text(
        yaml.safe_dump(
            {"name": "不会这样结束", "process": "help_request", "steps": [], "expect": {"end": "nowhere"}},
            allow_unicode=True,
        )
    )
    report = folder / "junit.xml"
    good = ROOT / "processes" / "help_request" / "scenarios"
    files = [str(path) for path in sorted(good.glob("[a-z]*.yaml"))[:1]]
    assert run("test", *files, "--format", "junit", "-o", str(report)) == 0
    suite = etree.fromstring(report.read_bytes())[0]
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")
    capsys.readouterr()
    assert run("test", str(scenario / "wrong.yaml"), "--format", "json") == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["played"], said["failed"]) == (1, 1)
    assert said["scenarios"][0]["problems"]


def test_diff_says_in_json_whether_it_matters(folder, capsys):
    (folder / "old.bpmn").write_bytes(GOOD)
    (folder / "new.bpmn").write_bytes(GOOD.replace(b'name="a"', 'name="审核"'.encode()))
    assert run("diff", str(folder / "old.bpmn"), str(folder / "old.bpmn")) == 0
    capsys.readouterr()
    assert run("diff", str(folder / "old.bpmn"), str(folder / "new.bpmn"), "--format", "json") == 1
    said = json.loads(capsys.readouterr().out)
    assert said["matters"]
    assert any("审核" in one["zh"] for one in said["changes"])


def test_deploy_answers_in_json_what_came_of_it(folder, capsys):
    (folder / "p.bpmn").write_bytes(GOOD)
    assert run("admin", "chen", "--password", "a long password") == 0
    capsys.readouterr()
    assert run("deploy", str(folder), "--format", "json") == 0
    assert {key: json.loads(capsys.readouterr().out)[key] for key in ("deployed",)} == {"deployed": True}
    (folder / "p.bpmn").write_bytes(BAD)
    assert run("deploy", str(folder), "--format", "json") == 1
    refused = json.loads(capsys.readouterr().out)
    assert refused["deployed"] is False
    assert "unreachable" in {one["rule"] for one in refused["findings"]}


def test_wrong_use_is_2(folder):
    assert run("validate", str(folder)) == 2
    assert run("diff", str(folder), str(folder)) == 2
    assert run("layout", str(folder)) == 2
    assert run("validate", str(folder / "nowhere.bpmn")) == 2


def test_the_sample_for_continuous_integration_runs_commands_that_exist():
    sample = yaml.safe_load((ROOT / "docs" / "howto" / "owner-ci.yml").read_text("utf-8"))
    steps = [step["run"] for job in sample["jobs"].values() for step in job["steps"] if "guohe" in step.get("run", "")]
    asked = [shlex.split(line) for step in steps for line in step.splitlines() if line.strip().startswith("guohe ")]
    assert {words[1] for words in asked} == {"validate", "test", "diff", "layout", "deploy"}
    for words in asked:
        command = cli.guohe.commands[words[1]]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options, words


@pytest.mark.parametrize("suffix", [".bpmn", ".dmn", ".form", ".docx"])
def test_every_file_of_the_repository_comes_back_byte_for_byte(database, people, suffix):
    files = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for top in ("processes", "forms")
        for path in (ROOT / top).rglob(f"*{suffix}")
    }
    assert files
    owner = people.user("owner", "platform.owner")
    with database.transaction() as session:
        copy = workshop.create(
            session, "原样", user=session.get_one(User, owner.id), files=archives.unpack(archives.pack(files))
        )
        assert archives.unpack(archives.pack(workshop.files(session, copy))) == files


FOREIGN = {
    "lanes and a message flow.bpmn": b"""<?xml version="1.0"?><bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="x">
<bpmn:collaboration id="c"><bpmn:participant id="a" processRef="p"/><bpmn:participant id="b" processRef="q"/><bpmn:messageFlow id="m" sourceRef="t" targetRef="q"/></bpmn:collaboration>
<bpmn:process id="p"><bpmn:startEvent id="s"/><bpmn:task id="t"/><bpmn:sequenceFlow id="f" sourceRef="s" targetRef="t"/></bpmn:process><bpmn:process id="q"/></bpmn:definitions>""",
    "executable.bpmn": GOOD,
    "nothing.bpmn": b"",
    "text.bpmn": b"hello",
    "old.dmn": b'<definitions xmlns="http://www.omg.org/spec/DMN/20130901"/>',
}


def test_a_folder_of_foreign_files_ends_in_acceptance_or_findings_one_by_one(folder, capsys):
    for name, content in FOREIGN.items():
        (folder / name).write_bytes(content)
    assert run("validate", str(folder), "--each", "--seconds", "10", "--format", "json") == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["crashed"], said["accepted"] + said["refused"], said["started"]) == ([], len(FOREIGN), 1)
    assert {one["rule"] for one in said["findings"]} >= {"xml", "dmn-namespace"}


def test_a_file_that_takes_too_long_costs_only_itself(folder, monkeypatch):
    (folder / "a.bpmn").write_bytes(GOOD)
    (folder / "b.bpmn").write_bytes(GOOD)
    paths = [folder / "a.bpmn", folder / "b.bpmn"]
    with monkeypatch.context() as impatient:
        impatient.setattr(corpus, "LOOK_EVERY", 0.0)
        late = list(corpus.judge_all(paths, seconds=0.0))
    assert [{finding.rule for finding in one.findings} & {"too-slow"} for one in late] == [{"too-slow"}] * 2
    assert [one.accepted for one in corpus.judge_all(paths, seconds=20)] == [True, True]


def test_what_a_file_took_is_its_peak_even_where_nobody_looked_meanwhile(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "LOOK_EVERY", 20.0)
    small, large = tmp_path / "a.dmn", tmp_path / "b.dmn"
    small.write_bytes(b"<a/>")
    large.write_bytes(b"<a>" + b" " * 60_000_000 + b"</a>")
    judged = list(corpus.judge_all([small, large, small], seconds=20, memory=50_000_000))
    assert judged[0].memory < corpus.LEFT_BEHIND
    assert judged[1].memory > 60_000_000
    assert [one.rule for one in judged[1].findings] == ["too-much-memory"]
    assert judged[2].memory < corpus.LEFT_BEHIND


CASES = """<testCases xmlns="http://www.omg.org/spec/DMN/20160719/testcase" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
<modelName>t.dmn</modelName>
<testCase id="1"><inputNode name="n"><value xsi:type="xsd:decimal">2</value></inputNode><resultNode name="表"><expected><value xsi:type="xsd:decimal">1</value></expected></resultNode></testCase>
<testCase id="2"><inputNode name="n"><value xsi:type="xsd:decimal">7</value></inputNode><resultNode name="表"><expected><value xsi:type="xsd:decimal">9</value></expected></resultNode></testCase>
</testCases>"""


def test_the_conformance_runner_prints_how_many_pass(folder, capsys):
    (folder / "t.dmn").write_bytes(table("UNIQUE", [("n", "number")], [("< 3", "1"), (">= 3", "2")]))
    (folder / "t-test-01.xml").write_text(CASES)
    assert run("dmn-tck", str(folder)) == 1
    said = capsys.readouterr().out
    assert "1 of 2 passed" in said
    assert "9" in said
    assert [one.passed for one in tck.run(folder)] == [True, False]

"""What is wrong with the English of a bundle, and what ``guohe translate`` makes of it."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from service import engine
from service.cli import guohe
from service.engine.compare import compare
from tests.workshop.conftest import form, procedure

DIAGRAM = procedure().replace(b'name="check"', 'name="审核"'.encode())
FORM = form("opinion", "text").replace(b'"label": "text"', '"label": "意见"'.encode())
FILES = {"processes/p/p.bpmn": DIAGRAM, "forms/p/opinion.form": FORM}


def book(**texts: str) -> bytes:
    return json.dumps(texts, ensure_ascii=False).encode()


def found(**files: bytes) -> list[tuple[str, str, str]]:
    named = {name.replace("__", "/") + "/en.json": content for name, content in files.items()}
    return [
        (one.file, one.rule, one.severity)
        for one in engine.validate({**FILES, **named})
        if one.rule.startswith("english")
    ]


def test_a_bundle_in_chinese_alone_is_nothing_to_remark_on():
    assert found() == []


def test_missing_english_is_one_remark_however_much_is_missing():
    assert found(processes__p=book()) == [("processes/p/en.json", "english-missing", "info")]
    assert found(processes__p=book(审核="Check", 意见="")) == [("processes/p/en.json", "english-missing", "info")]
    assert found(processes__p=book(审核="Check", 意见="Opinion")) == []


def test_a_file_that_cannot_be_read_stands_in_the_way():
    for bad in (b"{", b"[]", '{"审核": 1}'.encode()):
        assert ("processes/p/en.json", "english-file", "error") in found(processes__p=bad)


def test_english_of_no_text_is_left_over():
    said = engine.validate({**FILES, "forms/p/en.json": book(审核="Check", 意见="Opinion", 旧题="Old")})
    left = [one for one in said if one.rule == "english-leftover"]
    assert [(one.severity, "旧题" in one.zh, "旧题" in one.en) for one in left] == [("warning", True, True)]


def test_english_with_other_placeholders_stands_in_the_way_and_names_the_text():
    files = {**FILES, "forms/p/opinion.form": FORM.replace("意见".encode(), "第 {{round}} 轮".encode())}
    said = engine.validate({**files, "forms/p/en.json": book(**{"第 {{round}} 轮": "Round {{n}}"})})
    wrong = [one for one in said if one.rule == "english-text"]
    assert [(one.file, one.severity, "第 {{round}} 轮" in one.en) for one in wrong] == [
        ("forms/p/en.json", "error", True)
    ]


def test_two_folders_may_differ_where_each_uses_the_text():
    same = {**FILES, "forms/p/opinion.form": FORM.replace("意见".encode(), "审核".encode())}
    said = engine.validate({**same, "forms/p/en.json": book(审核="Review"), "processes/p/en.json": book(审核="Check")})
    assert [one.rule for one in said if one.rule.startswith("english")] == []
    bundle = engine.load_bundle(
        {**same, "forms/p/en.json": book(审核="Review"), "processes/p/en.json": book(审核="Check")}
    )
    assert (bundle.english.say("审核", "forms/p"), bundle.english.say("审核", "processes/p")) == ("Review", "Check")
    assert ("processes/p/en.json", "english-rival", "info") in found(
        forms__p=book(意见="Opinion", 审核="Check"), processes__p=book(审核="Check", 意见="View")
    )


def test_the_command_adds_what_is_missing_and_drops_what_is_left_over(tmp_path: Path):
    for path, content in {**FILES, "forms/p/en.json": book(旧题="Old", 意见="Opinion")}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    run = CliRunner().invoke
    assert run(guohe, ["translate", str(tmp_path), "--check"]).exit_code == 1
    assert run(guohe, ["translate", str(tmp_path)]).exit_code == 0
    assert json.loads((tmp_path / "forms/p/en.json").read_bytes()) == {"意见": "Opinion"}
    assert json.loads((tmp_path / "processes/p/en.json").read_bytes()) == {"审核": ""}
    assert run(guohe, ["translate", str(tmp_path), "--check"]).exit_code == 1
    (tmp_path / "processes/p/en.json").write_bytes(book(审核="Check"))
    assert run(guohe, ["translate", str(tmp_path)]).exit_code == 0
    assert run(guohe, ["translate", str(tmp_path), "--check"]).exit_code == 0


def test_what_differs_is_said_text_by_text():
    made = compare(
        {**FILES, "forms/p/en.json": book(意见="Opinion", 审核="Check")},
        {**FILES, "forms/p/en.json": book(意见="View")},
    )
    assert [(one.kind, one.en) for one in made.changes] == [
        ("changed", "English of “意见”: Opinion → View"),
        ("removed", "No more English of “审核”: Check"),
    ]
    assert compare(FILES, {**FILES, "forms/p/en.json": book(意见="View")}).changes[0].zh == "“意见”的英文：View"


def test_a_change_of_the_english_is_another_deployment():
    english = {**FILES, "forms/p/en.json": book(意见="Opinion")}
    assert len({engine.content_hash(files) for files in (FILES, english)}) == 2

"""What is wrong with a bundle is the same wherever one asks: editor, command line, API, deployment, Modeler."""

from __future__ import annotations

import ast
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from service import cli, engine, topics
from service.commands.people import identity
from service.commands.procedures import checks, deployments, workshop
from service.engine import advice
from tests.engine.diagrams import ext, process, script, user
from tests.workshop.conftest import form
from tests.workshop.test_desktop import Modeler
from tests.workshop.test_table_analysis import table

START, END = '<startEvent id="s" name="开始"/>', '<endEvent id="e" name="结束"/>'
WRONG = {
    "processes/p/p.bpmn": process(
        START
        + END
        + user(
            "a", '<zeebe:assignmentDefinition candidateGroups="nobody.here"/><zeebe:formDefinition formId="opinion"/>'
        )
        + script("t", "=opinon.text + 1 +", "x")
        + script("u", "=opinion.txt", "y")
        + f'<serviceTask id="v">{ext("""<zeebe:taskDefinition type="no_such_topic"/>""")}</serviceTask>'
        + '<exclusiveGateway id="g" default="g_v"/>',
        "s -> a -> t -> u -> g -> v -> e",
    ),
    "processes/p/t.dmn": table("UNIQUE", [("n", "number")], [("< 3", "1"), ("> 5", "2")]),
    "forms/p/opinion.form": form("opinion", "text"),
}
Key = tuple[str, str | None, str, str]


def key(one: engine.Finding) -> Key:
    return (one.file, one.element_id, one.rule, one.zh)


@pytest.fixture
def shop(database, people, tmp_path) -> Modeler:
    return Modeler(database, people, tmp_path / "data")


def of_editor(shop: Modeler) -> set[Key]:
    with shop.database.transaction() as session:
        copy = workshop.create(session, "副本", user=shop.person(session, "owner"), files=WRONG).id
        return {
            key(one.finding)
            for one in checks.check(
                session,
                workshop.files(session, workshop.take(session, copy, user=shop.person(session, "owner"))),
                topics=topics.KNOWN,
            )
        }


def of_command_line(folder, capsys) -> set[Key]:
    for path, content in WRONG.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    with pytest.raises(SystemExit) as left:
        cli.main(["validate", str(folder), "--format", "json"])
    assert left.value.code == 1
    found = json.loads(capsys.readouterr().out)["findings"]
    return {(one["file"].replace(f"{folder}/", ""), one["element"], one["rule"], one["zh"]) for one in found}


def of_api(shop: Modeler) -> set[Key]:
    data = {"files": [(io.BytesIO(content), path) for path, content in WRONG.items()]}
    headers = {"Authorization": f"Bearer {shop.token('owner')}"}
    answer = shop.client.post("/api/v1/deployments", data=data, headers=headers)
    assert answer.status_code == 422
    return {(one["file"], one["element_id"], one["rule"], one["zh"]) for one in answer.get_json()["findings"]}


def of_deployment(shop: Modeler) -> set[Key]:
    with shop.database.transaction() as session, pytest.raises(deployments.BundleRejected) as refused:
        deployments.deploy(session, WRONG, user=shop.person(session, "owner"), topics=topics.KNOWN)
    return {key(one) for one in refused.value.findings}


def test_editor_command_line_api_and_deployment_find_the_same(shop, tmp_path, capsys):
    with shop.database.transaction() as session:
        identity.seed_roles(session)
    editor = of_editor(shop)
    rules = {rule for _, _, rule, _ in editor}
    assert {"role-unknown", "feel", "topic-unknown", "variable-unwritten", "dmn-gap", "label-required"} <= rules
    assert of_deployment(shop) == editor
    assert of_api(shop) == editor
    assert of_command_line(tmp_path / "files", capsys) == editor


PLACE = {"error": 1, "warning": 1, "note": 1, "Finding": 2, "_find": 1, "_wrong": 1, "find": 1, "Remark": 1}
"""Where a rule stands among the arguments of what makes a finding of it."""


def rules_in(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            place = PLACE.get(name)
            rule = node.args[place] if place is not None and len(node.args) > place else None
            if isinstance(rule, ast.Constant) and isinstance(rule.value, str):
                yield rule.value
        elif isinstance(node, ast.Constant) and re.fullmatch(r"form-[a-z]+", str(node.value)):
            yield str(node.value)


def test_every_rule_says_why_it_matters_and_what_to_do():
    engine_files = Path(engine.__file__).parent
    rules = {rule for path in engine_files.rglob("*.py") for rule in rules_in(path.read_text("utf-8"))}
    rules |= set(re.findall(r'rule: "([a-z-]+)"', (engine_files / "js/lib/drawing-rules.ts").read_text("utf-8")))
    rules = {rule for rule in rules if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule)}
    assert {"deadlock", "dmn-cells", "form-pattern", "label-required"} <= rules
    assert rules - set(advice.ADVICE) == set()
    for rule, said in advice.ADVICE.items():
        assert all((said.why_zh, said.fix_zh, said.why_en, said.fix_en)), rule

"""Closed cases, decided again by tables and gateways that somebody is changing."""

from __future__ import annotations

import json

import pytest

from service import cli, config, engine, errors
from service.commands.procedures import backtests
from service.engine.backtest import Past, Replay
from service.models import Event
from tests.commands.conftest import Office, diagram
from tests.engine.diagrams import NOW, ext, process, script, user
from tests.web.conftest import Browser, text
from tests.workshop.test_table_analysis import table

FORM = json.dumps(
    {
        "id": "ask",
        "type": "default",
        "schemaVersion": 16,
        "components": [{"type": "number", "key": "amount", "id": "F", "label": "金额"}],
    }
).encode()
GRADE = f'<businessRuleTask id="grade" name="定级">{ext("""<zeebe:calledDecision decisionId="t" resultVariable="level"/>""")}</businessRuleTask>'
ASK = user("ask", '<zeebe:formDefinition formId="ask"/><zeebe:assignmentDefinition candidateGroups="coop.intake"/>')
ELEMENTS = (
    '<startEvent id="s"/>'
    + ASK
    + GRADE
    + '<exclusiveGateway id="g" name="大额？" default="g_e"/>'
    + script("note", "=1", "noted")
)
ENDS = '<endEvent id="e"/><endEvent id="e2"/>'


def procedure(condition: str = "level = 2", extra: str = "") -> bytes:
    return diagram(ELEMENTS + ENDS + extra, f"s -> ask -> grade -> g -[={condition}]-> note -> e2; g -> e")


def grades(limit: int) -> bytes:
    return table("UNIQUE", [("amount", "number")], [(f"< {limit}", "1"), (f">= {limit}", "2")])


def files(condition: str = "level = 2", limit: int = 100) -> dict[str, bytes]:
    return {"d0.bpmn": procedure(condition), "t.dmn": grades(limit), "ask.form": FORM}


@pytest.fixture
def decided(database, people, tmp_path) -> Office:
    """A ministry with eight closed cases of 20 to 160, and one that still runs."""
    office = Office(database, people, tmp_path / "data")
    office.deploy(procedure(), t__dmn=grades(100), ask__form=FORM)
    for amount in range(20, 180, 20):
        office.do(office.start(), "ask", amount=amount)
    office.start()
    return office


def run(office: Office, content: dict[str, bytes], **options) -> backtests.Backtest:
    with office.database.transaction() as session:
        return backtests.run(session, content, user=office.fresh(session, office.admin), **options)


def test_what_is_unchanged_is_not_decided_again(decided):
    found = run(decided, files())
    assert (found.cases, found.decisions, found.differences) == (8, 0, [])


def test_a_changed_table_shows_the_cases_that_come_out_differently(decided):
    found = run(decided, files(limit=130))
    assert (found.cases, found.decided, found.unknown) == (8, 8, 0)
    assert [(one.element_id, one.again.old_zh, one.again.new_zh) for one in found.differences] == [
        ("grade", "2", "1")
    ] * 2
    assert [name for name, _ in found.groups] == ["定级"]
    numbers = {one.number for one in found.differences}
    assert len(numbers) == 2


def test_a_changed_gateway_shows_the_way_a_case_would_have_gone(decided):
    found = run(decided, files("amount > 150"))
    assert [(one.element_name, one.again.old_zh, one.again.new_zh) for one in found.differences] == [
        ("大额？", "→ note", "→ e")
    ] * 3


def test_a_decision_that_fails_now_is_a_difference(decided):
    both = table("UNIQUE", [("amount", "number")], [("< 100", "1"), (">= 80", "2")])
    found = run(decided, {**files(), "t.dmn": both})
    assert len(found.differences) == 1
    assert "异常" in found.differences[0].again.new_zh


def test_a_decision_on_what_was_never_asked_cannot_be_made_again(decided):
    found = run(decided, files("region = 3"))
    assert (found.differences, found.unknown) == ([], 8)


def test_files_that_could_not_be_deployed_decide_nothing(decided):
    with pytest.raises(engine.BundleRejected):
        run(decided, files("amount >"))


def test_only_the_newest_cases_are_looked_at_where_that_is_asked(decided):
    found = run(decided, files(limit=130), limit=3)
    assert (found.cases, found.more, len(found.differences)) == (3, True, 1)


def test_it_is_for_process_owners_and_writes_nothing(decided):
    before = len(decided.rows(Event))
    run(decided, files(limit=130))
    assert len(decided.rows(Event)) == before
    with decided.database.transaction() as session, pytest.raises(errors.Forbidden):
        backtests.run(session, files(), user=decided.fresh(session, decided.wang))


def test_the_command_line_lists_them_and_exits_with_1(decided, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", decided.database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("GUOHE_DATA", str(tmp_path / "data"))
    folder = tmp_path / "files"
    folder.mkdir()
    for name, content in files(limit=130).items():
        (folder / name).write_bytes(content)
    with pytest.raises(SystemExit) as left:
        cli.main(["backtest", str(folder), "--format", "json"])
    assert left.value.code == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["counts"]["cases"], said["counts"]["different"], said["counts"]["unknown"]) == (8, 2, 0)
    assert [(one["element"], one["old"], one["new"]) for one in said["differences"]] == [("grade", "2", "1")] * 2


def test_a_step_with_values_of_its_own_is_decided_again_with_those():
    """In a round of a multi-instance the item is nobody's variable, so the record of the decision has to hold it."""
    loop = '<multiInstanceLoopCharacteristics isSequential="true"><extensionElements><zeebe:loopCharacteristics inputCollection="=[50, 150]" inputElement="amount" outputCollection="levels" outputElement="=level"/></extensionElements></multiInstanceLoopCharacteristics>'
    task = GRADE.replace("</businessRuleTask>", f"{loop}</businessRuleTask>")
    content = process('<startEvent id="s"/><endEvent id="e"/>' + task, "s -> grade -> e")
    old = engine.load_bundle({"p.bpmn": content, "t.dmn": grades(100)})
    made = [one for one in engine.start(old, "p", {}, now=NOW).events if one.kind == "decision"]
    assert [one.data["read"] for one in made] == [{"amount": 50}, {"amount": 150}]
    replay = Replay(old, engine.load_bundle({"p.bpmn": content, "t.dmn": grades(40)}))
    assert replay.touches("table", "p", "grade")
    pasts = [Past("table", "p", "grade", one.data["result"], NOW, {}, one.data["read"]) for one in made]
    assert [replay.again(past).differs for past in pasts] == [True, False]


def test_the_page_says_how_many_come_out_differently(decided):
    from service.app import create_app
    from service.commands.procedures import workshop

    with decided.database.transaction() as session:
        owner = decided.fresh(session, decided.admin)
        copy_id = workshop.create(session, "门槛 130", user=owner, files=files(limit=130)).id
        owner_name = owner.username
    settings = config.read(
        {
            "GUOHE_DATA": str(decided.settings.files),
            "DATABASE_URL": decided.database.url.render_as_string(hide_password=False),
            "GUOHE_DEMO": "1",
        }
    )
    browser = Browser(create_app(settings, decided.database)).sign_in(owner_name)
    shown = text(browser.get(f"/modeler/{copy_id}/backtest"))
    assert "8 件中 2 件结果不同" in shown
    assert "定级" in shown
    with decided.database.transaction() as session:
        owner = decided.fresh(session, decided.admin)
        broken = workshop.create(session, "错", user=owner, files=files("amount >")).id
    assert "发现 1 个错误" in text(browser.get(f"/modeler/{broken}/backtest"))

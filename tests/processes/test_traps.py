"""The mistakes that no single scenario can show, and the list of what guards against each of the twenty-five."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from service import files, traceability
from service.engine import decisions
from service.engine.bundle import Contents, read_contents
from service.engine.model import Process

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reference/traps.md"
TYPES = {"IP": "innovation_park", "JC": "joint_centre", "TT": "transfer_centre", "DB": "demonstration_base"}
GUARD = re.compile(r"`((?:processes|tests)/[^`]+)`")


@cache
def contents() -> Contents:
    return read_contents(files.of_project(ROOT))


def process(id: str) -> Process:
    return contents().processes[id]


def rows() -> dict[int, str]:
    found = re.findall(r"^\| (\d+) \| .+ \| (.+) \|$", PAGE.read_text("utf-8"), re.M)
    return {int(number): guards for number, guards in found}


@pytest.mark.parametrize("number", range(1, 26))
def test_every_trap_has_a_guard_that_is_there(number: int):
    guards = GUARD.findall(rows()[number])
    assert guards
    for guard in guards:
        path, _, name = guard.partition("::")
        assert (ROOT / path).is_file(), path
        if name:
            assert re.search(rf"^def {name}\(", (ROOT / path).read_text("utf-8"), re.M), guard
        else:
            assert Path(path).parent.name == "scenarios"
            assert not Path(path).name.startswith("_"), "a part is not played by itself"


def text_of(process_id: str, ending: str = "bpmn") -> str:
    return (ROOT / f"processes/{process_id}/{process_id}.{ending}").read_text("utf-8")


def test_each_type_has_a_procedure_of_its_own_and_nobody_picks_the_type():
    for type, name in TYPES.items():
        assert set(re.findall(r"""source='="(IP|JC|TT|DB)"' target="baseType\"""", text_of(name))) == {type}
    for form_id, schema in contents().forms.items():
        if form_id != "re_entry":  # The announcement of a filing period names the type it is for.
            assert not {"baseType", "type"} & keys(schema), form_id


def keys(component: Any) -> set[str]:
    inner = component.get("components") or []
    return {component.get("key", "")}.union(*(keys(one) for one in inner))


def test_only_a_recommender_begins_a_joint_centre():
    assert process("joint_centre").properties["starter"] == "recommender.reviewer"
    assert process("innovation_park").properties["starter"] == "province.drafter"


def test_the_torch_centre_has_a_part_in_transfer_centres_only():
    named = {name for name in contents().processes if "torch." in text_of(name)}
    assert named == {"transfer_centre", "transfer_batch"}
    issuers = {type: issuer(type) for type in TYPES}
    assert [type for type, rules in issuers.items() if "torch" in json.dumps(rules)] == ["TT"]


def test_both_bodies_organise_a_transfer_centre():
    rules = issuer("TT")
    assert rules["organiserRoles"] == ["coop.organiser", "torch.organiser"]
    assert rules["issuers"] == ["coop", "torch"]
    roles = dict(re.findall(r'<bpmn:userTask id="(\w+)".*?candidateGroups="([^"]+)"', text_of("transfer_centre"), re.S))
    assert (roles["approve_plan_coop"], roles["approve_plan_torch"]) == ("coop.organiser", "torch.organiser")
    assert (roles["sign_coop"], roles["sign_torch"]) == ("coop.signatory", "torch.signatory")


def issuer(type: str) -> Any:
    return ask("rules/issuer.dmn", "issuer", baseType=type)


def ask(file: str, table: str, **variables: Any) -> Any:
    read = decisions.read((ROOT / "processes" / file).read_bytes())
    return decisions.evaluate(read, table, variables, now=datetime(2026, 3, 2, tzinfo=UTC))


SECRET = re.compile(r"\b(expert|panel|review|score|objection|finding|seriousness|defence|assessment)\w*", re.I)


def test_what_is_published_names_no_expert_score_or_complaint():
    """Nobody can put a secret into the column by a diagram: what it publishes reads none of these variables."""
    seen = 0
    for name in contents().processes:
        for task in re.findall(r"<bpmn:serviceTask.*?</bpmn:serviceTask>", text_of(name), re.S):
            if re.search(r'type="publish_(column|notice)"', task):
                seen += 1
                inputs = re.findall(r"<zeebe:input source=(?:'([^']*)'|\"([^\"]*)\")", task)
                assert not any(SECRET.search(a or b) for a, b in inputs), (name, inputs)
    assert seen >= 5


def test_the_measures_are_in_force_from_29_july_2011():
    sets = [
        ask("issue_accreditation/rule_set.dmn", "rule_set", decidedOn=day.isoformat())
        for day in (date(2011, 7, 28), date(2011, 7, 29), date(2019, 4, 3))
    ]
    assert sets == ["trial", "2011", "2011"]
    assert "2019" not in traceability.defaults()["A29"]["default"]

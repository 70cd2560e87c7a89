"""Where the two profiles differ, each type is played in both; and they differ nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from service import files, scenarios
from service.engine import decisions
from service.scenarios import Scenario

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PLAYED = {
    "innovation_park": ("accredited", "signature_refused_and_objection_upheld"),
    "joint_centre": ("foreign_plaques_do_not_wait", "practice_without_objection"),
    "transfer_centre": ("joint_document", "no_withdrawal_after_both_signatures"),
    "demonstration_base": ("accredited", "../../public_notice/scenarios/clear"),
}
NOTICE = ("public_notice", "notice_wanted__plan_notice")
TABLE = ROOT / "processes/qualification_check/eligibility.dmn"


@pytest.fixture(scope="module")
def stage() -> Iterator[scenarios.Stage]:
    """The project as it is, but with a quota of one, which a test reaches sooner than one of twenty."""
    content = files.of_project(ROOT)
    name = str(TABLE.relative_to(ROOT))
    assert content[name].count(b"&gt;= 20") == 1
    with scenarios.Stage(content | {name: content[name].replace(b"&gt;= 20", b"&gt;= 1")}) as made:
        yield made


def play(stage: scenarios.Stage, file: Path, profile: str) -> set[tuple[str, str]]:
    """The flows a scenario takes; it must come as it says."""
    scenario: Scenario = scenarios.read(file)
    assert scenario.profile == profile
    outcome = stage.play(scenario)
    assert outcome.ok, "\n".join(outcome.problems)
    return outcome.flows


@pytest.mark.parametrize("type", PLAYED)
def test_only_practice_has_a_public_notice(stage: scenarios.Stage, type: str):
    strict, practice = (ROOT / f"processes/{type}/scenarios/{name}.yaml" for name in PLAYED[type])
    assert NOTICE not in play(stage, strict, "strict")
    assert NOTICE in play(stage, practice, "practice")


@pytest.mark.parametrize("profile", ["strict", "practice"])
def test_only_practice_has_a_quota(stage: scenarios.Stage, profile: str):
    play(stage, HERE / f"quota/{profile}.yaml", profile)


def test_the_profiles_differ_nowhere_else():
    cells = set()
    for path in sorted((ROOT / "processes").glob("*/*.dmn")):
        for decision in decisions.read(path.read_bytes()).values():
            logic = decision.model.nodes[decision.id]["logic"]
            if logic["kind"] == "table":
                heads = [one["text"] for one in logic["table"]["inputs"]]
                for rule in logic["table"]["rules"]:
                    asked = zip(heads, rule["inputs"], strict=True)
                    cells |= {
                        (decision.id, rule["id"]) for head, cell in asked if head == "profile" and cell["text"] != "-"
                    }
    assert cells == {("eligibility", "eligibility_rule_14"), ("notice_rule", "notice_rule_rule_1")}
    for path in [*(ROOT / "processes").glob("*/*.bpmn"), *(ROOT / "forms").glob("*/*.form")]:
        # Diagrams hand the profile on to what they call; none asks for it.
        asked = re.sub(r'source="=profile" target="profile"', "", path.read_text("utf-8"))
        assert not re.search(r"\bprofile\b\s*(=|!=|in\b)", asked), path.name

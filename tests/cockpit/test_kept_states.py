"""A release reads every state of every former one: states kept as they were written then.

Never overwrite a file of ``tests/engine/states``; a new layout brings new files.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from service import engine
from tests.engine.diagrams import NOW

STATES = Path(__file__).parents[1] / "engine" / "states"
RESTS = {"G1_started": ["a", "b", "soon"], "G1_timer": ["a", "pause", "soon"], "G1_ended": []}


@pytest.mark.parametrize("name", sorted(RESTS))
def test_a_kept_state_is_read_and_goes_on(name):
    bundle = engine.read_bundle({"wide.bpmn": (STATES / "wide.bpmn").read_bytes()})
    run = engine.load(bundle, (STATES / f"{name}.state").read_bytes())
    assert sorted(wait.element_id for wait in run.waits()) == RESTS[name]
    assert engine.visible(run)["name"] == "示例"
    if not run.ended:
        token = next(wait.token for wait in run.waits() if wait.element_id == "a")
        assert not engine.complete(run, token, {}, now=NOW).ended


def test_every_kept_state_is_looked_at():
    assert {path.stem for path in STATES.glob("*.state")} == set(RESTS)

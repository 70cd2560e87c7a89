"""Drafts are played in processes of their own: what they answer, and what they cannot do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service import errors
from service.sandbox import Draft, Limits, Pool, Sandbox, SandboxLost, inside
from tests.sandbox import drafts

HEAD = {"process": "leave", "start": {"none": True}}
BEGIN = {"begin": "leave", "by": "applicant.drafter"}
ASK = {"do": "ask", "by": "applicant.drafter", "data": {"days": 2}}
CHECK = {"do": "check", "by": "coop.intake", "data": {"verdict": "yes"}}
ENTERED = {f"2027-03-0{day}": {"worked": False, "name": "临时放假"} for day in (3, 4)}
SCENARIO = "processes/leave/scenarios/granted.yaml"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """One sandbox for all: starting one takes longer than anything that is asked."""
    made = Sandbox(Draft({**drafts.files(), SCENARIO: drafts.GRANTED.encode()}, [(2027, ENTERED)]))
    yield made
    made.close()


def test_a_case_is_played_by_its_people_through_table_deadline_and_end(box: Sandbox):
    view = box.ask("open", head=HEAD, steps=[])
    assert [(one["kind"], one["by"][0]["username"]) for one in view["starts"]] == [("none", "applicant.drafter")]
    assert box.ask("step", step=BEGIN) == {}
    view = box.ask("look")
    assert [(one["element"], one["by"]["username"]) for one in view["tasks"]] == [("ask", "applicant.drafter")]
    form = box.ask("form", wanted={"kind": "task", "id": view["tasks"][0]["id"], "by": "applicant.drafter"})["form"]
    assert form["id"] == "ask"
    refused = box.ask("step", step={**ASK, "data": {"days": 0}})["refused"]
    assert refused["code"] == "invalid_form"
    assert list(refused["fields"]) == ["days"]
    box.ask("step", step=ASK)
    view = box.ask("look")
    (task,) = view["tasks"]
    assert (task["element"], task["by"]["username"], task["due"][:10]) == ("check", "coop.intake", "2026-03-09")
    assert view["cases"][0]["variables"]["rank"] == "短"
    assert [one["element"] for one in view["timers"]] == ["late"]
    box.ask("step", step=CHECK)
    (case,) = box.ask("look")["cases"]
    assert (case["status"], case["end_label"]) == ("completed", "准假")
    assert "g_yes" in case["diagrams"][0]["marks"]["flows"]


def test_time_goes_to_the_next_timer_and_steps_are_taken_back(box: Sandbox):
    view = box.ask("open", head=HEAD, steps=[BEGIN, ASK])
    box.ask("step", step={"wait": "next"})
    view = box.ask("look")
    assert view["cases"][0]["end_label"] == "逾期"
    assert view["now"].startswith("2026-03-22")
    view = box.ask("back", to=2)
    assert [one["element"] for one in view["tasks"]] == ["check"]
    assert view["now"].startswith("2026-03-02")
    assert len(view["log"]) == 2


def test_deadlines_count_by_the_calendar_that_was_entered(box: Sandbox):
    view = box.ask("open", head={**HEAD, "now": "2027-03-01 09:00"}, steps=[BEGIN, ASK])
    assert view["tasks"][0]["due"][:10] == "2027-03-10"


def test_nothing_leaves_a_sandbox():
    for event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system"):
        with pytest.raises(PermissionError):
            inside._guard(event, ())
    inside._guard("open", ("x", "r", 0))


def test_what_happened_can_be_taken_as_expected(box: Sandbox):
    box.ask("open", head=HEAD, steps=[BEGIN, ASK])
    expect = box.ask("example", keys=["tasks", "ended", "due", "variables"], like={"variables": {"rank": "?"}})
    assert expect["expect"] == {
        "tasks": ["check"],
        "ended": False,
        "due": {"check": "2026-03-09"},
        "variables": {"rank": "短"},
    }


def test_a_scenario_is_opened_as_a_rehearsal_and_played(box: Sandbox):
    read = box.ask("read", path=SCENARIO)
    assert [next(iter(step)) for step in read["steps"]] == ["do", "wait", "do"]
    assert read["steps"][0]["data"]["proof"] == [{"!file": "证明.pdf"}]
    view = box.ask("open", head=read["head"], steps=read["steps"])
    assert view["cases"][0]["end_label"] == "准假"
    (outcome,) = box.stream("run", paths=[SCENARIO])
    assert outcome["ok"], outcome
    touched = outcome["touched"]
    assert ["rank", "short"] in touched["rules"]
    assert {"days", "proof"} <= {field for form, field in touched["fields"] if form == "ask"}
    cover = box.ask("cover", touched=[touched])["coverage"]["leave"]
    assert sorted(cover["missing_flows"]) == ["g_no", "late_expired"]
    assert cover["missing_rows"] == [["rank", "请假等级", 2]]
    assert cover["missing_fields"] == [["ask", "reason"]]
    assert cover["missing_roles"] == []


def test_a_step_that_no_longer_fits_stops_the_replay_there(box: Sandbox):
    view = box.ask("open", head=HEAD, steps=[BEGIN, {**CHECK, "do": "gone"}, CHECK])
    assert view["steps"] == 1
    assert view["stopped"]["step"] == 2
    assert "gone" in view["stopped"]["zh"]


def test_nothing_outside_the_draft_can_be_included(tmp_path: Path):
    secret = tmp_path / "secret.yaml"
    secret.write_text("- {wait: P1D}\n")
    scenario = f"process: leave\nsteps:\n  - !include {secret}\n".encode()
    box = Sandbox(Draft({**drafts.files(), SCENARIO: scenario}))
    try:
        with pytest.raises(errors.ServiceError) as refused:
            box.ask("read", path=SCENARIO)
        assert "只能引用本副本内的文件" in refused.value.zh
        with pytest.raises(errors.ServiceError):
            box.ask("read", path="../../../etc/passwd")
    finally:
        box.close()
    assert not box.folder.exists()


def test_a_process_of_no_end_costs_the_sandbox_its_life_and_nothing_else():
    # Two cases that start each other for ever, faster than time passes.
    endless = "process: leave\nsteps:\n" + "  - {wait: P3650D}\n" * 4000
    box = Sandbox(Draft({**drafts.files(), SCENARIO: endless.encode()}), Limits(processor=4.0, clock=8.0))
    box.ask("build")
    assert list(box.folder.glob("guohe-scenarios-*"))
    began = time.monotonic()
    with pytest.raises(SandboxLost):
        for _ in box.stream("run", paths=[SCENARIO]):
            pass
    assert time.monotonic() - began < 60
    assert not box.alive
    # What it has written, databases included, went with it.
    assert not box.folder.exists()


def test_a_sandbox_whose_server_died_clears_up_after_itself():
    box = Sandbox(Draft(drafts.files()))
    box.ask("build")
    # As when the server's process ends without a word: the pipe breaks.
    box._pipe.close()
    box._process.wait(timeout=30)
    assert not box.folder.exists()
    box.close()


def test_a_scenario_that_eats_memory_is_stopped():
    bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    bomb += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    text = "process: leave\nstart: {none: true}\ngiven:\n  - ban: {uscc: x, data: *a11}\n"
    box = Sandbox(
        Draft({**drafts.files(), SCENARIO: ("\n".join(bomb) + "\n" + text).encode()}),
        Limits(processor=20.0, clock=40.0, memory=400 * 1024 * 1024),
    )
    try:
        with pytest.raises(errors.ServiceError):
            box.ask("read", path=SCENARIO)
    finally:
        box.close()


def test_the_pool_plays_up_again_what_it_had_to_close():
    pool, files = Pool(most=1), drafts.files()
    try:
        first = _ready(pool, 1, files, [BEGIN, ASK])
        assert first.view is not None
        assert first.view["tasks"][0]["element"] == "check"
        second = _ready(pool, 2, files, [])
        assert second.view is not None
        assert first.sandbox is not None
        assert not first.sandbox.alive
        again = _ready(pool, 1, files, [BEGIN, ASK])
        assert again.view is not None
        assert again.view["tasks"][0]["element"] == "check"
    finally:
        pool.close()


def _ready(pool: Pool, key: int, files: dict[str, bytes], steps: list[dict[str, object]]):
    held = pool.prepare(key, "1", lambda: Draft(files), HEAD, steps)
    for _ in range(600):
        if not held.preparing:
            assert held.problem is None, held.problem
            return held
        time.sleep(0.1)
    raise AssertionError("it was not ready in a minute")

"""Every repair by page, API and command: previewed, done with a reason, and the case lives on."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from service import clock, errors
from service.cli import guohe
from service.commands.administration import repairs
from service.commands.administration.repairkinds import KINDS
from service.commands.cases import instances
from service.commands.inbox import tasks
from service.commands.people import identity
from service.models import Instance, Job, Repair, User
from service.queries import liveness
from tests.cockpit.conftest import Cockpit, two_tasks
from tests.cockpit.test_batches import RENAMED
from tests.cockpit.test_injection import NO_FLOW, _go_wrong, _retries_exhausted, going_wrong, inner, rich, teller
from tests.web.api.conftest import Caller
from tests.web.conftest import app, browser, settings

__all__ = ["app", "browser", "settings"]

Prepared = tuple[int, dict[str, Any]]


class Yard:
    """Brings a case to where a repair is wanted."""

    def __init__(self, cockpit: Cockpit) -> None:
        self.cockpit, self.office = cockpit, cockpit.office
        self.deployment = self.office.deploy(
            rich(), inner(), teller(), two_tasks(),
            going_wrong("no_flow", NO_FLOW, "s -> a -> wrong; wrong -[=x = 1]-> b; wrong -[=x = 2]-> e; b -> e"),
        )  # fmt: skip
        self.newer = 0

    def prepare(self, kind: str) -> Prepared:
        return getattr(self, f"_{kind}", self._plain)(kind)

    def _token(self, case: int, element: str) -> int:
        return self.office.task(self.office.open(case)[element]).token

    def _job(self, case: int, kind: str) -> int:
        return next(one.token for one in self.office.jobs(instance_id=case, status="queued") if one.kind == kind)

    def _plain(self, kind: str) -> Prepared:
        return self.office.start("rich"), {}

    def _retry(self, _kind: str) -> Prepared:
        case = self.office.start("rich")
        _retries_exhausted(self.cockpit, case)
        return case, {"token": self.office.incidents(case)[0].token}

    def _retry_with(self, _kind: str) -> Prepared:
        case = self.office.start("no_flow")
        _go_wrong(self.cockpit, case)
        return case, {"token": self.office.incidents(case)[0].token, "variables": {"x": 1}}

    def _reassign(self, _kind: str) -> Prepared:
        case = self.office.start("rich")
        return case, {"token": self._token(case, "a"), "assignee": "zhao"}

    def _release(self, _kind: str) -> Prepared:
        case, li = self.office.start("rich"), self.office.li
        task = self.office.open(case)["a"]
        with self.cockpit.database.transaction() as session:
            tasks.claim(session, task, user=self.office.fresh(session, li))
        return case, {"token": self._token(case, "a")}

    def _offer(self, _kind: str) -> Prepared:
        case = self.office.start("rich")
        return case, {"token": self._token(case, "a")}

    def _extend(self, _kind: str) -> Prepared:
        case = self.office.start("rich")
        due = (clock.now() + timedelta(days=9)).astimezone(clock.CHINA).replace(second=0, microsecond=0)
        return case, {"token": self._job(case, "timer"), "due": due.isoformat()}

    def _move(self, _kind: str) -> Prepared:
        case = self.office.start("rich")
        return case, {"token": self._token(case, "a"), "element": "a"}

    def _back(self, _kind: str) -> Prepared:
        case = self.office.start("p")
        self.office.do(case, "a")
        return case, {"token": self._token(case, "b"), "element": "a"}

    def _skip(self, _kind: str) -> Prepared:
        case = self.office.start("p")
        return case, {"token": self._token(case, "a"), "variables": {"agreed": True}}

    def _message(self, _kind: str) -> Prepared:
        case = self.office.start("rich")
        with self.cockpit.database.transaction() as session:
            rests = instances.load(session, session.get_one(Instance, case)).waits()
        return case, {"token": next(one.token for one in rests if one.element_id == "hear"), "variables": {}}

    def _fire(self, _kind: str) -> Prepared:
        case = self.office.start("rich")
        return case, {"token": self._job(case, "timer")}

    def _variables(self, _kind: str) -> Prepared:
        return self.office.start("p"), {"variables": {"note": "更正"}}

    def _resume(self, _kind: str) -> Prepared:
        case = self.office.start("rich")
        self.cockpit.perform(case, "suspend")
        return case, {}

    def _restore(self, _kind: str) -> Prepared:
        case = self.office.start("rich")
        self.cockpit.sql("UPDATE instance SET state = :state WHERE id = :id", state=b"G1 nonsense", id=case)
        return case, {}

    def _restart(self, _kind: str) -> Prepared:
        case = self.office.start("p")
        self.cockpit.perform(case, "terminate")
        return case, {"element": "b"}

    def _resend(self, _kind: str) -> Prepared:
        case = self.office.start("teller")
        sent = next(one for one in self.office.jobs(instance_id=case) if one.kind == "message")
        self.office.worker.run_one(sent.id)
        return case, {"job": sent.id}

    def _migrate(self, _kind: str) -> Prepared:
        case = self.office.start("p")
        self.newer = self.newer or self.office.deploy(
            RENAMED,
            rich(),
            inner(),
            teller(),
            going_wrong("no_flow", NO_FLOW, "s -> a -> wrong; wrong -[=x = 1]-> b; wrong -[=x = 2]-> e; b -> e"),
        )
        self.cockpit.sql(
            "UPDATE process_definition SET latest = :no WHERE deployment_id = :id", no=False, id=self.newer
        )
        self.cockpit.sql(
            "UPDATE process_definition SET latest = :yes WHERE deployment_id = :id", yes=True, id=self.deployment
        )
        return case, {"deployment": self.newer, "names": {"p": {"a": "a_new"}}}


def by_page(cockpit: Cockpit, visit: Any, case: int, kind: str, parameters: dict[str, Any]) -> None:
    admin = visit("admin")
    assert admin.get(f"/cockpit/cases/{case}/repair/{kind}").status_code == 200
    values = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in parameters.items()}
    if "due" in values:
        values["due"] = values["due"][:16]
    version = cockpit.office.instance(case).version
    seen = admin.post(f"/cockpit/cases/{case}/repair/{kind}/preview", **values)
    assert seen.status_code == 200, kind
    assert cockpit.office.instance(case).version == version
    done = admin.post(f"/cockpit/cases/{case}/repair/{kind}", **values, version=version, reason="按页面")
    assert done.status_code == 303, kind


def by_api(cockpit: Cockpit, caller: Caller, case: int, kind: str, parameters: dict[str, Any]) -> None:
    plan = {"kind": kind, "parameters": parameters}
    seen = caller.post(f"/process-instances/{case}/repairs/preview", plan)
    assert seen.status_code == 200, (kind, seen.text)
    order = {**plan, "reason": "按接口", "version": seen.json["instance_version"]}
    done = caller.post(f"/process-instances/{case}/repairs", order)
    assert done.status_code in (200, 201), (kind, done.text)
    assert done.json["status"] == "done"
    if seen.json["state"]:
        assert repairs.fingerprint(cockpit.office.instance(case).state) == seen.json["state"]


def by_command(cockpit: Cockpit, case: int, kind: str, parameters: dict[str, Any]) -> None:
    version, number = cockpit.office.instance(case).version, cockpit.office.instance(case).number
    given = [f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in parameters.items()]
    seen = CliRunner().invoke(guohe, ["repair", number, kind, *given])
    assert seen.exit_code == 0, (kind, seen.output, seen.exception)
    assert "预演" in seen.output
    assert cockpit.office.instance(case).version == version
    done = CliRunner().invoke(guohe, ["repair", number, kind, *given, "--reason", "按命令"])
    assert done.exit_code == 0, (kind, done.output, done.exception)


def test_every_repair_is_a_page_an_api_call_and_a_command(cockpit, topics, browser, app, monkeypatch):
    topics("act")(lambda session, job: {})
    monkeypatch.setenv("DATABASE_URL", cockpit.database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("GUOHE_DATA", str(cockpit.office.settings.data))
    yard = Yard(cockpit)
    with cockpit.database.transaction() as session:
        token = identity.create_token(session, "repairs", user=session.get_one(User, cockpit.office.admin.id))[1]
    caller = Caller(app, token)
    ways: tuple[Callable[[int, str, dict[str, Any]], None], ...] = (
        lambda *given: by_page(cockpit, browser, *given),
        lambda *given: by_api(cockpit, caller, *given),
        lambda *given: by_command(cockpit, *given),
    )
    with clock.travel(clock.now()):  # a timer that is armed anew is due so long from now
        cockpit.upkeep.beat()
        for kind in KINDS:
            if kind != "undo":
                for way in ways:
                    _lives_on(cockpit, yard, kind, way)
    assert len(cockpit.office.rows(Job, kind="message")) > 3


def _lives_on(cockpit: Cockpit, yard: Yard, kind: str, way: Callable[[int, str, dict[str, Any]], None]) -> None:
    case, parameters = yard.prepare(kind)
    before = len(cockpit.office.rows(Repair, instance_id=case))
    way(case, kind, parameters)
    assert len(cockpit.office.rows(Repair, instance_id=case)) == before + 1, kind
    cockpit.check()
    with cockpit.database.transaction(readonly=True) as session:
        assert liveness.findings(session, instance_id=case) == [], kind
    wanted = {"suspend": "suspended", "terminate": "terminated", "resend": "completed"}.get(kind, "active")
    assert cockpit.office.instance(case).status == wanted, kind


def test_an_undo_goes_by_page_api_and_command(cockpit, browser, app, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", cockpit.database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("GUOHE_DATA", str(cockpit.office.settings.data))
    cockpit.office.deploy(two_tasks())
    with cockpit.database.transaction() as session:
        token = identity.create_token(session, "repairs", user=session.get_one(User, cockpit.office.admin.id))[1]
    case = cockpit.office.start()
    number, state = cockpit.office.instance(case).number, cockpit.office.instance(case).state

    def skipped() -> int:
        return cockpit.perform(case, "skip", token=cockpit.office.task(cockpit.office.open(case)["a"]).token).id

    assert browser("admin").post(f"/cockpit/repairs/{skipped()}/undo", reason="页面").status_code == 303
    assert cockpit.office.instance(case).state == state
    assert Caller(app, token).post(f"/repairs/{skipped()}/undo", {"reason": "接口"}).json["status"] == "undone"
    assert cockpit.office.instance(case).state == state
    undone = CliRunner().invoke(guohe, ["repair", number, "--undo", str(skipped()), "--reason", "命令"])
    assert undone.exit_code == 0, undone.output
    assert cockpit.office.instance(case).state == state


@pytest.mark.parametrize("kind", ["move", "variables", "extend"])
def test_what_cannot_be_is_refused_with_a_sentence_and_the_case_unharmed(cockpit, browser, kind):
    cockpit.office.deploy(two_tasks())
    case = cockpit.office.start()
    cockpit.perform(case, "variables", variables={"x": 1})
    state = cockpit.office.instance(case).state
    token = cockpit.office.task(cockpit.office.open(case)["a"]).token
    wrong, sentence = {
        "move": ({"token": token, "element": "nowhere"}, "没有这个可停留的元素"),
        "variables": ({"variables": '{"x": "text"}'}, "应为数字，而不是文字"),
        "extend": ({"token": token, "due": "soon"}, "时间"),
    }[kind]
    answer = browser("admin").post(f"/cockpit/cases/{case}/repair/{kind}/preview", **wrong)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert cockpit.office.instance(case).state == state


@pytest.mark.parametrize("damage", ["state", "files"])
def test_what_cannot_be_read_can_still_be_ended_and_nothing_else(cockpit, damage):
    cockpit.office.deploy(two_tasks())
    case = cockpit.office.start()
    token = cockpit.office.task(cockpit.office.open(case)["a"]).token
    if damage == "state":
        cockpit.sql("UPDATE instance SET state = :state WHERE id = :id", state=b"G1 nonsense", id=case)
    else:
        cockpit.sql("UPDATE deployment_file SET content = :content", content=b"<definitions/>")
        cockpit.sql("UPDATE deployment SET bundle_hash = 'f' || bundle_hash")
    cockpit.check()
    assert cockpit.causes(case) == {"corrupt_state" if damage == "state" else "missing_bundle"}
    with pytest.raises(repairs.Unreadable):
        cockpit.perform(case, "skip", token=token)
    assert cockpit.preview(case, "terminate").ended
    done = cockpit.perform(case, "terminate")
    assert cockpit.office.instance(case).status == "terminated"
    assert cockpit.office.open(case) == {}
    assert [one.status for one in cockpit.office.jobs(instance_id=case)] == ["cancelled"]
    assert cockpit.causes(case) == set()
    with pytest.raises(errors.Conflict):
        cockpit.undo(done.id)

"""Whatever is done, in whatever order, on both databases: a dry run says what happens, and an undo brings back what was.

One case waits in every way at once – people, rounds of people, a timer, a worker, a message, a called process – on a
version that has a newer one. Its state is damaged, too, at any moment, and made again from the history.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from service import clock, engine, errors
from service.commands.administration import repairs
from service.commands.administration.repairkinds import KINDS as ALL
from service.commands.cases import instances
from service.db import Database
from service.handlers import registry
from service.models import Instance, Job, Subscription, Task
from tests.cockpit.conftest import DESK, END, START, Cockpit, diagram, ext, service, user
from tests.cockpit.test_injection import KEYED, inner
from tests.cockpit.test_repairs import rows_of
from tests.commands.conftest import Office
from tests.conftest import People, build


def wide(second: str) -> bytes:
    """Every way to wait, beside each other; ``second`` is what the second task is called in this version."""
    rounds = '<zeebe:loopCharacteristics inputCollection="=[1, 2]" inputElement="no" outputCollection="answers" outputElement="=said"/>'
    return diagram(
        START + '<parallelGateway id="split"/><parallelGateway id="join"/>'
        + user("a", DESK) + user(second, DESK) + user("c", DESK) + user("d", DESK) + user("late", DESK) + END
        + '<boundaryEvent id="soon" attachedToRef="a" cancelActivity="false"><timerEventDefinition>'
        + "<timeDuration>P3D</timeDuration></timerEventDefinition></boundaryEvent>"
        + '<intermediateCatchEvent id="pause"><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></intermediateCatchEvent>'
        + f'<userTask id="each">{ext(DESK)}<multiInstanceLoopCharacteristics>{ext(rounds)}</multiInstanceLoopCharacteristics></userTask>'
        + service("act", "act") + '<receiveTask id="hear" messageRef="m"/>'
        + f'<callActivity id="call">{ext("""<zeebe:calledElement processId="inner"/>""")}</callActivity>',
        f"s -> split -> a -> join; split -> {second} -> pause -> join; split -> each -> join; split -> act -> join;"
        " split -> hear -> join; split -> call -> join; join -> c -> d -> e; soon -> late -> e",
        globals=KEYED.format(id="m", name="replied"),
    )  # fmt: skip


ELEMENTS = ["a", "c", "d", "late", "pause", "each", "act", "hear"]
KINDS = ["move", "back", "skip", "variables", "extend", "fire", "message", "retry", "retry_with", "reassign", "release"]
KINDS += ["offer", "suspend", "resume", "terminate", "restart", "migrate"]
NO_TOKEN = frozenset({"variables", "terminate", "suspend", "resume", "restart", "migrate"})
ACTS = st.lists(
    st.tuples(
        st.sampled_from([*KINDS, "complete", "complete", "work", "damage", "damage"]),
        st.integers(0, 5),
        st.sampled_from(ELEMENTS),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


class Yard:
    """A ministry with two versions of one process."""

    def __init__(self, cockpit: Cockpit) -> None:
        self.cockpit, self.office = cockpit, cockpit.office
        self.newer = self.office.deploy(wide("b_new"), inner())
        self.office.deploy(wide("b"), inner())

    def act(self, case: int, kind: str, which: int, element: str, undone: bool) -> None:
        match kind:
            case "complete":
                open_ = sorted(self.office.open(case).items())
                if open_ and self.office.instance(case).status in ("active", "incident"):
                    self.office.complete(open_[which % len(open_)][1])
            case "work":
                self.office.work()
            case "damage":
                self._damage(case, undone)
            case _:
                self._repair(case, kind, which, element, undone)

    def _repair(self, case: int, kind: str, which: int, element: str, undone: bool) -> None:
        parameters = self._parameters(case, kind, which, element)
        before, rows = self.office.instance(case), rows_of(self.cockpit, case)
        try:
            shown = self.cockpit.preview(case, kind, **parameters)
        except errors.ServiceError as refused:
            with pytest.raises(type(refused)):
                self.cockpit.perform(case, kind, **parameters)
            assert self.office.instance(case).state == before.state
            return
        done = self.cockpit.perform(case, kind, version=shown.version, **parameters)
        self._as_shown(case, shown)
        if undone:
            self.cockpit.undo(done.id)
            assert self.office.instance(case).state == before.state
            assert rows_of(self.cockpit, case) == rows

    def _damage(self, case: int, undone: bool) -> None:
        """Whatever the case has been through, its history is enough to make its state again."""
        if self.office.instance(case).ended_at is not None:
            return
        rows, was = rows_of(self.cockpit, case), self._run(case)
        self.cockpit.sql("UPDATE instance SET state = :state WHERE id = :id", state=b"G1 damaged", id=case)
        shown = self.cockpit.preview(case, "restore")
        done = self.cockpit.perform(case, "restore", version=shown.version)
        if undone:
            self.cockpit.undo(done.id)
            assert self.office.instance(case).state == b"G1 damaged"
            assert rows_of(self.cockpit, case) == rows
            self.cockpit.perform(case, "restore")
        self._as_shown(case, shown)
        assert engine.same(self._run(case), was)
        assert rows_of(self.cockpit, case) == rows

    def _as_shown(self, case: int, shown: repairs.Preview) -> None:
        after = self.office.instance(case)
        if not shown.state:
            return
        assert repairs.fingerprint(after.state) == shown.state
        waiting = {
            (one["token"], one["kind"]) for one in shown.after if one["kind"] in ("task", "timer", "job", "message")
        }
        assert waiting == self._waiting(case)
        assert (after.ended_at is not None) == shown.ended

    def _waiting(self, case: int) -> set[tuple[int | None, str]]:
        with self.cockpit.database.transaction(readonly=True) as session:
            tasks = session.scalars(select(Task.token).where(Task.instance_id == case, Task.status == "open")).all()
            jobs = session.execute(
                select(Job.token, Job.kind).where(
                    Job.instance_id == case, Job.token.is_not(None), Job.status.in_(("queued", "running", "failed"))
                )
            ).all()
            heard = session.scalars(select(Subscription.token).where(Subscription.instance_id == case)).all()
        kinds = {"service": "job", "timer": "timer"}
        return (
            {(one, "task") for one in tasks}
            | {(token, kinds[kind]) for token, kind in jobs}
            | {(one, "message") for one in heard}
        )

    def _run(self, case: int) -> engine.Run:
        with self.cockpit.database.transaction(readonly=True) as session:
            return instances.load(session, session.get_one(Instance, case))

    def _parameters(self, case: int, kind: str, which: int, element: str) -> dict[str, Any]:
        tokens = sorted(token for token, _ in self._waiting(case) if token is not None)
        given: dict[str, Any] = {} if kind in NO_TOKEN else {"token": tokens[which % len(tokens)] if tokens else 0}
        match kind:
            case "move" | "back" | "restart":
                given["element"] = element
            case "variables" | "skip" | "message" | "retry_with":
                given["variables"] = {"x": which, "said": which}
            case "extend":
                given["due"] = (clock.now() + timedelta(days=which + 1)).isoformat()
            case "reassign":
                given["assignee"] = "zhao"
            case "migrate":
                given |= {"deployment": self.newer, "names": {"p": {"b": "b_new"}}}
        return given


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def yard(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    """One ministry for all the cases, each of which is a new one."""
    folder = tmp_path_factory.mktemp("dry_runs")
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    url = server.create("dry_runs") if server else f"sqlite:///{folder / 'guohe.db'}"
    database, handlers = Database(url, **({} if server else {"synchronous": "OFF"})), dict(registry._handlers)
    build(database)
    registry.topic("act")(lambda session, job: {"done": True})
    yield Yard(Cockpit(Office(database, People(database), folder)))
    registry._handlers.clear()
    registry._handlers.update(handlers)
    database.close()
    if server:
        server.drop("dry_runs")


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=ACTS)
def test_the_preview_is_what_happens_and_an_undo_brings_back_what_was(yard, acts):
    with clock.travel(clock.now()):
        case = yard.office.start()
        for act in acts:
            clock.advance(timedelta(minutes=1))
            yard.act(case, *act)
        assert {one.cause for _, one in yard.cockpit.upkeep.check().healed} == set()


def test_no_repair_is_left_out():
    alone = {"undo", "resend", "restore"}
    assert set(KINDS) | alone == set(ALL)

"""From a working copy into service, without breaking a case."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import select

from service import clock, config, errors
from service.commands.administration import batches
from service.commands.cases import instances
from service.commands.inbox import tasks
from service.commands.procedures import deployments, impacts, merges, publishing, scenarioruns, workshop
from service.commands.procedures.publishing import GateClosed, Move, NeedsAnother, Overtaken, ScenariosOpen
from service.commands.procedures.workshop import Change, sha256
from service.models import Event, Instance, ProcessDefinition, Publication, Task, User, WorkingCopy
from service.worker import Worker
from tests.conftest import People
from tests.workshop.conftest import FILES, procedure

PATH = "processes/p/p.bpmn"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=timezone(timedelta(hours=8)))


class Office:
    """Runs commands as the people of a little ministry, each in its own transaction."""

    def __init__(self, database, people, folder):
        self.database = database
        for name, *roles in (
            ("owner", "platform.owner"),
            ("second", "platform.owner"),
            ("admin", "platform.admin", "platform.owner"),
            ("wang", "applicant.drafter@uni"),
            ("li", "coop.intake"),
        ):
            people.user(name, *roles)
        settings = config.read({"GUOHE_DATA": str(folder), "DATABASE_URL": str(database.url)})
        self.worker = Worker(database, settings)

    def run(self, who, act):
        with self.database.transaction() as session:
            return act(session, session.scalar(select(User).where(User.username == who)))

    def deploy(self, files=FILES):
        return self.run("admin", lambda s, u: deployments.deploy(s, files, user=u).id)

    def copy(self, deployment_id=None, files=None, who="owner"):
        return self.run(who, lambda s, u: workshop.create(s, "改", user=u, deployment_id=deployment_id, files=files).id)

    def write(self, copy_id, content, path=PATH, who="owner"):
        def act(session, user):
            present = workshop.current(session, session.get_one(WorkingCopy, copy_id))
            base = present[path].sha256 if path in present else None
            workshop.save(session, copy_id, {path: Change(content, base)}, user=user)

        self.run(who, act)

    def propose(self, copy_id, who="owner", note="加一步", **options):
        return self.run(who, lambda s, u: publishing.propose(s, copy_id, user=u, note=note, **options).id)

    def publication(self, publication_id):
        return self.run("admin", lambda s, u: s.get_one(Publication, publication_id))

    def start(self):
        return self.run("wang", lambda s, u: instances.start(s, "p", {}, user=u).id)

    def version(self, instance_id):
        return self.run("admin", lambda s, u: s.get_one(Instance, instance_id).deployment_id)

    def latest(self, process_id="p"):
        return self.run(
            "admin", lambda s, u: deployments.latest(s, process_id, authority_id=u.authority_id).deployment_id
        )

    def open(self, instance_id):
        return self.run(
            "admin",
            lambda s, u: list(
                s.scalars(select(Task.element_id).where(Task.instance_id == instance_id, Task.status == "open"))
            ),
        )

    def complete(self, instance_id):
        def act(session, user):
            task = session.scalar(select(Task).where(Task.instance_id == instance_id, Task.status == "open"))
            tasks.complete(session, task.id, {}, user=user)

        self.run("li", act)


@pytest.fixture
def office(database, people: People, tmp_path):
    return Office(database, people, tmp_path)


def test_publishing_starts_new_cases_on_the_new_version_and_leaves_running_ones(office):
    first = office.deploy()
    running = office.start()
    copy_id = office.copy(first)
    office.write(copy_id, procedure(after="second"))
    done = office.publication(office.propose(copy_id))
    assert done.status == "published"
    assert office.version(running) == first
    assert office.version(office.start()) == done.deployment_id != first
    office.complete(running)
    assert office.open(running) == []


def test_what_the_gate_stops_changes_nothing(office):
    first = office.deploy()
    copy_id = office.copy(first)
    office.write(copy_id, b"<definitions/>")
    with pytest.raises(GateClosed) as stopped:
        office.propose(copy_id)
    assert stopped.value.status == 409
    assert stopped.value.extra["findings"][0].file == PATH
    assert office.latest() == first


def test_a_gate_for_warnings_stops_warnings_too(office):
    first = office.deploy()
    copy_id = office.copy(first)
    plain = procedure().replace(b'<zeebe:formDefinition formId="opinion"/>', b"")
    office.write(copy_id, plain)
    office.run(
        "admin", lambda s, u: publishing.set_policy(s, user=u, gate="warning", second_approver=False, scenarios=False)
    )
    with pytest.raises(GateClosed):
        office.propose(copy_id)
    office.run(
        "admin", lambda s, u: publishing.set_policy(s, user=u, gate="error", second_approver=False, scenarios=False)
    )
    assert office.publication(office.propose(copy_id)).status == "published"
    with pytest.raises(errors.Forbidden):
        office.run(
            "owner", lambda s, u: publishing.set_policy(s, user=u, gate="error", second_approver=False, scenarios=False)
        )


def test_a_second_person_has_to_agree_where_the_rule_says_so(office):
    first = office.deploy()
    office.run(
        "admin", lambda s, u: publishing.set_policy(s, user=u, gate="error", second_approver=True, scenarios=False)
    )
    copy_id = office.copy(first)
    office.write(copy_id, procedure(after="second"))
    asked = office.propose(copy_id)
    assert office.latest() == first
    with pytest.raises(NeedsAnother):
        office.run("owner", lambda s, u: publishing.decide(s, asked, user=u, agree=True))
    with pytest.raises(errors.NotFound):
        office.run("wang", lambda s, u: publishing.decide(s, asked, user=u, agree=True))
    # What is agreed to is what was proposed, whatever is edited meanwhile.
    office.write(copy_id, procedure(after="third"))
    office.run("second", lambda s, u: publishing.decide(s, asked, user=u, agree=True, note="同意"))
    done = office.publication(asked)
    assert done.status == "published"
    assert office.latest() == done.deployment_id
    files = office.run("admin", lambda s, u: deployments.bundle(s, done.deployment_id).files)
    assert files[PATH] == procedure(after="second")
    with pytest.raises(errors.Conflict):
        office.run("second", lambda s, u: publishing.decide(s, asked, user=u, agree=False))


def test_a_refused_publication_stays_out(office):
    first = office.deploy()
    office.run(
        "admin", lambda s, u: publishing.set_policy(s, user=u, gate="error", second_approver=True, scenarios=False)
    )
    copy_id = office.copy(first)
    office.write(copy_id, procedure(after="second"))
    asked = office.propose(copy_id)
    office.run("second", lambda s, u: publishing.decide(s, asked, user=u, agree=False, note="期限太短"))
    assert office.publication(asked).status == "rejected"
    assert office.latest() == first


def test_a_publication_comes_into_force_at_its_hour(office):
    with clock.travel(NOW):
        first = office.deploy()
        copy_id = office.copy(first)
        office.write(copy_id, procedure(after="second"))
        asked = office.propose(copy_id, effective_at=NOW + timedelta(days=3))
        assert office.publication(asked).status == "scheduled"
        office.worker.run_due()
        assert office.latest() == first
        clock.advance(timedelta(days=3, seconds=1))
        assert office.worker.run_due() == 1
        done = office.publication(asked)
        assert done.status == "published"
        assert office.latest() == done.deployment_id


def test_scenarios_that_passed_when_it_was_scheduled_still_count_at_its_hour(office):
    with clock.travel(NOW):
        first = office.deploy()
        copy_id = office.copy(first)
        office.write(copy_id, procedure(after="second"))
        office.write(copy_id, b"name: x\nsteps: []\n", path="processes/p/scenarios/x.yaml")
        office.run(
            "admin", lambda s, u: publishing.set_policy(s, user=u, gate="error", second_approver=True, scenarios=True)
        )
        with pytest.raises(ScenariosOpen):
            office.propose(copy_id, effective_at=NOW + timedelta(days=3))

        def passed(session, user):
            run = scenarioruns.ask(session, copy_id, user=user)
            scenarioruns.begin(session, run.id)
            scenarioruns.record(session, run.id, {path: {"ok": True} for path in run.paths})
            scenarioruns.finish(session, run.id, {})

        office.run("owner", passed)
        asked = office.propose(copy_id, effective_at=NOW + timedelta(days=3))
        # What is edited meanwhile is another matter.
        office.write(copy_id, procedure(after="third"))
        office.run("second", lambda s, u: publishing.decide(s, asked, user=u, agree=True, note="同意"))
        assert office.publication(asked).status == "scheduled"
        clock.advance(timedelta(days=3, seconds=1))
        assert office.worker.run_due() == 1
        done = office.publication(asked)
        assert (done.status, done.failure) == ("published", "")
        files = office.run("admin", lambda s, u: deployments.bundle(s, done.deployment_id).files)
        assert files[PATH] == procedure(after="second")


def test_a_scheduled_publication_can_be_withdrawn(office):
    with clock.travel(NOW):
        first = office.deploy()
        copy_id = office.copy(first)
        office.write(copy_id, procedure(after="second"))
        asked = office.propose(copy_id, effective_at=NOW + timedelta(days=3))
        office.run("owner", lambda s, u: publishing.withdraw(s, asked, user=u))
        clock.advance(timedelta(days=4))
        office.worker.run_due()
        assert office.publication(asked).status == "withdrawn"
        assert office.latest() == first


def test_a_scheduled_publication_that_no_longer_holds_keeps_the_former_version(office):
    with clock.travel(NOW):
        first = office.deploy()
        late, quick = office.copy(first), office.copy(first)
        office.write(late, procedure(after="late"))
        asked = office.propose(late, effective_at=NOW + timedelta(days=3))
        office.write(quick, procedure(after="quick"))
        done = office.publication(office.propose(quick))
        clock.advance(timedelta(days=4))
        office.worker.run_due()
        failed = office.publication(asked)
        assert failed.status == "failed"
        assert "已发布第" in failed.failure
        assert office.latest() == done.deployment_id


def test_one_click_brings_the_former_version_back_for_new_cases(office):
    first = office.deploy()
    copy_id = office.copy(first)
    office.write(copy_id, procedure(after="second"))
    office.write(copy_id, procedure(pid="q"), path="processes/q/q.bpmn")
    asked = office.propose(copy_id)
    second = office.publication(asked).deployment_id
    running = office.start()
    office.run("owner", lambda s, u: publishing.take_back(s, asked, user=u))
    assert office.latest() == first
    assert office.version(office.start()) == first
    assert office.version(running) == second
    with pytest.raises(errors.NotFound):
        office.latest("q")


def test_who_was_overtaken_has_to_merge_or_to_say_so(office):
    first = office.deploy()
    mine, theirs = office.copy(first), office.copy(first, who="second")
    office.write(theirs, procedure(after="theirs"), who="second")
    office.propose(theirs, who="second")
    office.write(mine, procedure(after="mine"))
    with pytest.raises(Overtaken):
        office.propose(mine)
    assert office.publication(office.propose(mine, overwrite=True)).status == "published"


def test_merging_takes_over_what_others_published(office):
    first = office.deploy()
    mine, theirs = office.copy(first), office.copy(first, who="second")
    office.write(theirs, procedure(pid="q"), path="processes/q/q.bpmn", who="second")
    office.propose(theirs, who="second")
    office.write(mine, procedure(after="mine"))
    merged = office.run("owner", lambda s, u: merges.merge(s, mine, user=u))
    assert merged.taken == ["processes/q/q.bpmn"]
    assert merged.conflicts == []
    done = office.publication(office.propose(mine))
    files = office.run("admin", lambda s, u: deployments.bundle(s, done.deployment_id).files)
    assert files[PATH] == procedure(after="mine")
    assert files["processes/q/q.bpmn"] == procedure(pid="q")


def test_merging_keeps_mine_where_both_changed_and_says_so(office):
    first = office.deploy()
    mine, theirs = office.copy(first), office.copy(first, who="second")
    office.write(theirs, procedure(after="theirs"), who="second")
    office.propose(theirs, who="second")
    office.write(mine, procedure(after="mine"))
    merged = office.run("owner", lambda s, u: merges.merge(s, mine, user=u))
    assert merged.conflicts == [PATH]
    assert office.publication(office.propose(mine)).status == "published"


def test_two_publications_at_once_both_keep_the_rules(office):
    first = office.deploy()
    copies = [office.copy(first) for _ in range(4)]
    for number, copy_id in enumerate(copies):
        office.write(copy_id, procedure(after=f"step{number}"))

    def publish(copy_id):
        try:
            return office.publication(office.propose(copy_id)).status
        except (Overtaken, errors.Conflict, errors.Busy) as problem:
            return problem.code

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(publish, copies))
    assert sorted(results) == ["overtaken", "overtaken", "overtaken", "published"]
    latest = office.run(
        "admin", lambda s, u: s.scalars(select(ProcessDefinition.id).where(ProcessDefinition.latest)).all()
    )
    assert len(latest) == 1


def test_the_report_before_publishing_sorts_every_running_case(office):
    first = office.deploy({**FILES, PATH: procedure(after="second")})
    before, behind = office.start(), office.start()
    office.complete(behind)
    copy_id = office.copy(first)
    changed = procedure(after="second", inner='<zeebe:priorityDefinition priority="90"/>')
    office.write(copy_id, changed)
    seen = office.run("owner", lambda s, u: impacts.of_copy(s, copy_id, user=u))
    assert seen.total == 2
    assert seen.counts == {"unaffected": 0, "stays": 1, "automatic": 1, "choice": 0, "blocked": 0}
    assert [group.ids for group in seen.of("automatic")] == [[before]]
    assert [(group.ids, group.at) for group in seen.of("stays")] == [([behind], ("second",))]


def test_chosen_cases_come_along_and_can_go_back(office):
    first = office.deploy({**FILES, PATH: procedure(after="second")})
    cases = [office.start() for _ in range(3)]
    copy_id = office.copy(first)
    office.write(copy_id, procedure(name="check", after="third"))
    moves = [Move(deployment_id=first, ids=tuple(cases[:2]), names={}, canary=1)]
    with pytest.raises(errors.Forbidden, match="管理员"):
        office.propose(copy_id, moves=moves)
    done = office.publication(office.propose(copy_id, who="admin", moves=moves))
    with office.database.transaction() as session:
        assert batches.step(session)
    moved = [office.version(case) for case in cases]
    assert moved == [done.deployment_id, first, first]
    office.run("admin", lambda s, u: batches.go_on(s, done.batches[0], user=u))
    with office.database.transaction() as session:
        assert batches.step(session)
    assert [office.version(case) for case in cases] == [done.deployment_id, done.deployment_id, first]
    undo = office.run("admin", lambda s, u: batches.revert(s, done.batches[0], user=u, reason="先不迁").id)
    for _ in range(2):
        with office.database.transaction() as session:
            batches.step(session)
    assert undo
    assert [office.version(case) for case in cases] == [first] * 3


def test_publishing_is_in_the_audit_log(office):
    first = office.deploy()
    copy_id = office.copy(first)
    office.write(copy_id, procedure(after="second"))
    asked = office.propose(copy_id, note="加一步复核", version_tag="2026.1")
    events = office.run("admin", lambda s, u: list(s.scalars(select(Event).where(Event.kind == "published"))))
    assert events[0].data["publication"] == asked
    assert events[0].data["note"] == "加一步复核"
    assert events[0].user_id is not None


def test_every_step_on_the_way_is_in_the_audit_log(office):
    with clock.travel(NOW):
        copy_id = office.copy(office.deploy())
        office.write(copy_id, procedure(after="second"))
        rule = {"gate": "error", "second_approver": True, "scenarios": False}
        office.run("admin", lambda s, u: publishing.set_policy(s, user=u, **rule))
        office.run("admin", lambda s, u: publishing.set_policy(s, user=u, **{**rule, "gate": "warning"}))
        office.run("admin", lambda s, u: publishing.set_policy(s, user=u, **rule))
        refused = office.propose(copy_id, note="一")
        office.run("second", lambda s, u: publishing.decide(s, refused, user=u, agree=False, note="再想想"))
        dropped = office.propose(copy_id, note="二", effective_at=NOW + timedelta(days=1))
        office.run("second", lambda s, u: publishing.decide(s, dropped, user=u, agree=True))
        office.run("owner", lambda s, u: publishing.withdraw(s, dropped, user=u))
        done = office.propose(copy_id, note="三", version_tag="2026.2")
        office.run("second", lambda s, u: publishing.decide(s, done, user=u, agree=True))
        office.run("owner", lambda s, u: publishing.take_back(s, done, user=u))

        def told(session, _user):
            rows = session.execute(
                select(Event.kind, User.username, Event.data)
                .join(User, User.id == Event.user_id)
                .where(Event.kind.like("publi%"))
                .order_by(Event.id)
            ).all()
            return [(kind, who, data.get("publication")) for kind, who, data in rows], rows

        lines, rows = office.run("admin", told)
        assert lines == [
            ("publishing_policy_set", "admin", None),
            ("publishing_policy_set", "admin", None),
            ("publishing_policy_set", "admin", None),
            ("publication_proposed", "owner", refused),
            ("publication_rejected", "second", refused),
            ("publication_proposed", "owner", dropped),
            ("publication_approved", "second", dropped),
            ("publication_scheduled", "second", dropped),
            ("publication_withdrawn", "owner", dropped),
            ("publication_proposed", "owner", done),
            ("publication_approved", "second", done),
            ("published", "second", done),
            ("publication_taken_back", "owner", done),
        ]
        assert rows[1][2] == {"before": rule, "after": {**rule, "gate": "warning"}}


def test_only_owners_publish_and_a_note_is_needed(office):
    copy_id = office.copy(office.deploy())
    with pytest.raises(errors.NotFound):
        office.propose(copy_id, who="wang")
    with pytest.raises(errors.InvalidInput, match="发布说明"):
        office.propose(copy_id, note="  ")


def test_publishing_the_same_content_again_makes_no_new_version(office):
    first = office.deploy()
    copy_id = office.copy(first)
    assert office.publication(office.propose(copy_id)).deployment_id == first
    assert sha256(b"") != ""

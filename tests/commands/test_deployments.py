from __future__ import annotations

import threading

import pytest

from service import clock, engine, errors
from service.commands.procedures import deployments
from service.models import Deployment, DeploymentFile, Job, ProcessDefinition, Subscription
from tests.engine.diagrams import user

from .conftest import DESK, END, START, Office, diagram, form, service

ONE = diagram(START + user("a", DESK) + END, "s -> a -> e")
TWO = diagram(START + user("a", DESK) + user("b", DESK) + END, "s -> a -> b -> e")
LISTENING = (
    '<message id="m" name="paid"/>',
    '<startEvent id="s"><messageEventDefinition messageRef="m"/></startEvent>',
)


def definitions(office: Office) -> list[tuple[int, bool]]:
    return [(one.version, one.latest) for one in office.rows(ProcessDefinition, process_id="p")]


def test_a_bundle_is_kept_whole_in_the_database(office: Office):
    deployment = office.deploy(ONE, f__form=form("f", "x"))
    assert sorted(one.path for one in office.rows(DeploymentFile, deployment_id=deployment)) == ["d0.bpmn", "f.form"]
    (definition,) = office.rows(ProcessDefinition)
    assert (definition.starters, definition.path) == (["applicant.drafter"], "d0.bpmn")
    assert definition.start_events[0]["kind"] == "none"


def test_unchanged_content_makes_no_new_version(office: Office):
    assert office.deploy(ONE) == office.deploy(ONE)
    assert definitions(office) == [(1, True)]


def test_changed_content_makes_a_new_version_and_running_cases_stay(office: Office):
    office.deploy(ONE)
    old = office.start()
    office.deploy(TWO)
    new = office.start()
    assert definitions(office) == [(1, False), (2, True)]
    office.do(old, "a")
    office.do(new, "a")
    assert office.instance(old).status == "completed"
    assert list(office.open(new)) == ["b"]


def test_former_content_deployed_again_comes_back_into_force(office: Office):
    first = office.deploy(ONE)
    office.deploy(TWO)
    assert office.deploy(ONE) == first
    assert definitions(office) == [(1, True), (2, False)]


def test_a_failed_deployment_changes_nothing(office: Office):
    office.deploy(ONE)
    with pytest.raises(engine.BundleRejected) as refused:
        office.deploy(diagram(START + user("a", DESK) + user("lost", DESK) + END, "s -> a -> e"))
    assert any(finding.element_id == "lost" for finding in refused.value.findings)
    assert definitions(office) == [(1, True)]
    assert len(office.rows(Deployment)) == 1


def test_a_topic_that_no_worker_serves_is_refused(office: Office):
    files = {"d.bpmn": diagram(START + service("a", "unheard_of") + END, "s -> a -> e")}
    with pytest.raises(engine.BundleRejected), office.database.transaction() as session:
        deployments.deploy(session, files, user=office.fresh(session, office.admin), topics={"notify"})


def test_only_process_owners_deploy(office: Office):
    with pytest.raises(errors.Forbidden), office.database.transaction() as session:
        deployments.deploy(session, {"d.bpmn": ONE}, user=office.fresh(session, office.li))


def test_only_the_newest_version_listens_for_its_start_message(office: Office):
    message, start = LISTENING
    office.deploy(diagram(start + user("a", DESK) + END, "s -> a -> e", globals=message))
    office.deploy(diagram(start + user("b", DESK) + END, "s -> b -> e", globals=message))
    (subscription,) = office.rows(Subscription)
    (latest,) = office.rows(ProcessDefinition, latest=True)
    assert (subscription.definition_id, subscription.name) == (latest.id, "paid")
    office.deploy(ONE)
    assert office.rows(Subscription) == []


def test_a_timer_start_has_a_job_and_a_newer_version_replaces_it(office: Office):
    start = '<startEvent id="s"><timerEventDefinition><timeCycle>R/P1Y</timeCycle></timerEventDefinition></startEvent>'
    office.deploy(diagram(start + user("a", DESK) + END, "s -> a -> e"))
    (job,) = office.jobs()
    assert (job.kind, job.status) == ("start", "queued")
    assert job.due_at > clock.now()
    office.deploy(diagram(start + user("b", DESK) + END, "s -> b -> e"))
    assert [one.status for one in office.rows(Job)] == ["cancelled", "queued"]


def test_two_deployments_at_once_give_two_versions(office: Office):
    failures = []

    def deploy(number: int) -> None:
        try:
            office.deploy(diagram(START + user(f"a{number}", DESK) + END, f"s -> a{number} -> e"))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=deploy, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(version for version, _ in definitions(office)) == [1, 2, 3, 4, 5, 6]
    assert [latest for _, latest in definitions(office)].count(True) == 1


def test_documentation_and_properties_are_readable_without_the_engine(office: Office):
    office.deploy(diagram(START + user("a", DESK) + END, "s -> a -> e", title="=caseNumber"))
    (definition,) = office.rows(ProcessDefinition)
    assert definition.properties["title"] == "=caseNumber"

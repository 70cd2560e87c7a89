"""Put bundles of diagrams, tables, forms and templates into service, and hand them to the engine."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from service import clock, engine, errors, permissions, wording
from service.commands.cases import history, jobrows, jobs
from service.models import (
    Authority,
    Deployment,
    DeploymentFile,
    Job,
    ProcessDefinition,
    Role,
    Subscription,
    User,
)

from .catalogue import CATALOGUE

BundleRejected = engine.BundleRejected
Finding = engine.Finding
MAX_CACHED = 32
SCENARIO = ".yaml"


def deploy(
    session: Session,
    files: Mapping[str, bytes],
    *,
    user: User,
    note: str = "",
    topics: Collection[str] | None = None,
) -> Deployment:
    """Put a bundle into service: new cases start on it, running ones stay where they are.

    The content a deployment already holds makes no new version; deployed again after a newer one, it comes
    back into force. ``topics`` are the service-task topics a worker knows; others are refused.
    """
    if not permissions.may_deploy(user, user.authority_id):
        raise errors.Forbidden()
    authority_id = user.authority_id
    # One deployment at a time for an authority: version numbers have no gaps and one definition is the latest.
    session.execute(select(Authority.id).where(Authority.id == authority_id).with_for_update(key_share=True))
    bundle = _read(session, files, topics)
    deployment = session.scalar(
        select(Deployment).where(Deployment.authority_id == authority_id, Deployment.bundle_hash == bundle.hash)
    )
    if deployment is None:
        deployment = _record(session, bundle, authority_id, user, note)
    elif all(definition.latest for definition in deployment.definitions):
        _keep_scenarios(session, deployment, files)
        return deployment
    _keep_scenarios(session, deployment, files)
    _put_into_force(session, deployment, user, note)
    return deployment


def reinstate(session: Session, deployment_id: int, *, user: User, note: str = "") -> Deployment:
    """Start new cases on a former deployment again; what it was validated by then still counts."""
    deployment = session.get(Deployment, deployment_id)
    if deployment is None or not permissions.may_deploy(user, deployment.authority_id):
        raise errors.NotFound()
    session.execute(select(Authority.id).where(Authority.id == deployment.authority_id).with_for_update(key_share=True))
    if not all(definition.latest for definition in deployment.definitions):
        _put_into_force(session, deployment, user, note)
    return deployment


def retire(session: Session, deployment_id: int, *, user: User) -> None:
    """Let no new case start on a deployment any more; those that run go on."""
    deployment = session.get(Deployment, deployment_id)
    if deployment is None or not permissions.may_deploy(user, deployment.authority_id):
        raise errors.NotFound()
    still = [one.process_id for one in deployment.definitions if one.latest]
    if still:
        _retire(session, deployment.authority_id, still)


def _put_into_force(session: Session, deployment: Deployment, user: User, note: str) -> None:
    _retire(session, deployment.authority_id, [definition.process_id for definition in deployment.definitions])
    for definition in deployment.definitions:
        definition.latest = True
    session.flush()
    _listen(session, deployment)
    data = {
        "deployment": deployment.id, "version": deployment.version, "hash": deployment.bundle_hash, "note": note,
    }  # fmt: skip
    history.note_authority(session, deployment.authority_id, "deployed", user, data)


def validate(
    session: Session, files: Mapping[str, bytes], *, topics: Collection[str] | None = None
) -> list[engine.Finding]:
    """What would be said about these files at their deployment, against the roles and lanes of today."""
    roles = session.execute(select(Role.code, Role.lane)).all()
    lanes = {lane: code for code, lane in roles if lane}
    return engine.validate(files, [code for code, _ in roles], lanes, topics, CATALOGUE)


def bundle(session: Session, deployment_id: int) -> engine.Bundle:
    """The bundle of a deployment, parsed once per process however many instances run on it."""
    # Held by the session, or each look at the same case would ask the database for it again.
    held: dict[int, Deployment] = session.info.setdefault("deployments", {})
    deployment = held.get(deployment_id) or session.get(Deployment, deployment_id)
    if deployment is None:
        raise errors.NotFound()
    held[deployment_id] = deployment
    return _cache.get(session, deployment)


def drawn(session: Session, deployment_id: int, process_id: str, diagram: bytes) -> bytes:
    """The diagram of a process with its names in the language of whoever looks at it."""
    if not wording.is_english(session):
        return diagram
    return engine.diagram_in(diagram, wording.book(session, deployment_id).english.of_process(process_id))


def labels(session: Session, deployment_id: int) -> dict[tuple[str, str], str]:
    """What the elements of a deployment are called: (process, element) -> name, in the language of whoever looks."""
    try:
        models = bundle(session, deployment_id).models
    except engine.EngineError:  # its files are damaged; the ids will have to do
        return {}
    return {
        (process.id, node.id): wording.text(session, deployment_id, process.id, node.label)
        for process in models.values()
        for _scope, node in process.walk()
    }


def in_force(session: Session, files: Mapping[str, bytes], *, authority_id: int) -> bool:
    """True where exactly this content is what new cases start on: there is nothing to deploy."""
    definitions = session.scalars(
        select(ProcessDefinition.latest)
        .join(Deployment)
        .where(Deployment.authority_id == authority_id, Deployment.bundle_hash == engine.content_hash(files))
    ).all()
    return bool(definitions) and all(definitions)


def latest_version(session: Session, *, authority_id: int) -> int:
    """The number of the newest deployment of an authority; 0 where there is none."""
    return session.scalar(select(func.max(Deployment.version)).where(Deployment.authority_id == authority_id)) or 0


def latest(session: Session, process_id: str, *, authority_id: int) -> ProcessDefinition:
    """The definition on which new cases of a process start."""
    definition = session.scalar(
        select(ProcessDefinition).where(
            ProcessDefinition.authority_id == authority_id,
            ProcessDefinition.process_id == process_id,
            ProcessDefinition.latest,
        )
    )
    if definition is None:
        raise errors.NotFound(f"没有流程“{process_id}”。", f"There is no process “{process_id}”.")
    return definition


def _read(session: Session, files: Mapping[str, bytes], topics: Collection[str] | None) -> engine.Bundle:
    findings = validate(session, files, topics=topics)
    if any(finding.severity == "error" for finding in findings):
        raise engine.BundleRejected(findings)
    return engine.load_bundle(files)


def _record(session: Session, bundle: engine.Bundle, authority_id: int, user: User, note: str) -> Deployment:
    newest = session.scalar(select(func.max(Deployment.version)).where(Deployment.authority_id == authority_id))
    versions = dict(
        session.execute(
            select(ProcessDefinition.process_id, func.max(ProcessDefinition.version))
            .where(ProcessDefinition.authority_id == authority_id)
            .group_by(ProcessDefinition.process_id)
        ).all()
    )
    deployment = Deployment(
        authority_id=authority_id,
        bundle_hash=bundle.hash,
        version=(newest or 0) + 1,
        note=note,
        created_at=clock.now(),
        created_by_id=user.id,
        files=[DeploymentFile(path=path, content=content) for path, content in sorted(bundle.files.items())],
        definitions=[
            ProcessDefinition(
                authority_id=authority_id,
                process_id=info.id,
                name=info.name or info.id,
                version=versions.get(info.id, 0) + 1,
                latest=False,
                path=info.file,
                version_tag=info.version_tag,
                documentation=info.documentation,
                starters=_codes(info.properties.get("starter", "")),
                start_events=[asdict(start) for start in info.start_events],
                properties=dict(info.properties),
            )
            for info in bundle.processes.values()
        ],
    )
    session.add(deployment)
    session.flush()
    return deployment


def _keep_scenarios(session: Session, deployment: Deployment, files: Mapping[str, bytes]) -> None:
    """Keep the scenarios beside the bundle, for whoever edits it next. No case runs on them, so they may change."""
    scenarios = {path: content for path, content in files.items() if path.endswith(SCENARIO)}
    if not scenarios:
        return
    session.execute(
        delete(DeploymentFile).where(
            DeploymentFile.deployment_id == deployment.id, DeploymentFile.path.endswith(SCENARIO)
        )
    )
    session.execute(
        insert(DeploymentFile),
        [
            {"deployment_id": deployment.id, "path": path, "content": content}
            for path, content in sorted(scenarios.items())
        ],
    )


def _retire(session: Session, authority_id: int, process_ids: list[str]) -> None:
    """End the reign of what was the latest: nothing starts on it any more."""
    former = select(ProcessDefinition.id).where(
        ProcessDefinition.authority_id == authority_id,
        ProcessDefinition.process_id.in_(process_ids),
        ProcessDefinition.latest,
    )
    session.execute(delete(Subscription).where(Subscription.definition_id.in_(former)))
    session.execute(
        update(Job)
        .where(Job.definition_id.in_(former), Job.status.in_(("queued", "running")))
        .values(status="cancelled", finished_at=clock.now())
    )
    session.execute(
        update(ProcessDefinition)
        .where(ProcessDefinition.id.in_(former))
        .values(latest=False)
        .execution_options(synchronize_session="fetch")
    )


def _listen(session: Session, deployment: Deployment) -> None:
    """Wait for the messages and the hours at which the new definitions start by themselves."""
    now = clock.now()
    waiting: list[dict[str, Any]] = []
    for definition in deployment.definitions:
        for start in definition.start_events:
            if start["kind"] == "message":
                session.add(
                    Subscription(
                        authority_id=deployment.authority_id,
                        definition_id=definition.id,
                        element_id=start["element_id"],
                        process_id=definition.process_id,
                        name=start["message_name"],
                        created_at=now,
                    )
                )
            elif start["kind"] == "timer":
                waiting += jobrows.start_timer(definition, start, now=now)
    session.flush()
    jobs.enqueue(session, waiting)


def _codes(text: str) -> list[str]:
    return [code.strip() for code in text.split(",") if code.strip()]


class _Cache:
    """The bundles used last. Two threads that need the same one wait for one parse."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._bundles: OrderedDict[str, engine.Bundle] = OrderedDict()
        self._reading: dict[str, threading.Lock] = {}

    def get(self, session: Session, deployment: Deployment) -> engine.Bundle:
        key = deployment.bundle_hash
        found = self._find(key)
        if found is not None:
            return found
        with self._lock:
            reading = self._reading.setdefault(key, threading.Lock())
        with reading:
            found = self._find(key)
            if found is None:
                files = session.execute(
                    select(DeploymentFile.path, DeploymentFile.content).where(
                        DeploymentFile.deployment_id == deployment.id
                    )
                )
                found = engine.load_bundle(dict(files.all()))
                self._keep(key, found)
        return found

    def _find(self, key: str) -> engine.Bundle | None:
        with self._lock:
            if key in self._bundles:
                self._bundles.move_to_end(key)
            return self._bundles.get(key)

    def _keep(self, key: str, bundle: engine.Bundle) -> None:
        with self._lock:
            self._bundles[key] = bundle
            self._reading.pop(key, None)
            while len(self._bundles) > self._size:
                self._bundles.popitem(last=False)


_cache = _Cache(MAX_CACHED)

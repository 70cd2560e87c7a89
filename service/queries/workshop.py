"""The workshop: working copies, their files and history, what was published, and what diagrams may refer to."""

from __future__ import annotations

import html
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, load_only

from .. import english, errors, permissions, wording
from ..models import (
    Batch,
    BatchItem,
    Deployment,
    DeploymentFile,
    Event,
    Incident,
    Instance,
    Organisation,
    ProcessDefinition,
    Publication,
    PublishingPolicy,
    Revision,
    Role,
    User,
    WorkingCopy,
    WorkingFile,
)

KINDS = {".bpmn": "diagram", ".dmn": "table", ".form": "form", ".docx": "template", ".yaml": "scenario"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyRow:
    """A working copy in the list."""

    id: int
    name: str
    revision: int
    files: int
    created_by: str
    updated_by: str
    updated_at: datetime
    closed: bool
    deployment_version: int | None
    newest_version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """A file of a working copy."""

    path: str
    name: str
    title: str
    folder: str
    kind: str
    size: int
    sha256: str
    changed_at: datetime
    changed_by: str
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionRow:
    """A step of the history of a working copy."""

    number: int
    at: datetime
    who: str
    kind: str
    comment: str
    changes: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRow:
    """A deployment one can begin from."""

    id: int
    version: int
    note: str
    created_at: datetime
    created_by: str
    processes: list[str]
    in_force: bool
    running: int


def copies(session: Session, user: User, *, closed: bool = False) -> list[CopyRow]:
    """Return the working copies of the user's authority, the one changed last first."""
    if not permissions.may_deploy(user, user.authority_id):
        raise errors.Forbidden
    counts = (
        select(WorkingFile.working_copy_id, func.count().label("files"))
        .where(WorkingFile.until.is_(None))
        .group_by(WorkingFile.working_copy_id)
        .subquery()
    )
    newest = session.scalar(select(func.max(Deployment.version)).where(Deployment.authority_id == user.authority_id))
    query = (
        select(WorkingCopy, func.coalesce(counts.c.files, 0), Deployment.version)
        .outerjoin(counts, counts.c.working_copy_id == WorkingCopy.id)
        .outerjoin(Deployment, Deployment.id == WorkingCopy.deployment_id)
        .options(joinedload(WorkingCopy.created_by), joinedload(WorkingCopy.updated_by))
        .where(
            WorkingCopy.authority_id == user.authority_id,
            WorkingCopy.closed_at.is_not(None) if closed else WorkingCopy.closed_at.is_(None),
        )
        .order_by(WorkingCopy.updated_at.desc(), WorkingCopy.id.desc())
        .limit(200)
    )
    return [
        CopyRow(
            id=copy.id,
            name=copy.name,
            revision=copy.revision,
            files=files,
            created_by=copy.created_by.name,
            updated_by=copy.updated_by.name,
            updated_at=copy.updated_at,
            closed=copy.closed_at is not None,
            deployment_version=version,
            newest_version=newest,
        )
        for copy, files, version in session.execute(query).unique()
    ]


def copy(session: Session, user: User, copy_id: int) -> WorkingCopy:
    """Return a working copy, to look at."""
    found = session.get(WorkingCopy, copy_id)
    if found is None or not permissions.may_deploy(user, found.authority_id):
        raise errors.NotFound("没有这个工作副本。", "There is no such working copy.")
    return found


def files(session: Session, copy: WorkingCopy) -> list[FileRow]:
    """Return the files of a working copy as they are now, by path."""
    rows = session.execute(
        select(WorkingFile, User.name, func.length(WorkingFile.content))
        .join(User, User.id == WorkingFile.changed_by_id)
        .options(
            load_only(
                WorkingFile.path, WorkingFile.sha256, WorkingFile.title, WorkingFile.changed_at, WorkingFile.since
            )
        )
        .where(WorkingFile.working_copy_id == copy.id, WorkingFile.until.is_(None))
        .order_by(WorkingFile.path)
    )
    found = rows.all()
    users = _users_of_forms(session, copy, [row for row, _, _ in found if row.path.endswith(".bpmn")])
    return [
        FileRow(
            path=row.path,
            name=row.path.rpartition("/")[2],
            title=row.title or users.get(row.path.rpartition("/")[2].removesuffix(".form"), ""),
            folder=row.path.rpartition("/")[0],
            kind=kind_of(row.path),
            size=size,
            sha256=row.sha256,
            changed_at=row.changed_at,
            changed_by=who,
            since=row.since,
        )
        for row, who, size in found
    ]


_FORM_OF_TASK = re.compile(
    rb"<(?:\w+:)?(?:userTask|startEvent)\b([^>]*)>((?:(?!</(?:\w+:)?(?:userTask|startEvent)>).)*?formId=\"([^\"=]+)\")",
    re.DOTALL,
)
_NAME = re.compile(rb"\bname=\"([^\"]*)\"")
_known_forms: OrderedDict[str, dict[str, str]] = OrderedDict()


def _users_of_forms(session: Session, copy: WorkingCopy, diagrams: Sequence[WorkingFile]) -> dict[str, str]:
    """What the tasks are called that use a form, by its id: forms have no name of their own."""
    unknown = [row.sha256 for row in diagrams if row.sha256 not in _known_forms]
    if unknown:
        for sha256, content in session.execute(
            select(WorkingFile.sha256, WorkingFile.content).where(
                WorkingFile.working_copy_id == copy.id, WorkingFile.sha256.in_(unknown), WorkingFile.until.is_(None)
            )
        ):
            _known_forms[sha256] = _forms_in(content)
        while len(_known_forms) > 500:
            _known_forms.popitem(last=False)
    found: dict[str, str] = {}
    for row in diagrams:
        for form_id, name in _known_forms.get(row.sha256, {}).items():
            found.setdefault(form_id, name)
    return found


def _forms_in(content: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for attributes, _, form_id in _FORM_OF_TASK.findall(content):
        name = _NAME.search(attributes)
        if name:
            found.setdefault(
                form_id.decode("utf-8", "replace"), html.unescape(name.group(1).decode("utf-8", "replace"))
            )
    return found


def kind_of(path: str) -> str:
    """Say what a file is: diagram, table, form, template, scenario or English."""
    if english.is_file(path):
        return "english"
    return next((kind for suffix, kind in KINDS.items() if path.endswith(suffix)), "other")


def content(session: Session, copy: WorkingCopy, path: str) -> WorkingFile:
    """Return a file with what is in it."""
    found = session.scalar(
        select(WorkingFile)
        .options(joinedload(WorkingFile.changed_by))
        .where(WorkingFile.working_copy_id == copy.id, WorkingFile.path == path, WorkingFile.until.is_(None))
    )
    if found is None:
        raise errors.NotFound(f"没有文件“{path}”。", f"There is no file “{path}”.")
    return found


def history(session: Session, copy: WorkingCopy, *, limit: int = 100) -> list[RevisionRow]:
    """Return what was done to a working copy, newest first."""
    rows = session.execute(
        select(Revision, User.name)
        .join(User, User.id == Revision.user_id)
        .where(Revision.working_copy_id == copy.id)
        .order_by(Revision.number.desc())
        .limit(limit)
    )
    return [
        RevisionRow(
            number=row.number, at=row.at, who=who, kind=row.kind, comment=row.comment, changes=dict(row.changes)
        )
        for row, who in rows
    ]


def deployments(session: Session, user: User, *, limit: int = 50) -> list[DeploymentRow]:
    """Return the deployments of the user's authority, newest first."""
    if not permissions.may_deploy(user, user.authority_id):
        raise errors.Forbidden
    rows = session.execute(
        select(Deployment, User.name)
        .outerjoin(User, User.id == Deployment.created_by_id)
        .where(Deployment.authority_id == user.authority_id)
        .order_by(Deployment.version.desc())
        .limit(limit)
    ).all()
    ids = [row.id for row, _ in rows]
    definitions: dict[int, list[Any]] = {}
    for deployment_id, key, name, latest in session.execute(
        select(
            ProcessDefinition.deployment_id,
            ProcessDefinition.process_id,
            ProcessDefinition.name,
            ProcessDefinition.latest,
        )
        .where(ProcessDefinition.deployment_id.in_(ids))
        .order_by(ProcessDefinition.name)
    ):
        definitions.setdefault(deployment_id, []).append((key, name, latest))
    running = dict(
        session.execute(
            select(Instance.deployment_id, func.count())
            .where(Instance.deployment_id.in_(ids), Instance.status.in_(("active", "incident", "suspended")))
            .group_by(Instance.deployment_id)
        ).all()
    )
    return [
        DeploymentRow(
            id=row.id,
            version=row.version,
            note=row.note,
            created_at=row.created_at,
            created_by=who or "",
            processes=[wording.text(session, row.id, key, name) for key, name, _ in definitions.get(row.id, [])],
            in_force=any(latest for _, _, latest in definitions.get(row.id, [])),
            running=running.get(row.id, 0),
        )
        for row, who in rows
    ]


def deployed_files(session: Session, user: User, deployment_id: int) -> dict[str, bytes]:
    """Return the files of a deployment."""
    deployment = session.get(Deployment, deployment_id)
    if deployment is None or not permissions.may_deploy(user, deployment.authority_id):
        raise errors.NotFound("没有这个部署。", "There is no such deployment.")
    rows = session.execute(
        select(DeploymentFile.path, DeploymentFile.content).where(DeploymentFile.deployment_id == deployment_id)
    )
    return dict(rows.all())


def in_force(session: Session, deployment_id: int | None) -> bool:
    """Say whether new cases start on a deployment."""
    query = select(ProcessDefinition.id).where(
        ProcessDefinition.deployment_id == deployment_id, ProcessDefinition.latest
    )
    return session.scalar(query.limit(1)) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """A batch that moves cases, and how far it is."""

    id: int
    status: str
    total: int
    done: int
    failed: int
    pending: int


def batches(session: Session, ids: Sequence[int]) -> list[BatchRow]:
    """Return how far the batches of a publication are."""
    found = []
    for batch in session.scalars(select(Batch).where(Batch.id.in_(ids)).order_by(Batch.id)):
        rows = session.execute(
            select(BatchItem.status, func.count()).where(BatchItem.batch_id == batch.id).group_by(BatchItem.status)
        )
        counts = dict(rows.all())
        found.append(
            BatchRow(
                id=batch.id,
                status=batch.status,
                total=batch.total,
                done=counts.get("done", 0),
                failed=counts.get("failed", 0),
                pending=counts.get("pending", 0),
            )
        )
    return found


def process_of(session: Session, user: User, definition_id: int) -> str:
    """Return the process of a definition."""
    definition = session.get(ProcessDefinition, definition_id)
    if definition is None or definition.authority_id != user.authority_id:
        raise errors.NotFound("没有这个流程。", "There is no such process.")
    return definition.process_id


def case(session: Session, user: User, instance_id: int) -> Instance | None:
    """Return a case the user may see."""
    return session.scalar(
        select(Instance)
        .options(joinedload(Instance.definition))
        .where(Instance.id == instance_id, permissions.instances_seen_by(user))
    )


def elements(session: Session, user: User, instance_id: int) -> list[dict[str, Any]]:
    """Return where a case is and has been, as Camunda's element instances."""
    if case(session, user, instance_id) is None:
        return []
    found: dict[tuple[str, int | None], dict[str, Any]] = {}
    rows = session.scalars(
        select(Event)
        .where(Event.instance_id == instance_id, Event.kind.in_(("entered", "left", "cancelled")))
        .order_by(Event.id)
        .limit(5000)
    )
    for event in rows:
        key = (event.element_id or "", event.token)
        if event.kind == "entered" or key not in found:
            found[key] = {
                "elementInstanceKey": str(event.id),
                "processInstanceKey": str(instance_id),
                "elementId": event.element_id,
                "elementName": event.element_name,
                "state": "ACTIVE",
                "startDate": event.at.isoformat(),
                "endDate": None,
                "hasIncident": False,
                "tenantId": "<default>",
            }
        if event.kind != "entered":
            found[key] |= {
                "state": "COMPLETED" if event.kind == "left" else "TERMINATED",
                "endDate": event.at.isoformat(),
            }
    return list(found.values())


def incidents(session: Session, user: User, instance_id: int) -> list[dict[str, Any]]:
    """Return what is wrong with a case, as Camunda's incidents."""
    if case(session, user, instance_id) is None:
        return []
    rows = session.scalars(
        select(Incident)
        .where(Incident.instance_id == instance_id, Incident.resolved_at.is_(None))
        .order_by(Incident.id)
    )
    return [
        {
            "incidentKey": str(row.id),
            "processInstanceKey": str(instance_id),
            "elementId": row.element_id,
            "errorType": row.cause.upper(),
            "errorMessage": f"{row.message_zh} {row.message_en}",
            "creationTime": row.created_at.isoformat(),
            "state": "ACTIVE",
            "tenantId": "<default>",
        }
        for row in rows
    ]


def roles(session: Session) -> list[Role]:
    """Return every role, by party."""
    return list(session.scalars(select(Role).order_by(Role.party, Role.code)))


def organisations(session: Session, user: User) -> list[Organisation]:
    """Return the organisations of the user's authority, by name."""
    return list(
        session.scalars(
            select(Organisation).where(Organisation.authority_id == user.authority_id).order_by(Organisation.name)
        )
    )


def publications(session: Session, user: User, *, copy_id: int | None = None, limit: int = 50) -> Sequence[Publication]:
    """Return what was proposed and published, newest first."""
    if not permissions.may_deploy(user, user.authority_id):
        raise errors.Forbidden
    query = select(Publication).where(Publication.authority_id == user.authority_id)
    if copy_id is not None:
        query = query.where(Publication.working_copy_id == copy_id)
    return session.scalars(
        query.options(
            joinedload(Publication.proposed_by),
            joinedload(Publication.decided_by),
            joinedload(Publication.working_copy),
        )
        .order_by(Publication.id.desc())
        .limit(limit)
    ).all()


def publication(session: Session, user: User, publication_id: int) -> Publication:
    """Return one publication."""
    found = session.get(Publication, publication_id)
    if found is None or not permissions.may_deploy(user, found.authority_id):
        raise errors.NotFound("没有这次发布。", "There is no such publication.")
    return found


def policy(session: Session, authority_id: int) -> PublishingPolicy | None:
    """Return what an authority asks for before something is published, if it has said so."""
    return session.get(PublishingPolicy, authority_id)

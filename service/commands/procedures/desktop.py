"""What the deploy button of a desktop modeler means: these few files, put into the bundle that is in force.

A modeler sends the file that is open, and perhaps some beside it. Each takes the place of the file that holds the same
process, decision or form; what is new is added. So the rest of the bundle stays what it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import engine, errors, permissions, topics
from service.models import Deployment, DeploymentFile, ProcessDefinition, Publication, User

from . import checks, publishing, workshop
from .archives import MAX_FILE, MAX_TOTAL, safe_path
from .checks import Checked


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of it: the deployment, and for each file sent its path in the bundle."""

    deployment: Deployment | None
    publication: Publication
    paths: dict[str, str]


class Refused(errors.InvalidInput):
    """The files were not deployed; {count} problems were found."""

    zh_default = "未部署，发现 {count} 个问题。"
    code = "refused"

    def __init__(self, findings: list[Checked]) -> None:
        super().__init__(count=len(findings))
        self.findings = findings


def deploy(session: Session, sent: Mapping[str, bytes], *, user: User, note: str) -> Sent:
    """Put files into the bundle in force and publish it for new cases. Raises Refused with what is wrong."""
    if not permissions.may_deploy(user, user.authority_id):
        raise errors.Forbidden("只有流程负责人和管理员可以部署。", "Only process owners and administrators deploy.")
    if not sent:
        raise errors.InvalidInput("没有文件。", "There is no file.", field="resources")
    if any(len(content) > MAX_FILE for content in sent.values()) or sum(map(len, sent.values())) > MAX_TOTAL:
        raise errors.TooLarge("文件过大。", "The files are too large.", field="resources")
    base = _in_force(session, user)
    files = _files_of(session, base)
    paths = {name: _place(name, content, files) for name, content in sent.items()}
    for name, content in sent.items():
        files[paths[name]] = content
    gate = publishing.policy(session, user.authority_id).gate
    findings = publishing.stopped_by(checks.check(session, files, topics=topics.KNOWN), gate)
    if findings:
        raise Refused(findings)
    copy = workshop.create(session, f"桌面建模器：{'、'.join(sorted(sent))}"[:120], user=user, files=files)
    copy.deployment_id = base.id if base else None
    session.flush()
    publication = publishing.propose(session, copy.id, user=user, note=note, overwrite=True)
    return Sent(publication.deployment, publication, paths)


def _in_force(session: Session, user: User) -> Deployment | None:
    """The newest deployment on which new cases start."""
    return session.scalar(
        select(Deployment)
        .join(ProcessDefinition, ProcessDefinition.deployment_id == Deployment.id)
        .where(Deployment.authority_id == user.authority_id, ProcessDefinition.latest)
        .order_by(Deployment.version.desc())
        .limit(1)
    )


def _files_of(session: Session, deployment: Deployment | None) -> dict[str, bytes]:
    if deployment is None:
        return {}
    rows = session.execute(
        select(DeploymentFile.path, DeploymentFile.content).where(DeploymentFile.deployment_id == deployment.id)
    )
    return dict(rows.all())


def _place(name: str, content: bytes, files: Mapping[str, bytes]) -> str:
    """Where a file goes: in the place of the one that holds the same thing, or of the same name, or a new one."""
    name = name.replace("\\", "/").rpartition("/")[2]
    suffix = PurePosixPath(name).suffix
    own = _ids({name: content})
    for path in files:
        if path.endswith(suffix) and own & _ids({path: files[path]}):
            return path
    for path in files:
        if path.rpartition("/")[2] == name:
            return path
    stem = PurePosixPath(name).stem
    folder = {".form": "forms", ".bpmn": f"processes/{stem}", ".dmn": f"processes/{stem}"}.get(suffix, "templates")
    return safe_path(f"{folder}/{name}")


def _ids(file: Mapping[str, bytes]) -> set[tuple[str, str]]:
    contents = engine.read_contents(file)
    return (
        {("process", one) for one in contents.processes}
        | {("decision", one) for one in contents.decisions}
        | {("form", one) for one in contents.forms}
    )

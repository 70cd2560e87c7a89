"""Try-outs and runs of scenarios, and what of a draft can be tried out."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from .. import errors, permissions
from ..models import DryRun, ScenarioRun, User

_PROCESS = re.compile(rb"<(?:[\w-]+:)?process\b([^>]*)>")
_ATTRIBUTE = re.compile(rb"""\b(id|name|isExecutable)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


@dataclass(frozen=True, slots=True)
class ProcessChoice:
    """A procedure of a draft: its id, its name, its file."""

    id: str
    name: str
    file: str


def processes(files: Mapping[str, bytes]) -> list[ProcessChoice]:
    """Return the procedures in the diagrams of a draft, by name. Reads no more of a diagram than its head."""
    found = []
    for path, content in sorted(files.items()):
        if not path.endswith(".bpmn"):
            continue
        for match in _PROCESS.finditer(content):
            parts = {name.decode(): (one or other) for name, one, other in _ATTRIBUTE.findall(match.group(1))}
            process_id = parts.get("id", b"").decode("utf-8", "replace")
            if process_id and parts.get("isExecutable", b"true") != b"false":
                name = html.unescape(parts.get("name", b"").decode("utf-8", "replace"))
                found.append(ProcessChoice(process_id, name or process_id, path))
    return sorted(found, key=lambda one: one.name)


def diagram(files: Mapping[str, bytes], process_id: str) -> bytes:
    """Return the diagram a procedure is drawn in."""
    for one in processes(files):
        if one.id == process_id:
            return files[one.file]
    raise errors.NotFound("草稿中没有这个流程。", "There is no such procedure in the draft.")


def name_of(files: Mapping[str, bytes], process_id: str) -> str:
    """Return what a procedure of a draft is called."""
    return next((one.name for one in processes(files) if one.id == process_id), process_id)


_FLOW = re.compile(rb"<(?:[\w-]+:)?sequenceFlow\b([^>]*)>")
_ELEMENT = re.compile(rb"<(?:[\w-]+:)?(?!process|collaboration|participant|lane\b)\w+\b([^>]*\bid=[^>]*)>")
_PAIR = re.compile(rb"""\b(id|name|sourceRef|targetRef)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def flow_name(files: Mapping[str, bytes], process_id: str, flow: str) -> str:
    """Return what people call a sequence flow: where it comes from, its own name, where it leads."""
    names, flows = _drawn(diagram(files, process_id))
    name, source, target = flows.get(flow, ("", "", ""))
    if not source:
        return flow
    return f"{names.get(source) or source} → " + (f"（{name}）" if name else "") + (names.get(target) or target)


@lru_cache(maxsize=64)
def _drawn(content: bytes) -> tuple[dict[str, str], dict[str, tuple[str, str, str]]]:
    names: dict[str, str] = {}
    flows: dict[str, tuple[str, str, str]] = {}
    for match in _ELEMENT.finditer(content):
        parts = _parts(match.group(1))
        if parts.get("id"):
            names.setdefault(parts["id"], parts.get("name", ""))
    for match in _FLOW.finditer(content):
        parts = _parts(match.group(1))
        flows[parts.get("id", "")] = (parts.get("name", ""), parts.get("sourceRef", ""), parts.get("targetRef", ""))
    return names, flows


def _parts(attributes: bytes) -> dict[str, str]:
    found = _PAIR.findall(attributes)
    return {name.decode(): html.unescape((one or other).decode("utf-8", "replace")) for name, one, other in found}


def dry_run(session: Session, user: User, run_id: int) -> DryRun:
    """Return a try-out of the user's own."""
    run = session.scalar(select(DryRun).options(joinedload(DryRun.working_copy)).where(DryRun.id == run_id))
    if run is None or run.user_id != user.id or not permissions.may_deploy(user, run.authority_id):
        raise errors.NotFound("没有这次试运行。", "There is no such try-out.")
    return run


def dry_runs(session: Session, user: User, *, copy_id: int) -> Sequence[DryRun]:
    """Return the user's own try-outs of a working copy, the one used last first."""
    return session.scalars(
        select(DryRun)
        .where(DryRun.user_id == user.id, DryRun.working_copy_id == copy_id)
        .order_by(DryRun.used_at.desc(), DryRun.id.desc())
    ).all()


def scenario_runs(session: Session, user: User, *, copy_id: int, limit: int = 10) -> Sequence[ScenarioRun]:
    """Return the runs of a working copy's scenarios, newest first."""
    return session.scalars(
        select(ScenarioRun)
        .options(joinedload(ScenarioRun.started_by))
        .where(ScenarioRun.working_copy_id == copy_id, ScenarioRun.authority_id == user.authority_id)
        .order_by(ScenarioRun.id.desc())
        .limit(limit)
    ).all()

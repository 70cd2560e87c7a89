"""Numbers and files of official documents: a Word template of the bundle, filled in and kept."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from docxtpl import DocxTemplate
from jinja2 import StrictUndefined
from jinja2.exceptions import TemplateError, UndefinedError
from jinja2.sandbox import SandboxedEnvironment
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from service import clock, errors
from service.commands.bases import documents
from service.commands.inbox import attachments
from service.commands.procedures import deployments
from service.models import Organisation, Task
from service.models.register import Document
from service.storage import Folder

from . import case
from .registry import JobContext, topic

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
DEMONSTRATION = "（演示文书，内容为虚构）"
_SAME_DAY = (1980, 1, 1, 0, 0, 0)


class TemplateMissing(errors.ServiceError):
    """The bundle of this case has no document template “{template}”."""

    zh_default = "本案的流程版本中没有文件模板“{template}”。"
    code = "template_missing"


class TemplateBroken(errors.ServiceError):
    """The document template “{template}” cannot be filled in: {reason}."""

    zh_default = "文件模板“{template}”无法填充：{reason}。"
    code = "template_broken"


@topic("next_document_number")
def next_document_number(session: Session, job: JobContext) -> dict[str, Any]:
    """Take the next number of the series of the organisation that issues (the first one, where several do)."""
    issuers = _issuers(session, job)
    number = documents.next_document_number(session, issuers, case.header(job, "kind"), on=clock.today(job.now))
    return {"documentNumber": number}


@topic("issue_document")
def issue_document(session: Session, job: JobContext) -> dict[str, Any]:
    """Fill in the template, keep the file with the case, and enter the document under its number.

    A template sees the variables of the case; ``documentData`` adds to them.
    """
    found = session.scalar(select(Document).where(Document.job_key == job.key))
    if found is None:
        found = _issue(session, job)
    return {"document": facts(found)}


def _issue(session: Session, job: JobContext) -> Document:
    instance = case.instance_of(session, job)
    issuers = _issuers(session, job)
    number, title = case.text(job, "documentNumber"), case.text(job, "documentTitle")
    issued_on = case.day(job, "issuedOn", clock.today(job.now))
    name = case.header(job, "template")
    content = render(
        deployments.bundle(session, instance.deployment_id).templates,
        name,
        {
            **_plain(job.variables),
            **_plain(case.value(job, "documentData", {})),
            "documentNumber": number,
            "documentTitle": title,
            "issuers": [one.name for one in issuers],
            "issuedOn": chinese_day(issued_on.isoformat()),
            "mark": DEMONSTRATION if job.settings.demo else "",
            "signers": _signers(session, instance.id),
        },
    )
    file = attachments.keep(
        session,
        Folder(job.settings.files),
        io.BytesIO(content),
        f"{title}.docx",
        authority_id=instance.authority_id,
        media_type=DOCX,
        instance_id=instance.id,
    )
    return documents.add_document(
        session,
        kind=case.header(job, "kind"),
        number=number,
        title=title,
        issuers=issuers,
        issued_on=issued_on,
        file_name=file.name,
        media_type=file.media_type,
        size=file.size,
        sha256=file.sha256,
        storage_key=file.storage_key,
        base=case.base(session, job) if case.value(job, "base", None) else None,
        instance_id=instance.id,
        job_key=job.key,
    )


def _signers(session: Session, instance_id: int) -> dict[str, dict[str, str]]:
    """Who did each step of the case last, by the id of its task, and in whose place: 李明（代陈评）."""
    done = session.scalars(
        select(Task)
        .where(Task.instance_id == instance_id, Task.status == "completed", Task.completed_by_id.is_not(None))
        .options(joinedload(Task.completed_by), joinedload(Task.on_behalf_of))
        .order_by(Task.completed_at, Task.id)
    )
    return {
        one.element_id: {
            "name": f"{one.completed_by.name}（代{one.on_behalf_of.name}）"
            if one.on_behalf_of
            else one.completed_by.name,
            "on": chinese_day(clock.today(one.completed_at).isoformat()) if one.completed_at else "",
        }
        for one in done
        if one.completed_by is not None
    }


def facts(document: Document) -> dict[str, Any]:
    """A document as diagrams and forms see it."""
    return {
        "id": document.id,
        "number": document.number,
        "title": document.title,
        "fileName": document.file_name,
        "issuedOn": document.issued_on.isoformat(),
    }


def render(templates: Mapping[str, bytes], name: str, data: Mapping[str, Any]) -> bytes:
    """Fill a template of a bundle in. The template is data from outside: it runs in a sandbox, and gaps are errors."""
    source = templates.get(name) or templates.get(f"{name}.docx")
    if source is None:
        raise TemplateMissing(template=name)
    environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=True)
    environment.filters["day"] = chinese_day
    try:
        template = DocxTemplate(io.BytesIO(source))
        template.render(dict(data), jinja_env=environment, autoescape=True)
        made = io.BytesIO()
        template.save(made)
    except UndefinedError as error:
        raise TemplateBroken(template=name, reason=str(error)) from error
    except (TemplateError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise TemplateBroken(template=name, reason=str(error)) from error
    return _same_bytes(made.getvalue())


def _same_bytes(content: bytes) -> bytes:
    """The same document again has the same bytes: an archive without the moment it was packed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist()):
            entry = zipfile.ZipInfo(name, _SAME_DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, old.read(name))
    return packed.getvalue()


def chinese_day(value: Any) -> str:
    """2026-03-05 -> 2026年3月5日; anything else as it is."""
    try:
        year, month, day = (int(part) for part in str(value)[:10].split("-"))
    except ValueError:
        return "" if value is None else str(value)
    return f"{year}年{month}月{day}日"


def _plain(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise errors.InvalidInput("documentData 应为一个对象。", "documentData has to be a context.")
    return {str(key): _text(one) for key, one in value.items()}


def _text(value: Any) -> Any:
    """Nothing reads as an empty place in a document and not as the word None."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return {str(key): _text(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_text(one) for one in value]
    return value


def _issuers(session: Session, job: JobContext) -> list[Organisation]:
    return [case.party(session, job, code) for code in case.texts(job, "issuers")]

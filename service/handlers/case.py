"""What handlers read of their case: its authority, organisations by code, values of the expected kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, errors
from service.models import Instance, Organisation, User
from service.models.register import Base, Document

from .registry import JobContext


class WrongInput(errors.ServiceError):
    """The service task “{topic}” needs the variable “{name}”, and it is {value}."""

    zh_default = "服务任务“{topic}”需要变量“{name}”，现在的值是 {value}。"
    code = "wrong_input"


def instance_of(session: Session, job: JobContext) -> Instance:
    """The case a job belongs to."""
    found = session.get(Instance, job.instance_id) if job.instance_id is not None else None
    if found is None:
        raise errors.NotFound("任务不属于任何案件。", "The job belongs to no case.")
    return found


def value(job: JobContext, path: str, default: Any = ...) -> Any:
    """A variable by its path, such as ``application.baseName``; without a default it has to be there."""
    found: Any = job.variables
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    if found is None or found == "":
        if default is ...:
            raise WrongInput(topic=job.topic, name=path, value="null")
        return default
    return found


def text(job: JobContext, path: str, default: Any = ...) -> str:
    """A variable that is text."""
    found = value(job, path, default)
    if found is not default and not isinstance(found, str):
        raise WrongInput(topic=job.topic, name=path, value=repr(found)[:80])
    return found


def day(job: JobContext, path: str, default: Any = ...) -> date:
    """A variable that is a date or a moment, as the day it is in China."""
    found = value(job, path, default)
    if found is default:
        return found
    try:
        if isinstance(found, str) and "T" in found:
            moment = datetime.fromisoformat(found)
            return clock.today(moment) if moment.tzinfo else moment.date()
        return date.fromisoformat(found)
    except (TypeError, ValueError):
        raise WrongInput(topic=job.topic, name=path, value=repr(found)[:80]) from None


def number(job: JobContext, path: str, default: Any = ...) -> int:
    """A variable that is a whole number."""
    found = value(job, path, default)
    if found is default:
        return found
    if isinstance(found, bool) or not isinstance(found, (int, float)) or found != int(found):
        raise WrongInput(topic=job.topic, name=path, value=repr(found)[:80])
    return int(found)


def amount(job: JobContext, path: str, default: Any = ...) -> Decimal:
    """A variable that is a sum of money in 万元."""
    found = value(job, path, default)
    if found is default:
        return found
    try:
        return Decimal(str(found)).quantize(Decimal("0.01"))
    except InvalidOperation:
        raise WrongInput(topic=job.topic, name=path, value=repr(found)[:80]) from None


def texts(job: JobContext, path: str, default: Any = ...) -> list[str]:
    """A variable that is a list of texts; one text alone counts as a list of it."""
    found = value(job, path, default)
    if found is default:
        return found
    if isinstance(found, str):
        return [found]
    if not isinstance(found, Sequence) or not all(isinstance(one, str) for one in found):
        raise WrongInput(topic=job.topic, name=path, value=repr(found)[:80])
    return list(found)


def records(job: JobContext, path: str) -> list[Mapping[str, Any]]:
    """A variable that is a list of contexts; nothing is an empty list."""
    found = value(job, path, [])
    if not isinstance(found, Sequence) or not all(isinstance(one, Mapping) for one in found):
        raise WrongInput(topic=job.topic, name=path, value=repr(found)[:80])
    return list(found)


def header(job: JobContext, name: str, default: Any = ...) -> str:
    """A fixed text of the service task; where the task maps an input of the same name, that one counts."""
    found = job.headers.get(name)
    return found if found else text(job, name, default)


def organisation(session: Session, job: JobContext, code: str) -> Organisation:
    """An organisation of the case's authority by its code."""
    found = find_organisation(session, instance_of(session, job).authority_id, code)
    if found is None:
        raise errors.NotFound(f"没有代码为“{code}”的机构。", f"There is no organisation with the code “{code}”.")
    return found


def find_organisation(session: Session, authority_id: int, code: str) -> Organisation | None:
    """An organisation of an authority by its code, if there is one."""
    return session.scalar(
        select(Organisation).where(Organisation.authority_id == authority_id, Organisation.code == code)
    )


def party(session: Session, job: JobContext, name: str) -> Organisation:
    """The organisation that plays a party in this case: the case's own, or the office whose code is the party."""
    return organisation(session, job, value(job, f"parties.{name}", name))


def base(session: Session, job: JobContext, path: str = "base") -> Base:
    """The base a variable names by id or number, locked for this step."""
    found = value(job, path)
    condition = None
    if isinstance(found, Mapping) and isinstance(found.get("id"), int):
        condition = Base.id == found["id"]
    elif isinstance(found, Mapping) and isinstance(found.get("number"), str):
        condition = Base.number == found["number"]
    elif isinstance(found, str):
        condition = Base.number == found
    if condition is None:
        raise WrongInput(topic=job.topic, name=path, value=repr(found)[:80])
    authority_id = instance_of(session, job).authority_id
    row = session.scalar(select(Base).where(Base.authority_id == authority_id, condition).with_for_update())
    if row is None:
        raise errors.NotFound("登记库中没有这个基地。", "The register has no such base.")
    return row


def document(session: Session, job: JobContext, path: str = "document") -> Document | None:
    """The issued document a variable names by id, if it names one."""
    found = value(job, f"{path}.id", None)
    if found is None:
        return None
    row = session.get(Document, found)
    if row is None or row.authority_id != instance_of(session, job).authority_id:
        raise errors.NotFound("没有这份文件。", "There is no such document.")
    return row


def user(session: Session, job: JobContext, username: str) -> User:
    """An account of the case's authority by its name."""
    authority_id = instance_of(session, job).authority_id
    found = session.scalar(select(User).where(User.authority_id == authority_id, User.username == username))
    if found is None:
        raise errors.NotFound(f"没有账号“{username}”。", f"There is no account “{username}”.")
    return found


def iso(moment: date | None) -> str | None:
    """A day as diagrams have it."""
    return moment.isoformat() if moment else None

"""Facts that an office enters because procedures ask for them: filing periods, agendas of consultations, projects."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.commands.bases import column, cooperation, windows
from service.models.register import Project
from service.queries import register as read

from . import case
from .registry import BusinessError, JobContext, topic


@topic("record_window")
def record_window(session: Session, job: JobContext) -> None:
    """Announce when applications of a type are taken."""
    windows.announce_window(
        session,
        case.instance_of(session, job).authority_id,
        type=case.text(job, "window.type"),
        title=case.text(job, "window.title"),
        opens_on=case.day(job, "window.opensOn"),
        closes_on=case.day(job, "window.closesOn"),
        instance_id=job.instance_id,
    )


@topic("record_agenda")
def record_agenda(session: Session, job: JobContext) -> None:
    """Put the co-building of a park on a year's consultation with its province (article 5(2)1)."""
    column.list_on_agenda(
        session,
        case.organisation(session, job, case.text(job, "agenda.province")),
        year=case.number(job, "agenda.year"),
        title=case.text(job, "agenda.title"),
        listed_on=case.day(job, "agenda.listedOn"),
        park=case.organisation(session, job, case.text(job, "agenda.park")),
        record_number=case.text(job, "agenda.recordNumber", ""),
        instance_id=job.instance_id,
    )


@topic("record_project")
def record_project(session: Session, job: JobContext) -> None:
    """Enter a project of an institution; a number that is taken goes back to whoever typed it."""
    organisation = case.organisation(session, job, case.text(job, "project.organisation"))
    number, base = case.text(job, "project.number").strip(), case.text(job, "project.base", None)
    taken = select(Project.id).where(Project.authority_id == organisation.authority_id, Project.number == number)
    if session.scalar(taken) is not None:
        raise BusinessError("known_project", f"项目编号“{number}”已经登记。")
    programme = case.text(job, "project.programme")
    cooperation.add_project(
        session,
        organisation,
        number=number,
        name=case.text(job, "project.name"),
        programme=programme,
        level=case.text(job, "project.level"),
        status=case.text(job, "project.status", "ongoing"),
        special=programme == "special" and case.value(job, "project.special", False) is True,
        partner=case.text(job, "project.partner", ""),
        country=case.text(job, "project.country", ""),
        starts_on=case.day(job, "project.startsOn"),
        ends_on=case.day(job, "project.endsOn", None),
        funding=case.amount(job, "project.funding", None),
        base=read.find(session, organisation.authority_id, base) if base else None,
        instance_id=job.instance_id,
    )

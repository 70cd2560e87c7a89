"""Who sees a case, its variables, its files and the comments on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, exists, false, or_, select, union_all

from ..models import FIXED_PARTIES, CaseParty, Instance, Task, TaskCandidate
from ..models import Attachment as AttachmentRow
from ..models.identity import User
from .offers import is_asked, offers
from .people import desk_authorities, expert_authorities, parties
from .tasks import party_of


def may_see_instance(user: User, instance: Instance, members: Iterable[CaseParty], tasks: Iterable[Task]) -> bool:
    """A case is open to its parties, to the desks of its authority, and to whoever is asked about it.

    An expert keeps sight of a case they gave an opinion on; anybody else's sight ends with their part in it.
    """
    members = list(members)
    if instance.authority_id in desk_authorities(user):
        return True
    if {(one.organisation_id, one.party) for one in members} & parties(user):
        return True
    if not members and user.active and instance.started_by_id == user.id:
        return True
    expert = instance.authority_id in expert_authorities(user)
    return any(
        is_asked(user, task, task.candidates) or (expert and user.id in (task.completed_by_id, task.assignee_id))
        for task in tasks
    )


def instances_seen_by(user: User) -> ColumnElement[bool]:
    """``may_see_instance`` as a condition on ``Instance``."""
    doors = instance_doors(user)
    party = Instance.id.in_(select(CaseParty.instance_id).where(or_(false(), *doors.of_party)))
    return or_(*doors.of_instance, party) if doors.of_party else or_(false(), *doors.of_instance)


class InstanceDoors(NamedTuple):
    """The same, one condition for each way to see a case, so that a list can follow an index for each."""

    of_instance: list[ColumnElement[bool]]
    of_party: list[ColumnElement[bool]]


def instance_doors(user: User) -> InstanceDoors:
    """Return the conditions on ``Instance``, and those on ``CaseParty``, of which each opens a case to the user."""
    if not user.active:
        return InstanceDoors([], [])
    desks = sorted(desk_authorities(user))
    of_instance = [Instance.authority_id == desk for desk in desks]
    of_instance.append(Instance.id.in_(_asked(user, desks)))
    of_party = [
        and_(CaseParty.organisation_id == organisation, CaseParty.party == party)
        for organisation, party in sorted(parties(user))
        if party not in FIXED_PARTIES
    ]
    return InstanceDoors(of_instance, of_party)


def _asked(user: User, desks: list[int]) -> CompoundSelect[int]:
    """The ids of the cases the user began or is asked about, where no desk opens them anyway.

    A union, so that each part finds its index; what is offered to an officer's desk is too much to go through
    for nothing.
    """
    parts = [
        begun_without_parties(user),
        select(Task.instance_id).where(Task.status == "open", Task.assignee_id == user.id),
    ]
    for offer in offers(user, desks):
        offered = select(Task.instance_id).join(TaskCandidate).where(offer)
        parts.append(offered.where(Task.status == "open", Task.assignee_id.is_(None)))
    if expert := sorted(expert_authorities(user) - set(desks)):
        asked = select(Task.instance_id).where(Task.authority_id.in_(expert))
        parts.append(asked.where(Task.completed_by_id == user.id))
        parts.append(asked.where(Task.assignee_id == user.id))
    return union_all(*parts)


def begun_without_parties(user: User) -> Select[int]:
    """The ids of the cases that are open to the user because they began them and nobody is party to them."""
    partyless = ~exists().where(CaseParty.instance_id == Instance.id).correlate(Instance)
    return select(Instance.id).where(Instance.started_by_id == user.id, partyless)


def may_see_variables(user: User, instance: Instance) -> bool:
    """The data of a case hold scores and opinions: for desks only. Others see forms, task by task."""
    return instance.authority_id in desk_authorities(user)


# Files


def may_open_files(user: User, instance: Instance, members: Iterable[CaseParty], asked: Iterable[Task]) -> bool:
    """Whether somebody who sees a case may open what its parties brought.

    ``asked`` are the tasks the user has or had there. Who is only asked about a case waits for a task that discloses
    it: a declaration of interests (property ``discloses`` = false) comes before the content.
    """
    if instance.authority_id in desk_authorities(user) or instance.started_by_id == user.id:
        return True
    if {(one.organisation_id, one.party) for one in members} & parties(user):
        return True
    return any(task.properties.get("discloses") != "false" for task in asked)


def may_see_attachment(user: User, attachment: AttachmentRow, *, sees_instance: bool, sees_task: bool) -> bool:
    """A file belongs to whoever uploaded it until it is part of a case.

    There, what experts and desks attach to their tasks is for those who see the task; what the parties bring and
    what the platform issues is for all who see the case.
    """
    if attachment.instance_id is None:
        return user.active and attachment.uploaded_by_id == user.id
    if attachment.task is None or party_of(attachment.task) not in FIXED_PARTIES:
        return sees_instance
    return sees_task


# Comments


RECOMMENDING = frozenset({"recommender", "zone", "province"})
"""Parties that speak for an application towards the ministry."""


def comment_audiences(user: User, instance: Instance, members: Iterable[CaseParty]) -> list[str]:
    """Whose comments on a case the user reads, and writes, the closest circle first.

    The desks read all, the recommending side what is not kept inside, other parties what is meant for them. Experts
    read none: their opinion is their own.
    """
    if instance.authority_id in desk_authorities(user):
        return ["internal", "recommender", "applicant"]
    spoken = {party for organisation, party in parties(user) if _is_member(members, organisation, party)}
    if spoken & RECOMMENDING:
        return ["recommender", "applicant"]
    return ["applicant"] if spoken or (user.active and instance.started_by_id == user.id) else []


def _is_member(members: Iterable[CaseParty], organisation: int, party: str) -> bool:
    return any((one.organisation_id, one.party) == (organisation, party) for one in members)

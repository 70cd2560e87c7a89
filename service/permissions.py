"""Who may do and see what. Nothing else decides.

Rules come as a question about things at hand (``may_see_instance``) and, where lists are read, as the same rule for
the database (``instances_seen_by``); a test holds random cases against both. All of them look at the memberships
that count today: a role lost is a right lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, exists, false, func, or_, select, union_all

from . import clock
from .models import (
    FIXED_PARTIES,
    CaseParty,
    Deputy,
    Exclusion,
    InboxView,
    Instance,
    Membership,
    Organisation,
    ProcessDefinition,
    Task,
    TaskCandidate,
)
from .models import Attachment as AttachmentRow
from .models.identity import User

DESKS = FIXED_PARTIES - {"experts"}
"""Offices that see every case of their authority. Experts see only what they are asked about."""

ADMIN = "platform.admin"
OWNER = "platform.owner"

SIGNING = frozenset({"signatory", "decider"})
"""Functions that sign or decide: lent to a deputy only where that is said."""
PERSONAL = frozenset({"experts", "platform"})
"""Parties whose work is never lent: an expert's opinion is their own, and so is the power over the platform."""


# What a user holds


def held(user: User) -> list[Membership]:
    """Return the memberships that count today; none for a closed account."""
    today = clock.today()
    return [one for one in user.memberships if one.holds(today)] if user.active else []


def groups(user: User) -> set[tuple[int, str]]:
    """Return the (organisation, role) pairs whose tasks the user may do."""
    return {(one.organisation_id, one.role) for one in held(user)}


def parties(user: User) -> set[tuple[int, str]]:
    """Return the (organisation, party) pairs the user speaks for."""
    return {(one.organisation_id, one.party) for one in held(user)}


def desk_authorities(user: User) -> set[int]:
    """Return the authorities in which the user sits at a desk that sees every case."""
    return {one.organisation.authority_id for one in held(user) if one.party in DESKS}


def expert_authorities(user: User) -> set[int]:
    """Return the authorities that have the user among their experts."""
    return {one.organisation.authority_id for one in held(user) if one.party == "experts"}


def _has_role(user: User, authority_id: int, *roles: str) -> bool:
    return any(one.role in roles and one.organisation.authority_id == authority_id for one in held(user))


# The platform


def may_administer(user: User, authority_id: int) -> bool:
    """Accounts, incidents and repairs of an authority are its administrators' business."""
    return _has_role(user, authority_id, ADMIN)


def may_deploy(user: User, authority_id: int) -> bool:
    """Process owners and administrators put diagrams into service."""
    return _has_role(user, authority_id, ADMIN, OWNER)


def may_publish_message(user: User, authority_id: int) -> bool:
    """Messages move cases, so only the platform sends them by hand or by program."""
    return _has_role(user, authority_id, ADMIN, OWNER)


# Starting


def starting_organisations(user: User, definition: ProcessDefinition) -> list[Organisation]:
    """Return the organisations in whose name the user may start a case of this process."""
    roles = set(definition.starters) or {ADMIN, OWNER}
    found = {
        one.organisation_id: one.organisation
        for one in held(user)
        if one.role in roles and one.organisation.authority_id == definition.authority_id
    }
    return list(found.values())


def may_start(user: User, definition: ProcessDefinition, organisation: Organisation | None = None) -> bool:
    """A holder of a starter role may start; a process that names none is started by the platform alone."""
    allowed = {one.id for one in starting_organisations(user, definition)}
    return bool(allowed) if organisation is None else organisation.id in allowed


# Cases


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
        _is_asked(user, task, task.candidates) or (expert and user.id in (task.completed_by_id, task.assignee_id))
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
    for offer in _offers(user, desks):
        offered = select(Task.instance_id).join(TaskCandidate).where(offer)
        parts.append(offered.where(Task.status == "open", Task.assignee_id.is_(None)))
    if expert := sorted(expert_authorities(user) - set(desks)):
        asked = select(Task.instance_id).where(Task.authority_id.in_(expert))
        parts.append(asked.where(Task.completed_by_id == user.id))
        parts.append(asked.where(Task.assignee_id == user.id))
    return union_all(*parts)


def begun_without_parties(user: User) -> Select[int]:
    """The ids of the cases that are open to the user because they began them and nobody is party to them."""
    partyless = ~exists().where(CaseParty.instance_id == Instance.id)
    return select(Instance.id).where(Instance.started_by_id == user.id, partyless)


def may_see_variables(user: User, instance: Instance) -> bool:
    """The data of a case hold scores and opinions: for desks only. Others see forms, task by task."""
    return instance.authority_id in desk_authorities(user)


# Tasks


def is_offered(user: User, candidates: Iterable[TaskCandidate]) -> bool:
    """True where one of the candidates is the user, or a role the user holds."""
    mine = groups(user)
    return user.active and any(one.user_id == user.id or (one.organisation_id, one.role) in mine for one in candidates)


def offered_to(user: User) -> ColumnElement[bool]:
    """``is_offered`` as a condition on ``TaskCandidate``."""
    return or_(false(), *_offers(user, []))


def _offers(user: User, desks: list[int]) -> list[ColumnElement[bool]]:
    """The same, one condition for each index range, leaving out what is offered to the desks of some authorities."""
    if not user.active:
        return []
    groups = {(one.organisation_id, one.role) for one in held(user) if one.organisation.authority_id not in desks}
    pairs = [
        and_(TaskCandidate.organisation_id == organisation, TaskCandidate.role == role)
        for organisation, role in sorted(groups)
    ]
    return [TaskCandidate.user_id == user.id, *pairs]


def _is_asked(user: User, task: Task, candidates: Iterable[TaskCandidate]) -> bool:
    """True where an open task is the user's, or offered to them. Whether they may do it is another question."""
    if task.status != "open" or not user.active:
        return False
    return task.assignee_id == user.id or (task.assignee_id is None and is_offered(user, candidates))


def may_claim(user: User, task: Task, candidates: Iterable[TaskCandidate]) -> bool:
    """An open task that nobody has taken goes to whom it is offered, and to their deputies."""
    if task.status != "open" or is_excluded(user, task):
        return False
    candidates = list(candidates)
    offered = task.assignee_id is None and is_offered(user, candidates)
    return offered or appointment(user, task, candidates) is not None


def may_work_on(user: User, task: Task, candidates: Iterable[TaskCandidate]) -> bool:
    """An open task is worked on by whoever took it, or may take it; never by whoever must keep away from it."""
    if task.status != "open" or not user.active or is_excluded(user, task):
        return False
    return holds(user, task) or may_claim(user, task, candidates)


def holds(user: User, task: Task) -> bool:
    """True where a task is in the user's hands; in somebody's place, only while the user may still stand there."""
    if task.assignee_id != user.id or not user.active:
        return False
    principal = task.on_behalf_of_id
    return (
        principal is None
        or may_administer(user, task.authority_id)
        or any(one.principal_id == principal for one in standing_in(user))
    )


may_complete = may_work_on
"""Handing in a task that nobody has taken takes it."""


def may_release(user: User, task: Task) -> bool:
    """Whoever took a task may put it back, and so may the person in whose place it was taken, and an administrator."""
    mine = user.active and user.id in (task.assignee_id, task.on_behalf_of_id)
    return task.status == "open" and task.assignee_id is not None and (mine or may_administer(user, task.authority_id))


def may_assign(user: User, task: Task, candidates: Iterable[TaskCandidate], assignee: User) -> bool:
    """An administrator, or somebody who may work on the task, hands it to somebody it is offered to."""
    candidates = list(candidates)
    if task.status != "open" or not is_offered(assignee, candidates) or is_excluded(assignee, task):
        return False
    return may_administer(user, task.authority_id) or may_work_on(user, task, candidates)


def may_delegate(user: User, task: Task, candidates: Iterable[TaskCandidate], to: User) -> bool:
    """Whoever has a task may ask a colleague it is offered to for an answer, one at a time."""
    mine = task.status == "open" and user.active and task.assignee_id == user.id
    return (
        mine
        and task.delegation != "pending"
        and to.id != user.id
        and is_offered(to, candidates)
        and not is_excluded(to, task)
    )


def may_plan(user: User, task: Task) -> bool:
    """Whoever has a task decides when to see it again and how much it presses; an administrator may do so too."""
    mine = user.active and task.assignee_id == user.id
    return task.status == "open" and (mine or may_administer(user, task.authority_id))


# Keeping away, and standing in


def exclusion(user: User, exclusions: Iterable[Exclusion]) -> Exclusion | None:
    """Return the first reason for which the user must keep away from the task that these belong to."""
    mine = {one.organisation_id for one in held(user)}
    return next((one for one in exclusions if one.user_id == user.id or one.organisation_id in mine), None)


def is_excluded(user: User, task: Task) -> bool:
    """True where the user must keep away from a task. It wins over every grant."""
    return task.excludes is not None and exclusion(user, task.exclusions) is not None


def kept_away(users: Iterable[User], task_id: Any) -> ColumnElement[bool]:
    """``is_excluded`` for any of several people, as a condition on the id of a task."""
    people = list(users)
    organisations = {one.organisation_id for user in people for one in held(user)}
    hits = [Exclusion.user_id.in_([user.id for user in people])]
    if organisations:
        hits.append(Exclusion.organisation_id.in_(sorted(organisations)))
    return exists().where(Exclusion.task_id == task_id, or_(*hits))


def standing_in(user: User) -> list[Deputy]:
    """Return the appointments by which the user stands in for somebody today."""
    if not user.active:
        return []
    today = clock.today()
    return [one for one in user.standing_in if one.counts(today) and one.principal.active]


def lent(user: User, appointment: Deputy) -> set[tuple[int, str]]:
    """Return the (organisation, role) pairs whose tasks an appointment lets the deputy do.

    Only what the absent person holds today, inside the deputy's own party, and within the limits of the appointment.
    """
    mine = parties(user)
    return {
        (one.organisation_id, one.role)
        for one in held(appointment.principal)
        if (one.organisation_id, one.party) in mine and one.party not in PERSONAL and _lends(appointment, one.role)
    }


def _lends(appointment: Deputy, role: str) -> bool:
    if appointment.role is not None and appointment.role != role:
        return False
    return appointment.signs or role.partition(".")[2] not in SIGNING


def appointments(user: User, task: Task, candidates: Iterable[TaskCandidate]) -> list[Deputy]:
    """Return the appointments that reach an open task, whether or not somebody must keep away from it.

    The task is the absent person's: in their hands, offered to them by name, or to a role of theirs that is lent.
    """
    if task.status != "open" or task.properties.get("personal") == "true":
        return []
    candidates = list(candidates)
    return [one for one in standing_in(user) if _reaches(user, one, task, candidates)]


def appointment(user: User, task: Task, candidates: Iterable[TaskCandidate]) -> Deputy | None:
    """Return the appointment by which the user may do an open task in an absent person's place, if any."""
    if is_excluded(user, task):
        return None
    reaching = appointments(user, task, candidates)
    return next((one for one in reaching if not is_excluded(one.principal, task)), None)


def _reaches(user: User, appointment: Deputy, task: Task, candidates: list[TaskCandidate]) -> bool:
    principal = appointment.principal
    if appointment.process_id not in (None, task.process_id, task.instance.process_id):
        return False
    pairs = lent(user, appointment)
    named = bool(pairs) and appointment.role is None and any(one.user_id == principal.id for one in candidates)
    if task.assignee_id == principal.id:
        return named or (task.organisation_id, task.role) in pairs
    group = any((one.organisation_id, one.role) in pairs for one in candidates)
    return task.assignee_id is None and (named or group)


def lent_tasks(user: User) -> list[tuple[Deputy, ColumnElement[bool]]]:
    """``appointment`` as a condition on ``Task``, one for each; what is offered to the user anyway is left out."""
    own = select(TaskCandidate.task_id).where(offered_to(user), TaskCandidate.claimed.is_(False))
    found: list[tuple[Deputy, ColumnElement[bool]]] = []
    for one in standing_in(user):
        pairs = sorted(lent(user, one))
        if not pairs:
            continue
        principal = one.principal
        groups = or_(
            *(and_(TaskCandidate.organisation_id == place, TaskCandidate.role == role) for place, role in pairs)
        )
        free = select(TaskCandidate.task_id).where(TaskCandidate.claimed.is_(False))
        held = or_(*(and_(Task.organisation_id == place, Task.role == role) for place, role in pairs))
        named = select(TaskCandidate.task_id).where(TaskCandidate.user_id == principal.id)
        doors = [Task.id.in_(free.where(groups)), and_(Task.assignee_id == principal.id, held)]
        if one.role is None:
            theirs = or_(Task.assignee_id.is_(None), Task.assignee_id == principal.id)
            doors.append(and_(Task.id.in_(named), theirs))
        limits = [Task.status == "open", func.coalesce(Task.properties["personal"].as_string(), "") != "true"]
        if one.process_id is not None:
            cases = select(Instance.id).where(Instance.id == Task.instance_id, Instance.process_id == one.process_id)
            limits.append(or_(Task.process_id == one.process_id, cases.exists()))
        keep_away = kept_away([user, principal], Task.id)
        found.append((one, and_(or_(*doors), *limits, ~keep_away, Task.id.not_in(own))))
    return found


def may_act_for(user: User, principal: User, task: Task, candidates: Iterable[TaskCandidate]) -> bool:
    """An administrator acts in the place of somebody whose task it is, giving a reason; never for an expert."""
    if not may_administer(user, task.authority_id) or task.properties.get("personal") == "true":
        return False
    candidates = list(candidates)
    if task.status != "open" or is_excluded(user, task) or is_excluded(principal, task):
        return False
    if _party(task) in PERSONAL or expert_authorities(principal):
        return False
    return _is_asked(principal, task, candidates)


def may_see_task(user: User, task: Task, candidates: Iterable[TaskCandidate]) -> bool:
    """A task and what was handed in with it are open to those who do or did it, their office, and the desks.

    A party's tasks are open to all of it. Experts do not read one another's opinions. A former member of an office,
    or of the experts, sees nothing of it any more.
    """
    if task.authority_id in desk_authorities(user) or _is_asked(user, task, candidates):
        return True
    if task.authority_id in expert_authorities(user) and user.id in (task.completed_by_id, task.assignee_id):
        return True
    return (task.organisation_id, _party(task)) in {one for one in parties(user) if one[1] not in FIXED_PARTIES}


def _party(task: Task) -> str:
    return (task.role or "").partition(".")[0]


def tasks_seen_by(user: User) -> ColumnElement[bool]:
    """``may_see_task`` as a condition on ``Task``: any of the doors."""
    offered = exists().where(TaskCandidate.task_id == Task.id, offered_to(user))
    free = and_(Task.status == "open", Task.assignee_id.is_(None), offered)
    return or_(free, *_doors(user)) if user.active else false()


def task_doors(user: User) -> list[ColumnElement[bool]]:
    """The same, one condition for each way to see a task, so that a list can follow an index for each."""
    if not user.active:
        return [false()]
    free = select(TaskCandidate.task_id).where(TaskCandidate.claimed.is_(False))
    offers = [
        and_(Task.id.in_(free.where(offer)), Task.status == "open")
        for offer in _offers(user, sorted(desk_authorities(user)))
    ]
    return [*offers, *_doors(user)]


def _doors(user: User) -> list[ColumnElement[bool]]:
    doors: list[ColumnElement[bool]] = [and_(Task.status == "open", Task.assignee_id == user.id)]
    doors.extend(Task.authority_id == desk for desk in sorted(desk_authorities(user)))
    if expert := expert_authorities(user):
        mine = or_(Task.completed_by_id == user.id, Task.assignee_id == user.id)
        doors.append(and_(Task.authority_id.in_(sorted(expert)), mine))
    doors.extend(
        and_(Task.organisation_id == organisation, Task.role.startswith(f"{party}."))
        for organisation, party in sorted(parties(user))
        if party not in FIXED_PARTIES
    )
    return doors


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
    if attachment.task is None or _party(attachment.task) not in FIXED_PARTIES:
        return sees_instance
    return sees_task


# Views of the inbox


def may_share_view(user: User, organisation_id: int, role: str | None) -> bool:
    """A view is shared with a group one belongs to, or with all of one's organisation."""
    mine = groups(user)
    return (organisation_id, role) in mine if role else organisation_id in {one for one, _role in mine}


def may_delete_view(user: User, view: InboxView) -> bool:
    """Who keeps a view throws it away; an administrator does so for somebody of their authority."""
    return (user.active and view.owner_id == user.id) or may_administer(user, view.owner.authority_id)


def views_seen_by(user: User) -> ColumnElement[bool]:
    """One's own views, and those shared with a group one belongs to."""
    shared = [
        and_(InboxView.organisation_id == organisation, or_(InboxView.role == role, InboxView.role.is_(None)))
        for organisation, role in sorted(groups(user))
    ]
    return or_(InboxView.owner_id == user.id, *shared) if user.active else false()


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

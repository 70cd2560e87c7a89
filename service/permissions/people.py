"""What a user holds, and what that lets them do to the platform and in whose name they start."""

from __future__ import annotations

from .. import clock
from ..models import FIXED_PARTIES, Membership, Organisation, ProcessDefinition
from ..models.identity import User

DESKS = FIXED_PARTIES - {"experts"}
"""Offices that see every case of their authority. Experts see only what they are asked about."""

ADMIN = "platform.admin"
OWNER = "platform.owner"
EDITOR = "secretariat.editor"

SIGNING = frozenset({"signatory", "decider"})
"""Functions that sign or decide: lent to a deputy only where that is said."""
PERSONAL = frozenset({"experts", "platform"})
"""Parties whose work is never lent: an expert's opinion is their own, and so is the power over the platform."""


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


def may_edit_column(user: User, authority_id: int) -> bool:
    """The column's editors answer for what stands in it (articles 18 and 19)."""
    return _has_role(user, authority_id, EDITOR)


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

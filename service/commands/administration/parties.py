"""Which organisation plays which part in a case."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import engine, errors
from service.commands.cases import history, instances, projection
from service.commands.cases.projection import Acted
from service.models import CASE_PARTIES, CaseParty, Incident, Instance, Organisation, User

from . import repairs


def name(
    session: Session, instance_id: int, party: str, organisation: Organisation, *, user: User, reason: str
) -> Instance:
    """Say which organisation plays a party in a case, and offer it the tasks that waited for that."""
    if party not in CASE_PARTIES or organisation.authority_id != user.authority_id:
        raise errors.InvalidInput("没有这一方。", "There is no such party.", field="party")
    instance = repairs.lock(session, instance_id, user)
    if instance.ended_at is not None or instance.status == "suspended":
        raise errors.InstanceOver()
    before = {one.party: one.organisation.code for one in instance.parties}
    session.merge(CaseParty(instance_id=instance.id, party=party, organisation_id=organisation.id))
    session.flush()
    data = {"party": party, "organisation": organisation.code, "reason": reason, "before": before.get(party)}
    history.note(session, instance, "party_named", user, data)
    tokens = session.scalars(
        select(Incident.token).where(
            Incident.instance_id == instance.id,
            Incident.resolved_at.is_(None),
            Incident.cause.in_(projection.NOBODY),
            Incident.token.is_not(None),
        )
    ).all()
    for token in sorted({token for token in tokens if token is not None}):
        instances.advance(
            session,
            instance,
            lambda run: engine.Step(run, run.waits(), []),
            acted=Acted(user=user, offer_again=token),
        )
    return instance

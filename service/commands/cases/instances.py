"""Cases: start them, step them, end them. Every step goes through ``advance``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Select, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.orm.attributes import instance_state

from service import clock, engine, errors, forms, permissions, topics
from service.commands.procedures import deployments
from service.models import (
    CASE_PARTIES,
    CaseParty,
    Counter,
    Deployment,
    Instance,
    Organisation,
    ProcessDefinition,
    Task,
    User,
)
from service.models.base import BigId

from . import projection
from .projection import Acted

RESERVED = frozenset(topics.GIVEN_TO_CASES)
"""Variables that every case has from its start and that no form or client may set."""


def start(
    session: Session,
    process_id: str,
    variables: Mapping[str, Any],
    *,
    user: User,
    organisation: Organisation | str | None = None,
    profile: str | None = None,
) -> Instance:
    """Start a case on the latest version of a process, in the name of an organisation.

    What is typed into the start form is checked as the browser does; without a form only an administrator may
    give variables.
    """
    definition = deployments.latest(session, process_id, authority_id=user.authority_id)
    speaker = _speaker(user, definition, organisation)
    bundle = deployments.bundle(session, definition.deployment_id)
    entry = next((entry for entry in definition.start_events if entry["kind"] == "none"), None)
    if entry is None:
        raise errors.InvalidInput("这个流程只能由消息或定时器启动。", "Only a message or a timer starts this process.")
    values = accepted(bundle, entry["form_id"], variables, user=user)
    return begin(
        session,
        definition,
        values,
        start_event=entry["element_id"],
        user=user,
        parties=_parties(definition, user, speaker),
        profile=profile,
    )


def begin(
    session: Session,
    definition: ProcessDefinition,
    values: Mapping[str, Any],
    *,
    start_event: str,
    user: User | None = None,
    parties: Mapping[str, Organisation] | None = None,
    profile: str | None = None,
    parent_id: int | None = None,
) -> Instance:
    """Bring a case into being and run it to its first wait states."""
    now = clock.now()
    bundle = deployments.bundle(session, definition.deployment_id)
    parties = parties or {}
    number = _number(session, definition, now)
    variables = {
        **values,
        "caseNumber": number,
        "profile": profile or session.info.get("profile", "strict"),
        "parties": {party: one.code for party, one in parties.items()},
    }
    step = engine.start(bundle, definition.process_id, variables, now=now, start_event=start_event)
    instance = Instance(
        authority_id=definition.authority_id,
        definition_id=definition.id,
        definition=definition,
        deployment_id=definition.deployment_id,
        process_id=definition.process_id,
        number=number,
        started_at=now,
        started_by_id=user.id if user else None,
        updated_at=now,
        parent_instance_id=parent_id,
        parties=[CaseParty(party=party, organisation_id=one.id) for party, one in parties.items()],
    )
    session.add(instance)
    session.flush()
    node = bundle.node(definition.process_id, start_event)
    started = fact("started", definition.process_id, start_event, node.name if node else "", {"number": number})
    projection.save(session, instance, step, acted=Acted(user=user, facts=[started]), now=now)
    return instance


def lock(session: Session, instance_id: int) -> Instance:
    """Take a case for this transaction: nobody else steps it until the commit."""
    return _lock(session, _BY_ID, instance_id)


def lock_of_task(session: Session, task_id: int) -> Instance:
    """Take the case that a task belongs to."""
    return _lock(session, _BY_TASK, task_id)


def _locking(chosen: Select[Any]) -> Select[Any]:
    return (
        chosen.options(
            joinedload(Instance.definition, innerjoin=True),
            joinedload(Instance.deployment, innerjoin=True).load_only(Deployment.bundle_hash),
        )
        .with_for_update(of=Instance, key_share=True)
        .execution_options(populate_existing=True)
    )


# Built once: every step begins with one of them.
_ID = bindparam("id", type_=BigId)
_BY_ID = _locking(select(Instance).where(Instance.id == _ID))
_BY_TASK = _locking(
    select(Instance).where(Instance.id == select(Task.instance_id).where(Task.id == _ID).scalar_subquery())
)


def _lock(session: Session, chosen: Select[Any], id: int) -> Instance:
    instance: Instance | None = session.scalar(chosen, {"id": id})
    if instance is None:
        raise errors.NotFound()
    instance_state(instance).info["locked"] = session.get_transaction()
    return instance


def advance(
    session: Session,
    instance: Instance | int,
    verb: Callable[[engine.Run], engine.Step],
    *,
    user: User | None = None,
    acted: Acted | None = None,
) -> engine.Step:
    """Do something to a case and run it to its next wait states: lock, load, verb, save."""
    if isinstance(instance, int):
        instance = lock(session, instance)
    elif instance_state(instance).info.get("locked") is not session.get_transaction():
        instance = lock(session, instance.id)
    if instance.ended_at is not None or instance.status == "suspended":
        raise errors.InstanceOver()
    now = clock.now()
    run = load(session, instance)
    try:
        step = verb(run)
    except engine.WrongToken as error:
        raise errors.InstanceChanged() from error
    projection.save(session, instance, step, acted=acted or Acted(user=user), now=now)
    return step


def load(session: Session, instance: Instance) -> engine.Run:
    """Decode the live state of a case."""
    bundle = deployments.bundle(session, instance.deployment_id)
    return engine.load(bundle, instance.state)


def cancel(session: Session, instance_id: int, *, user: User, reason: str = "") -> Instance:
    """End a case for good, with everything that still waits in it."""
    instance = lock(session, instance_id)
    _administered(user, instance)
    terminated = fact("terminated", instance.process_id, instance.process_id, data={"reason": reason})
    if instance.status == "suspended":
        instance.status = "active"
    advance(
        session,
        instance,
        lambda run: engine.cancel(run, now=clock.now()),
        acted=Acted(user=user, facts=[terminated]),
    )
    return instance


def variables(session: Session, user: User, instance_id: int, *, token: int | None = None) -> dict[str, Any]:
    """Return what a case knows now – all of it, so only for the desks of its authority."""
    instance = session.get(Instance, instance_id)
    if instance is None or not permissions.may_see_variables(user, instance):
        raise errors.NotFound()
    try:
        return engine.visible(load(session, instance), token)
    except engine.WrongToken as error:
        raise errors.NotFound() from error


def accepted(
    bundle: engine.Bundle,
    form_id: str | None,
    values: Mapping[str, Any],
    *,
    user: User | None,
    context: Mapping[str, Any] | None = None,
    schema: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what counts of the values somebody sends: what the form owns and shows, checked as the browser does.

    ``schema`` is the form as it was opened, where that differs from the form itself. Without a form nothing is
    asked, so only an administrator may give something.
    """
    if form_id is None:
        if values and not (user is not None and permissions.may_administer(user, user.authority_id)):
            raise errors.InvalidInput(
                "这里没有表单，不接受任何数据。",
                "There is no form here, so no data is accepted.",
                field=next(iter(values)),
            )
        _refuse_reserved(values)
        return dict(values)
    schema = schema if schema is not None else bundle.forms.get(form_id)
    if schema is None:
        raise errors.Conflict(f"找不到表单“{form_id}”。", f"The form “{form_id}” is missing.", code="form_missing")
    filled = forms.fill(
        schema, dict(values), context or {}, locale=user.locale if user is not None else "zh", now=clock.now()
    )
    if filled.problems:
        # Pages show one language; programs are told both.
        both = {
            locale: forms.check(schema, dict(values), context, locale=locale, now=clock.now())
            for locale in ("zh", "en")
        }
        raise errors.InvalidForm(filled.problems, both=both)
    cleaned = filled.values
    _refuse_reserved(cleaned)
    return cleaned


def _refuse_reserved(values: Mapping[str, Any]) -> None:
    for name in values:
        if name in RESERVED:
            raise errors.InvalidInput(
                f"变量“{name}”由系统设定。", f"The variable “{name}” is set by the system.", field=name
            )


def named_parties(session: Session, parties: object, authority_id: int) -> dict[str, Organisation]:
    """The organisations that a message names as the parties of the case it starts."""
    if not isinstance(parties, Mapping):
        return {}
    codes = {party: code for party, code in parties.items() if party in CASE_PARTIES and isinstance(code, str)}
    found = {
        organisation.code: organisation
        for organisation in session.scalars(
            select(Organisation).where(
                Organisation.authority_id == authority_id, Organisation.code.in_(set(codes.values()))
            )
        )
    }
    return {party: found[code] for party, code in codes.items() if code in found}


def fact(
    kind: str, process_id: str, element_id: str, name: str = "", data: Mapping[str, Any] | None = None, **more: Any
) -> engine.Happened:
    """Something a person or a worker did, for the history."""
    return engine.Happened(
        kind=kind, element_id=element_id, process_id=process_id, element_name=name, data=data or {}, **more
    )


def _administered(user: User, instance: Instance) -> None:
    if not permissions.may_administer(user, instance.authority_id):
        raise errors.Forbidden()


def _speaker(user: User, definition: ProcessDefinition, named: Organisation | str | None) -> Organisation:
    """The organisation in whose name the user starts."""
    allowed = permissions.starting_organisations(user, definition)
    if not allowed:
        raise errors.Forbidden("您没有发起这个流程的角色。", "You hold no role that may start this process.")
    if named is None:
        if len(allowed) > 1:
            raise errors.InvalidInput(
                "请说明代表哪个机构发起。", "Say in which organisation's name you start.", field="organisation"
            )
        return allowed[0]
    code = named if isinstance(named, str) else named.code
    for organisation in allowed:
        if organisation.code == code:
            return organisation
    raise errors.Forbidden("您不能代表该机构发起。", "You may not start in this organisation's name.")


def _parties(definition: ProcessDefinition, user: User, speaker: Organisation) -> dict[str, Organisation]:
    """Whose case it is: the starter's organisation takes the part its role speaks for."""
    held = {
        membership.party
        for membership in permissions.held(user)
        if membership.organisation_id == speaker.id and membership.role in definition.starters
    }
    return dict.fromkeys(sorted(held & CASE_PARTIES), speaker)


def _number(session: Session, definition: ProcessDefinition, now: datetime) -> str:
    """The next case number of a process and year; a case that does not come about takes none."""
    prefix = definition.properties.get("caseNumber") or definition.process_id
    series = f"{prefix}-{clock.today(now).year}"
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    counted = insert(Counter).values(authority_id=definition.authority_id, series=series, last=1)
    given = session.scalar(
        counted.on_conflict_do_update(
            index_elements=[Counter.authority_id, Counter.series], set_={"last": Counter.last + 1}
        ).returning(Counter.last)
    )
    return f"{series}-{cast(int, given):04d}"


__all__ = ["RESERVED", "accepted", "advance", "begin", "cancel", "load", "lock", "lock_of_task", "start", "variables"]

"""The people and organisations of a scenario: one person for every role, all of them fictional.

A person's user name is the role's code (``recommender.reviewer``); further ones of a role are numbered from 2.
The case parties' organisations have the party's name as their code: a scenario says ``recommender: {region: …}``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from service import clock
from service.commands.people import identity
from service.models import Authority, Model, Organisation, User
from service.models.register import FIELDS, Base, Expert

from .reading import Scenario, WrongScenario

ADMIN = "platform.admin"
MANY = ("experts.reviewer", "experts.visitor")

ORGANISATIONS: dict[str, dict[str, Any]] = {
    "most": {"kind": "ministry", "name": "科技部"},
    "coop": {"kind": "department_of_ministry", "name": "国际合作司"},
    "torch": {"kind": "agency", "name": "火炬中心"},
    "experts": {"kind": "pool", "name": "专家库"},
    "secretariat": {"kind": "agency", "name": "中国科学技术交流中心"},
    "platform": {"kind": "platform", "name": "平台运维"},
    "applicant": {
        "kind": "university",
        "name": "虚构大学",
        "region": "山东省",
        "uscc": "12370000MB28XXXX0A",
        "registered_on": date(1998, 9, 1),
    },
    "recommender": {"kind": "provincial_department", "name": "虚构省科学技术厅", "region": "山东省"},
    "zone": {"kind": "zone", "name": "虚构国家高新区管委会", "region": "山东省"},
    "province": {"kind": "provincial_government", "name": "虚构省人民政府", "region": "山东省"},
}


def hire(session: Session, scenario: Scenario) -> None:
    """Bring the cast of a scenario on stage."""
    authority = session.scalars(select(Authority)).one()
    for code, details in scenario.organisations.items():
        organisation = _organisation(session, authority, code)
        _describe(session, authority, organisation, details)
    for number in range(2, scenario.experts + 1):
        for role in MANY:
            _expert(session, authority, f"{role}.{number}", role)
    for person in scenario.people:
        _extra(session, authority, person)
    give(session, scenario.given)
    session.flush()


def give(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows that the scenario takes as given: before it begins, or as what happened meanwhile."""
    authority = session.scalars(select(Authority)).one()
    for row in rows:
        _give(session, authority, row)


def usual(session: Session) -> None:
    """The organisations and people that every scenario has."""
    identity.seed_roles(session)
    authority = identity.create_authority(session, "most", "科学技术部")
    for code, details in ORGANISATIONS.items():
        organisation = _organisation(session, authority, code, kind=details["kind"], name=details["name"])
        _describe(session, authority, organisation, details)
    for role, name, _, _ in identity.ROLES:
        if role in MANY:
            _expert(session, authority, role, role)
        else:
            person = identity.create_user(session, authority, role, name, email=f"{role}@example.org")
            identity.add_membership(session, person, _organisation(session, authority, role.partition(".")[0]), role)


def _organisation(session: Session, authority: Authority, code: str, **details: Any) -> Organisation:
    found = session.scalars(
        select(Organisation).where(Organisation.authority_id == authority.id, Organisation.code == code)
    ).one_or_none()
    if found is not None:
        return found
    details.setdefault("kind", "institution")
    details.setdefault("name", code)
    return identity.create_organisation(session, authority, code, **details)


def _describe(session: Session, authority: Authority, organisation: Organisation, details: Mapping[str, Any]) -> None:
    for name, value in details.items():
        if name == "parent":
            organisation.parent = None if value is None else _organisation(session, authority, value)
        elif name not in inspect(Organisation).columns:
            raise WrongScenario(f"organisations.{organisation.code}: 未知的键 / unknown: {name}")
        else:
            setattr(organisation, name, value)
    session.flush()


def _expert(session: Session, authority: Authority, username: str, role: str, **details: Any) -> None:
    number = username.rpartition(".")[2]
    person = identity.create_user(
        session, authority, username, details.pop("name", f"专家{number}"), email=f"{username}@example.org"
    )
    identity.add_membership(session, person, _organisation(session, authority, "experts"), role)
    _pool(session, authority, person, details)


def _pool(session: Session, authority: Authority, person: User, details: Mapping[str, Any]) -> None:
    employer = details.get("employer")
    session.add(
        Expert(
            user_id=person.id,
            authority_id=authority.id,
            employer_id=_organisation(session, authority, employer).id if employer else None,
            employer_name=details.get("employer_name", "虚构研究院"),
            title=details.get("title", "研究员"),
            fields=list(details.get("fields", FIELDS)),
        )
    )


def _extra(session: Session, authority: Authority, person: Mapping[str, Any]) -> None:
    unknown = set(person) - {"username", "name", "roles", "expert"}
    if unknown or "username" not in person:
        raise WrongScenario(f"people: username, name, roles, expert; 未知的键 / unknown: {', '.join(sorted(unknown))}")
    username = str(person["username"])
    made = session.scalars(select(User).where(User.username == username)).one_or_none()
    made = made or identity.create_user(
        session, authority, username, person.get("name", username), email=f"{username}@example.org"
    )
    for held in person.get("roles", ()):
        role, _, code = str(held).partition("@")
        identity.add_membership(session, made, _organisation(session, authority, code or role.partition(".")[0]), role)
    if "expert" in person:
        _pool(session, authority, made, person["expert"] or {})


def _give(session: Session, authority: Authority, row: Mapping[str, Any]) -> None:
    """Write a row that has been there before: ``{ban: {uscc: …, start_on: …}}``, organisations by their code."""
    if len(row) != 1:
        raise WrongScenario("given: 每行一个表名 / one table a row")
    ((table, values),) = row.items()
    model = next((one.class_ for one in Model.registry.mappers if one.local_table.name == table), None)  # type: ignore[attr-defined]
    if model is None:
        raise WrongScenario(f"given: 没有表 / there is no table “{table}”")
    columns = inspect(model).columns
    made: dict[str, Any] = {}
    for name, value in values.items():
        if name in columns:
            made[name] = value
        elif f"{name}_id" in columns and isinstance(value, str):
            made[f"{name}_id"] = _reference(session, authority, value)
        elif name in inspect(model).relationships:
            made[name] = _parts(authority, inspect(model).relationships[name].mapper.class_, value)
        else:
            raise WrongScenario(f"given.{table}: 未知的键 / unknown: {name}")
    if "authority_id" in columns:
        made.setdefault("authority_id", authority.id)
    if "created_at" in columns:
        made.setdefault("created_at", clock.now())
    session.add(model(**made))
    session.flush()


def _parts(authority: Authority, model: Any, values: list[Mapping[str, Any]]) -> list[Any]:
    own = {"authority_id": authority.id} if "authority_id" in inspect(model).columns else {}
    return [model(**own, **value) for value in values]


def _reference(session: Session, authority: Authority, value: str) -> int:
    """An organisation by its code, or a base by its number."""
    base = session.scalars(select(Base).where(Base.authority_id == authority.id, Base.number == value)).one_or_none()
    return base.id if base is not None else _organisation(session, authority, value).id


__all__ = ["ADMIN", "give", "hire", "usual"]

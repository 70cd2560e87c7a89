"""What the database knows of a case before a step is written: one statement, built once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    CompoundSelect,
    Date,
    Select,
    String,
    bindparam,
    cast,
    literal_column,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from service import clock, engine
from service.models import (
    FIXED_PARTIES,
    CaseParty,
    Draft,
    Incident,
    Instance,
    Job,
    Membership,
    Organisation,
    Role,
    Subscription,
    Task,
    User,
)
from service.models.base import BigId


class Known(NamedTuple):
    """A row the database holds; what ``a`` and ``b`` mean depends on ``kind``."""

    kind: str
    id: int
    token: int | None
    a: str | None
    b: str | None


def of_case(
    session: Session,
    instance: Instance,
    people: Sequence[engine.UserWait],
    named: Mapping[str, str],
    now: datetime,
) -> list[Known]:
    """The live rows of a case; with tasks or newly named parties, also what the names in them mean."""
    if not people and not named:
        return [Known(*row) for row in session.execute(_ROWS, {"instance": instance.id})]
    asked = {
        "instance": instance.id,
        "authority": instance.authority_id,
        "today": clock.today(now),
        "codes": sorted(FIXED_PARTIES | set(named.values())),
        "groups": sorted({code for wait in people for code in wait.candidate_groups}),
        "lanes": sorted({wait.lane for wait in people if wait.lane}),
        "names": sorted({name for wait in people for name in (*wait.candidate_users, wait.assignee) if name}),
    }
    return [Known(*row) for row in session.execute(_ROWS_AND_NAMES, asked)]


_INSTANCE = bindparam("instance", type_=BigId)
_AUTHORITY = bindparam("authority", type_=BigId)
_TODAY: Any = bindparam("today", type_=Date)
# Written out, not bound: an index of some rows serves only a query that says in its text that it wants those.
_OPEN: Any = literal_column("'open'")
_LIVE: list[Any] = [literal_column(f"'{status}'") for status in ("queued", "running", "failed")]
_NO_NUMBER, _NO_TEXT = cast(null(), BigInteger), cast(null(), String)


def _rows(kind: str, *columns: Any) -> Select[Any]:
    return select(literal_column(f"'{kind}'", String).label("kind"), *columns)


def _texts(name: str) -> Any:
    return bindparam(name, type_=String, expanding=True)


def _live() -> list[Select[Any]]:
    """The rows that say why the tokens of the case rest."""
    return [
        _rows("task", Task.id, Task.token, Task.element_id, _NO_TEXT).where(
            Task.instance_id == _INSTANCE, Task.status == _OPEN
        ),
        _rows("draft", Draft.task_id, _NO_NUMBER, _NO_TEXT, _NO_TEXT)
        .join(Task, Task.id == Draft.task_id)
        .where(Task.instance_id == _INSTANCE, Task.status == _OPEN),
        _rows("job", Job.id, Job.token, cast(Job.kind, String), Job.element_id).where(
            Job.instance_id == _INSTANCE, Job.token.is_not(None), Job.status.in_(_LIVE)
        ),
        _rows("subscription", Subscription.id, Subscription.token, Subscription.name, Subscription.key).where(
            Subscription.instance_id == _INSTANCE
        ),
        _rows("incident", Incident.id, Incident.token, Incident.cause, Incident.message_zh).where(
            Incident.instance_id == _INSTANCE, Incident.resolved_at.is_(None)
        ),
    ]


def _names() -> list[Select[Any]]:
    """What the parties, roles, lanes and people named in tasks mean in this case."""
    asked = or_(Role.code.in_(_texts("groups")), Role.lane.in_(_texts("lanes")))
    ours = (Organisation.authority_id == _AUTHORITY) & Organisation.code.in_(_texts("codes"))
    parties = select(CaseParty.organisation_id).where(CaseParty.instance_id == _INSTANCE)
    return [
        _rows("party", CaseParty.organisation_id, _NO_NUMBER, CaseParty.party, _NO_TEXT).where(
            CaseParty.instance_id == _INSTANCE
        ),
        _rows("organisation", Organisation.id, _NO_NUMBER, Organisation.code, _NO_TEXT).where(ours),
        _rows("role", literal_column("0", BigInteger), _NO_NUMBER, Role.code, Role.lane).where(asked),
        _rows("member", Membership.organisation_id, _NO_NUMBER, Membership.role, _NO_TEXT)
        .join(User, User.id == Membership.user_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(
            User.active,
            Organisation.active,
            Membership.role.in_(select(Role.code).where(asked)),
            or_(ours, Membership.organisation_id.in_(parties)),
            or_(Membership.since.is_(None), Membership.since <= _TODAY),
            or_(Membership.until.is_(None), Membership.until > _TODAY),
        )
        .distinct(),
        _rows("user", User.id, _NO_NUMBER, User.username, _NO_TEXT).where(
            User.authority_id == _AUTHORITY, User.username.in_(_texts("names")), User.active
        ),
    ]


# Building a statement costs more than running it, so both are built once.
_ROWS: CompoundSelect[Any] = union_all(*_live())
_ROWS_AND_NAMES: CompoundSelect[Any] = union_all(*_live(), *_names())

"""Process instances, that is: cases. Find them, read them, end them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from service import errors
from service.commands.cases import instances as commands
from service.models import User
from service.queries import instances

from . import schemas
from .paging import Marks, page
from .routes import Call, api


@api.get("/process-instances", zh="查询案卷")
def list_(call: Call, query: schemas.InstanceQuery) -> schemas.InstancePage:
    """The cases you may see, newest first."""
    with call.reading() as (session, user):
        return _found(session, user, query, query.limit, query.after, "after")


@api.post("/process-instances/search", zh="搜索案卷", write=False)
def search(call: Call, body: schemas.InstanceSearch) -> schemas.InstancePage:
    """The cases you may see that meet a filter, newest first."""
    with call.reading() as (session, user):
        return _found(session, user, body.filter, body.page.limit, body.page.after, "page.after")


@api.get("/process-instances/{instance_id}", zh="查看案卷")
def get(call: Call, instance_id: int) -> schemas.Instance:
    """One case: its parties, and where it waits."""
    with call.reading() as (session, user):
        found = instances.case(session, user, instance_id)
        if found is None:
            raise errors.NotFound()
        return _case(found)


@api.get("/process-instances/{instance_id}/history", zh="查看案卷历史")
def history(call: Call, instance_id: int, query: schemas.HistoryQuery) -> schemas.HistoryPage:
    """What happened in a case. Data, decisions and messages are for the desks of its authority."""
    marks = Marks("history", instance_id, query.kind, query.sort)
    with call.reading() as (session, user):
        found = instances.history(
            session,
            user,
            instance_id,
            after=marks.read(query.after),
            limit=query.limit,
            kinds=query.kind,
            newest_first=query.sort == "-at",
        )
        if found is None:
            raise errors.NotFound()
        return page(schemas.HistoryPage, found, schemas.HistoryItem.of, marks)


@api.get("/process-instances/{instance_id}/variables", zh="查看案卷数据")
def variables(call: Call, instance_id: int) -> schemas.VariableSet:
    """What a case knows now – all of it, so only for the desks of its authority."""
    with call.reading() as (session, user):
        return schemas.VariableSet(variables=commands.variables(session, user, instance_id))


@api.post("/process-instances/{instance_id}/cancel", zh="终止案卷", problems=(409,))
def cancel(call: Call, instance_id: int, body: schemas.Cancellation) -> schemas.InstanceState:
    """End a case for good, with everything that still waits in it. For administrators."""
    with call.writing() as (session, user):
        return schemas.InstanceState.of(commands.cancel(session, instance_id, user=user, reason=body.reason))


def _found(
    session: Session, user: User, wanted: schemas.InstanceFilter, limit: int, after: str | None, field: str
) -> schemas.InstancePage:
    chosen = {name: getattr(wanted, name) for name in schemas.InstanceFilter.model_fields}
    marks = Marks("instances", sorted(chosen.items()), field=field)
    chosen["process"] = chosen.pop("process_id")
    found = instances.cases(session, user, **chosen, after=marks.read(after), limit=limit)
    return page(schemas.InstancePage, found, schemas.InstanceSummary.of, marks)


def _case(found: instances.CaseView) -> schemas.Instance:
    return schemas.Instance(
        **{name: getattr(found.case, name) for name in schemas.InstanceSummary.model_fields},
        definition_id=found.definition_id,
        definition_version=found.definition_version,
        deployment_id=found.deployment_id,
        version=found.version,
        parent_instance_id=found.parent_instance_id,
        parties=[schemas.Party(party=one.party, code=one.code, name=one.name) for one in found.parties],
        tasks=[schemas.OpenTask(**_chosen(asdict(one))) for one in found.tasks],
        incidents=found.incidents,
        may_read_variables=found.sees_variables,
        may_cancel=found.administers and found.case.ended_at is None,
    )


def _chosen(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: facts[name] for name in schemas.OpenTask.model_fields}

"""Incidents: what cannot go on by itself, and giving it another try."""

from __future__ import annotations

from service import errors, permissions
from service.commands.cases import incidents
from service.queries import stuck

from . import schemas
from .paging import Marks, page
from .routes import Call, api


@api.get("/incidents", zh="查询异常")
def list_(call: Call, query: schemas.IncidentQuery) -> schemas.IncidentPage:
    """Why cases cannot go on, newest first. For administrators."""
    marks = Marks("incidents", query.state, query.cause, query.instance_id, query.process_id)
    with call.reading() as (session, user):
        if not permissions.may_administer(user, user.authority_id):
            raise errors.Forbidden()
        found = stuck.incidents(
            session,
            user,
            open_only=query.state == "open",
            cause=query.cause,
            instance=query.instance_id,
            process=query.process_id,
            after=marks.read(query.after),
            limit=query.limit,
        )
        return page(schemas.IncidentPage, found, schemas.Incident.of, marks)


@api.post("/incidents/{incident_id}/retry", zh="重试异常", problems=(409,))
def retry(call: Call, incident_id: int, body: schemas.Retry) -> schemas.IncidentState:
    """Let what failed try again, with corrected variables if given. For administrators."""
    with call.writing() as (session, user):
        tried = incidents.retry(session, incident_id, user=user, variables=body.variables or None)
        return schemas.IncidentState.of(tried)

"""Process definitions: which there are, their diagrams, and starting a case."""

from __future__ import annotations

from typing import Any

from flask import Response

from service import errors, permissions, wording
from service.commands.cases import instances, repeats
from service.queries import definitions
from service.queries import instances as queries

from . import schemas
from .paging import Marks, cut
from .reading import idempotency_key, placed
from .routes import Call, api


@api.get("/process-definitions", zh="查询流程定义")
def list_(call: Call, query: schemas.ProcessDefinitionQuery) -> schemas.ProcessDefinitionPage:
    """The processes in service, by name."""
    with call.reading() as (session, user):
        rows = definitions.definitions(session, user, process=query.process_id, latest=query.latest)
        return cut(
            schemas.ProcessDefinitionPage,
            rows,
            _line,
            lambda row: row.id,
            Marks("definitions", query.process_id, query.latest),
            after=query.after,
            limit=query.limit,
        )


@api.get("/process-definitions/{definition_id}", zh="查看流程定义")
def get(call: Call, definition_id: int) -> schemas.ProcessDefinition:
    """One version of a process: its ways in, and whether you may start it."""
    with call.reading() as (session, user):
        found = definitions.definition(session, user, definition_id)
        if found is None:
            raise errors.NotFound()
        startable = found.latest and definitions.plain_start(found) is not None
        names = [one.code for one in permissions.starting_organisations(user, found)] if startable else []
        said = ("name", "documentation")
        plain = ("id", "process_id", "name", "version", "latest", "version_tag", "documentation", "deployment_id")
        return schemas.ProcessDefinition(
            **{name: getattr(found, name) for name in plain}
            | {
                name: wording.text(session, found.deployment_id, found.process_id, getattr(found, name))
                for name in said
            },
            starters=list(found.starters),
            start_events=[_start(one) for one in found.start_events],
            properties=found.properties,
            may_start=bool(names),
            organisations=sorted(names),
        )


@api.get("/process-definitions/{definition_id}/xml", zh="下载流程图", media="application/xml")
def xml(call: Call, definition_id: int) -> Response:
    """The diagram as BPMN 2.0 XML, byte for byte as it was deployed."""
    with call.reading() as (session, user):
        content = definitions.diagram(session, user, definition_id)
        if content is None:
            raise errors.NotFound()
        return Response(content, mimetype="application/xml")


@api.post(
    "/process-definitions/{process_id}/start",
    zh="发起案卷",
    status=201,
    problems=(409,),
    key=True,
    also={200: "The case that was started before under the same Idempotency-Key."},
    headers={"Location": "The address of the new case."},
)
def start(call: Call, process_id: str, body: schemas.Start) -> schemas.InstanceState:
    """Start a case on the latest version of a process. The values are checked as the start form checks them.

    With an `Idempotency-Key` it can be sent again without harm for a day: the answer is the case of the first time.
    """
    key = idempotency_key()
    with call.writing() as (session, user), placed(body.variables):
        asked: dict[str, Any] = {"variables": body.variables, "user": user, "organisation": body.organisation}
        if key is None:
            started, new = instances.start(session, process_id, **asked), True
        else:
            started, new = repeats.start(session, process_id, **asked, key=key)
        if new:
            call.created(f"{api.prefix}/process-instances/{started.id}")
        elif queries.sees(session, user, started.id):
            call.status = 200
        else:
            raise errors.NotFound()
        return schemas.InstanceState.of(started)


def _line(row: Any) -> schemas.ProcessDefinitionSummary:
    names = schemas.ProcessDefinitionSummary.model_fields
    return schemas.ProcessDefinitionSummary(**{name: getattr(row, name) for name in names})


def _start(event: dict[str, Any]) -> schemas.StartEvent:
    timer = event.get("timer")
    return schemas.StartEvent(
        element_id=event["element_id"],
        kind=event["kind"],
        form_id=event.get("form_id"),
        message_name=event.get("message_name"),
        timer=schemas.Timer(kind=timer[0], value=timer[1]) if timer else None,
    )

"""The register of bases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from service import errors
from service.queries import column, register, single

from . import schemas
from .paging import Marks, page
from .routes import Call, api

SORTS = {"-accredited_on": "year"}


@api.get("/bases", zh="查询基地名录")
def list_(call: Call, query: schemas.BaseQuery) -> schemas.BasePage:
    """The bases of the register; active ones unless asked otherwise."""
    wanted = register.Filter(
        type=query.type,
        status=None if query.status == "any" else query.status,
        region=query.region,
        field=query.field,
        year=query.year,
        text=query.text,
    )
    marks = Marks("bases", wanted, query.sort)
    with call.reading() as (session, user):
        found = register.bases(
            session,
            user.authority_id,
            wanted,
            sort=SORTS.get(query.sort, query.sort),
            after=marks.read(query.after),
            limit=query.limit,
        )
        return page(schemas.BasePage, found, lambda row: schemas.BaseSummary(**_public(row)), marks)


@api.get("/bases/{base_id}", zh="查看基地")
def get(call: Call, base_id: int) -> schemas.Base:
    """One base: its file for those it concerns, for others what is public."""
    with call.reading() as (session, user):
        found = single.base(session, user, base_id)
        if found is None:
            raise errors.NotFound()
        if register.may_see(session, user, found):
            kept = register.base_file(session, found)
            return schemas.Base(**_public(found), history=_history(kept.history), file=_file(kept))
        public = column.base(session, user.authority_id, found.number)
        return schemas.Base(**_public(found), history=_history(public[1] if public else []), file=None)


def _public(base: Any) -> dict[str, Any]:
    same = ("id", "number", "name", "type", "status", "region", "accredited_on", "ended_on")
    return {
        **{name: getattr(base, name) for name in same},
        "type_name": register.TYPES.get(base.type, base.type),
        "host": base.host.name,
        "fields": [one.code for one in base.fields],
    }


def _history(events: Iterable[Any]) -> list[schemas.RegisterEvent]:
    return [
        schemas.RegisterEvent(
            at=one.at, kind=one.kind, zh=one.text_zh, en=one.text_en or one.text_zh, instance_id=one.instance_id
        )
        for one in events
    ]


def _file(kept: register.BaseFile) -> schemas.BaseFile:
    return schemas.BaseFile(
        accredited_under=kept.base.accredited_under,
        summary=kept.base.summary,
        recommenders=[
            schemas.Recommender(
                code=one.organisation.code,
                name=one.organisation.name,
                relation=one.relation,  # type: ignore[arg-type]
                since=one.since,
                until=one.until,
            )
            for one in reversed(kept.links)
        ],
        accreditations=[
            schemas.Accreditation(
                type=one.type,
                decided_on=one.decided_on,
                rule_set=one.rule_set,
                document_number=one.document.number if one.document else None,
                instance_id=one.instance_id,
            )
            for one in kept.accreditations
        ],
        documents=[
            schemas.IssuedDocument(kind=one.kind, number=one.number, title=one.title, issued_on=one.issued_on)
            for one in kept.documents
        ],
        results=[
            schemas.AnnualResult(year=one.year, grade=one.grade, result=one.result, confirmed_on=one.confirmed_on)  # type: ignore[arg-type]
            for one in kept.results
        ],
    )

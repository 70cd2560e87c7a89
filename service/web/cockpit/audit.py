"""The log: read it, check its chain, take it away in the formats that tools open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Response, request, stream_with_context, url_for

from service import errors
from service.commands.administration import audit as commands
from service.queries import audit as reads
from service.queries import mining

from .. import here
from . import blueprint, reading

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "xes": "application/xml",
    "ocel": "application/json",
}
ENDINGS = {"csv": "csv", "jsonl": "jsonl", "xes": "xes", "ocel": "jsonocel"}


@blueprint.get("/audit")
def audit() -> str:
    """The sealed log, newest first."""
    kind, actor, after = (request.args.get(name, "").strip()[:100] for name in ("kind", "actor", "after"))
    number = request.args.get("case", "")
    with reading() as (session, user):
        page = reads.sealed(
            session,
            user,
            kind=kind or None,
            actor=actor or None,
            instance=int(number) if number.isdigit() and len(number) < 19 else None,
            after=after or None,
        )
        chosen: dict[str, Any] = {"kind": kind or None, "actor": actor or None, "case": number or None}
        verdict = None
        if request.args.get("verify"):
            settings = here.settings()
            verdict = commands.check(session, key=settings.secret_key, copies=settings.data / commands.ANCHORS)
        return here.page(
            session,
            "cockpit/audit.html",
            page=page,
            chosen=chosen,
            kinds=reads.kinds(session, user),
            verdict=verdict,
            next_url=url_for("cockpit.audit", **chosen, after=page.next) if page.next else None,
            first_url=url_for("cockpit.audit", **chosen) if after else None,
        )


@blueprint.get("/audit/export.<form>")
def export(form: str) -> Response:
    """The whole log (csv, jsonl), or what happened in cases for process mining (xes, ocel)."""
    if form not in MEDIA:
        raise errors.NotFound()
    process = request.args.get("process") or None

    def parts() -> Iterator[str]:
        with reading() as (session, user):
            if form in ("csv", "jsonl"):
                write = mining.csv_lines if form == "csv" else mining.json_lines
                yield from write(commands.line(row) for row in reads.chain(session, user))
            else:
                tell = mining.xes if form == "xes" else mining.ocel
                yield from tell(reads.activities(session, user, process=process))

    with reading() as (session, user):  # who may not read it learns that before the first byte
        next(iter(reads.chain(session, user)), None)
    response = Response(stream_with_context(parts()), content_type=MEDIA[form])
    response.headers["Content-Disposition"] = f"attachment; filename=guohe-audit.{ENDINGS[form]}"
    return response

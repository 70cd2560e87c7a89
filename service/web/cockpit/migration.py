"""Versions: map the elements of one to those of another, look at each case, move them as a batch."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from service import errors
from service.commands.administration import batches as commands
from service.commands.administration import migrations
from service.queries import definitions
from service.queries import repairs as reads

from .. import here
from . import blueprint, reading, writing

LOOKED = 200


@blueprint.get("/migration")
def migration() -> str:
    """Choose a process and two versions; edit the proposed mapping."""
    return _page(dict(request.args))


@blueprint.post("/migration/preview")
def migration_preview_submit() -> tuple[str, int]:
    """Say what would come of each case."""
    values = dict(request.form.items())
    try:
        with reading() as (session, user):
            source, target = _versions(values)
            names = migrations.read_names(session, source, target, _names(values), user=user)
            ids = migrations.candidates(session, source, values.get("process"), user=user)
            seen = [asdict(migrations.outcome(session, one, target, names, user=user)) for one in ids[:LOOKED]]
    except errors.InvalidInput as wrong:
        return _page(values, wrong=wrong), 422
    return _page(values, seen=seen, total=len(ids)), 200


@blueprint.post("/migration")
def migration_submit() -> Response | tuple[str, int]:
    """Move the cases: as a batch, a few first where asked."""
    values = dict(request.form.items())
    try:
        with writing() as (session, user):
            source, target = _versions(values)
            names = migrations.read_names(session, source, target, _names(values), user=user)
            batch = commands.create(
                session,
                "migrate",
                {"deployment": target, "names": names},
                user=user,
                reason=values.get("reason", ""),
                ids=migrations.candidates(session, source, values.get("process"), user=user),
                canary=here.number("canary") or 0,
            )
            batch_id = batch.id
    except errors.InvalidInput as wrong:
        return _page(values, wrong=wrong), 422
    return redirect(url_for("cockpit.batch", batch_id=batch_id), 303)


def _versions(values: dict[str, str]) -> tuple[int, int]:
    found = [int(values.get(name, "")) if values.get(name, "").isdigit() else 0 for name in ("source", "target")]
    if not all(found) or found[0] == found[1]:
        raise errors.InvalidInput("请选择两个不同的版本。", "Choose two different versions.", field="target")
    return found[0], found[1]


def _names(values: dict[str, str]) -> dict[str, dict[str, str]]:
    """The mapping as the form sends it: one field ``map:<process>:<element>`` for each element that is asked about."""
    if values.get("names"):
        try:
            found = json.loads(values["names"])
        except ValueError:
            raise errors.InvalidInput("映射不是有效的 JSON。", "The mapping is no JSON.", field="names") from None
        return found
    names: dict[str, dict[str, str]] = {}
    for field, goal in values.items():
        kind, _colon, rest = field.partition(":")
        process_id, _colon, element = rest.partition(":")
        if kind == "map" and element and goal and goal != element:
            names.setdefault(process_id, {})[element] = goal
    return names


def _page(
    values: dict[str, str],
    *,
    seen: list[dict[str, Any]] | None = None,
    total: int = 0,
    wrong: errors.InvalidInput | None = None,
) -> str:
    with reading() as (session, user):
        processes = definitions.names(session, user)
        process = values.get("process") or (processes[0][0] if processes else "")
        versions = reads.versions(session, user, process)
        proposed, targets = None, []
        try:
            source, target = _versions(values)
            proposed = migrations.propose(session, source, target, user=user)
            targets = migrations.elements(session, target, user=user)
        except errors.InvalidInput:
            source = target = 0
        return here.page(
            session,
            "cockpit/migration.html",
            values=values,
            processes=processes,
            process=process,
            versions=versions,
            source=source,
            target=target,
            proposed=proposed,
            targets=targets,
            chosen=_names(values) if proposed else {},
            seen=seen,
            total=total,
            wrong=wrong,
        )

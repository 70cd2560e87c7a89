"""The stuck page: everything that cannot go on, or that somebody should look at, grouped by cause."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from service import errors
from service.commands.administration import cockpitviews, retention
from service.commands.administration.repairkinds import KINDS
from service.commands.cases.causes import LIVE, sentence
from service.queries import definitions, liveness, stuck
from service.queries import repairs as reads
from service.queries.stuck import administered

from .. import here
from . import blueprint, reading, writing

SHOWN_LIVE = 50


@blueprint.get("/")
def stuck_cases() -> str:
    """What is stuck."""
    args = _read(request.args)
    after = request.args.get("after") or None
    with reading() as (session, user):
        groups = stuck.groups(session, user)
        mine = set(administered(user))
        live = [one for one in liveness.findings(session) if one.cause in LIVE and one.authority_id in mine]
        found = stuck.rows(
            session,
            user,
            after=after,
            **asked(request.args),
        )
        chosen: dict[str, Any] = {name: value or None for name, value in args.items()}
        context: dict[str, Any] = {
            "groups": groups,
            "live": [(one, sentence(one)) for one in live[:SHOWN_LIVE]],
            "live_count": len(live),
            "page": found,
            "args": args,
            "chosen": chosen,
            "link": {name: value for name, value in args.items() if value},
            "processes": definitions.names(session, user),
            "next_url": url_for("cockpit.stuck_cases", **chosen, after=found.next) if found.next else None,
            "first_url": url_for("cockpit.stuck_cases", **chosen) if after else None,
        }
        if here.is_partial():
            return render_template("cockpit/_stuck_panel.html", **context)
        return here.page(
            session,
            "cockpit/stuck.html",
            **context,
            loads=stuck.loads(session, user, limit=8),
            thin=stuck.thin_roles(session, user, limit=8),
            views=stuck.views(session, user),
            proposed=reads.proposed(session, user),
            workers=liveness.workers_alive(session),
            overload=retention.policy(session, user=user).overload,
        )


def _read(args: Mapping[str, str]) -> dict[str, str]:
    return {name: args.get(name, "").strip()[:100] for name in ("cause", "symptom", "process", "q")}


def asked(args: Mapping[str, str]) -> dict[str, Any]:
    """What an address asks of ``queries.stuck.rows``."""
    read = _read(args)
    return {"text": read.pop("q") or None, **{name: value or None for name, value in read.items()}}


@blueprint.post("/views")
def view_submit() -> Response:
    """Keep a choice under a name."""
    query: dict[str, Any] = {name: request.form.get(name, "") for name in ("cause", "symptom", "process", "q")}
    with writing() as (session, user):
        cockpitviews.save(session, request.form.get("name", ""), query, user=user)
    flash(_("视图已保存。"), "good")
    return redirect(url_for("cockpit.stuck_cases", **{name: value for name, value in query.items() if value}), 303)


@blueprint.post("/views/<int:view_id>/remove")
def view_remove_submit(view_id: int) -> Response:
    """Forget a saved choice."""
    with writing() as (session, user):
        cockpitviews.remove(session, view_id, user=user)
    return redirect(url_for("cockpit.stuck_cases"), 303)


@blueprint.get("/policy")
def policy() -> str:
    """What this authority asks of its administrators."""
    with reading() as (session, user):
        return here.page(
            session, "cockpit/policy.html", policy=retention.policy(session, user=user), kinds=KINDS.values()
        )


@blueprint.post("/policy")
def policy_submit() -> Response:
    """Change it."""
    with writing() as (session, user):
        retention.set_policy(
            session,
            user=user,
            second_approver=[code for code in request.form.getlist("second_approver") if code in KINDS],
            untouched_days=_days("untouched_days"),
            loops=_days("loops"),
            overload=_days("overload"),
            retention_days=_days("retention_days") if request.form.get("retention_days") else None,
        )
    flash(_("规则已保存。"), "good")
    return redirect(url_for("cockpit.policy"), 303)


def _days(name: str) -> int:
    value = here.number(name)
    if value is None:
        raise errors.InvalidInput("请填写数字。", "Give a number.", field=name)
    return value

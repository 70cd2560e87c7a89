"""Closed cases, decided again by a working copy: how many would have gone differently, and which."""

from __future__ import annotations

from flask import request

from service.commands.procedures import backtests, workshop
from service.commands.procedures.deployments import BundleRejected
from service.queries import workshop as reads

from .. import here, i18n
from .workbench import blueprint

FEW = 200


@blueprint.get("/<int:copy_id>/backtest")
def backtest(copy_id: int) -> str:
    """Make the decisions of the closed cases again, by the tables and gateways of the working copy."""
    with here.reading() as (session, user):
        copy = reads.copy(session, user, copy_id)
        limit = min(max(request.args.get("limit", FEW, type=int), 1), backtests.MOST_CASES)
        found, problem = None, None
        try:
            found = backtests.run(session, workshop.files(session, copy), user=user, limit=limit)
        except BundleRejected as error:
            problem = error.en if i18n.choice() == "en" else error.zh
        return here.page(
            session,
            "modeler/backtest.html",
            copy=copy,
            found=found,
            problem=problem,
            limit=limit,
            most=backtests.MOST_CASES,
            english=i18n.choice() == "en",
        )

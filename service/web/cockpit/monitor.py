"""How things stand, on one screen: charts drawn on the server, renewed by themselves."""

from __future__ import annotations

from flask import render_template
from flask_babel import gettext as _

from service.queries import definitions, liveness, metrics
from service.queries.stuck import administered

from .. import here
from . import blueprint, charts, reading


@blueprint.get("/monitor")
def monitor() -> str:
    """The monitoring page."""
    with reading() as (session, user):
        mine = administered(user)
        numbers = metrics.numbers(session, mine)
        busiest = numbers.open_tasks[:10]
        named = definitions.step_names(session, user, [(one[0], one[2]) for one in busiest])
        days = metrics.throughput(session, mine)
        due = metrics.deadlines(session, mine)
        context = {
            "numbers": numbers,
            "running": sum(numbers.instances.get(name, 0) for name in ("active", "incident", "suspended")),
            "open": sum(one[3] for one in numbers.open_tasks),
            "overdue": due.overdue,
            "stuck": sum(numbers.incidents.values()),
            "healed": metrics.healed(session, mine),
            "workers": liveness.workers(session),
            "flow": charts.lines(
                [(day.day.strftime("%m-%d"), [day.started, day.ended]) for day in days],
                [_("发起"), _("结束")],
            ),
            "done": charts.bars([(day.day.strftime("%m-%d"), day.completed) for day in days]),
            "deadlines": charts.stack(
                [
                    (_("已逾期"), due.overdue, "danger"),
                    (_("今日到期"), due.today, "warn"),
                    (_("7 日内"), due.week, "gold"),
                    (_("以后"), due.later, "brand"),
                    (_("无期限"), due.never, "plain"),
                ]
            ),
            "steps": charts.ranks([(name, one[3], one[4]) for name, one in zip(named, busiest, strict=True)]),
        }
        if here.is_partial():
            return render_template("cockpit/_monitor_panel.html", **context)
        return here.page(session, "cockpit/monitor.html", **context)

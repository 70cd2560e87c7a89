"""How I want to be told, and the secret address of my deadlines for a calendar program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as Answer

from service import errors
from service.commands.people import feeds as feed_commands
from service.commands.people import telling as commands
from service.queries import feeds

from . import here

if TYPE_CHECKING:
    from service.models import User

blueprint = Blueprint("telling", __name__)


@blueprint.get("/account/notices")
def notices() -> str:
    """Show what I am told, and how."""
    with here.reading() as (session, user):
        return _page(session, user)


@blueprint.post("/account/notices")
def notices_submit() -> Answer:
    """Keep what I chose."""
    form = request.form
    sent = [kind for kind in commands.KINDS if f"{kind}-mail" in form]
    chosen = {kind: (form.get(f"{kind}-bell") == "1", form[f"{kind}-mail"]) for kind in sent}
    with here.writing() as (session, user):
        commands.choose(session, user, chosen)
    flash(_("通知设置已保存。"), "good")
    return redirect(url_for("telling.notices"), 303)


@blueprint.post("/account/calendar-feed")
def feed_submit() -> tuple[str, int]:
    """Make my address, or another one in its place; it is shown this once."""
    with here.writing() as (session, user):
        secret = feed_commands.renew(session, user)
    address = here.settings().base_url + url_for("telling.calendar", secret=secret)
    with here.reading() as (session, user):
        return _page(session, user, address=address), 201


@blueprint.post("/account/calendar-feed/revoke")
def revoke_submit() -> Answer:
    """Make my address lead nowhere."""
    with here.writing() as (session, user):
        feed_commands.revoke(session, user)
    flash(_("日历订阅地址已撤销。"), "good")
    return redirect(url_for("telling.notices"), 303)


@blueprint.get("/calendar/<secret>.ics")
def calendar(secret: str) -> Response:
    """The deadlines of whoever made this address. Calendar programs cannot sign in; the address is the key."""
    with here.database().transaction(readonly=True) as session:
        user = feeds.owner(session, secret)
        if user is None:
            raise errors.NotFound
        body = feeds.calendar(session, user, base_url=here.settings().base_url)
    answer = Response(body, mimetype="text/calendar")
    answer.headers["Content-Disposition"] = 'inline; filename="guohe.ics"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _page(session: Session, user: User, *, address: str = "") -> str:
    return here.page(
        session,
        "telling/notices.html",
        user=user,
        chosen=commands.chosen(session, user),
        kinds=[
            ("case", _("案件进展"), _("流程发出的通知、补正、结果等")),
            ("assigned", _("转派给我"), _("他人把任务交给我办理")),
            ("mention", _("提到我"), _("他人在案件意见中用 @ 提到我")),
            ("urged", _("负责人催办"), _("催办我手中或我的岗位可以领取的逾期任务")),
            ("offered", _("新的待领任务"), _("我的岗位可以领取的新任务；汇总邮件只列仍待领取的")),
            ("due", _("到期提醒"), _("任务到期前和逾期后，按工作日提醒")),
            ("deputy", _("代理"), _("代理的安排与撤销")),
            ("export", _("导出完成"), _("较长的列表由后台导出，完成后通知")),
        ],
        ways=[("at_once", _("立即发送")), ("digest", _("次日早晨汇总")), ("never", _("不发邮件"))],
        feed=feeds.feed(session, user),
        address=address,
    )

"""Webhooks and reminders of an authority: pages for administrators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service import errors, outgoing, permissions
from service.commands.administration import webhooks as commands
from service.commands.people import telling
from service.queries import webhooks as queries

from . import here, i18n

if TYPE_CHECKING:
    from service.models import User, Webhook

blueprint = Blueprint("webhooks", __name__)


@blueprint.get("/admin/webhooks")
def webhooks() -> str:
    """Show webhooks, their deliveries, and when people are reminded."""
    with here.reading() as (session, user):
        return _page(session, user)


@blueprint.post("/admin/webhooks")
def webhooks_submit() -> Response | tuple[str, int]:
    """Add one; its secret is shown this once."""
    allowed = outgoing.networks(here.settings().webhook_networks)
    try:
        with here.writing() as (session, user):
            made = commands.create(
                session, request.form.get("url", ""), request.form.getlist("kinds"), user=user, allowed=allowed
            )
            secret = _secret(made)
    except errors.InvalidInput as refused:
        with here.reading() as (session, user):
            return _page(session, user, refused=refused), 422
    with here.reading() as (session, user):
        return _page(session, user, secret=secret), 201


@blueprint.post("/admin/webhooks/<int:webhook_id>/<any(pause, resume, remove):act>")
def act_submit(webhook_id: int, act: str) -> Response:
    """Pause it, go on, or remove it."""
    with here.writing() as (session, user):
        if act == "remove":
            commands.remove(session, webhook_id, user=user)
        else:
            commands.switch(session, webhook_id, active=act == "resume", user=user)
    flash(_("已保存。"), "good")
    return redirect(url_for("webhooks.webhooks"), 303)


@blueprint.post("/admin/webhooks/<int:webhook_id>/renew")
def renew_submit(webhook_id: int) -> tuple[str, int]:
    """Give it another secret."""
    with here.writing() as (session, user):
        secret = _secret(commands.renew(session, webhook_id, user=user))
    with here.reading() as (session, user):
        return _page(session, user, secret=secret), 201


@blueprint.post("/admin/webhooks/deliveries/<int:delivery_id>/again")
def redeliver_submit(delivery_id: int) -> Response:
    """Send a delivery again."""
    with here.writing() as (session, user):
        commands.redeliver(session, delivery_id, user=user)
    flash(_("已重新投递。"), "good")
    return redirect(url_for("webhooks.webhooks"), 303)


@blueprint.post("/admin/reminders")
def reminders_submit() -> Response | tuple[str, int]:
    """Change when people are reminded of tasks."""
    try:
        with here.writing() as (session, user):
            telling.set_policy(session, _days("before"), _days("after"), user=user)
    except errors.InvalidInput as refused:
        with here.reading() as (session, user):
            return _page(session, user, refused=refused), 422
    flash(_("已保存。"), "good")
    return redirect(url_for("webhooks.webhooks"), 303)


def _days(name: str) -> list[int]:
    parts = request.form.get(name, "").replace("，", ",").replace("、", ",").split(",")
    texts = [part.strip() for part in parts if part.strip()]
    if any(not text.isascii() or not text.isdigit() for text in texts):
        raise errors.InvalidInput("请填写用逗号分开的整数，如 3,1。", "Give whole numbers, such as 3,1.", field=name)
    return [int(text[:6]) for text in texts]


def _secret(webhook: Webhook) -> str:
    return outgoing.shown(outgoing.secret(here.settings().secret_key, webhook.id, webhook.salt))


def _page(session: Session, user: User, *, secret: str = "", refused: errors.ServiceError | None = None) -> str:
    if not permissions.may_administer(user, user.authority_id):
        raise errors.Forbidden
    before, after = telling.policy(session, user.authority_id)
    return here.page(
        session,
        "webhooks/webhooks.html",
        hooks=queries.webhooks(session, user),
        deliveries=queries.deliveries(session, user),
        kinds={
            "started": _("发起"),
            "claimed": _("领取"),
            "released": _("放回"),
            "assigned": _("转派"),
            "completed": _("办结任务"),
            "incident": _("异常"),
            "ended": _("案件结束"),
        },
        states={
            "queued": _("等待投递"),
            "running": _("正在投递"),
            "done": _("已送达"),
            "failed": _("失败"),
            "cancelled": _("已取消"),
        },
        secret=secret,
        fields={refused.field or "url": refused.sentence(i18n.choice())} if refused else {},
        typed=request.form,
        before="，".join(str(day) for day in before),
        after="，".join(str(day) for day in after),
    )

"""Deputies: who stands in for me, for whom I stand in; and an administrator's act in somebody's place."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service import clock, errors, permissions
from service.commands.inbox import tasks
from service.commands.people import deputies as commands
from service.queries import definitions, identity
from service.queries import deputies as queries

from . import here, i18n

if TYPE_CHECKING:
    from service.models import User

blueprint = Blueprint("deputies", __name__)


@blueprint.get("/account/deputies")
def deputies() -> str:
    """Show the arrangements; ``for`` names somebody else, for an administrator."""
    with here.reading() as (session, user):
        return _page(session, user, _principal(session, user, request.args.get("for", "")))


@blueprint.post("/account/deputies")
def deputies_submit() -> Response | tuple[str, int]:
    """Make an arrangement."""
    form = request.form
    try:
        with here.writing() as (session, user):
            principal = _principal(session, user, form.get("for", ""))
            deputy = identity.by_id(session, here.number("deputy") or 0)
            if deputy is None:
                raise errors.InvalidInput("请选择代理人。", "Choose somebody to stand in.", field="deputy")
            commands.appoint(
                session,
                principal,
                deputy,
                user=user,
                first_day=_day("first_day"),
                last_day=_day("last_day"),
                process_id=form.get("process") or None,
                role=form.get("role") or None,
                signs=form.get("signs") == "1",
                reason=form.get("reason", ""),
            )
            done = _("已安排%(deputy)s代理%(principal)s。", deputy=deputy.name, principal=principal.name)
    except errors.InvalidInput as refused:
        with here.reading() as (session, user):
            return _page(session, user, _principal(session, user, form.get("for", "")), refused), 422
    flash(done, "good")
    return redirect(url_for("deputies.deputies"), 303)


@blueprint.post("/account/deputies/<int:deputy_id>/revoke")
def revoke_submit(deputy_id: int) -> Response:
    """End an arrangement at once."""
    with here.writing() as (session, user):
        commands.revoke(session, deputy_id, user=user)
    flash(_("代理已撤销。"), "good")
    return redirect(url_for("deputies.deputies"), 303)


@blueprint.post("/tasks/<int:task_id>/act-for")
def act_for_submit(task_id: int) -> Response:
    """Take a task in somebody's place, as an administrator who says why."""
    with here.writing() as (session, user):
        principal = identity.by_id(session, here.number("principal") or 0)
        if principal is None:
            raise errors.InvalidInput("请选择为谁代办。", "Choose in whose place you act.", field="principal")
        reason = request.form.get("reason", "")
        tasks.act_for(session, task_id, user=user, principal=principal, reason=reason)
        done = _("您正代%(who)s办理此任务，理由已记录在案。", who=principal.name)
    flash(done, "good")
    return redirect(url_for("inbox.task", task_id=task_id), 303)


def _principal(session: Session, user: User, username: str) -> User:
    """The person whose deputies these are: oneself, or – for an administrator – anybody of the authority."""
    if not username or username == user.username:
        return user
    found = identity.user(session, username.strip())
    if found is None or not permissions.may_administer(user, found.authority_id):
        raise errors.InvalidInput(
            f"没有可由您安排的账号“{username}”。", f"You arrange nothing for an account “{username}”.", field="for"
        )
    return found


def _day(name: str) -> date:
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        raise errors.InvalidInput("请填写日期，如 2026-03-15。", "Give a day such as 2026-03-15.", field=name) from None


def _page(session: Session, user: User, principal: User, refused: errors.ServiceError | None = None) -> str:
    admin = permissions.may_administer(user, user.authority_id)
    roles = queries.roles(session, principal)
    names = {one.code: i18n.name_of(one) for one in identity.roles(session).values()}
    return here.page(
        session,
        "deputies/deputies.html",
        user=user,
        principal=principal,
        other=principal.id != user.id,
        admin=admin,
        today=clock.today(),
        colleagues=queries.colleagues(session, principal),
        roles=roles,
        role_names=names,
        signing=[one.code for one in roles if one.code.partition(".")[2] in permissions.SIGNING],
        processes=definitions.names(session, user),
        arranged=queries.arranged(session, user, everybody=admin),
        fields={refused.field or "deputy": refused.sentence(i18n.choice())} if refused else {},
        typed=request.form,
    )

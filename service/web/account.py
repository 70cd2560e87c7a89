"""A person's own account: roles, password, tokens for the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service import errors, permissions
from service.commands.people import identity as accounts
from service.queries import identity

from . import here, i18n

if TYPE_CHECKING:
    from service.models import User

blueprint = Blueprint("account", __name__)

LIVES = (30, 90, 365)
"""Days a token may live, as offered."""


@blueprint.get("/account")
def account() -> str:
    """Show the account."""
    with here.reading() as (session, user):
        return _page(session, user)


@blueprint.post("/account/password")
def password_submit() -> Response | tuple[str, int]:
    """Set a new password, knowing the old one; every other browser is signed out."""
    old, new, again = (request.form.get(name, "") for name in ("old", "new", "again"))
    with here.reading() as (session, user):
        fields = {
            **({} if old else {"old": _("请填写现在的密码。")}),
            **({} if new else {"new": _("请填写新密码。")}),
            **({} if new == again else {"again": _("两次填写的新密码不一致。")}),
        }
        attempt = None if fields else accounts.authenticate(session, user.username, old)
        if attempt is not None and attempt.error is not None:
            fields = {"old": attempt.error.sentence(i18n.choice()) if attempt.again_at else _("现在的密码不正确。")}
        page = _page(session, user, fields=fields) if fields else ""
    if fields:
        if attempt is not None:
            # A wrong guess counts, here as at the door.
            with here.database().transaction() as session:
                accounts.sign_in(session, attempt)
        return page, 422
    try:
        with here.writing() as (session, user):
            accounts.set_password(session, user, new, user=user)
            renewed = accounts.Attempt(user.username, user)
            opened = accounts.sign_in(session, renewed, hours=here.settings().session_hours)
    except errors.InvalidInput as refused:
        with here.reading() as (session, user):
            return _page(session, user, fields={"new": refused.sentence(i18n.choice())}), 422
    assert opened is not None
    here.remember(opened[1])
    flash(_("密码已修改，其他浏览器和令牌需要重新登录。"), "good")
    return redirect(url_for("account.account"), 303)


@blueprint.post("/account/tokens")
def token_submit() -> tuple[str, int]:
    """Make a token; its text is shown this once."""
    scopes = tuple(scope for scope in accounts.SCOPES if scope in request.form.getlist("scopes"))
    days = here.number("days")
    try:
        with here.writing() as (session, user):
            _made, text = accounts.create_token(
                session, request.form.get("name", ""), user=user, scopes=scopes, days=days
            )
    except errors.InvalidInput as refused:
        with here.reading() as (session, user):
            return _page(session, user, fields={refused.field or "name": refused.sentence(i18n.choice())}), 422
    with here.reading() as (session, user):
        return _page(session, user, token=text), 201


@blueprint.post("/account/tokens/<int:token_id>/revoke")
def revoke_submit(token_id: int) -> Response:
    """Make a token useless."""
    with here.writing() as (session, user):
        accounts.revoke_token(session, token_id, user=user)
    flash(_("令牌已撤销。"), "good")
    return redirect(url_for("account.account"), 303)


def _page(session: Session, user: User, *, fields: dict[str, str] | None = None, token: str = "") -> str:
    names = identity.roles(session)
    return here.page(
        session,
        "account/account.html",
        user=user,
        fields=fields or {},
        token=token,
        tokens=identity.tokens(session, user),
        lives=LIVES,
        typed=request.form,
        roles=[
            (i18n.name_of(one.organisation), i18n.name_of(names[one.role]), one.until) for one in permissions.held(user)
        ],
    )

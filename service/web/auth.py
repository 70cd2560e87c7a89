"""Signing in and out, and the language of the pages."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import Blueprint, flash, redirect, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service import errors, permissions
from service.commands.people import identity as accounts
from service.queries import identity

from . import here, i18n

blueprint = Blueprint("auth", __name__)


@dataclass(slots=True)
class Account:
    """A demo account on the sign-in page."""

    username: str
    name: str
    roles: list[str]


@dataclass(slots=True)
class Group:
    """The demo accounts of one organisation."""

    organisation: str
    people: list[Account] = field(default_factory=list)


@dataclass(slots=True)
class Section:
    """The organisations of one kind."""

    name: str
    parties: frozenset[str]
    groups: dict[str, Group] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many accounts there are in it."""
        return sum(len(group.people) for group in self.groups.values())


@blueprint.get("/sign-in")
def sign_in() -> Response | str:
    """Show the door; who is inside already goes on."""
    with here.database().transaction(readonly=True) as session:
        if here.look(session) is not None:
            return redirect(here.safe_next(url_for("inbox.inbox")))
        return _door(session)


@blueprint.post("/sign-in")
def sign_in_submit() -> Response | tuple[str, int]:
    """Look at name and password and open a session."""
    username, password = request.form.get("username", ""), request.form.get("password", "")
    fields = {
        **({} if username.strip() else {"username": _("请填写用户名。")}),
        **({} if password else {"password": _("请填写密码。")}),
    }
    if fields:
        return _refuse(username, fields, 422)
    with here.database().transaction(readonly=True) as session:
        attempt = accounts.authenticate(session, username, password)
    token = _open(attempt)
    if token is None:
        problem = attempt.error or errors.NotSignedIn()
        status = 429 if problem.status == 429 else 401
        return _refuse(username, {"password": problem.sentence(i18n.choice())}, status)
    return _enter(token)


@blueprint.post("/sign-in/demo")
def demo_submit() -> Response:
    """Sign in as one of the fictional people; only where the platform is a demonstration."""
    if not here.settings().demo:
        raise errors.NotFound
    with here.database().transaction(readonly=True) as session:
        user = identity.user(session, request.form.get("username", ""))
    if user is None or not user.active:
        raise errors.NotFound
    token = _open(accounts.Attempt(user.username, user))
    assert token is not None
    return _enter(token)


@blueprint.post("/sign-out")
def sign_out_submit() -> Response:
    """End the session here and on the server."""
    token = cookie.pop(here.TOKEN, None)
    if isinstance(token, str):
        with here.database().transaction() as session:
            accounts.sign_out(session, token)
    flash(_("您已退出登录。"), "good")
    return redirect(url_for("auth.sign_in"), 303)


@blueprint.post("/locale")
def locale_submit() -> Response:
    """Go on in another language, here and for the account."""
    locale = request.form.get("locale", "")
    if locale not in i18n.LOCALES:
        raise errors.InvalidInput("语言应为 zh 或 en。", "The language has to be zh or en.", field="locale")
    cookie["locale"] = locale
    if here.TOKEN in cookie:
        with here.database().transaction() as session:
            user = here.look(session)
            if user is not None and user.locale != locale:
                accounts.set_locale(session, locale, user=user)
    return redirect(here.safe_next(url_for("inbox.inbox")), 303)


@blueprint.post("/theme")
def theme_submit() -> Response:
    """Show pages light, dark, with high contrast, or as the system is set – in this browser."""
    theme = request.form.get("theme", "")
    if theme not in here.THEMES:
        raise errors.InvalidInput("没有这种显示方式。", "There is no such way to show pages.", field="theme")
    cookie["theme"] = theme
    return redirect(here.safe_next(url_for("inbox.inbox")), 303)


def _door(session: Session, username: str = "", fields: dict[str, str] | None = None) -> str:
    return here.page(
        session,
        "auth/sign_in.html",
        username=username,
        fields=fields or {},
        next=here.safe_next(""),
        accounts=_demo_accounts(session) if here.settings().demo else [],
    )


def _refuse(username: str, fields: dict[str, str], status: int) -> tuple[str, int]:
    with here.database().transaction(readonly=True) as session:
        return _door(session, username, fields), status


def _open(attempt: accounts.Attempt) -> str | None:
    with here.database().transaction() as session:
        opened = accounts.sign_in(
            session,
            attempt,
            hours=here.settings().session_hours,
            address=request.remote_addr or "",
            agent=request.user_agent.string,
        )
    return opened[1] if opened else None


def _enter(token: str) -> Response:
    target = here.safe_next(url_for("inbox.inbox"))
    here.remember(token)
    return redirect(target, 303)


def _demo_accounts(session: Session) -> list[Section]:
    roles = identity.roles(session)
    sections = [Section(word, parties) for word, parties in _sections()]
    for user in identity.demo_users(session):
        held = permissions.held(user)
        section = next((one for one in sections if held and held[0].party in one.parties), None)
        if section is not None:
            offices = {one.organisation_id: one.organisation for one in held}
            first = held[0].organisation
            several = len(offices) > 1
            name = (
                _("%(name)s等 %(n)s 家机构", name=i18n.name_of(first), n=len(offices))
                if several
                else i18n.name_of(first)
            )
            group = section.groups.setdefault(f"{first.code} {several}", Group(name))
            words = list(dict.fromkeys(i18n.name_of(roles[one.role]) for one in held))
            group.people.append(Account(user.username, user.name, words))
    return [section for section in sections if section.groups]


def _sections() -> list[tuple[str, frozenset[str]]]:
    """In the order in which a case visits them."""
    return [
        (_("申报机构"), frozenset({"applicant"})),
        (_("推荐部门"), frozenset({"recommender"})),
        (_("国家高新区与省级人民政府"), frozenset({"zone", "province"})),
        (_("科技部各司局与中心"), frozenset({"most", "coop", "torch"})),
        (_("评审专家"), frozenset({"experts"})),
        (_("联盟秘书处与平台运维"), frozenset({"secretariat", "platform"})),
    ]

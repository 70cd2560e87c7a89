"""What a view has at hand: a transaction, the signed-in person, the page around its content."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import abort, current_app, g, render_template, request
from flask import session as cookie
from sqlalchemy.orm import Session

from service import clock, errors, permissions, wording
from service.commands.people import identity as identity_commands
from service.config import Settings
from service.db import Database
from service.queries import identity, notifications

from . import i18n

if TYPE_CHECKING:
    from service.models import User

TOKEN = "token"
"""The name under which the signed cookie carries the session's secret."""
FINISHED_DRAFT = "finished_draft"
"""... and the name of a draft that the browser need not keep any longer."""
UNDO = "undo"
"""... and what was handed in a moment ago."""
THEMES = ("auto", "light", "dark", "contrast")
MOST_ROLES = 8
"""So many fit into the menu."""


@dataclass(slots=True)
class Person:
    """Who is looking, in words: what the menu shows, also on an error page after the transaction is undone."""

    username: str
    name: str
    locale: str
    roles: list[str] = field(default_factory=list)
    more_roles: int = 0
    owner: bool = False
    admin: bool = False


def settings() -> Settings:
    """What the operator chose."""
    return current_app.config["GUOHE"]


def database() -> Database:
    """The database of this application."""
    return current_app.extensions["guohe.database"]


@contextmanager
def reading() -> Iterator[tuple[Session, User]]:
    """A transaction that changes nothing, for a signed-in person."""
    with database().transaction(readonly=True) as session:
        yield session, _user(session)
    _keep_alive()


@contextmanager
def writing() -> Iterator[tuple[Session, User]]:
    """A transaction for a signed-in person: one view, one command, one commit."""
    with database().transaction() as session:
        session.info["profile"] = settings().profile
        session.info["base_url"] = settings().base_url
        user = _user(session)
        identity_commands.touch_session(session, g.opened, hours=settings().session_hours)
        yield session, user


def look(session: Session) -> User | None:
    """The signed-in user, or None; a page that anybody may see asks this way."""
    token = cookie.get(TOKEN)
    opened = identity.signed_in(session, token) if isinstance(token, str) else None
    if opened is None:
        g.person = g.reader = None
        wording.read_in(session, i18n.choice())
        return None
    g.opened = opened
    g.reader = user = opened.user
    g.person = Person(user.username, user.name, user.locale)
    wording.read_in(session, i18n.choice())
    g.person.owner = permissions.may_deploy(user, user.authority_id)
    g.person.admin = permissions.may_administer(user, user.authority_id)
    g.person.roles = _roles(session, user)
    g.person.more_roles = max(0, len(permissions.held(user)) - MOST_ROLES)
    return user


def remember(token: str) -> None:
    """Begin a cookie from scratch: nothing that was planted before signing in survives it."""
    locale = cookie.get("locale")
    shown = theme()
    cookie.clear()
    cookie.permanent = True
    cookie[TOKEN] = token
    cookie["theme"] = shown
    if locale in i18n.LOCALES:
        cookie["locale"] = locale


def _user(session: Session) -> User:
    user = look(session)
    if user is None:
        raise errors.NotSignedIn
    return user


def _roles(session: Session, user: User) -> list[str]:
    if request.method != "GET" or is_partial():
        return []
    names = identity.roles(session)
    held = permissions.held(user)
    return [f"{i18n.name_of(one.organisation)} · {i18n.name_of(names[one.role])}" for one in held[:MOST_ROLES]]


def _keep_alive() -> None:
    """Write down now and then that a session is in use; a page never waits for more than that."""
    opened = g.get("opened")
    if "X-Unattended" in request.headers:
        return  # a page that looks by itself whether something is new is nobody at work
    if opened is not None and clock.now() - opened.seen_at >= identity_commands.SESSION_TOUCHED_EVERY:
        with database().transaction() as session:
            identity_commands.touch_session(session, opened, hours=settings().session_hours)


def page(session: Session, template: str, **context: Any) -> str:
    """Render a page with its surroundings. Inside the transaction, so that it shows one moment."""
    user: User | None = g.get("reader")
    if user is not None:
        context.setdefault("unread", notifications.unread(session, user))
    return render_template(template, person=g.get("person"), finished_draft=cookie.pop(FINISHED_DRAFT, ""), **context)


def offer_undo(task_id: int, name: str, seconds: int) -> None:
    """Let the next pages offer to take back what was just handed in."""
    if seconds:
        cookie[UNDO] = {"task": task_id, "name": name, "until": clock.now().timestamp() + seconds}


def undo() -> dict[str, Any] | None:
    """What may still be taken back: the task, what it is called, how many seconds are left."""
    offered = cookie.get(UNDO)
    if not isinstance(offered, dict):
        return None
    left = int(float(offered.get("until", 0)) - clock.now().timestamp())
    if left < 1 or TOKEN not in cookie:
        cookie.pop(UNDO, None)
        return None
    return {"task": offered["task"], "name": offered["name"], "left": left}


def forget_undo() -> None:
    """Offer it no more."""
    cookie.pop(UNDO, None)


def theme() -> str:
    """How this browser shows pages: ``auto`` | ``light`` | ``dark`` | ``contrast``."""
    chosen = cookie.get("theme")
    return chosen if chosen in THEMES else "auto"


def is_partial() -> bool:
    """True where htmx asks for a part of a page."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-History-Restore-Request") != "true"


def wants_json() -> bool:
    """True where a script asks, not a person's browser."""
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def address() -> str:
    """This page's address, for coming back to it."""
    query = request.query_string.decode("ascii", "replace")
    return request.path + (f"?{query}" if query else "")


def safe_next(default: str) -> str:
    """Where to go afterwards: only to a page of ours, whatever the link says."""
    target = request.values.get("next", "")
    parts = urlsplit(target)
    if not target.startswith("/") or target.startswith(("//", "/\\")) or parts.netloc or parts.scheme or "\n" in target:
        return default
    return target


def number(name: str) -> int | None:
    """A whole number that a form sends, or nothing."""
    value = request.form.get(name, "")
    if not value:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > 18:
        abort(400)
    return int(value)

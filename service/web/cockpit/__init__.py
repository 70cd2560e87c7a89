"""The administrator's cockpit: what is stuck and why, repairs, batches, versions, the log, how things stand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flask import Blueprint, Flask
from sqlalchemy.orm import Session

from service import errors, permissions
from service.web import here

if TYPE_CHECKING:
    from service.models import User

blueprint = Blueprint("cockpit", __name__, url_prefix="/cockpit")


@contextmanager
def reading() -> Iterator[tuple[Session, User]]:
    """A look, for administrators."""
    with here.reading() as (session, user):
        _only_administrators(user)
        yield session, user


@contextmanager
def writing() -> Iterator[tuple[Session, User]]:
    """An act, for administrators."""
    with here.writing() as (session, user):
        _only_administrators(user)
        yield session, user


def _only_administrators(user: User) -> None:
    if not permissions.may_administer(user, user.authority_id):
        raise errors.Forbidden()


def init_app(app: Flask) -> None:
    """Add the pages, and what stands at addresses of their own."""
    from . import health, words

    app.register_blueprint(blueprint)
    app.register_blueprint(health.blueprint)
    words.init_app(app)
    health.watch(app)


from . import audit, batches, case, diagrams, migration, monitor, stuck  # noqa: E402, F401

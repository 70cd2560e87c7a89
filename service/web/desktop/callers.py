"""Who calls: a user name and password (Basic), a personal token (Bearer), or OAuth client credentials."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Response, jsonify, request
from sqlalchemy.orm import Session

from service import errors
from service.commands.people import identity
from service.models import User
from service.queries import identity as people

from .. import here
from .blueprint import blueprint


@contextmanager
def reading() -> Iterator[tuple[Session, User]]:
    """A transaction that only reads, and who calls."""
    user_id = caller()
    with here.database().transaction(readonly=True) as session:
        yield session, session.get_one(User, user_id)


@contextmanager
def writing() -> Iterator[tuple[Session, User]]:
    """A transaction that may write, and who calls."""
    user_id = caller()
    with here.database().transaction() as session:
        session.info["profile"] = here.settings().profile
        yield session, session.get_one(User, user_id)


def caller() -> int:
    """The account behind the Authorization header. Raises NotSignedIn."""
    header = request.headers.get("Authorization", "")
    kind, _, value = header.strip().partition(" ")
    if kind.lower() == "bearer":
        return _by_token(value.strip(), write=request.method != "GET")
    if kind.lower() == "basic":
        return _by_password(value.strip())
    raise errors.NotSignedIn("请使用用户名和密码，或个人访问令牌。", "Use your name and password, or a personal token.")


def _by_token(text: str, *, write: bool) -> int:
    with here.database().transaction(readonly=True) as session:
        token = people.by_token(session, text[:200])
        if token is None or not token.user.active:
            raise errors.NotSignedIn("访问令牌无效、已过期或已撤销。", "The token is unknown, expired or revoked.")
        if write and "write" not in token.scopes:
            raise errors.Forbidden("此令牌不能写入。", "This token may only read.")
        return token.user_id


def _by_password(encoded: str) -> int:
    try:
        username, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise errors.NotSignedIn from None
    with here.database().transaction(readonly=True) as session:
        attempt = identity.authenticate(session, username, password)
    if attempt.user is None:
        with here.database().transaction() as session:
            identity.sign_in(session, attempt)
        raise attempt.error or errors.NotSignedIn()
    return attempt.user.id


@blueprint.post("/oauth/token")
def oauth_token() -> Response:
    """Exchange client credentials – any id, a personal token as the secret – for that token."""
    body = request.form or request.get_json(silent=True) or {}
    secret = str(body.get("client_secret", ""))
    _by_token(secret, write=False)
    return jsonify({"access_token": secret, "token_type": "Bearer", "expires_in": 3600})

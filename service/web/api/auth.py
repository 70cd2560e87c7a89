"""Who calls: a personal bearer token (only a new token is asked for by password). A cookie opens nothing here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import request
from sqlalchemy.orm import Session

from service import errors
from service.queries import identity

if TYPE_CHECKING:
    from service.models import ApiToken

BEARER = re.compile(r"[Bb]earer +([A-Za-z0-9._~+/-]+=*)", re.ASCII)
LONGEST = 200


def presented() -> str:
    """The token that came with the request. Looks at nothing but the header."""
    header = request.headers.get("Authorization", "")
    if not header:
        raise errors.NotSignedIn(
            "请在 Authorization 头中提供访问令牌（Bearer）。", "Send a bearer token in the Authorization header."
        )
    match = BEARER.fullmatch(header.strip())
    if match is None or len(match[1]) > LONGEST:
        raise _refused()
    return match[1]


def password() -> tuple[str, str]:
    """The user name and the password that came with the request."""
    sent = request.authorization
    if sent is None or sent.type != "basic" or not sent.username:
        raise errors.NotSignedIn(
            "请在 Authorization 头中提供用户名和密码（Basic）。",
            "Send user name and password in the Authorization header (Basic).",
        )
    return sent.username, sent.password or ""


def known(session: Session, text: str, *, write: bool) -> ApiToken:
    """The living token of this text, if it reaches far enough."""
    token = identity.by_token(session, text)
    if token is None:
        raise _refused()
    scope = "write" if write else "read"
    if scope not in token.scopes and not (scope == "read" and "write" in token.scopes):
        raise errors.Forbidden(
            f"此令牌没有“{scope}”权限。", f"This token has no “{scope}” scope.", code="insufficient_scope"
        )
    return token


def _refused() -> errors.NotSignedIn:
    return errors.NotSignedIn(
        "访问令牌无效、已过期或已撤销。", "The token is unknown, expired or revoked.", code="invalid_token"
    )

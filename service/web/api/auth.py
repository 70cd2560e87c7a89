"""Who calls: a personal bearer token, and nothing else. A cookie opens nothing here, so no page needs guarding."""

from __future__ import annotations

import re

from flask import request
from sqlalchemy.orm import Session

from service import errors
from service.queries import identity

TYPE_CHECKING = False
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

"""Personal tokens: a password makes one, and whoever has one sees and revokes their own."""

from __future__ import annotations

from service.commands.people import identity as commands
from service.queries import identity

from . import schemas
from .paging import Marks, cut
from .routes import Call, api


@api.post("/tokens", zh="创建访问令牌", security="password", status=201)
def create(call: Call, body: schemas.NewToken) -> schemas.CreatedToken:
    """Make a token with your user name and password (HTTP Basic). Its text is shown once and not kept.

    No token makes another: whoever finds one cannot outlive it.
    """
    with call.by_password() as (session, user):
        made, text = commands.create_token(
            session, body.name, user=user, scopes=tuple(dict.fromkeys(body.scopes)), days=body.days
        )
        return schemas.CreatedToken(**schemas.Token.facts(made), token=text)


@api.get("/tokens", zh="查询我的访问令牌")
def list_(call: Call, query: schemas.PageQuery) -> schemas.TokenPage:
    """Your own tokens that have not been revoked, newest first."""
    with call.reading() as (session, user):
        return cut(
            schemas.TokenPage,
            identity.tokens(session, user),
            lambda row: schemas.Token(**schemas.Token.facts(row)),
            lambda row: row.id,
            Marks("tokens"),
            after=query.after,
            limit=query.limit,
        )


@api.delete("/tokens/{token_id}", zh="撤销访问令牌")
def revoke(call: Call, token_id: int) -> None:
    """Make one of your own tokens useless, at once. Revoking it again changes nothing."""
    with call.writing() as (session, user):
        commands.revoke_token(session, token_id, user=user)

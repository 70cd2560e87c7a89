"""Personal access tokens."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from .values import Document, Moment, Page, printable

Scope = Literal["read", "write"]


class NewToken(Document):
    """What the token is for, how far it reaches, and how long it lives."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "报表程序", "scopes": ["read"], "days": 30}]})

    name: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"\S"), AfterValidator(printable)]
    scopes: list[Scope] = Field(default=["read", "write"], min_length=1, max_length=2)
    days: Annotated[int, Field(ge=1, le=3650)] = 90


class Token(Document):
    """A token. `hint` is how its text begins."""

    id: int
    name: str
    hint: str
    scopes: list[Scope]
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None

    @staticmethod
    def facts(row: Any) -> dict[str, Any]:
        """What a row says of a token."""
        return {name: getattr(row, name) for name in Token.model_fields}


class CreatedToken(Token):
    """A new token with its text, which is shown only now."""

    token: str


class TokenPage(Page[Token]):
    """A page of tokens."""

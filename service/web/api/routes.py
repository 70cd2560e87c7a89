"""One endpoint is one function: its signature says what it takes and answers, and OpenAPI is written from it.

``query`` and ``body`` are read and checked before the function is called; other parameters stand in the address.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_type_hints

from flask import Blueprint, Response, current_app, request
from pydantic import BaseModel
from sqlalchemy.orm import Session

from service import clock, errors, wording
from service.commands.people import identity as accounts
from service.queries import single

from . import auth, language, reading

if TYPE_CHECKING:
    from service.config import Settings
    from service.db import Database
    from service.models import ApiToken, User

Answer = BaseModel | Response | None
View = Callable[..., Answer]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An address and a method, with everything OpenAPI says about them."""

    method: str
    path: str
    view: View
    zh: str
    tag: str
    write: bool
    status: int = 200
    also: Mapping[int, str] = field(default_factory=dict)
    problems: tuple[int, ...] = ()
    if_match: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    media: str = "application/json"
    security: Literal["bearer", "password", "none"] = "bearer"
    key: bool = False
    multipart: type[BaseModel] | None = None

    @property
    def name(self) -> str:
        """Unique, and what a generated client calls its function."""
        return f"{self.tag.replace('-', '_')}_{self.view.__name__.rstrip('_')}"

    @property
    def hints(self) -> dict[str, Any]:
        """What the function takes and returns."""
        hints = get_type_hints(self.view)
        hints.pop("call", None)
        return hints

    @property
    def query(self) -> type[BaseModel] | None:
        """The model of its query parameters."""
        return self.hints.get("query")

    @property
    def body(self) -> type[BaseModel] | None:
        """The model of its JSON body."""
        return self.hints.get("body")

    @property
    def answer(self) -> Any:
        """The model of what it returns."""
        return self.hints["return"]

    @property
    def places(self) -> dict[str, type]:
        """The parameters in its path."""
        return {name: kind for name, kind in self.hints.items() if name not in ("query", "body", "return")}


class Call:
    """One request: its transactions, for whoever the token belongs to, and the headers of its answer."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.status = endpoint.status
        self.headers: dict[str, str] = {}
        self.known = endpoint.security == "none"
        self._text = auth.presented() if endpoint.security == "bearer" else ""
        self._password = auth.password() if endpoint.security == "password" else None

    @property
    def settings(self) -> Settings:
        """What the operator chose."""
        settings: Settings = current_app.config["GUOHE"]
        return settings

    @property
    def _database(self) -> Database:
        database: Database = current_app.extensions["guohe.database"]
        return database

    @contextmanager
    def reading(self) -> Iterator[tuple[Session, User]]:
        """A transaction that changes nothing."""
        with self._database.transaction(readonly=True) as session:
            wording.read_in(session, language.chosen())
            token = self._person(session)
            yield session, token.user
        self._note_use(token)

    @contextmanager
    def writing(self) -> Iterator[tuple[Session, User]]:
        """A transaction in which one command works."""
        with self._database.transaction() as session:
            session.info["profile"] = self.settings.profile
            wording.read_in(session, language.chosen())
            token = self._person(session)
            accounts.touch_token(session, token)
            yield session, token.user

    def _person(self, session: Session) -> ApiToken:
        token = auth.known(session, self._text, write=self.endpoint.write)
        self.known = True
        return token

    def _note_use(self, token: ApiToken) -> None:
        last = token.last_used_at
        if last is None or clock.now() - last >= accounts.SESSION_TOUCHED_EVERY:
            with self._database.transaction() as session:
                accounts.touch_token(session, token)

    @contextmanager
    def by_password(self) -> Iterator[tuple[Session, User]]:
        """A transaction for whoever proves who they are by name and password."""
        user_id = self.identify()
        with self._database.transaction() as session:
            user = single.user(session, user_id)
            if user is None or not user.active:
                raise errors.NotSignedIn
            yield session, user

    def identify(self) -> int:
        """Find out who calls before anything else is said, and return the number of their account."""
        if self._password is None:
            with self.reading() as (_session, user):
                return user.id
        # Looking at a password is slow; meanwhile nobody is kept waiting.
        with self._database.transaction(readonly=True) as session:
            attempt = accounts.authenticate(session, *self._password)
        if attempt.user is None:
            with self._database.transaction() as session:
                accounts.sign_in(session, attempt)
            raise attempt.error or errors.NotSignedIn()
        self.known = True
        return attempt.user.id

    def created(self, path: str) -> None:
        """Answer 201 with the address of what has come about."""
        self.status = 201
        self.headers["Location"] = path

    def version(self) -> int | None:
        """The version the caller works from, where they say."""
        return reading.version()


class Routes:
    """The endpoints, in the order of the document."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.endpoints: list[Endpoint] = []

    def get(self, path: str, **facts: Any) -> Callable[[View], View]:
        """Register a function that reads."""
        return self._add("GET", path, {"write": False, **facts})

    def post(self, path: str, **facts: Any) -> Callable[[View], View]:
        """Register a function that changes something, or (``write=False``) reads what a body describes."""
        return self._add("POST", path, {"write": True, **facts})

    def delete(self, path: str, **facts: Any) -> Callable[[View], View]:
        """Register a function that removes something and answers nothing."""
        return self._add("DELETE", path, {"write": True, "status": 204, **facts})

    def _add(self, method: str, path: str, facts: dict[str, Any]) -> Callable[[View], View]:
        def register(view: View) -> View:
            facts.setdefault("tag", path.strip("/").partition("/")[0])
            self.endpoints.append(Endpoint(method=method, path=path, view=view, **facts))
            return view

        return register

    def bind(self, blueprint: Blueprint) -> None:
        """Give every endpoint its address."""
        for endpoint in self.endpoints:
            rule = endpoint.path.replace("{", "<").replace("}", ">")
            blueprint.add_url_rule(
                rule, endpoint.name, partial(dispatch, endpoint), methods=[endpoint.method], strict_slashes=True
            )


def dispatch(endpoint: Endpoint, **places: str) -> Response:
    """Read the request, call the function, write the answer."""
    call = Call(endpoint)
    try:
        return respond(call, endpoint.view(call, **_arguments(endpoint, places)))
    except errors.ServiceError:
        # Whoever does not belong here learns that first, and nothing else.
        if not call.known:
            call.identify()
        raise


def _arguments(endpoint: Endpoint, places: Mapping[str, str]) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for name, kind in endpoint.places.items():
        arguments[name] = reading.number(places[name]) if kind is int else reading.code(places[name])
    if endpoint.query is not None:
        arguments["query"] = reading.query(endpoint.query)
    else:
        reading.nothing()
    if endpoint.body is not None:
        arguments["body"] = reading.body(endpoint.body)
    return arguments


def respond(call: Call, answer: Answer) -> Response:
    """The answer with its headers; what has a version carries it as an ETag."""
    if answer is None:
        response = Response(status=call.status)
        del response.headers["Content-Type"]
    elif isinstance(answer, Response):
        response = answer
    else:
        content = answer.model_dump_json().encode()
        response = Response(content, call.status, mimetype="application/json")
        version = getattr(answer, "version", None)
        if call.endpoint.if_match and version is not None:
            response.headers["ETag"] = f'"{version}-{zlib.crc32(content):08x}"'
            if request.method in ("GET", "HEAD"):
                response.make_conditional(request)
    response.headers.update(call.headers)
    return response


api = Routes("/api/v1")

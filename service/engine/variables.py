"""Where the variables of an instance live, and who sees which.

Variables belong to scopes – a process, a sub-process, an activity – and never to tokens, as in Camunda 8.
A name is looked up from the inside out; a result goes to the nearest scope that owns the name, else to the
process. So a value is stored once, whatever the number of branches and steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .workflow import Token


def scopes(token: Token) -> Iterator[dict[str, Any]]:
    """The scopes a token sees, innermost first."""
    here: Token | None = token
    while here is not None:
        yield here.data
        body = here.body
        if body is not None:
            yield body.data
        yield here.workflow.data
        host = here.workflow.host
        if host is not None and here.workflow.spec.called and not host.task_spec.node.propagate_parent:
            yield host.data
            return
        here = host


def _writable(token: Token) -> Iterator[dict[str, Any]]:
    """The scopes a token may write to: those up to its process; a called process ends the chain."""
    here = token
    while True:
        yield here.data
        body = here.body
        if body is not None:
            yield body.data
        yield here.workflow.data
        if here.workflow.spec.called or here.workflow.host is None:
            return
        here = here.workflow.host


class Visible(Mapping[str, Any]):
    """What a token sees, as one mapping that copies nothing."""

    def __init__(self, token: Token) -> None:
        self._token = token

    def __getitem__(self, name: str) -> Any:
        for scope in scopes(self._token):
            if name in scope:
                return scope[name]
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        seen: set[str] = set()
        for scope in scopes(self._token):
            for name in scope:
                if name not in seen:
                    seen.add(name)
                    yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)


def assign(token: Token, path: str, value: Any, *, beyond: bool = False) -> None:
    """Give the variable ``path`` (``name`` or ``name.part.part``) a value in the scope it belongs to.

    ``beyond`` leaves the activity's own scope out: an output mapping writes for those outside.
    """
    name, *parts = path.split(".")
    owner: dict[str, Any] = token.workflow.data
    for index, scope in enumerate(_writable(token)):
        owner = scope
        if name in scope and not (beyond and index == 0):
            break
    store(owner, [name, *parts], value)


def store(scope: dict[str, Any], path: list[str], value: Any) -> None:
    """Set ``path`` inside ``scope``; contexts on the way are copied, so that no other holder sees the change."""
    name, *parts = path
    if not parts:
        scope[name] = value
        return
    inner = scope.get(name)
    scope[name] = dict(inner) if isinstance(inner, Mapping) else {}
    store(scope[name], parts, value)

"""What a form fills in by itself: a field with the property ``prefill`` opens with what is known already.

The property is FEEL over the variables of the case and over ``me`` – who opens the form. Whatever the case holds for
the field comes first, and the person may change what stands there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from service import returning
from service.engine import feel
from service.models import User

PROPERTY = "prefill"
ME = "me"
"""The name of the person in these expressions: ``{name, email, username}``."""


def filled(
    schema: Mapping[str, Any], variables: Mapping[str, Any] | None, *, user: User, now: datetime
) -> dict[str, Any]:
    """The variables with what the form fills in. Raises FeelError where an expression cannot be evaluated.

    Without ``variables`` the form is of no one case, and only what speaks of none is filled in.
    """
    of_case, variables = variables is not None, variables or {}
    known = {**variables, ME: {"name": user.name, "email": user.email, "username": user.username}}
    opened = dict(variables)
    for one in returning.fields(schema):
        text = (one.component.get("properties") or {}).get(PROPERTY)
        if not isinstance(text, str) or not text.startswith("=") or _at(opened, one.path) is not None:
            continue
        expression = text[1:].strip()
        if not of_case and feel.names(expression) - {ME}:
            continue
        value = feel.evaluate(expression, feel.named_in(expression, known), now=now)
        if value is not None and value != "":
            _put(opened, one.path.split("."), value)
    return opened


def _at(values: Any, path: str) -> Any:
    for part in path.split("."):
        values = values.get(part) if isinstance(values, Mapping) else None
    return values


def _put(values: dict[str, Any], path: list[str], value: Any) -> None:
    """Set a value inside, without touching what the case itself holds."""
    first, *rest = path
    if rest:
        inner = values.get(first)
        values[first] = dict(inner) if isinstance(inner, Mapping) else {}
        _put(values[first], rest, value)
    else:
        values[first] = value


__all__ = ["ME", "PROPERTY", "filled"]

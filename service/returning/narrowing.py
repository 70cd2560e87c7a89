"""A form of which only some fields may be changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .fields import COMPUTED, Remark, binding, is_field, is_shown_only

ALWAYS = "=true"
"""Read-only by an expression: there form-js and its twin keep the case's value, whatever is sent."""


def narrow(
    schema: Mapping[str, Any], remarks: Iterable[Remark], shown: Collection[str] | None = None
) -> dict[str, Any]:
    """The same form with every field read-only but the named ones; each of these carries its remark.

    ``shown`` are the paths of the fields that the form showed when it was returned. A field that a change brings to
    light only now stays open, or the form could never be handed in. What is read-only is not checked: nobody could
    put it right.
    """
    said = {one.path: one.text for one in remarks}
    return _container(schema, (), said, shown)


def _container(
    container: Mapping[str, Any], place: tuple[str, ...], said: Mapping[str, str], shown: Collection[str] | None
) -> dict[str, Any]:
    children = [_component(child, place, said, shown) for child in container.get("components") or []]
    return {**container, "components": children} if "components" in container else dict(container)


def _component(
    component: Mapping[str, Any], place: tuple[str, ...], said: Mapping[str, str], shown: Collection[str] | None
) -> dict[str, Any]:
    path = (*place, *binding(component))
    name = ".".join(path)
    if not is_field(component):
        return _container(component, path, said, shown)
    if name in said:
        return {**component, "remark": said[name]}
    if is_shown_only(component) or (shown is not None and name not in shown):
        return dict(component)
    return _locked(component)


def _locked(component: Mapping[str, Any]) -> dict[str, Any]:
    locked = {name: value for name, value in component.items() if name not in ("validate", "allowAddRemove")}
    if component.get("type") not in COMPUTED:
        locked["readonly"] = ALWAYS
    if "components" in component:
        locked["components"] = [_locked(child) for child in component["components"]]
    return locked

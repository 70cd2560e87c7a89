"""Many tasks with one opinion, where their form allows it.

A form says so by its property ``bulk`` = ``true``. It is then shown once, without what differs from case to case, and
what is filled in is handed in with each task by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from service import clock, errors, forms
from service.commands.procedures import deployments
from service.models import Task, User
from service.returning.fields import is_field, is_shown_only

from . import prefills, readable, task_forms, tasks

PROPERTY = "bulk"


def is_allowed(schema: Mapping[str, Any]) -> bool:
    """Whether a form may be handed in for many tasks at once."""
    properties = schema.get("properties")
    return isinstance(properties, Mapping) and str(properties.get(PROPERTY)).lower() == "true"


def form_of(session: Session, task_ids: Sequence[int], *, user: User) -> task_forms.TaskForm | None:
    """The form that these tasks share, without what belongs to one case; None where they cannot be done together."""
    found = [readable.task(session, task_id, user=user) for task_id in task_ids]
    schemas = [_schema(session, task) for task in found]
    first = schemas[0] if schemas else None
    if first is None or not is_allowed(first) or any(one != first for one in schemas):
        return None
    form_id = str(first.get("id"))
    bundle = deployments.bundle(session, found[0].instance.deployment_id)
    shared = blank(first)
    opened = prefills.filled(shared, None, user=user, now=clock.now())
    return task_forms.TaskForm(form_id, shared, "bulk", opened, wording=task_forms.wording_of(bundle, form_id))


def sign(session: Session, task_id: int, values: Mapping[str, Any], *, user: User) -> Task:
    """Hand in one of many tasks with the opinion they share."""
    task = readable.task(session, task_id, user=user)
    schema = _schema(session, task)
    if schema is None or not is_allowed(schema):
        raise errors.Conflict("这类任务须逐件办理。", "Tasks of this kind are done one by one.", code="not_in_bulk")
    written = set(forms.keys(blank(schema)))
    return tasks.complete(
        session, task_id, {name: value for name, value in values.items() if name in written}, user=user
    )


def _schema(session: Session, task: Task) -> dict[str, Any] | None:
    bundle = deployments.bundle(session, task.instance.deployment_id)
    return bundle.forms.get(task.form_id) if task.form_id is not None else None


def blank(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The form with its fields alone: tables, texts and files for reading speak of one case."""
    return {**schema, "components": _fields_alone(schema)}


def _fields_alone(container: Mapping[str, Any]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    for component in container.get("components") or []:
        if is_field(component):
            if not is_shown_only(component):
                kept.append(dict(component))
        elif component.get("components"):
            inner = _fields_alone(component)
            if inner:
                kept.append({**component, "components": inner})
    return kept

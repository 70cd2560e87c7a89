"""Forms under a return: a reviewer names fields, the applicant may change only those, the reviewer sees what changed.

A diagram says so by properties of its user tasks, for any form (docs/reference/returns.md):

- ``returns`` = the id of the form whose fields the task may name, or several with commas; its own form finds them as
  ``returnable``.
- ``corrections`` = FEEL that gives ``[{field, problem}, …]``: where it gives any, the task's form opens with every
  other field read-only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, engine, english, forms, returning, wording
from service.commands.cases import instances
from service.commands.procedures import deployments
from service.engine import feel
from service.models import Task, User

from . import readable

RETURNABLE = "returnable"
"""The variable under which a form is given the fields that may be named: ``[{label, value, section}, …]``."""
RETURNS = "returns"
CORRECTIONS = "corrections"


@dataclass(frozen=True, slots=True)
class Opened:
    """A form as one task opens it: its schema, the variables it may read, and what was asked for at which field."""

    schema: dict[str, Any]
    context: Mapping[str, Any]
    remarks: list[returning.Remark] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Review:
    """What a reviewer has before them: the form with its latest values, and what changed since they last decided."""

    form_id: str
    """The form, or several with commas."""
    schema: dict[str, Any]
    values: dict[str, Any]
    decided_at: datetime | None
    changes: list[returning.Change]
    asked: dict[str, str]
    """What had been asked for, by field path."""
    unanswered: list[returning.Remark]
    """What had been asked for and is as it was."""
    returnable: list[str]
    """The names under which fields may be returned now."""


def opened(
    bundle: engine.Bundle,
    form_id: str,
    schema: dict[str, Any],
    properties: Mapping[str, Any],
    variables: Mapping[str, Any],
) -> Opened:
    """Open a form as its task says: narrowed to what was returned, with the fields that it may return itself.

    Raises FeelError where a property of the diagram cannot be evaluated.
    """
    named = _evaluated(properties.get(CORRECTIONS), variables)
    said = returning.remarks(schema, named)
    if said:
        schema = returning.narrow(schema, said, _shown(schema, variables))
    if RETURNS not in properties:
        return Opened(schema, variables, said)
    returned = _returned(bundle, _evaluated(properties[RETURNS], variables))
    # Whoever decides again begins with an empty sheet: the last return is no proposal for the next.
    decided = {one.path.partition(".")[0] for one in returning.fields(schema)}
    variables = {name: value for name, value in variables.items() if name not in decided}
    return Opened(schema, {**variables, RETURNABLE: returnable(returned, variables) if returned else []}, said)


def _form_ids(named: Any) -> list[str]:
    """The forms that a property names: an id, several with commas, or a list of them."""
    texts = named if isinstance(named, list) else str(named or "").split(",")
    return [text for one in texts if (text := str(one).strip())]


def _returned(bundle: engine.Bundle, named: Any, *, in_english: bool = False) -> dict[str, Any] | None:
    """The form whose fields may be named; several are read as one, one below the other."""
    schemas = [_worded(bundle, one, in_english) for one in _form_ids(named) if one in bundle.forms]
    if len(schemas) < 2:
        return schemas[0] if schemas else None
    return {**schemas[0], "components": [part for schema in schemas for part in schema.get("components") or []]}


def _worded(bundle: engine.Bundle, form_id: str, in_english: bool) -> dict[str, Any]:
    schema = bundle.forms[form_id]
    if not in_english:
        return schema
    return english.form(schema, bundle.english.of_folder(str(PurePosixPath(bundle.form_files[form_id]).parent)))


def returnable(schema: Mapping[str, Any], variables: Mapping[str, Any]) -> list[dict[str, str]]:
    """The fields that the form shows of this case. Of a form that writes one variable, they are named inside it."""
    written = forms.keys(schema)
    shown = _shown(schema, variables)
    return [
        {"label": one.label, "value": _inside(one.path, written), "section": one.section}
        for one in returning.fields(schema)
        if one.path in shown and not _is_pledge(one)
    ]


def _is_pledge(one: returning.FormField) -> bool:
    """A box that has to be ticked holds nothing that could be wrong."""
    return one.component.get("type") == "checkbox" and bool((one.component.get("validate") or {}).get("required"))


def _inside(path: str, written: list[str]) -> str:
    return path.partition(".")[2] or path if len(written) == 1 else path


def _evaluated(text: Any, variables: Mapping[str, Any]) -> Any:
    if not isinstance(text, str) or not text.startswith("="):
        return text
    expression = text[1:].strip()
    return feel.evaluate(expression, feel.named_in(expression, variables), now=clock.now())


def _shown(schema: Mapping[str, Any], variables: Mapping[str, Any]) -> set[str]:
    """The paths of the fields that no condition hides, as the case stands."""
    values = forms.clean(schema, {}, variables, now=clock.now())
    return {one.path for one in returning.fields(schema) if _has(values, one.path)}


def _has(values: Any, path: str) -> bool:
    for part in path.split("."):
        if not isinstance(values, Mapping) or part not in values:
            return False
        values = values[part]
    return True


def review(session: Session, task_id: int, *, user: User) -> Review | None:
    """What a reviewer's task is about; None where it may return nothing, or the reader may not see the task."""
    task = readable.task(session, task_id, user=user)
    if task.status != "open" or RETURNS not in task.properties:
        return None
    bundle = deployments.bundle(session, task.instance.deployment_id)
    try:
        variables = engine.visible(instances.load(session, task.instance), task.token)
        form_ids = _form_ids(_evaluated(task.properties[RETURNS], variables))
    except (engine.WrongToken, feel.FeelError):
        return None
    schema = _returned(bundle, form_ids, in_english=wording.is_english(session))
    if schema is None:
        return None
    written = forms.keys(schema)
    values = {name: variables[name] for name in written if name in variables}
    before = _decided_before(session, task)
    old = _held_then(session, task, form_ids, before.completed_at) if before is not None else None
    asked = returning.remarks(schema, _named_in(before.submitted)) if before is not None else []
    changes = returning.changes(schema, old, values) if old is not None else []
    changed = {one.path for one in changes}
    return Review(
        ",".join(form_ids),
        schema,
        values,
        before.completed_at if before is not None and old is not None else None,
        changes,
        {one.path: one.text for one in asked},
        [one for one in asked if one.path not in changed],
        [one["value"] for one in returnable(schema, variables)],
    )


def _decided_before(session: Session, task: Task) -> Task | None:
    """The last time this step was done in this case."""
    return session.scalars(
        select(Task)
        .where(
            Task.instance_id == task.instance_id,
            Task.element_id == task.element_id,
            Task.process_id == task.process_id,
            Task.status == "completed",
        )
        .order_by(Task.completed_at.desc(), Task.id.desc())
        .limit(1)
    ).one_or_none()


def _held_then(session: Session, task: Task, form_ids: list[str], at: datetime | None) -> dict[str, Any] | None:
    """What the forms held at that moment: what had last been handed in with each."""
    rows = session.execute(
        select(Task.form_id, Task.submitted)
        .where(
            Task.instance_id == task.instance_id,
            Task.form_id.in_(form_ids),
            Task.status == "completed",
            Task.completed_at <= at,
        )
        .order_by(Task.completed_at, Task.id)
    ).all()
    latest: dict[str | None, Any] = {row.form_id: row.submitted for row in rows}
    return {name: value for held in latest.values() for name, value in (held or {}).items()} if latest else None


def _named_in(submitted: Any) -> list[Any]:
    """The remarks in what a reviewer had handed in, wherever their form keeps them."""
    if isinstance(submitted, Mapping):
        found = submitted.get(CORRECTIONS)
        if isinstance(found, list):
            return found
        return next((inner for value in submitted.values() if (inner := _named_in(value))), [])
    return []

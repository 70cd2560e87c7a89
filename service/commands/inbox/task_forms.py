"""The form a person fills, with what it may show of the case: the one page content that needs the live state.

A form is handed only the variables that it names. What experts wrote about a file lies in the same variables as the
file itself, and whoever opens the source of a page reads everything that was sent there.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from service import clock, engine, english, errors, forms, permissions
from service.commands.cases import instances, messages
from service.commands.procedures import deployments
from service.engine import feel
from service.models import Instance, ProcessDefinition, Subscription, Task, User
from service.returning import Remark

from . import prefills, readable, registered, returns

_NAME = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class TaskForm:
    """A form's schema, the values it opens with and shows, and a hash that changes with the form.

    ``remarks`` say what was asked for at which field: then only these fields may be changed.
    """

    form_id: str
    schema: dict[str, Any]
    hash: str
    values: dict[str, Any] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    wording: english.Wording = english.WITHOUT

    def read_in(self, language: str) -> TaskForm:
        """The form as a reader of this language (``zh`` | ``en``) sees it. What it checks and keeps is the same."""
        if language != "en":
            return self
        say = self.wording.say
        values = self.shown(self.values, language)
        if isinstance(offered := values.get(returns.RETURNABLE), list):
            values[returns.RETURNABLE] = [
                {**one, "label": say(one["label"]), "section": say(one["section"])} for one in offered
            ]
        remarks = [replace(one, label=say(one.label)) for one in self.remarks]
        return replace(self, schema=self.wording.schema(self.schema), values=values, remarks=remarks)

    def shown(self, values: Mapping[str, Any], language: str) -> dict[str, Any]:
        """Values of the form as a reader of this language sees them."""
        return self.wording.values(self.schema, values) if language == "en" else dict(values)


def of_task(session: Session, task_id: int, *, user: User) -> TaskForm | None:
    """The form of a task: open, with what the case knows; handed in, with what was handed in. None: it has none."""
    task = readable.task(session, task_id, user=user)
    if task.form_id is None:
        return None
    bundle = deployments.bundle(session, task.instance.deployment_id)
    form = _form(bundle, task.form_id)
    if task.status != "open":
        return _with(form, task.submitted or {})
    known = registered.lists(session, task.authority_id, bundle, task.form_id)
    try:
        variables = {**engine.visible(instances.load(session, task.instance), task.token), **known}
    except engine.WrongToken:
        return _with(form, known)
    return as_opened(bundle, form, task, variables, user=user)


def as_opened(
    bundle: engine.Bundle, form: TaskForm, task: Task, variables: Mapping[str, Any], *, user: User
) -> TaskForm:
    """The form of an open task, narrowed to what was returned, with what is known filled in."""
    with _readable(form):
        opened = returns.opened(bundle, form.form_id, form.schema, task.properties, variables)
    if opened.remarks:
        form = replace(_hashed(form.form_id, opened.schema), wording=form.wording)
    return replace(_with(form, _known(form, opened.context, user=user)), remarks=opened.remarks)


def _known(form: TaskForm, variables: Mapping[str, Any] | None, *, user: User) -> dict[str, Any]:
    with _readable(form):
        return prefills.filled(form.schema, variables, user=user, now=clock.now())


@contextmanager
def _readable(form: TaskForm) -> Iterator[None]:
    try:
        yield
    except feel.FeelError as error:
        raise errors.Conflict(
            f"表单“{form.form_id}”无法打开：{error.zh}", f"The form “{form.form_id}” cannot be opened: {error}",
            code="form_unreadable",
        ) from error  # fmt: skip


def of_start(session: Session, definition: ProcessDefinition, *, user: User) -> TaskForm | None:
    """The form that starts a case, with what is known of whoever starts it. None: the process asks nothing."""
    if not permissions.may_start(user, definition):
        raise errors.NotFound()
    entry = next((entry for entry in definition.start_events if entry["kind"] == "none"), None)
    if entry is None or not entry["form_id"]:
        return None
    form = _form(deployments.bundle(session, definition.deployment_id), entry["form_id"])
    return _with(form, _known(form, None, user=user))


def messages_of(session: Session, user: User, instance_id: int) -> list[tuple[str, str]]:
    """The messages the user may send into a case now: names, and what they are called."""
    instance = _seen(session, user, instance_id)
    if instance.ended_at is not None or instance.status == "suspended":
        return []
    return [(name, label) for name, label, _form_id in messages.sendable(session, instance, user)]


def of_message(session: Session, instance_id: int, name: str, *, user: User | None) -> tuple[str, TaskForm | None]:
    """What a message is called that somebody may send into a case, and its form.

    The public (``user`` None) gets a form without anything of the case in it and without fields for files.
    """
    instance = _seen(session, user, instance_id) if user is not None else session.get(Instance, instance_id)
    if instance is None:
        raise errors.NotFound()
    found = next((one for one in messages.sendable(session, instance, user) if one[0] == name), None)
    if found is None:
        raise errors.NotFound()
    _name, label, form_id = found
    if form_id is None:
        return label, None
    form = _form(deployments.bundle(session, instance.deployment_id), form_id)
    if user is None:
        return label, replace(form, schema=forms.without_files(form.schema))
    token = session.scalar(
        select(Subscription.token).where(Subscription.instance_id == instance.id, Subscription.name == name).limit(1)
    )
    variables = engine.visible(instances.load(session, instance), token)
    return label, _with(form, _known(form, variables, user=user))


def _seen(session: Session, user: User, instance_id: int) -> Instance:
    query = select(Instance).where(Instance.id == instance_id, permissions.instances_seen_by(user))
    instance = session.scalar(query.options(joinedload(Instance.deployment)))
    if instance is None:
        raise errors.NotFound()
    return instance


def names(schema: Mapping[str, Any]) -> frozenset[str]:
    """Every word of a form that could be a variable: where fields write, and all expressions and templates."""
    return frozenset(_names(schema))


def _names(component: Mapping[str, Any], inside: bool = False) -> Iterator[str]:
    binding = component.get("key") or component.get("path")
    bound = isinstance(binding, str) and bool(binding)
    if bound and not inside:
        yield str(binding).split(".")[0]
    if isinstance(component.get("valuesKey"), str):
        yield component["valuesKey"].split(".")[0]
    for name, value in component.items():
        if name == "components" and isinstance(value, list):
            for child in value:
                yield from _names(child, inside or bound)
        else:
            yield from _words(value)


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value.startswith("=") or "{{" in value:
            yield from _NAME.findall(value)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _words(inner)


def written(session: Session, task: Task, *objects: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Values that a reader of English sends from a task's form, as the case has them."""
    bundle = deployments.bundle(session, task.instance.deployment_id)
    schema = bundle.forms.get(task.form_id or "", {})
    wording = wording_of(bundle, task.form_id or "")
    return [wording.written(schema, one) for one in objects]


def wording_of(bundle: engine.Bundle, form_id: str) -> english.Wording:
    """How a form of a bundle reads in English."""
    folder = str(PurePosixPath(bundle.form_files.get(form_id, "")).parent)
    return english.Wording(bundle.english.of_folder(folder), bundle.decided)


def _form(bundle: engine.Bundle, form_id: str) -> TaskForm:
    schema = bundle.forms.get(form_id)
    if schema is None:
        raise errors.Conflict(f"找不到表单“{form_id}”。", f"The form “{form_id}” is missing.", code="form_missing")
    return replace(_hashed(form_id, schema), wording=wording_of(bundle, form_id))


def _hashed(form_id: str, schema: dict[str, Any]) -> TaskForm:
    text = json.dumps(schema, ensure_ascii=False, sort_keys=True)
    return TaskForm(form_id, schema, hashlib.sha256(text.encode()).hexdigest()[:16])


def _with(form: TaskForm, variables: Mapping[str, Any]) -> TaskForm:
    wanted = names(form.schema)
    shown = {name: value for name, value in variables.items() if name in wanted}
    return replace(form, values=shown)


__all__ = ["TaskForm", "messages_of", "names", "of_message", "of_start", "of_task"]

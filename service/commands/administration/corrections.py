"""What a variable may be corrected to: of the type it has, and as the form in which it was typed would take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, engine, errors, forms
from service.commands.cases import instances
from service.models import Instance, Task

from .repairkinds import Moved


def check(session: Session, instance: Instance, run: engine.Run, kind: str, parameters: Mapping[str, Any]) -> None:
    """Refuse variables of another type than they have, or that the form which owns them would refuse."""
    variables = parameters.get("variables")
    if variables is None:
        return
    if not isinstance(variables, Mapping):
        raise errors.InvalidInput("变量应为 JSON 对象。", "Variables should be a JSON object.", field="variables")
    token = parameters.get("token")
    try:
        known = engine.visible(run, token if isinstance(token, int) else None)
    except engine.WrongToken as error:
        raise Moved("这个令牌已不在此处，请重新查看。", "This token is no longer there; look again.") from error
    for name, value in variables.items():
        if name in instances.RESERVED:
            raise errors.InvalidInput(
                f"变量“{name}”由系统设定。", f"The variable “{name}” is set by the system.", field=name
            )
        before = known.get(name)
        if before is not None and value is not None and _type(before) != _type(value):
            raise errors.InvalidInput(
                f"变量“{name}”应为{_type(before)[0]}，而不是{_type(value)[0]}。",
                f"“{name}” should be a {_type(before)[1]}, not a {_type(value)[1]}.",
                field=name,
            )
    if kind in ("variables", "retry_with"):
        _as_its_form_says(session, instance, run, variables, known)


def _as_its_form_says(
    session: Session, instance: Instance, run: engine.Run, variables: Mapping[str, Any], known: Mapping[str, Any]
) -> None:
    """Ask the form in which the variable was typed."""
    handed_in = session.execute(
        select(Task.form_id, Task.submitted)
        .where(Task.instance_id == instance.id, Task.status == "completed", Task.form_id.is_not(None))
        .order_by(Task.completed_at.desc())
    ).all()
    left = set(variables)
    for form_id, submitted in handed_in:
        mine = left & set(submitted or {})
        schema = run.bundle.forms.get(form_id)
        if not mine or schema is None:
            continue
        values = {**(submitted or {}), **{name: variables[name] for name in mine}}
        problems = forms.check(schema, values, dict(known), now=clock.now())
        wrong = {name: found for name, found in problems.items() if name in mine}
        if wrong:
            raise errors.InvalidForm(wrong, "表单不接受这个值。", "The form does not accept this value.")
        left -= mine


def _type(value: Any) -> tuple[str, str]:
    match value:
        case bool():
            return "是/否", "boolean"
        case int() | float():
            return "数字", "number"
        case str():
            return "文字", "text"
        case list():
            return "列表", "list"
        case dict():
            return "对象", "object"
    return "空", "null"

"""Many tasks at once: take them, or hand them in with one and the same opinion; each says how it went."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service import errors
from service.commands.inbox import bulk, drafts, tasks
from service.queries import inbox as boxes

from . import formbox, here, i18n

if TYPE_CHECKING:
    from service.models import User

blueprint = Blueprint("bulk", __name__)

MOST = 100
"""So many are listed and done at once."""


@dataclass(frozen=True, slots=True)
class Result:
    """How it went with one task."""

    task_id: int
    name: str
    done: bool
    sentence: str


@blueprint.get("/bulk")
def choose() -> str:
    """List the tasks of one kind to choose from."""
    with here.reading() as (session, user):
        return _page(session, user)


@blueprint.post("/bulk/claim")
def claim_submit() -> str:
    """Take the chosen tasks."""
    results = []
    for task_id in _chosen():
        try:
            with here.writing() as (session, user):
                results.append(Result(task_id, tasks.claim(session, task_id, user=user).name, True, _("已领取")))
        except errors.ServiceError as refused:
            results.append(_refused(task_id, refused))
    with here.reading() as (session, user):
        return _page(session, user, results=results)


@blueprint.post("/bulk/sign")
def sign_submit() -> tuple[str, int] | str:
    """Hand in the chosen tasks, each in a transaction of its own: what fails keeps nothing else from going through."""
    values = formbox.submitted()
    results, problems = [], None
    for task_id in _chosen():
        try:
            with here.writing() as (session, user):
                done = bulk.sign(session, task_id, values, user=user)
                drafts.discard(session, task_id, user=user)
                results.append(Result(task_id, done.name, True, _("已提交")))
        except errors.InvalidForm as refused:
            problems = problems or refused.fields
            results.append(_refused(task_id, refused))
        except errors.ServiceError as refused:
            results.append(_refused(task_id, refused))
    failed = [one for one in results if not one.done]
    with here.reading() as (session, user):
        page = _page(session, user, results=results, values=values if failed else None, problems=problems)
    return (page, 422) if failed and len(failed) == len(results) else page


def _refused(task_id: int, refused: errors.ServiceError) -> Result:
    return Result(task_id, "", False, refused.en if i18n.choice() == "en" else refused.zh)


def _chosen() -> list[int]:
    ids = [int(one) for one in request.form.getlist("task") if one.isascii() and one.isdigit() and len(one) < 18]
    if not ids:
        raise errors.InvalidInput("请至少选择一件任务。", "Choose at least one task.", field="task")
    if len(ids) > MOST:
        raise errors.InvalidInput(f"一次最多办理 {MOST} 件。", f"At most {MOST} at once.", field="task")
    return list(dict.fromkeys(ids))


def _page(
    session: Session,
    user: User,
    *,
    results: list[Result] | None = None,
    values: dict[str, Any] | None = None,
    problems: dict[str, list[str]] | None = None,
) -> str:
    found = [one for box in ("mine", "group") for one in boxes.tasks(session, user, box=box, limit=MOST).items]
    kinds = Counter((one.process_id, one.element_id, one.name, one.process_name) for one in found)
    wanted = request.values.get("kind", "")
    listed = [kind for kind, count in kinds.most_common() if count > 1 or f"{kind[0]}/{kind[1]}" == wanted]
    chosen = next((kind for kind in listed if f"{kind[0]}/{kind[1]}" == wanted), listed[0] if listed else None)
    shown = [one for one in found if chosen and (one.process_id, one.element_id) == chosen[:2]]
    form = bulk.form_of(session, [one.id for one in shown], user=user) if shown else None
    names = {one.id: f"{one.number} {one.title or one.process_name}" for one in found}
    return here.page(
        session,
        "bulk/choose.html",
        kinds=[(f"{kind[0]}/{kind[1]}", f"{kind[2]} · {kind[3]}", kinds[kind]) for kind in listed],
        kind=f"{chosen[0]}/{chosen[1]}" if chosen else "",
        tasks=shown,
        free=[one.id for one in shown if one.assignee_id is None],
        ticked={one.task_id for one in results or [] if not one.done},
        results=results or [],
        names=names,
        form=formbox.box(form, values=values, problems=problems) if form else None,
    )

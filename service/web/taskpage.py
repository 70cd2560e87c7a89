"""The page of one task: everything its reader needs to do it, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import render_template, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service import errors, forms, permissions
from service.commands.cases import duties, outlook
from service.commands.inbox import drafts, returns, task_forms
from service.models import Task
from service.queries import attachments, instances
from service.queries import tasks as task_queries

from . import ahead, formbox, here, history, i18n, show, work

if TYPE_CHECKING:
    from service.models import User

HISTORY_SHOWN = 12


def page(
    session: Session,
    user: User,
    task_id: int,
    values: dict[str, Any] | None = None,
    problems: dict[str, list[str]] | None = None,
) -> str:
    """Show a task. ``values`` and ``problems`` are those of a submission that was refused."""
    task = task_queries.task(session, user, task_id)
    if task is None:
        raise errors.NotFound
    case = instances.case(session, user, task.instance_id)
    happened = instances.history(
        session, user, task.instance_id, kinds=history.KINDS, newest_first=True, limit=HISTORY_SHOWN
    )
    state = _state(task)
    row = session.get(Task, task_id)
    return here.page(
        session,
        "inbox/task.html",
        task=task,
        case=case,
        state=state,
        form=_form(session, user, task, state, values, problems),
        guidance=[line for line in task.documentation.splitlines() if line.strip()],
        review=_review(session, user, task),
        why=_why(user, task),
        kept_away=_kept_away(user, task),
        course=ahead.course(session, user, task.instance_id),
        clock=ahead.clock(session, row) if row is not None else None,
        ahead=outlook.next_steps(session, row) if row is not None and row.status == "open" else [],
        talk=work.talk(session, user, task.instance_id, task.id) if case else None,
        colleagues=colleagues(session, user, task),
        principals=_principals(session, user, task),
        attachments=attachments.of_case(session, user, task.instance_id) if case else [],
        history=history.lines(happened.items, case.case.process_id) if happened and case else [],
    )


def colleagues(session: Session, user: User, task: task_queries.TaskView) -> list[tuple[int, str]]:
    """Those to whom the reader may hand the task."""
    if not task.may_assign:
        return []
    return [(key, name) for key, name in task_queries.assignable(session, task.id) if key != task.assignee_id]


def _principals(session: Session, user: User, task: task_queries.TaskView) -> list[tuple[int, str]]:
    """Those in whose place the reader may act as an administrator."""
    personal = task.properties.get("personal") == "true" or (task.role or "").partition(".")[0] in permissions.PERSONAL
    if task.status != "open" or task.mine or personal or not permissions.may_administer(user, task.authority_id):
        return []
    people = task_queries.assignable(session, task.id)
    return [(key, name) for key, name in people if key != user.id and task.assignee_id in (None, key)]


def _state(task: task_queries.TaskView) -> str:
    """How the page speaks of the task.

    ``mine`` | ``free`` | ``lent`` | ``kept`` | ``others`` | ``watched`` | ``done`` | ``cancelled``
    """
    if task.status != "open":
        return "done" if task.status == "completed" else "cancelled"
    if task.kept_away is not None and (task.mine or task.assignee_id is None):
        return "kept"
    if task.mine:
        return "mine"
    if task.lent_by is not None and task.may_claim:
        return "lent"
    if task.assignee_id is not None:
        return "others"
    return "free" if task.may_claim else "watched"


def _kept_away(user: User, task: task_queries.TaskView) -> str:
    """Why the reader must keep away from the task, in a sentence."""
    if task.kept_away is None:
        return ""
    zh, en = duties.sentence(task.kept_away, task.name, user)
    return en if i18n.choice() == "en" else zh


def _form(
    session: Session,
    user: User,
    task: task_queries.TaskView,
    state: str,
    values: dict[str, Any] | None,
    problems: dict[str, list[str]] | None,
) -> dict[str, Any] | None:
    form = task_forms.of_task(session, task.id, user=user)
    if form is None:
        return None
    if state != "mine":
        return formbox.box(form, read_only=True)
    owned = {name: form.values[name] for name in forms.keys(form.schema) if name in form.values}
    return formbox.box(
        form,
        values=values,
        problems=problems,
        key=formbox.draft_key(user, f"task:{task.id}"),
        draft=drafts.on_opening(session, task.id, owned, user=user),
        draft_url=url_for("inbox.draft_submit", task_id=task.id),
    )


def _review(session: Session, user: User, task: task_queries.TaskView) -> returns.Review | None:
    """What the task is about to decide on, and what changed in it; only for those who may do the task."""
    if not (task.mine or task.may_claim):
        return None
    return returns.review(session, task.id, user=user)


def reviewed(session: Session, user: User, task_id: int) -> str:
    """The whole form that the task decides on; whoever does the task may name fields in it."""
    task = task_queries.task(session, user, task_id)
    review = _review(session, user, task) if task is not None else None
    if task is None or review is None:
        raise errors.NotFound
    form = task_forms.TaskForm(review.form_id, review.schema, "", review.values)
    return render_template(
        "inbox/_reviewed.html",
        form=formbox.box(form, read_only=True, returnable=review.returnable if task.mine else None),
        mine=task.mine,
    )


def _why(user: User, task: task_queries.TaskView) -> list[str]:
    """Why this task is the reader's, in sentences; nothing where it isn't."""
    if not (task.mine or task.may_claim):
        return []
    principal = task.on_behalf_of if task.mine else task.lent_by
    if principal is not None:
        return [_("%(who)s是此任务的办理人，您代其办理；记录中写明“代%(who)s”。", who=principal)]
    reasons = []
    for one in task.candidates:
        role = one.role_en if i18n.choice() == "en" and one.role_en else one.role_zh
        if one.user == user.name and one.organisation is None:
            reasons.append(_("流程指定由您本人办理。"))
        elif one.organisation is not None:
            reasons.append(_("此任务由%(office)s的“%(role)s”办理，您担任该岗位。", office=one.organisation, role=role))
    if task.mine and task.delegation == "pending":
        reasons.append(_("%(who)s委托您办理。", who=task.owner))
    elif task.mine and task.owner_id == user.id and task.delegation == "resolved":
        reasons.append(_("您委托同事办理，现已交回。"))
    elif task.mine and task.claimed_at:
        reasons.append(_("您于 %(when)s 领取。", when=show.moment(task.claimed_at)))
    return reasons

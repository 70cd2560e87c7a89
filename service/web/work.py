"""Working on tasks together: ask somebody for an answer, see a task again later, talk about a case."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service import errors
from service.commands.inbox import comments, drafts, escalation, grace, planning, tasks
from service.queries import comments as said
from service.queries import identity, instances
from service.queries import inbox as boxes
from service.queries import tasks as task_queries

from . import formbox, here, i18n

if TYPE_CHECKING:
    from service.models import User

blueprint = Blueprint("work", __name__)


@blueprint.get("/tasks/next")
def next_task() -> Response:
    """The most urgent of my tasks; the inbox where there is none."""
    with here.reading() as (session, user):
        skip = request.args.get("after", "")
        mine = boxes.tasks(session, user, box="mine", sort="due", limit=2).items
        found = next((one.id for one in mine if str(one.id) != skip), None)
    return redirect(url_for("inbox.inbox") if found is None else url_for("inbox.task", task_id=found), 303)


@blueprint.post("/tasks/<int:task_id>/delegate")
def delegate_submit(task_id: int) -> Response:
    """Ask a colleague for an answer."""
    chosen = here.number("assignee")
    with here.writing() as (session, user):
        task = task_queries.task(session, user, task_id)
        if task is None:
            raise errors.NotFound
        offered = dict(task_queries.assignable(session, task_id)) if task.mine else {}
        to = identity.by_id(session, chosen) if chosen in offered else None
        if to is None:
            raise errors.InvalidInput("请选择一位同事。", "Choose a colleague.", field="assignee")
        tasks.delegate(session, task_id, user=user, to=to)
        done = _("已委托%(who)s办理“%(name)s”，交回后由您提交。", who=to.name, name=task.name)
    flash(done, "good")
    return redirect(url_for("inbox.inbox"), 303)


@blueprint.post("/tasks/<int:task_id>/resolve")
def resolve_submit(task_id: int) -> Response:
    """Give a delegated task back to its owner with what was filled in."""
    values = formbox.submitted()
    with here.writing() as (session, user):
        if values:
            drafts.save(session, task_id, values, user=user)
        task = tasks.resolve(session, task_id, user=user, version=here.number("version"))
        done = _("已将“%(name)s”交回委托人。", name=task.name)
        key = formbox.draft_key(user, f"task:{task_id}")
    flash(done, "good")
    formbox.forget_draft(key)
    return redirect(url_for("inbox.inbox"), 303)


@blueprint.post("/tasks/<int:task_id>/plan")
def plan_submit(task_id: int) -> Response:
    """Hide a task until a day, and say how much it presses."""
    try:
        day, priority = _day("follow_up"), here.number("priority")
        with here.writing() as (session, user):
            task = planning.plan(
                session, task_id, user=user, follow_up=day, priority=50 if priority is None else priority
            )
            done = (
                _("“%(name)s”搁置到 %(day)s，届时重新出现在待办中。", name=task.name, day=day.isoformat())
                if day
                else _("已保存“%(name)s”的安排。", name=task.name)
            )
    except errors.InvalidInput as refused:
        flash(refused.en if i18n.choice() == "en" else refused.zh, "warn")
        return redirect(url_for("inbox.task", task_id=task_id), 303)
    flash(done, "good")
    return redirect(here.safe_next(url_for("inbox.inbox")), 303)


@blueprint.post("/tasks/<int:task_id>/urge")
def urge_submit(task_id: int) -> Response:
    """Urge whoever has an overdue task."""
    with here.writing() as (session, user):
        task = escalation.urge(session, task_id, user=user)
        who = task.assignee.name if task.assignee else _("可以领取此任务的人")
        done = _("已催办“%(name)s”，通知%(who)s。", name=task.name, who=who)
    flash(done, "good")
    return redirect(url_for("inbox.task", task_id=task_id), 303)


@blueprint.post("/tasks/<int:task_id>/take-back")
def take_back_submit(task_id: int) -> Response:
    """Take back what was handed in a moment ago."""
    try:
        with here.writing() as (session, user):
            task = grace.take_back(session, task_id, user=user)
            done = _("已撤销“%(name)s”的提交，所填内容保留为草稿。", name=task.name)
    except errors.Conflict as refused:
        flash(refused.en if i18n.choice() == "en" else refused.zh, "warn")
        return redirect(url_for("inbox.inbox"), 303)
    finally:
        here.forget_undo()
    flash(done, "good")
    return redirect(url_for("inbox.task", task_id=task_id), 303)


@blueprint.post("/cases/<int:instance_id>/comments")
def comment_submit(instance_id: int) -> Response | str | tuple[str, int]:
    """Say something on a case. What is refused comes back as it was typed."""
    text, audience = request.form.get("text", ""), request.form.get("audience", "")
    task_id = here.number("task")
    try:
        with here.writing() as (session, user):
            comments.write(session, instance_id, text, user=user, audience=audience, task_id=task_id)
            if here.is_partial():
                return _panel(session, user, instance_id, task_id)
    except errors.InvalidInput as refused:
        if not here.is_partial():
            raise
        with here.reading() as (session, user):
            return _panel(session, user, instance_id, task_id, refused, text, audience), 422
    return redirect(here.safe_next(url_for("cases.case", instance_id=instance_id)), 303)


@blueprint.post("/comments/<int:comment_id>/withdraw")
def withdraw_submit(comment_id: int) -> Response | str:
    """Take back what one has said."""
    with here.writing() as (session, user):
        comment = comments.withdraw(session, comment_id, user=user)
        instance_id = comment.instance_id
        if here.is_partial():
            return _panel(session, user, instance_id, here.number("task"))
    return redirect(here.safe_next(url_for("cases.case", instance_id=instance_id)), 303)


def talk(session: Session, user: User, instance_id: int, task_id: int | None = None) -> dict[str, Any] | None:
    """What the panel of comments shows; None where the reader takes no part in the talk."""
    found = said.of_case(session, user, instance_id)
    if not found.audiences and not found.rows:
        return None
    case = instances.case(session, user, instance_id)
    return {
        "comments": found,
        "instance_id": instance_id,
        "task_id": task_id,
        "readers": comments.names(comments.readers_of(session, instance_id, found.audiences)) if case else [],
        "words": {"internal": _("仅内部"), "recommender": _("推荐部门可见"), "applicant": _("申报机构可见")},
    }


def _panel(
    session: Session,
    user: User,
    instance_id: int,
    task_id: int | None,
    refused: errors.ServiceError | None = None,
    text: str = "",
    audience: str = "",
) -> str:
    shown = talk(session, user, instance_id, task_id)
    if shown is None:
        raise errors.NotFound
    return render_template("work/_comments.html", talk=shown, refused=refused, text=text, audience=audience)


def _day(name: str) -> date | None:
    given = request.form.get(name, "").strip()
    if not given:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise errors.InvalidInput(
            "日期请写作 2026-03-15 的形式。", "Please write the date as 2026-03-15.", field=name
        ) from None

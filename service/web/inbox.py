"""The inbox and the page of one task: find work, take it, do it, hand it in."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service import clock, errors, permissions, wording, workdays
from service.commands.inbox import drafts, grace, tasks
from service.queries import identity
from service.queries import inbox as boxes
from service.queries import tasks as task_queries
from service.queries.facets import FACETS

from . import finder, formbox, here, inboxviews, show, taskpage

if TYPE_CHECKING:
    from service.models import User

blueprint = Blueprint("inbox", __name__)

LARGEST_DRAFT = 2 * 1024 * 1024


@blueprint.get("/")
def home() -> Response:
    """The inbox is the first page."""
    return redirect(url_for("inbox.inbox"))


@blueprint.get("/inbox")
def inbox() -> Response | str:
    """Show one box: what waits for me, what I could take, what others do, what I have done.

    The list alone comes with an ETag: a page that asks now and then whether something is new gets 304 and no body.
    """
    with here.reading() as (session, user):
        if here.is_partial():
            return _if_changed(_panel(session, user, dict(request.args)))
        today = clock.today()
        line = _(
            "今天是 %(day)s，%(kind)s",
            day=format_date(today, "full"),
            kind=_("工作日") if workdays.is_workday(today) else _("休息日"),
        )
        return here.page(
            session,
            "inbox/inbox.html",
            today_line=line,
            **_box(session, user, dict(request.args)),
        )


@blueprint.get("/tasks/<int:task_id>")
def task(task_id: int) -> str:
    """Show a task with everything its reader needs to do it."""
    with here.reading() as (session, user):
        return taskpage.page(session, user, task_id)


@blueprint.get("/tasks/<int:task_id>/reviewed")
def reviewed(task_id: int) -> str:
    """The whole form that a task decides on, as a part of its page."""
    with here.reading() as (session, user):
        return taskpage.reviewed(session, user, task_id)


@blueprint.post("/tasks/<int:task_id>/claim")
def claim_submit(task_id: int) -> Response | str:
    """Take a task."""
    with here.writing() as (session, user):
        taken = tasks.claim(session, task_id, user=user)
        done = _("已领取“%(name)s”，现在可在“我的待办”中办理。", name=taken.name)
        if here.is_partial():
            return _panel(session, user, _args_of_page(), done)
    flash(done, "good")
    return redirect(here.safe_next(url_for("inbox.task", task_id=task_id)), 303)


@blueprint.post("/tasks/<int:task_id>/release")
def release_submit(task_id: int) -> Response | str:
    """Put a task back."""
    with here.writing() as (session, user):
        back = tasks.release(session, task_id, user=user)
        done = _("已放回“%(name)s”，同岗位的人可以领取。", name=back.name)
        if here.is_partial():
            return _panel(session, user, _args_of_page(), done)
    flash(done, "good")
    return redirect(here.safe_next(url_for("inbox.inbox")), 303)


@blueprint.post("/tasks/<int:task_id>/assign")
def assign_submit(task_id: int) -> Response:
    """Hand a task to a colleague it is offered to."""
    chosen = here.number("assignee")
    with here.writing() as (session, user):
        task = task_queries.task(session, user, task_id)
        if task is None:
            raise errors.NotFound
        assignee = identity.by_id(session, chosen) if chosen in dict(taskpage.colleagues(session, user, task)) else None
        if assignee is None:
            raise errors.InvalidInput("请选择一位同事。", "Choose a colleague.", field="assignee")
        tasks.assign(session, task_id, user=user, assignee=assignee)
        done = _("已将“%(name)s”转派给%(who)s。", name=task.name, who=assignee.name)
    flash(done, "good")
    return redirect(here.safe_next(url_for("inbox.inbox")), 303)


@blueprint.post("/tasks/<int:task_id>/complete")
def complete_submit(task_id: int) -> Response | tuple[str, int]:
    """Hand in a task; a refused form comes back with its sentences and with all that was typed."""
    values = formbox.submitted()
    try:
        with here.writing() as (session, user):
            seconds = here.settings().undo_seconds
            done = grace.hand_in(session, task_id, values, user=user, version=here.number("version"), seconds=seconds)
            drafts.discard(session, task_id, user=user)
            name = wording.text(session, done.instance.deployment_id, done.process_id, done.name)
            key = formbox.draft_key(user, f"task:{task_id}")
    except errors.InvalidForm as refused:
        with here.reading() as (session, user):
            return taskpage.page(session, user, task_id, values, refused.fields), 422
    flash(_("“%(name)s”已提交。", name=name), "good")
    here.offer_undo(task_id, name, seconds)
    formbox.forget_draft(key)
    return redirect(url_for("work.next_task" if request.form.get("then") == "next" else "inbox.inbox"), 303)


@blueprint.post("/tasks/<int:task_id>/draft")
def draft_submit(task_id: int) -> Response:
    """Keep what is being typed, or throw it away."""
    if (request.content_length or 0) > LARGEST_DRAFT:
        raise errors.TooLarge("草稿过大，无法保存。", "The draft is too large to be kept.")
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not (body.get("discard") is True or isinstance(body.get("values"), dict)):
        raise errors.InvalidInput("草稿的格式不正确。", "This is no draft.", field="values")
    with here.writing() as (session, user):
        if body.get("discard") is True:
            drafts.discard(session, task_id, user=user)
            return jsonify({"saved_at": None})
        kept = drafts.keep(
            session,
            task_id,
            body["values"],
            user=user,
            form_hash=_text(body, "form_hash") or "",
            known=_text(body, "known"),
            base=_object(body, "base"),
            opened=_object(body, "opened"),
        )
        return jsonify(
            {
                "saved_at": kept.draft.saved_at.isoformat(),
                "values": kept.values if kept.merged else None,
                "conflicts": [asdict(one) for one in kept.conflicts],
            }
        )


def _text(body: dict[str, Any], name: str) -> str | None:
    return body[name] if isinstance(body.get(name), str) else None


def _object(body: dict[str, Any], name: str) -> dict[str, Any]:
    return body[name] if isinstance(body.get(name), dict) else {}


def _panel(session: Session, user: User, args: dict[str, str], done: str = "") -> str:
    return render_template("inbox/_answer.html", done=done, **_box(session, user, args))


def _if_changed(panel: str) -> Response:
    answer = make_response(panel)
    # Each page masks the token anew; what a reader sees is the rest.
    seen = re.sub(r'name="csrf_token" value="[^"]*"', "", panel)
    answer.set_etag(hashlib.sha256(seen.encode()).hexdigest()[:32])
    answer.headers["Cache-Control"] = "no-cache, private"
    return answer.make_conditional(request)


def _args_of_page() -> dict[str, str]:
    """The filters of the list from which htmx sent a button, so that the same list comes back."""
    return dict(parse_qsl(urlsplit(here.safe_next("")).query))


def _box(session: Session, user: User, args: dict[str, str]) -> dict[str, Any]:
    question = finder.read(args)
    page = boxes.tasks(session, user, sort=cast(boxes.Sort, question.sort), after=question.after, **question.asked())
    counts = boxes.counts(session, user)
    kinds, uncounted = finder.kinds(session, user, question)
    return {
        "stands_in": bool(permissions.standing_in(user)),
        "question": question,
        "box": question.box,
        "page": page,
        "counts": counts,
        "kinds": kinds,
        "uncounted": uncounted,
        "facets": FACETS,
        "reader": user,
        **inboxviews.offered(session, user),
        "by_case": question.sort == "case" and not page.capped,
        "sorts": [
            ("due", _("到期先后")),
            ("created", _("最新到达")),
            ("priority", _("优先级")),
            ("case", _("按案件分组")),
        ],
        "levels": {
            item.id: show.due_words(item.due_at).level for item in page.items if item.due_at and question.box != "done"
        },
        "next_url": question.url(after=page.next) if page.next else None,
        "first_url": question.url() if question.after else None,
        "here": question.url(after=question.after),
    }

"""The public column (article 19): what everybody may read, and say, without signing in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service import errors, permissions
from service.commands.bases import column as commands
from service.commands.cases import messages
from service.commands.inbox import task_forms
from service.models.register import ColumnArticle
from service.queries import column, register

from . import formbox, here, i18n, registerwords

blueprint = Blueprint("column", __name__, url_prefix="/column")
NEWEST = 5
"""So many articles of each section stand on the front page."""


def sections() -> dict[str, str]:
    """The sections of the column, in the order in which it shows them."""
    return {
        "notices": _("通知通告"),
        "news": _("基地动态"),
        "cooperation": _("合作信息"),
        "policy": _("政策法规"),
        "management": _("基地管理"),
        "overview": _("基地概况"),
    }


@blueprint.get("/")
def front() -> str:
    """Show the newest of every section, and how many bases there are."""
    with here.database().transaction(readonly=True) as session:
        owner = _owner(session)
        found = {code: column.articles(session, owner, code, limit=NEWEST) for code in sections()}
        return here.page(
            session, "column/front.html", found=found, sections=sections(), counts=column.counts(session, owner)
        )


@blueprint.get("/sections/<code>")
def section(code: str) -> str:
    """List the articles of a section."""
    if code not in sections():
        raise errors.NotFound
    with here.database().transaction(readonly=True) as session:
        after = request.args.get("after") or None
        found = column.articles(session, _owner(session), code, after=after)
        return here.page(session, "column/section.html", found=found, code=code, sections=sections(), after=after)


@blueprint.get("/articles/<int:article_id>")
def article(article_id: int) -> str:
    """Show an article, and what everybody may say to the case it speaks of."""
    with here.database().transaction(readonly=True) as session:
        return _article_page(session, article_id)


@blueprint.post("/articles/<int:article_id>/withdraw")
def withdraw_submit(article_id: int) -> Response | tuple[str, int]:
    """Take an article out of the column; an editor says why."""
    reason = request.form.get("reason", "")
    try:
        with here.writing() as (session, user):
            found = _article(session, article_id)
            commands.withdraw_article(session, found, reason=reason, user=user)
            section = found.section
    except (errors.InvalidInput, errors.Conflict) as refused:
        flash(refused.en if i18n.choice() == "en" else refused.zh, "bad")
        with here.database().transaction(readonly=True) as session:
            return _article_page(session, article_id, reason), refused.status
    flash(_("已撤下。理由记入登记库和案件历史，投稿人已得到通知。"), "good")
    return redirect(url_for("column.section", code=section), 303)


@blueprint.get("/articles/<int:article_id>/messages/<name>")
def message(article_id: int, name: str) -> str:
    """Show the form by which somebody says something to the case of an article."""
    with here.database().transaction(readonly=True) as session:
        return _message_page(session, article_id, name)


@blueprint.post("/articles/<int:article_id>/messages/<name>")
def message_submit(article_id: int, name: str) -> Response | tuple[str, int]:
    """Take in what somebody says."""
    values = formbox.submitted()
    try:
        with here.database().transaction() as session:
            found = _article(session, article_id)
            messages.send(session, _case(found), name, values, user=None)
    except errors.InvalidForm as refused:
        with here.database().transaction(readonly=True) as session:
            return _message_page(session, article_id, name, values, refused.fields), 422
    flash(_("已收到。组织单位核实后，结果作为决定的参考。"), "good")
    return redirect(url_for("column.article", article_id=article_id), 303)


@blueprint.get("/bases")
def bases() -> str:
    """List the bases by type, as everybody may know them."""
    with here.database().transaction(readonly=True) as session:
        chosen = request.args.get("type", "")
        text, after = request.args.get("q", "").strip()[:100], request.args.get("after") or None
        shown = register.Filter(type=chosen or None, text=text or None)
        page = column.bases(session, _owner(session), shown, sort="type", after=after)
        return here.page(
            session,
            "column/bases.html",
            page=page,
            chosen=chosen,
            q=text,
            types=registerwords.types(),
            next_url=url_for("column.bases", type=chosen or None, q=text or None, after=page.next)
            if page.next
            else None,
        )


@blueprint.get("/bases/<number>")
def base(number: str) -> str:
    """Show what everybody may know of one base."""
    with here.database().transaction(readonly=True) as session:
        found = column.base(session, _owner(session), number)
        if found is None:
            raise errors.NotFound("名录中没有这个基地。", "The register has no such base.")
        return here.page(session, "column/base.html", base=found[0], history=found[1])


def _article_page(session: Session, article_id: int, reason: str = "") -> str:
    found = _article(session, article_id)
    reader = here.look(session)
    return here.page(
        session,
        "column/article.html",
        article=found,
        sections=sections(),
        answers=messages.offered(session, None, found.instance_id) if found.instance_id else [],
        may_withdraw=reader is not None and permissions.may_edit_column(reader, found.authority_id),
        reason=reason,
    )


def _owner(session: Session) -> int:
    here.look(session)
    found = column.owner(session)
    if found is None:
        raise errors.NotFound
    return found.id


def _article(session: Session, article_id: int) -> ColumnArticle:
    found = column.article(session, _owner(session), article_id)
    if found is None:
        raise errors.NotFound("没有这篇文章，或者已经撤下。", "There is no such article, or it was withdrawn.")
    return found


def _case(found: ColumnArticle) -> int:
    if found.instance_id is None:
        raise errors.NotFound
    return found.instance_id


def _message_page(
    session: Session,
    article_id: int,
    name: str,
    values: dict[str, Any] | None = None,
    problems: dict[str, list[str]] | None = None,
) -> str:
    found = _article(session, article_id)
    offered = {one.name for one in messages.offered(session, None, _case(found))}
    if name not in offered:
        raise errors.NotFound("现在不能提交：公示期可能已经结束。", "Nothing can be sent now: the period may be over.")
    label, form = task_forms.of_message(session, _case(found), name, user=None)
    return here.page(
        session,
        "column/message.html",
        article=found,
        name=name,
        label=label,
        form=formbox.box(form, values=values, problems=problems) if form else None,
    )

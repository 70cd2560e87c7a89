"""The English of a draft: every text with where it stands, and a field for its English beside it."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service import errors
from service.commands.procedures import translations, workshop
from service.models import User
from service.queries import workshop as reads

from .. import here, i18n
from .workbench import blueprint


@blueprint.get("/<int:copy_id>/english")
def english(copy_id: int) -> str:
    """Show the texts of a folder, what is missing first."""
    with here.reading() as (session, user):
        return _page(session, user, copy_id, request.args.get("folder") or None, {})


@blueprint.post("/<int:copy_id>/english")
def english_submit(copy_id: int) -> Response | tuple[str, int]:
    """Keep the English of a folder; what cannot be kept comes back as it was typed."""
    folder = request.form.get("folder", "")
    written = {
        chinese: (before, after)
        for chinese, before, after in zip(
            *(_lines(request.form.getlist(name)) for name in ("chinese", "before", "english")), strict=False
        )
    }
    try:
        with here.writing() as (session, user):
            comment = _("英文：%(folder)s", folder=folder)
            translations.save(session, copy_id, folder, written, user=user, comment=comment)
    except errors.Conflict as refused:
        flash(refused.sentence(i18n.choice()), "danger")
        with here.reading() as (session, user):
            return _page(session, user, copy_id, folder, {text: after for text, (_old, after) in written.items()}), 409
    flash(_("已保存。"), "good")
    return redirect(url_for("modeler.english", copy_id=copy_id, folder=folder), 303)


def _lines(texts: list[str]) -> list[str]:
    """Browsers send line breaks as CR LF."""
    return [text.replace("\r\n", "\n") for text in texts]


def _page(session: Session, user: User, copy_id: int, folder: str | None, typed: dict[str, str]) -> str:
    copy = reads.copy(session, user, copy_id)
    found = translations.overview(workshop.files(session, copy), folder)
    return here.page(
        session,
        "modeler/english.html",
        copy=copy,
        found=found,
        typed=typed,
        titles={row.path: row.title for row in reads.files(session, copy) if row.title},
        english=i18n.choice() == "en",
    )

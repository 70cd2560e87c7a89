"""The register of bases: the list for everybody inside, a base's file for those it concerns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service import errors
from service.models import Authority
from service.queries import column
from service.queries import register as queries
from service.queries.page import Page
from service.queries.register import PAGE

from . import here, i18n, registerwords

if TYPE_CHECKING:
    from service.models import User

blueprint = Blueprint("register", __name__)


@blueprint.get("/register")
def register() -> str:
    """List the bases."""
    with here.reading() as (session, user):
        found = _list(session, user, dict(request.args))
        if here.is_partial():
            return render_template("register/_panel.html", **found)
        return here.page(session, "register/register.html", **found, local=_local(session, user))


def _local(session: Session, user: User) -> str | None:
    """The authority whose bases these are, in the reader's language; None: the national one (article 21)."""
    owner, own = column.owner(session), session.get_one(Authority, user.authority_id)
    if owner is None or own.id == owner.id:
        return None
    return own.name_en or own.name if i18n.choice() == "en" else own.name


@blueprint.get("/register/<number>")
def base(number: str) -> str:
    """Show one base: its whole file, or what everybody may know of it."""
    with here.reading() as (session, user):
        found = queries.find(session, user.authority_id, number)
        if found is None:
            raise errors.NotFound("名录中没有这个基地。", "The register has no such base.")
        if queries.may_see(session, user, found):
            return here.page(session, "register/base.html", file=queries.base_file(session, found), base=found)
        public = column.base(session, user.authority_id, number)
        return here.page(session, "register/base.html", file=None, base=found, history=public[1] if public else [])


def asked(args: Mapping[str, str]) -> dict[str, Any]:
    """What an address asks of the register, in plain values."""
    status, year = args.get("status", "active"), args.get("year", "")
    return {
        "type": args.get("type") or None,
        "region": args.get("region") or None,
        "field": args.get("field") or None,
        "year": int(year) if year.isascii() and year.isdigit() and len(year) == 4 else None,
        "status": status if status in registerwords.STATES else None,
        "text": args.get("q", "").strip()[:100] or None,
        "ours": args.get("scope") == "ours",
        "sort": args.get("sort", "number"),
    }


def _found(session: Session, user: User, args: Mapping[str, str], after: str | None) -> Page[Any]:
    wanted = asked(args)
    ours, sort = wanted.pop("ours"), wanted.pop("sort")
    return queries.bases(
        session,
        user.authority_id,
        queries.Filter(**wanted),
        user=user if ours else None,
        sort=sort,
        after=after,
        limit=PAGE,
    )


def _list(session: Session, user: User, args: dict[str, str]) -> dict[str, Any]:
    text, after, sort = args.get("q", "").strip()[:100], args.get("after") or None, args.get("sort", "number")
    status = args.get("status", "active")
    chosen = {name: args[name] for name in ("type", "region", "field", "year", "scope") if args.get(name)}
    page = _found(session, user, args, after)
    link: dict[str, Any] = {**chosen, "q": text or None, "status": status if status != "active" else None}
    link["sort"] = sort if sort != "number" else None
    return {
        "page": page,
        "link": {name: value for name, value in link.items() if value},
        "q": text,
        "status": status,
        "sort": sort,
        "chosen": chosen,
        "region_options": [
            (one, registerwords.regions().get(one, one)) for one in queries.regions(session, user.authority_id)
        ],
        "types": registerwords.types(),
        "fields": registerwords.fields(),
        "states": registerwords.statuses(),
        "sorts": [
            ("number", _("按编号")),
            ("name", _("按名称")),
            ("region", _("按地区")),
            ("year", _("最近认定")),
            ("type", _("按类型")),
        ],
        "next_url": url_for("register.register", **link, after=page.next) if page.next else None,
        "first_url": url_for("register.register", **link) if after else None,
    }

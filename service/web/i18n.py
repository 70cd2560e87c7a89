"""Which language a page speaks. Sentences are written in Chinese in the templates; a catalog holds the English."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from flask import Flask, current_app, g, request, session
from flask_babel import Babel, Domain, get_locale
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

CATALOGS = Path(__file__).resolve().parent.parent / "translations"
LOCALES = {"zh": "简体中文", "en": "English"}
FULL = {"zh": "zh_Hans_CN", "en": "en"}
COUNT = "%(n)s"
"""What a sentence counts by: with it, the catalog holds one form for one and one for many."""


def init_app(app: Flask) -> None:
    """Let gettext, dates and numbers follow the reader's choice."""
    PoBabel().init_app(
        app, default_locale=FULL["zh"], default_timezone="Asia/Shanghai", locale_selector=lambda: FULL[choice()]
    )
    app.jinja_env.globals["gettext"] = _on_page


def choice() -> str:
    """The reader's language: chosen in this browser, else the person's own, else the platform's."""
    chosen = session.get("locale")
    if chosen not in LOCALES:
        person = g.get("person")
        chosen = person.locale if person else current_app.config["GUOHE"].locale
    return chosen if chosen in LOCALES else "zh"


def tag() -> str:
    """The language as HTML writes it."""
    return "en" if request and choice() == "en" else "zh-CN"


def name_of(thing: Any) -> str:
    """The name of an organisation or role in the reader's language, where it has one."""
    chinese: str = getattr(thing, "name_zh", None) or thing.name
    return (thing.name_en or chinese) if choice() == "en" else chinese


class PoDomain(Domain):
    """A catalog that is read as people edit it: the .po file is compiled in memory, once."""

    def get_translations(self) -> Translations:
        """The sentences of the current request's language."""
        return _catalog(get_locale().language)

    def form(self, string: str, n: Any) -> str:
        """The sentence in the form for so many; a number that is a text already is of many."""
        if n is None:
            return str(self.get_translations().ugettext(string))
        return str(self.get_translations().ungettext(string, string, n if isinstance(n, int) else 2))

    def gettext(self, string: str, **variables: Any) -> str:
        """The sentence with its gaps filled."""
        said = self.form(string, variables.get("n"))
        return said % variables if variables else said


class PoBabel(Babel):
    """Flask-Babel with our kind of catalog."""

    @property
    def domain_instance(self) -> Domain:
        """The domain every gettext call asks."""
        return _DOMAIN


_DOMAIN = PoDomain()


@pass_context
def _on_page(context: Context, string: str, /, **variables: Any) -> str:
    """What ``_`` is in templates: as Jinja's own, with the form for one or many."""
    said = _DOMAIN.form(string, variables.get("n"))
    return (Markup(said) if context.eval_ctx.autoescape else said) % variables


@cache
def _catalog(language: str) -> Translations:
    path = CATALOGS / language / "LC_MESSAGES" / "messages.po"
    compiled = io.BytesIO()
    if path.exists():
        with path.open("rb") as source:
            write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return Translations(compiled if compiled.getbuffer().nbytes else None)

"""Which language an answer speaks: the caller's Accept-Language, else the platform's own."""

from __future__ import annotations

from flask import current_app, request


def chosen() -> str:
    """``zh`` or ``en``. Cookies and accounts have no say: the same call reads the same for everybody."""
    for tag in request.accept_languages.values():
        language = tag.partition("-")[0].lower()
        if language in ("zh", "en"):
            return language
    locale: str = current_app.config["GUOHE"].locale
    return locale

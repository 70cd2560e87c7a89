"""Where the built browser files are: ``asset('style.css')`` is the address of the newest one."""

from __future__ import annotations

import json
from pathlib import Path

from flask import Flask, Response, request, url_for

DIST = Path(__file__).parent / "static" / "dist"


def init_app(app: Flask) -> None:
    """Give templates ``asset`` and let browsers keep files whose name changes with their content."""
    manifest = Manifest(DIST / "manifest.json")
    app.jinja_env.globals["asset"] = lambda name: url_for("static", filename=f"dist/{manifest.find(name)}")
    app.after_request(_keep)


class Manifest:
    """The names of the last build; read again when a newer build has replaced them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at = 0
        self._names: dict[str, str] = {}

    def find(self, name: str) -> str:
        """The file that holds ``name`` now; the name itself before the first build."""
        try:
            changed_at = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return name
        if changed_at != self._read_at:
            self._names = json.loads(self._path.read_bytes())
            self._read_at = changed_at
        return self._names.get(name, name)


def _keep(response: Response) -> Response:
    if request.endpoint == "static" and response.status_code in (200, 206, 304):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers.pop("Set-Cookie", None)
        if response.headers.get("Vary") == "Cookie":
            del response.headers["Vary"]
    return response

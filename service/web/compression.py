"""Browser files go over the wire compressed: once per build, not once per request.

Pages do not: they carry a token and echo what was typed, and what compresses together can be guessed together (BREACH).
"""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request

WORTH_IT = 1024
TYPES = ("text/css", "text/javascript", "application/javascript", "image/svg+xml")


def init_app(app: Flask) -> None:
    """Compress what the static folder gives."""
    root = Path(str(app.static_folder))

    @app.after_request
    def compress(response: Response) -> Response:
        if request.endpoint != "static" or response.status_code != 200 or response.mimetype not in TYPES:
            return response
        response.headers["Vary"] = "Accept-Encoding"
        path = root / (request.view_args or {})["filename"]
        size = response.content_length or 0
        if request.accept_encodings["gzip"] <= 0 or size < WORTH_IT:
            return response
        response.direct_passthrough = False
        response.set_data(_compressed(path, path.stat().st_mtime_ns))
        response.headers["Content-Encoding"] = "gzip"
        response.headers.pop("Accept-Ranges", None)
        if "ETag" in response.headers:
            response.headers["ETag"] = response.headers["ETag"].rstrip('"') + '-gzip"'
        return response


@lru_cache(maxsize=64)
def _compressed(path: Path, _changed: int) -> bytes:
    return gzip.compress(path.read_bytes(), compresslevel=9, mtime=0)

"""Structured logs: one JSON object a line, each with the request, the case and the trace it belongs to."""

from __future__ import annotations

import contextvars
import json
import logging
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from service import tracing

_known: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar("guohe_log", default=None)
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


@contextmanager
def about(**facts: Any) -> Iterator[None]:
    """Everything logged inside carries these facts."""
    token = _known.set({**(_known.get() or {}), **facts})
    try:
        yield
    finally:
        _known.reset(token)


def remember(**facts: Any) -> None:
    """From now on, what this thread or request logs carries these facts."""
    _known.set({**(_known.get() or {}), **facts})


def forget() -> None:
    """The request is over."""
    _known.set(None)


def request_id(given: str | None) -> str:
    """The caller's own id where it is harmless, else a new one."""
    return given if given and REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


class Lines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Write it."""
        said: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **(_known.get() or {}),
        }
        if (trace := tracing.current()) is not None:
            said["trace"] = trace
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False, default=str)


def set_up(*, as_json: bool, level: int) -> None:
    """Log to stderr, as JSON or for reading."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines() if as_json else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)

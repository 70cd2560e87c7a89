"""The data of a step: what somebody types over a form, with FEEL, files and dates in it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from service import clock
from service.commands.inbox import attachments
from service.engine import feel
from service.models import User
from service.storage import Folder

from .outcomes import Failed, Problem
from .reading import File

SAMPLES = {
    "pdf": b"%PDF-1.7\n",
    "png": b"\x89PNG\r\n\x1a\n",
    "jpg": b"\xff\xd8\xff\xe0",
    "txt": b"text\n",
    "csv": b"a,b\n",
}
"""The first bytes of the files that scenarios attach."""


def typed(session: Session, data: Any, seen: Mapping[str, Any], person: User | None, store: Folder) -> Any:
    """The data of a step: text that begins with = is FEEL over what the task sees, files are uploaded.

    Raises Failed.
    """
    if isinstance(data, Mapping):
        return {name: typed(session, value, seen, person, store) for name, value in data.items()}
    if isinstance(data, list):
        return [typed(session, value, seen, person, store) for value in data]
    if isinstance(data, File):
        if person is None:
            raise Failed(Problem("公众不能上传附件。", "The public uploads no files."))
        content = SAMPLES.get(Path(data.name).suffix[1:].lower(), b"PK\x03\x04")
        kept = attachments.add(session, store, io.BytesIO(content), data.name, user=person)
        return {"id": kept.id, "name": kept.name, "size": kept.size}
    if hasattr(data, "isoformat"):
        return data.isoformat()
    return evaluated(data, seen)


def evaluated(value: Any, seen: Mapping[str, Any]) -> Any:
    """A value; text that begins with = is FEEL."""
    if isinstance(value, str) and value.startswith("="):
        return feel.evaluate(value[1:], seen, now=clock.now())
    return value


def merged(shown: Any, typed_over: Any) -> Any:
    """What a browser sends: the form as it opened, with what was typed over it."""
    if isinstance(shown, Mapping) and isinstance(typed_over, Mapping):
        return {**shown, **{name: merged(shown.get(name), value) for name, value in typed_over.items()}}
    return typed_over

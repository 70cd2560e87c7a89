"""In which language a transaction reads what process owners wrote: their Chinese, or the English of the same bundle.

Rows hold the Chinese. Whoever opens a transaction for a reader says their language once (``read_in``); the queries pass
what they have found through ``said``. Each case is read by the English of its own deployment.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeVar

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from service import english
from service.models import Deployment, DeploymentFile, Instance, ProcessDefinition

Row = TypeVar("Row")
LANGUAGE = "language"
KEPT = 32

_lock = threading.Lock()
_books: OrderedDict[str, Book] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Book:
    """The English of a deployment, and of which strings the titles of its cases are made."""

    english: english.English
    titles: dict[str, list[str]]

    def title(self, process_id: str, title: str) -> str:
        """The title of a case of a process."""
        say = self.english.of_process(process_id)
        # Until its expression has a value, a case is called after its process.
        made = english.made_of(title, [self.titles.get(process_id, [])], say)
        return made if made != title else say(title)


def read_in(session: Session, language: str) -> None:
    """Let what is read in this transaction be in a language: ``zh`` or ``en``."""
    session.info[LANGUAGE] = language


def is_english(session: Session) -> bool:
    """True where this transaction reads for somebody who reads English."""
    return session.info.get(LANGUAGE) == "en"


def of_two(session: Session, chinese: Any, english: Any) -> Any:
    """Of two columns that hold a name in both languages, the one to read; the Chinese where there is no English."""
    return func.coalesce(func.nullif(english, ""), chinese) if is_english(session) else chinese


def text(session: Session, deployment_id: int, process_id: str | None, written: str) -> str:
    """A text of a diagram, as this transaction's reader reads it."""
    return in_english(session, deployment_id, process_id, written) if is_english(session) else written


def in_english(session: Session, deployment_id: int, process_id: str | None, written: str) -> str:
    """A text of a diagram in English, whoever reads; as it is where there is none."""
    if not english.is_chinese(written):
        return written
    return book(session, deployment_id).english.of_process(process_id)(written)


def said(session: Session, rows: Sequence[Row], *names: str, case: str = "instance_id") -> list[Row]:
    """The rows with these of their texts as the reader reads them.

    Rows are of cases (``case`` names the attribute with the case's id) or, with ``deployment_id``, of deployments.
    ``title`` is the title of the case, ``process_name`` that of its process, anything else a text of the diagram
    that ``process_id`` names.
    """
    if not is_english(session) or not rows:
        return list(rows)
    cases = _cases(session, {getattr(row, case, None) for row in rows})
    return [_said(session, row, names, cases.get(getattr(row, case, None))) for row in rows]


def _said(session: Session, row: Any, names: Iterable[str], case: tuple[int, str] | None) -> Any:
    process_id = getattr(row, "process_id", None)
    if case is None:
        case = (getattr(row, "deployment_id", None) or 0, process_id or "")
    if not case[0]:
        return row
    found = book(session, case[0])
    changes: dict[str, str] = {}
    for name in names:
        value = getattr(row, name)
        if not isinstance(value, str) or not english.is_chinese(value):
            continue
        if name == "title":
            changes[name] = found.title(case[1], value)
        else:
            where = case[1] if name == "process_name" else process_id or case[1]
            changes[name] = found.english.of_process(where)(value)
    return dataclasses.replace(row, **changes) if changes else row


def _cases(session: Session, ids: set[int | None]) -> dict[int | None, tuple[int, str]]:
    wanted = sorted(one for one in ids if one is not None)
    if not wanted:
        return {}
    rows = session.execute(
        select(Instance.id, Instance.deployment_id, Instance.process_id).where(Instance.id.in_(wanted))
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def both(session: Session, instance: Instance, process_id: str | None, written: str) -> tuple[str, str]:
    """A text of a diagram and the title of a case, in English, for a sentence that is kept in both languages."""
    found = book(session, instance.deployment_id)
    return found.english.of_process(process_id)(written), found.title(instance.process_id, instance.title)


def book(session: Session, deployment_id: int) -> Book:
    """The English of a deployment, read once per process however many cases run on it."""
    held: dict[int, Book] = session.info.setdefault("books", {})
    if deployment_id not in held:
        key = session.scalar(select(Deployment.bundle_hash).where(Deployment.id == deployment_id)) or ""
        with _lock:
            found = _books.get(key)
        held[deployment_id] = found if found is not None else _keep(key, _read(session, deployment_id))
    return held[deployment_id]


def _keep(key: str, found: Book) -> Book:
    with _lock:
        _books[key] = found
        _books.move_to_end(key)
        while len(_books) > KEPT:
            _books.popitem(last=False)
    return found


def _read(session: Session, deployment_id: int) -> Book:
    files = session.execute(
        select(DeploymentFile.path, DeploymentFile.content).where(
            DeploymentFile.deployment_id == deployment_id,
            or_(DeploymentFile.path == english.NAME, DeploymentFile.path.endswith(f"/{english.NAME}")),
        )
    )
    content = {row[0]: row[1] for row in files}
    rows = session.execute(
        select(ProcessDefinition.process_id, ProcessDefinition.path, ProcessDefinition.properties).where(
            ProcessDefinition.deployment_id == deployment_id
        )
    )
    folders: dict[str, str] = {}
    titles: dict[str, list[str]] = {}
    for process_id, path, properties in rows:
        folders[process_id] = str(PurePosixPath(path).parent)
        titles[process_id] = english.strings(str(properties.get("title") or ""))
    return Book(english.English(content, folders), titles)

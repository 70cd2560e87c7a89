"""The English of a working copy: what there is to translate in a folder, and what somebody has written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from service import engine, english, errors
from service.models import User

from . import workshop
from .workshop import Change, Saved

MISSING, WRONG, DONE = 0, 1, 2


@dataclass(slots=True)
class Text:
    """A text of a folder and its English. ``elsewhere`` is what another folder says, which counts until this one does.

    ``places`` are the files and elements that show it, ``problem`` why its English cannot be used (Chinese, English).
    """

    chinese: str
    english: str
    elsewhere: str = ""
    places: list[tuple[str, str | None]] = field(default_factory=list)
    problem: tuple[str, str] | None = None

    @property
    def state(self) -> int:
        """Missing first, then what cannot be used, then what is done."""
        if self.problem is not None:
            return WRONG
        return DONE if self.english or self.elsewhere else MISSING


@dataclass(frozen=True, slots=True)
class Folder:
    """How far a folder is."""

    path: str
    texts: int
    missing: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The folders of a working copy that say anything, and the texts of one of them; ``base`` is its file as it is."""

    folders: list[Folder]
    path: str
    texts: list[Text]
    problem: tuple[str, str] | None


def overview(files: Mapping[str, bytes], folder: str | None = None) -> Overview:
    """What there is to translate. Without a folder, in the first that lacks something."""
    said, problems = _read(files)
    known = english.English({path: english.write(texts) for path, texts in said.items()})
    found: dict[str, dict[str, Text]] = {}
    for one in engine.written(engine.read_contents(files)):
        texts = found.setdefault(one.folder, {})
        if one.text not in texts:
            own = known.texts.get(one.folder, {}).get(one.text, "")
            other = "" if own else known.everywhere.get(one.text, "")
            texts[one.text] = Text(one.text, own, other, [], english.problem(one.text, own) if own else None)
        place = (one.file, one.element_id)
        if place not in texts[one.text].places:
            texts[one.text].places.append(place)
    folders = [
        Folder(path, len(texts), sum(one.state == MISSING for one in texts.values()))
        for path, texts in sorted(found.items())
    ]
    if folder is None:
        folder = next((one.path for one in folders if one.missing), folders[0].path if folders else "")
    if folders and folder not in found:
        raise errors.NotFound(f"没有文件夹“{folder}”。", f"There is no folder “{folder}”.")
    ordered = sorted(found.get(folder, {}).values(), key=lambda one: one.state)
    return Overview(folders, folder, ordered, problems.get(file_of(folder)))


def file_of(folder: str) -> str:
    """Where the English of a folder is kept."""
    return english.NAME if folder == "." else f"{folder}/{english.NAME}"


def _read(files: Mapping[str, bytes]) -> tuple[dict[str, dict[str, str]], dict[str, tuple[str, str]]]:
    said: dict[str, dict[str, str]] = {}
    problems: dict[str, tuple[str, str]] = {}
    for path in filter(english.is_file, files):
        try:
            said[path] = english.read(files[path])
        except english.Unreadable as bad:
            problems[path] = (bad.zh, bad.en)
    return said, problems


def save(
    session: Session,
    copy_id: int,
    folder: str,
    written: Mapping[str, tuple[str, str]],
    *,
    user: User,
    comment: str = "",
) -> Saved:
    """Keep the English of texts of a folder, each with what it was when its writer began.

    Raises Conflict where somebody else has written other English for one of them meanwhile, or the file that is there
    cannot be read; nothing is kept then.
    """
    copy = workshop.take(session, copy_id, user=user)
    files = workshop.files(session, copy)
    path = file_of(folder)
    said, problems = _read(files)
    if path in problems:
        raise errors.Conflict(f"{path}：{problems[path][0]}", f"{path}: {problems[path][1]}", code="english_file")
    texts = dict(said.get(path, {}))
    for chinese, (before, after) in written.items():
        after = after.strip()
        now = texts.get(chinese, "")
        if after == before.strip() or after == now.strip():
            continue
        if now.strip() != before.strip():
            raise errors.Conflict(
                f"“{chinese[:40]}”的英文已由他人改为“{now}”，您的没有保存；请核对后再保存一次。",
                f"Somebody else has changed the English of “{chinese[:40]}” to “{now}”. Yours was not saved: "
                "compare them and save again.",
                code="english_changed",
            )
        texts[chinese] = after
    known = engine.renewed_english(engine.read_contents({**files, path: english.write(texts)}))
    base = workshop.sha256(files[path]) if path in files else None
    content = known.get(path, english.write({}))
    comment = comment if content != files.get(path, english.write({})) else ""
    changes = {path: Change(content, base)} if comment else {}
    return workshop.save(session, copy_id, changes, user=user, kind="save", comment=comment)

"""Files that people attach: taken at once, checked for what they claim to be, kept outside the web root."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import Any, BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, errors, permissions
from service.models import Attachment, Instance, Task, User
from service.storage import Store, Stored, TooLarge

LIMIT = 50 * 1024 * 1024
LONGEST_NAME = 120

_OFFICE = b"PK\x03\x04"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def _text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            head.decode(encoding)
        except UnicodeDecodeError as error:
            if error.start >= len(head) - 4:  # cut in the middle of a character
                return True
        else:
            return True
    return False


def _starts(*signatures: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(signatures)


TYPES: dict[str, tuple[str, Callable[[bytes], bool]]] = {
    "pdf": ("application/pdf", lambda head: b"%PDF-" in head[:1024]),
    "ofd": ("application/ofd", _starts(_OFFICE)),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", _starts(_OFFICE)),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _starts(_OFFICE)),
    "pptx": ("application/vnd.openxmlformats-officedocument.presentationml.presentation", _starts(_OFFICE)),
    "doc": ("application/msword", _starts(_OLD_OFFICE)),
    "xls": ("application/vnd.ms-excel", _starts(_OLD_OFFICE)),
    "ppt": ("application/vnd.ms-powerpoint", _starts(_OLD_OFFICE)),
    "jpg": ("image/jpeg", _starts(b"\xff\xd8\xff")),
    "jpeg": ("image/jpeg", _starts(b"\xff\xd8\xff")),
    "png": ("image/png", _starts(b"\x89PNG\r\n\x1a\n")),
    "txt": ("text/plain", _text),
    "csv": ("text/csv", _text),
    "zip": ("application/zip", _starts(_OFFICE)),
}
"""What may be attached: extension, media type, and what the first bytes have to look like."""


def add(
    session: Session,
    store: Store,
    stream: BinaryIO,
    name: str,
    *,
    user: User,
    instance: Instance | None = None,
    task: Task | None = None,
    limit: int = LIMIT,
) -> Attachment:
    """Keep a file somebody uploads. It belongs to the uploader until the form that names it is handed in."""
    if task is not None and not permissions.may_work_on(user, task, task.candidates):
        raise errors.Forbidden()
    name = clean_name(name)
    suffix = PurePath(name).suffix.lower().lstrip(".")
    if suffix not in TYPES:
        allowed = "、".join(TYPES)
        raise errors.UnsupportedMedia(
            f"不接受此类文件。可以上传：{allowed}。",
            f"Files of this kind are not accepted. Accepted: {', '.join(TYPES)}.",
            field="file",
        )
    media_type, looks_right = TYPES[suffix]
    stored = _put(store, stream, limit)
    try:
        _refuse_disguise(stored, suffix, looks_right)
    except errors.ServiceError:
        store.delete(stored.key)
        raise
    attachment = Attachment(
        authority_id=user.authority_id,
        instance_id=instance.id if instance is not None else (task.instance_id if task is not None else None),
        task_id=task.id if task is not None else None,
        uploaded_by_id=user.id,
        name=name,
        size=stored.size,
        media_type=media_type,
        sha256=stored.sha256,
        storage_key=stored.key,
        created_at=clock.now(),
    )
    session.add(attachment)
    session.flush()
    return attachment


def adopt(session: Session, values: Any, *, instance: Instance, user: User, task: Task | None = None) -> None:
    """Make the files that a handed-in form names part of the case. Naming somebody else's file is refused."""
    named = set(_named(values))
    if not named:
        return
    found = {one.id: one for one in session.scalars(select(Attachment).where(Attachment.id.in_(named)))}
    for attachment_id in sorted(named):
        attachment = found.get(attachment_id)
        own = attachment is not None and attachment.instance_id is None and attachment.uploaded_by_id == user.id
        if attachment is None or not (own or attachment.instance_id == instance.id):
            raise errors.InvalidInput(
                "表单中引用了不存在或不属于您的附件，请重新上传。",
                "The form names a file that does not exist or is not yours; upload it again.",
                field="attachments",
            )
        attachment.instance_id = instance.id
        if attachment.task_id is None and task is not None:
            attachment.task_id = task.id


def _named(value: Any) -> Iterator[int]:
    """The ids of the attachments inside a form's values: ``{"id", "name", "size"}`` wherever they stand."""
    if isinstance(value, Mapping):
        if set(value) == {"id", "name", "size"} and isinstance(value["id"], int):
            yield value["id"]
        for inner in value.values():
            yield from _named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)


def keep(
    session: Session,
    store: Store,
    stream: BinaryIO,
    name: str,
    *,
    authority_id: int,
    media_type: str,
    instance_id: int | None = None,
) -> Attachment:
    """Keep a file the platform itself has made, such as an issued document."""
    stored = store.put(stream, limit=LIMIT)
    attachment = Attachment(
        authority_id=authority_id,
        instance_id=instance_id,
        name=clean_name(name),
        size=stored.size,
        media_type=media_type,
        sha256=stored.sha256,
        storage_key=stored.key,
        created_at=clock.now(),
    )
    session.add(attachment)
    session.flush()
    return attachment


def open_content(session: Session, store: Store, attachment_id: int) -> tuple[Attachment, BinaryIO]:
    """Return a file with its content. Whether the reader may have it is the caller's question to permissions."""
    attachment = session.scalar(select(Attachment).where(Attachment.id == attachment_id))
    if attachment is None:
        raise errors.NotFound()
    try:
        return attachment, store.open(attachment.storage_key)
    except FileNotFoundError:
        raise errors.NotFound(
            "文件内容已丢失，请联系平台运维。", "The content of this file is lost; tell the platform's operators."
        ) from None


def clean_name(name: str) -> str:
    """A name safe to show and to save under: no path, no control or direction characters, not too long."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
    name = re.sub(r'[<>:"|?*]', "_", name).strip(" .")
    path = PurePath(name or "未命名")
    suffix = path.suffix[:10]
    return path.stem[: LONGEST_NAME - len(suffix)].rstrip() + suffix


def _put(store: Store, stream: BinaryIO, limit: int) -> Stored:
    try:
        stored = store.put(stream, limit=limit)
    except TooLarge:
        megabytes = limit // (1024 * 1024)
        raise errors.TooLarge(
            f"文件超过 {megabytes} MB 上限。", f"The file is larger than {megabytes} MB.", field="file"
        ) from None
    if stored.size == 0:
        store.delete(stored.key)
        raise errors.InvalidInput("文件是空的。", "The file is empty.", field="file")
    return stored


def _refuse_disguise(stored: Stored, suffix: str, looks_right: Callable[[bytes], bool]) -> None:
    if not looks_right(stored.head):
        raise errors.UnsupportedMedia(
            f"文件内容与扩展名“.{suffix}”不符。", f"The content of the file is not a .{suffix}.", field="file"
        )

"""Where the content of attachments lives: a folder outside the web root, one file each, under a made-up name."""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

CHUNK = 1 << 16


class TooLarge(ValueError):
    """The stream holds more bytes than allowed; nothing was kept."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store knows about the content it has taken."""

    key: str
    size: int
    sha256: str
    head: bytes


class Store(Protocol):
    """Keeps content by key. A key never comes from a user."""

    def put(self, stream: BinaryIO, *, limit: int) -> Stored: ...

    def open(self, key: str) -> BinaryIO: ...

    def delete(self, key: str) -> None: ...


class Folder:
    """A store in a folder. A key is random: nobody can guess it, and deleting one file takes no other along."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def put(self, stream: BinaryIO, *, limit: int) -> Stored:
        """Copy the stream to disk, durably, before any row can name it."""
        self.root.mkdir(parents=True, exist_ok=True)
        digest, size, head = hashlib.sha256(), 0, b""
        handle, name = tempfile.mkstemp(prefix="incoming-", dir=self.root)
        try:
            with os.fdopen(handle, "wb") as file:
                while chunk := stream.read(CHUNK):
                    size += len(chunk)
                    if size > limit:
                        raise TooLarge(limit)
                    if len(head) < CHUNK:
                        head += chunk[: CHUNK - len(head)]
                    digest.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            key = uuid.uuid4().hex
            target = self._path(key)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return Stored(key=key, size=size, sha256=digest.hexdigest(), head=head)

    def open(self, key: str) -> BinaryIO:
        """The content of a key; FileNotFoundError where the folder has lost it."""
        return self._path(key).open("rb")

    def delete(self, key: str) -> None:
        """Forget the content of a key."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        if len(key) != 32 or not all(character in "0123456789abcdef" for character in key):
            raise FileNotFoundError(key)
        return self.root / key[:2] / key[2:]

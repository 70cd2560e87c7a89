"""One sandbox: a child process, the questions it is asked, and the watch over it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import orjson

from service import errors

LOOK_EVERY = 0.1
MB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one question may cost: seconds of the processor, seconds on the clock; bytes of memory and of a file."""

    processor: float = 30.0
    clock: float = 120.0
    memory: int = 700 * MB
    file: int = 128 * MB


@dataclass(frozen=True, slots=True)
class Draft:
    """What a sandbox is given: the files of a draft, and the working calendar as it was entered (year, ISO days)."""

    files: Mapping[str, bytes]
    calendar: Sequence[tuple[int, Mapping[str, Any]]] = ()


class SandboxLost(errors.ServiceError):
    """The try-out was stopped: it took too long or too much memory. The draft is untouched; start it again."""

    zh_default = "试运行已中止：耗时过长或占用内存过多。草稿没有变化，可以重新开始。"
    status = 503
    code = "sandbox_lost"


class Sandbox:
    """A child process that holds the files of a draft. Ask it one thing at a time; ``close`` ends it."""

    def __init__(self, draft: Draft, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.lock = threading.RLock()
        self.used = time.monotonic()
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(prefix="guohe-sandbox-", dir=memory if memory.is_dir() else None))
        try:
            (self.folder / "calendar.json").write_bytes(orjson.dumps(list(draft.calendar)))
            for path, content in draft.files.items():
                place = self.folder / "bundle" / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
            self._process, self._pipe = self._start()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _start(self) -> tuple[subprocess.Popen[bytes], Connection]:
        ours, theirs = socket.socketpair()
        package = str(Path(__file__).resolve().parents[2])
        # Nothing of this installation is handed on: no database address, no secret, no mail server.
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "LANG": "C.UTF-8",
            "PYTHONPATH": package,
            "TMPDIR": str(self.folder),
            "HOME": str(self.folder),
        }
        with (self.folder / "stderr").open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "service.sandbox.inside", str(theirs.fileno()), str(self.limits.file)],
                cwd=self.folder,
                env=environment,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
        theirs.close()
        return process, Connection(ours.detach())

    @property
    def alive(self) -> bool:
        """True while it can be asked."""
        return self._process.poll() is None

    def ask(self, verb: str, **question: Any) -> dict[str, Any]:
        """Ask something and wait for the answer. Raises SandboxLost beyond the limits, ServiceError as answered."""
        for answer in self.stream(verb, **question):
            return answer
        raise SandboxLost

    def stream(self, verb: str, **question: Any) -> Iterator[dict[str, Any]]:
        """Ask something that is answered piece by piece; the limits hold for each piece."""
        with self.lock:
            self.used = time.monotonic()
            try:
                self._pipe.send_bytes(orjson.dumps({"verb": verb, **question}))
            except (OSError, ValueError):
                raise self._lost() from None
            more = True
            while more:
                answer = self._answer()
                if "error" in answer:
                    raise _error(answer["error"])
                more = bool(answer.pop("more", False))
                yield answer
            self.used = time.monotonic()

    def _answer(self) -> dict[str, Any]:
        began, spent = time.monotonic(), self._spent()
        while not self._pipe.poll(LOOK_EVERY):
            if not self.alive:
                raise self._lost()
            waited, used = time.monotonic() - began, self._spent() - spent
            if waited > self.limits.clock or used > self.limits.processor or self.resident() > self.limits.memory:
                raise self._lost()
        try:
            answer: dict[str, Any] = orjson.loads(self._pipe.recv_bytes())
        except (EOFError, OSError):
            raise self._lost() from None
        return answer

    def _lost(self) -> SandboxLost:
        said = ""
        with suppress(OSError):
            said = (self.folder / "stderr").read_text(errors="replace")[-2000:]
        self.close()
        return SandboxLost(said=said)

    def resident(self) -> int:
        """The memory it holds, in bytes, as far as the system says so."""
        try:
            with open(f"/proc/{self._process.pid}/statm") as statm:
                return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError, ValueError):
            return 0

    def _spent(self) -> float:
        """The processor time it has used, in seconds."""
        try:
            with open(f"/proc/{self._process.pid}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
                return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, IndexError, ValueError):
            return 0.0

    def close(self) -> None:
        """End it and everything it has written."""
        with suppress(OSError):
            self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=10)
        with suppress(OSError):
            self._pipe.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _error(said: Mapping[str, Any]) -> errors.ServiceError:
    if said.get("code") == "rejected":
        return errors.Conflict(said["zh"], said["en"], code="rejected", findings=said.get("findings", []))
    return errors.ServiceError(said["zh"], said["en"], int(said.get("status", 409)), said.get("code", "sandbox"))

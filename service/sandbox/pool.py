"""The sandboxes of this process: a few at a time, each for one try-out, closed when nobody has used it for a while.

A try-out is kept as its steps, not as its sandbox: one that was closed, or lies in another process of the
installation, is played up again when somebody comes back to it.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from service import errors

from .process import Draft, Limits, Sandbox

MOST = 4
IDLE = 15 * 60.0
LONGEST = 2 * 3600.0
AT_ONCE = 2
PATIENCE = 5.0
WATCHED = Limits(processor=20.0, clock=60.0)
"""Somebody waits for the answer, on a thread of the server."""

Loader = Callable[[], Draft]


class Full(errors.ServiceError):
    """Too many try-outs are going on at this moment. Wait a little and try again."""

    zh_default = "同时进行的试运行过多，请稍候再试。"
    status = 503
    code = "sandboxes_full"


class Held:
    """A sandbox with what it holds: which draft, which steps, and whether it is ready."""

    def __init__(self, state: str) -> None:
        self.state = state
        self.sandbox: Sandbox | None = None
        self.view: dict[str, Any] | None = None
        self.steps: list[Any] = []
        self.problem: errors.ServiceError | None = None
        self.lock = threading.RLock()
        self.opened = self.used = time.monotonic()
        self.preparing = False


class Pool:
    """Sandboxes by the id of their try-out."""

    def __init__(self, *, most: int = MOST, idle: float = IDLE, longest: float = LONGEST, limits: Limits | None = None):
        self.most, self.idle, self.longest, self.limits = most, idle, longest, limits or WATCHED
        self._held: dict[int, Held] = {}
        self._lock = threading.Lock()
        self._sweeper: threading.Thread | None = None
        self._over = threading.Event()
        self._at_once = threading.BoundedSemaphore(AT_ONCE)

    def prepare(self, key: int, state: str, load: Loader, head: Mapping[str, Any], steps: list[Any]) -> Held:
        """See that the sandbox of a try-out is at these steps, in the background; look at ``view`` and ``problem``.

        ``state`` names the content of the draft: where it differs, a new sandbox takes the place of the old one.
        """
        held = self._take(key, state)
        with self._lock:
            if held.preparing:
                return held
            ready = held.sandbox is not None and held.sandbox.alive and held.view is not None and held.steps == steps
            if ready or (held.problem is not None and held.steps == steps):
                return held
            held.preparing = True
        threading.Thread(
            target=self._prepare, args=(held, load, dict(head), list(steps)), name="guohe-sandbox", daemon=True
        ).start()
        return held

    def _prepare(self, held: Held, load: Loader, head: Mapping[str, Any], steps: list[Any]) -> None:
        with held.lock:
            held.problem, held.view, held.steps = None, None, steps
            try:
                if held.sandbox is None or not held.sandbox.alive:
                    held.sandbox = Sandbox(load(), self.limits)
                held.view = held.sandbox.ask("open", head=head, steps=steps)
            except errors.ServiceError as problem:
                held.problem = problem
            finally:
                held.preparing = False

    def step(self, held: Held, step: Mapping[str, Any]) -> dict[str, Any]:
        """Play one more step in a sandbox that is ready; the refusal, or nothing."""
        with held.lock:
            sandbox = self._ready(held)
            answer = sandbox.ask("step", step=step)
            held.view = sandbox.ask("look")
            if not answer.get("refused"):
                held.steps = [*held.steps, dict(step)]
            return answer

    def back(self, held: Held, to: int) -> None:
        """Take steps back."""
        with held.lock:
            held.view = self._ready(held).ask("back", to=to)
            held.steps = held.steps[:to]

    def ask(self, held: Held, verb: str, **question: Any) -> dict[str, Any]:
        """Ask a sandbox that is ready."""
        with held.lock:
            return self._ready(held).ask(verb, **question)

    def _ready(self, held: Held) -> Sandbox:
        held.used = time.monotonic()
        if held.sandbox is None:
            raise errors.Busy
        return held.sandbox

    @contextmanager
    def once(self, draft: Draft) -> Iterator[Sandbox]:
        """A sandbox for one question, closed afterwards. Raises Full where too many ask at once."""
        if not self._at_once.acquire(timeout=PATIENCE):
            raise Full
        try:
            sandbox = Sandbox(draft, self.limits)
            try:
                yield sandbox
            finally:
                sandbox.close()
        finally:
            self._at_once.release()

    def forget(self, key: int) -> None:
        """Close the sandbox of a try-out."""
        with self._lock:
            held = self._held.pop(key, None)
        _close(held)

    def close(self) -> None:
        """Close all."""
        self._over.set()
        with self._lock:
            gone, self._held = list(self._held.values()), {}
        for held in gone:
            _close(held)

    def _take(self, key: int, state: str) -> Held:
        gone: list[Held] = []
        with self._lock:
            held = self._held.get(key)
            if held is not None and held.state != state and not held.preparing:
                gone.append(self._held.pop(key))
                held = None
            if held is None:
                gone += self._make_room()
                held = self._held[key] = Held(state)
            held.used = time.monotonic()
            if self._sweeper is None:
                self._sweeper = threading.Thread(target=self._sweep, name="guohe-sandboxes", daemon=True)
                self._sweeper.start()
                atexit.register(self.close)
        for one in gone:
            _close(one)
        return held

    def _make_room(self) -> list[Held]:
        """Let the one go that was used longest ago, if it is not in the middle of something."""
        gone = []
        while len(self._held) >= self.most:
            free = [(held.used, key) for key, held in self._held.items() if not held.preparing]
            if not free:
                raise Full
            gone.append(self._held.pop(min(free)[1]))
        return gone

    def _sweep(self) -> None:
        while not self._over.wait(20.0):
            now = time.monotonic()
            with self._lock:
                old = [
                    key
                    for key, held in self._held.items()
                    if not held.preparing and (now - held.used > self.idle or now - held.opened > self.longest)
                ]
                gone = [self._held.pop(key) for key in old]
            for held in gone:
                _close(held)


def _close(held: Held | None) -> None:
    if held is not None and held.sandbox is not None:
        held.sandbox.close()


__all__ = ["Full", "Held", "Pool"]

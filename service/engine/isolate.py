"""One V8 isolate per process: calls into bundled scripts, bounded in time and memory.

The scripts come from ``service/engine/js/<name>.ts`` (see ``service/frontend.py``) and are loaded when first called.
An isolate belongs to the process that made it: a forked child makes its own, on first use. One that ran out of time or
memory is thrown away. The interpreter must not end while V8 still holds a callback into it, so the isolate is closed
at exit.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import json
import os
import queue
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from py_mini_racer._dll import init_mini_racer, mr_callback_func

DIST = Path(__file__).with_name("dist")
SECONDS = 0.5
# On a busy machine the wall clock runs while the isolate does not: then up to this long.
MOST_SECONDS = 5.0
HEAP = 96 * 1024 * 1024
MOST_INPUT = 16 * 1024 * 1024

_STRING, _INTEGER = 5, 3
_ERROR, _OUT_OF_MEMORY = 200, 202


class ScriptError(Exception):
    """A script threw something; the message is V8's."""


class OutOfTime(ScriptError):
    """A script ran for too long."""


class OutOfMemory(ScriptError):
    """A script used too much memory."""


class Isolate:
    """A V8 isolate by the C interface of the ``mini-racer`` wheel.

    Its Python interface goes through an event loop on another thread: ten times the cost of a small expression, and two
    more hand-overs of the interpreter lock.
    """

    def __init__(self) -> None:
        self._dll = init_mini_racer(ignore_duplicate_init=True)
        self._answers: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
        # V8 keeps the bare address: the object must live as long as the isolate.
        self._callback = mr_callback_func(lambda number, answer: self._answers.put((number, answer)))
        self._context = self._dll.mr_init_context(self._callback)
        self._dll.mr_set_hard_memory_limit(self._context, HEAP)
        self._asked = 0
        self.loaded: set[str] = set()

    def evaluate(self, code: str, seconds: float) -> Any:
        """Run a piece of JavaScript that ends in a string or a small integer."""
        source = code.encode("utf-8", "surrogatepass")
        self._asked += 1
        number = self._asked
        handle = self._dll.mr_alloc_string_val(self._context, source, len(source), _STRING)
        try:
            task = self._dll.mr_eval(self._context, handle, number)
            answer = self._wait(number, seconds)
            if answer is None:
                self._dll.mr_cancel_task(self._context, task)
                answer = self._wait(number, MOST_SECONDS)
                if answer is not None:
                    self._dll.mr_free_value(self._context, answer)
                raise OutOfTime
        finally:
            self._dll.mr_free_value(self._context, handle)
        try:
            return self._read(answer.contents)
        finally:
            self._dll.mr_free_value(self._context, answer)

    def _wait(self, number: int, seconds: float) -> Any:
        """The answer to a question, or None when it took too long of this process's time."""
        began, used = time.monotonic(), time.process_time()
        patience = seconds
        while True:
            with contextlib.suppress(queue.Empty):
                answered, answer = self._answers.get(timeout=patience)
                if answered == number:
                    return answer
                continue
            waited = time.monotonic() - began
            if waited >= MOST_SECONDS or time.process_time() - used >= seconds * 0.8:
                return None
            patience = seconds / 2

    def _read(self, value: Any) -> Any:
        if value.type == _STRING:
            return ctypes.string_at(value.value.bytes_val, value.len)
        if value.type == _INTEGER:
            return value.value.int_val
        if value.type == _OUT_OF_MEMORY or self.is_full:
            raise OutOfMemory
        if value.type >= _ERROR:
            message = ctypes.string_at(value.value.bytes_val, value.len).decode("utf-8", "replace")
            raise ScriptError(message.partition("\n")[0].removeprefix("<anonymous>:"))
        raise ScriptError(f"an answer of type {value.type}")

    @property
    def is_full(self) -> bool:
        return bool(self._dll.mr_hard_memory_limit_reached(self._context))

    def close(self) -> None:
        self._dll.mr_free_context(self._context)


class Kept(NamedTuple):
    """A text that a script keeps under a key, given to it once per isolate by one of its functions."""

    function: str
    key: str
    text: str


_lock = threading.Lock()
_isolate: Isolate | None = None
_owner = 0
_closed = False


def call(script: str, function: str, argument: Any, *, needs: Iterable[Kept] = (), seconds: float = SECONDS) -> Any:
    """Call an exported function of a script with one JSON-like argument; its JSON-like result.

    ``needs`` is what the script must have been given to keep. Raises OutOfTime, OutOfMemory or ScriptError; whatever
    happens, the next call finds a working isolate.
    """
    payload = encode(argument)
    if len(payload) > MOST_INPUT:
        raise OutOfMemory
    # Not as a literal of its own: in one, a key `__proto__` would set a prototype.
    code = f"{script}.{function}(JSON.parse({encode(payload)}))"
    with _lock:
        isolate = _ready(script)
        try:
            for kept in needs:
                _keep(isolate, script, kept)
            answer = isolate.evaluate(code, seconds)
        except (OutOfTime, OutOfMemory):
            _discard()
            raise
        if isolate.is_full:
            _discard()
    return orjson.loads(answer) if isinstance(answer, bytes) else answer


def _keep(isolate: Isolate, script: str, kept: Kept) -> None:
    if (mark := f"{script}.{kept.function}:{kept.key}") not in isolate.loaded:
        isolate.evaluate(f"{script}.{kept.function}({encode(kept.key)},{encode(kept.text)});0", MOST_SECONDS)
        isolate.loaded.add(mark)


def encode(value: Any) -> str:
    """JSON that is also a JavaScript literal."""
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode()
    except (orjson.JSONEncodeError, TypeError):
        # orjson refuses what JSON can say: integers beyond 64 bits, half a surrogate pair.
        return json.dumps(value, default=_plain, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if hasattr(value, "__float__"):
        return float(value)
    raise TypeError(f"{type(value).__name__} is not a variable's type")


def _ready(script: str) -> Isolate:
    global _isolate, _owner
    if _closed:
        raise ScriptError("the interpreter is ending")
    if _isolate is None or _owner != os.getpid():
        _isolate, _owner = Isolate(), os.getpid()
    if script not in _isolate.loaded:
        path = DIST / f"{script}.js"
        if not path.exists():
            raise RuntimeError(f"{path} is missing: run `python -m service.frontend`")
        _isolate.evaluate(f"{path.read_text()};globalThis.{script}=guohe;0", 2 * MOST_SECONDS)
        _isolate.loaded.add(script)
    return _isolate


def _discard() -> None:
    global _isolate
    isolate, _isolate = _isolate, None
    if isolate is not None:
        isolate.close()


def _forked() -> None:
    """A child has neither the threads of its parent's isolate nor the right to free it."""
    global _lock, _isolate, _orphan
    _lock = threading.Lock()
    _orphan, _isolate = _isolate, None


_orphan: Isolate | None = None
os.register_at_fork(after_in_child=_forked)


@atexit.register
def close() -> None:
    """Close the isolate for good; calls after this fail."""
    global _closed
    with _lock:
        _closed = True
        if _owner == os.getpid():
            _discard()

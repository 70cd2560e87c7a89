"""The state of an instance as bytes: its open scopes, their variables and their tokens – nothing else.

Layout, version 1: ``b"G1"`` + zstandard, with its checksum, of orjson {p: process, n: last token, s: [scope]}, a scope
being {h: host token, n: spec, d: variables, t: [[id, node, state, bookkeeping, variables]]}; the top scope comes first
and a host always before what it holds. Every release reads all versions before it (tests/engine/states/).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
import zstandard
from SpiffWorkflow.util.task import TaskState

from .bundle import Bundle
from .problems import UnreadableState
from .runner import Run
from .workflow import Instance, Scope, Token

MAGIC = b"G1"
MAX_STATE = 64 * 1024 * 1024
_LETTER = {TaskState.STARTED: "s", TaskState.WAITING: "w", TaskState.READY: "r"}
_STATE = {letter: state for state, letter in _LETTER.items()}


def dump(run: Run) -> bytes:
    """The live state of an instance; empty of everything that is over."""
    # With the checksum a damaged state is refused; without it, a flipped bit might be read as another state.
    return MAGIC + zstandard.ZstdCompressor(level=3, write_checksum=True).compress(orjson.dumps(dump_record(run)))


def same(run: Run, other: Run) -> bool:
    """True where both hold the same tokens and variables, however those are written down."""
    return dump_record(run) == dump_record(other)


def dump_record(run: Run) -> dict[str, Any]:
    """The state before it is packed."""
    instance = run.instance
    if instance.completed:
        return {
            "p": instance.process_id,
            "n": instance.last_token,
            "s": [],
            "d": instance.data,
            "e": instance.end_event,
        }
    scopes = [_dump_scope(scope) for scope in _hosts_first(instance)]
    return {"p": instance.process_id, "n": instance.last_token, "s": scopes}


def load(bundle: Bundle, state: bytes) -> Run:
    """The instance again, on the specs of its bundle. Raises UnreadableState."""
    try:
        if state[:2] != MAGIC:
            raise ValueError("magic")
        record = orjson.loads(zstandard.ZstdDecompressor().decompress(state[2:], max_output_size=MAX_STATE))
        return load_record(bundle, record)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, zstandard.ZstdError) as error:
        raise UnreadableState(
            f"案件状态无法读取（{error}）。", f"The state of the instance cannot be read ({error})."
        ) from error


def load_record(bundle: Bundle, record: dict[str, Any], *, now: datetime | None = None) -> Run:
    """The instance of an unpacked state; ``now`` is set by the verb that steps it."""
    instance = Instance(bundle, record["p"], now=now)  # type: ignore[arg-type]
    instance.last_token = record["n"]
    if not record["s"]:
        instance.completed, instance.data, instance.end_event = True, record["d"], record["e"]
    for scope in record["s"]:
        _load_scope(instance, scope)
    return Run(instance)


def _hosts_first(instance: Instance) -> list[Scope]:
    return [instance, *sorted(instance.subprocesses.values(), key=lambda sub: sub.host.id)]


def _dump_scope(scope: Scope) -> dict[str, Any]:
    return {
        "h": None if scope.host is None else scope.host.id,
        "n": scope.spec.name,
        "d": scope.data,
        "t": [
            [t.id, t.task_spec.name, _LETTER[t.state], _without_take(t.internal_data), t.data] for t in scope.tokens()
        ],
    }


def _without_take(internal: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in internal.items() if k != "take"}


def _load_scope(instance: Instance, record: dict[str, Any]) -> None:
    scope: Scope = instance
    if record["h"] is not None:
        host = instance.find(record["h"])
        if host is None:
            raise KeyError(f"host {record['h']}")
        scope = instance.create_subprocess(host, record["n"])
    scope.data = record["d"]
    for token_id, node, letter, internal, data in record["t"]:
        spec = scope.spec.task_specs[node]
        token = Token(scope, spec, parent=scope.task_tree, state=_STATE[letter], id=token_id)
        token.internal_data, token.data = internal, data

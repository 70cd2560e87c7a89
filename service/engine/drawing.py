"""bpmnlint on the server: what makes a diagram hard to read, by the very code that the editor runs in the browser."""

from __future__ import annotations

import itertools
from functools import lru_cache

from . import isolate
from .model import Finding

SCRIPT = "lint"
LARGEST = 2 * 1024 * 1024
_numbers = itertools.count()


@lru_cache(maxsize=128)
def check(file: str, data: bytes) -> tuple[Finding, ...]:
    """The findings about one diagram. One that is too large, or that bpmn-moddle cannot read, has a remark instead."""
    if len(data) > LARGEST:
        return (_open(file, "文件过大", "the file is too large"),)
    key = str(next(_numbers))
    try:
        isolate.call(SCRIPT, "begin", {"key": key, "xml": data.decode("utf-8", "replace")}, seconds=1.0)
        answer = isolate.call(SCRIPT, "result", {"key": key})
    except isolate.ScriptError:
        return (_open(file, "检查超时", "it took too long"),)
    if not answer or "error" in answer:
        reason = (answer or {}).get("error", "?")
        return (_open(file, reason, reason),)
    return tuple(
        Finding(file, one["id"], one["rule"], one["severity"], one["zh"], one["en"]) for one in answer["found"]
    )


def _open(file: str, zh: str, en: str) -> Finding:
    return Finding(
        file,
        None,
        "drawing-open",
        "info",
        f"未能检查图是否画得清楚：{zh}。",
        f"Whether the diagram is drawn clearly was not checked: {en}.",
    )

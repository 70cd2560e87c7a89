"""What can go wrong with an instance, each with its sentence in Chinese and English."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .model import Finding


class EngineError(Exception):
    """Base of all errors of the engine; ``zh`` and ``en`` are sentences for people."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


class Problem(EngineError):
    """An element of a running instance failed; its token is parked as an incident and can be retried.

    ``code``: expression | decision | no-flow | timer | unhandled-error | too-many-steps | collection | reference.
    """

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(zh, en)
        self.code = code


class BundleRejected(EngineError):
    """The files cannot become a bundle. ``findings`` says what is wrong, element by element."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        errors = [f for f in findings if f.severity == "error"]
        first = errors[0] if errors else None
        super().__init__(
            f"发现 {len(errors)} 个错误，未部署。" + (f"首个错误：{first.zh}" if first else ""),
            f"{len(errors)} error(s) found, nothing deployed." + (f" The first: {first.en}" if first else ""),
        )
        self.findings = list(findings)


class UnknownProcess(EngineError):
    """The bundle has no such process, or the process has no such start event."""

    def __init__(self, process_id: str, start_event: str | None = None) -> None:
        if start_event is None:
            super().__init__(f"没有流程“{process_id}”。", f"There is no process “{process_id}”.")
        else:
            super().__init__(
                f"流程“{process_id}”没有可用的开始事件“{start_event}”。",
                f"The process “{process_id}” has no start event “{start_event}” to start at.",
            )


class WrongToken(EngineError):
    """The instance has no such token, or the token does not wait for what is being done to it."""

    def __init__(self, token: int, verb: str) -> None:
        super().__init__(
            f"令牌 {token} 已不在此处等待，无法执行“{verb}”。",
            f"Token {token} does not wait here any more; “{verb}” is not possible.",
        )
        self.token = token


class UnreadableState(EngineError):
    """The stored state is damaged or was written by a newer release."""

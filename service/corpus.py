"""Thousands of foreign files, each looked at on its own: bounded in time and memory, and never a traceback.

Every file is checked in a process of its own that does many; whichever file takes too long or too much costs that
process its life and is reported as a finding, and the next file gets a new process.
"""

from __future__ import annotations

import multiprocessing
import os
import time
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from service import engine

SECONDS = 2.0
MEMORY = 200 * 1024 * 1024
LOOK_EVERY = 0.05
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Judged:
    """One file: its findings, how long it took, and whether its processes could be started."""

    file: str
    findings: list[engine.Finding]
    seconds: float
    memory: int = 0
    started: int = 0
    crash: str = ""

    @property
    def accepted(self) -> bool:
        """True where nothing stands in the way of its deployment."""
        return not self.crash and not any(one.severity == "error" for one in self.findings)


@dataclass(slots=True)
class Judge:
    """A process that looks at files, and the watch over it."""

    seconds: float = SECONDS
    memory: int = MEMORY
    _process: Any = None
    _pipe: Connection | None = None
    _base: int = 0
    _context: Any = field(default_factory=lambda: multiprocessing.get_context("spawn"))

    def judge(self, file: str, content: bytes) -> Judged:
        """Look at one file. Comes back within the limits, whatever is in it."""
        pipe = self._ready()
        before, started = _resident(self._process.pid), time.monotonic()
        pipe.send((file, content))
        most = 0
        while not pipe.poll(LOOK_EVERY):
            used, spent = _resident(self._process.pid) - before, time.monotonic() - started
            most = max(most, used)
            if not self._process.is_alive():
                return self._lost(
                    file, spent, most, "process-died", "检查进程退出。", "The process that checked it died."
                )
            if spent > self.seconds:
                zh, en = f"检查超过 {self.seconds:g} 秒。", f"It took more than {self.seconds:g} seconds to check."
                return self._lost(file, spent, most, "too-slow", zh, en)
            if used > self.memory:
                size = self.memory // 1024 // 1024
                zh, en = f"检查所用内存超过 {size} MB。", f"It took more than {size} MB to check."
                return self._lost(file, spent, most, "too-much-memory", zh, en)
        try:
            findings, begun, crash = pipe.recv()
        except EOFError:
            spent = time.monotonic() - started
            return self._lost(file, spent, most, "process-died", "检查进程退出。", "The process that checked it died.")
        return Judged(file, findings, time.monotonic() - started, max(most, 0), begun, crash)

    def close(self) -> None:
        """Let the process go."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None

    def _ready(self) -> Connection:
        # What earlier files have left behind must not count against this one, nor pile up.
        if self._process is not None and _resident(self._process.pid) - self._base > self.memory:
            self.close()
        if self._process is None or not self._process.is_alive():
            self._pipe, theirs = self._context.Pipe()
            self._process = self._context.Process(target=_work, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
            # The first file must not pay for loading the engine and V8.
            self._pipe.recv()
            self._base = _resident(self._process.pid)
        assert self._pipe is not None
        return self._pipe

    def _lost(self, file: str, spent: float, most: int, rule: str, zh: str, en: str) -> Judged:
        self.close()
        return Judged(file, [engine.Finding(file, None, rule, "error", zh, en)], spent, most)


def judge_all(paths: Iterable[Path], *, seconds: float = SECONDS, memory: int = MEMORY) -> Iterator[Judged]:
    """Look at every file by itself."""
    judge = Judge(seconds, memory)
    try:
        for path in paths:
            try:
                content = path.read_bytes()
            except OSError as error:
                reason = error.strerror or str(error)
                finding = engine.Finding(
                    str(path), None, "unreadable", "error", f"无法读取：{reason}。", f"It cannot be read: {reason}."
                )
                yield Judged(str(path), [finding], 0.0)
                continue
            yield judge.judge(str(path), content)
    finally:
        judge.close()


def _work(pipe: Connection) -> None:
    """The process: warm up, then answer file by file."""
    engine.validate({"warm.bpmn": WARM}, catalogue=engine.Catalogue())
    pipe.send("ready")
    while True:
        try:
            file, content = pipe.recv()
        except EOFError:
            return
        pipe.send(_look(file, content))


def _look(file: str, content: bytes) -> tuple[list[engine.Finding], int, str]:
    try:
        findings = engine.validate({file: content}, catalogue=engine.Catalogue())
        if not file.endswith(".bpmn"):
            # A table or a form by itself is no bundle, and need not be one.
            findings = [one for one in findings if one.rule != "no-process"]
        if any(one.severity == "error" for one in findings):
            return findings, 0, ""
        return findings, _start({file: content}) if file.endswith(".bpmn") else 0, ""
    except Exception:
        return [], 0, traceback.format_exc(limit=8)


def _start(files: dict[str, bytes]) -> int:
    """Start every process of an accepted file and run it to its first wait states."""
    bundle = engine.load_bundle(files)
    begun = 0
    for info in bundle.processes.values():
        for start in info.start_events:
            if start.kind in ("none", "message", "timer"):
                step = engine.start(bundle, info.id, {}, now=NOW, start_event=start.element_id)
                engine.load(bundle, engine.dump(step.run))
                begun += 1
    return begun


def _resident(pid: int) -> int:
    """The memory a process holds, as far as the system says so."""
    try:
        with open(f"/proc/{pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


WARM = b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="w">
<process id="warm" isExecutable="true"><startEvent id="s"/><exclusiveGateway id="g" default="f2"/><endEvent id="e"/>
<endEvent id="e2"/><sequenceFlow id="f0" sourceRef="s" targetRef="g"/><sequenceFlow id="f1" sourceRef="g" targetRef="e">
<conditionExpression>=a &gt; sum([1, 2])</conditionExpression></sequenceFlow>
<sequenceFlow id="f2" sourceRef="g" targetRef="e2"/></process></definitions>"""

"""Thousands of foreign files, each looked at on its own: bounded in time and memory, and never a traceback.

Files are checked in a process of its own that does many; whichever file takes too long or too much costs that process
its life and is reported as a finding, and the next file gets a new process. How much a file took is the kernel's own
count of the most the process held (VmHWM, begun anew for each file), not what a look now and then happened to see; how
long, the time it worked, which is the same on a busy machine.
"""

from __future__ import annotations

import multiprocessing
import os
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from service import engine

SECONDS = 2.0
MEMORY = 200 * 1024 * 1024
LOOK_EVERY = 0.05
LEFT_BEHIND = 32 * 1024 * 1024
"""A process that holds so much more than a new one is replaced: so much at most is counted that a file did not take."""
PATIENCE = 5
"""A busy machine takes longer than the seconds that a file costs; so many times as long and it is given up."""
DIED = ("process-died", "检查进程退出。", "The process that checked it died.")
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
        used = self._process is not None and self._process.is_alive()
        judged = self._judge(file, content)
        if used and self._process is None and judged.memory > self.memory:
            # What earlier files have left behind counted against it.
            judged = self._judge(file, content)
        return judged

    def _judge(self, file: str, content: bytes) -> Judged:
        pipe = self._ready()
        _forget_peak(self._process.pid)
        began, before = time.monotonic(), _processor(self._process.pid)

        def spent() -> float:
            return _processor(self._process.pid) - before

        pipe.send((file, content))
        while not pipe.poll(LOOK_EVERY):
            most = self._used()
            if not self._process.is_alive():
                return self._lost(file, time.monotonic() - began, most, *DIED)
            if spent() > self.seconds or time.monotonic() - began > self.seconds * PATIENCE:
                zh, en = f"检查超过 {self.seconds:g} 秒。", f"It took more than {self.seconds:g} seconds to check."
                return self._lost(file, spent(), most, "too-slow", zh, en)
            if most > self.memory:
                return self._hungry(file, spent(), most)
        try:
            findings, begun, crash = pipe.recv()
        except EOFError:
            return self._lost(file, time.monotonic() - began, 0, *DIED)
        most = self._used()
        if most > self.memory:
            return self._hungry(file, spent(), most)
        return Judged(file, findings, spent(), most, begun, crash)

    def close(self) -> None:
        """Let the process go."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None

    def _ready(self) -> Connection:
        # What earlier files have left behind must not count against this one, nor pile up.
        if self._process is not None and _memory(self._process.pid, "VmRSS") - self._base > LEFT_BEHIND:
            self.close()
        if self._process is None or not self._process.is_alive():
            self._pipe, theirs = self._context.Pipe()
            self._process = self._context.Process(target=_work, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
            # The first file must not pay for loading the engine and V8.
            self._pipe.recv()
            self._base = _memory(self._process.pid, "VmRSS")
        assert self._pipe is not None
        return self._pipe

    def _used(self) -> int:
        """The most the process has held since the file was handed to it, beside the engine and V8 themselves."""
        return max(_memory(self._process.pid, "VmHWM") - self._base, 0)

    def _hungry(self, file: str, spent: float, most: int) -> Judged:
        size = self.memory // 1024 // 1024
        zh, en = f"检查所用内存超过 {size} MB。", f"It took more than {size} MB to check."
        return self._lost(file, spent, most, "too-much-memory", zh, en)

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


def _memory(pid: int, name: str) -> int:
    """What the kernel counts of a process, in bytes: VmRSS is what it holds, VmHWM the most it has held."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(f"{name}:")), 0)


def _processor(pid: int) -> float:
    """The seconds a process has worked, on all its threads; the hands of the clock where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return time.monotonic()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _forget_peak(pid: int) -> None:
    """Let the kernel count the most that a process holds anew from here on, where it can."""
    with suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")


WARM = b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="w">
<process id="warm" isExecutable="true"><startEvent id="s"/><exclusiveGateway id="g" default="f2"/><endEvent id="e"/>
<endEvent id="e2"/><sequenceFlow id="f0" sourceRef="s" targetRef="g"/><sequenceFlow id="f1" sourceRef="g" targetRef="e">
<conditionExpression>=a &gt; sum([1, 2])</conditionExpression></sequenceFlow>
<sequenceFlow id="f2" sourceRef="g" targetRef="e2"/></process></definitions>"""

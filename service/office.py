"""LibreOffice beside the service: PDF of an office file that somebody else wrote, within limits and with no way out.

An office file is hostile until shown otherwise: it may name pictures and sheets at other addresses, which LibreOffice
fetches while it opens it, so that the machine of the service asks about in the network of the authority.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

FILTERS = {
    "docx": "MS Word 2007 XML",
    "xlsx": "Calc MS Excel 2007 XML",
    "pptx": "Impress MS PowerPoint 2007 XML",
    "doc": "MS Word 97",
    "xls": "MS Excel 97",
    "ppt": "MS PowerPoint 97",
}
"""What LibreOffice reads each ending with. Named, so that no other kind of file passes under one of these names."""
AT_ONCE = 2
"""So many conversions run in one process of the service; the next one waits for its turn."""
WAIT = 20.0
"""Seconds to wait for one's turn."""
_turns = threading.BoundedSemaphore(AT_ONCE)

# No macro, no link of a document to anything, no looking after links of sheets, and what asks the net nevertheless asks
# a proxy that nobody is.
_PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
{items}</oor:items>
"""
_ITEM = '<item oor:path="/org.openoffice.{0}"><prop oor:name="{1}" oor:op="fuse"><value>{2}</value></prop></item>\n'
_SETTINGS = (
    ("Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("Office.Common/Security/Scripting", "DisableActiveContent", "true"),
    ("Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("Office.Calc/Content/Update", "Link", "1"),
    ("Office.Writer/Content/Update", "Link", "0"),
    ("Inet/Settings", "ooInetProxyType", "2"),
    ("Inet/Settings", "ooInetHTTPProxyName", "127.0.0.1"),
    ("Inet/Settings", "ooInetHTTPProxyPort", "9"),
    ("Inet/Settings", "ooInetHTTPSProxyName", "127.0.0.1"),
    ("Inet/Settings", "ooInetHTTPSProxyPort", "9"),
)


class Unconverted(Exception):
    """No PDF could be made of the file."""


class Busy(Exception):
    """Others are at it; nothing was tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one conversion may cost: seconds of the clock and of the processor, bytes of memory and of each file."""

    clock: float = 60
    processor: int = 45
    memory: int = 3 * 1024**3
    file: int = 256 * 1024**2


def command(given: str) -> str | None:
    """The program that makes PDF of office files; None where there is none."""
    return given or shutil.which("soffice") or shutil.which("libreoffice")


def pdf_of(program: str, stream: BinaryIO, suffix: str, limits: Limits | None = None) -> bytes:
    """Make PDF of an office file with an ending of ``FILTERS``.

    Raises Unconverted where that fails or goes beyond the limits, Busy where no turn came in time.
    """
    limits = limits or Limits()
    if not _turns.acquire(timeout=WAIT):
        raise Busy
    try:
        with tempfile.TemporaryDirectory(prefix="guohe-office-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            with (folder / f"file.{suffix}").open("wb") as file:
                shutil.copyfileobj(stream, file)
            _run([*shlex.split(program), *_arguments(folder, suffix)], folder, limits)
            try:
                made = (folder / "file.pdf").read_bytes()
            except OSError as error:
                raise Unconverted from error
            if not made.startswith(b"%PDF-"):
                raise Unconverted
            return made
    finally:
        _turns.release()


def _arguments(folder: Path, suffix: str) -> list[str]:
    # A profile of its own: two conversions at once would wait for each other, and nothing one leaves reaches another.
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True)
    items = "".join(_ITEM.format(*setting) for setting in _SETTINGS)
    (profile / "user" / "registrymodifications.xcu").write_text(_PROFILE.format(items=items), encoding="utf-8")
    return [
        f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", f"--infilter={FILTERS[suffix]}",
        "--convert-to", "pdf", "--outdir", str(folder), str(folder / f"file.{suffix}"),
    ]  # fmt: skip


def _run(arguments: Sequence[str], folder: Path, limits: Limits) -> None:
    # The shell sets the limits, because Python must not run code between fork and exec in a server with threads; a
    # system that knows one of them not goes without. Files are counted in blocks of 512 bytes, memory in KiB.
    within = (
        f"ulimit -t {limits.processor}; ulimit -v {limits.memory // 1024}; ulimit -f {limits.file // 512}; "
        'ulimit -c 0; exec "$@"'
    )
    # Nothing of this installation is handed on: no database address, no secret, no mail server.
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        **dict.fromkeys(("http_proxy", "https_proxy", "ftp_proxy"), "http://127.0.0.1:9"),
    }
    try:
        process = subprocess.Popen(
            ["/bin/sh", "-c", within, "sh", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise Unconverted from error
    try:
        process.wait(limits.clock)
    except subprocess.TimeoutExpired:
        raise Unconverted from None
    finally:
        # soffice is a script that starts others: all of them go, also after a good end.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

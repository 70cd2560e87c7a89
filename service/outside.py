"""The program beside the service that looks at every uploaded file: a virus scanner."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from typing import BinaryIO

SCAN_SECONDS = 120


class Infected(Exception):
    """The scanner found something."""


class Unscanned(Exception):
    """The scanner could not look at the file, so nobody knows."""


def scan(command: str, stream: BinaryIO, suffix: str) -> None:
    """Let a scanner look at an uploaded file; exit code 0 is clean, 1 infected. Without a command nothing is asked.

    Raises Infected, or Unscanned where the scanner is missing, fails or takes longer than two minutes: a file that
    nobody has looked at is not taken.
    """
    if not command:
        return
    with tempfile.NamedTemporaryFile(prefix="guohe-scan-", suffix=f".{suffix}" if suffix else "") as copy:
        shutil.copyfileobj(stream, copy)
        copy.flush()
        stream.seek(0)
        try:
            found = subprocess.run(
                [*shlex.split(command), copy.name], capture_output=True, timeout=SCAN_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unscanned from error
    if found.returncode == 1:
        raise Infected
    if found.returncode != 0:
        raise Unscanned

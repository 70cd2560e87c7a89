"""Programs beside the service that look at files: a virus scanner, and LibreOffice that makes PDF of office files."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import BinaryIO

SCAN_SECONDS = 120
CONVERT_SECONDS = 120
OFFICE = frozenset({"docx", "xlsx", "pptx", "doc", "xls", "ppt"})
"""Endings of which LibreOffice makes PDF."""


class Infected(Exception):
    """The scanner found something."""


class Unscanned(Exception):
    """The scanner could not look at the file, so nobody knows."""


class Unconverted(Exception):
    """No PDF could be made of the file."""


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


def office_command(given: str) -> str | None:
    """The program that makes PDF of office files; None where there is none."""
    return given or shutil.which("soffice") or shutil.which("libreoffice")


def pdf_of(command: str, stream: BinaryIO, suffix: str) -> bytes:
    """Make PDF of an office file. Raises Unconverted where that fails or takes longer than two minutes."""
    with tempfile.TemporaryDirectory(prefix="guohe-office-") as folder:
        source = Path(folder) / f"file.{suffix}"
        with source.open("wb") as file:
            shutil.copyfileobj(stream, file)
        # A profile of its own: two conversions at once would wait for each other.
        profile = f"-env:UserInstallation={(Path(folder) / 'profile').as_uri()}"
        try:
            subprocess.run(
                [*shlex.split(command), profile, "--headless", "--convert-to", "pdf", "--outdir", folder, str(source)],
                capture_output=True,
                timeout=CONVERT_SECONDS,
                check=False,
            )
            return (Path(folder) / "file.pdf").read_bytes()
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unconverted from error

"""The files of bundles on disk: what of a folder is deployed, and under which names."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from service import english

SUFFIXES = (".bpmn", ".dmn", ".form", ".docx")
FOLDERS = ("processes", "forms", "templates")
"""Where the project keeps its own processes."""


def belongs(path: Path) -> bool:
    """True for a file that a bundle holds, by its name."""
    return (path.suffix in SUFFIXES or english.is_file(path.name)) and not path.name.startswith(("~$", "."))


def read(paths: Iterable[Path]) -> dict[str, bytes]:
    """Read what belongs into a bundle from files and folders; names are relative to what contains them all."""
    paths = [path.resolve() for path in paths]
    if not paths:
        return {}
    parent = Path(os.path.commonpath([path if path.is_dir() and len(paths) == 1 else path.parent for path in paths]))
    found: dict[str, bytes] = {}
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if belongs(file) and file.is_file():
                found[file.relative_to(parent).as_posix()] = file.read_bytes()
    return found


def scenarios_of_project(root: Path) -> dict[str, bytes]:
    """Read the scenarios of a project's processes, with their parts."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.glob("processes/*/scenarios/*.yaml")}


def of_project(root: Path) -> dict[str, bytes]:
    """Read the processes, forms and templates of a project."""
    return read(root / name for name in FOLDERS if (root / name).is_dir())

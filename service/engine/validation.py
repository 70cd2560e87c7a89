"""Findings about a bundle before anything is deployed."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .bundle import Contents, read_contents
from .model import Finding


def validate(
    files: Mapping[str, bytes], roles: Collection[str] | None = None, lanes: Mapping[str, str] | None = None,
    topics: Collection[str] | None = None,
) -> list[Finding]:  # fmt: skip
    """Everything found in the files, errors first."""
    return validate_contents(files, roles, lanes, topics)[1]


def validate_contents(
    files: Mapping[str, bytes], roles: Collection[str] | None = None, lanes: Mapping[str, str] | None = None,
    topics: Collection[str] | None = None,
) -> tuple[Contents, list[Finding]]:  # fmt: skip
    contents = read_contents(files)
    return contents, contents.findings

"""What differs between two bundles, said so that a process owner understands it.

Diagrams with their extension attributes, decision tables row by row, forms field by field, templates by their text.
Each change has its element, so that two diagrams can be shown side by side in colours.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..bundle import read_contents
from . import diagrams, english, forms, tables, templates
from .changes import Change, Comparison, Words

__all__ = ["Change", "Comparison", "Words", "compare"]


def compare(old: Mapping[str, bytes], new: Mapping[str, bytes], words: Words | None = None) -> Comparison:
    """Every difference between two sets of files: diagrams, tables, forms, templates, English, the rest.

    ``words`` gives the names of roles. Files that cannot be read are compared as a whole.
    """
    words = words or Words()
    made = Comparison()
    before, after = read_contents(old), read_contents(new)
    diagrams.compare(made, before, after, words)
    tables.compare(made, before, after)
    forms.compare(made, before, after)
    templates.compare(made, old, new)
    english.compare(made, old, new)
    _others(made, old, new)
    return made


def _others(made: Comparison, old: Mapping[str, bytes], new: Mapping[str, bytes]) -> None:
    """Files of which nothing in particular can be said, but that differ."""
    spoken = {change.file for change in made.changes} | set(made.marks)
    for path in sorted(set(old) | set(new)):
        if old.get(path) == new.get(path) or path in spoken:
            continue
        name = path.rpartition("/")[2]
        if path not in old:
            made.add(path, None, "added", f"新增文件“{name}”", f"New file “{name}”")
        elif path not in new:
            made.add(path, None, "removed", f"删除文件“{name}”", f"File “{name}” removed")
        else:
            made.add(path, None, "layout", f"“{name}”只有排版上的变化", f"“{name}” differs only in how it is written")

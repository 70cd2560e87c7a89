"""How text is cut so that it can be found: Chinese has no spaces, and most of its words have two characters.

A text is folded (full width, case) and every run of letters and digits is cut into overlapping pairs: 国际合作 becomes
国际, 际合, 合作, and the last character once more alone. A word is found where all its pairs are; that they also stand
side by side is checked on the folded text. So any two characters are found by an index, and any single one by the
beginning of a pair.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

LONGEST = 20_000
"""So many characters of what was typed into one form can be found."""
MOST_WORDS = 8
"""So many words of a question count."""

_APART = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """Return the text as it is compared: one width, one case, single spaces instead of everything else."""
    return _APART.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def pairs(folded: str) -> set[str]:
    """Return what a folded text is found by."""
    found: set[str] = set()
    for run in folded.split():
        found.update(run[place : place + 2] for place in range(len(run) - 1))
        found.add(run[-1])
    return found


def asked(question: str) -> list[str]:
    """Return the words of a question, folded; a word of several runs (``2026-00``) keeps them in order."""
    words = dict.fromkeys(word for word in map(fold, question.split()) if word)
    return list(words)[:MOST_WORDS]


def needed(word: str) -> tuple[list[str], list[str]]:
    """Return the pairs that an asked word needs whole, and the characters that need only begin one."""
    whole: list[str] = []
    begun: list[str] = []
    for run in word.split():
        if len(run) == 1:
            begun.append(run)
        whole += [run[place : place + 2] for place in range(len(run) - 1)]
    return whole, begun


def typed(cut: Iterable[str]) -> list[str]:
    """Mark pairs as typed into a form: they are apart from those of a line, which whoever has the line may read."""
    return [f"_{one}" for one in cut]


def said(values: Any) -> str:
    """Return what somebody typed into a form, in one folded text; numbers count, ticks do not."""
    return fold(" ".join(_texts(values)))[:LONGEST]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bool):
        return
    elif isinstance(value, int | float):
        yield str(value)
    elif isinstance(value, Mapping):
        for name in sorted(value):  # PostgreSQL keeps them in an order of its own
            yield from _texts(value[name])
    elif isinstance(value, Iterable):
        for part in value:
            yield from _texts(part)


def tag(kind: str, value: object) -> str:
    """Return the word that stands for a fact in the index, such as ``region:370000``; no pair looks like it."""
    return f"{kind}:{_NO_TAG.sub('-', str(value))}".lower()


_NO_TAG = re.compile(r"[^\w.-]")

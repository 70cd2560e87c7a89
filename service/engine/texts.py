"""FEEL texts, asked of V8 in one go and remembered: what they read and what their values look like."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import feel, isolate
from .shapes import ANY, Shape

SCRIPT = "feel"
MOST = 20_000
Text = tuple[str, str]
"""``expression`` or ``test``, and the FEEL text."""


@dataclass(frozen=True, slots=True)
class Read:
    """A path that a text reads. ``sure`` is False where the name may be a member of a filtered item; ``tested`` is
    True where the text itself asks whether there is a value."""

    path: tuple[str, ...]
    sure: bool = True
    tested: bool = False

    @property
    def name(self) -> str:
        return self.path[0]

    @property
    def text(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a text reads, and its value: a shape, or the path it hands on."""

    reads: tuple[Read, ...] = ()
    shape: Shape = ANY
    path: tuple[str, ...] = ()
    # The entries of a context that hand on a path each.
    entries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # The variables that have a value where the text is true, and where it is not.
    holds: frozenset[str] = frozenset()
    fails: frozenset[str] = frozenset()


NOTHING = Parsed()
_known: OrderedDict[Text, Parsed] = OrderedDict()


def learn(texts: Iterable[Text]) -> None:
    """Ask about all of them at once; asking one by one later costs nothing."""
    asked = [text for text in dict.fromkeys(texts) if text not in _known]
    if not asked:
        return
    # A text that is too long to be read is refused by the check of its syntax.
    handed = [(kind, text if len(text) <= feel.LONGEST else "null") for kind, text in asked]
    try:
        answers = isolate.call(SCRIPT, "read", {"texts": handed}, seconds=isolate.MOST_SECONDS)
    except isolate.ScriptError:
        # One of them is too much; the check of its syntax says which.
        answers = [{"reads": [], "shape": {"type": "any"}, "holds": [], "fails": []}] * len(asked)
    for text, answer in zip(asked, answers, strict=True):
        _known[text] = _parsed(answer)
    while len(_known) > MOST:
        _known.popitem(last=False)


def parse(text: str, kind: str = "expression") -> Parsed:
    """What a text reads."""
    key = (kind, text)
    if key not in _known:
        learn([key])
    return _known.get(key, NOTHING)


def _parsed(answer: Mapping[str, Any]) -> Parsed:
    reads = tuple(Read(tuple(one["path"]), one["sure"], one["tested"]) for one in answer["reads"])
    shape = answer["shape"]
    holds, fails = frozenset(answer["holds"]), frozenset(answer["fails"])
    entries = {name: tuple(one["path"]) for name, one in shape.get("members", {}).items() if one.get("path")}
    return Parsed(reads, _shape(shape), tuple(shape.get("path", ())), entries, holds, fails)


def _shape(raw: Mapping[str, Any]) -> Shape:
    members = raw.get("members")
    if members is None:
        return Shape(raw["type"])
    return Shape(raw["type"], {name: _shape(one) for name, one in members.items()})

"""Diagrams that somebody, or some other program, has spoiled: seeded, so that every one of them can be made again.

``python -m tests.workshop.mutations IN OUT COUNT [SEED]`` writes COUNT spoiled copies of the diagrams in a folder into
another one, for ``guohe validate OUT --each``.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

from lxml import etree

Mutation = Callable[[etree._Element, random.Random], None]
MODEL = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
STRANGE = (
    "",
    " ",
    "0",
    "-1",
    "=",
    "=1/0",
    "={",
    "=for x in",
    "PT",
    "P1Y2M",
    "R/PT0S",
    "é\u0301",
    "a" * 5000,
    "\u202e案",
    "=" + "(" * 400,
)


def _inside(root: etree._Element) -> list[etree._Element]:
    return [one for one in root.iter(etree.Element) if one is not root and one.getparent() is not None]


def _delete(root: etree._Element, chance: random.Random) -> None:
    one = chance.choice(_inside(root))
    one.getparent().remove(one)


def _duplicate(root: etree._Element, chance: random.Random) -> None:
    one = chance.choice(_inside(root))
    copy = etree.fromstring(etree.tostring(one))
    for inner in copy.iter(etree.Element) if chance.random() < 0.5 else ():
        if "id" in inner.attrib:
            inner.set("id", f"{inner.get('id')}_copy")
    one.addnext(copy)


def _swap(root: etree._Element, chance: random.Random) -> None:
    one = chance.choice(_inside(root))
    other = chance.choice(list(one.getparent()))
    one.addprevious(other)


def _renest(root: etree._Element, chance: random.Random) -> None:
    one, into = chance.choice(_inside(root)), chance.choice(_inside(root))
    if one is not into and one not in into.iterancestors():
        into.append(one)


def _rename(root: etree._Element, chance: random.Random) -> None:
    one = chance.choice(_inside(root))
    kinds = [element.tag for element in root.iter(etree.Element) if str(element.tag).startswith(MODEL)]
    if kinds:
        one.tag = chance.choice(kinds)


def _lose_attribute(root: etree._Element, chance: random.Random) -> None:
    named = [one for one in _inside(root) if one.attrib]
    if named:
        one = chance.choice(named)
        del one.attrib[chance.choice(list(one.attrib))]


def _strange_value(root: etree._Element, chance: random.Random) -> None:
    one = chance.choice(_inside(root))
    if one.attrib and chance.random() < 0.7:
        one.set(chance.choice(list(one.attrib)), chance.choice(STRANGE))
    else:
        one.text = chance.choice(STRANGE)


def _cross(root: etree._Element, chance: random.Random) -> None:
    """Two elements exchange an attribute: references lead elsewhere, ids are there twice."""
    named = [one for one in _inside(root) if one.attrib]
    if len(named) > 1:
        one, other = chance.sample(named, 2)
        shared = [name for name in one.attrib if name in other.attrib]
        if shared:
            name = chance.choice(shared)
            first, second = one.get(name), other.get(name)
            one.set(name, second)
            other.set(name, first)


def _deep(root: etree._Element, chance: random.Random) -> None:
    """A sub-process in a sub-process in a sub-process …"""
    inner = chance.choice(list(root.iter(f"{MODEL}process", f"{MODEL}subProcess")) or [root])
    for level in range(chance.choice((5, 60, 150))):
        inner = etree.SubElement(inner, f"{MODEL}subProcess", id=f"deep_{level}")


def _many(root: etree._Element, chance: random.Random) -> None:
    """The same element hundreds of times."""
    one = chance.choice(_inside(root))
    if len(etree.tostring(one)) < 4000:
        for number in range(chance.choice((30, 300))):
            copy = etree.fromstring(etree.tostring(one))
            if "id" in copy.attrib:
                copy.set("id", f"{copy.get('id')}_{number}")
            one.addnext(copy)


def _huge_text(root: etree._Element, chance: random.Random) -> None:
    chance.choice(_inside(root)).text = chance.choice(("字", "a b ", "{{x}} ")) * chance.choice((2_000, 60_000))


MUTATIONS: tuple[Mutation, ...] = (
    _delete, _duplicate, _swap, _renest, _rename, _lose_attribute, _strange_value, _cross, _deep, _many, _huge_text,
)  # fmt: skip
GENTLE: tuple[Mutation, ...] = (_delete, _duplicate, _swap, _rename, _lose_attribute, _cross)
"""After these most diagrams can still be drawn."""


def mutated(content: bytes, seed: int, *, among: tuple[Mutation, ...] = MUTATIONS) -> bytes:
    """A spoiled copy of a diagram: one to four mutations, still well-formed XML."""
    chance = random.Random(seed)
    root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, huge_tree=True))
    for _ in range(chance.choice((1, 1, 2, 4))):
        if _inside(root):
            chance.choice(among)(root, chance)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def garbled(content: bytes, seed: int) -> bytes:
    """A copy whose bytes are spoiled: cut off, in another encoding, with bytes changed, or with a lie in its head."""
    chance = random.Random(seed)
    kind = chance.randrange(6)
    if kind == 0:
        return content[: chance.randrange(len(content))]
    if kind == 1:
        return content.decode("utf-8", "replace").encode(chance.choice(("utf-16", "utf-16-le", "utf-32", "gb18030")))
    if kind == 2:
        spoiled = bytearray(content)
        for _ in range(chance.choice((1, 5, 50))):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        return bytes(spoiled)
    if kind == 3:
        return content.replace(b"UTF-8", chance.choice((b"latin-1", b"utf-16", b"no-such-code", b"gb2312")), 1)
    if kind == 4:
        return chance.choice((b"\xef\xbb\xbf", b"\x00", b"\xff\xfe", b"\n\n  ")) + content
    middle = chance.randrange(len(content))
    return content[:middle] + content[chance.randrange(len(content)) :]


def main(source: Path, target: Path, count: int, seed: int = 1) -> None:
    """Write spoiled copies: nine in ten well-formed, one in ten not."""
    found = sorted(path for path in source.rglob("*") if path.suffix in (".bpmn", ".xml"))
    target.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        content = found[number % len(found)].read_bytes()
        try:
            made = garbled(content, seed + number) if number % 10 == 9 else mutated(content, seed + number)
        except etree.XMLSyntaxError:
            made = garbled(content, seed + number)
        (target / f"{number:05}.bpmn").write_bytes(made)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else 1)

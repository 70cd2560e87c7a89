"""The texts of a bundle that people read, what is wrong with their English, and diagrams drawn in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from lxml import etree

from service import english
from service.english import English, Say

from . import dmn
from .model import Finding, feel_of, is_expression
from .parser import BPMN, ZEEBE
from .xml import UnsafeXml, parse

if TYPE_CHECKING:
    from .bundle import Contents

BPMNDI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DC = "{http://www.omg.org/spec/DD/20100524/DC}"
NO_NAMES = ("message", "error", "signal", "escalation", "category", "definitions", "extensionElements")
"""Names by which programs know things; nobody reads them."""
NOTICES = ("noteTitle", "noteText")
"""What people are told in a notice."""
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Written:
    """A text that somebody reads: in which file and at which element, and what it is.

    ``kind``: name | documentation | title | notice | form | decision. ``expression`` is the FEEL that it is part of.
    """

    file: str
    element_id: str | None
    kind: str
    text: str
    expression: str = ""

    @property
    def folder(self) -> str:
        return str(PurePosixPath(self.file).parent)


def written(contents: Contents) -> list[Written]:
    """Every text of a bundle to be translated, file by file, in the order of the files."""
    found: list[Written] = []
    forms = set(contents.form_files.values())
    for file, data in contents.files.items():
        if file.endswith(".bpmn"):
            found += _of_diagram(file, data)
        elif file.endswith(".dmn"):
            found += _of_table(file, data)
        elif file in forms:
            found += _of_form(file, data)
    return found


@lru_cache(maxsize=512)
def _of_form(file: str, data: bytes) -> tuple[Written, ...]:
    return tuple(Written(file, element, "form", text) for element, text in english.texts_of_form(json.loads(data)))


@lru_cache(maxsize=128)
def _of_diagram(file: str, data: bytes) -> tuple[Written, ...]:
    try:
        root = parse(data)
    except UnsafeXml:
        return ()
    found: list[Written] = []
    for element, kind, value in _texts(root):
        owner = element if element.get("id") else next((one for one in element.iterancestors() if one.get("id")), None)
        expression = feel_of(value) if is_expression(value) else json.dumps(value, ensure_ascii=False)
        name = owner.get("id") if owner is not None else None
        found += [Written(file, name, kind, text, expression) for text in english.texts_of(value)]
    return tuple(found)


def _texts(root: etree._Element) -> Iterator[tuple[etree._Element, str, str]]:
    """The texts of a diagram: the element, what it is, and the text."""
    for element in root.iter(f"{BPMN}*"):
        tag = etree.QName(element).localname
        if tag not in NO_NAMES and element.get("name"):
            yield element, "name", element.get("name", "")
        if tag == "documentation" and (element.text or "").strip():
            yield element, "documentation", (element.text or "").strip()
        if tag == "text" and (element.text or "").strip():
            yield element, "name", (element.text or "").strip()
        for inner in element.iterchildren(f"{BPMN}extensionElements"):
            for one in inner.iter(f"{ZEEBE}property"):
                if one.get("name") == "title" and tag == "process":
                    yield one, "title", one.get("value", "")
            for one in inner.iter(f"{ZEEBE}input"):
                if one.get("target") in NOTICES:
                    yield one, "notice", one.get("source", "")


@lru_cache(maxsize=128)
def _of_table(file: str, data: bytes) -> tuple[Written, ...]:
    found: list[Written] = []
    nodes, _ = dmn.parse(data)
    for node in nodes.values():
        logic = node["logic"]
        cells = (
            [(cell["id"], cell["text"]) for rule in logic["table"]["rules"] for cell in rule["outputs"]]
            if logic["kind"] == "table"
            else [(element, text) for element, kind, text in dmn.cells(logic) if kind == "expression"]
        )
        for element, text in cells:
            shown = english.texts_of(f"={text}")
            found += [Written(file, element, "decision", one, text) for one in shown]
    return tuple(found)


# What is wrong with it


def check(contents: Contents) -> list[Finding]:
    """What is wrong with the English of a bundle. A bundle without any is in Chinese alone, and says nothing."""
    files = [file for file in contents.files if english.is_file(file)]
    if not files:
        return []
    texts = written(contents)
    used: dict[str, set[str]] = {}
    for one in texts:
        used.setdefault(one.text, set()).add(one.folder)
    findings: list[Finding] = []
    said: dict[str, dict[str, str]] = {}
    for file in files:
        try:
            said[file] = english.read(contents.files[file])
        except english.Unreadable as bad:
            findings.append(Finding(file, None, "english-file", "error", bad.zh, bad.en, bad.line))
    for file, one_file in said.items():
        findings += _entries(file, one_file, used)
    findings += _rivals(said, used)
    return [*findings, *_missing(contents, texts, files[0])]


def _entries(file: str, texts: Mapping[str, str], used: Mapping[str, set[str]]) -> Iterator[Finding]:
    unknown = [text for text in texts if text not in used]
    if unknown:
        zh = f"{len(unknown)} 条英文没有对应的中文（可能已改动或删除）：{_listed(unknown, '、')}。"
        en = f"{len(unknown)} English text(s) belong to no Chinese text (changed or removed?): {_listed(unknown)}."
        yield Finding(file, None, "english-leftover", "warning", zh, en)
    for chinese, text in texts.items():
        wrong = english.problem(chinese, text) if text else None
        if wrong:
            shown = _listed([chinese])
            yield Finding(file, None, "english-text", "error", f"{shown}：{wrong[0]}。", f"{shown}: {wrong[1]}.")


def _rivals(said: Mapping[str, Mapping[str, str]], used: Mapping[str, set[str]]) -> Iterator[Finding]:
    """Two folders may each have their own English, but then each says it of its own texts."""
    known: dict[str, str] = {}
    for file, texts in said.items():
        folder = str(PurePosixPath(file).parent)
        for chinese, text in texts.items():
            first = known.setdefault(chinese, file) if text else file
            if first == file or said[first][chinese] == text or folder in used.get(chinese, {folder}):
                continue
            shown = _listed([chinese])
            yield Finding(
                file, None, "english-rival", "info",
                f"{shown}在 {first} 中另有英文，而本文件夹没有用到它。",
                f"{shown} has other English in {first}, and nothing in this folder uses it.",
            )  # fmt: skip


def _missing(contents: Contents, texts: Iterable[Written], file: str) -> Iterator[Finding]:
    wanted = missing(contents, texts)
    if wanted:
        zh = f"{len(wanted)} 条文字还没有英文，英文读者看到的是中文：{_listed(wanted, '、')}。"
        en = f"{len(wanted)} text(s) have no English yet; readers of English see the Chinese: {_listed(wanted)}."
        yield Finding(file, None, "english-missing", "info", zh, en)


def _listed(texts: list[str], between: str = ", ") -> str:
    shown = between.join(f"“{' '.join(text.split())[:30]}”" for text in texts[:SHOWN])
    return f"{shown}…" if len(texts) > SHOWN else shown


def of(contents: Contents) -> English:
    """The English of a bundle."""
    folders = {one.id: str(PurePosixPath(one.file).parent) for one in contents.processes.values()}
    return English({file: data for file, data in contents.files.items() if english.is_file(file)}, folders)


def missing(contents: Contents, texts: Iterable[Written]) -> list[str]:
    """Which of these texts have no English anywhere in the bundle, each once."""
    known = of(contents).everywhere
    return list(dict.fromkeys(one.text for one in texts if one.text not in known))


def decided(contents: Contents) -> list[list[str]]:
    """The strings of every text that a decision table may make."""
    return [english.strings(text) for text in {w.expression: None for w in written(contents) if w.kind == "decision"}]


def told(contents: Contents) -> list[list[str]]:
    """The strings of every notice that people are given."""
    return [english.strings(text) for text in {w.expression: None for w in written(contents) if w.kind == "notice"}]


def renewed(contents: Contents) -> dict[str, bytes]:
    """The files of English as they should be: a line for every text, in the order of the files, and nothing left over.

    A text of several folders stands in the first of them that has it; a folder keeps what it says otherwise.
    """
    before = of(contents).texts
    after: dict[str, dict[str, str]] = {}
    placed: dict[str, str] = {}
    for folder, texts in before.items():
        for chinese, text in texts.items():
            if text:
                placed.setdefault(chinese, folder)
    for one in written(contents):
        own = before.get(one.folder, {}).get(one.text)
        if own or placed.setdefault(one.text, one.folder) == one.folder:
            after.setdefault(one.folder, {}).setdefault(one.text, own or "")
    # What only another folder uses stays where it is.
    used = {one.text for one in written(contents)}
    for folder, texts in before.items():
        for chinese, text in texts.items():
            if text and chinese in used and placed.get(chinese) == folder:
                after.setdefault(folder, {}).setdefault(chinese, text)
    made = {}
    for folder in sorted({*before, *after}):
        made[english.NAME if folder == "." else f"{folder}/{english.NAME}"] = english.write(after.get(folder, {}))
    return made


# In a reader's language

LABEL, LETTER = 90.0, 5.5
"""The width that bpmn-js gives a label by itself, and that of a letter in it."""


def _widen(bounds: etree._Element, name: str, *, centred: bool) -> None:
    """Give a label room for words, which are longer than two or four characters; beside a flow, to the right."""
    try:
        x, width = float(bounds.get("x", "")), float(bounds.get("width", ""))
    except ValueError:
        return
    wanted = min(LABEL, len(name) * LETTER + LETTER)
    if width < wanted:
        bounds.set("x", f"{x - (wanted - width) / 2 if centred else x:g}")
        bounds.set("width", f"{wanted:g}")


def diagram(data: bytes, say: Say) -> bytes:
    """A diagram with its names and documentation in English, for looking at; what it does is the same."""
    root = parse(data)
    for element, kind, value in _texts(root):
        if kind == "name" and element.get("name"):
            element.set("name", english.translate(value, say))
        elif kind in ("name", "documentation"):
            element.text = english.translate(value, say)
    names = {element.get("id"): element.get("name", "") for element in root.iter(f"{BPMN}*") if element.get("name")}
    for label in root.iter(f"{BPMNDI}BPMNLabel"):
        drawn, bounds = label.getparent(), label.find(f"{DC}Bounds")
        if drawn is not None and bounds is not None:
            _widen(bounds, names.get(drawn.get("bpmnElement")) or "", centred=drawn.tag == f"{BPMNDI}BPMNShape")
    return etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8")

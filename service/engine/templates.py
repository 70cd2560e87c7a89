"""Word templates: their text, and the placeholders a document is made from."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment
from lxml import etree

from . import xml

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
PARTS = re.compile(r"word/(document|header\d*|footer\d*|footnotes)\.xml")
MAX_PART = 20 * 1024 * 1024


class TemplateProblem(Exception):
    """The template cannot be read or filled. ``zh`` and ``en`` say why."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def paragraphs(data: bytes) -> list[str]:
    """The text of a template, paragraph by paragraph. Raises TemplateProblem."""
    return [text for part in _parts(data) for text in _paragraphs(part) if text.strip()]


def placeholders(data: bytes) -> list[str]:
    """The variables a template asks for, as paths: ``base.name``. Raises TemplateProblem."""
    text = "\n".join(paragraphs(data))
    # docxtpl lets tags say what they wrap: {%p for ... %}, {{r text }}, {%tr ... %}
    text = re.sub(r"(\{[{%])(?:p|tr|tc|r)\s", r"\1 ", text)
    try:
        tree = _environment().parse(text)
    except TemplateSyntaxError as error:
        raise TemplateProblem(
            f"占位符写法有误（{error.message}）。", f"A placeholder is not written right ({error.message})."
        ) from None
    return sorted(_names(tree))


def _environment() -> Environment:
    return SandboxedEnvironment()


def _names(tree: nodes.Template) -> set[str]:
    bound = {one.name for one in tree.find_all(nodes.Name) if one.ctx == "store"} | {"loop"}
    found: set[str] = set()
    inner: set[int] = set()
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        path = _path(node)
        if path is not None:
            root = path.partition(".")[0]
            if root not in bound and id(node) not in inner:
                found.add(path)
            inner |= _within(node)
    for node in tree.find_all(nodes.Name):
        if node.ctx == "load" and node.name not in bound and id(node) not in inner:
            found.add(node.name)
    return found - set(_environment().globals)


def _path(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        inside = _path(node.node)
        return None if inside is None else f"{inside}.{node.attr}"
    if isinstance(node, nodes.Getitem):
        return _path(node.node)
    return None


def _within(node: nodes.Node) -> set[int]:
    found: set[int] = set()
    inside: nodes.Node | None = getattr(node, "node", None)
    while inside is not None:
        found.add(id(inside))
        inside = getattr(inside, "node", None)
    return found


def _parts(data: bytes) -> Iterator[etree._Element]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [name for name in archive.namelist() if PARTS.fullmatch(name)]
            if "word/document.xml" not in names:
                raise TemplateProblem("不是 Word 文件（.docx）。", "This is no Word file (.docx).")
            for name in sorted(names):
                with archive.open(name) as stream:
                    content = stream.read(MAX_PART + 1)
                if len(content) > MAX_PART:
                    raise TemplateProblem("Word 文件内容过大。", "The Word file unfolds to too much.")
                yield xml.parse(content)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise TemplateProblem(f"Word 文件打不开（{error}）。", f"The Word file cannot be opened ({error}).") from None
    except xml.UnsafeXml as error:
        raise TemplateProblem(error.zh, error.en) from None


def _paragraphs(root: etree._Element) -> Iterator[str]:
    for paragraph in root.iter(f"{WORD}p"):
        yield "".join(part.text or "" for part in paragraph.iter(f"{WORD}t"))

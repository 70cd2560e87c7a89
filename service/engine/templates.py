"""Word templates: their text, paragraph by paragraph."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

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

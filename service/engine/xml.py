"""Reading XML that nobody has to trust: no entities, no outside access, bounded size and depth."""

from __future__ import annotations

from lxml import etree

MAX_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 100
MAX_ELEMENTS = 200_000


class UnsafeXml(Exception):
    """The file is no XML that can be read safely. ``zh`` and ``en`` say why, ``line`` says where."""

    def __init__(self, zh: str, en: str, line: int | None = None) -> None:
        super().__init__(en)
        self.zh, self.en, self.line = zh, en, line


class _Target:
    """Counts while the parser reads, so that a bomb is refused before a tree of it exists."""

    def __init__(self) -> None:
        self.depth = self.elements = 0

    def start(self, tag: str, attrib: dict[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth > MAX_DEPTH:
            raise UnsafeXml(f"XML 嵌套超过 {MAX_DEPTH} 层。", f"XML is nested deeper than {MAX_DEPTH} levels.")
        if self.elements > MAX_ELEMENTS:
            raise UnsafeXml(f"XML 元素超过 {MAX_ELEMENTS} 个。", f"XML has more than {MAX_ELEMENTS} elements.")

    def end(self, tag: str) -> None:
        self.depth -= 1

    def data(self, data: str) -> None: ...

    def close(self) -> None: ...


def _parser(target: _Target | None = None) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        target=target,  # type: ignore[arg-type]
    )


def parse(data: bytes) -> etree._Element:
    """The root element of ``data``. Raises UnsafeXml for anything that is broken, hostile or too large."""
    if len(data) > MAX_BYTES:
        size = MAX_BYTES // 1024 // 1024
        raise UnsafeXml(f"文件超过 {size} MB。", f"The file is larger than {size} MB.")
    try:
        etree.fromstring(data, _parser(_Target()))
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        raise UnsafeXml(f"不是有效的 XML：{error.msg}。", f"Not well-formed XML: {error.msg}.", error.lineno) from None
    except (ValueError, LookupError) as error:
        raise UnsafeXml(f"无法读取文件编码：{error}。", f"The encoding cannot be read: {error}.") from None
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]
        raise UnsafeXml("文件含有 DOCTYPE 声明，不予读取。", "The file has a DOCTYPE declaration, which is not read.")
    return root

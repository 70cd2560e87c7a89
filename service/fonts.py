"""The Chinese font that PDFs embed: a setting's, else the one that is installed with the service."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "paperang_p2_fonts_cjk"
FILE = "fonts/wqy-microhei.ttc"
"""WenQuanYi Micro Hei, Apache License 2.0, as Debian has it: TrueType outlines of all characters of GB 2312 and GBK.
Source: docs/decisions/0014."""


@cache
def installed() -> str:
    """The path of the installed font; empty where its package is missing."""
    found = find_spec(PACKAGE)
    for folder in (found.submodule_search_locations or []) if found else []:
        path = Path(folder) / FILE
        if path.is_file():
            return str(path)
    return ""


def embeddable(path: Path) -> bool:
    """Whether a file looks like a font with TrueType outlines, which are the only ones that can be embedded."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
            if head == b"ttcf":  # a collection: its first font counts
                file.seek(12)
                file.seek(int.from_bytes(file.read(4)))
                head = file.read(4)
    except OSError:
        return False
    return head in (b"\0\1\0\0", b"true")

"""How much room a label takes, wrapped as bpmn-js wraps it.

Source: bpmn-js TextRenderer – 12 px inside shapes, 11 px outside, external labels wrap at 90 px.
"""

from __future__ import annotations

from unicodedata import east_asian_width

LABEL_WIDTH = 90
LINE = 14


def width(text: str, size: float = 11) -> float:
    """Pixels of ``text`` on one line; Chinese is as wide as it is high, Latin a little over half."""
    return sum(size if east_asian_width(c) in "WFA" else size * 0.58 for c in text)


def wrap(text: str, limit: float = LABEL_WIDTH, size: float = 11) -> list[str]:
    """The lines of ``text``: broken at spaces, else anywhere, each at most ``limit`` wide."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in _words(paragraph):
            if not line or width(line + word, size) <= limit:
                line += word
            else:
                lines.append(line.rstrip())
                line = word.lstrip()
            while width(line, size) > limit and len(line) > 1:
                cut = max(n for n in range(1, len(line)) if n == 1 or width(line[:n], size) <= limit)
                lines.append(line[:cut])
                line = line[cut:]
        lines.append(line.rstrip())
    return [line for line in lines if line] or [""]


def _words(text: str) -> list[str]:
    words, word = [], ""
    for char in text:
        if char == " " or east_asian_width(char) in "WF":
            words += [word, char] if word else [char]
            word = ""
        else:
            word += char
    return [*words, word] if word else words


def box(text: str, limit: float = LABEL_WIDTH) -> tuple[int, int]:
    """Width and height of an external label."""
    lines = wrap(text, limit)
    return int(max(width(line) for line in lines)) + 4, LINE * len(lines)

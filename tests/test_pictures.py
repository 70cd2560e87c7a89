"""Pictures of diagrams: their size, their cropping, and one real one."""

from __future__ import annotations

import shutil
import zlib
from pathlib import Path

import pytest

from service import pictures

ROOT = Path(__file__).resolve().parents[1]
DIAGRAM = ROOT / "processes" / "qualification_check" / "qualification_check.bpmn"


def png(width: int, height: int) -> bytes:
    """A white picture as browsers write it: 8 bits, red, green and blue."""
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    body = zlib.compress((b"\x00" + b"\xff" * 3 * width) * height)
    out = b"\x89PNG\r\n\x1a\n"
    for kind, data in ((b"IHDR", header), (b"IDAT", body), (b"IEND", b"")):
        out += len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
    return out


def size(picture: bytes) -> tuple[int, int]:
    return int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")


def test_a_picture_is_cropped_to_its_height() -> None:
    assert size(pictures.cropped(png(30, 20), 12)) == (30, 12)
    assert size(pictures.cropped(png(30, 20), 50)) == (30, 20)


def test_the_extent_holds_everything_drawn() -> None:
    x, y, width, height = pictures.extent(DIAGRAM.read_bytes())
    assert (x, y) == (160, 80)
    assert width > 1000
    assert height > 200


def test_a_diagram_without_a_picture_says_what_to_do() -> None:
    with pytest.raises(pictures.NoPicture, match="lay it out"):
        pictures.extent(b"<definitions/>")


def test_every_diagram_has_its_picture() -> None:
    diagrams = {path.stem for path in (ROOT / "processes").glob("*/*.bpmn")}
    folder = ROOT / "docs" / "processes"
    assert {path.stem for path in folder.glob("*.png")} == diagrams
    page = (folder / "README.md").read_text("utf-8")
    assert all(f"]({name}.png)" in page for name in diagrams)


@pytest.mark.browser
def test_chromium_draws_the_diagram_in_its_own_size(tmp_path: Path) -> None:
    assert shutil.which("chromium") or shutil.which("google-chrome")
    target = tmp_path / "picture.png"
    pictures.render(DIAGRAM.read_bytes(), target)
    _, _, width, height = pictures.extent(DIAGRAM.read_bytes())
    assert size(target.read_bytes()) == (width + 2 * pictures.PAD, height + 2 * pictures.PAD)

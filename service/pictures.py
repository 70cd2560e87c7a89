"""Pictures of the diagrams for the documentation: ``python -m service.pictures [diagram …]``.

Each diagram is opened by the bpmn-js viewer in a headless Chromium, the way users see it, and the result written to
``docs/processes/<name>.png``. Chromium is found on the PATH or named by ``CHROME``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VIEWER = Path("node_modules/bpmn-js/dist")
FOLDER = Path("docs/processes")
PAD = 20
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--allow-file-access-from-files",
    "--virtual-time-budget=20000",
)

_PAGE = """<!doctype html>
<html><head><meta charset="utf-8">
<link rel="stylesheet" href="{viewer}/assets/diagram-js.css">
<link rel="stylesheet" href="{viewer}/assets/bpmn-js.css">
<style>html, body {{ margin: 0; background: #fff }}
#canvas {{ width: {box[width]}px; height: {box[height]}px }}
.bjs-powered-by {{ display: none }}
#canvas text {{ font-family: "Noto Sans CJK SC", "Microsoft YaHei", sans-serif }}</style>
<script src="{viewer}/bpmn-viewer.production.min.js"></script></head>
<body><div id="canvas"></div>
<script>
const viewer = new BpmnJS({{ container: '#canvas' }});
viewer.importXML({xml}).then(() => viewer.get('canvas').viewbox({view}));
</script></body></html>
"""


class NoPicture(Exception):
    """A picture could not be made; the message says what to do."""


def render(xml: bytes, target: Path, *, root: Path = ROOT) -> None:
    """Write the diagram as a PNG of its own size."""
    viewer = root / VIEWER
    if not viewer.is_dir():
        raise NoPicture("bpmn-js is not installed; run python -m service.frontend first.")
    x, y, width, height = extent(xml)
    box = {"x": x - PAD, "y": y - PAD, "width": width + 2 * PAD, "height": height + 2 * PAD}
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        text = json.dumps(xml.decode("utf-8")).replace("</", "<\\/")
        page.write_text(_PAGE.format(viewer=viewer.as_uri(), xml=text, box=box, view=json.dumps(box)), "utf-8")
        shot = Path(folder, "shot.png")
        # A window is higher than its page; what is too much is cut off below.
        size = f"--window-size={max(box['width'], 500)},{box['height'] + 200}"
        command = [
            browser(), *FLAGS, f"--user-data-dir={folder}/profile", size, f"--screenshot={shot}", page.as_uri()
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if not shot.exists():
            last = done.stderr.strip().splitlines()[-1:] or ["no output"]
            raise NoPicture(f"Chromium made no picture of {target.stem}: {last[0]}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(cropped(shot.read_bytes(), box["height"]))


def browser() -> str:
    """The Chromium to use. Raises NoPicture where there is none."""
    names = [os.environ.get("CHROME", ""), "chromium", "chromium-browser", "google-chrome", "chrome"]
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        raise NoPicture("No Chromium found; install one or name it in the environment variable CHROME.")
    return found


def extent(xml: bytes) -> tuple[int, int, int, int]:
    """x, y, width and height of everything drawn."""
    text = xml.decode("utf-8")
    boxes = [
        tuple(float(re.search(rf'{key}="(-?[\d.]+)"', tag)[1]) for key in ("x", "y", "width", "height"))  # type: ignore[index]
        for tag in re.findall(r"<\w+:Bounds [^>]*>", text)
    ]
    points = [(float(x), float(y)) for x, y in re.findall(r'<\w+:waypoint x="(-?[\d.]+)" y="(-?[\d.]+)"', text)]
    if not boxes:
        raise NoPicture("The diagram has no picture; lay it out first.")
    left = min([b[0] for b in boxes] + [p[0] for p in points])
    top = min([b[1] for b in boxes] + [p[1] for p in points])
    right = max([b[0] + b[2] for b in boxes] + [p[0] for p in points])
    bottom = max([b[1] + b[3] for b in boxes] + [p[1] for p in points])
    return int(left), int(top), int(right - left), int(bottom - top)


def cropped(png: bytes, height: int) -> bytes:
    """The upper ``height`` lines of a PNG of 8-bit channels, as browsers write it."""
    chunks, at = [], 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        chunks.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += length + 12
    header = chunks[0][1]
    width, full, _, colour = struct.unpack(">IIBB", header[:10])
    height = min(height, full)
    line = 1 + width * {2: 3, 6: 4}[colour]
    pixels = zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"))[: line * height]
    out = [
        (b"IHDR", struct.pack(">II", width, height) + header[8:]),
        (b"IDAT", zlib.compress(pixels, 9)),
        (b"IEND", b""),
    ]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in out
    )
    return png[:8] + body


def index(diagrams: Sequence[Path], folder: Path) -> None:
    """Write the page that shows all pictures."""
    lines = ["# 流程图", "", "由 `python -m service.pictures` 生成；点击图片查看原图。", ""]
    for diagram in diagrams:
        text = diagram.read_text("utf-8")
        name = re.search(r'<bpmn:process [^>]*name="([^"]*)"', text)
        about = re.search(r"<bpmn:process .*?<bpmn:documentation>(.*?)</bpmn:documentation>", text, re.DOTALL)
        lines += [f"## {name[1] if name else diagram.stem} `{diagram.stem}`", ""]
        lines += [about[1].strip(), ""] if about else []
        lines += [f"[![{name[1] if name else diagram.stem}]({diagram.stem}.png)]({diagram.stem}.png)", ""]
    (folder / "README.md").write_text("\n".join(lines), "utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the pictures of the given diagrams, or of all in ``processes/``."""
    parser = argparse.ArgumentParser(description="Make pictures of diagrams with bpmn-js in a headless Chromium.")
    parser.add_argument("diagrams", nargs="*", type=Path)
    parser.add_argument("--to", type=Path, default=ROOT / FOLDER, help="folder for the pictures")
    options = parser.parse_args(arguments)
    diagrams = options.diagrams or sorted((ROOT / "processes").glob("*/*.bpmn"))
    for diagram in diagrams:
        try:
            render(diagram.read_bytes(), options.to / f"{diagram.stem}.png")
        except (NoPicture, OSError) as error:
            print(error, file=sys.stderr)
            return 1
        print(options.to / f"{diagram.stem}.png")
    if not options.diagrams:
        index(diagrams, options.to)
    return 0


if __name__ == "__main__":
    sys.exit(main())

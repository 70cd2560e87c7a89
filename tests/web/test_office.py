"""Office files shown as PDF: with a stand-in everywhere, and with LibreOffice where a machine has it."""

from __future__ import annotations

import io
import os
import re
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import docx
import openpyxl
import psutil
import pypdfium2
import pytest
from flask import Flask

from service import office as libreoffice
from tests.commands.conftest import Office
from tests.web.conftest import Browser, text
from tests.web.test_file_views import script, use

Open = Callable[..., Browser]
DOCX = b"PK\x03\x04" + b"0" * 50
needs_libreoffice = pytest.mark.skipif(
    libreoffice.command("") is None, reason="LibreOffice previews are tried where it is installed"
)
SLIDE = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"
 office:version="1.2" office:mimetype="application/vnd.oasis.opendocument.presentation"><office:body>
<office:presentation><draw:page draw:name="p1"><draw:frame svg:width="10cm" svg:height="3cm" svg:x="2cm" svg:y="2cm">
<draw:text-box><text:p>基地建设汇报</text:p></draw:text-box></draw:frame></draw:page></office:presentation>
</office:body></office:document>"""


def document() -> bytes:
    """A Word file with a table."""
    made = docx.Document()
    made.add_paragraph("国际科技合作协议")
    made.add_table(1, 2).cell(0, 1).text = "一百万元"
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def workbook(*rows: tuple[object, ...]) -> bytes:
    """An Excel file."""
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def turned(folder: Path, name: str, content: bytes, ending: str) -> bytes:
    """A file as LibreOffice writes it with another ending."""
    (folder / name).write_bytes(content)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    program = str(libreoffice.command(""))
    call = [program, profile, "--headless", "--convert-to", ending, "--outdir", str(folder), str(folder / name)]
    subprocess.run(call, check=True, capture_output=True)
    return (folder / name).with_suffix(f".{ending}").read_bytes()


def words(pdf: bytes) -> str:
    """What stands in a PDF."""
    return "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """What is asked of a web server of this machine that no file has any business with."""
    heard: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_HEAD = do_OPTIONS = do_PROPFIND = do_GET

        def log_message(self, *args: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    heard.append(f"http://127.0.0.1:{server.server_port}")
    yield heard
    server.shutdown()
    server.server_close()


def pointing(address: str) -> bytes:
    """A Word file whose picture lies at an address."""
    made = docx.Document()
    made.add_paragraph("外部图片")
    made.add_picture(io.BytesIO(picture()))
    plain, out = io.BytesIO(), io.BytesIO()
    made.save(plain)
    with zipfile.ZipFile(plain) as before, zipfile.ZipFile(out, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name.endswith("document.xml.rels"):
                target = f'Target="{address}" TargetMode="External"'.encode()
                content = re.sub(rb'Target="media/image1.png"', target, content)
            after.writestr(name, content.replace(b"r:embed=", b"r:link="))
    return out.getvalue()


def picture() -> bytes:
    """A white point."""
    bitmap = pypdfium2.PdfBitmap.new_native(1, 1, 4)
    out = io.BytesIO()
    bitmap.to_pil().save(out, "PNG")
    return out.getvalue()


def test_an_office_file_is_shown_as_pdf_where_there_is_a_program_for_it(
    applying: Office, app: Flask, browser: Open, tmp_path: Path
) -> None:
    wang = browser("wang")
    number = wang.upload("材料.docx", DOCX).json["id"]
    # Called as LibreOffice is: the folder and the file are the last two arguments but one word.
    lines = 'for last; do :; done\nenv > "$0.env"\nprintf "%%PDF-made of $last" > "$(dirname "$last")/file.pdf"\n'
    program = script(tmp_path, "office", lines)
    use(app, office_command=program)
    assert "以下载的原件为准" in text(wang.get(f"/files/{number}/view"))
    shown = wang.get(f"/files/{number}/preview")
    assert shown.mimetype == "application/pdf"
    assert shown.data.startswith(b"%PDF-made of ")
    assert shown.headers["X-Frame-Options"] == "SAMEORIGIN"
    handed = Path(f"{program}.env").read_text()
    assert "http_proxy=http://127.0.0.1:9" in handed
    assert "DATABASE_URL" not in handed
    assert "GUOHE" not in handed


@pytest.mark.parametrize("lines", ["exit 3\n", 'for last; do :; done\necho no > "$(dirname "$last")/file.pdf"\n'])
def test_what_cannot_be_converted_says_so_inside_the_frame(
    applying: Office, app: Flask, browser: Open, tmp_path: Path, lines: str
) -> None:
    wang = browser("wang")
    number = wang.upload("材料.docx", DOCX).json["id"]
    use(app, office_command=script(tmp_path, "broken", lines))
    answer = wang.get(f"/files/{number}/preview")
    assert answer.status_code == 422
    assert "请下载查看" in text(answer)
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "style-src 'self'" in answer.headers["Content-Security-Policy"]


def test_when_others_are_converting_the_reader_is_asked_to_wait(
    applying: Office, app: Flask, browser: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wang = browser("wang")
    number = wang.upload("材料.docx", DOCX).json["id"]
    use(app, office_command=script(tmp_path, "office", "exit 3\n"))
    monkeypatch.setattr(libreoffice, "_turns", threading.BoundedSemaphore(1))
    monkeypatch.setattr(libreoffice, "WAIT", 0.01)
    with libreoffice._turns:
        answer = wang.get(f"/files/{number}/preview")
    assert answer.status_code == 503
    assert "稍后刷新页面" in text(answer)


def test_a_conversion_that_takes_too_long_ends_with_all_that_it_started(tmp_path: Path) -> None:
    program = script(tmp_path, "slow", f'sleep 300 &\necho $! > "{tmp_path}/child"\nsleep 300\n')
    limits = libreoffice.Limits(clock=0.5)
    with pytest.raises(libreoffice.Unconverted):
        libreoffice.pdf_of(program, io.BytesIO(DOCX), "docx", limits)
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 10
    while psutil.pid_exists(child) and time.monotonic() < deadline:
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(child).status() == psutil.STATUS_ZOMBIE:
                break
        time.sleep(0.05)
    with suppress(psutil.NoSuchProcess):
        assert psutil.Process(child).status() == psutil.STATUS_ZOMBIE


@needs_libreoffice
def test_the_page_of_a_file_shows_what_libreoffice_makes(applying: Office, browser: Open) -> None:
    wang = browser("wang")
    number = wang.upload("协议.docx", document()).json["id"]
    shown = wang.get(f"/files/{number}/preview")
    assert (shown.status_code, shown.mimetype) == (200, "application/pdf")
    assert "一百万元" in words(shown.data)


@needs_libreoffice
def test_libreoffice_makes_pdf_of_the_other_kinds(tmp_path: Path) -> None:
    slides = turned(tmp_path, "b.fodp", SLIDE.encode(), "pptx")
    for suffix, content, sentence in (
        ("doc", turned(tmp_path, "a.docx", document(), "doc"), "国际科技合作协议"),
        ("xlsx", workbook(("联合研究", 12.5)), "联合研究"),
        ("xls", turned(tmp_path, "a.xlsx", workbook(("联合研究", 12.5)), "xls"), "联合研究"),
        ("pptx", slides, "基地建设汇报"),
        ("ppt", turned(tmp_path, "b.pptx", slides, "ppt"), "基地建设汇报"),
    ):
        made = libreoffice.pdf_of(str(libreoffice.command("")), io.BytesIO(content), suffix)
        assert sentence in words(made), suffix


@needs_libreoffice
def test_libreoffice_asks_nobody_for_what_a_file_points_at(tmp_path: Path, asked: list[str]) -> None:
    address = asked.pop()
    # It would: opened as LibreOffice opens it by itself, the file asks.
    turned(tmp_path, "a.docx", pointing(f"{address}/picture.png"), "pdf")
    assert asked
    asked.clear()
    program = str(libreoffice.command(""))
    made = libreoffice.pdf_of(program, io.BytesIO(pointing(f"{address}/picture.png")), "docx")
    assert "外部图片" in words(made)
    sheet = workbook((f'=WEBSERVICE("{address}/cell")', "经费"))
    assert "经费" in words(libreoffice.pdf_of(program, io.BytesIO(sheet), "xlsx"))
    assert asked == []


@needs_libreoffice
def test_libreoffice_reads_nothing_but_what_the_ending_says_within_its_limits(tmp_path: Path) -> None:
    program = str(libreoffice.command(""))
    text_file = turned(tmp_path, "a.docx", document(), "odt")
    blown = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document())) as before, zipfile.ZipFile(blown, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            content = before.read(name)
            if name == "word/document.xml":
                content = content.replace(b"<w:body>", b"<w:body>" + b"<w:p><w:r><w:t>A</w:t></w:r></w:p>" * 1_500_000)
            after.writestr(name, content)
    for content, suffix, limits in (
        (text_file, "docx", None),  # another kind of file under this name
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"A" * 5000, "doc", None),
        (blown.getvalue(), "docx", libreoffice.Limits(memory=700 * 1024**2, processor=10)),
        (document(), "docx", libreoffice.Limits(clock=0.1)),
    ):
        with pytest.raises(libreoffice.Unconverted):
            libreoffice.pdf_of(program, io.BytesIO(content), suffix, limits)
    assert not [one for one in psutil.process_iter(["name", "environ"]) if _ours(one)]


def _ours(process: psutil.Process) -> bool:
    home = (process.info["environ"] or {}).get("HOME", "")
    return "guohe-office-" in home and process.info["name"].startswith("soffice") and os.getpid() in _parents(process)


def _parents(process: psutil.Process) -> set[int]:
    with suppress(psutil.NoSuchProcess):
        return {one.pid for one in process.parents()}
    return set()

"""Attachments looked at by a scanner, and shown without being downloaded."""

from __future__ import annotations

import dataclasses
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.commands.conftest import Office
from tests.web.conftest import Browser, text

Open = Callable[..., Browser]
PDF = b"%PDF-1.7\n" + b"0" * 100
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


def script(folder: Path, name: str, lines: str) -> str:
    """A program for one test."""
    path = folder / name
    path.write_text("#!/bin/sh\n" + lines)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def use(app: Flask, **settings: str) -> None:
    app.config["GUOHE"] = dataclasses.replace(app.config["GUOHE"], **settings)


@pytest.mark.parametrize(
    ("lines", "status", "sentence"),
    [
        ("exit 0\n", 201, None),
        ('grep -q EICAR "$1" && exit 1\nexit 0\n', 201, None),
        ('grep -q %PDF "$1" && exit 1\nexit 0\n', 415, "没有通过病毒扫描"),
        ("exit 2\n", 503, "病毒扫描暂时不可用"),
    ],
)
def test_the_scanner_decides_whether_a_file_is_kept(
    applying: Office, app: Flask, browser: Open, tmp_path: Path, lines: str, status: int, sentence: str | None
) -> None:
    use(app, scan_command=script(tmp_path, "scan", lines))
    answer = browser("wang").upload("协议.pdf", PDF)
    assert answer.status_code == status
    assert sentence is None or sentence in answer.get_data(as_text=True)


def test_without_its_scanner_no_file_is_taken(applying: Office, app: Flask, browser: Open) -> None:
    use(app, scan_command="/nowhere/scanner --fast")
    assert browser("wang").upload("协议.pdf", PDF).status_code == 503


def test_a_pdf_and_a_picture_are_shown_and_text_is_not(applying: Office, browser: Open) -> None:
    wang = browser("wang")
    for name, content, media in (("协议.pdf", PDF, "application/pdf"), ("照片.png", PNG, "image/png")):
        number = wang.upload(name, content).json["id"]
        shown = wang.get(f"/files/{number}/preview")
        assert (shown.data, shown.mimetype) == (content, media)
        assert shown.headers["Content-Disposition"] == "inline"
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
        assert f"/files/{number}/preview" in wang.get(f"/files/{number}/view").get_data(as_text=True)
        assert browser("li").get(f"/files/{number}/preview").status_code == 404
    number = wang.upload("说明.txt", b"<script>alert(1)</script>").json["id"]
    assert wang.get(f"/files/{number}/preview").status_code == 404
    assert "不能在此预览" in text(wang.get(f"/files/{number}/view"))

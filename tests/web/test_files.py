"""Files: what is taken, what is refused, and who may have them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask

from service import config
from service.models import Attachment
from tests.commands.conftest import Office
from tests.web.conftest import Browser, given, text

Open = Callable[..., Browser]
PDF = b"%PDF-1.7\n" + b"0" * 100


def test_a_file_is_kept_at_once_and_belongs_to_the_form_that_names_it(applying: Office, browser: Open) -> None:
    case_id = applying.start("applying")
    task_id = applying.open(case_id)["draft"]
    wang = browser("wang")
    kept = wang.upload("合作协议.pdf", PDF)
    assert kept.status_code == 201
    assert kept.json == {"id": kept.json["id"], "name": "合作协议.pdf", "size": len(PDF)}
    assert browser("li").get(f"/files/{kept.json['id']}").status_code == 404
    done = wang.send(f"/tasks/{task_id}/complete", {"baseName": "某某示范基地", "files": [kept.json]})
    assert done.status_code == 303
    li = browser("li")
    assert li.get(f"/files/{kept.json['id']}").data == PDF
    assert "合作协议.pdf" in text(li.get(f"/cases/{case_id}"))
    assert "合作协议.pdf" in text(li.get(f"/tasks/{applying.open(case_id)['check']}"))


def test_a_download_is_never_shown_as_a_page_of_ours(applying: Office, browser: Open) -> None:
    wang = browser("wang")
    kept = wang.upload("说明.txt", b"<script>alert(1)</script>")
    answer = wang.get(f"/files/{kept.json['id']}")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert quote("说明.txt") in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.mimetype == "text/plain"
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("name", "content", "status", "sentence"),
    [
        ("病毒.exe", b"MZ", 415, "不接受此类文件"),
        ("页面.html", b"<html>", 415, "不接受此类文件"),
        ("无扩展名", PDF, 415, "不接受此类文件"),
        ("假的.pdf", b"MZ\x90 not a pdf", 415, "与扩展名“.pdf”不符"),
        ("空的.pdf", b"", 400, "文件是空的"),
        ("太大.pdf", PDF + b"0" * 1024 * 1024, 413, "1 MB"),
    ],
)
def test_a_file_that_cannot_be_taken_says_why(
    applying: Office, browser: Open, name: str, content: bytes, status: int, sentence: str
) -> None:
    wang = browser("wang")
    answer = wang.upload(name, content)
    assert answer.status_code == status
    assert sentence in answer.json["detail"]
    assert answer.mimetype == "application/problem+json"


def test_a_request_far_too_large_is_refused_before_it_is_read(applying: Office, browser: Open) -> None:
    assert browser("wang").upload("太大.pdf", PDF + b"0" * 3 * 1024 * 1024).status_code == 413


def test_names_are_cleaned(applying: Office, browser: Open) -> None:
    wang = browser("wang")
    assert wang.upload("../../etc/pass\u202ewd.pdf", PDF).json["name"] == "passwd.pdf"


def test_content_lies_outside_the_web_root_under_a_name_of_ours(
    applying: Office, browser: Open, app: Flask, settings: config.Settings
) -> None:
    browser("wang").upload("协议.pdf", PDF)
    stored = [path for path in settings.files.rglob("*") if path.is_file()]
    assert len(stored) == 1
    assert "协议" not in stored[0].name
    assert app.static_folder is not None
    assert not stored[0].resolve().is_relative_to(Path(app.static_folder).resolve())


def test_nothing_or_several_files_at_once_are_refused(applying: Office, browser: Open) -> None:
    wang = browser("wang")
    assert wang.post("/files").status_code == 400


def test_without_a_session_nothing_is_taken_or_given(applying: Office, browser: Open) -> None:
    kept = browser("wang").upload("协议.pdf", PDF)
    visitor = browser()
    visitor.get("/sign-in")
    refused = visitor.upload("协议.pdf", PDF)
    assert refused.status_code == 401
    assert refused.json["detail"] == "请先登录。"
    assert visitor.get(f"/files/{kept.json['id']}").status_code == 303


def test_somebody_elses_file_cannot_be_named_in_a_form(applying: Office, browser: Open) -> None:
    applying.people.user("other", "applicant.drafter@elsewhere", name="外人")
    theirs = browser("other").upload("协议.pdf", PDF).json
    task_id = applying.open(applying.start("applying"))["draft"]
    answer = browser("wang").send(f"/tasks/{task_id}/complete", {"baseName": "某某示范基地", "files": [theirs]})
    assert answer.status_code == 400
    assert "附件" in text(answer)
    assert applying.task(task_id).status == "open"


@pytest.mark.parametrize("path", ["/files/999999", "/files/0", f"/files/{10**40}", "/documents/999999", "/files/x"])
def test_what_does_not_exist_is_not_found(applying: Office, browser: Open, path: str) -> None:
    assert browser("wang").get(path).status_code == 404


def test_a_lost_file_says_so(applying: Office, browser: Open, settings: config.Settings) -> None:
    wang = browser("wang")
    kept = wang.upload("协议.pdf", PDF).json
    for path in settings.files.rglob("*"):
        if path.is_file():
            path.unlink()
    answer = wang.get(f"/files/{kept['id']}")
    assert answer.status_code == 404
    assert "内容已丢失" in text(answer)


def test_the_form_knows_what_may_be_uploaded(applying: Office, browser: Open) -> None:
    task_id = applying.open(applying.start("applying"))["draft"]
    wang = browser("wang")
    wang.post(f"/tasks/{task_id}/claim")
    files = given(wang.get(f"/tasks/{task_id}"))["files"]
    assert files["url"] == "/files"
    assert files["limit"] == 1024 * 1024
    assert ".pdf" in files["types"]


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_an_upload_to_a_full_disk_is_said_and_leaves_nothing(
    applying: Office, browser: Open, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    folder, wang = applying.settings.data, browser("wang")
    monkeypatch.setattr("service.storage.os.fsync", full)
    answer = wang.upload("合作协议.pdf", PDF, accept=accept)
    assert answer.status_code == 507
    assert "磁盘已满" in (answer.json["detail"] if accept.endswith("json") else text(answer))
    assert applying.rows(Attachment) == []
    assert [path for path in folder.rglob("*") if path.is_file() and path.name.startswith("incoming-")] == []
    monkeypatch.undo()
    assert wang.upload("合作协议.pdf", PDF).status_code == 201


def full(_file: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

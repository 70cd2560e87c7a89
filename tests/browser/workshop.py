"""A Guohe with process owners, the real procedures, and a Chromium that looks at it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from werkzeug.serving import make_server

from service import config
from service.app import create_app
from service.db import Database

ROOT = Path(__file__).resolve().parents[2]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--font-render-hinting=none"]
PASSWORD = "correct horse battery staple"


def procedures() -> dict[str, bytes]:
    """The files of the repository as a bundle holds them."""
    found = {}
    for folder in ("processes", "forms"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".bpmn", ".dmn", ".form", ".docx", ".yaml"):
                found[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    return found


@contextmanager
def served(database: Database, folder: Path) -> Iterator[str]:
    """Serve the application in a thread; gives its address."""
    settings = config.read({"GUOHE_DATA": str(folder), "DATABASE_URL": str(database.url)})
    server = make_server("127.0.0.1", 0, create_app(settings, database), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


@contextmanager
def chromium() -> Iterator[Any]:
    """A real Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Watch:
    """What a page complained about: errors, refusals by the content security policy, words without translation."""

    def __init__(self, page: Page) -> None:
        self.problems: list[str] = []
        page.on("console", lambda one: self.problems.append(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda one: self.problems.append(str(one)))


def sign_in(page: Page, address: str, username: str) -> None:
    """Come in as somebody."""
    page.goto(f"{address}/sign-in")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", PASSWORD)
    page.click("form[action$='/sign-in'] button")
    page.wait_for_url(lambda url: "sign-in" not in url)

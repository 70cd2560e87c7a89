"""Real Chromium against a real server: fixtures, and a person who clicks and types."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import waitress
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect, sync_playwright

from service import config, frontend
from service.app import create_app
from service.db import Database
from service.worker import Worker
from tests.commands.conftest import Office
from tests.conftest import People, sqlite_database

FLAGS = [
    "--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SIZES = {"desk": (1400, 900), "phone": (390, 844)}
AXE = frontend.ROOT / "node_modules" / "axe-core" / "axe.min.js"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def built() -> None:
    """The browser files of the sources as they are."""
    frontend.build(say=lambda _line: None)


@pytest.fixture(scope="session")
def chromium(built: None) -> Iterator[Browser]:
    """One Chromium for all tests."""
    path = os.environ.get("CHROME") or shutil.which("chromium") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Site:
    """A running server on a port of its own, with its worker; it can be killed and started again."""

    def __init__(self, database: Database, settings: config.Settings) -> None:
        self.database, self.settings = database, settings
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.worker = Worker(database, settings)
        self._server: Any = None
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()

    def start(self) -> None:
        """Serve."""
        app = create_app(self.settings, self.database)
        self._stop.clear()
        self._server = waitress.create_server(app, host="127.0.0.1", port=self.port, threads=6)
        jobs = threading.Thread(target=self.worker.serve, args=(self._stop,), daemon=True)
        pages = threading.Thread(target=self._serve, daemon=True)
        self._threads = [jobs, pages]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Serve no more; open connections are cut."""
        self._stop.set()
        self._server.close()
        for channel in list(self._server._map.values()):
            with contextlib.suppress(OSError):
                channel.close()
        for thread in self._threads:
            thread.join(timeout=10)

    def _serve(self) -> None:
        with contextlib.suppress(OSError, ValueError, KeyError):
            self._server.run()


@pytest.fixture
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """The small ministry, on SQLite."""
    with sqlite_database(request) as database:
        yield Office(database, People(database), tmp_path / "data")


@pytest.fixture
def site(office: Office, tmp_path: Path) -> Iterator[Site]:
    """A demonstration server for the ministry."""
    settings = config.read(
        {
            "GUOHE_DATA": str(tmp_path / "pages"),
            "DATABASE_URL": str(office.database.url),
            "GUOHE_DEMO": "1",
            "GUOHE_UNDO_SECONDS": "0",
            "GUOHE_UPLOAD_LIMIT_MB": "2",
        }
    )
    served = Site(office.database, settings)
    served.start()
    yield served
    served.stop()


class Visitor:
    """A person at a browser. Whatever the browser complains about is a failure of the test."""

    def __init__(self, chromium: Browser, site: Site, size: str = "desk", locale: str = "zh-CN") -> None:
        width, height = SIZES[size]
        self.site = site
        self.context: BrowserContext = chromium.new_context(
            viewport={"width": width, "height": height}, locale=locale, base_url=site.url, accept_downloads=True
        )
        self.context.set_default_timeout(15_000)
        self.complaints: list[str] = []
        self.expected: list[str] = []
        self.page: Page = self.context.new_page()
        self.watch(self.page)

    def watch(self, page: Page) -> None:
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{self.page.url}: {message.text}")

    def expect_complaint(self, part: str) -> None:
        """The browser will complain about this, and rightly: a server that is gone, a page that is not there."""
        self.expected.append(part)

    def unexpected(self) -> list[str]:
        return [one for one in self.complaints if not any(part in one for part in self.expected)]

    def sign_in(self, username: str) -> Visitor:
        """Come in as one of the demo people."""
        self.context.clear_cookies()
        self.enter(username)
        self.page.goto("/inbox")
        return self

    def enter(self, username: str) -> None:
        """Open a session, as the button of a demo account does."""
        self.page.goto("/sign-in")
        token = self.page.locator('meta[name="csrf-token"]').get_attribute("content") or ""
        answer = self.context.request.post("/sign-in/demo", form={"csrf_token": token, "username": username})
        assert answer.ok, f"{username} cannot sign in"

    def first_look(self, username: str, path: str) -> tuple[int, int]:
        """Open a page with an empty cache; how many requests that took, and how many bytes came over the wire."""
        door = self.context.request.get("/sign-in").text()
        token = re.search(r'name="csrf-token" content="([^"]+)"', door)
        assert token
        form = {"csrf_token": token[1], "username": username}
        assert self.context.request.post("/sign-in/demo", form=form).ok
        wire = self.context.new_cdp_session(self.page)
        wire.send("Network.enable")
        sent: dict[str, int] = {}
        local: set[str] = set()

        def asked(said: dict[str, Any]) -> None:
            if said["request"]["url"].startswith("data:"):
                local.add(said["requestId"])

        def came(said: dict[str, Any]) -> None:
            sent[said["requestId"]] = int(said["encodedDataLength"])

        wire.on("Network.requestWillBeSent", asked)
        wire.on("Network.loadingFinished", came)
        self.page.goto(path, wait_until="networkidle")
        sizes = [size for key, size in sent.items() if key not in local]
        return len(sizes), sum(sizes)

    def go(self, path: str) -> Visitor:
        self.page.goto(path)
        return self

    def open_task(self, name: str, case: str | None = None) -> Visitor:
        """Find a task in the inbox, mine or my group's, take it and open its form."""
        self._find_task(name, case)
        claim = self.page.locator("button", has_text=re.compile("领取此任务|Claim this task"))
        if claim.count():
            claim.click()
        self.ready()
        return self

    def _find_task(self, name: str, case: str | None) -> None:
        # Steps that a worker does come a moment later.
        until = time.monotonic() + 20
        while time.monotonic() < until:
            for box in ("mine", "group"):
                self.page.goto(f"/inbox?box={box}" + (f"&q={case}" if case else ""))
                found = self.page.locator("tr", has=self.page.locator(f'a.main:text-is("{name}")'))
                if found.count():
                    found.first.locator("a.main").click()
                    self.page.wait_for_url("**/tasks/*")
                    return
            time.sleep(0.5)
        raise AssertionError(f"no task “{name}” in the inbox: {self.text()}")

    def ready(self) -> Visitor:
        """Wait until the form can be filled."""
        expect(self.page.locator("[data-form]").first).not_to_have_attribute("aria-busy", "true")
        self.page.locator("[data-form] .fjs-form").first.wait_for(state="attached")
        return self

    def field(self, label: str, within: Locator | None = None, nth: int = 0) -> Locator:
        """The form field with this label (without the star)."""
        return (
            (within or self.page.locator("[data-form]"))
            .locator(
                ".fjs-form-field:not(.fjs-form-field-grouplike)",
                has=self.page.locator(
                    f':scope > * .fjs-label-content:text-is("{label}"), .fjs-label-content:has-text("{label}")'
                ),
            )
            .nth(nth)
        )

    def fill(self, label: str, value: str, *, nth: int = 0, within: Locator | None = None) -> Visitor:
        """Type into a text, number or date field."""
        box = self.field(label, within, nth).locator("input:not([type=file]), textarea").first
        box.fill(value)
        box.blur()
        return self

    def choose(self, label: str, option: str, *, nth: int = 0, within: Locator | None = None) -> Visitor:
        """Pick one of a select or of radio buttons."""
        field = self.field(label, within, nth)
        if "fjs-form-field-select" in (field.get_attribute("class") or ""):
            field.locator(".fjs-input-group").first.click()
            field.locator(".fjs-dropdownlist-item", has_text=option).first.dispatch_event("mousedown")
        else:
            field.get_by_label(option, exact=True).check()
        return self

    def tick(self, label: str, *options: str, nth: int = 0) -> Visitor:
        """Tick a checkbox, or some of a list of them."""
        field = self.field(label, nth=nth)
        if not options:
            field.locator("input[type=checkbox]").check()
        for option in options:
            field.get_by_label(option, exact=True).check()
        return self

    def pick(self, label: str, count: int) -> Visitor:
        """Put the first few of what is offered into a field of tags."""
        field = self.field(label)
        box = field.locator(".fjs-taglist-input")
        for number in range(1, count + 1):
            box.click()
            field.locator(".fjs-dropdownlist-item").first.dispatch_event("mousedown")
            expect(field.locator(".fjs-taglist-tag")).to_have_count(number)
        box.blur()
        return self

    def attach(self, label: str, *files: tuple[str, bytes], nth: int = 0) -> Visitor:
        """Upload files and wait until the server has them."""
        field = self.field(label, nth=nth)
        before = field.locator(".gh-files-list li a").count()
        payload: Any = [
            {"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in files
        ]
        field.locator("input[type=file]").set_input_files(payload)
        expect(field.locator(".gh-files-list li a")).to_have_count(before + len(files))
        return self

    def fill_rest(self, text: str = "示例内容（虚构），用于验证流程，足够长的一段说明文字。") -> Visitor:
        """Fill every required field that is still empty, whatever it is; fields appear as others are filled."""
        for _round in range(6):
            empty = [one for one in self.page.locator("[data-form] .fjs-form-field").all() if self._asks(one)]
            if not empty:
                return self
            for field in empty:
                self._answer(field, text)
        raise AssertionError("the form asks for more and more")

    @staticmethod
    def _asks(field: Locator) -> bool:
        return bool(
            field.evaluate(
                """field => {
                    const is = kind => field.classList.contains(`fjs-form-field-${kind}`);
                    const label = field.querySelector('.fjs-asterix');
                    if (!label || field.classList.contains('fjs-readonly') || field.classList.contains('fjs-disabled')) return false;
                    if (is('group') || is('dynamiclist')) return false;
                    if (is('attachments')) return !field.querySelector('.gh-files-list li');
                    if (is('checklist') || is('radio') || is('checkbox')) return !field.querySelector('input:checked');
                    if (is('taglist')) return !field.querySelector('.fjs-taglist-tag');
                    if (is('select')) return !!field.querySelector('.fjs-select-placeholder')
                        || field.querySelector('input:not(.fjs-select-hidden-input)')?.value === '';
                    const input = field.querySelector('input, textarea');
                    return !!input && input.value === '';
                }"""
            )
        )

    def _answer(self, field: Locator, text: str) -> None:
        kind = re.search(r"fjs-form-field-(\w+)", field.get_attribute("class") or "")
        match kind and kind[1]:
            case "attachments":
                content = b"%PDF-1.7\n" + b"0" * 64
                field.locator("input[type=file]").set_input_files(
                    [{"name": "证明材料.pdf", "mimeType": "application/pdf", "buffer": content}]
                )
                expect(field.locator(".gh-files-list li a")).to_have_count(1)
            case "checklist" | "radio" | "checkbox":
                field.locator("input").first.check()
            case "select" | "taglist":
                field.locator(".fjs-input-group, .fjs-taglist-input").first.click()
                field.locator(".fjs-dropdownlist-item").first.dispatch_event("mousedown")
                field.locator("input").last.blur()
            case "number":
                field.locator("input").first.fill("2015" if "年份" in field.inner_text() else "8")
            case "datetime":
                field.locator("input").first.fill("2025-06-18")
                field.locator("input").first.blur()
            case _:
                words = field.inner_text()
                said = "office@example.cn" if "邮箱" in words else "010-58881234" if "电话" in words else text
                field.locator("input, textarea").first.fill(said)

    def error(self, label: str, nth: int = 0) -> str:
        """The sentence at a field."""
        return self.field(label, nth=nth).locator(".fjs-form-field-error").inner_text()

    def submit(self, *, done: bool = True) -> Visitor:
        """Hand the form in; ``done`` waits for the inbox."""
        self.page.locator(".action-bar button.btn-primary").click()
        if done:
            self._handed_in()
        return self

    def _handed_in(self) -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            if re.search(r"/(inbox|cases/\d+)(\?.*)?$", self.page.url):
                self.page.wait_for_load_state()
                return
            problems = self.page.locator("[data-form-problems]:visible")
            if problems.count():
                raise AssertionError(problems.first.inner_text())
            self.page.wait_for_timeout(50)
        raise AssertionError(f"still at {self.page.url}: {self.text()}")

    def text(self) -> str:
        return " ".join(self.page.locator("body").inner_text().split())

    def axe(self) -> list[str]:
        """What axe-core finds on the page as it stands."""
        self.page.evaluate(AXE.read_text("utf-8"))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        # axe writes empty style attributes while it looks; that is not the page's doing.
        self.expect_complaint("Applying inline style violates")
        return [
            f"{one['id']}: {one['help']} {json.dumps([node['target'] for node in one['nodes'][:5]], ensure_ascii=False)}"
            for one in found["violations"]
        ]

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@pytest.fixture
def visitor(chromium: Browser, site: Site) -> Iterator[Callable[..., Visitor]]:
    """Open a browser window; at the end nothing may be left that it complained about."""
    opened: list[Visitor] = []

    def visit(username: str | None = None, size: str = "desk") -> Visitor:
        fresh = Visitor(chromium, site, size)
        opened.append(fresh)
        return fresh.sign_in(username) if username else fresh

    yield visit
    for one in opened:
        one.context.close()
    assert [line for one in opened for line in one.unexpected()] == []

"""The fictional ministry in a browser: everybody in a window of their own, on the project's own procedures."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from sqlalchemy import select

from service import cli, config, demo, frontend, handlers
from service.commands.procedures import deployments
from service.db import Database
from service.models import Membership, Task, TaskCandidate, User
from tests.browser.conftest import Site, Visitor
from tests.conftest import sqlite_database


@contextmanager
def opened(database: Database, folder: Path, *, cases: bool = False) -> Iterator[Site]:
    """The fictional ministry with the project's own procedures; ``cases``: and its running cases."""
    settings = config.read(
        {"GUOHE_DATA": str(folder), "DATABASE_URL": str(database.url), "GUOHE_DEMO": "1", "GUOHE_UNDO_SECONDS": "0"}
    )
    with database.transaction() as session:
        demo.load(session, settings)
    files = cli.read_files([frontend.ROOT / "processes", frontend.ROOT / "forms"])
    with database.transaction() as session:
        owner = session.scalars(select(User).join(Membership).where(Membership.role == "platform.owner")).first()
        assert owner is not None
        deployments.deploy(session, files, user=owner, topics=handlers.topics())
    if cases:
        demo.start_cases(database, settings)
    site = Site(database, settings)
    site.start()
    yield site
    site.stop()


@pytest.fixture
def ministry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """The fictional ministry with no case yet."""
    with sqlite_database(request) as database, opened(database, tmp_path / "pages") as site:
        yield site


class Play:
    """Everybody, each in a window of their own."""

    def __init__(self, chromium: Browser, site: Site) -> None:
        self.chromium, self.site = chromium, site
        self.windows: dict[str, Visitor] = {}
        self.number = ""

    def as_(self, username: str) -> Visitor:
        if username not in self.windows:
            window = Visitor(self.chromium, self.site)
            window.expect_complaint("ERR_CONNECTION")
            self.windows[username] = window.sign_in(username)
        return self.windows[username]

    def do(self, username: str, task: str, *, text: str | None = None, **chosen: str) -> Visitor:
        """Find the task, choose what matters, fill in the rest, hand it in."""
        person = self.as_(username).open_task(task, self.number)
        for label, option in chosen.items():
            person.choose(label, option)
        person.fill_rest(*([text] if text else []))
        person.submit()
        assert f"“{task}”已提交。" in person.text()
        return person

    def begin(self, username: str, process: str) -> str:
        """Begin a case from the start page; give its number."""
        person = self.as_(username).go("/start")
        person.page.get_by_role("link", name=re.compile(process)).first.click()
        person.page.get_by_role("button", name="发起").click()
        person.page.wait_for_url("**/cases/*")
        found = re.search(r"[A-Z]{2}-\d{4}-\d{4}", person.text())
        assert found is not None
        self.number = found[0]
        return self.number

    def examine(self, organiser: str, drafter: str) -> None:
        """Five experts review the materials, three visit the institution; both find it good."""
        self.as_(organiser).open_task("组建专家组", self.number).pick("专家组成员", 5).fill_rest().submit()
        panel = self.waiting("declare_interest", 5)
        for expert in panel:
            declared = self.as_(expert).open_task("声明利害关系", self.number)
            declared.choose("利害关系", "没有").fill_rest().submit()
        for expert in panel:
            scored = self.as_(expert).open_task("独立评审打分", self.number)
            scored.choose("结论", "建议认定").fill_rest().submit()
        self.do(self.waiting("conclude_panel")[0], "形成专家组意见", 结论="建议认定")
        team = self.as_(organiser).open_task("组建考核组", self.number)
        team.pick("考核组成员", 3).fill("考核日期", "2099-06-18").fill_rest().submit()
        self.do(drafter, "确认考核安排", 能否按此安排接受考核="确认")
        visited = self.as_(offered(self.site.database, "record_visit")).open_task("实地考核并记录", self.number)
        arranged = visited.field("实际考核日期").locator("input").first
        assert arranged.input_value() == "2099-06-18", "the day that was arranged is filled in"
        visited.choose("考核结论", "通过").fill_rest().submit()
        self.do("coop.assessor", "审定考核报告", 审定结论="同意")

    def restart(self) -> None:
        """Kill the server and start it again; everybody stays signed in."""
        self.site.stop()
        self.site.start()

    def waiting(self, element: str, count: int = 1) -> list[str]:
        """The accounts to which a step is assigned, once the worker has brought the case there."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with self.site.database.transaction(readonly=True) as session:
                query = select(User.username).join(Task, Task.assignee_id == User.id)
                found = session.scalars(query.where(Task.element_id == element, Task.status == "open")).all()
            if len(found) >= count:
                return sorted(found)
            time.sleep(0.3)
        raise AssertionError(f"{element} is assigned to {found}")


@pytest.fixture
def play(chromium: Browser, ministry: Site) -> Iterator[Play]:
    made = Play(chromium, ministry)
    yield made
    for window in made.windows.values():
        window.context.close()
    assert [line for window in made.windows.values() for line in window.unexpected()] == []


def rows(database: Database, model: Any) -> list[Any]:
    with database.transaction(readonly=True) as session:
        return list(session.scalars(select(model).order_by(model.id)))


def offered(database: Database, element: str) -> str:
    """One of the people to whom a step is offered in person."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with database.transaction(readonly=True) as session:
            query = select(User.username).join(TaskCandidate, TaskCandidate.user_id == User.id)
            query = query.join(Task).where(Task.element_id == element, Task.status == "open")
            if found := session.scalars(query.order_by(User.id)).first():
                return found
        time.sleep(0.3)
    raise AssertionError(f"nobody is offered {element}")

"""P4 in a real browser: from the application to the entry in the register, by everybody who has a part in it.

The server is stopped and started again in between; nothing is lost by it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from service import cli, config, demo, frontend, handlers
from service.commands import deployments
from service.db import Database
from service.models import Instance, Membership, Task, User
from service.models.register import Base, Document
from tests.browser.conftest import Site, Visitor
from tests.conftest import sqlite_database

BASE = "海岱海洋生物示范型国际科技合作基地（虚构）"


@pytest.fixture
def ministry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """The fictional ministry with the project's own procedures, and no case yet."""
    with sqlite_database(request) as database:
        settings = config.read(
            {
                "GUOHE_DATA": str(tmp_path / "pages"),
                "DATABASE_URL": str(database.url),
                "GUOHE_DEMO": "1",
                "GUOHE_UNDO_SECONDS": "0",
            }
        )
        with database.transaction() as session:
            demo.load(session, settings)
        files = cli.read_files([frontend.ROOT / "processes", frontend.ROOT / "forms"])
        with database.transaction() as session:
            owner = session.scalars(select(User).join(Membership).where(Membership.role == "platform.owner")).first()
            assert owner is not None
            deployments.deploy(session, files, user=owner, topics=handlers.topics())
        site = Site(database, settings)
        site.start()
        yield site
        site.stop()


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


def test_an_institution_becomes_a_demonstration_base(play: Play, ministry: Site) -> None:
    drafter = play.as_("haidai.drafter").go("/start")
    drafter.page.get_by_role("link", name=re.compile("示范型国际科技合作基地认定")).first.click()
    drafter.page.get_by_role("button", name="发起").click()
    drafter.page.wait_for_url("**/cases/*")
    play.number = re.search(r"DB-\d{4}-\d{4}", drafter.text())[0]  # type: ignore[index]

    # 申报机构
    drafter.open_task("填报申报材料", play.number).fill("拟认定基地名称", BASE).tick(
        "所属重点领域", "空间和海洋", "生物与健康"
    )
    expect(drafter.page.locator("[data-draft-status]")).to_contain_text("草稿已自动保存")
    play.restart()
    drafter.page.reload()
    drafter.ready()
    assert drafter.field("拟认定基地名称").locator("input").input_value() == BASE
    drafter.fill_rest().submit()
    play.do("haidai.reviewer", "内部审核", 审核结论="同意，送法定代表人签署")
    play.do("haidai.signatory", "法定代表人签署", 签署结论="同意并签署")

    # 推荐部门
    play.restart()
    play.do("sd-kj.reviewer", "推荐审核", 审核结论="拟推荐")
    play.do("sd-kj.signatory", "签署推荐意见", 签署结论="同意推荐并签署")

    # 国际合作司受理：退回补正一处，再受理
    intake = play.as_("coop.intake").open_task("形式审查", play.number)
    intake.choose("审查结论", "需要补正")
    intake.fill_rest("请补充近三年的合作成效。")
    intake.submit()
    corrected = play.as_("haidai.drafter").open_task("补正材料", play.number)
    assert "请补充近三年的合作成效。" in corrected.page.locator("[data-form]").inner_text()
    corrected.fill_rest().submit()
    play.do("coop.intake", "形式审查", 审查结论="齐全，予以受理")

    # 专家评审
    organiser = play.as_("coop.organiser").open_task("组建专家组", play.number)
    organiser.pick("专家组成员", 3).fill_rest().submit()
    panel = play.waiting("declare_interest", 3)
    for expert in panel:
        declared = play.as_(expert).open_task("声明利害关系", play.number)
        declared.choose("利害关系", "没有")
        declared.fill_rest().submit()
    for expert in panel:
        play.as_(expert).open_task("独立评审打分", play.number).choose("结论", "建议认定").fill_rest().submit()
    play.restart()
    chair = play.waiting("conclude_panel")[0]
    play.do(chair, "形成专家组意见", 结论="建议认定")

    # 机构考核
    team = play.as_("coop.organiser").open_task("组建考核组", play.number)
    team.pick("考核组成员", 3).fill("考核日期", "2099-06-18").fill_rest().submit()
    play.do("haidai.drafter", "确认考核安排", 能否按此安排接受考核="确认")
    visited = play.as_(_offered(ministry.database, "record_visit")).open_task("实地考核并记录", play.number)
    visited.choose("考核结论", "通过").fill_rest().submit()
    play.do("coop.assessor", "审定考核报告", 审定结论="同意")

    # 决定、签发、授牌
    play.do("coop.assessor", "研判全国布局与单位情况", 建议="建议认定")
    play.do("coop.signatory", "综合评价与决定", 决定="同意认定")
    play.do("coop.signatory", "签发认定文件", 签发结论="同意签发")
    play.restart()
    play.do("coop.intake", "授牌")
    play.do("secretariat.officer", "邀请加入基地联盟")

    document, base = rows(ministry.database, Document)[-1], rows(ministry.database, Base)[-1]
    assert base.name == BASE
    seen = play.as_("haidai.drafter").go(f"/register/{base.number}")
    assert BASE in seen.text()
    assert document.number in play.as_("coop.intake").go(f"/register/{base.number}").text()
    assert rows(ministry.database, Instance)[0].status == "completed"
    case = play.as_("haidai.drafter").go("/cases/1")
    assert "已认定" in case.text()
    with case.page.expect_download() as given:
        case.page.locator(".files a", has_text="通知").first.click()
    assert Path(given.value.path()).read_bytes().startswith(b"PK")
    listed = play.as_("coop.intake").go(f"/register?q={base.number}")
    assert BASE in listed.text()


def _offered(database: Database, element: str) -> str:
    """One of the people to whom a step is offered in person."""
    from service.models import TaskCandidate

    until = time.monotonic() + 20
    while time.monotonic() < until:
        with database.transaction(readonly=True) as session:
            query = select(User.username).join(TaskCandidate, TaskCandidate.user_id == User.id)
            query = query.join(Task).where(Task.element_id == element, Task.status == "open")
            if found := session.scalars(query.order_by(User.id)).first():
                return found
        time.sleep(0.3)
    raise AssertionError(f"nobody is offered {element}")

"""What the platform tells a person."""

from __future__ import annotations

from collections.abc import Callable

from service import clock
from service.models import Notification
from tests.commands.conftest import Office
from tests.web.conftest import Browser, path_of, text

Open = Callable[..., Browser]


def tell(office: Office, case_id: int | None, zh: str, count: int = 1) -> None:
    with office.database.transaction() as session:
        for _ in range(count):
            told = Notification(
                user_id=office.wang.id, instance_id=case_id, text_zh=zh, text_en="Please look", created_at=clock.now()
            )
            session.add(told)


def test_new_sentences_are_counted_shown_and_marked_as_read(applying: Office, browser: Open) -> None:
    case_id = applying.start("applying")
    tell(applying, case_id, "推荐部门退回了您的材料。")
    wang = browser("wang")
    assert "通知，1 条未读" in wang.get("/inbox").text
    page = wang.get("/notifications")
    assert f'href="/cases/{case_id}">推荐部门退回了您的材料。' in page.text
    assert "1 条未读" in text(page)
    assert path_of(wang.post("/notifications/read")) == "/notifications"
    after = text(wang.get("/notifications"))
    assert "全部已读" in after
    assert "未读" not in after.replace("全部已读", "")


def test_nobody_reads_anothers(applying: Office, browser: Open) -> None:
    tell(applying, None, "只给王芳")
    li = browser("li")
    assert "还没有通知" in text(li.get("/notifications"))
    li.post("/notifications/read")
    assert "1 条未读" in text(browser("wang").get("/notifications"))


def test_they_come_in_pages_and_in_english(applying: Office, browser: Open) -> None:
    tell(applying, None, "提醒", 27)
    wang = browser("wang")
    first = wang.get("/notifications")
    assert first.text.count("<li class=") >= 25
    link = first.text.split('rel="next" href="')[1].split('"')[0]
    assert "本页 2 项，共 27 项" in text(wang.get(link))
    assert wang.get("/notifications?after=nonsense").status_code == 400
    wang.post("/locale", locale="en")
    assert "Please look" in text(wang.get("/notifications"))

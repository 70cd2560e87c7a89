"""The pages on which people choose how they are told, and administrators which programs are."""

from __future__ import annotations

import re
from collections.abc import Callable

from service.models import NoticeSetting, ReminderPolicy, Webhook
from tests.commands.conftest import Office
from tests.test_ical import unfolded
from tests.web.conftest import Browser, path_of, text

Open = Callable[..., Browser]


def test_a_person_chooses_kind_by_kind(applying: Office, browser: Open) -> None:
    li = browser("li")
    page = li.get("/account/notices")
    assert "到期提醒" in text(page)
    ways = {f"{kind}-mail": "never" for kind in ("case", "assigned", "due", "deputy")}
    saved = li.post("/account/notices", **{**ways, "due-mail": "digest", "case-bell": "1"})
    assert path_of(saved) == "/account/notices"
    assert "通知设置已保存。" in text(li.get("/account/notices"))
    kept = {row.kind: (row.bell, row.mail) for row in applying.rows(NoticeSetting, user_id=applying.li.id)}
    assert kept == {
        "case": (True, "never"),
        "assigned": (False, "never"),
        "due": (False, "digest"),
        "deputy": (False, "never"),
    }
    assert li.post("/account/notices", **{**ways, "due-mail": "carrier pigeon"}).status_code == 400


def test_the_calendar_address_shows_deadlines_to_whoever_knows_it_until_it_is_revoked(
    applying: Office, browser: Open
) -> None:
    case_id = applying.start("applying")
    applying.do(case_id, "draft", applying.wang, baseName="海洋，基地;甲")
    li = browser("li")
    made = li.post("/account/calendar-feed")
    assert made.status_code == 201
    (path,) = re.findall(r"(/calendar/[^\"]+\.ics)", made.text)
    anybody = browser()
    answer = anybody.get(path)
    assert answer.mimetype == "text/calendar"
    lines = unfolded(answer.data)
    assert [line for line in lines if line.startswith("SUMMARY:审核材料（DB-")]
    assert "海洋，基地\\;甲" in "".join(lines)
    assert path not in li.get("/account/notices").text
    (again,) = re.findall(r"(/calendar/[^\"]+\.ics)", li.post("/account/calendar-feed").text)
    assert anybody.get(path).status_code == 404
    assert anybody.get(again).status_code == 200
    assert li.post("/account/calendar-feed/revoke").status_code == 303
    assert anybody.get(again).status_code == 404


def test_an_administrator_adds_a_webhook_reads_its_secret_once_and_is_told_why_a_private_one_is_refused(
    applying: Office, browser: Open
) -> None:
    admin = browser("admin")
    assert browser("li").get("/admin/webhooks").status_code == 403
    refused = admin.post("/admin/webhooks", url="https://127.0.0.1/hook", kinds=["ended"])
    assert refused.status_code == 422
    assert "指向内部网络地址 127.0.0.1" in text(refused)
    assert applying.rows(Webhook) == []
    made = admin.post("/admin/webhooks", url="https://93.184.215.14/hook", kinds=["ended", "completed"])
    assert made.status_code == 201
    assert "whsec_" in made.text
    page = admin.get("/admin/webhooks")
    assert "whsec_" not in page.text
    assert "https://93.184.215.14/hook" in text(page)
    (hook,) = applying.rows(Webhook)
    assert "whsec_" in admin.post(f"/admin/webhooks/{hook.id}/renew").text
    assert admin.post(f"/admin/webhooks/{hook.id}/pause").status_code == 303
    assert "已暂停" in text(admin.get("/admin/webhooks"))
    assert admin.post(f"/admin/webhooks/{hook.id}/remove").status_code == 303
    assert applying.rows(Webhook) == []


def test_an_administrator_sets_the_reminders(applying: Office, browser: Open) -> None:
    admin = browser("admin")
    assert admin.post("/admin/reminders", before="5、2", after="1").status_code == 303
    assert [(one.before, one.after) for one in applying.rows(ReminderPolicy)] == [([5, 2], [1])]
    wrong = admin.post("/admin/reminders", before="早", after="1")
    assert wrong.status_code == 422
    assert "请填写用逗号分开的整数" in text(wrong)


def test_the_webhooks_are_part_of_the_cockpit(office: Office, browser: Open) -> None:
    page = browser("admin").get("/admin/webhooks").text
    assert len(re.findall(r'href="/cockpit/"[^>]* aria-current="true"', page)) == 1

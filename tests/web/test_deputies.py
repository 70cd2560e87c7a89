"""The page on which people name who stands in for them, and what the inbox then shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from service import clock
from service.models import Deputy
from tests.commands.conftest import Office
from tests.web.conftest import Browser, path_of, text

Open = Callable[..., Browser]


def days(first: int = 0, last: int = 7) -> dict[str, str]:
    today = clock.today()
    return {
        "first_day": (today + timedelta(days=first)).isoformat(),
        "last_day": (today + timedelta(days=last)).isoformat(),
    }


def test_a_person_names_a_deputy_who_then_finds_their_tasks(applying: Office, browser: Open) -> None:
    lin = applying.people.user("lin", "applicant.liaison@uni", name="林联")
    case_id = applying.start("applying")
    wang = browser("wang")
    page = text(wang.get("/account/deputies"))
    assert "没有代理安排" in page
    assert "林联（lin）" in page
    done = wang.post("/account/deputies", deputy=lin.id, **days())
    assert (done.status_code, path_of(done)) == (303, "/account/deputies")
    page = text(wang.get("/account/deputies"))
    assert "已安排林联代理王芳。" in page
    assert "生效中" in page
    deputy = browser("lin")
    assert "由您代理王芳的任务" in text(deputy.get("/notifications"))
    inbox = text(deputy.get("/inbox?box=deputy"))
    assert "填报申报材料" in inbox
    assert "代 王芳" in inbox
    task_id = applying.open(case_id)["draft"]
    assert "王芳不在岗，您受托代办" in text(deputy.get(f"/tasks/{task_id}"))
    assert deputy.post(f"/tasks/{task_id}/claim").status_code == 303
    assert "记录中写明“代王芳”" in text(deputy.get(f"/tasks/{task_id}"))
    sent = deputy.send(f"/tasks/{task_id}/complete", {"baseName": "海洋基地", "goals": "", "since": None, "files": []})
    assert sent.status_code == 303
    assert "林联（代王芳）" in text(deputy.get(f"/cases/{case_id}"))
    assert "林联（代王芳）已于" in text(wang.get(f"/tasks/{task_id}"))
    (arranged,) = applying.rows(Deputy)
    assert wang.post(f"/account/deputies/{arranged.id}/revoke").status_code == 303
    assert "没有代理安排" in text(wang.get("/account/deputies"))


def test_a_refused_arrangement_says_why_at_its_field_and_keeps_what_was_chosen(applying: Office, browser: Open) -> None:
    lin = applying.people.user("lin", "applicant.liaison@uni", name="林联")
    wang = browser("wang")
    refused = wang.post("/account/deputies", deputy=lin.id, **days(-3, 5))
    assert refused.status_code == 422
    assert "开始日期不能早于今天。" in text(refused)
    assert f'value="{days(-3, 5)["last_day"]}"' in refused.text
    assert "请填写日期" in text(wang.post("/account/deputies", deputy=lin.id, first_day="明天", last_day=""))
    assert "没有可由您安排的账号" in text(wang.post("/account/deputies", deputy=lin.id, **{"for": "li"}, **days()))


def test_an_administrator_arranges_for_others_and_acts_in_their_place(applying: Office, browser: Open) -> None:
    case_id = applying.start("applying")
    applying.do(case_id, "draft", applying.wang, baseName="海洋基地")
    check = applying.open(case_id)["check"]
    admin = browser("admin")
    assert "为李明指定代理人" in text(admin.get("/account/deputies?for=li"))
    done = admin.post("/account/deputies", deputy=applying.zhao.id, reason="病假", **{"for": "li"}, **days())
    assert done.status_code == 303
    assert "病假" in text(admin.get("/account/deputies"))
    assert "以他人名义办理" in text(admin.get(f"/tasks/{check}"))
    assert "以他人名义办理" not in text(browser("li").get(f"/tasks/{check}"))
    taken = admin.post(f"/tasks/{check}/act-for", principal=applying.li.id, reason="电话口述")
    assert path_of(taken) == f"/tasks/{check}"
    page = text(admin.get(f"/tasks/{check}"))
    assert "管理员" not in page or "以他人名义办理" not in page
    assert admin.send(f"/tasks/{check}/complete", {"opinion": "同意"}).status_code == 303
    assert "（代李明）" in text(admin.get(f"/cases/{case_id}"))

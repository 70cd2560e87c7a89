"""The inbox and the page of a task: find work, take it, fill it in, hand it in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.commands.conftest import Office, diagram
from tests.commands.test_duties import LINE
from tests.web.conftest import Browser, given, path_of, text

Open = Callable[..., Browser]


def test_a_task_is_found_claimed_filled_in_and_done(applying: Office, browser: Open) -> None:
    case_id = applying.start("applying")
    wang = browser("wang")
    assert "待办已全部办结" in text(wang.get("/inbox"))
    group = text(wang.get("/inbox?box=group"))
    assert "填报申报材料" in group
    assert "DB-2026-0001" in group or "DB-20" in group
    task_id = applying.open(case_id)["draft"]
    assert path_of(wang.post(f"/tasks/{task_id}/claim")) == f"/tasks/{task_id}"
    page = wang.get(f"/tasks/{task_id}")
    assert "已领取“填报申报材料”" in text(page)
    assert given(page)["readOnly"] is False
    done = wang.send(
        f"/tasks/{task_id}/complete", {"baseName": "海洋生物资源基地", "goals": "", "since": None, "files": []}
    )
    assert (done.status_code, path_of(done)) == (303, "/inbox")
    assert "“填报申报材料”已提交。" in text(wang.get("/inbox"))
    assert "海洋生物资源基地" in text(wang.get("/inbox?box=done"))
    assert "审核材料" in text(browser("li").get("/inbox?box=group"))


def test_the_page_says_why_the_task_is_mine_and_where_it_stands_in_the_regulation(
    applying: Office, browser: Open
) -> None:
    task_id = applying.open(applying.start("applying"))["draft"]
    page = text(browser("wang").get(f"/tasks/{task_id}"))
    assert "此任务由uni的“起草人”办理，您担任该岗位。" in page
    assert "办法规定 第八条（二）第1项" in page
    assert "按第八条填写。" in page
    assert "提交后由国际合作司审核。" in page
    assert "发起案件" in page


def test_whoever_must_keep_away_reads_why_and_finds_no_button(office: Office, browser: Open) -> None:
    office.deploy(diagram(LINE, "s->review; review->sign; sign->e"))
    case_id = office.start()
    office.do(case_id, "review", office.li)
    sign = office.open(case_id)["sign"]
    li = browser("li")
    assert "推荐签署" not in text(li.get("/inbox?box=group"))
    page = text(li.get(f"/tasks/{sign}"))
    assert "您已办理过本案的“推荐审核”，依规不得再办理“推荐签署”。" in page
    assert "领取此任务" not in page
    refused = li.post(f"/tasks/{sign}/claim")
    assert refused.status_code == 403
    assert "您已办理过本案的“推荐审核”" in text(refused)
    assert "领取此任务" in text(browser("zhao").get(f"/tasks/{sign}"))


def test_a_refused_form_keeps_what_was_typed_and_says_what_is_wrong_at_the_field(
    applying: Office, browser: Open
) -> None:
    case_id = applying.start("applying")
    task_id = applying.open(case_id)["draft"]
    wang = browser("wang")
    wang.post(f"/tasks/{task_id}/claim")
    typed = {"baseName": "短", "goals": "写了很多很多", "since": "2026-02-31", "files": []}
    answer = wang.send(f"/tasks/{task_id}/complete", typed)
    assert answer.status_code == 422
    shown = given(answer)
    assert shown["errors"]["baseName"] == ["至少填写 4 个字。"]
    assert shown["errors"]["since"] == ["日期请写作 2026-03-15 的形式。"]
    assert {name: shown["values"][name] for name in typed} == typed
    assert shown["draft"]["typed"] is True
    assert applying.task(task_id).status == "open"
    assert "draft" in applying.open(case_id)


def test_a_required_field_left_empty_is_refused_without_a_browser_too(applying: Office, browser: Open) -> None:
    task_id = applying.open(applying.start("applying"))["draft"]
    answer = browser("wang").send(f"/tasks/{task_id}/complete", {})
    assert answer.status_code == 422
    wang = browser("wang")
    wang.post(f"/tasks/{task_id}/claim")
    assert given(wang.send(f"/tasks/{task_id}/complete", {}))["errors"] == {"baseName": ["此项必填。"]}


@pytest.mark.parametrize("sent", ["not json", "[1]", '"text"', "null", "{", '{"a": NaN}'])
def test_values_that_are_no_form_are_refused(applying: Office, browser: Open, sent: str) -> None:
    task_id = applying.open(applying.start("applying"))["draft"]
    answer = browser("wang").post(f"/tasks/{task_id}/complete", values=sent)
    assert answer.status_code == 400
    assert applying.task(task_id).status == "open"


def test_somebody_elses_task_is_taken_and_the_page_says_by_whom(applying: Office, browser: Open) -> None:
    case_id = applying.start("applying")
    applying.do(case_id, "draft", applying.wang, baseName="某某示范基地")
    task_id = applying.open(case_id)["check"]
    zhao, li = browser("zhao"), browser("li")
    zhao.post(f"/tasks/{task_id}/claim")
    answer = li.post(f"/tasks/{task_id}/claim")
    assert answer.status_code == 409
    assert "此任务已由赵强于" in text(answer)
    assert "情况已经变化" in text(answer)
    late = li.send(f"/tasks/{task_id}/complete", {"opinion": "同意"})
    assert late.status_code == 409
    assert "赵强" in text(late)
    assert "此任务已由赵强领取。" in text(li.get(f"/tasks/{task_id}"))
    zhao.send(f"/tasks/{task_id}/complete", {"opinion": "同意"})
    over = li.send(f"/tasks/{task_id}/complete", {"opinion": "不同意"})
    assert over.status_code == 409
    assert "办结" in text(over)
    assert "赵强已于" in text(li.get(f"/tasks/{task_id}"))


def test_an_old_page_does_not_overwrite_newer_work(applying: Office, browser: Open) -> None:
    task_id = applying.open(applying.start("applying"))["draft"]
    wang = browser("wang")
    wang.post(f"/tasks/{task_id}/claim")
    answer = wang.send(f"/tasks/{task_id}/complete", {"baseName": "某某示范基地"}, version="1")
    assert answer.status_code == 412
    assert applying.task(task_id).status == "open"
    assert wang.send(f"/tasks/{task_id}/complete", {"baseName": "某某"}, version="nonsense").status_code == 400


def test_a_task_is_put_back_for_colleagues(applying: Office, browser: Open) -> None:
    case_id = applying.start("applying")
    applying.do(case_id, "draft", applying.wang, baseName="某某示范基地")
    task_id = applying.open(case_id)["check"]
    li = browser("li")
    li.post(f"/tasks/{task_id}/claim")
    assert "放回" in text(li.get("/inbox"))
    assert path_of(li.post(f"/tasks/{task_id}/release")) == "/inbox"
    assert "审核材料" in text(browser("zhao").get("/inbox?box=group"))


def test_late_and_near_tasks_are_marked_in_working_days(applying: Office, browser: Open) -> None:
    case_id = applying.start("applying")
    applying.do(case_id, "draft", applying.wang, baseName="某某示范基地")
    li = browser("li")
    group = li.get("/inbox?box=group")
    assert 'class="is-late"' in group.text
    assert "已逾期" in text(group)
    assert "个工作日" in text(group)
    li.post(f"/tasks/{applying.open(case_id)['check']}/claim")
    assert "逾期 1" in text(li.get("/inbox"))


def test_the_list_is_searched_filtered_sorted_and_paged(applying: Office, browser: Open) -> None:
    for number in range(27):
        case_id = applying.start("applying")
        applying.do(case_id, "draft", applying.wang, baseName=f"第{number:02}号示范基地")
    li = browser("li")
    first = li.get("/inbox?box=group")
    assert first.text.count("<tr") == 26
    assert "本页 25 项，共 27 项" in text(first)
    link = first.text.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = li.get(link)
    assert second.text.count("<tr") == 3
    assert "回到首页" in text(second)
    found = text(li.get("/inbox?box=group&q=第07号"))
    assert "第07号示范基地" in found
    assert "第08号" not in found
    assert "没有符合条件的任务" in text(li.get("/inbox?box=group&process=other"))
    assert "没有符合条件的任务" in text(li.get("/inbox?box=group&q=%25"))
    assert li.get("/inbox?box=group&sort=created").status_code == 200
    assert li.get("/inbox?box=group&sort=nonsense").status_code == 200
    assert li.get("/inbox?box=nonsense").status_code == 404
    assert li.get("/inbox?after=nonsense").status_code == 400


def test_htmx_gets_the_list_alone_and_the_error_as_a_sentence(applying: Office, browser: Open) -> None:
    case_id = applying.start("applying")
    applying.do(case_id, "draft", applying.wang, baseName="某某示范基地")
    task_id = applying.open(case_id)["check"]
    li = browser("li")
    part = li.get("/inbox?box=group", headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<div id="inbox-panel"')
    assert "inbox-find" not in part.text, "the form into which somebody types stays where it is"
    taken = li.post(f"/tasks/{task_id}/claim", htmx=True, next="/inbox?box=group")
    assert taken.status_code == 200
    assert "已领取“审核材料”" in text(taken)
    assert "没有可领取的任务" in text(taken)
    refused = browser("zhao").post(f"/tasks/{task_id}/claim", htmx=True)
    assert refused.status_code == 409
    assert refused.headers["HX-Retarget"] == "#messages"
    assert "<html" not in refused.text
    assert "李明" in text(refused)


def test_an_ended_session_leads_htmx_to_the_door(applying: Office, browser: Open) -> None:
    task_id = applying.open(applying.start("applying"))["draft"]
    visitor = browser()
    visitor.get("/sign-in")
    answer = visitor.post(f"/tasks/{task_id}/claim", htmx=True)
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].endswith(f"/sign-in?next=/tasks/{task_id}")


def test_handing_in_after_the_session_ended_leads_back_to_the_task(applying: Office, browser: Open) -> None:
    task_id = applying.open(applying.start("applying"))["draft"]
    wang = browser("wang")
    wang.post(f"/tasks/{task_id}/claim")
    wang.client.delete_cookie("guohe")
    answer = wang.send(f"/tasks/{task_id}/complete", {"baseName": "某某示范基地"})
    assert (answer.status_code, path_of(answer)) == (303, f"/sign-in?next=/tasks/{task_id}")
    assert applying.task(task_id).status == "open"


def test_what_is_typed_is_kept_restored_and_thrown_away(applying: Office, browser: Open) -> None:
    task_id = applying.open(applying.start("applying"))["draft"]
    wang = browser("wang")
    wang.post(f"/tasks/{task_id}/claim")
    wang.get(f"/tasks/{task_id}")
    kept = wang.json(f"/tasks/{task_id}/draft", {"values": {"baseName": "半"}, "form_hash": "x"})
    assert kept.status_code == 200
    draft = given(wang.get(f"/tasks/{task_id}"))["draft"]
    assert draft["values"] == {"baseName": "半"}
    assert draft["savedAt"] == kept.json["saved_at"]
    assert wang.json(f"/tasks/{task_id}/draft", {"discard": True}).json == {"saved_at": None}
    assert given(wang.get(f"/tasks/{task_id}"))["draft"]["values"] is None


def test_a_draft_is_gone_once_the_task_is_done(applying: Office, browser: Open) -> None:
    task_id = applying.open(applying.start("applying"))["draft"]
    wang = browser("wang")
    wang.get(f"/tasks/{task_id}")
    wang.json(f"/tasks/{task_id}/draft", {"values": {"baseName": "半"}})
    wang.send(f"/tasks/{task_id}/complete", {"baseName": "某某示范基地"})
    assert f'data-forget-draft="guohe:{applying.wang.id}:task:{task_id}"' in wang.get("/inbox").text
    assert "data-forget-draft" not in wang.get("/inbox").text
    late = wang.json(f"/tasks/{task_id}/draft", {"values": {"baseName": "晚"}})
    assert late.status_code == 409
    assert late.json["detail"]


@pytest.mark.parametrize("body", [None, [], {"values": []}, {"values": None}, {"discard": 1}, "text", {}])
def test_what_is_no_draft_is_refused(applying: Office, browser: Open, body: object) -> None:
    task_id = applying.open(applying.start("applying"))["draft"]
    wang = browser("wang")
    wang.get(f"/tasks/{task_id}")
    answer = wang.json(f"/tasks/{task_id}/draft", body)
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"


def test_an_enormous_draft_is_refused(applying: Office, browser: Open) -> None:
    task_id = applying.open(applying.start("applying"))["draft"]
    wang = browser("wang")
    wang.get(f"/tasks/{task_id}")
    assert wang.json(f"/tasks/{task_id}/draft", {"values": {"goals": "长" * 1_000_000}}).status_code == 413


@pytest.mark.parametrize("act", ["claim", "release", "complete", "draft"])
@pytest.mark.parametrize("task_id", [999_999, 10**30])
def test_a_task_that_does_not_exist_is_not_found(applying: Office, browser: Open, act: str, task_id: int) -> None:
    wang = browser("wang")
    path = f"/tasks/{task_id}/{act}"
    answer = wang.json(path, {"values": {}}) if act == "draft" else wang.send(path, {})
    assert answer.status_code == 404
    assert wang.get(f"/tasks/{task_id}").status_code == 404


@pytest.mark.parametrize("act", ["claim", "release", "complete", "draft"])
def test_a_strangers_task_does_not_even_exist(applying: Office, browser: Open, act: str) -> None:
    task_id = applying.open(applying.start("applying"))["draft"]
    applying.people.user("other", "applicant.drafter@elsewhere", name="外人")
    other = browser("other")
    path = f"/tasks/{task_id}/{act}"
    answer = other.json(path, {"values": {}}) if act == "draft" else other.send(path, {"baseName": "某某示范基地"})
    assert answer.status_code == 404
    assert other.get(f"/tasks/{task_id}").status_code == 404
    assert applying.task(task_id).assignee_id is None


def test_a_case_elsewhere_is_listed_as_waiting_for_others(applying: Office, browser: Open) -> None:
    case_id = applying.start("applying")
    applying.do(case_id, "draft", applying.wang, baseName="某某示范基地")
    waiting = text(browser("wang").get("/inbox?box=waiting"))
    assert "审核材料" in waiting
    assert "正在等待：coop" in waiting


def test_a_finished_task_shows_what_was_handed_in(applying: Office, browser: Open) -> None:
    case_id = applying.start("applying")
    task_id = applying.open(case_id)["draft"]
    applying.complete(task_id, applying.wang, baseName="某某示范基地", goals="<script>alert(1)</script>")
    page = browser("wang").get(f"/tasks/{task_id}")
    shown = given(page)
    assert shown["readOnly"] is True
    assert shown["values"]["baseName"] == "某某示范基地"
    assert shown["values"]["goals"] == "<script>alert(1)</script>"
    assert "<script>alert(1)" not in page.text
    assert "data-sends" not in page.text


def test_a_form_is_given_only_the_variables_it_names(applying: Office, browser: Open) -> None:
    case_id = applying.start("applying")
    applying.do(case_id, "draft", applying.wang, baseName="某某示范基地", goals="不该出现")
    page = browser("li").get(f"/tasks/{applying.open(case_id)['check']}")
    assert set(given(page)["values"]) <= {"opinion"}
    assert "不该出现" not in page.text


def test_the_page_works_in_english(applying: Office, browser: Open) -> None:
    task_id = applying.open(applying.start("applying"))["draft"]
    wang = browser("wang")
    wang.post("/locale", locale="en")
    page = text(wang.get(f"/tasks/{task_id}"))
    assert "Claim this task" in page
    assert "art.8(2)1" in page
    assert "“Drafter” of uni" in page
    wang.post(f"/tasks/{task_id}/claim")
    answer = wang.send(f"/tasks/{task_id}/complete", {})
    assert given(answer)["errors"] == {"baseName": ["Field is required."]}


def test_a_task_is_handed_to_a_colleague(applying: Office, browser: Open) -> None:
    case_id = applying.start("applying")
    applying.do(case_id, "draft", applying.wang, baseName="某某示范基地")
    task_id = applying.open(case_id)["check"]
    li = browser("li")
    assert "转派给同岗位人员" in text(li.get(f"/tasks/{task_id}"))
    assert path_of(li.post(f"/tasks/{task_id}/assign", assignee=str(applying.zhao.id))) == "/inbox"
    assert "已将“审核材料”转派给赵强。" in text(li.get("/inbox"))
    assert "审核材料" in text(browser("zhao").get("/inbox"))
    assert li.post(f"/tasks/{task_id}/assign", assignee=str(applying.li.id)).status_code == 400
    for chosen in (str(applying.wang.id), "999999", ""):
        assert browser("zhao").post(f"/tasks/{task_id}/assign", assignee=chosen).status_code == 400
    assert browser("wang").post(f"/tasks/{task_id}/assign", assignee=str(applying.zhao.id)).status_code == 404
    assert applying.task(task_id).assignee_id == applying.zhao.id


def test_whoever_signs_for_an_office_sees_to_its_overdue_tasks(applying: Office, browser: Open) -> None:
    applying.people.user("sun", "coop.signatory", name="孙签")
    case_id = applying.start("applying")
    applying.do(case_id, "draft", applying.wang, baseName="某某示范基地")
    check = applying.open(case_id)["check"]
    sun, li = browser("sun"), browser("li")
    page = text(sun.get(f"/tasks/{check}"))
    assert "逾期督办" in page
    assert "尚无人领取" in page
    assert "逾期督办" not in text(li.get(f"/tasks/{check}"))
    assert path_of(sun.post(f"/tasks/{check}/urge")) == f"/tasks/{check}"
    assert "已催办“审核材料”" in text(sun.get(f"/tasks/{check}"))
    assert "孙签催办“审核材料”" in text(li.get("/notifications"))
    assert "催办“审核材料”" in text(sun.get(f"/cases/{case_id}"))
    again = sun.post(f"/tasks/{check}/urge")
    assert (again.status_code, "稍后再催" in text(again)) == (409, True)
    assert li.post(f"/tasks/{check}/urge").status_code == 403
    given = sun.post(f"/tasks/{check}/assign", assignee=str(applying.zhao.id), next=f"/tasks/{check}")
    assert path_of(given) == f"/tasks/{check}"
    assert "在赵强手中" in text(sun.get(f"/tasks/{check}"))


def test_a_day_that_is_past_is_refused_on_the_page_of_the_task(applying: Office, browser: Open) -> None:
    draft = applying.open(applying.start("applying"))["draft"]
    wang = browser("wang")
    wang.post(f"/tasks/{draft}/claim")
    for day, sentence in (("2020-01-01", "今天之后"), ("明天", "2026-03-15")):
        assert path_of(wang.post(f"/tasks/{draft}/plan", follow_up=day, priority="90")) == f"/tasks/{draft}"
        assert sentence in text(wang.get(f"/tasks/{draft}"))
    assert applying.task(draft).follow_up_at is None

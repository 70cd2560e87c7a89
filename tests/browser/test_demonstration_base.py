"""P4 in a real browser: from the application to the entry in the register, by everybody who has a part in it.

The server is stopped and started again in between; nothing is lost by it.
"""

from __future__ import annotations

import re

import docx
from playwright.sync_api import expect

from service.models import Instance, Task, User
from service.models.register import Base, Document
from tests.browser.conftest import Site
from tests.browser.ministry import Play, ministry, offered, play, rows

__all__ = ["ministry", "play"]

BASE = "海岱海洋生物示范型国际科技合作基地（虚构）"


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
    visited = play.as_(offered(ministry.database, "record_visit")).open_task("实地考核并记录", play.number)
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
    badge = case.page.locator("[data-container-id='draft_application'] .gh-source")
    expect(badge).to_have_attribute("title", re.compile("办法规定 第八条（二）第1项"))
    notice = case.page.locator("[data-container-id='public_notice'] .gh-source")
    expect(notice).to_have_attribute("title", re.compile("实践做法"))
    with case.page.expect_download() as given:
        case.page.locator(".files a", has_text="通知").first.click()
    letter = "\n".join(line.text for line in docx.Document(str(given.value.path())).paragraphs)
    assert document.number in letter
    (signed,) = (one for one in rows(ministry.database, Task) if one.element_id == "sign_document")
    (signer,) = (one.name for one in rows(ministry.database, User) if one.id == signed.completed_by_id)
    assert re.search(rf"签发人：{signer}　签发日期：\d{{4}}年\d+月\d+日", letter), letter
    listed = play.as_("coop.intake").go(f"/register?q={base.number}")
    assert BASE in listed.text()

"""P3 in a real browser: a batch is opened, an institution joins it, is ranked, and two bodies sign one document."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import expect
from sqlalchemy import select

from service import clock
from service.models import Instance, Job
from service.models.register import Base, Document
from tests.browser.conftest import Site
from tests.browser.ministry import Play, ministry, play, rows

__all__ = ["ministry", "play"]

CENTRE = "珠湾国际技术转移中心（虚构）"


def test_an_institution_becomes_a_transfer_centre(play: Play, ministry: Site) -> None:
    batch = play.begin("coop.organiser", "技术转移中心批次")
    opened = play.as_("coop.organiser").open_task("开启批次", batch)
    closes_on = clock.today() + timedelta(days=30)
    opened.fill("截止受理日期", closes_on.isoformat()).fill_rest().submit()

    # 申报机构、高新区、推荐部门
    number = play.begin("zhuwan-tt.drafter", "国际技术转移中心认定")
    drafter = play.as_("zhuwan-tt.drafter").open_task("填报申报材料", number)
    assert drafter.field("联络人").locator("input").input_value() != "", "who drafts is filled in as contact"
    drafter.fill("拟认定基地名称", CENTRE).tick("所属重点领域", "信息网络")
    drafter.fill("年度", "2025").fill("年度", "2025", nth=1).fill_rest().submit()
    play.do("zhuwan-tt.reviewer", "内部审核", 审核结论="同意，送法定代表人签署")
    signing = play.as_("zhuwan-tt.signatory").open_task("法定代表人签署", number)
    signing.choose("签署结论", "同意并签署")
    assert signing.field("签署人姓名").locator("input").input_value() != "", "who signs is filled in"
    signing.fill_rest().submit()
    play.do("z-zhuwan.drafter", "出具支持意见", 意见="支持")
    play.do("z-zhuwan.signatory", "管委会签署", 签署结论="同意并签署")
    play.do("gd-kj.reviewer", "审核是否同意", 审核结论="拟推荐")
    play.do("gd-kj.signatory", "签署推荐意见", 签署结论="同意推荐并签署")

    # 国际合作司会同火炬中心：受理、方案、评审、考核
    play.do("coop.intake", "形式审查", 审查结论="齐全，予以受理")
    play.do("coop.organiser", "拟定评审考核方案")
    play.do("coop.organiser", "国际合作司同意方案", 意见="同意")
    play.do("torch.organiser", "火炬中心同意方案", 意见="同意")
    play.examine("torch.organiser", "zhuwan-tt.drafter")
    play.do("coop.assessor", "综合评价", 建议="建议进入排序")

    # 收件截止后全批排序，两家会商
    bring_the_end_of_the_intake(ministry)
    play.number = batch
    ranking = play.as_("coop.assessor").open_task("四因素择优排序", batch)
    ranking.choose("是否入选", "入选")
    ranking.fill_rest().submit()
    play.do("torch.organiser", "火炬中心会商排序", 意见="同意")

    # 两家签署一份文件
    play.number = number
    play.do("coop.signatory", "国际合作司签署", 签发结论="同意签发")
    play.do("torch.signatory", "火炬中心签署", 签发结论="同意签发")
    play.do("coop.intake", "授牌")
    play.do("secretariat.officer", "邀请加入基地联盟")

    document, base = rows(ministry.database, Document)[-1], rows(ministry.database, Base)[-1]
    assert (base.name, base.type, document.kind) == (CENTRE, "TT", "accreditation")
    assert {one.number: one.status for one in rows(ministry.database, Instance)}[number] == "completed"
    case = play.as_("zhuwan-tt.drafter").go("/cases/2")
    expect(case.page.locator("body")).to_contain_text("已认定")
    with case.page.expect_download() as given:
        case.page.locator(".files a", has_text="通知").first.click()
    assert Path(given.value.path()).read_bytes().startswith(b"PK")


def bring_the_end_of_the_intake(ministry: Site) -> None:
    """Nobody waits a month for a test: the timer of the batch falls due now."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with ministry.database.transaction() as session:
            timers = session.scalars(select(Job).where(Job.element_id == "intake_over")).all()
            if timers:
                for timer in timers:
                    timer.due_at = clock.now()
                return
        time.sleep(0.3)
    raise AssertionError("the batch has no timer")

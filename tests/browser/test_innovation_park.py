"""P1 in a real browser: the province proposes and applies, the park fills in, the ministry decides."""

from __future__ import annotations

from playwright.sync_api import expect

from service.models import Instance
from service.models.register import Base, Document
from tests.browser.conftest import Site
from tests.browser.ministry import Play, ministry, play, rows

__all__ = ["ministry", "play"]

PARK = "南江国际创新园（虚构）"


def test_a_park_becomes_an_innovation_park(play: Play, ministry: Site) -> None:
    number = play.begin("js-gov.drafter", "国际创新园认定")
    proposed = play.as_("js-gov.drafter").open_task("提出共建国际创新园", number)
    proposed.choose("申报园区", "南江国际科技园").fill_rest().submit()

    # 园区编制材料，省级人民政府申请
    drafter = play.as_("nanjiang-park.drafter").open_task("编制申报材料", number)
    drafter.fill("拟认定基地名称", PARK).tick("所属重点领域", "信息网络").fill_rest().submit()
    play.do("nanjiang-park.reviewer", "内部审核", 审核结论="同意，送法定代表人签署")
    play.do("nanjiang-park.signatory", "法定代表人签署", 签署结论="同意并签署")
    play.do("js-gov.drafter", "起草申请函", 处理="起草申请函")
    play.do("js-gov.signatory", "省级人民政府签署", 签署结论="同意并签署")

    # 科技部
    play.do("coop.intake", "形式审查", 审查结论="齐全，予以受理")
    play.examine("coop.organiser", "nanjiang-park.drafter")
    play.do("coop.assessor", "综合评价", 建议="建议认定")
    play.do("most.decider", "审定", 决定="同意认定")
    play.do("most.decider", "签发认定文件", 签发结论="同意签发")
    play.do("coop.intake", "授牌")
    play.do("secretariat.officer", "邀请加入基地联盟")

    document, base = rows(ministry.database, Document)[-1], rows(ministry.database, Base)[-1]
    assert (base.name, base.type) == (PARK, "IP")
    assert rows(ministry.database, Instance)[0].status == "completed"
    seen = play.as_("js-gov.drafter").go("/cases/1")
    expect(seen.page.locator("body")).to_contain_text("已认定")
    assert document.number in play.as_("coop.intake").go(f"/register/{base.number}").text()

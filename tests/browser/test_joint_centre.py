"""P2 in a real browser: chosen out of the pool, accredited by the ministry, and recognised abroad (P2b)."""

from __future__ import annotations

import time

from service.models import Instance
from service.models.register import Base
from tests.browser.conftest import Site
from tests.browser.ministry import Play, ministry, play, rows

__all__ = ["ministry", "play"]

CENTRE = "海岱海洋国际联合研究中心（虚构）"


def test_a_university_becomes_a_joint_centre_with_a_plaque_abroad(play: Play, ministry: Site) -> None:
    number = play.begin("sd-kj.reviewer", "国际联合研究中心认定")
    play.as_("sd-kj.reviewer").open_task("从候选机构中遴选", number).choose(
        "推荐哪一家", "海岱大学"
    ).fill_rest().submit()

    drafter = play.as_("haidai.drafter").open_task("编制申报材料", number)
    assert drafter.field("项目编号", nth=1).locator("input").input_value() != "", "both projects stand there already"
    drafter.fill("拟认定基地名称", CENTRE).tick("所属重点领域", "空间和海洋").fill_rest().submit()
    play.do("haidai.reviewer", "内部审核", 审核结论="同意，送法定代表人签署")
    play.do("haidai.signatory", "法定代表人签署", 签署结论="同意并签署")
    play.do("sd-kj.reviewer", "推荐审核", 审核结论="拟推荐")
    play.do("sd-kj.signatory", "签署推荐意见", 签署结论="同意推荐并签署")

    play.do("coop.intake", "形式审查", 审查结论="齐全，予以受理")
    play.examine("coop.organiser", "haidai.drafter")
    play.do("coop.assessor", "综合评价", 建议="建议认定")
    play.do("most.decider", "审定", 决定="同意认定")
    play.do("most.decider", "签发认定文件", 签发结论="同意签发")
    play.do("coop.intake", "授牌")
    play.do("secretariat.officer", "邀请加入基地联盟")
    base = rows(ministry.database, Base)[-1]
    assert (base.name, base.type, base.status) == (CENTRE, "JC", "active")

    # 外方挂牌：另一个案件，不影响国内认定
    play.number = begun(ministry, "foreign_plaque")
    play.do("haidai.director", "向外方提出资格认同")
    play.do("haidai.director", "登记外方认同结果", 结果="已认同")
    play.do("coop.intake", "登记双边机制确认")
    play.do("haidai.director", "择机挂牌并登记")
    ended = {one.process_id: one.status for one in rows(ministry.database, Instance)}
    assert (ended["joint_centre"], ended["foreign_plaque"]) == ("completed", "completed")


def begun(ministry: Site, process_id: str) -> str:
    """The number of the case of a process that another case starts by a message, a moment later."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for one in rows(ministry.database, Instance):
            if one.process_id == process_id:
                return one.number
        time.sleep(0.3)
    raise AssertionError(f"no {process_id} has begun")

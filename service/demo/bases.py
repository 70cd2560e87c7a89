"""Sixty fictional bases with their years: results, projects, partners – and the cases that rules are tried on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock
from service.commands.bases import column, cooperation, register, sanctions
from service.commands.people import identity
from service.models import Authority, Organisation
from service.models.register import FIELDS, TYPES, Base, Project

from . import accounts

BASES = 60
_NAMES = (
    "碧海青岭云溪长河星湖白鹿金穗松原凤鸣平湖远山澄江丹霞朝晖北辰南屏东篱西泠秋实春晓望岳听涛临风揽月沐阳怀远致知明德弘毅守拙"
    "若水知行长风破浪采薇鹿鸣蒹葭子衿关雎桃夭甘棠鹤鸣嘉鱼南山湛露彤弓菁莪采芑吉日鸿雁庭燎沔水白驹黄鸟斯干无羊节南正月雨无小旻"
)
WORDS = [_NAMES[place : place + 2] for place in range(0, len(_NAMES), 2)]
KINDS = {
    "DB": ("institute", "研究院"),
    "JC": ("university", "大学"),
    "TT": ("intermediary", "技术转移有限公司"),
    "IP": ("park", "国际科技园"),
}
COUNTRIES = ("德国", "法国", "日本", "韩国", "英国", "新加坡", "俄罗斯", "巴西", "澳大利亚", "荷兰")

STAFF = (
    ("bases.drafter", "基地起草", "applicant.drafter"),
    ("bases.reviewer", "基地审核", "applicant.reviewer"),
    ("bases.signatory", "基地签署", "applicant.signatory"),
    ("bases.director", "基地主任", "applicant.director"),
    ("bases.liaison", "基地联络", "applicant.liaison"),
)
"""Five people stand for the staff of all sixty hosts."""

P, F, X = "pass", "fail", "excused"

# What each named case is there for, and its results of the last years, the oldest first.
STREAKS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: ("不合格一年", (P, P, P, P, F)),
    2: ("连续不合格两年", (P, P, P, F, F)),
    3: ("连续不合格三年，尚未通报", (P, P, F, F, F)),
    4: ("不合格、不合格、合格、不合格", (P, F, F, P, F)),
    5: ("已被通报，又有严重违纪违规", (P, F, F, F, F)),
    6: ("有严重违纪违规，但未被通报", (P, P, P, P, P)),
    7: ("中间一年不参加评估", (P, P, F, X, F)),
}


def load(session: Session, authority: Authority) -> None:
    """Enter the bases, once: where there are bases already, nothing is added."""
    if session.scalar(select(Base.id).where(Base.authority_id == authority.id).limit(1)) is not None:
        return
    for number in range(BASES - 1):
        _base(session, authority, number)
    _banned(session, authority)
    _projects_of_applicants(session, authority)
    _agenda(session, authority)
    _policies(session, authority)
    _local(session)
    session.flush()


@contextmanager
def _on(day: date) -> Iterator[date]:
    """Let something happen on a day of the past, so that its line of history stands there."""
    with clock.travel(datetime.combine(day, time(2, 0), UTC)):
        yield day


def _type(number: int) -> str:
    if number % 15 == 14:
        return "IP"
    if number % 5 == 1 and number > 7:
        return "JC"
    return "TT" if number % 8 == 4 and number > 7 else "DB"


def _base(session: Session, authority: Authority, number: int) -> None:
    this_year = clock.today().year
    type = _type(number)
    recommenders = [row for row in accounts.RECOMMENDERS if type != "IP" or row[1] == "provincial_department"]
    code, kind, _, region, attributes = recommenders[number % len(recommenders)]
    recommender = accounts.find(session, authority, code)
    assert recommender is not None
    above = recommender if kind in ("department", "central_enterprise") else None
    host = _host(session, authority, number, type, region or ("北京", "四川", "湖北")[number % 3], above, attributes)
    codes = list(FIELDS)
    accredited = date(this_year - 6 - number % 9, 1 + number % 12, 1 + number % 27)
    with _on(accredited):
        base = register.register_base(
            session,
            type=type,
            name=_name(number, type),
            host=host,
            recommender=recommender,
            relation="affiliation" if above else "territory",
            fields={codes[number % 8], codes[(number * 3 + 1) % 8]},
            decided_on=accredited,
            zone=_zone(session, authority, type, number),
            rule_set="trial" if accredited < date(2011, 7, 29) else register.RULE_SET,
            summary=f"虚构数据：依托{host.name}建设的{TYPES[type]}。",
        )
        register.give_plaque(session, base, inscription=TYPES[type], given_on=accredited + timedelta(days=30))
    if number % 3:
        with _on(accredited + timedelta(days=90)) as day:
            column.answer_invitation(session, base, joins=True, on=day)
    _years(session, base, recommender, number, this_year)
    _work(session, base, recommender, number, this_year)
    if number == BASES - 3:
        with _on(date(this_year - 1, 9, 1)) as day:
            register.leave(session, base, on=day, reason="研究方向调整，自愿退出（虚构）")


def _name(number: int, type: str) -> str:
    label = f"（{STREAKS[number][0]}）" if number in STREAKS else ""
    return f"{WORDS[number]}{TYPES[type]}（虚构）{label}"


def _host(
    session: Session,
    authority: Authority,
    number: int,
    type: str,
    region: str,
    above: Organisation | None,
    attributes: dict[str, str],
) -> Organisation:
    kind, word = KINDS[type]
    host = accounts.organisation(
        session,
        authority,
        f"host{number + 1:02d}",
        kind,
        f"{WORDS[number]}{word}（虚构）",
        region=region,
        parent=above,
        parent_id=above.id if above else None,
        uscc=accounts.uscc(1000 + number),
        registered_on=date(1980 + number % 30, 3, 1),
        attributes={"legalPerson": True, "fictional": True, **attributes},
    )
    for username, name, role in STAFF:
        user = accounts.account(session, authority, username, name, [])
        identity.add_membership(session, user, host, role)
    return host


def _zone(session: Session, authority: Authority, type: str, number: int) -> Organisation | None:
    if type != "TT":
        return None
    return accounts.find(session, authority, accounts.ZONES[number % len(accounts.ZONES)][0])


def _results(number: int) -> tuple[str, ...]:
    if number in STREAKS:
        return STREAKS[number][1]
    return (P, P, X if number % 20 == 9 else P, P, P)


def _grade(result: str, number: int, year: int) -> str:
    if result == F:
        return "failed"
    if result == X:
        return "excused"
    return ("excellent", "good", "good", "good", "qualified", "good", "qualified")[(number * 5 + year) % 7]


def _years(session: Session, base: Base, recommender: Organisation, number: int, this_year: int) -> None:
    results = _results(number)
    for back, result in zip(range(len(results), 0, -1), results, strict=True):
        year = this_year - back
        confirmed = min(date(year + 1, 6, 20), clock.today())
        with _on(confirmed):
            sanctions.record_result(
                session, base, year, grade=_grade(result, number, year), result=result, confirmed_on=confirmed
            )
        if number == 5 and back == 2:
            with _on(confirmed + timedelta(days=30)) as day:
                sanctions.reprimand(session, base, year, issued_on=day)
    with _on(min(date(this_year, 3, 20), clock.today())) as day:
        sanctions.record_report(
            session,
            base,
            this_year - 1,
            status="accepted",
            filed_on=day,
            opinion="情况属实，同意报送（虚构）。",
            signatory=f"{recommender.name}负责人（虚构）",
            signed_on=day,
            accepted_on=day,
        )
    if number in (5, 6):
        sanctions.record_violation(
            session,
            base,
            category="fraud",
            serious=True,
            facts="虚构事实：在年度总结中编造合作成果。",
            found_on=clock.today(),
            outcome="pending",
        )


def _work(session: Session, base: Base, recommender: Organisation, number: int, this_year: int) -> None:
    """Projects, and what goes with them."""
    for place in range(1 + number % 3):
        special = place == 0 and number % 2 == 0
        country = COUNTRIES[(number + place) % len(COUNTRIES)]
        programme = "special" if special else ("intergovernmental", "provincial")[(number + place) % 2]
        project = cooperation.add_project(
            session,
            base.host,
            base=base,
            number=f"X{this_year - 3 + place}-{number + 1:02d}{place + 1}",
            name=f"{WORDS[number]}国际合作研究{'一二三'[place]}（虚构）",
            programme=programme,
            level="provincial" if programme == "provincial" else "national",
            special=special,
            partner=f"{country}{WORDS[(number + 7) % BASES]}研究所（虚构）",
            country=country,
            starts_on=date(this_year - 3 + place, 4, 1),
            ends_on=date(this_year + place, 3, 31),
            funding=Decimal(200 + 10 * number),
        )
        if special:
            _match(session, project, recommender, number, this_year)
    if base.type == "JC":
        country = COUNTRIES[number % len(COUNTRIES)]
        partner = cooperation.add_partner(
            session, base, name=f"{country}{WORDS[(number + 7) % BASES]}研究所（虚构）", country=country
        )
        plaque = cooperation.request_plaque(session, base, partner, foreign_authority=f"{country}科研主管部门（虚构）")
        for status in ("recognised", "confirmed", "placed")[: number % 4]:
            cooperation.move_plaque(
                session, plaque, status, on=clock.today(), mechanism=f"中国—{country}科技合作联委会（虚构）"
            )
    if number % 6 == 0:
        cooperation.nominate_talent(
            session, base, name=f"虚构专家{number + 1}", nominated_on=clock.today(), country=COUNTRIES[number % 10]
        )


def _match(session: Session, project: Project, recommender: Organisation, number: int, this_year: int) -> None:
    fund = cooperation.promise_funds(
        session, project, recommender, promised=Decimal(50), due_on=date(this_year - 1, 12, 31)
    )
    if number % 4 == 0:
        cooperation.pay_funds(session, fund, paid=Decimal(50), paid_on=date(this_year - 1, 11, 30))


def _banned(session: Session, authority: Authority) -> None:
    """A base that was revoked three years ago less a day: tomorrow is the last day of its ban."""
    host = accounts.find(session, authority, "banned")
    recommender = accounts.find(session, authority, "hb-kj")
    assert host is not None
    assert recommender is not None
    last = clock.today() + timedelta(days=1)
    start = date(last.year - 3, last.month, min(last.day, 28) if last.month == 2 else last.day)
    with _on(date(start.year - 8, 5, 6)) as day:
        base = register.register_base(
            session,
            type="DB",
            name="旧案示范型国际科技合作基地（虚构，已取消资格）",
            host=host,
            recommender=recommender,
            relation="territory",
            fields=["materials"],
            decided_on=day,
        )
    for back in (4, 3, 2):
        with _on(date(start.year - back + 1, 6, 20)) as day:
            sanctions.record_result(session, base, start.year - back, grade="failed", result="fail", confirmed_on=day)
    with _on(date(start.year - 1, 7, 20)) as day:
        sanctions.reprimand(session, base, start.year - 2, issued_on=day)
    with _on(start) as day:
        sanctions.revoke(session, base, decided_on=day, reason="被通报后发生严重违纪违规行为（虚构）。")
        sanctions.ban(session, host, start_on=day, last_on=last, reason="被取消国合基地资格（虚构）。", base=base)


def _projects_of_applicants(session: Session, authority: Authority) -> None:
    """What makes applicants eligible – or, at 示例清洁能源研究院, not."""
    year = clock.today().year
    rows = (
        ("haidai", "special", "national", "completed"),
        ("haidai", "intergovernmental", "national", "ongoing"),
        ("yanbei", "special", "national", "ongoing"),
        ("yanbei", "intergovernmental", "national", "completed"),
        ("jiaozhou", "provincial", "provincial", "ongoing"),
        ("shili", "other", "other", "ongoing"),
        ("banned", "provincial", "provincial", "completed"),
    )
    for number, (code, programme, level, status) in enumerate(rows):
        host = accounts.find(session, authority, code)
        assert host is not None
        country = COUNTRIES[number]
        cooperation.add_project(
            session,
            host,
            number=f"A{year - 2}-{number + 1:02d}",
            name=f"{country}合作研究项目{number + 1}（虚构）",
            programme=programme,
            level=level,
            status=status,
            partner=f"{country}研究所（虚构）",
            country=country,
            starts_on=date(year - 2, 1, 1),
            ends_on=date(year + 1, 12, 31) if status == "ongoing" else date(year - 1, 12, 31),
            funding=Decimal(300),
        )


def _agenda(session: Session, authority: Authority) -> None:
    """One park stands on this year's consultation; the other one does not."""
    government = accounts.find(session, authority, "js-gov")
    park = accounts.find(session, authority, "nanjiang-park")
    assert government is not None
    assert park is not None
    column.list_on_agenda(
        session,
        government,
        year=clock.today().year,
        title="部省共建南江国际创新园（虚构）",
        listed_on=clock.today(),
        park=park,
        record_number="部省会商〔虚构〕1号",
    )


def _policies(session: Session, authority: Authority) -> None:
    for section, title, body in (
        ("policy", "国家国际科技合作基地管理办法", "2011年7月29日发布。全文见“政策法规”。"),
        (
            "overview",
            "国合基地概况",
            "国合基地包括国际创新园、国际联合研究中心、国际技术转移中心和示范型国际科技合作基地四种类型。",
        ),
        ("news", "碧海基地举办国际技术培训班（虚构）", "虚构消息：来自十个国家的学员参加培训。"),
    ):
        column.publish_article(session, authority_id=authority.id, section=section, title=title, body=body)


def _local(session: Session) -> None:
    """A base that a province keeps by measures of its own (article 21): it never shows in the national register."""
    province = identity.create_authority(
        session, "sd", "山东省科学技术厅（地方基地）", name_en="Shandong (local bases)"
    )
    office = identity.create_organisation(
        session, province, "sd-office", "provincial_department", "山东省科学技术厅", region="山东"
    )
    host = identity.create_organisation(
        session, province, "sd-host", "institute", "岱下研究所（虚构）", region="山东", attributes={"fictional": True}
    )
    with _on(date(clock.today().year - 2, 8, 8)) as day:
        register.register_base(
            session,
            type="DB",
            name="岱下省级国际科技合作基地（虚构，地方）",
            host=host,
            recommender=office,
            relation="territory",
            fields=["energy"],
            decided_on=day,
            rule_set="sd",
        )

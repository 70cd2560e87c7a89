"""The fictional ministry: authority, offices, recommenders, applicants, experts, and an account for each role.

Government offices have their real names, because routes and documents need them; every institution, company, person
and address is invented, and named so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock
from service.commands.people import identity
from service.models import Authority, Organisation, User
from service.models.register import Expert

PASSWORD = "guohe-demo"
"""The password of every demo account. Only an installation in demo mode has them."""

AUTHORITY = "most"

OFFICES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("most", "ministry", "科学技术部", {"documentSeries": {"default": "国科发外"}}),
    ("coop", "office", "科学技术部国际合作司", {"documentSeries": {"default": "国科外"}}),
    ("torch", "office", "科学技术部火炬高技术产业开发中心", {"documentSeries": {"default": "国科火"}}),
    ("experts", "pool", "评审专家库", {}),
    ("secretariat", "office", "中国科学技术交流中心", {}),
    ("platform", "office", "平台运维", {}),
)

# code, kind, name, region, attributes
RECOMMENDERS: tuple[tuple[str, str, str, str | None, dict[str, Any]], ...] = (
    ("bj-kw", "provincial_department", "北京市科学技术委员会", "北京", {}),
    ("sh-kw", "provincial_department", "上海市科学技术委员会", "上海", {}),
    ("sd-kj", "provincial_department", "山东省科学技术厅", "山东", {}),
    ("gd-kj", "provincial_department", "广东省科学技术厅", "广东", {}),
    ("js-kj", "provincial_department", "江苏省科学技术厅", "江苏", {}),
    ("zj-kj", "provincial_department", "浙江省科学技术厅", "浙江", {}),
    ("sc-kj", "provincial_department", "四川省科学技术厅", "四川", {}),
    ("sn-kj", "provincial_department", "陕西省科学技术厅", "陕西", {}),
    ("hb-kj", "provincial_department", "湖北省科学技术厅", "湖北", {}),
    ("ln-kj", "provincial_department", "辽宁省科学技术厅", "辽宁", {}),
    ("moe", "department", "教育部", None, {}),
    ("mara", "department", "农业农村部", None, {}),
    ("nhc", "department", "国家卫生健康委员会", None, {}),
    ("qd-kj", "plan_city", "青岛市科学技术局", "山东", {"planCity": "青岛"}),
    ("sz-kj", "plan_city", "深圳市科技创新局", "广东", {"planCity": "深圳"}),
    ("sl-group", "central_enterprise", "中国示例能源集团有限公司（虚构）", None, {}),
)

GOVERNMENTS = (
    ("sd-gov", "山东省人民政府", "山东"),
    ("js-gov", "江苏省人民政府", "江苏"),
    ("sn-gov", "陕西省人民政府", "陕西"),
)

ZONES = (
    ("z-haidai", "海岱国家高新区管委会（虚构）", "山东"),
    ("z-nanjiang", "南江国家高新区管委会（虚构）", "江苏"),
    ("z-zhuwan", "珠湾国家高新区管委会（虚构）", "广东"),
    ("z-qinling", "秦岭国家高新区管委会（虚构）", "陕西"),
)


@dataclass(frozen=True, slots=True)
class Applicant:
    """An institution that may apply: for routes, the one-year rule, the agenda."""

    code: str
    kind: str
    name: str
    region: str
    parent: str | None = None
    zone: str | None = None
    city: str | None = None
    days: int | None = None
    """Days since registration; None: long ago."""


APPLICANTS = (
    Applicant("haidai", "university", "海岱大学（虚构）", "山东"),
    Applicant("yanbei", "university", "燕北理工大学（虚构）", "北京", parent="moe"),
    Applicant("jiaozhou", "institute", "胶州湾海洋研究院（虚构）", "山东", city="青岛"),
    Applicant("hongyan", "university", "鸿雁大学（虚构）", "四川"),
    Applicant("baihe", "institute", "白鹤能源研究所（虚构）", "广东"),
    Applicant("shili", "enterprise", "示例清洁能源研究院有限公司（虚构）", "陕西", parent="sl-group"),
    Applicant("nanjiang-park", "park", "南江国际科技园（虚构）", "江苏"),
    Applicant("qinling-park", "park", "秦岭国际创新园（虚构，未列入会商）", "陕西"),
    Applicant("zhuwan-tt", "intermediary", "珠湾国际技术转移有限公司（虚构）", "广东", zone="z-zhuwan"),
    Applicant(
        "newborn-tt", "intermediary", "初生技术转移有限公司（虚构，注册 364 天）", "山东", zone="z-haidai", days=364
    ),
    Applicant("banned", "institute", "旧案研究所（虚构，禁申期明日届满）", "湖北"),
)

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎"

# username stem, roles
PEOPLE: dict[str, tuple[tuple[str, str], ...]] = {
    "applicant": (
        ("drafter", "applicant.drafter"),
        ("reviewer", "applicant.reviewer"),
        ("signatory", "applicant.signatory"),
        ("director", "applicant.director"),
        ("liaison", "applicant.liaison"),
    ),
    "recommender": (
        ("reviewer", "recommender.reviewer"),
        ("signatory", "recommender.signatory"),
        ("funding", "recommender.funding"),
        ("inspector", "recommender.inspector"),
    ),
    "zone": (("drafter", "zone.drafter"), ("signatory", "zone.signatory")),
    "province": (("drafter", "province.drafter"), ("signatory", "province.signatory")),
    "most": (("decider", "most.decider"),),
    "coop": (
        ("intake", "coop.intake"),
        ("organiser", "coop.organiser"),
        ("assessor", "coop.assessor"),
        ("signatory", "coop.signatory"),
    ),
    "torch": (("organiser", "torch.organiser"), ("signatory", "torch.signatory")),
    "secretariat": (("officer", "secretariat.officer"), ("editor", "secretariat.editor")),
    "platform": (("admin", "platform.admin"), ("owner", "platform.owner")),
}

SMALL_STAFF = (
    ("drafter", "applicant.drafter applicant.liaison"),
    ("reviewer", "applicant.reviewer"),
    ("signatory", "applicant.signatory applicant.director"),
)
"""At most applicants three people share the five roles; who drafts never reviews or signs."""

GIVEN = {
    "drafter": "起草",
    "reviewer": "审核",
    "signatory": "签署",
    "director": "主任",
    "liaison": "联络",
    "funding": "经费",
    "inspector": "检查",
    "decider": "决定",
    "intake": "受理",
    "organiser": "评审",
    "assessor": "评估",
    "officer": "秘书",
    "editor": "编辑",
    "admin": "管理",
    "owner": "流程",
}

# name, employer (an organisation's code, or a name of its own), title, fields
EXPERTS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("江知远", "东湖能源研究所（虚构）", "研究员", ("energy", "materials")),
    ("林清和", "西岭大学（虚构）", "教授", ("energy", "environment")),
    ("何以宁", "北原材料研究院（虚构）", "研究员", ("materials",)),
    ("罗望舒", "云帆信息技术有限公司（虚构）", "教授级高工", ("information",)),
    ("顾行止", "临江大学（虚构）", "教授", ("information", "safety")),
    ("苏木槿", "岭南农业科学院（虚构）", "研究员", ("agriculture",)),
    ("叶南星", "中原农业大学（虚构）", "教授", ("agriculture", "environment")),
    ("白术", "长安医学院（虚构）", "主任医师", ("health",)),
    ("杜若", "生命科学研究中心（虚构）", "研究员", ("health", "agriculture")),
    ("温子衿", "碧水环境研究院（虚构）", "研究员", ("environment",)),
    ("陆沉舟", "深蓝海洋研究所（虚构）", "研究员", ("space", "environment")),
    ("方既白", "星河空间技术研究院（虚构）", "研究员", ("space", "information")),
    ("裴守正", "公共安全研究院（虚构）", "研究员", ("safety",)),
    ("容若谷", "科技政策研究所（虚构）", "研究员", ("energy", "health", "information")),
    ("秦观澜", "国际科技合作研究会（虚构）", "研究员", ("materials", "space", "safety")),
    ("海大同", "haidai", "教授", ("energy", "space")),
)


def seed(session: Session) -> Authority:
    """Set up roles, authority, offices and their staff; whatever is there stays as it is."""
    identity.seed_roles(session)
    authority = session.scalar(select(Authority).where(Authority.code == AUTHORITY))
    if authority is None:
        authority = identity.create_authority(
            session, AUTHORITY, "科学技术部", name_en="Ministry of Science and Technology"
        )
    for code, kind, name, attributes in OFFICES:
        organisation(session, authority, code, kind, name, attributes=attributes)
    owner = session.scalar(select(User.id).where(User.username == "platform.owner"))
    if owner is None:
        _staff(session, authority, "platform")
    return authority


def load(session: Session) -> Authority:
    """Add everybody else of the demonstration."""
    authority = seed(session)
    for office in ("most", "coop", "torch", "secretariat"):
        _staff(session, authority, office)
    for code, kind, name, region, attributes in RECOMMENDERS:
        organisation(session, authority, code, kind, name, region=region, attributes=attributes)
        _staff(session, authority, code, "recommender", PEOPLE["recommender"][: 4 if code == "sd-kj" else 2])
    for code, name, region in GOVERNMENTS:
        organisation(session, authority, code, "provincial_government", name, region=region)
        _staff(session, authority, code, "province")
    for code, name, region in ZONES:
        organisation(session, authority, code, "zone", name, region=region)
        _staff(session, authority, code, "zone")
    for number, one in enumerate(APPLICANTS):
        applicant(session, authority, one, number)
        _staff(session, authority, one.code, "applicant", PEOPLE["applicant"] if one.code == "haidai" else SMALL_STAFF)
    _experts(session, authority)
    return authority


def applicant(session: Session, authority: Authority, one: Applicant, number: int) -> Organisation:
    """Enter an institution with everything a qualification check reads."""
    parent = find(session, authority, one.parent) if one.parent else None
    registered = clock.today() - timedelta(days=one.days) if one.days is not None else date(1990 + number % 25, 5, 4)
    return organisation(
        session,
        authority,
        one.code,
        one.kind,
        one.name,
        region=one.region,
        parent=parent,
        parent_id=parent.id if parent else None,
        uscc=uscc(number + 1),
        registered_on=registered,
        attributes={"legalPerson": True, "zone": one.zone, "planCity": one.city, "fictional": True},
    )


def organisation(
    session: Session, authority: Authority, code: str, kind: str, name: str, **details: Any
) -> Organisation:
    """An organisation by its code; the first time, enter it."""
    found = find(session, authority, code)
    return found or identity.create_organisation(session, authority, code, kind, name, **details)


def find(session: Session, authority: Authority, code: str) -> Organisation | None:
    """An organisation of the demonstration, if it is there."""
    return session.scalar(
        select(Organisation).where(Organisation.authority_id == authority.id, Organisation.code == code)
    )


def account(
    session: Session, authority: Authority, username: str, name: str, roles: Sequence[tuple[Organisation, str]]
) -> User:
    """An account by its name; the first time, open it with the demo password and its roles."""
    user = session.scalar(select(User).where(User.username == username))
    if user is None:
        user = identity.create_user(session, authority, username, name, email=f"{username}@guohe.invalid")
        user.password_hash = _demo_hash()
        for place, role in roles:
            identity.add_membership(session, user, place, role)
    return user


def _staff(
    session: Session,
    authority: Authority,
    code: str,
    party: str | None = None,
    people: Sequence[tuple[str, str]] | None = None,
) -> None:
    """Give an organisation one person for each role: ``haidai.drafter``."""
    place = find(session, authority, code)
    assert place is not None
    surname = SURNAMES[sum(code.encode()) % len(SURNAMES)]
    for stem, roles in people if people is not None else PEOPLE[party or code]:
        held = [(place, role) for role in roles.split()]
        account(session, authority, f"{code}.{stem}", surname + GIVEN[stem], held)


def _experts(session: Session, authority: Authority) -> None:
    pool = find(session, authority, "experts")
    assert pool is not None
    for number, (name, employer, title, fields) in enumerate(EXPERTS, start=1):
        roles = ["experts.reviewer", "experts.visitor"] + (["experts.chair"] if number <= 6 else [])
        user = account(session, authority, f"expert{number:02d}", name, [(pool, role) for role in roles])
        works_at = find(session, authority, employer) or organisation(
            session, authority, f"employer{number:02d}", "institute", employer, attributes={"fictional": True}
        )
        if session.get(Expert, user.id) is None:
            session.add(
                Expert(
                    user_id=user.id,
                    authority_id=authority.id,
                    employer_id=works_at.id,
                    title=title,
                    fields=list(fields),
                )
            )
    session.flush()


_hash: list[str] = []


def _demo_hash() -> str:
    """One hash for all demo accounts: a slow hash for each of a hundred would take longer than everything else."""
    if not _hash:
        _hash.append(identity.HASHER.hash(PASSWORD))
    return _hash[0]


_DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def uscc(number: int) -> str:
    """A made-up 统一社会信用代码 with a right check digit; its registration office 999999 does not exist."""
    body = f"91999999{number:09d}"
    total = sum(_DIGITS.index(digit) * pow(3, place, 31) for place, digit in enumerate(body))
    return body + _DIGITS[(31 - total % 31) % 31]

"""Pictures of the pages for the guides: ``python -m tests.browser.pictures [name …]``.

Loads the demonstration into a folder of its own, brings more fictional cases to the steps the guides speak of, and
takes each picture as the person who works there sees the page. Writes ``docs/images/<name>.png``.
"""

from __future__ import annotations

import argparse
import hashlib
import html
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

from playwright.sync_api import sync_playwright
from sqlalchemy import select

from service import clock, config, workdays
from service.commands.cases import messages
from service.commands.inbox import tasks
from service.commands.people import identity
from service.commands.procedures import workshop
from service.commands.procedures.workshop import Change
from service.db import Database
from service.demo import accounts
from service.demo.cases import Player
from service.models import Authority, Deployment, Instance, Task, User
from service.models.register import Base, RecommenderLink
from service.upkeep import Upkeep
from tests.browser.conftest import FLAGS, Site, Visitor

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "images"
LARGEST = 200 * 1024
"""Bytes of a picture."""

# code, name, region, working days since the application, the step it has come to
APPLICATIONS = (
    ("canglan", "沧澜大学（虚构）", "浙江", 12, "check_form", "university"),
    ("yunmeng", "云梦生物技术研究所（虚构）", "湖北", 9, "check_form", "institute"),
    ("shuofang", "朔方农业科学院（虚构）", "陕西", 7, "check_form", "institute"),
    ("penglai", "蓬莱海洋装备有限公司（虚构）", "辽宁", 4, "check_form", "enterprise"),
    ("taihu", "太湖水环境研究院（虚构）", "江苏", 2, "check_form", "institute"),
    ("xiling", "西泠新材料研究院（虚构）", "浙江", 0, "sign_recommendation", "institute"),
    ("jinggang", "井冈信息技术研究院（虚构）", "上海", 0, "declare_interest", "institute"),
    ("wuyi", "武夷植物研究所（虚构）", "广东", 0, "decide", "institute"),
    ("dunhuang", "敦煌数字技术研究院（虚构）", "四川", 0, "give_plaque", "institute"),
    ("luojia", "珞珈遥感研究院（虚构）", "湖北", 0, "invite_alliance", "institute"),
)
FIRST = 700
"""Numbers of the social credit codes of these institutions; the demonstration itself uses others."""


def working_days_ago(n: int) -> datetime:
    """Ten in the morning in Beijing, n working days ago."""
    day: date = workdays.add(clock.today(), -n) if n else clock.today()
    return datetime.combine(day, time(2, 0), UTC)


def prepare(folder: Path) -> tuple[Database, config.Settings]:
    """A demonstration with cases at every step that is shown."""
    environment = {
        "GUOHE_DATA": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/guohe.db",
        "GUOHE_DEMO": "1",
        "GUOHE_UNDO_SECONDS": "0",
    }
    subprocess.run(
        [sys.executable, "-m", "service.cli", "demo"], cwd=ROOT, env={**os.environ, **environment}, check=True
    )
    settings = config.read(environment)
    database = Database(environment["DATABASE_URL"])
    player = Player(database, settings)
    for place, (code, name, region, days, until, kind) in enumerate(APPLICATIONS):
        with clock.travel(working_days_ago(days)):
            _institution(database, accounts.Applicant(code, kind, name, region), FIRST + place)
            player.play(code, until=until)
    player.play("shili", until="draft_application")
    _hand_in_without_projects(database, player, "shili.drafter")
    _not_filed(database, player)
    _take_all(database, "coop.intake")
    _in_trouble(database, settings, "敦煌")
    _drafts(database)
    return database, settings


DIAGRAM = "processes/demonstration_base/demonstration_base.bpmn"
DEADLINES = "processes/rules/deadlines.dmn"
LONGER, MISSPELT = "推荐审核期限延长", "还没改完的草稿"
"""Working copies: one that gives the recommending department more time, and one with a slip of the pen."""


def _drafts(database: Database) -> None:
    with database.transaction() as session:
        owner = session.scalars(select(User).where(User.username == "platform.owner")).one()
        deployed = session.scalars(select(Deployment).order_by(Deployment.id.desc())).first()
        assert deployed is not None
        for name, path, before, after in (
            (LONGER, DEADLINES, b"<text>15</text>", b"<text>20</text>"),
            (MISSPELT, DIAGRAM, b"deadlines.recommendDays", b"deadlines.recomendDays"),
        ):
            copy = workshop.create(session, name, user=owner, deployment_id=deployed.id)
            content = workshop.files(session, copy)[path]
            assert before in content
            change = Change(content.replace(before, after, 1), hashlib.sha256(content).hexdigest())
            workshop.save(session, copy.id, {path: change}, user=owner, kind="save", comment=name)


def _institution(database: Database, one: accounts.Applicant, number: int) -> None:
    with database.transaction() as session:
        authority = session.scalars(select(Authority).where(Authority.code == accounts.AUTHORITY)).one()
        place = accounts.applicant(session, authority, one, number)
        for stem, role in accounts.PEOPLE["applicant"]:
            user = accounts.account(session, authority, f"{one.code}.{stem}", one.name[0] + accounts.GIVEN[stem], [])
            identity.add_membership(session, user, place, role)


def _hand_in_without_projects(database: Database, player: Player, username: str) -> None:
    """An application whose only project is of no national or provincial level: a criterion is not met."""
    with database.transaction() as session:
        user = session.scalars(select(User).where(User.username == username)).one()
        task = session.scalars(
            select(Task).where(Task.element_id == "draft_application", Task.status == "open").order_by(Task.id.desc())
        ).first()
        assert task is not None
        application = player._application(session, user)
        application["projects"][0] |= {"level": "other", "programme": "other"}
        tasks.complete(session, task.id, {"application": application}, user=user)
    player._work()


def _not_filed(database: Database, player: Player) -> None:
    """A base under notice whose plan and summary did not come in."""
    with database.transaction() as session:
        base = session.scalars(select(Base).where(Base.name.contains("已被通报"))).one()
        link = session.scalars(select(RecommenderLink).where(RecommenderLink.base_id == base.id)).first()
        owner = session.scalars(select(User).where(User.username == "platform.owner")).one()
        assert link is not None
        year = clock.today().year
        messages.publish(
            session,
            "assessment_due",
            f"{year}/{base.number}",
            {
                "assessmentYear": year,
                "baseNumber": base.number,
                "parties": {"applicant": base.host.code, "recommender": link.organisation.code},
                "profile": "strict",
            },
            user=owner,
        )
    player._work()


def _take_all(database: Database, username: str) -> None:
    """Claim everything offered to somebody."""
    with database.transaction() as session:
        user = session.scalars(select(User).where(User.username == username)).one()
        held = {(one.organisation_id, one.role) for one in user.memberships}
        for task in session.scalars(select(Task).where(Task.status == "open")).all():
            if any((one.organisation_id, one.role) in held for one in task.candidates):
                tasks.claim(session, task.id, user=user)


def _in_trouble(database: Database, settings: config.Settings, institution: str) -> None:
    """A case whose state was damaged, as the self-check has found it."""
    with database.transaction() as session:
        case = session.scalars(select(Instance).where(Instance.title.contains(institution))).first()
        assert case is not None
        case.state = case.state[: len(case.state) // 2]
    upkeep = Upkeep(database, settings, "pictures")
    upkeep.beat()
    upkeep.check()
    upkeep.diagnose()


# How to come to a page


def at(path: str) -> Callable[[Visitor], None]:
    """A page by its address."""

    def go(visitor: Visitor) -> None:
        visitor.go(path)

    return go


def finding(words: str) -> Callable[[Visitor], None]:
    """The sign-in page, with a demo account looked up."""

    def go(visitor: Visitor) -> None:
        visitor.go("/sign-in")
        visitor.page.locator("#find").fill(words)

    return go


def doing(name: str, case: str | None = None, show: str | None = None) -> Callable[[Visitor], None]:
    """The page of a task, scrolled so that the text ``show`` stands at its top."""

    def go(visitor: Visitor) -> None:
        visitor.open_task(name, case).page.reload()
        visitor.ready()
        if show:
            _scroll(visitor, show)

    return go


def case_of(institution: str) -> Callable[[Visitor], None]:
    """The file of an institution's case."""

    def go(visitor: Visitor) -> None:
        visitor.go(f"/cases?q={institution}")
        visitor.page.locator("main table a").first.click()
        visitor.page.wait_for_url("**/cases/*")

    return go


def stuck(repair: str | None = None) -> Callable[[Visitor], None]:
    """Why the first of the stuck cases is stuck, or what a repair would do to it."""

    def go(visitor: Visitor) -> None:
        visitor.go("/cockpit/")
        visitor.page.locator("#stuck-panel table a.main").first.click()
        visitor.page.locator("[data-cockpit-diagram] svg").first.wait_for()
        if repair:
            visitor.page.locator("aside .plain-list a", has_text=repair).first.click()
            visitor.page.get_by_role("button", name="预演（不写入、不发送）").click()
            visitor.page.locator(".before-after").wait_for()

    return go


def base_of(words: str) -> Callable[[Visitor], None]:
    """A base in the register."""

    def go(visitor: Visitor) -> None:
        visitor.go(f"/register?q={words}")
        visitor.page.locator("main table a").first.click()
        visitor.page.wait_for_url("**/register/*")

    return go


def drafted(name: str, path: str) -> Callable[[Visitor], None]:
    """A page of a working copy; ``{copy}`` in the path stands for its number."""

    def go(visitor: Visitor) -> None:
        visitor.page.set_default_timeout(180_000)
        visitor.go("/modeler")
        found = visitor.page.get_by_role("link", name=name).first.get_attribute("href") or ""
        visitor.go(path.format(copy=found.rpartition("/")[2]))
        visitor.page.wait_for_load_state("networkidle")

    return go


def editing(name: str, path: str, element: str) -> Callable[[Visitor], None]:
    """A diagram of a working copy in its editor, with an element chosen and the findings listed."""

    def go(visitor: Visitor) -> None:
        drafted(name, f"/modeler/{{copy}}/files/{path}#{element}")(visitor)
        visitor.page.locator("[data-editor]:not([aria-busy])").wait_for()
        visitor.page.locator("[data-check-list] .finding").first.wait_for()
        visitor.page.locator("[data-group-id='group-guohe-term'] .bio-properties-panel-group-header").click()

    return go


def sent_by_modeler(before: bytes, after: bytes) -> Callable[[Visitor], str]:
    """Deploy a diagram by the call that the desktop modeler's button makes; the answer as it comes over the wire."""

    def go(visitor: Visitor) -> str:
        content = Path(ROOT, DIAGRAM).read_bytes()
        assert before in content
        name = DIAGRAM.rpartition("/")[2]
        file = {"name": name, "mimeType": "text/xml", "buffer": content.replace(before, after, 1)}
        answer = visitor.page.request.post(
            f"{visitor.site.url}/v2/deployments",
            headers={
                "Authorization": "Basic " + b64encode(f"platform.owner:{accounts.PASSWORD}".encode()).decode(),
                "Accept": "application/json",
            },
            multipart={"resources": file},
            timeout=120_000,
        )
        return f"HTTP {answer.status} {answer.status_text}\n\n{json.dumps(answer.json(), ensure_ascii=False, indent=2)}"

    return go


def deployed_from_modeler(visitor: Visitor) -> None:
    """The list of versions, after a deploy from the desktop."""
    send = sent_by_modeler('name="内部审核"'.encode(), 'name="本机构内部审核"'.encode())
    assert send(visitor).startswith("HTTP 200")
    visitor.go("/modeler")
    visitor.page.locator("#deployed-title").scroll_into_view_if_needed()


def refused_to_modeler(visitor: Visitor) -> None:
    """What the desktop modeler is answered where a diagram is wrong."""
    answer = sent_by_modeler(b"deadlines.recommendDays)", b"deadlines.recommendDays +)")(visitor)
    assert answer.startswith("HTTP 400")
    visitor.page.goto("about:blank")
    lines = html.escape(answer.replace("\\n", "\n    "))
    visitor.page.set_content(
        f"<body style='margin:24px'><pre style='font:15px/1.6 monospace;white-space:pre-wrap'>{lines}</pre>"
    )


def trying(name: str, process_id: str) -> Callable[[Visitor], None]:
    """A try-out of a working copy that has come to its first form."""

    def go(visitor: Visitor) -> None:
        drafted(name, f"/modeler/{{copy}}/try?process={process_id}")(visitor)
        visitor.page.locator("main form button.btn-primary").first.click()
        visitor.page.locator("main button.btn-primary", has_text="发起").click()
        visitor.page.locator("[data-form] .fjs-form").first.wait_for()

    return go


def played(name: str, path: str) -> Callable[[Visitor], None]:
    """A scenario of a working copy, played."""

    def go(visitor: Visitor) -> None:
        drafted(name, f"/modeler/{{copy}}/scenarios/{path}")(visitor)
        visitor.page.locator(".page-head button.btn-primary").click()
        visitor.page.locator(".note-danger").wait_for()

    return go


def _scroll(visitor: Visitor, text: str) -> None:
    found = visitor.page.get_by_text(text, exact=False).first
    found.evaluate("element => window.scrollTo(0, element.getBoundingClientRect().top + window.scrollY - 110)")


@dataclass(frozen=True, slots=True)
class Picture:
    """Who looks at which page; nobody: without signing in."""

    who: str | None
    way: Callable[[Visitor], None]


PICTURES: dict[str, Picture] = {
    "sign-in": Picture(None, finding("示例")),
    "inbox": Picture("coop.intake", at("/inbox?box=mine")),
    "case": Picture("hongyan.drafter", case_of("鸿雁")),
    "applicant-start": Picture("haidai.drafter", at("/start")),
    "applicant-form": Picture("haidai.drafter", doing("填报申报材料")),
    "applicant-ineligible": Picture("shili.drafter", doing("查看未满足的条件")),
    "recommender-review": Picture("qd-kj.reviewer", doing("推荐审核")),
    "recommender-sign": Picture("zj-kj.signatory", doing("签署推荐意见", "西泠", "签署结论")),
    "ministry-formal": Picture("coop.intake", doing("形式审查", "云梦", "应备材料")),
    "ministry-decide": Picture("coop.signatory", doing("综合评价与决定", "武夷", "专家意见（参考")),
    "ministry-nonfiling": Picture("coop.assessor", doing("认定未报送情形", show="历年考核")),
    "register-base": Picture("coop.assessor", base_of("已被通报")),
    "expert-declare": Picture("", doing("声明利害关系")),
    "expert-score": Picture("", doing("独立评审打分", show="评分")),
    "secretariat-inbox": Picture("secretariat.officer", at("/inbox?box=group")),
    "secretariat-invite": Picture("secretariat.officer", doing("邀请加入基地联盟")),
    "cockpit-stuck": Picture("platform.admin", at("/cockpit/")),
    "cockpit-why": Picture("platform.admin", stuck()),
    "cockpit-repair": Picture("platform.admin", stuck("恢复状态")),
    "cockpit-heat": Picture("platform.admin", at("/cockpit/heat?process=formal_check")),
    "owner-finding": Picture("platform.owner", editing(MISSPELT, DIAGRAM, "review_recommendation")),
    "owner-tryout": Picture("platform.owner", trying(LONGER, "demonstration_base")),
    "owner-scenario": Picture(
        "platform.owner", played(LONGER, "processes/demonstration_base/scenarios/recommender_reminded.yaml")
    ),
    "owner-compare": Picture("platform.owner", drafted(LONGER, "/modeler/compare?from=d1&to=c{copy}")),
    "desktop-deployed": Picture("platform.owner", deployed_from_modeler),
    "desktop-refused": Picture("platform.owner", refused_to_modeler),
    "owner-publish": Picture("platform.owner", drafted(LONGER, "/modeler/{copy}/publish")),
}
ASSIGNED = {"expert-declare": "declare_interest", "expert-score": "score_application"}
"""Pictures whose person is whoever the step was given to."""


def who(database: Database, name: str) -> str | None:
    """The account that looks at a page."""
    if name not in ASSIGNED:
        return PICTURES[name].who
    with database.transaction(readonly=True) as session:
        asked = select(User.username).join(Task, Task.assignee_id == User.id)
        return session.scalars(asked.where(Task.element_id == ASSIGNED[name], Task.status == "open")).first()


def take(site: Site, names: list[str], target: Path) -> list[str]:
    """Write the pictures; return what the browser complained about."""
    complaints: list[str] = []
    path = os.environ.get("CHROME") or shutil.which("chromium") or "/usr/bin/chromium"
    target.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for name in names:
            visitor = Visitor(browser, site)
            person = who(site.database, name)
            if person:
                visitor.sign_in(person)
            PICTURES[name].way(visitor)
            visitor.page.wait_for_load_state("networkidle")
            visitor.page.evaluate("document.fonts.ready.then(() => document.activeElement?.blur())")
            visitor.page.wait_for_timeout(700)
            shot = packed(visitor.page.screenshot())
            Path(target, f"{name}.png").write_bytes(shot)
            complaints += [f"{name}: {one}" for one in visitor.unexpected()]
            if len(shot) > LARGEST:
                complaints.append(f"{name}: {len(shot)} bytes are more than {LARGEST}")
            visitor.context.close()
            print(target / f"{name}.png")
        browser.close()
    return complaints


def packed(png: bytes) -> bytes:
    """The same picture in the 256 colours it has most of: half the size, and no eye sees it."""
    width, height, depth, lines = _lines(png)
    counted: Counter[bytes] = Counter()
    rows = [[line[at : at + 3] for at in range(0, width * depth, depth)] for line in lines]
    for row in rows:
        counted.update(row)
    palette = [colour for colour, _ in counted.most_common(256)]
    nearest = {colour: place for place, colour in enumerate(palette)}
    for colour in counted.keys() - nearest.keys():
        nearest[colour] = min(
            range(len(palette)),
            key=lambda place: sum((a - b) ** 2 for a, b in zip(colour, palette[place], strict=True)),
        )
    pixels = b"".join(b"\0" + bytes(nearest[colour] for colour in row) for row in rows)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", b"".join(palette)),
        (b"IDAT", zlib.compress(pixels, 9)),
        (b"IEND", b""),
    )
    return png[:8] + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def _lines(png: bytes) -> tuple[int, int, int, list[bytes]]:
    """Width, height, bytes of a pixel and the unfiltered lines of a PNG of 8-bit channels, as browsers write it."""
    data, at = b"", 8
    width, height, _, colour = struct.unpack(">IIBB", png[16:26])
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += length + 12
    depth, raw = {2: 3, 6: 4}[colour], zlib.decompress(data)
    size = width * depth
    lines, above = [], bytes(size)
    for start in range(0, height * (size + 1), size + 1):
        kind, line = raw[start], bytearray(raw[start + 1 : start + 1 + size])
        for x in range(size) if kind else ():
            left = line[x - depth] if x >= depth else 0
            up, corner = above[x], above[x - depth] if x >= depth else 0
            if kind == 3:
                guess = (left + up) // 2
            elif kind == 4:
                guess = min((left, up, corner), key=lambda one: abs(left + up - corner - one))
            else:
                guess = left if kind == 1 else up
            line[x] = (line[x] + guess) & 255
        above = bytes(line)
        lines.append(above)
    return width, height, depth, lines


def main() -> int:
    """Take the named pictures, or all."""
    parser = argparse.ArgumentParser(description="Take pictures of the pages for docs/zh and the README.")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--to", type=Path, default=FOLDER)
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - PICTURES.keys()):
        parser.error(f"no such picture: {', '.join(unknown)}; there are {', '.join(PICTURES)}")
    with tempfile.TemporaryDirectory(prefix="pictures") as folder:
        database, settings = prepare(Path(folder))
        site = Site(database, settings)
        site.start()
        try:
            complaints = take(site, options.names or list(PICTURES), options.to)
        finally:
            site.stop()
            database.close()
    for one in complaints:
        print(one, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())

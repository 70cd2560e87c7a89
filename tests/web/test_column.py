"""The public column: everybody reads it without signing in, and may say something while a case listens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import select

from service import clock
from service.commands.bases import column
from service.commands.cases import messages
from service.models import Attachment, Authority, Instance, Notification, Organisation, PublishedMessage, User
from service.models.register import Base, ColumnArticle, RegisterEvent
from tests.commands.conftest import Office, diagram
from tests.engine.diagrams import ext
from tests.web.conftest import Browser, field, form, given, path_of, task, text

Open = Callable[..., Browser]
OBJECTION = form(
    "objection",
    field("textfield", "objector", "姓名或单位", validate={"required": True}),
    field("textarea", "content", "异议内容", validate={"required": True, "maxLength": 400}),
    field("attachments", "files", "证明材料"),
    {"type": "text", "id": "T", "text": "案号 {{caseNumber}}"},
)
NOTICED = diagram(
    '<startEvent id="s"/>'
    + task("wait", "公示", None, "coop.intake")
    + '<boundaryEvent id="b" name="提出异议" attachedToRef="wait" cancelActivity="false">'
    + ext(
        '<zeebe:properties><zeebe:property name="sender" value="public"/>'
        '<zeebe:property name="form" value="objection"/></zeebe:properties>'
    )
    + '<messageEventDefinition messageRef="m"/></boundaryEvent>'
    + task("examine", "核实异议", None, "coop.intake")
    + '<endEvent id="e"/><endEvent id="x"/>',
    "s -> wait -> e; b -> examine -> x",
    pid="noticed",
    globals='<message id="m" name="objected">'
    + ext('<zeebe:subscription correlationKey="=caseNumber"/>')
    + "</message>",
)


@pytest.fixture
def articles(office: Office) -> dict[str, int]:
    """A base, and articles: a notice of a case that listens, one withdrawn, one of another authority."""
    office.deploy(NOTICED, objection__form=OBJECTION)
    case = office.start("noticed")
    editor = office.people.user("editor", "secretariat.editor", name="编辑")
    with office.database.transaction() as session:
        owner = session.scalars(select(Authority).order_by(Authority.id)).first()
        assert owner is not None
        uni = session.query(Organisation).filter_by(code="uni").one()
        base = Base(
            authority_id=owner.id, number="DB-2024-007", name="海洋生物示范基地", type="DB", host_id=uni.id,
            region="山东", accredited_on=date(2024, 5, 6), accredited_under="2011",
        )  # fmt: skip
        session.add(base)
        session.flush()
        for words, public in (("认定为示范型基地", True), ("收到一份投诉", False)):
            session.add(
                RegisterEvent(
                    authority_id=owner.id, base_id=base.id, at=clock.now(), kind="x", text_zh=words, public=public
                )
            )
        other = Authority(code="local", name="地方", created_at=clock.now())
        session.add(other)
        session.flush()

        def publish(title: str, authority: Authority = owner, **more: int) -> ColumnArticle:
            return column.publish_article(
                session, authority_id=authority.id, section="notices", title=title, body="第一行\n<b>第二行</b>", **more
            )

        made = {
            "notice": publish("拟认定公示", instance_id=case),
            "gone": column.withdraw_article(
                session, publish("撤下的通知"), reason="过期", user=session.get_one(User, editor.id)
            ),
            "local": publish("地方的通知", other),
        }
        return {"case": case, **{name: one.id for name, one in made.items()}}


def test_everybody_reads_the_column_without_signing_in(browser: Open, articles: dict[str, int]) -> None:
    anybody = browser()
    for path in ("/column/", "/column/sections/notices"):
        page = text(anybody.get(path))
        assert "拟认定公示" in page
        assert "撤下的通知" not in page
        assert "地方的通知" not in page
    article = anybody.get(f"/column/articles/{articles['notice']}")
    assert "第一行" in article.text
    assert "&lt;b&gt;第二行" in article.text
    for hidden in ("gone", "local"):
        assert anybody.get(f"/column/articles/{articles[hidden]}").status_code == 404
    assert anybody.get("/column/sections/nonsense").status_code == 404
    assert "国合基地专栏" in text(anybody.get("/sign-in"))


@pytest.mark.usefixtures("articles")
def test_everybody_sees_of_a_base_what_is_public(browser: Open) -> None:
    anybody = browser()
    for path, found in (("", True), ("?type=DB", True), ("?type=IP", False), ("?q=海洋", True), ("?q=%25", False)):
        assert ("海洋生物示范基地" in text(anybody.get(f"/column/bases{path}"))) is found
    page = text(anybody.get("/column/bases/DB-2024-007"))
    assert "认定为示范型基地" in page
    assert "收到一份投诉" not in page
    assert anybody.get("/column/bases/DB-1").status_code == 404


def test_a_long_section_has_pages(office: Office, browser: Open, articles: dict[str, int]) -> None:
    with office.database.transaction() as session:
        owner = session.get_one(ColumnArticle, articles["notice"]).authority_id
        for number in range(30):
            column.publish_article(session, authority_id=owner, section="news", title=f"动态 {number:02}", body="")
    first = browser().get("/column/sections/news")
    assert "共 30 篇" in text(first)
    assert "动态 29" in first.text
    assert "动态 04" not in first.text
    onwards = first.text.split('rel="next" href="')[1].split('"')[0]
    second = text(browser().get(onwards.replace("&amp;", "&")))
    assert all(f"动态 {number:02}" in second for number in range(5))
    assert "动态 05" not in second
    assert browser().get("/column/sections/news?after=nonsense").status_code == 400


def test_anybody_objects_while_the_case_listens(office: Office, browser: Open, articles: dict[str, int]) -> None:
    anybody, case = browser(), articles["case"]
    address = f"/column/articles/{articles['notice']}"
    assert "提出异议" in text(anybody.get(address))
    opened = given(anybody.get(f"{address}/messages/objected"))
    assert opened["values"] == {}  # nothing of the case, though the form names one of its variables
    assert "attachments" not in [one["type"] for one in opened["schema"]["components"]]
    refused = anybody.send(f"{address}/messages/objected", {"objector": "某公民", "content": ""})
    assert refused.status_code == 422
    assert given(refused)["values"]["objector"] == "某公民"
    assert given(refused)["errors"] == {"content": ["此项必填。"]}
    said = {"objector": "某公民", "content": "成果系他人所有", "files": [{"id": 1, "name": "x.pdf"}], "status": "x"}
    sent = anybody.send(f"{address}/messages/objected", said)
    assert (sent.status_code, path_of(sent)) == (303, address)
    assert "已收到" in text(anybody.get(address))
    assert set(office.open(case)) == {"wait", "examine"}
    with office.database.transaction() as session:
        message = session.scalars(select(PublishedMessage)).one()
        assert message.published_by_id is None
        assert {"files", "status"}.isdisjoint(message.variables)
        assert session.scalars(select(Attachment)).all() == []
    office.do(case, "wait")
    assert "提出异议" not in text(anybody.get(address))
    assert anybody.get(f"{address}/messages/objected").status_code == 404
    assert anybody.send(f"{address}/messages/objected", said).status_code == 404


def test_a_case_takes_so_much_from_the_public_in_a_day(office: Office, browser: Open, articles: dict[str, int]) -> None:
    anybody, address = browser(), f"/column/articles/{articles['notice']}/messages/objected"
    said = {"objector": "某公民", "content": "请核实"}
    for _ in range(messages.PUBLIC_A_DAY):
        assert anybody.send(address, said).status_code == 303
    refused = anybody.send(address, said)
    assert refused.status_code == 429
    assert "此案今日收到的公众意见过多" in text(refused)
    with time_machine.travel(clock.now() + timedelta(days=1, minutes=1), tick=False):
        assert anybody.send(address, said).status_code == 303


def test_a_message_needs_the_token_of_the_page(app, articles: dict[str, int]) -> None:
    address = f"/column/articles/{articles['notice']}/messages/objected"
    assert app.test_client().post(address, data={"values": "{}"}).status_code in (302, 303, 400, 401)
    with app.extensions["guohe.database"].transaction() as session:
        assert session.scalars(select(PublishedMessage)).all() == []


def test_an_editor_withdraws_an_article_with_a_reason_that_the_case_keeps(
    office: Office, browser: Open, articles: dict[str, int]
) -> None:
    address = f"/column/articles/{articles['notice']}"
    for somebody in (browser(), browser("wang")):
        assert "撤下这篇文章" not in text(somebody.get(address))
    assert browser("wang").post(f"{address}/withdraw", reason="不妥").status_code == 403
    editor = browser("editor")
    assert "撤下这篇文章" in text(editor.get(address))
    at_work = editor.post(f"{address}/withdraw", reason="内容有误")
    assert at_work.status_code == 409
    assert "还在办理，不能撤下" in text(at_work)
    assert "内容有误" in text(at_work), "what was typed stays"
    with office.database.transaction() as session:
        case = session.get_one(Instance, articles["case"])
        case.status, case.ended_at = "completed", clock.now()
    assert editor.post(f"{address}/withdraw", reason=" ").status_code == 400
    done = editor.post(f"{address}/withdraw", reason="内容有误")
    assert (done.status_code, path_of(done)) == (303, "/column/sections/notices")
    assert browser().get(address).status_code == 404
    assert "拟认定公示" not in text(browser().get("/column/"))
    assert "专栏撤下：拟认定公示" in text(editor.get(f"/cases/{articles['case']}"))
    with office.database.transaction() as session:
        told = session.scalars(select(Notification.text_zh)).all()
        assert "“拟认定公示”已从专栏撤下。理由：内容有误" in told

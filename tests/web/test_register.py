"""The register: the list for everybody inside, a base's file for those it concerns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from service.commands.bases import column, cooperation, register, sanctions
from service.models import Authority, Organisation, User
from service.models.register import AnnualResult, Base, BaseField, Document, RegisterEvent
from service.storage import Folder
from tests.commands.conftest import END, START, Office, diagram
from tests.conftest import People
from tests.web.conftest import Browser, task, text

Open = Callable[..., Browser]


@pytest.fixture
def base(people: People) -> int:
    """A base with a failed year, a public line and one that is not."""
    people.user("desk", "coop.assessor", name="林评")
    people.user("host", "applicant.director@uni", name="主任")
    people.user("stranger", "applicant.drafter@elsewhere", name="外人")
    with people.database.transaction() as session:
        owner = session.query(Authority).one()
        uni = session.query(Organisation).filter_by(code="uni").one()
        made = Base(
            authority_id=owner.id,
            number="DB-2024-007",
            name="海洋生物示范基地",
            type="DB",
            host_id=uni.id,
            region="山东",
            accredited_on=date(2024, 5, 6),
            accredited_under="2011年《管理办法》",
            fields=[BaseField(code="space", authority_id=owner.id)],
        )
        session.add(made)
        session.flush()
        session.add(
            AnnualResult(
                authority_id=owner.id, base_id=made.id, year=2025, grade="failed", result="fail",
                confirmed_on=date(2026, 3, 1), reason="未报送年度总结",
            )
        )  # fmt: skip
        from service import clock

        for words, public in (("认定为示范型基地", True), ("收到一份投诉", False)):
            session.add(
                RegisterEvent(
                    authority_id=owner.id, base_id=made.id, at=clock.now(), kind="x", text_zh=words, public=public
                )
            )
        return made.id


@pytest.mark.usefixtures("base")
def test_everybody_inside_sees_the_list(browser: Open) -> None:
    page = text(browser("stranger").get("/register"))
    assert "海洋生物示范基地" in page
    assert "示范型国际科技合作基地" in page
    assert "空间和海洋" in page
    assert "2024" in page


@pytest.mark.usefixtures("base")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=海洋", True), ("q=DB-2024", True), ("q=nothing", False), ("type=DB", True), ("type=IP", False),
        ("field=space", True), ("field=energy", False), ("region=山东", True), ("region=北京", False),
        ("status=revoked", False), ("status=nonsense", True), ("year=2024", True), ("year=abcd", True),
        ("sort=year", True), ("sort=nonsense", True), ("after=nonsense", True), ("q=%25", False),
    ],
)  # fmt: skip
def test_the_list_is_filtered(browser: Open, query: str, found: bool) -> None:
    answer = browser("desk").get(f"/register?{query}")
    assert answer.status_code == 200
    assert ("海洋生物示范基地" in text(answer)) is found
    if not found and "status" not in query:
        assert "没有符合条件的基地" in text(answer)


@pytest.mark.usefixtures("base")
@pytest.mark.parametrize("reader", ["desk", "host"])
def test_whom_it_concerns_sees_the_whole_file(browser: Open, reader: str) -> None:
    page = text(browser(reader).get("/register/DB-2024-007"))
    assert "不合格" in page
    assert "未报送年度总结" in page
    assert "收到一份投诉" in page


@pytest.mark.usefixtures("base")
def test_others_see_what_is_public(browser: Open) -> None:
    page = text(browser("stranger").get("/register/DB-2024-007"))
    assert "认定为示范型基地" in page
    assert "收到一份投诉" not in page
    assert "不合格" not in page


def test_a_base_of_the_trial_measures_stays_and_says_so(people: People, browser: Open, base: int) -> None:
    with people.database.transaction() as session:
        kept = session.get_one(Base, base)
        kept.accredited_under, kept.accredited_on = "trial", date(2008, 5, 6)
    desk = browser("desk")
    assert "海洋生物示范基地" in text(desk.get("/register?year=2008"))
    assert "《国际科技合作基地管理办法（试行）》" in text(desk.get("/register/DB-2024-007"))


def test_the_file_tells_why_a_base_was_commended_and_its_place_in_the_alliance(
    people: People, browser: Open, base: int
) -> None:
    with people.database.transaction() as session:
        kept = session.get_one(Base, base)
        column.answer_invitation(
            session, kept, joins=True, on=date(2025, 1, 2), working_group="海洋工作组", representative="周主任"
        )
        sanctions.commend(session, kept, 2024, reason="示范作用突出", decided_on=date(2025, 6, 1))
    page = text(browser("host").get("/register/DB-2024-007"))
    for said in ("海洋工作组", "周主任", "示范作用突出"):
        assert said in page
        assert said not in text(browser("stranger").get("/register/DB-2024-007"))


def test_the_file_shows_partners_with_their_plaques_inspections_plans_and_what_was_withdrawn(
    people: People, browser: Open, base: int
) -> None:
    editor = people.user("editor", "secretariat.editor")
    with people.database.transaction() as session:
        kept = session.get_one(Base, base)
        kept.type = "JC"
        partner = cooperation.add_partner(session, kept, name="柏林研究所", country="德国")
        plaque = cooperation.request_plaque(session, kept, partner)
        cooperation.move_plaque(session, plaque, "recognised", on=date(2025, 4, 5))
        cooperation.inspect(session, kept, kept.host, inspected_on=date(2025, 6, 7), findings="项目按计划推进")
        register.adopt_plan(session, kept, goals="共建联合实验室", effective_on=date(2025, 1, 1))
        cooperation.decide_talent(
            session,
            cooperation.nominate_talent(session, kept, name="某教授", nominated_on=date(2025, 2, 3)),
            supported=False,
            decided_on=date(2025, 3, 4),
        )
        article = column.publish_article(
            session, authority_id=kept.authority_id, section="news", title="开放实验室", body="", base=kept
        )
        column.withdraw_article(session, article, reason="内容有误", user=session.get_one(User, editor.id))
    page = text(browser("desk").get("/register/DB-2024-007"))
    for said in (
        "柏林研究所 德国 外方已认可 2025-04-05",
        "项目按计划推进",
        "共建联合实验室",
        "某教授 未入选",
        "开放实验室 已撤下",
    ):
        assert said in page, said
    stranger = text(browser("stranger").get("/register/DB-2024-007"))
    assert "柏林研究所" not in stranger
    assert "开放实验室" not in stranger


def test_the_history_leads_to_the_case_that_caused_it(people: People, browser: Open, base: int, office: Office) -> None:
    office.deploy(diagram(START + task("a", "办理", None, "coop.intake") + END, "s -> a -> e"))
    case = office.start()
    with people.database.transaction() as session:
        session.query(RegisterEvent).filter_by(base_id=base).update({"instance_id": case})
    link = f'href="/cases/{case}"'
    assert browser("desk").get("/register/DB-2024-007").text.count(link) == 2
    assert link not in browser("stranger").get("/register/DB-2024-007").text


@pytest.mark.usefixtures("base")
def test_a_local_authority_reads_its_own_register_and_no_national_base(people: People, browser: Open) -> None:
    """Article 21: local bases and the national ones never mix."""
    people.authority("sd")
    people.user("local", "coop.assessor", authority="sd")
    page = text(browser("local").get("/register"))
    assert "sd国际科技合作基地名录" in page
    assert "不在国家名录之内" in page
    assert "海洋生物示范基地" not in page
    assert "国家国际科技合作基地名录" in text(browser("desk").get("/register"))


@pytest.mark.usefixtures("base")
def test_the_list_is_narrowed_to_what_concerns_ones_own_organisation(browser: Open) -> None:
    for reader, found in (("host", True), ("stranger", False)):
        page = browser(reader).get("/register?scope=ours&year=2024")
        assert ("海洋生物示范基地" in text(page)) is found
        assert '<option value="ours" selected>' in page.text
        assert '<input type="hidden" name="year" value="2024">' in page.text


@pytest.mark.usefixtures("base")
def test_a_state_without_bases_is_no_empty_register(browser: Open) -> None:
    page = text(browser("desk").get("/register?status=revoked"))
    assert "没有符合条件的基地" in page
    assert "名录中还没有基地" not in page


@pytest.mark.usefixtures("base")
def test_an_unknown_number_is_not_found(browser: Open) -> None:
    assert browser("desk").get("/register/DB-1999-001").status_code == 404


def test_an_empty_register_says_so(people: People, browser: Open) -> None:
    people.user("desk", "coop.assessor")
    assert "名录中还没有基地" in text(browser("desk").get("/register"))


def test_documents_are_given_to_whom_they_concern(people: People, browser: Open, base: int, app: object) -> None:
    import io

    from service import config

    settings: config.Settings = app.config["GUOHE"]  # type: ignore[attr-defined]
    stored = Folder(settings.files).put(io.BytesIO(b"PK document"), limit=1000)
    with people.database.transaction() as session:
        owner = session.query(Authority).one()
        shared = {
            "authority_id": owner.id, "kind": "accreditation",
            "title": "认定通知", "issued_on": date(2024, 5, 6), "file_name": "认定通知.docx", "size": 11,
            "media_type": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "sha256": stored.sha256, "storage_key": stored.key, "base_id": base,
        }  # fmt: skip
        inner = Document(number="国科外〔2024〕7号", public=False, **shared)
        outer = Document(number="国科外〔2024〕8号", public=True, **shared)
        session.add_all([inner, outer])
        session.flush()
        inner_id, outer_id = inner.id, outer.id
    desk, stranger = browser("desk"), browser("stranger")
    given = desk.get(f"/documents/{inner_id}")
    assert given.data == b"PK document"
    assert given.headers["Content-Disposition"].startswith("attachment")
    assert stranger.get(f"/documents/{inner_id}").status_code == 404
    assert stranger.get(f"/documents/{outer_id}").status_code == 200
    assert "国科外〔2024〕7号" in text(desk.get("/register/DB-2024-007"))

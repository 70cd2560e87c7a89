"""Bases, documents, results, sanctions and what bases do, on both databases."""

from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from service import errors
from service.commands.administration import audit
from service.commands.bases import column, cooperation, documents, register, sanctions
from service.models import AuditRecord
from service.models.register import AllianceMember, ColumnArticle, ForeignPlaque, Plaque, Sanction
from service.queries import column as public
from service.queries import register as asked


@pytest.fixture
def host(session, people):
    return people.organisation(
        "uni", name="虚构大学", region="山东", uscc="91370000MA00000001", registered_on=date(2001, 2, 3)
    )


@pytest.fixture
def province(session, people):
    return people.organisation("sd-kj", kind="provincial_department", name="虚构省科技厅", region="山东")


@pytest.fixture
def base(session, host, province):
    return make(session, host, province)


def make(session, host, province, **changes):
    values = {
        "type": "DB",
        "name": "虚构示范基地",
        "host": host,
        "recommender": province,
        "relation": "territory",
        "fields": ["health", "energy"],
        "decided_on": date(2024, 5, 6),
    }
    return register.register_base(session, **{**values, **changes})


def test_a_new_base_has_a_number_its_recommender_and_a_line_of_history(session, base, province):
    assert base.number == "DB2024001"
    assert [one.code for one in base.fields] == ["energy", "health"]
    assert base.accredited_under == "2011"
    assert asked.recommender(session, base, date(2024, 5, 6)).organisation is province
    (line,) = asked.history(session, base)
    assert (line.kind, line.text_zh) == ("accredited", "认定为示范型国际科技合作基地")


def test_accreditation_leaves_the_affiliation_of_the_host_alone(session, people, province):
    academy = people.organisation("academy", name="虚构科学院")
    host = people.organisation("institute", name="虚构研究所", parent=academy, region="山东")
    make(session, host, province)
    session.flush()
    session.refresh(host)
    assert host.parent is academy


def test_a_base_number_is_never_given_twice(session, host, province):
    numbers = [make(session, host, province, name=f"基地{n}").number for n in range(3)]
    numbers.append(make(session, host, province, type="TT").number)
    assert numbers == ["DB2024001", "DB2024002", "DB2024003", "TT2024001"]


@pytest.mark.parametrize(("change", "field"), [({"type": "XX"}, "type"), ({"fields": ["moon"]}, "fields")])
def test_an_unknown_type_or_field_is_refused(session, host, province, change, field):
    with pytest.raises(errors.InvalidInput) as caught:
        make(session, host, province, **change)
    assert caught.value.field == field


def test_a_recommender_of_another_authority_is_refused(session, people, host):
    local = people.organisation("local", authority="sd", name="某省自建")
    with pytest.raises(errors.InvalidInput):
        make(session, host, local)


def test_a_change_of_recommender_counts_from_its_day(session, people, base, province):
    ministry = people.organisation("moe", kind="department", name="虚构部委")
    register.change_recommender(session, base, ministry, "affiliation", since=date(2026, 1, 1))
    assert asked.recommender(session, base, date(2025, 12, 31)).organisation is province
    assert asked.recommender(session, base, date(2026, 1, 1)).organisation is ministry
    with pytest.raises(errors.InvalidInput):
        register.change_recommender(session, base, province, "territory", since=date(2026, 1, 1))


def test_a_change_keeps_what_was_before(session, base):
    register.change_base(session, base, name="新名称", fields=["health", "space"])
    newest = asked.history(session, base)[0]
    assert newest.data["before"] == {"name": "虚构示范基地", "fields": ["energy", "health"]}
    assert sorted(one.code for one in base.fields) == ["health", "space"]


def test_leaving_bans_nobody(session, base, host):
    register.give_plaque(session, base, inscription="示范型国际科技合作基地", given_on=date(2024, 6, 1))
    register.leave(session, base, on=date(2025, 3, 1), reason="调整方向")
    assert base.status == "exited"
    assert session.scalars(select(Plaque.withdrawn_on)).all() == [date(2025, 3, 1)]
    assert not asked.is_banned(session, base.authority_id, host.uscc, date(2025, 3, 2))
    with pytest.raises(errors.Conflict):
        register.leave(session, base, on=date(2025, 3, 2))


def test_document_numbers_run_by_series_and_year(session, people):
    coop = people.organisation("coop", name="国际合作司", attributes={"documentSeries": {"accreditation": "国科外基"}})
    most = people.organisation("most", name="科技部")
    take = documents.next_document_number
    assert take(session, [coop], "accreditation", on=date(2026, 1, 1)) == "国科外基〔2026〕1号"
    assert take(session, [coop, most], "accreditation", on=date(2026, 12, 31)) == "国科外基〔2026〕2号"
    assert take(session, [coop], "accreditation", on=date(2027, 1, 1)) == "国科外基〔2027〕1号"
    assert take(session, [most, coop], "accreditation", on=date(2026, 5, 5)) == "most〔2026〕1号"
    with pytest.raises(errors.InvalidInput):
        take(session, [], "accreditation", on=date(2026, 5, 5))


def test_numbers_taken_at_the_same_time_differ_and_one_undone_leaves_no_gap(database, people):
    coop = people.organisation("coop", name="国际合作司")
    given: list[str] = []
    lock = threading.Lock()

    def take(undo: bool) -> None:
        try:
            with database.transaction() as session:
                number = documents.next_document_number(session, [coop], "notice", on=date(2026, 3, 1))
                if undo:
                    raise RuntimeError("undone")
        except RuntimeError:
            return
        with lock:
            given.append(number)

    threads = [threading.Thread(target=take, args=(n % 3 == 0,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == sorted(f"coop〔2026〕{n}号" for n in range(1, 9))


def fail(session, base, *years):
    for year in years:
        sanctions.record_result(session, base, year, grade="failed", result="fail", confirmed_on=date(year + 1, 5, 1))


def test_a_year_has_one_result(session, base):
    fail(session, base, 2023)
    with pytest.raises(errors.Conflict):
        fail(session, base, 2023)
    assert asked.results(session, base) == [{"year": 2023, "grade": "failed", "result": "fail"}]


def test_a_base_never_reprimanded_cannot_be_revoked(session, base):
    sanctions.record_violation(
        session, base, category="fraud", serious=True, facts="虚构事实", found_on=date(2026, 1, 1)
    )
    with pytest.raises(errors.Conflict, match="第十三条"):
        sanctions.revoke(session, base, decided_on=date(2026, 2, 1), reason="……")
    assert base.status == "active"


def test_a_base_whose_notice_was_lifted_cannot_be_revoked(session, base):
    sanctions.reprimand(session, base, 2023, issued_on=date(2024, 6, 1))
    assert sanctions.lift_notices(session, base, on=date(2025, 6, 1), passed_year=2024) == 1
    with pytest.raises(errors.Conflict):
        sanctions.revoke(session, base, decided_on=date(2026, 2, 1), reason="……")


def test_a_revoked_base_leaves_alliance_and_plaques_behind(session, host, province):
    base = make(session, host, province, type="JC")
    register.give_plaque(session, base, inscription="国际联合研究中心", given_on=date(2024, 6, 1))
    column.answer_invitation(session, base, joins=True, on=date(2024, 7, 1))
    partner = cooperation.add_partner(session, base, name="外方大学", country="德国")
    cooperation.request_plaque(session, base, partner)
    sanctions.reprimand(session, base, 2025, issued_on=date(2026, 1, 5))
    sanctions.revoke(session, base, decided_on=date(2026, 2, 1), reason="严重违纪违规")
    session.expire_all()
    assert (base.status, base.ended_on) == ("revoked", date(2026, 2, 1))
    assert session.scalars(select(AllianceMember.status)).all() == ["left"]
    assert session.scalars(select(ForeignPlaque.status)).all() == ["ended"]
    assert session.scalars(select(Sanction.kind)).all() == ["revocation"]
    with pytest.raises(errors.Conflict):
        sanctions.revoke(session, base, decided_on=date(2026, 2, 2), reason="again")


def test_a_base_and_year_has_one_notice(session, base):
    sanctions.reprimand(session, base, 2023, issued_on=date(2024, 6, 1))
    with pytest.raises(errors.Conflict):
        sanctions.reprimand(session, base, 2023, issued_on=date(2024, 6, 2))


def test_a_ban_ends_2027_03_15_and_an_application_on_the_16th_is_accepted(session, host):
    sanctions.ban(session, host, start_on=date(2024, 3, 15), last_on=date(2027, 3, 15))
    barred = [
        asked.is_banned(session, host.authority_id, host.uscc.lower(), day)
        for day in (date(2024, 3, 14), date(2024, 3, 15), date(2027, 3, 15), date(2027, 3, 16))
    ]
    assert barred == [False, True, True, False]


def test_a_ban_binds_the_legal_entity_under_any_name(session, people, host):
    sanctions.ban(session, host, start_on=date(2026, 1, 1), last_on=date(2029, 1, 1))
    renamed = people.organisation("uni2", name="改名大学", uscc=host.uscc)
    assert asked.is_banned(session, host.authority_id, renamed.uscc, date(2026, 6, 1))
    with pytest.raises(errors.InvalidInput):
        sanctions.ban(session, people.organisation("office"), start_on=date(2026, 1, 1), last_on=date(2029, 1, 1))


def test_a_ban_runs_out_by_date_and_its_file_is_closed_once(session, host):
    banned = sanctions.ban(session, host, start_on=date(2020, 1, 1), last_on=date(2023, 1, 1))
    first = sanctions.release_ban(session, banned).released_at
    assert sanctions.release_ban(session, banned).released_at == first


def test_a_report_without_the_signed_opinion_of_the_recommender_is_refused(session, base):
    with pytest.raises(errors.InvalidInput):
        sanctions.record_report(session, base, 2025, status="accepted", opinion="同意")
    sanctions.record_report(session, base, 2025, status="overdue")
    late = sanctions.record_report(
        session, base, 2025, status="late", opinion="同意", signatory="王某", signed_on=date(2026, 4, 9)
    )
    assert late.status == "late"


def project(session, host, **changes):
    values = {
        "number": "P-1",
        "name": "虚构项目",
        "programme": "special",
        "level": "national",
        "starts_on": date(2025, 1, 1),
        "special": True,
    }
    return cooperation.add_project(session, host, **{**values, **changes})


def test_only_a_bases_project_listed_in_the_special_programme_is_matched(session, base, host, province):
    listed = project(session, host, base=base)
    fund = cooperation.promise_funds(session, listed, province, promised=Decimal("50"), due_on=date(2025, 12, 31))
    assert asked.shortfalls(session, base.authority_id, date(2026, 1, 1)) == [fund]
    cooperation.pay_funds(session, fund, paid=Decimal("50"), paid_on=date(2026, 1, 2))
    session.flush()
    assert asked.shortfalls(session, base.authority_id, date(2026, 1, 3)) == []
    unlisted = project(session, host, base=base, number="P-2", programme="provincial", special=False)
    with pytest.raises(errors.Conflict):
        cooperation.promise_funds(session, unlisted, province, promised=Decimal("50"))
    with pytest.raises(errors.InvalidInput):
        project(session, host, number="P-3", programme="other", special=True)
    with pytest.raises(errors.Conflict):
        project(session, host, number="P-1")


def test_only_joint_centres_have_plaques_abroad_and_a_refusal_changes_nothing_at_home(session, base, host, province):
    with pytest.raises(errors.Conflict):
        cooperation.request_plaque(session, base, cooperation.add_partner(session, base, name="x", country="法国"))
    centre = make(session, host, province, type="JC")
    partner = cooperation.add_partner(session, centre, name="外方大学", country="德国")
    assert cooperation.add_partner(session, centre, name="外方大学", country="德国") is partner
    plaque = cooperation.request_plaque(session, centre, partner)
    cooperation.move_plaque(session, plaque, "refused", on=date(2026, 1, 1))
    assert centre.status == "active"


def test_an_invitation_is_given_once(session, base):
    column.invite_to_alliance(session, base, on=date(2026, 1, 1))
    column.invite_to_alliance(session, base, on=date(2026, 1, 2))
    column.answer_invitation(session, base, joins=True, on=date(2026, 1, 3))
    column.leave_alliance(session, base, on=date(2026, 1, 4))
    assert session.scalars(select(AllianceMember.status)).all() == ["left"]
    with pytest.raises(errors.Conflict):
        column.leave_alliance(session, base, on=date(2026, 1, 5))


def test_an_article_withdrawn_is_shown_no_more(session, people, base):
    article = column.publish_article(
        session, authority_id=base.authority_id, section="news", title="虚构消息", body="正文", base=base
    )
    assert public.articles(session, base.authority_id, "news").items == [article]
    assert [one.public for one in asked.history(session, base) if one.kind == "published"] == [True]
    editor, other = people.user("editor", "secretariat.editor"), people.user("officer", "secretariat.officer")
    with pytest.raises(errors.Forbidden):
        column.withdraw_article(session, article, reason="内容有误", user=other)
    with pytest.raises(errors.InvalidInput):
        column.withdraw_article(session, article, reason="  ", user=editor)
    column.withdraw_article(session, article, reason="内容有误", user=editor)
    lines = {one.kind: one for one in asked.history(session, base)}
    assert not lines["published"].public
    assert not lines["withdrawn"].public
    assert lines["withdrawn"].text_zh == "专栏撤下：虚构消息。理由：内容有误"
    audit.seal(session)
    assert "内容有误" in session.scalars(select(AuditRecord.content).order_by(AuditRecord.seq.desc())).first()
    assert public.articles(session, base.authority_id).items == []
    assert session.scalars(select(ColumnArticle.id)).all() == [article.id]
    with pytest.raises(errors.InvalidInput):
        column.publish_article(session, authority_id=base.authority_id, section="gossip", title="x", body="")

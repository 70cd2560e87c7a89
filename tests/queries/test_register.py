"""Lists and files of the register: filters, paging, who sees what, and what the public sees."""

from __future__ import annotations

from dataclasses import fields
from datetime import date

import pytest

from service.commands.bases import column, cooperation, register, sanctions
from service.queries import column as public
from service.queries import register as asked
from service.queries.register import Filter


@pytest.fixture
def filled(session, people):
    """Five bases of two recommenders, and one that a province keeps for itself."""
    recommenders = {code: people.organisation(code, kind="provincial_department") for code in ("sd-kj", "gd-kj")}
    made = []
    for n, (region, code, type) in enumerate(
        [
            ("山东", "sd-kj", "DB"),
            ("山东", "sd-kj", "JC"),
            ("广东", "gd-kj", "DB"),
            ("广东", "gd-kj", "TT"),
            ("广东", "gd-kj", "DB"),
        ]
    ):
        host = people.organisation(f"host{n}", name=f"虚构机构{n}", region=region, uscc=f"9100000000000000{n:02d}")
        made.append(
            register.register_base(
                session,
                type=type,
                name=f"虚构基地{n}_50%",
                host=host,
                recommender=recommenders[code],
                relation="territory",
                fields=["health"] if n % 2 else ["energy", "space"],
                decided_on=date(2020 + n, 1, 1),
            )
        )
    local_host = people.organisation("local-host", authority="sd", name="地方机构", region="山东")
    local = people.organisation("local-kj", authority="sd")
    register.register_base(
        session, type="DB", name="地方基地", host=local_host, recommender=local, relation="territory", fields=[],
        decided_on=date(2022, 1, 1),
    )  # fmt: skip
    return made


def names(page):
    return [base.name[:5] for base in page.items]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (Filter(), 5),
        (Filter(type="DB"), 3),
        (Filter(region="山东"), 2),
        (Filter(field="health"), 2),
        (Filter(year=2021), 1),
        (Filter(year=0), 0),
        (Filter(text="机构3"), 1),
        (Filter(text="50%"), 5),
        (Filter(text="5_%"), 0),
        (Filter(text="DB2020"), 1),
        (Filter(status="revoked"), 0),
        (Filter(type="DB", region="广东", field="energy"), 2),
    ],
)
def test_a_filter_shows_what_it_says_and_nothing_of_another_register(session, filled, shown, expected):
    page = asked.bases(session, filled[0].authority_id, shown)
    assert (len(page.items), page.total) == (expected, expected)


def test_pages_follow_one_another_without_gap_or_repeat(session, filled):
    seen, after = [], None
    while True:
        page = asked.bases(session, filled[0].authority_id, sort="year", after=after, limit=2)
        seen += [base.accredited_on.year for base in page.items]
        after = page.next
        if after is None:
            break
    assert seen == [2024, 2023, 2022, 2021, 2020]


def test_absurd_paging_is_bounded(session, filled):
    assert asked.bases(session, filled[0].authority_id, after="x", limit=-3, sort="drop").total == 5


def test_a_filter_by_recommender_follows_the_link_of_today(session, people, filled):
    guangdong = people.organisation("gd-kj")
    shown = Filter(recommender_id=guangdong.id)
    assert asked.bases(session, filled[0].authority_id, shown).total == 3
    register.change_recommender(session, filled[4], people.organisation("sd-kj"), "territory", since=date(2026, 1, 1))
    assert asked.bases(session, filled[0].authority_id, shown).total == 2


def test_everybody_sees_their_own_bases_and_desks_see_all(session, people, filled):
    seen = {
        role: asked.bases(session, filled[0].authority_id, user=people.user(name, role)).total
        for name, role in [
            ("desk", "coop.intake"),
            ("sd", "recommender.reviewer@sd-kj"),
            ("host", "applicant.drafter@host2"),
            ("expert", "experts.reviewer"),
        ]
    }
    assert list(seen.values()) == [5, 2, 1, 0]


def test_the_file_of_a_base_holds_everything_with_its_history(session, people, filled):
    base = filled[1]
    partner = cooperation.add_partner(session, base, name="外方", country="德国")
    cooperation.request_plaque(session, base, partner)
    cooperation.nominate_talent(session, base, name="某专家", nominated_on=date(2026, 1, 1))
    register.adopt_plan(session, base, goals="目标", effective_on=date(2026, 1, 1))
    sanctions.record_result(session, base, 2025, grade="good", result="pass", confirmed_on=date(2026, 5, 1))
    file = asked.base_file(session, base)
    assert file.recommender.organisation.code == "sd-kj"
    assert [len(part) for part in (file.partners, file.foreign_plaques, file.talents, file.plans, file.results)] == [
        1
    ] * 5
    assert [line.kind for line in file.history] == [
        "assessed", "plan_adopted", "talent_nominated", "plaque_abroad_requested", "accredited",
    ]  # fmt: skip


def test_the_public_sees_columns_of_the_list_and_public_lines_only(session, filled):
    base = filled[0]
    sanctions.record_result(session, base, 2025, grade="failed", result="fail", confirmed_on=date(2026, 5, 1))
    sanctions.record_violation(
        session, base, category="fraud", serious=True, facts="举报内容", found_on=date(2026, 1, 1)
    )
    shown, lines = public.base(session, base.authority_id, base.number)
    assert {field.name for field in fields(shown)} == {
        "number", "name", "host", "region", "type", "fields", "status", "accredited_on", "ended_on",
    }  # fmt: skip
    assert [line.kind for line in lines] == ["accredited"]
    assert public.bases(session, base.authority_id).total == 5
    assert public.base(session, base.authority_id, "DB1999001") is None


def test_the_layout_counts_regions_and_fields(session, filled):
    layout = asked.layout(session, filled[0].authority_id, "DB")
    assert layout.total == 3
    assert layout.by_region == [("广东", 2), ("山东", 1)]
    assert layout.by_field == [("energy", 3), ("space", 3)]


def test_the_agenda_is_that_of_one_province_and_year(session, people, filled):
    province = people.organisation("sd-gov", kind="province")
    item = column.list_on_agenda(session, province, year=2026, title="共建园区", listed_on=date(2026, 1, 9))
    assert asked.agenda(session, province.authority_id, province.id, 2026) == [item]
    assert asked.agenda(session, province.authority_id, province.id, 2025) == []

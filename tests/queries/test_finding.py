"""Finding tasks: words of the line and of forms, filters all at once, counts, and never what one may not read."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import product

import pytest

from service import clock
from service.models import Task
from service.queries import facets, finding, inbox
from tests import rows

UNI, SD = "uni", "sd"


@pytest.fixture
def case(session, people):
    """A case of the university."""
    of = rows.definition(session, people.authority().id)
    parties = {
        "applicant": people.organisation(UNI, name="海岱大学", region="山东省"),
        "recommender": people.organisation(SD, name="山东省科技厅"),
    }
    return rows.instance(session, of, parties, title="海洋生物国际联合研究中心", number="JC-2026-0007")


def ids(page):
    return [item.id for item in page.items]


def test_a_task_is_found_by_two_characters_of_its_title_its_parties_its_number_and_its_name(session, people, case):
    desk = [(people.organisation("coop"), "coop.intake")]
    wanted = rows.task(session, case, groups=desk, name="形式审查")
    other = rows.instance(session, case.definition, title="别的案件", number="DB-2025-0300")
    rows.task(session, other, groups=desk, name="核对")
    officer = people.user("li", "coop.intake")
    for text in ("海洋", "洋生", "联合", "海岱", "岱大", "科技厅", "JC-2026", "jc-2026-00", "0007", "形式", "审查",
                 "海洋 形式", "２０２６ 海岱"):  # fmt: skip
        assert ids(inbox.tasks(session, officer, box="group", text=text)) == [wanted.id], text
    for text in ("洋国", "海厅", "海洋 核对", "JC-2026-0008"):
        assert ids(inbox.tasks(session, officer, box="group", text=text)) == [], text
    assert len(ids(inbox.tasks(session, officer, box="group", text="案"))) == 1


def test_what_stands_in_a_form_is_found_by_those_who_may_read_it_and_by_nobody_else(session, people, case):
    coop, uni = people.organisation("coop"), people.organisation(UNI)
    experts = people.organisation("experts")
    first, second = people.user("xu", "experts.reviewer"), people.user("yang", "experts.reviewer")
    done = {"status": "completed", "completed_at": clock.now()}
    rows.task(session, case, groups=[(uni, "applicant.drafter")], submitted={"goals": "深海热液菌株"}, **done)
    rows.task(session, case, groups=[(experts, "experts.reviewer")], assignee_id=first.id, completed_by_id=first.id,
              submitted={"remark": "方法有缺陷"}, **done)  # fmt: skip
    rows.task(session, case, groups=[(coop, "coop.intake")], submitted={"note": "内部意见保密"}, **done)
    at_desk = rows.task(session, case, groups=[(coop, "coop.intake")])
    at_uni = rows.task(session, case, groups=[(uni, "applicant.drafter")])
    of_second = rows.task(session, case, users=[second])
    of_first = rows.task(session, case, users=[first])
    officer, applicant = people.user("li", "coop.intake"), people.user("wang", f"applicant.drafter@{UNI}")

    def found(user, text):
        return ids(inbox.tasks(session, user, box="group", text=text))

    for text in ("热液", "缺陷", "保密"):
        assert found(officer, text) == [at_desk.id], text
    assert found(applicant, "热液") == [at_uni.id]
    assert found(applicant, "缺陷") == found(applicant, "保密") == []
    assert found(first, "缺陷") == [of_first.id]
    assert found(second, "缺陷") == found(second, "热液") == found(second, "保密") == []
    assert found(second, "海洋") == [of_second.id]


def test_filters_hold_all_at_once_and_are_counted_beside_one_another(session, people):
    shuffled = random.Random(7)
    regions = ["山东省", "河南省"]
    unis = [people.organisation(f"u{n}", name=f"大学{n}", region=regions[n]) for n in range(2)]
    recommenders = [people.organisation(f"r{n}", name=f"推荐{n}") for n in range(2)]
    of = [rows.definition(session, people.authority().id, name) for name in ("innovation_park", "joint_centre")]
    desk = [(people.organisation("coop"), "coop.intake")]
    officer = people.user("li", "coop.intake")
    dues = [None, *(clock.now() + timedelta(days=n) for n in (-3, 0.001, 2, 40))]
    made: list[tuple[Task, dict[str, object]]] = []
    for _ in range(60):
        n, m, kind = shuffled.randrange(2), shuffled.randrange(2), shuffled.randrange(2)
        parties = {"applicant": unis[n], "recommender": recommenders[m]}
        state = shuffled.choice(["active", "suspended"])
        instance = rows.instance(session, of[kind], parties, title=shuffled.choice(["海洋", "高原"]), status=state)
        priority, due = shuffled.choice([20, 50, 90]), shuffled.choice(dues)
        step = shuffled.choice(["check", "sign"])
        task = rows.task(session, instance, groups=desk, element_id=step, name=step, priority=priority, due_at=due)
        facts = facets.Fact(
            of[kind].process_id, step, ["IP", "JC"][kind], regions[n], recommenders[m].id, task.due_sort, priority,
            state, step,
        )  # fmt: skip
        made.append((task, {"fact": facts, "title": instance.title}))
    choices = {
        "process": [None, "joint_centre"], "element": [None, "sign"], "base_type": [None, "IP"],
        "region": [None, "山东省"], "recommender": [None, recommenders[1].id], "due": [None, "late", "none", "soon"],
        "priority": [None, "high"], "state": [None, "suspended"], "text": [None, "海洋"],
    }  # fmt: skip
    every = [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]
    for chosen in shuffled.sample(every, 40):
        filters = {name: value for name, value in chosen.items() if value is not None}

        def fits(entry, but=(), filters=filters):
            _task, known = entry
            return all(
                known["title"] == value if name == "text" else known["fact"].has(name, value, clock.now())
                for name, value in filters.items()
                if name not in but
            )

        for sort in ("due", "priority", "created"):
            page = inbox.tasks(session, officer, box="group", sort=sort, limit=100, **filters)
            assert set(ids(page)) == {entry[0].id for entry in made if fits(entry)}, filters
        counted = inbox.kinds(session, officer, box="group", **filters)
        for kind in facets.FACETS:
            for value in choices[kind][1:]:
                expected = sum(fits(e, but=[kind]) and e[1]["fact"].has(kind, value, clock.now()) for e in made)
                assert counted.counts[kind][value] == expected, (kind, value, filters)


def test_too_many_to_count_by_kind_is_said(session, people, case, monkeypatch):
    monkeypatch.setattr(facets, "FACETED", 2)
    for _ in range(3):
        rows.task(session, case, groups=[(people.organisation("coop"), "coop.intake")])
    assert inbox.kinds(session, people.user("li", "coop.intake"), box="group").capped


def test_databases_are_asked_so_that_they_know_what_is_common_and_look_up_what_is_rare(session, people, case):
    for _ in range(60):
        rows.task(session, case)
    officer, connection = people.user("li", "coop.intake"), session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ANALYZE search_entry")
    for way in finding.Filters(text="海洋", region="山东省").alternatives(officer):
        question = way.ids.compile(connection, compile_kwargs={"literal_binds": True})
        if connection.dialect.name == "sqlite":
            plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {question}").all())
            assert "SEARCH search_entry USING INTEGER PRIMARY KEY" in plan
            assert "SCAN search_entry" not in plan
        else:
            plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {question}").scalar_one()
            assert plan[0]["Plan"]["Plan Rows"] >= 20, "a word of all is taken for a rare one"
            assert connection.exec_driver_sql("SHOW jit").scalar_one() == "off"

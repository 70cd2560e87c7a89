"""However a word is sought – along the box or in the index – what is found is what plain loops find."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import product
from typing import NamedTuple

import pytest
from sqlalchemy.orm import Session

from service import clock, permissions, words
from service.models import Deputy, Exclusion, Instance, Task, User
from service.queries import inbox, seeking
from tests import rows

BITS = ("海洋", "洋生", "生物", "高原", "冻土", "国际", "际合", "合作", "A4", "2026")
"""Words of overlapping characters, so that pairs stand together that no text has side by side."""
PATHS = {
    "looked at": {"HEAD": 10_000},
    "walked": {"HEAD": 2, "WALK": 10_000, "DEARER": 10_000, "FOUND": 3},
    "stopped": {"HEAD": 4, "WALK": 3, "DEARER": 10_000, "FOUND": 2},
    "sought": {"HEAD": 1, "DEARER": 0, "FOUND": 1},
    "as it comes": {},
}


class World(NamedTuple):
    """Random cases, and who looks at them."""

    tasks: list[Task]
    readers: list[User]


def text(chance: random.Random) -> str:
    return "".join(chance.choice(BITS) + chance.choice(["", "", " ", "-"]) for _ in range(chance.randrange(1, 4)))


def made(session: Session, people, chance: random.Random) -> World:
    of = [rows.definition(session, people.authority().id, name, name=name.title()) for name in ("demo", "other")]
    unis = [people.organisation(f"u{n}", name=f"{BITS[n * 3]}大学", region=["山东省", "河南省"][n]) for n in range(2)]
    sd = people.organisation("sd", name="科技厅")
    coop, experts = people.organisation("coop"), people.organisation("experts")
    readers = [
        people.user("officer", "coop.intake", "coop.organiser"),
        people.user("applicant", "applicant.drafter@u0", "applicant.signatory@u0"),
        people.user("recommender", "recommender.reviewer@sd"),
        people.user("expert", "experts.reviewer"),
        people.user("another", "experts.reviewer"),
        people.user("deputy", "applicant.drafter@u0"),
    ]
    today = clock.today()
    session.add(
        Deputy(
            authority_id=people.authority().id, principal_id=readers[1].id, deputy_id=readers[5].id, signs=True,
            first_day=today, last_day=today + timedelta(days=9), created_at=clock.now(), created_by_id=readers[1].id,
        )
    )  # fmt: skip
    groups = [
        [(coop, "coop.intake")], [(coop, "coop.intake"), (coop, "coop.organiser")], [(coop, "coop.organiser")],
        [(unis[0], "applicant.drafter")], [(unis[0], "applicant.signatory")], [(unis[1], "applicant.drafter")],
        [(sd, "recommender.reviewer")], [(experts, "experts.reviewer")], [],
    ]  # fmt: skip
    dues = [None, *(clock.now() + timedelta(days=n) for n in (-3, -3, 1, 2, 2, 40))]
    tasks = []
    for _ in range(22):
        parties = {"applicant": chance.choice(unis), "recommender": sd}
        status = chance.choice(["active", "active", "suspended"])
        case = rows.instance(session, chance.choice(of), parties, title=text(chance), status=status)
        for _ in range(chance.randrange(1, 6)):
            offered = chance.choice(groups)
            by_name = [chance.choice(readers)] if not offered or chance.random() < 0.15 else []
            facts = {"name": text(chance), "element_id": chance.choice(["check", "sign"]), "groups": offered}
            facts["priority"] = chance.choice([20, 50, 90])
            if chance.random() < 0.45:
                who = chance.choice(readers)
                facts |= {
                    "status": "completed", "completed_by_id": who.id, "assignee_id": who.id,
                    "completed_at": clock.now() - timedelta(hours=chance.randrange(4)),
                    "submitted": {"a": text(chance), "b": chance.choice([7, True, [text(chance)]])},
                }  # fmt: skip
            elif chance.random() < 0.25:
                facts["assignee_id"] = chance.choice(readers).id
            task = rows.task(session, case, users=by_name, due_at=chance.choice(dues), **facts)
            if task.status == "open" and chance.random() < 0.2:
                task.excludes = []
                whom = chance.choice([{"user_id": chance.choice(readers).id}, {"organisation_id": coop.id}])
                session.add(Exclusion(task_id=task.id, kind="acted", **whom))
            tasks.append(task)
    session.flush()
    session.expire_all()
    return World(tasks, readers)


def in_box(user: User, task: Task, box: str) -> bool:
    mine = task.status == "open" and task.assignee_id == user.id
    match box:
        case "mine":
            return mine
        case "group":
            free = task.status == "open" and task.assignee_id is None
            return free and permissions.is_offered(user, task.candidates) and not permissions.is_excluded(user, task)
        case "done":
            return task.completed_by_id == user.id and permissions.may_see_task(user, task, task.candidates)
        case "deputy":
            candidates = task.candidates
            lent = permissions.appointment(user, task, candidates)
            free = task.assignee_id is None
            return lent is not None and not (free and permissions.is_offered(user, candidates))
    return permissions.may_see_task(user, task, task.candidates)


def about(case: Instance) -> str:
    parties = sorted(case.parties, key=lambda one: one.party)
    return words.fold(
        " ".join([case.number, case.title, case.definition.name, *(p.organisation.name for p in parties)])
    )


def has(user: User, task: Task, world: World, asked: list[str], own_form: bool) -> bool:
    line = f"{words.fold(task.name)} {about(task.instance)}"
    own = f"{line} {words.said(task.submitted or {})}" if own_form else line
    if all(word in own for word in asked):
        return True
    for form in world.tasks:
        if form.instance_id == task.instance_id and (said := words.said(form.submitted or {})):
            told = f"{about(task.instance)} {said}"
            if all(word in told for word in asked) and permissions.may_see_task(user, form, form.candidates):
                return True
    return False


def fits(task: Task, filters: dict[str, object]) -> bool:
    parties = {one.party: one.organisation for one in task.instance.parties}
    level = "high" if task.priority > 50 else "low" if task.priority < 50 else "normal"
    facts = {
        "process": task.process_id, "element": task.element_id, "region": parties["applicant"].region,
        "status": task.status, "state": task.instance.status, "priority": level,
    }  # fmt: skip
    if "due" in filters and not (task.status == "open" and task.due_at is not None and task.due_at < clock.now()):
        return False
    return all(facts[name] == value for name, value in filters.items() if name not in ("text", "due"))


def expected(world: World, user: User, box: str, sort: str, filters: dict[str, object]) -> list[int]:
    asked = words.asked(str(filters.get("text", "")))
    own_form = box in ("done", "all") and filters.get("status") != "open"
    found = [
        task
        for task in world.tasks
        if in_box(user, task, box) and fits(task, filters) and (not asked or has(user, task, world, asked, own_form))
    ]
    if box == "done":
        return [one.id for one in sorted(found, key=lambda one: (one.completed_at, one.id), reverse=True)]
    lead = {}
    for one in found:
        lead[one.instance_id] = min(one.due_sort, lead.get(one.instance_id, one.due_sort))
    orders = {
        "due": lambda one: (one.due_sort, one.id),
        "priority": lambda one: (-one.priority, one.due_sort, one.id),
        "created": lambda one: (-one.created_at.timestamp(), -one.id),
        "case": lambda one: (lead[one.instance_id], one.instance_id, one.due_sort, one.id),
    }
    return [one.id for one in sorted(found, key=orders[sort])]


def questions(chance: random.Random) -> dict[str, object]:
    filters: dict[str, object] = {}
    if chance.random() < 0.85:
        word = chance.choice(
            [
                *BITS,
                "海",
                "作",
                "洋生物",
                "国际合作",
                "生合",
                "合作 海洋",
                "生物 国际",
                "高原 A4",
                "2026 冻土",
                "海 合作",
                "A4-2026",
                "大学",
                "科技厅 冻土",
            ]
        )
        filters["text"] = word
    choices = {
        "region": "山东省",
        "element": "sign",
        "process": "demo",
        "priority": "high",
        "state": "suspended",
        "due": "late",
    }
    for name, value in choices.items():
        if chance.random() < 0.12:
            filters[name] = value
    return filters or {"text": "海洋"}


def pages(session: Session, user: User, limit: int, **asked: object) -> tuple[list[int], int, bool]:
    """All pages of a list, one after the other, and what they say of how long it is."""
    found, after, totals = [], None, set()
    while True:
        page = inbox.tasks(session, user, after=after, limit=limit, **asked)
        found += [item.id for item in page.items]
        totals.add((page.total, page.capped))
        after = page.next
        if after is None:
            ((total, capped),) = totals
            return found, total, capped
        assert len(page.items) == limit


@pytest.mark.parametrize("seed", range(2))
def test_every_way_to_seek_finds_what_plain_loops_find(session, people, monkeypatch, seed):
    chance = random.Random(seed)
    world = made(session, people, chance)
    hits = 0
    for user, box in product(world.readers, ("group", "mine", "done", "all", "deputy")):
        filters, sort = questions(chance), chance.choice(["due", "due", "due", "case", "priority", "created"])
        if box == "all" and chance.random() < 0.7:
            filters["status"] = chance.choice(["open", "completed"])
        if box == "done":
            sort = "due"
        limit = chance.choice([3, 8, 50])
        for path, settings in PATHS.items():
            with monkeypatch.context() as patched:
                for name, value in settings.items():
                    patched.setattr(seeking, name, value)
                found, total, capped = pages(session, user, limit, box=box, sort=sort, **filters)
            wanted = expected(world, user, box, "due" if sort == "case" and capped else sort, filters)
            assert found == wanted, (path, user.username, box, sort, filters)
            assert total < len(wanted) if capped else total == len(wanted), (path, user.username, box, sort, filters)
            hits += len(wanted)
    assert hits > 100


@pytest.mark.parametrize("path", PATHS)
def test_a_done_step_is_found_by_its_name_and_its_own_form_together(session, people, monkeypatch, path):
    for name, value in PATHS[path].items():
        monkeypatch.setattr(seeking, name, value)
    officer, desk = people.user("officer", "coop.intake"), [(people.organisation("coop"), "coop.intake")]
    case = rows.instance(session, rows.definition(session, people.authority().id), title="海洋")
    done = {"status": "completed", "completed_by_id": officer.id, "completed_at": clock.now(), "groups": desk}
    check = rows.task(session, case, name="形式审查", submitted={"a": "材料齐全"}, **done)
    rows.task(session, case, name="签署", submitted={"a": "同意"}, **done)
    assert pages(session, officer, 5, box="done", text="形式 齐全") == ([check.id], 1, False)
    assert pages(session, officer, 5, box="done", text="签署 齐全") == ([], 0, False)

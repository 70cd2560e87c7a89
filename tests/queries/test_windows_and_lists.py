"""Filing periods, and the lists out of the register that forms offer."""

from __future__ import annotations

import json
from datetime import date

import pytest

from service import errors
from service.commands.bases import register, windows
from service.commands.inbox import registered
from service.queries import register as asked


@pytest.mark.parametrize(
    ("day", "title"),
    [
        (date(2026, 1, 31), "spring"),
        (date(2026, 2, 1), "spring"),
        (date(2026, 3, 2), "spring"),
        (date(2026, 3, 3), "autumn"),
        (date(2026, 9, 30), "autumn"),
        (date(2027, 1, 1), "autumn"),
    ],
    ids=["not yet", "first day", "last day", "the next one", "its last day", "long over"],
)
def test_the_period_that_counts_is_the_open_one_then_the_next_then_the_last(session, people, day, title):
    authority = people.authority().id
    for name, first, last in (
        ("autumn", date(2026, 9, 1), date(2026, 9, 30)),
        ("spring", date(2026, 2, 1), date(2026, 3, 2)),
    ):
        windows.announce_window(session, authority, type="DB", title=name, opens_on=first, closes_on=last)
    found = asked.filing_window(session, authority, "DB", day)
    assert found is not None
    assert found.title == title
    assert asked.filing_window(session, authority, "JC", day) is None


def test_a_period_that_ends_before_it_begins_is_refused(session, people):
    with pytest.raises(errors.InvalidInput, match="first"):
        windows.announce_window(
            session, people.authority().id, type="DB", title="t", opens_on=date(2026, 3, 2), closes_on=date(2026, 3, 1)
        )


class Bundle:
    """As much of a bundle as the lists look at."""

    def __init__(self, *names: str) -> None:
        self.forms = {"f": json.loads(json.dumps({"valuesExpression": "=" + " + ".join(names)}))}


def test_lists_hold_what_is_active_in_this_register_and_nothing_of_a_province_s_own(session, people):
    host, office = people.organisation("host", uscc="91370000MA00000001"), people.organisation("kj")
    local_host, local_office = people.organisation("own", authority="sd"), people.organisation("own-kj", authority="sd")
    for name, holder, recommender in (
        ("有效", host, office),
        ("退出", host, office),
        ("地方", local_host, local_office),
    ):
        base = register.register_base(
            session, type="DB", name=name, host=holder, recommender=recommender, relation="territory", fields=[],
            decided_on=date(2022, 1, 1),
        )  # fmt: skip
        if name == "退出":
            register.leave(session, base, on=date(2023, 1, 1))
    people.organisation("park", kind="park", name="虚构园区")
    people.organisation("closed", kind="park", name="已撤园区", active=False)
    people.organisation("theirs", authority="sd", kind="park", name="地方园区")
    known = registered.lists(
        session,
        people.authority().id,
        Bundle("registeredBases", "registeredParks", "registeredInstitutions"),  # type: ignore[arg-type]
        "f",
    )
    assert [one["name"] for one in known["registeredBases"]] == ["有效"]
    assert [one["name"] for one in known["registeredParks"]] == ["虚构园区"]
    assert [one["code"] for one in known["registeredInstitutions"]] == ["host"]
    assert registered.lists(session, people.authority().id, Bundle("other"), "f") == {}  # type: ignore[arg-type]

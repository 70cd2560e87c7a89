"""Two changes of the same values put together."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.merging import merge

BASE = {"application": {"name": "甲", "goals": "旧目标", "partners": [{"name": "乙"}]}, "note": ""}


def test_each_side_keeps_what_it_changed():
    mine = {"application": {"name": "甲所", "goals": "旧目标", "partners": [{"name": "乙"}]}, "note": ""}
    theirs = {
        "application": {"name": "甲", "goals": "新目标", "partners": [{"name": "乙"}, {"name": "丙"}]},
        "note": "看过",
    }
    found = merge(BASE, mine, theirs)
    assert found.conflicts == []
    assert found.values == {
        "application": {"name": "甲所", "goals": "新目标", "partners": [{"name": "乙"}, {"name": "丙"}]}, "note": "看过",
    }  # fmt: skip


def test_a_field_changed_by_both_is_mine_and_told():
    mine = {"application": {**BASE["application"], "goals": "我的"}}
    theirs = {"application": {**BASE["application"], "goals": "他的"}}
    found = merge(BASE, mine, theirs)
    assert found.conflicts == ["application.goals"]
    assert found.values["application"]["goals"] == "我的"


def test_the_same_change_and_empty_in_another_way_are_no_conflict():
    assert merge({"x": "a"}, {"x": "b"}, {"x": "b"}).conflicts == []
    assert merge({"x": None}, {"x": "", "y": False}, {"x": []}).conflicts == []


def test_what_the_other_side_emptied_stays_empty():
    assert merge({"x": "a", "y": 1}, {"x": "a", "y": 1}, {"x": "a"}).values == {"x": "a", "y": None}


VALUES = st.dictionaries(
    st.sampled_from("abc"),
    st.one_of(st.integers(1, 3), st.dictionaries(st.sampled_from("xy"), st.integers(1, 3), min_size=1)),
)


@given(VALUES, VALUES)
def test_without_a_change_of_theirs_all_is_mine_and_the_other_way_round(base: dict[str, Any], other: dict[str, Any]):
    def full(values: dict[str, Any]) -> dict[str, Any]:
        inner = {k: full(v) if isinstance(v, dict) else v for k, v in values.items()}
        return {k: v for k, v in inner.items() if v not in (None, {})}

    assert merge(base, other, base).conflicts == []
    assert merge(base, base, other).conflicts == []
    assert full(merge(base, base, other).values) == full(other)


@given(VALUES, VALUES, VALUES)
def test_nothing_that_only_one_side_typed_is_lost(base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]):
    found = merge(base, mine, theirs)
    for name, value in mine.items():
        if not isinstance(value, dict) and value != base.get(name):
            assert found.values[name] == value

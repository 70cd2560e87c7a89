"""Every article has its place, every place a real article, and the page says what is so."""

from __future__ import annotations

from functools import cache

import pytest

from service import traceability
from service.traceability import ROOT, Trace


@cache
def found() -> Trace:
    return traceability.trace()


def test_every_article_that_asks_for_something_is_answered() -> None:
    assert found().unanswered == []


def test_nothing_cites_an_article_that_is_not_there() -> None:
    assert found().unknown == []


def test_every_criterion_stands_in_a_form_or_table() -> None:
    assert found().unchecked == []
    assert len(found().criteria) >= 60


def test_every_default_is_changed_in_a_table_or_on_a_page_that_is_there() -> None:
    assert found().unset == []
    assert set(traceability.defaults()) == {f"A{number}" for number in range(1, 32)} - {"A28", "A30"}


def test_a_default_whose_column_is_gone_is_noticed() -> None:
    trace = Trace({}, tables=found().tables | {"ban_term": traceability.Table("禁申期", "x.dmn", frozenset())})
    assert [one.partition(":")[0] for one in trace.unset] == ["A8", "A9", "A11"]


def test_what_is_answered_by_code_names_files_that_are_there() -> None:
    for one in found().articles.values():
        also = one.get("also", {})
        assert isinstance(also, dict)
        assert [path for path in also if not (ROOT / path).exists()] == []


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / traceability.TARGET).read_text("utf-8") == traceability.render(found()), "run: guohe trace"


@pytest.mark.parametrize("text", ["text:art.99", "text:art.8(3)1"])
def test_an_article_that_does_not_exist_is_noticed(text: str) -> None:
    trace = Trace({"art.8(2)1": {"asks": "…"}})
    for ref in traceability.REFERENCE.findall(text):
        trace.add(ref, traceability.Place("diagram", "p", "n"))
    assert len(trace.unknown) == 1

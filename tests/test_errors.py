"""Errors speak to people, in their language."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from service import errors


def every_kind(kind: type[errors.ServiceError] = errors.ServiceError) -> list[type[errors.ServiceError]]:
    return [kind] + [one for below in kind.__subclasses__() for one in every_kind(below)]


def test_an_error_says_who_and_when_in_both_languages():
    when = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
    error = errors.TaskTaken(who="王芳", when=when)
    assert error.sentence("zh") == "此任务已由王芳于 2026-03-01 08:30 领取。"
    assert error.sentence("en") == "王芳 took this task at 2026-03-01 08:30."
    assert (error.status, error.code, error.extra) == (409, "task_taken", {"who": "王芳", "when": when})


def test_whoever_raises_may_say_it_better_and_name_the_field():
    error = errors.InvalidInput("日期有误。", "The date is wrong.", field="date", limit=3)
    assert (error.zh, error.en, error.field, error.status, error.extra) == (
        "日期有误。", "The date is wrong.", "date", 400, {"limit": 3},
    )  # fmt: skip


def test_a_status_and_a_code_can_be_given():
    error = errors.ServiceError("不行。", "No.", 418, "teapot")
    assert (error.status, error.code) == (418, "teapot")
    assert errors.ServiceError().status == 500


def test_a_sentence_with_something_missing_is_still_a_sentence():
    assert errors.Stale(given=1).en == "You worked from version 1; it is now version …."


def test_braces_in_somebodys_words_stay_as_they_are():
    assert errors.TaskTaken(who="{x}", when="{}").zh == "此任务已由{x}于 {} 领取。"


def test_a_form_error_holds_its_fields():
    error = errors.InvalidForm({"name": ["必填"]})
    assert (error.status, error.fields, error.extra) == (422, {"name": ["必填"]}, {"fields": {"name": ["必填"]}})


@pytest.mark.parametrize("kind", [one for one in every_kind() if one.__module__ == "service.errors"])
def test_every_kind_has_a_sentence_in_both_languages_and_a_code_of_its_own(kind):
    error = kind({}) if kind is errors.InvalidForm else kind()
    assert error.en
    assert error.zh != error.en
    assert 400 <= error.status < 600
    assert [one for one in every_kind() if one.code == kind.code and one.__module__ == "service.errors"] == [kind]

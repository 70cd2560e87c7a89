"""Words are cut so that whatever stands in a text is found, and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service import words


def found(question: str, text: str) -> bool:
    """As an index does it: all pairs are there, and on the folded text side by side."""
    folded = words.fold(text)
    terms = words.pairs(folded)
    for word in words.asked(question):
        whole, begun = words.needed(word)
        if not all(pair in terms for pair in whole):
            return False
        if not all(any(term.startswith(character) for term in terms) for character in begun):
            return False
        if word not in folded:
            return False
    return True


def test_any_two_characters_of_a_chinese_text_are_found():
    text = "国际联合研究中心：海岱大学"
    for word in ("国际", "际联", "联合", "中心", "海岱", "岱大", "学", "研究中心", "海岱大学"):
        assert found(word, text), word
    for word in ("心海", "国合", "大海", "中心研究"):
        assert not found(word, text), word


def test_numbers_and_letters_are_found_in_part_whatever_their_width_or_case():
    text = "DB-2026-0042 Ｈａｉｄａｉ University"
    for question in ("db-2026", "2026-00", "0042", "haidai UNIV", "ＤＢ", "7 42"[2:], "2026-0042"):
        assert found(question, text), question
    assert not found("2026-0043", text)
    assert not found("2026 haidai college", text)


@given(st.text("国际合作中心大学ab1 -", min_size=1, max_size=30), st.data())
def test_every_part_of_a_text_is_found_and_what_is_found_is_a_part(text: str, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(text) - 1))
    part = text[first : first + data.draw(st.integers(1, 6))]
    assert found(part, text)
    other = data.draw(st.text("国际合作中心大学ab1", min_size=1, max_size=3))
    assert found(other, text) == (other in words.fold(text))


def test_of_a_form_texts_and_numbers_are_kept_and_ticks_are_not():
    values = {"a": "海洋", "b": [{"name": "证明.pdf", "size": 12}], "c": True, "d": None, "e": 3.5}
    assert words.said(values) == "海洋 证明 pdf 12 3 5"
    assert len(words.said({"a": "长" * 100_000})) == words.LONGEST


def test_a_tag_is_never_a_pair():
    assert words.tag("region", "山东省") == "region:山东省"
    assert words.tag("step", "a' & b") == "step:a----b"

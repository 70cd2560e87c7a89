"""Gaps, overlaps and rows that never count, held against evaluating the tables at every piece of their inputs."""

from __future__ import annotations

import json
from itertools import product
from xml.sax.saxutils import escape

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service import engine
from service.engine import decisions
from tests.engine.diagrams import NOW

MODEL = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def table(
    policy: str, inputs: list[tuple[str, str]], rows: list[tuple[str, ...]], values: dict[str, str] | None = None
) -> bytes:
    """A decision ``t`` whose inputs are (name, type) and whose rows end with their output."""
    columns = "".join(
        f'<input id="i{n}" label="{name}"><inputExpression id="e{n}" typeRef="{kind}"><text>{name}</text></inputExpression>'
        + (
            f'<inputValues id="v{n}"><text>{escape(values[name])}</text></inputValues>'
            if values and name in values
            else ""
        )
        + "</input>"
        for n, (name, kind) in enumerate(inputs)
    )
    rules = "".join(
        f'<rule id="r{n}">'
        + "".join(
            f'<inputEntry id="r{n}c{c}"><text>{escape(cell)}</text></inputEntry>' for c, cell in enumerate(row[:-1])
        )
        + f'<outputEntry id="r{n}o"><text>{escape(row[-1])}</text></outputEntry></rule>'
        for n, row in enumerate(rows)
    )
    return (
        f'<definitions xmlns="{MODEL}" id="d" name="d" namespace="x"><decision id="t" name="表">'
        f'<decisionTable id="tt" hitPolicy="{policy}">{columns}<output id="o" name="o" typeRef="number"/>{rules}'
        "</decisionTable></decision></definitions>"
    ).encode()


def remarks(content: bytes) -> list[engine.Finding]:
    return [one for one in engine.validate({"t.dmn": content}) if one.rule != "no-process"]


def said(content: bytes) -> list[tuple[str, str, str | None]]:
    return [(one.rule, one.severity, one.element_id) for one in remarks(content)]


def test_a_gap_between_two_ranges_is_named_at_its_column():
    content = table("UNIQUE", [("n", "number")], [("< 3", "1"), ("[5..9]", "2"), ("> 9", "3")])
    (finding,) = remarks(content)
    assert (finding.rule, finding.severity, finding.element_id) == ("dmn-gap", "warning", "i0")
    assert "n [3..5)" in finding.zh


def test_a_gap_of_two_inputs_names_both():
    content = table("FIRST", [("n", "number"), ("b", "boolean")], [("< 3", "-", "1"), (">= 3", "true", "2")])
    (finding,) = remarks(content)
    assert finding.element_id == "t"
    assert "n >= 3，b false" in finding.zh


def test_allowed_values_close_a_list_of_texts():
    rows = [('"a"', "1"), ('"b"', "2")]
    assert said(table("UNIQUE", [("s", "string")], rows, {"s": '"a","b"'})) == []
    assert said(table("UNIQUE", [("s", "string")], rows)) == [("dmn-gap", "info", "i0")]
    (finding,) = remarks(table("UNIQUE", [("s", "string")], rows, {"s": '"a","b","c"'}))
    assert (finding.severity, '"c"' in finding.zh) == ("warning", True)


def test_fractions_between_integers_are_only_remarked():
    assert said(table("UNIQUE", [("n", "number")], [("<= 3", "1"), (">= 4", "2")])) == [("dmn-gap", "info", "i0")]
    assert said(table("UNIQUE", [("n", "integer")], [("<= 3", "1"), (">= 4", "2")])) == []


def test_a_default_or_a_collecting_policy_needs_no_row_for_everything():
    rows = [("< 3", "1")]
    assert said(table("COLLECT", [("n", "number")], rows)) == []


def test_two_rows_of_a_unique_table_that_both_hit_are_shown_at_the_cell():
    found = remarks(table("UNIQUE", [("n", "number")], [("<= 5", "1"), (">= 5", "2")]))
    assert [(one.rule, one.element_id) for one in found] == [("dmn-overlap", "r1c0")]
    assert "第 1 行和第 2 行" in found[0].zh
    assert "n 5" in found[0].zh


def test_dates_have_an_order():
    rows = [('< date("2024-01-01")', "1"), ('>= date("2024-02-01")', "2")]
    (finding,) = remarks(table("UNIQUE", [("d", "date")], rows))
    assert "[2024-01-01..2024-02-01)" in finding.zh


def test_a_row_behind_rows_that_cover_it_never_counts():
    rows = [("< 5", "1"), (">= 5", "2"), ("7", "3")]
    assert said(table("FIRST", [("n", "number")], rows)) == [("dmn-unreachable", "warning", "r2")]


def test_a_value_that_is_not_allowed_never_hits():
    found = said(table("FIRST", [("s", "string")], [('"x"', "1"), ("-", "2")], {"s": '"a","b"'}))
    assert found == [("dmn-unreachable", "warning", "r0c0")]


def test_a_cell_that_depends_on_a_variable_is_said_to_be_beyond_the_check():
    found = remarks(table("UNIQUE", [("n", "number")], [("> limit", "1"), ("<= 0", "2")]))
    assert [(one.rule, one.severity, one.element_id) for one in found] == [("dmn-open", "info", "r0c0")]
    assert "第 1 行第 1 列" in found[0].zh


def test_the_same_question_in_two_columns_has_one_answer():
    rows = [("< 5", "-", "1"), (">= 5", "< 9", "2"), ("-", ">= 9", "3")]
    assert said(table("UNIQUE", [("n", "number"), ("n", "number")], rows)) == []


def test_a_table_too_large_for_every_combination_says_so_in_time():
    inputs = [(f"n{n}", "number") for n in range(12)]
    rows = [
        (*[f"[{(row * 7 + n * 3) % 50}..{(row * 7 + n * 3) % 50 + 40}]" for n in range(12)], "1") for row in range(120)
    ]
    import time

    began = time.process_time()
    found = {one.rule for one in remarks(table("FIRST", inputs, rows))}
    assert time.process_time() - began < 5
    assert "dmn-open" in found


NUMBERS = ["-", "< 2", "<= 2", "2", "> 2", "[2..4)", "(2..4]", ">= 4", "4", "not(2)", "< 2, > 4"]
TEXTS = ["-", '"a"', '"b"', '"a","b"', 'not("a")']
BOOLEANS = ["-", "true", "false"]
POINTS = {"number": [1, 2, 3, 4, 5], "string": ["a", "b", "elsewhere"], "boolean": [True, False]}
CELLS = {"number": NUMBERS, "string": TEXTS, "boolean": BOOLEANS}


@st.composite
def tables(draw):
    kinds = draw(st.lists(st.sampled_from(["number", "string", "boolean"]), min_size=1, max_size=3))
    inputs = [(f"x{n}", kind) for n, kind in enumerate(kinds)]
    count = draw(st.integers(1, 5))
    rows = [(*(draw(st.sampled_from(CELLS[kind])) for kind in kinds), str(n)) for n in range(count)]
    return inputs, rows


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables())
def test_what_is_said_of_a_table_is_how_it_behaves(made):
    inputs, rows = made
    known = decisions.read(table("COLLECT", inputs, rows))
    hits = []
    for point in product(*(POINTS[kind] for _, kind in inputs)):
        variables = {name: value for (name, _), value in zip(inputs, point, strict=True)}
        outcome = decisions.evaluate_detailed(known, "t", variables, now=NOW)
        hits.append([int(rule[1:]) for rule in outcome.rules])
    unique = {one.rule for one in remarks(table("UNIQUE", inputs, rows))}
    # A boolean column that no cell mentions, and a text no cell names, are as good as any.
    assert ("dmn-gap" in unique) == any(not hit for hit in hits), json.dumps([inputs, rows])
    assert ("dmn-overlap" in unique) == any(len(hit) > 1 for hit in hits), json.dumps([inputs, rows])
    first = {one.element_id for one in remarks(table("FIRST", inputs, rows)) if one.rule == "dmn-unreachable"}
    assert first == {f"r{n}" for n in range(len(rows))} - {f"r{hit[0]}" for hit in hits if hit}, json.dumps(
        [inputs, rows]
    )


def test_null_is_an_input_only_where_a_cell_names_it():
    rows = [("< 5", "1"), (">= 5", "2")]
    assert said(table("UNIQUE", [("n", "number")], rows)) == []
    assert said(table("UNIQUE", [("n", "number")], [*rows, ("null", "3")])) == []
    assert said(table("UNIQUE", [("n", "number")], [("null", "1"), ("< 5", "2"), ("> 5", "3")])) == [
        ("dmn-gap", "warning", "i0")
    ]

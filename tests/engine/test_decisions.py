"""Decision tables: hit policies, violations, required decisions, and what a check finds before deployment."""

from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.engine import decisions, feel, tck

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
DMN_13 = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def definitions(*parts, namespace=DMN_13):
    return f'<definitions xmlns="{namespace}" id="d" name="d" namespace="x">{"".join(parts)}</definitions>'.encode()


def table(rules, *, policy="UNIQUE", inputs=("a",), outputs=("result",), extra=""):
    """A decision ``t``; a column is its expression or (expression, type, allowed values), likewise an output."""
    return f'<decision id="t" name="表 t">{extra}{table_alone(rules, policy, inputs, outputs)}</decision>'


def table_alone(rules, policy, inputs, outputs):
    words = policy.split("/")
    aggregation = f' aggregation="{words[1]}"' if len(words) > 1 else ""
    columns = "".join(input_column(f"in{n}", column) for n, column in enumerate(inputs))
    columns += "".join(output_column(f"out{n}", column) for n, column in enumerate(outputs))
    rows = "".join(
        f'<rule id="r{number}">'
        + "".join(
            f'<{"inputEntry" if n < len(inputs) else "outputEntry"} id="r{number}c{n}"><text>{escape(cell)}</text>'
            f"</{'inputEntry' if n < len(inputs) else 'outputEntry'}>"
            for n, cell in enumerate(row)
        )
        + "</rule>"
        for number, row in enumerate(rules, 1)
    )
    return f'<decisionTable id="tt" hitPolicy="{words[0]}"{aggregation}>{columns}{rows}</decisionTable>'


def input_column(column_id, column):
    text, kind, values = (column, "", "") if isinstance(column, str) else column
    reference = f' typeRef="{kind}"' if kind else ""
    allowed = f"<inputValues><text>{escape(values)}</text></inputValues>" if values else ""
    return (
        f'<input id="{column_id}" label="{escape(text)}"><inputExpression{reference}>'
        f"<text>{escape(text)}</text></inputExpression>{allowed}</input>"
    )


def output_column(column_id, column):
    name, values, default = (column, "", "") if isinstance(column, str) else column
    listed = f"<outputValues><text>{escape(values)}</text></outputValues>" if values else ""
    fallback = f"<defaultOutputEntry><text>{escape(default)}</text></defaultOutputEntry>" if default else ""
    return f'<output id="{column_id}" name="{name}">{listed}{fallback}</output>'


def ask(data, decision="t", **variables):
    return decisions.evaluate(decisions.read(data), decision, variables, now=NOW)


GRADES = [("< 60", '"不合格"'), ("[60..85)", '"合格"'), (">= 85", '"优秀"')]


@pytest.mark.parametrize(
    "namespace",
    [
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
        "http://www.omg.org/spec/DMN/20180521/MODEL/",
        "https://www.omg.org/spec/DMN/20191111/MODEL/",
        "https://www.omg.org/spec/DMN/20211108/MODEL/",
        "https://www.omg.org/spec/DMN/20230324/MODEL/",
    ],
)
def test_a_table_of_every_dmn_version_is_read(namespace):
    assert ask(definitions(table(GRADES), namespace=namespace), a=85) == "优秀"


def test_unique_gives_the_only_hit_or_null():
    data = definitions(table(GRADES))
    assert [ask(data, a=score) for score in (59, 60, 84.9, 85, None)] == ["不合格", "合格", "合格", "优秀", None]


def test_unique_with_two_hits_is_a_violation_that_names_the_rows():
    data = definitions(table([*GRADES, ("> 90", '"特优"')]))
    with pytest.raises(decisions.DecisionError) as caught:
        ask(data, a=95)
    assert caught.value.zh == "决策“表 t”：命中策略为“唯一”，但第 3、4 行同时命中。"
    assert caught.value.en == "Decision “表 t”: hit policy UNIQUE, yet rows 3 and 4 hit at once."
    assert caught.value.extra["rules"] == ("r3", "r4")


def test_any_accepts_several_hits_with_one_output():
    data = definitions(table([("> 1", '"x"'), ("> 2", '"x"'), ("> 3", '"y"')], policy="ANY"))
    assert ask(data, a=3) == "x"
    with pytest.raises(decisions.DecisionError, match="rows 1, 2 and 3 give different outputs"):
        ask(data, a=4)


def test_first_gives_the_first_hit():
    assert ask(definitions(table([("> 1", '"x"'), ("> 0", '"y"')], policy="FIRST")), a=2) == "x"


def test_priority_gives_the_output_listed_first():
    data = definitions(
        table([("> 0", '"low"'), ("> 5", '"high"')], policy="PRIORITY", outputs=[("result", '"high", "low"', "")])
    )
    assert (ask(data, a=6), ask(data, a=1), ask(data, a=0)) == ("high", "low", None)


def test_priority_with_several_columns_compares_the_first_column_first():
    data = definitions(
        table(
            [("-", '"b"', "1"), ("-", '"a"', "2"), ("-", '"a"', "1")],
            policy="OUTPUT ORDER",
            outputs=[("x", '"a", "b"', ""), ("y", "2, 1", "")],
        )
    )
    assert ask(data) == [{"x": "a", "y": 2}, {"x": "a", "y": 1}, {"x": "b", "y": 1}]


def test_an_output_outside_the_listed_values_is_a_violation():
    data = definitions(table([("-", '"other"')], policy="PRIORITY", outputs=[("result", '"high", "low"', "")]))
    with pytest.raises(decisions.DecisionError, match="other"):
        ask(data)


@pytest.mark.parametrize(
    ("policy", "all_hits", "no_hits"),
    [
        ("RULE ORDER", [3, 1, 3], []),
        ("COLLECT", [3, 1, 3], []),
        ("COLLECT/SUM", 7, None),
        ("COLLECT/MIN", 1, None),
        ("COLLECT/MAX", 3, None),
        ("COLLECT/COUNT", 3, 0),
    ],
)
def test_policies_that_collect(policy, all_hits, no_hits):
    data = definitions(table([("> 0", "3"), ("> 0", "1"), ("> 0", "3")], policy=policy))
    assert ask(data, a=1) == all_hits
    assert ask(data, a=0) == no_hits


def test_output_order_sorts_the_hits():
    data = definitions(
        table([("-", "3"), ("-", "1"), ("-", "2")], policy="OUTPUT ORDER", outputs=[("result", "1, 2, 3", "")])
    )
    assert ask(data) == [1, 2, 3]


def test_what_cannot_be_summed_is_a_violation():
    data = definitions(table([("-", '"x"'), ("-", "1")], policy="COLLECT/SUM"))
    with pytest.raises(decisions.DecisionError, match="cannot be aggregated by SUM"):
        ask(data)


def test_default_outputs_stand_in_where_no_rule_hits():
    data = definitions(table(GRADES, outputs=[("result", "", '"待定"')]))
    assert ask(data, a=None) == "待定"
    collecting = definitions(table(GRADES, policy="COLLECT", outputs=[("result", "", '"待定"')]))
    assert ask(collecting, a=None) == ["待定"]


def test_several_outputs_give_a_context():
    data = definitions(
        table([("-", '"通过"', "a + 1")], outputs=["结论", "分数"]),
    )
    assert ask(data, a=1) == {"结论": "通过", "分数": 2}


@pytest.mark.parametrize(
    ("cell", "value", "hits"),
    [
        ("-", "x", True),
        ("", "x", True),
        ('"x", "y"', "y", True),
        ('not("x", "y")', "y", False),
        ('not("x")', "y", True),
        ("< 10, > 20", 25, True),
        ("]1..5[", 1, False),
        ("? > limit", 5, True),
        ("limit", 3, True),
        ("null", None, True),
        ("not(null)", None, False),
        ("not(null)", 1, True),
        ("true", False, False),
        ('list contains(?, "x")', ["x", "y"], True),
        ('contains(?, "国际")', "国际合作", True),
        ('< date("2026-01-01")', "2025-12-31", False),  # without a type a text stays a text
    ],
)
def test_cells_are_feel_unary_tests(cell, value, hits):
    assert ask(definitions(table([(cell, "true")], policy="FIRST")), a=value, limit=3) is (True if hits else None)


def test_a_typed_column_turns_texts_into_dates():
    assert (
        ask(definitions(table([('< date("2026-01-01")', '"早"')], inputs=[("a", "date", "")])), a="2025-12-31") == "早"
    )


def test_a_value_of_another_type_is_a_violation():
    data = definitions(table([("> 1", "1")], inputs=[("a", "number", "")]))
    with pytest.raises(decisions.DecisionError) as caught:
        ask(data, a="many")
    assert caught.value.zh == '决策“表 t”：“a”应为 number，实为 "many"。'


def test_a_value_outside_the_allowed_ones_is_a_violation():
    data = definitions(table([("-", "1")], inputs=[("a", "string", '"园区", "中心"')]))
    assert ask(data, a="园区") == 1
    assert ask(data, a=None) == 1
    with pytest.raises(decisions.DecisionError, match="not among the allowed ones"):
        ask(data, a="公司")


def test_allowed_values_of_an_item_definition_hold_for_its_columns():
    item = (
        '<itemDefinition name="tKind"><typeRef>string</typeRef>'
        '<allowedValues><text>"a", "b"</text></allowedValues></itemDefinition>'
    )
    data = definitions(item, table([("-", "1")], inputs=[("a", "tKind", "")]))
    assert ask(data, a="b") == 1
    with pytest.raises(decisions.DecisionError):
        ask(data, a="c")


def test_an_error_in_a_cell_names_row_and_column():
    data = definitions(table([("-", "1"), ('"x" - a > 1', "2")], policy="COLLECT"))
    with pytest.raises(decisions.DecisionError) as caught:
        ask(data, a=1)
    assert "第 2 行第 1 列" in caught.value.zh
    assert "row 2, column 1" in caught.value.en


def test_variables_with_chinese_names_and_spaces():
    data = definitions(table([("> 1", '"ok"')], inputs=["申报机构.注册年限"]))
    assert ask(data, 申报机构={"注册年限": 2}) == "ok"
    spaced = definitions(table([("> 1", '"ok"')], inputs=["monthly salary"]))
    assert ask(spaced, **{"monthly salary": 2}) == "ok"


def test_working_days_and_the_moment_are_known_to_tables():
    data = definitions(table([("<= 10", '"限期内"'), ("> 10", '"逾期"')], inputs=["workdaysBetween(filed, today())"]))
    assert ask(data, filed="2026-02-24") == "限期内"
    assert ask(data, filed="2026-01-05") == "逾期"


# Required decisions

CHAIN = definitions(
    '<decision id="score" name="score"><literalExpression id="l"><text>sum(points)</text></literalExpression></decision>',
    '<decision id="t" name="Grade"><variable name="Grade"/><informationRequirement>'
    '<requiredDecision href="#score"/></informationRequirement>',
    table_alone(GRADES, "UNIQUE", ["score"], ["result"]),
    "</decision>",
    '<decision id="final" name="Final">',
    '<informationRequirement><requiredDecision href="#t"/></informationRequirement>',
    '<informationRequirement><requiredDecision href="#score"/></informationRequirement>',
    '<literalExpression id="l2"><text>{等级: Grade, 分: score, 旧名: t}</text></literalExpression></decision>',
)


def test_required_decisions_are_made_first_and_once():
    outcome = decisions.evaluate_detailed(decisions.read(CHAIN), "final", {"points": [40, 50]}, now=NOW)
    assert outcome.result == {"等级": "优秀", "分": 90, "旧名": "优秀"}
    assert [made.decision for made in outcome.decisions] == ["score", "t", "final"]
    assert outcome.decisions[1].rules == ("r3",)
    assert outcome.decisions[1].inputs == (90,)
    assert outcome.rules == ()


def test_hit_rules_are_told_for_coverage():
    known = decisions.read(definitions(table(GRADES)))
    assert decisions.evaluate_detailed(known, "t", {"a": 70}, now=NOW).rules == ("r2",)
    assert known["t"].rules == {"r1": 1, "r2": 2, "r3": 3}


def test_dates_stay_dates_between_decisions():
    data = definitions(
        '<decision id="due" name="due"><literalExpression><text>date(filed) + duration("P1M")</text>'
        "</literalExpression></decision>",
        '<decision id="t" name="t"><informationRequirement><requiredDecision href="#due"/></informationRequirement>'
        "<literalExpression><text>due &lt; today()</text></literalExpression></decision>",
    )
    assert ask(data, filed="2026-01-31") is True
    assert ask(data, filed="2026-02-15") is False
    assert ask(data, "due", filed="2026-01-31") == "2026-02-28"


def test_knowledge_models_are_functions():
    data = definitions(
        '<businessKnowledgeModel id="b" name="周年"><encapsulatedLogic><formalParameter name="d"/>'
        '<formalParameter name="n"/><literalExpression id="x"><text>date(d) + n * duration("P1Y")</text>'
        "</literalExpression></encapsulatedLogic></businessKnowledgeModel>",
        '<businessKnowledgeModel id="b2" name="加 倍"><encapsulatedLogic><formalParameter name="n"/>'
        '<literalExpression id="y"><text>n * 2</text></literalExpression></encapsulatedLogic></businessKnowledgeModel>',
        '<decision id="t" name="t"><knowledgeRequirement><requiredKnowledge href="#b2"/></knowledgeRequirement>'
        '<literalExpression id="z"><text>加 倍(a) + 加 倍(n: 1)</text></literalExpression></decision>',
        '<decision id="boxed" name="boxed"><knowledgeRequirement><requiredKnowledge href="#b2"/>'
        "</knowledgeRequirement><invocation><literalExpression><text>加 倍</text></literalExpression>"
        '<binding><parameter name="n"/><literalExpression><text>a + 1</text></literalExpression></binding>'
        "</invocation></decision>",
    )
    assert ask(data, a=3) == 8
    assert ask(data, "boxed", a=3) == 8
    assert decisions.check(data) == []


def test_boxed_contexts_lists_relations_and_conditions():
    data = definitions(
        '<decision id="t" name="t"><context>'
        '<contextEntry><variable name="x"/><literalExpression><text>a * 2</text></literalExpression></contextEntry>'
        '<contextEntry><variable name="y"/><list><literalExpression><text>x</text></literalExpression>'
        "<literalExpression><text>x + 1</text></literalExpression></list></contextEntry>"
        '<contextEntry><variable name="z"/><relation><column name="p"/><column name="q"/><row><literalExpression>'
        "<text>1</text></literalExpression><literalExpression><text>y[2]</text></literalExpression></row></relation>"
        "</contextEntry><contextEntry><conditional><if><literalExpression><text>x &gt; 5</text></literalExpression></if>"
        "<then><literalExpression><text>z</text></literalExpression></then>"
        "<else><literalExpression><text>y</text></literalExpression></else></conditional></contextEntry>"
        "</context></decision>"
    )
    assert ask(data, a=1) == [2, 3]
    assert ask(data, a=3) == [{"p": 1, "q": 7}]


# Checks


def rules_of(data):
    return [rule for _, rule, _, _ in decisions.check(data)]


def test_a_good_file_has_no_problems():
    assert decisions.check(definitions(table(GRADES))) == []
    assert decisions.check(CHAIN) == []


def test_bad_feel_is_found_in_every_kind_of_cell():
    data = definitions(
        table(
            [("> ", "foo(1)"), ("-", "1 +")],
            inputs=[("a..b", "", '"x", ,')],
            outputs=[("result", "1, ", "instance")],
        )
    )
    found = {element for element, rule, _, _ in decisions.check(data) if rule == "feel"}
    assert found == {"in0", "out0", "r1c0", "r1c1", "r2c1"}


def test_circles_are_refused():
    data = definitions(
        *(
            f'<decision id="{own}" name="{own}"><informationRequirement><requiredDecision href="#{other}"/>'
            f"</informationRequirement><literalExpression><text>1</text></literalExpression></decision>"
            for own, other in (("a", "b"), ("b", "c"), ("c", "a"))
        )
    )
    assert rules_of(data) == ["dmn-cycle"]
    with pytest.raises(decisions.DecisionError, match="in a circle"):
        decisions.read(data)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"<definitions", "xml"),
        (b'<!DOCTYPE d [<!ENTITY x "y">]><d>&x;</d>', "xml"),
        (b"<definitions xmlns='urn:other'/>", "dmn-namespace"),
        (definitions(), "dmn-empty"),
        (definitions('<decision id="t" name="t"/>'), "dmn-logic"),
        (definitions(table(GRADES), table(GRADES)), "dmn-id"),
        (definitions(table(GRADES, policy="LAST")), "dmn-hit-policy"),
        (definitions(table(GRADES, policy="UNIQUE/SUM")), "dmn-hit-policy"),
        (definitions(table([("-", "1", "2")], policy="COLLECT/SUM", outputs=["x", "y"])), "dmn-aggregation"),
        (definitions(table(GRADES, policy="PRIORITY")), "dmn-priority"),
        (definitions(table([("-", "1", "2")], outputs=["x", "x"])), "dmn-output-names"),
        (definitions(table([("-", "1", "2")])), "dmn-cells"),
        (definitions(table([("-",)], outputs=[])), "dmn-outputs"),
        (definitions(table(GRADES, inputs=[""])), "dmn-input"),
        (
            definitions(
                table(GRADES, extra='<informationRequirement><requiredDecision href="#x"/></informationRequirement>')
            ),
            "dmn-requirement",
        ),
        (
            definitions(
                '<decision id="t" name="t"><literalExpression expressionLanguage="javascript"><text>1</text>'
                "</literalExpression></decision>"
            ),
            "dmn-language",
        ),
        (definitions('<decision id="t" name="t"><filter/></decision>'), "dmn-boxed"),
    ],
)
def test_problems_of_structure_are_found_and_refused(data, rule):
    assert rule in rules_of(data)
    with pytest.raises(decisions.DecisionError):
        decisions.read(data)


def test_an_unknown_decision_is_an_error():
    with pytest.raises(decisions.DecisionError, match="no decision"):
        ask(definitions(table(GRADES)), "other")


def test_a_hostile_table_is_stopped():
    data = definitions(table([("count(for x in 1..10000000000 return x) > 1", "1")]))
    with pytest.raises(decisions.DecisionError, match=r"took too long|too much memory"):
        ask(data, a=1)
    assert ask(definitions(table(GRADES)), a=90) == "优秀"


# A table says what its rows say one by one

CELLS = st.sampled_from(["-", "< 3", "> 2", "[1..4]", "(1..4)", "2, 4", "not(3)", "? = limit", "null"])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(CELLS, CELLS, st.integers(1, 4)), min_size=1, max_size=8),
    st.none() | st.integers(0, 5),
    st.none() | st.integers(0, 5),
)
def test_hits_are_the_rows_whose_cells_all_pass(rows, a, b):
    scope = {"a": a, "b": b, "limit": 4}
    expected = [
        output
        for first, second, output in rows
        if feel.unary_test(first, a, scope, now=NOW) and feel.unary_test(second, b, scope, now=NOW)
    ]
    rules = [(first, second, str(output)) for first, second, output in rows]
    collected = definitions(table(rules, policy="COLLECT", inputs=["a", "b"]))
    assert ask(collected, **scope) == expected
    counted = definitions(table(rules, policy="COLLECT/COUNT", inputs=["a", "b"]))
    assert ask(counted, **scope) == len(expected)
    first = definitions(table(rules, policy="FIRST", inputs=["a", "b"]))
    assert ask(first, **scope) == (expected[0] if expected else None)


# The compatibility kit's format

CASES = """<testCases xmlns="http://www.omg.org/spec/DMN/20160719/testcase" xmlns:xsd="http://www.w3.org/2001/XMLSchema"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><modelName>grade.dmn</modelName>
  <testCase id="1"><inputNode name="a"><value xsi:type="xsd:decimal">70</value></inputNode>
    <resultNode name="表 t" type="decision"><expected><value xsi:type="xsd:string">合格</value></expected></resultNode>
  </testCase>
  <testCase id="2"><inputNode name="a"><value xsi:nil="true"/></inputNode>
    <resultNode name="表 t" type="decision"><expected><value xsi:nil="true"/></expected></resultNode></testCase>
  <testCase id="3"><inputNode name="a"><value xsi:type="xsd:decimal">70</value></inputNode>
    <resultNode name="表 t" type="decision"><expected><value xsi:type="xsd:string">优秀</value></expected></resultNode>
  </testCase></testCases>"""


def test_cases_of_the_compatibility_kit_are_run(tmp_path):
    (tmp_path / "grade.dmn").write_bytes(definitions(table(GRADES)))
    (tmp_path / "grade-test-01.xml").write_text(CASES)
    results = tck.run(tmp_path)
    assert [(result.case, result.passed, result.got) for result in results] == [
        ("1", True, "合格"),
        ("2", True, None),
        ("3", False, "合格"),
    ]


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        (0.1 + 0.2, 0.3, True),
        (1, 1.1, False),
        ("P1D", "PT24H", True),
        ("P1Y", "P12M", True),
        ("2024-01-01T10:00:00", "2024-01-01T10:00:00+08:00", True),
        ("2024-01-01T10:00:00Z", "2024-01-01T10:00:00+08:00", False),
        ({"a": [1, "x"]}, {"a": [1.0, "x"]}, True),
        (True, 1, False),
        (None, None, True),
    ],
)
def test_results_are_compared_as_the_kit_means_them(expected, got, same):
    assert tck.same(expected, got) is same

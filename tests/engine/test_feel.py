"""FEEL as the engine evaluates it: values, errors, limits, and the shortcut for plain expressions."""

import os
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import workdays
from service.engine import feel, isolate

NOW = datetime(2026, 3, 2, 17, 30, tzinfo=UTC)  # 01:30 on 3 March in China


def value(expression, **variables):
    return feel.evaluate(expression, variables, now=NOW)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 1", 2),
        ("0.1 * 3 > 0.3", True),
        ('"中" + "文"', "中文"),
        ("for i in 1..3 return i * 2", [2, 4, 6]),
        ("some x in [1, 2] satisfies x > 1", True),
        ("{a: 1, b: {c: [1, null]}}", {"a": 1, "b": {"c": [1, None]}}),
        ("if missing = null then 1 else 2", 1),
        ("null + 1", None),
        ("1 / 0", None),
        ("missing.part > 5", None),
        ("5 in (1..10)", True),
        ("{f: function(a) a + 1, r: f(1)}.r", 2),
        ("median([10, 9, 2])", 9),
        ('max([date("2024-01-01"), date("2025-01-01")])', "2025-01-01"),
        ('min("b", "a")', "a"),
        ('-5', -5),
        ("not(null)", None),
    ],
)  # fmt: skip
def test_values(expression, expected):
    assert value(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("now()", "2026-03-03T01:30:00+08:00"),
        ("today()", "2026-03-03"),
        ("date(now())", "2026-03-03"),
        ('today() = date("2026-03-03")', True),
        ('today() + duration("P1M")', "2026-04-03"),
        ('date("2025-01-01") - date("2024-01-01")', "P366D"),
        ('duration("PT36H")', "P1DT12H"),
        ('duration("P14M")', "P1Y2M"),
        ('duration("P0D")', "P0D"),
        ('time("10:00:00")', "10:00:00"),
        ('date and time("2026-03-03T01:30:00") = now()', True),
        ('date and time("2026-03-02T17:30:00Z") <= now()', True),
        ('date("2026-02-30")', None),
        ('date(due) < today()', True),
    ],
)  # fmt: skip
def test_dates_times_and_durations_are_those_of_china(expression, expected):
    assert value(expression, due="2026-03-02") == expected


def test_the_time_zone_of_the_machine_does_not_matter():
    code = (
        "from datetime import datetime, UTC\nfrom service.engine import feel\n"
        "print(feel.evaluate('string(now()) + string(today())', {}, now=datetime(2026, 3, 2, 17, 30, tzinfo=UTC)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "TZ": "America/New_York"}, capture_output=True, text=True
    )
    assert done.stdout == "2026-03-03T01:30:002026-03-03\n", done.stderr


def test_chinese_names_and_names_with_spaces():
    assert value("申报机构.名称", 申报机构={"名称": "甲"}) == "甲"
    assert value("monthly salary * 12", **{"monthly salary": 2}) == 24
    assert value("a-b", **{"a-b": 7, "a": 5, "b": 1}) == 7
    assert value("a-b", a=5, b=1) == 4
    assert value("x.a b + 1", x={"a b": 1}) == 2


def test_a_missing_variable_is_null_but_a_missing_function_is_an_error():
    assert value("missing") is None
    with pytest.raises(feel.FeelError) as caught:
        value("foo(1)")
    assert "不存在的函数" in caught.value.zh
    assert "unknown function" in caught.value.en


@pytest.mark.parametrize(
    "expression",
    ["1 +", "", 'upper case("a", "b", "c")', '"a" - 1', "count", "[1..3]", "x instance of number", "during(1, [1..2])"],
)
def test_mistakes_are_errors_in_two_languages(expression):
    with pytest.raises(feel.FeelError) as caught:
        value(expression)
    assert caught.value.zh
    assert caught.value.en
    assert caught.value.zh != caught.value.en


def test_one_error_in_a_batch_leaves_the_others():
    results = feel.evaluate_many([("a + 1", {"a": 1}), ("foo()", {}), ("a", {"a": 3}), ("[a][1]", {"a": 4})], now=NOW)
    assert results[0] == 2
    assert isinstance(results[1], feel.FeelError)
    assert results[2:] == [3, 4]


@pytest.mark.parametrize(
    ("test", "given", "passes"),
    [
        ("-", 5, True),
        ("< 10, > 20", 5, True),
        ("< 10, > 20", 15, False),
        ('"a", "b"', "b", True),
        ('not("a", "b")', "b", False),
        ("[1..5]", 5, True),
        ("(1..5)", 5, False),
        ("? > limit", 5, True),
        ("null", None, True),
        ("< 10", None, False),
        ("true", True, True),
        ("contains(?, \"基地\")", "示范型基地", True),
        ("limit", 3, True),
    ],
)  # fmt: skip
def test_unary_tests(test, given, passes):
    assert feel.unary_test(test, given, {"limit": 3}, now=NOW) is passes


def test_syntax_is_checked_without_variables():
    assert feel.check("a.b + count(c)") is None
    assert feel.check_unary("-") is None
    assert feel.check_unary("< 5, >") is not None
    assert "“else”" in (feel.check("get or else(null, 1)") or "")
    assert "unknown function “foo”" in (feel.check("foo(1)") or "")
    assert "instance of" in (feel.check("x instance of number") or "")
    assert feel.check("workdays(today(), 10)") is None
    assert feel.check("{f: function(a) a, b: f(1)}.b") is None
    assert feel.check("  ") is not None


def test_free_names():
    assert feel.names("a.b + sum(c) + count(d[item > limit])") == {"a", "c", "d", "limit"}
    assert feel.names("for i in xs, j in i.ys return i + j + k") == {"xs", "k"}
    assert feel.names("{q: z, w: q}.w") == {"z"}
    assert feel.names("function(a) a + b") == {"b"}
    assert feel.names("some x in y satisfies x = z") == {"y", "z"}
    assert feel.names('申报机构.名称 = "x" and workdays(now(), 天数) > today()') == {"申报机构", "天数"}


# Limits

HOSTILE = [
    "for x in 1..1000000000 return x",
    "count(for x in 1..100000, y in 1..100000 return 1)",
    "for i in 1..60 return if count(partial) = 0 then \"aaaaaaaa\" else partial[-1] + partial[-1]",
    "for k in 1..100 return upper case((for i in 1..28 return if count(partial)=0 then \"中\" else partial[-1]+partial[-1])[-1])",
    "split((for i in 1..26 return if count(partial)=0 then \"中,,\" else partial[-1] + partial[-1])[-1], \",\")",
    "(for i in 1..27 return if count(partial)=0 then \"aa\" else partial[-1] + partial[-1])[-1]",
    'matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "^(a+)+$")',
    "flatten(for i in 1..30 return if count(partial) = 0 then [1, 1] else concatenate(partial[-1], partial[-1]))",
    "(function(f) f(f))(function(f) f(f))",
    "(" * 5000 + "1" + ")" * 5000,
    "-" * 20000 + "1",
]  # fmt: skip


@pytest.mark.parametrize("expression", HOSTILE)
def test_a_hostile_expression_ends_in_bounded_time_and_memory(expression):
    process = psutil.Process()
    before = process.memory_info().rss
    began = time.monotonic()
    with pytest.raises(feel.FeelError):
        value(expression)
    assert time.monotonic() - began < 8
    assert process.memory_info().rss - before < 500 * 2**20
    assert value("1 + 1") == 2


def test_a_hostile_expression_spoils_only_its_own_place_in_a_batch():
    results = feel.evaluate_many([("a + 1", {"a": 1}), (HOSTILE[0], {}), ("a + 2", {"a": 1})], now=NOW)
    assert [results[0], results[2]] == [2, 3]
    assert results[1].code == "feel_limit"


def test_too_large_variables_are_refused():
    with pytest.raises(feel.FeelError):
        value("count(a) + 1", a="x" * (20 * 2**20))


def test_there_is_no_way_to_javascript():
    for name in ("globalThis", "constructor", "__proto__", "process", "Function", "eval", "require"):
        assert value(name) is None
        assert value(f"x.{name}", x={"a": 1}) is None
    assert value('{"__proto__": {polluted: true}}') is not None
    assert value("polluted") is None
    assert value("{}.polluted") is None


def test_threads_share_the_isolate():
    results: list[int] = []

    def work(number):
        results.extend(value("a * 2", a=number) for _ in range(50))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == sorted(number * 2 for number in range(8) for _ in range(50))


def test_a_forked_child_makes_its_own_isolate():
    value("1 + 2")
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if value("20 + 3") == 23 else 1)
        except BaseException:
            os._exit(2)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.05)
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
        pytest.fail("the child hangs")
    assert os.waitstatus_to_exitcode(status) == 0


def test_an_interpreter_that_used_feel_ends_by_itself():
    code = (
        "import threading\nfrom datetime import datetime, UTC\nfrom service.engine import feel\n"
        "ask = lambda: feel.evaluate('1 + 1', {}, now=datetime.now(UTC))\n"
        "def forever():\n    while True:\n        ask()\n"
        "print(ask())\nthreading.Thread(target=forever, daemon=True).start()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=30, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr


# Working days

KNOWN = st.dates(date(2005, 1, 1), date(2026, 6, 30))


def test_working_days_in_feel():
    assert value('workdays("2025-09-29", 1)') == "2025-09-30"
    assert value('workdays(date("2025-09-30"), 3)') == "2025-10-11"
    assert value("workdays(now(), 10)") == "2026-03-17T01:30:00+08:00"
    assert value('workdaysBetween("2025-09-29", "2025-10-11")') == 4
    assert value('isWorkday("2025-10-11")') is True
    assert value('noticeEnd("2025-09-26", 5)') == "2025-10-09"
    assert value('yearsLater("2024-02-29", 3)') == "2027-02-28"
    assert value("workdays(today(), 1000000000)") is None
    assert value("workdays(null, 1)") is None
    assert value('workdays("soon", 1)') is None
    assert value('workdays(n: 1, from: "2025-09-29")') == "2025-09-30"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(KNOWN, KNOWN, st.integers(-60, 120)), min_size=1, max_size=20))
def test_feel_and_python_count_the_same_days(samples):
    expression = "[string(workdays(a, n)), workdaysBetween(a, b), isWorkday(a), string(noticeEnd(a, n)), string(yearsLater(a, n))]"
    answers = feel.evaluate_many(
        [(expression, {"a": a.isoformat(), "b": b.isoformat(), "n": n}) for a, b, n in samples], now=NOW
    )
    assert answers == [
        [
            workdays.add(a, n).isoformat(),
            workdays.count(a, b),
            workdays.is_workday(a),
            workdays.notice_end(a, n).day.isoformat(),
            workdays.years_later(a, n).isoformat(),
        ]
        for a, b, n in samples
    ]


def test_an_installed_calendar_reaches_feel():
    try:
        workdays.install({date(2031, 1, 1): False, date(2031, 1, 4): True})
        assert value('workdays("2030-12-31", 1)') == "2031-01-02"
        assert value('isWorkday("2031-01-04")') is True
    finally:
        workdays.install(None)
    assert value('isWorkday("2031-01-04")') is False


# The shortcut

NAMES = ["a", "b", "申报机构", "a.b", "x y", "count", "date", "in", "true"]
LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from([1.5, 2.0, 1e300, 2**53 + 1, "", "x", "5"])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
)
PATHS = st.lists(
    st.sampled_from(["a", "b", "申报机构", "count", "date", "in", "true", "missing"]), min_size=1, max_size=3
)
LITERALS = st.sampled_from(["1", "-1", "0", "1.5", "007", ".5", '"x"', '""', '"5"', r'"\n"', "true", "false", "null"])
OPERATORS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
PLAIN = st.one_of(
    PATHS.map(".".join),
    LITERALS,
    st.builds(
        lambda path, space, operator, literal: f"{'.'.join(path)}{space}{operator}{space}{literal}",
        PATHS, st.sampled_from(["", " "]), OPERATORS, LITERALS,
    ),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(PLAIN, st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4)), min_size=5, max_size=20))
def test_the_shortcut_says_what_v8_says(samples):
    quick = [feel._evaluate_plain(expression, variables) for expression, variables in samples]
    slow = feel._ask([("expression", *sample, None) for sample in samples], NOW)
    for sample, fast, full in zip(samples, quick, slow, strict=True):
        if fast is not feel._NOT_PLAIN:
            assert (fast, type(fast)) == (full, type(full)), sample


def test_a_value_is_handed_over_as_a_copy():
    applicant = {"name": "甲", "partners": [{"name": "乙"}]}
    taken = value("applicant", applicant=applicant)
    taken["partners"][0]["name"] = "丙"
    assert applicant == {"name": "甲", "partners": [{"name": "乙"}]}


def test_plain_expressions_do_not_wake_v8(monkeypatch):
    monkeypatch.setattr(isolate, "call", lambda *_, **__: pytest.fail("V8 was asked"))
    assert value('applicant.name = "甲"', applicant={"name": "甲"}) is True
    assert value("approved", approved=False) is False
    assert value("score >= 60", score=59.5) is False
    assert value('"text"') == "text"


@pytest.mark.bench
def test_bench_feel(capsys):
    process = psutil.Process()
    before = process.memory_info().rss
    value("a + 1", a=1)
    loaded = process.memory_info().rss
    condition = 'amount * 2 > 100 and applicant.name = "x"'
    variables = {"amount": 3, "applicant": {"name": "x"}}
    wide = {f"field_{number}": {"value": number, "more": [1, 2, {"c": 1}]} for number in range(200)} | variables
    figures = {
        "plain": timed(lambda: feel.evaluate('applicant.name = "x"', variables, now=NOW)),
        "expression": timed(lambda: feel.evaluate(condition, variables, now=NOW)),
        "expression, 200 other variables": timed(lambda: feel.evaluate(condition, wide, now=NOW)),
        "batch of 10": timed(
            lambda: feel.evaluate_many([(f"{condition} or {n} = 0", variables) for n in range(10)], now=NOW)
        ),
    }
    with capsys.disabled():
        print(f"\nFEEL: +{(loaded - before) / 1e6:.0f} MB;", "; ".join(f"{k} {v:.3f} ms" for k, v in figures.items()))


def timed(act, rounds=500):
    act()
    began = time.perf_counter()
    for _ in range(rounds):
        act()
    return (time.perf_counter() - began) / rounds * 1000


def test_a_moment_given_in_another_zone_is_the_same_moment():
    there = NOW.astimezone(ZoneInfo("America/New_York"))
    assert feel.evaluate("now()", {}, now=there) == "2026-03-03T01:30:00+08:00"

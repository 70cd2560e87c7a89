"""FEEL, the only language in a diagram: feelin in a V8 isolate, plain expressions without it.

Beyond DMN 1.3's own functions an expression may use

- ``workdays(from, n)`` – the n-th Chinese working day after a date or date and time (its start is day 0),
- ``workdaysBetween(from, to)`` – working days after ``from`` up to and including ``to``,
- ``isWorkday(date)``,
- ``noticeEnd(posted, n)`` – last day of a public notice, its posting day being day 1,
- ``yearsLater(from, n)`` – the corresponding day n years later.

``now()`` and ``today()`` are the given moment in China, whose time zone also a date and time without one has. A missing
variable is null. What FEEL turns silently into null although it is a mistake – an unknown function, wrong arguments,
arithmetic on unlike things – raises FeelError here.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from service import workdays
from service.errors import ServiceError

from . import isolate

SCRIPT = "feel"


class FeelError(ServiceError):
    """The expression cannot be evaluated."""

    zh_default = "表达式无法求值。"
    status = 422
    code = "feel"


def evaluate(expression: str, variables: Mapping[str, Any], *, now: datetime) -> Any:
    """The value of an expression, written without its leading ``=``."""
    result = _evaluate_plain(expression, variables)
    if result is _NOT_PLAIN:
        result = _ask([("expression", expression, variables, None)], now)[0]
        if isinstance(result, FeelError):
            raise result
    return result


def evaluate_many(questions: Iterable[tuple[str, Mapping[str, Any]]], *, now: datetime) -> list[Any]:
    """The values of several expressions in one go; a FeelError stands where one has none."""
    asked = list(questions)
    results = [_evaluate_plain(expression, variables) for expression, variables in asked]
    open_ = [index for index, result in enumerate(results) if result is _NOT_PLAIN]
    if open_:
        answers = _ask([("expression", *asked[index], None) for index in open_], now)
        for index, answer in zip(open_, answers, strict=True):
            results[index] = answer
    return results


def unary_test(test: str, value: Any, variables: Mapping[str, Any], *, now: datetime) -> bool:
    """Whether a value passes a cell of a decision table (``< 10, > 20``, ``not("a")``, ``-``, ``? > limit``)."""
    result = _ask([("test", test, variables, value)], now)[0]
    if isinstance(result, FeelError):
        raise result
    return bool(result)


def problem(expression: str) -> FeelError | None:
    """What is wrong with an expression as far as one can see without variables; None where nothing is."""
    return _checked("expression", expression)


def check(expression: str) -> str | None:
    """What is wrong with an expression, in Chinese and English; None where nothing is."""
    found = _checked("expression", expression)
    return str(found) if found else None


def check_unary(test: str) -> str | None:
    """What is wrong with a decision table's cell, in Chinese and English; None where nothing is."""
    found = _checked("test", test)
    return str(found) if found else None


def check_many(texts: Sequence[tuple[str, str]], functions: Iterable[str] = ()) -> list[FeelError | None]:
    """What is wrong with ``("expression" | "test", text)`` pairs, in one go; ``functions`` are known besides FEEL's."""
    found: list[FeelError | None] = [_unaskable(text) for _, text in texts]
    # A text that is refused unread is not handed over.
    asked = [(kind, text if found[index] is None else "null") for index, (kind, text) in enumerate(texts)]
    argument = {"texts": asked, "functions": sorted(functions)}
    try:
        problems = isolate.call(SCRIPT, "check", argument, seconds=isolate.MOST_SECONDS)
    except isolate.ScriptError as error:
        if len(texts) == 1:
            return [found[0] or failed(error)]
        return [check_many([text], functions)[0] for text in texts]
    for index, problem in enumerate(problems):
        if problem is not None and found[index] is None:
            found[index] = error_of(problem, texts[index][1])
    return found


@functools.lru_cache(4096)
def names(expression: str) -> frozenset[str]:
    """The variables an expression takes from outside; function names are not among them."""
    try:
        found = isolate.call(SCRIPT, "names", {"kind": "expression", "text": expression})
    except isolate.ScriptError as error:
        raise failed(error) from error
    return frozenset(found)


@functools.lru_cache(4096)
def _checked(kind: str, text: str) -> FeelError | None:
    return check_many([(kind, text)])[0]


def _ask(questions: Sequence[tuple[str, str, Mapping[str, Any], Any]], now: datetime) -> list[Any]:
    """Ask V8. A batch that fails as a whole is asked again one by one, so that only the culprit fails."""
    try:
        return _call(questions, now)
    except (isolate.ScriptError, TypeError, ValueError) as error:
        if len(questions) == 1:
            return [failed(error)]
    answers: list[Any] = []
    for question in questions:
        late = [answer for answer in answers if isinstance(answer, FeelError) and answer.code == "feel_limit"]
        answers.append(late[0] if len(late) >= 2 else _ask([question], now)[0])
    return answers


def _call(questions: Sequence[tuple[str, str, Mapping[str, Any], Any]], now: datetime) -> list[Any]:
    calendar = workdays.current()
    sets: list[dict[str, Any]] = []
    seen: dict[int, int] = {}
    texts: dict[int, str] = {}
    for _, text, variables, _ in questions:
        texts[id(variables)] = f"{texts.get(id(variables), '')}\n{text}"
    asked = []
    for kind, text, variables, value in questions:
        key = id(variables)
        if key not in seen:
            seen[key] = len(sets)
            sets.append(named_in(texts[key], variables))
        asked.append((kind, text, seen[key], value) if kind == "test" else (kind, text, seen[key]))
    answers = isolate.call(
        SCRIPT,
        "batch",
        {"now": now.timestamp() * 1000, "calendar": calendar.key, "variables": sets, "questions": asked},
        needs=[isolate.Kept("calendar", calendar.key, calendar.json)],
    )
    return [
        error_of(answer["error"], question[1]) if "error" in answer else answer["value"]
        for question, answer in zip(questions, answers, strict=True)
    ]


def named_in(text: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables whose names occur in the text: what it doesn't name can't matter and costs time to hand over."""
    squeezed = _SPACES.sub("", text)
    return {
        name: variables[name]
        for name in variables
        if (name if name.isidentifier() else _SPACES.sub("", str(name))) in squeezed
    }


_SPACES = re.compile(r"\s+")


# Plain expressions ----------------------------------------------------------------------------------------------------
#
# Literals, paths and comparisons of a path with a literal are most of what diagrams say. They are evaluated here,
# with the same results: whatever could make a difference is left to V8.

_NOT_PLAIN: Any = object()
_LETTER = r"[A-Za-z_\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u3001-\uD7FF]"
_NAME = rf"{_LETTER}(?:{_LETTER}|[0-9])*"
_PATH = re.compile(rf"{_NAME}(?:\.{_NAME})*")
_LITERAL = re.compile(
    r'(?P<number>-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?)|"(?P<text>[^"\\\r\n]*)"|(?P<word>true|false|null)'
)
_COMPARISON = re.compile(rf"(?P<path>{_PATH.pattern})\s*(?P<operator>=|!=|<=|>=|<|>)\s*(?P<literal>{_LITERAL.pattern})")
_WORDS = {"true": True, "false": False, "null": None}
_RESERVED = frozenset(
    re.findall(
        r"\w+",
        "for in return if then else some every satisfies or and between instance of days time duration years months "
        "date list context function null true false external not item partial",
    )
)
_EXACT = 2**53


@functools.lru_cache(8192)
def _plain(expression: str) -> Callable[[Mapping[str, Any]], Any] | None:
    text = expression.strip()
    if match := _LITERAL.fullmatch(text):
        literal = _literal(match)
        word = match["word"]
        return lambda variables: _NOT_PLAIN if word and word in variables else literal
    if match := _PATH.fullmatch(text):
        return _path(match[0])
    if match := _COMPARISON.fullmatch(text):
        path = _path(match["path"])
        return path and _comparison(path, match["operator"], _literal(match), match["word"])
    return None


def _evaluate_plain(expression: str, variables: Mapping[str, Any]) -> Any:
    plain = _plain(expression)
    return _NOT_PLAIN if plain is None else plain(variables)


def _literal(match: re.Match[str]) -> Any:
    if (number := match["number"]) is not None:
        value = float(number)
        return int(value) if value.is_integer() else value
    return match["text"] if match["text"] is not None else _WORDS[match["word"]]


def _path(path: str) -> Callable[[Mapping[str, Any]], Any] | None:
    first, *rest = path.split(".")
    if _RESERVED.intersection((first, *rest)):
        return None

    def follow(variables: Mapping[str, Any]) -> Any:
        try:
            value = variables[first]
        except KeyError:
            return _NOT_PLAIN  # perhaps the name of a function, perhaps written with other spaces
        # A variable may itself be called `a.b`.
        if rest and any("." in name for name in variables):
            return _NOT_PLAIN
        for name in rest:
            if value is None or isinstance(value, (str, int, float)):
                return None
            if not isinstance(value, Mapping):
                return _NOT_PLAIN
            if name not in value:
                return _NOT_PLAIN
            if len(rest) > 1 and any("." in str(key) for key in value):
                return _NOT_PLAIN
            value = value[name]
        return _copied(value)

    return follow


def _copied(value: Any) -> Any:
    """The value as FEEL hands it back – a value of its own – or _NOT_PLAIN where V8 has to say what it becomes."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, (int, float)):
        exact = -_EXACT < value < _EXACT and not (isinstance(value, float) and value.is_integer())
        return value if exact else _NOT_PLAIN
    parts: Any = _NOT_PLAIN
    if isinstance(value, list):
        parts = [_copied(part) for part in value]
        return _NOT_PLAIN if any(part is _NOT_PLAIN for part in parts) else parts
    if isinstance(value, dict):
        parts = {name: _copied(part) for name, part in value.items()}
        plain = all(isinstance(name, str) and part is not _NOT_PLAIN for name, part in parts.items())
        return parts if plain else _NOT_PLAIN
    return parts


def _comparison(
    path: Callable[[Mapping[str, Any]], Any], operator: str, literal: Any, word: str | None
) -> Callable[[Mapping[str, Any]], Any]:
    def compare(variables: Mapping[str, Any]) -> Any:
        if word and word in variables:
            return _NOT_PLAIN
        value = path(variables)
        if value is _NOT_PLAIN or isinstance(value, (list, dict)):
            return _NOT_PLAIN
        if operator in ("=", "!="):
            equal = _equal(value, literal)
            return equal is not True if operator == "!=" else equal
        if value is None and literal is not None:
            return None
        if not _is_number(value) or not _is_number(literal):
            return _NOT_PLAIN
        return _ORDER[operator](value, literal)

    return compare


def _equal(value: Any, literal: Any) -> bool | None:
    """FEEL's equality: null with something is false, unlike types are null."""
    if value is None or literal is None:
        return value is None and literal is None
    if isinstance(value, bool) or isinstance(literal, bool):
        return value is literal if isinstance(value, bool) and isinstance(literal, bool) else None
    if isinstance(value, str) is not isinstance(literal, str):
        return None
    return bool(value == literal)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


# Sentences ------------------------------------------------------------------------------------------------------------


def error_of(problem: Mapping[str, Any], text: str) -> FeelError:
    """The error a script's problem is, in both languages."""
    kind, message = problem["kind"], str(problem.get("message", ""))
    shown = _short(text)
    if kind == "syntax":
        start, end = problem.get("from", 0), problem.get("to", 0)
        where = _short(_slice(text, start, end)) or _short(_slice(text, start, start + 12))
        if where:
            return FeelError(
                f"“{shown}”不是正确的 FEEL：第 {start + 1} 个字符起的“{where}”无法理解。",
                f"“{shown}” is not FEEL: “{where}” at character {start + 1} is not understood.",
                code="feel_syntax",
            )
        return FeelError(f"“{shown}”不是完整的 FEEL。", f"“{shown}” is incomplete FEEL.", code="feel_syntax")
    if kind == "function":
        return FeelError(
            f"“{shown}”调用了不存在的函数，或参数不符。",
            f"“{shown}” calls an unknown function, or with wrong arguments: {message}",
        )
    if kind == "unknown":
        return FeelError(
            f"“{shown}”中的函数“{message}”不存在。",
            f"“{shown}” calls the unknown function “{message}”.",
            code="feel_function",
        )
    if kind == "unsupported":
        return FeelError(
            f"“{shown}”使用了不支持的“{message}”。", f"“{shown}” uses “{message}”, which is not supported."
        )
    if kind == "type":
        return FeelError(f"“{shown}”对不同类型的值做运算。", f"“{shown}” calculates with unlike things: {message}")
    if kind == "value":
        return FeelError(f"“{shown}”的结果不是值。", f"The result of “{shown}” is a {message}, not a value.")
    if kind in ("size", "depth"):
        return _too_much(shown)
    return FeelError(f"“{shown}”无法求值。", f"“{shown}” cannot be evaluated: {message}")


LONGEST = 50_000
"""Characters of an expression; no person writes or reads a longer one."""


def _unaskable(text: str) -> FeelError | None:
    if not text.strip():
        return _empty()
    if len(text) > LONGEST:
        return FeelError(
            f"表达式超过 {LONGEST} 个字符。",
            f"The expression is longer than {LONGEST} characters.",
            code="feel_limit",
        )
    return None


def _empty() -> FeelError:
    return FeelError("表达式为空。", "The expression is empty.", code="feel_syntax")


def failed(error: Exception) -> FeelError:
    """The error of a call that broke off."""
    if isinstance(error, isolate.OutOfTime):
        return FeelError("表达式求值超时，已中止。", "The expression took too long and was stopped.", code="feel_limit")
    if isinstance(error, isolate.OutOfMemory):
        return FeelError(
            "表达式占用内存过多，已中止。", "The expression needed too much memory and was stopped.", code="feel_limit"
        )
    if isinstance(error, isolate.ScriptError):
        return FeelError("表达式无法求值。", f"The expression cannot be evaluated: {_short(str(error))}")
    return FeelError(f"变量无法交给表达式：{error}", f"A variable cannot be handed to an expression: {error}")


def _too_much(shown: str) -> FeelError:
    return FeelError(
        f"“{shown}”的结果过大或嵌套过深。", f"“{shown}” yields too much or nests too deeply.", code="feel_limit"
    )


def _slice(text: str, start: int, end: int) -> str:
    """A part of the text by JavaScript's count of characters."""
    return text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * end].decode("utf-16-le", "replace")


def _short(text: str, most: int = 120) -> str:
    text = _SPACES.sub(" ", text).strip()
    return text if len(text) <= most else f"{text[: most - 1]}…"

"""Expression values of a diagram, evaluated for a token. What fails becomes a Problem of the element."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from . import feel, timers
from .model import Flow, Node, feel_of, is_expression
from .problems import Problem
from .variables import Visible

if TYPE_CHECKING:
    from .workflow import Token


class Overlay(Mapping[str, Any]):
    """``upper`` laid over ``lower``, neither of them copied."""

    def __init__(self, upper: Mapping[str, Any], lower: Mapping[str, Any]) -> None:
        self._upper, self._lower = upper, lower

    def __getitem__(self, name: str) -> Any:
        return self._upper[name] if name in self._upper else self._lower[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._upper
        yield from (name for name in self._lower if name not in self._upper)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def evaluate(token: Token, value: str | None, context: Mapping[str, Any] | None = None) -> Any:
    """The value of an expression value: FEEL after ``=``, otherwise the text itself."""
    if not is_expression(value):
        return value
    assert value is not None
    node = token.task_spec.node
    try:
        visible = Visible(token) if context is None else context
        return feel.evaluate(feel_of(value), visible, now=token.workflow.top_workflow.now)
    except feel.FeelError as error:
        raise Problem(
            "expression",
            f"“{node.label}”的表达式 {feel_of(value)} 无法求值：{error.zh}",
            f"The expression {feel_of(value)} of “{node.label}” cannot be evaluated: {error.en}",
        ) from error


def conditions(token: Token, flows: list[Flow], default: str | None) -> list[tuple[Flow, bool]]:
    """Each conditional flow with whether its condition holds, asked of FEEL in one go."""
    asked = [f for f in flows if f.condition is not None and f.id != default]
    if not asked:
        return []
    visible, now = Visible(token), token.workflow.top_workflow.now
    results = feel.evaluate_many([(f.condition or "", visible) for f in asked], now=now)
    for flow, result in zip(asked, results, strict=True):
        if isinstance(result, feel.FeelError):
            raise Problem(
                "expression",
                f"顺序流“{flow.name or flow.id}”的条件 {flow.condition} 无法求值：{result.zh}",
                f"The condition {flow.condition} of “{flow.name or flow.id}” cannot be evaluated: {result.en}",
            )
    return [(flow, result is True) for flow, result in zip(asked, results, strict=True)]


def no_flow(node: Node) -> Problem:
    return Problem(
        "no-flow",
        f"“{node.label}”没有一个出口条件成立，也没有默认出口。",
        f"No way out of “{node.label}” has a true condition, and there is no default.",
    )


def timer_value(parse: Callable[..., Any], value: object, **options: Any) -> Any:
    try:
        return parse(value, **options)
    except timers.BadTimer as error:
        raise Problem("timer", error.zh, error.en) from error


def instant(value: object, *, end_of_day: bool = False) -> datetime:
    return timer_value(timers.parse_date, value, end_of_day=end_of_day)


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def as_list(value: Any) -> list[str]:
    """Names as FEEL list or as text separated by commas."""
    if value in (None, ""):
        return []
    items = value if isinstance(value, list) else str(value).split(",")
    return [str(item).strip() for item in items if str(item).strip()]


def whole_number(node: Node, value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise Problem(
            "expression",
            f"“{node.label}”需要整数，得到的是 {value!r}。",
            f"“{node.label}” needs a whole number, not {value!r}.",
        ) from None

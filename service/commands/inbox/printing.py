"""A task's form as it is printed: what its reader may see of it, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from service import clock, forms, returning
from service.engine import feel
from service.models import User
from service.returning.fields import LISTS, binding, is_field, label
from service.sheet import Section, Table, Value

from . import task_forms

_SHOWN_ONLY = frozenset({"button", "separator", "spacer", "image", "html", "iframe", "documentPreview"})


def sections(session: Session, task_id: int, *, user: User, language: str) -> list[Section]:
    """The form of a task group by group: every field that is shown, with its value, and every table."""
    form = task_forms.of_task(session, task_id, user=user)
    if form is None:
        return []
    form = form.read_in(language)
    values = dict(form.values)
    # What a condition hides is not printed; what was handed in holds nothing that was hidden.
    shown = forms.clean(form.schema, values, values, now=clock.now())
    printed = _Printed({**values, **shown}, language)
    return [one for one in printed.sections(form.schema, (), "") if one.parts]


class _Printed:
    def __init__(self, values: Mapping[str, Any], language: str) -> None:
        self.values, self.language = values, language

    def sections(self, container: Mapping[str, Any], place: tuple[str, ...], name: str) -> Iterator[Section]:
        """The groups of a form in their order; fields between groups stand in one without a name."""
        parts: list[Value | Table] = []
        for component in container.get("components") or []:
            if self._is_hidden(component):
                continue
            path = (*place, *binding(component))
            if not is_field(component) and component.get("components"):
                if parts:
                    yield Section(name, tuple(parts))
                    parts = []
                yield from self.sections(component, path, self._label(component, "") or name)
            elif (part := self._part(component, path)) is not None:
                parts.append(part)
        if parts:
            yield Section(name, tuple(parts))

    def _part(self, component: Mapping[str, Any], path: tuple[str, ...]) -> Value | Table | None:
        kind = component.get("type")
        if kind == "table":
            return self._table(component)
        if kind == "text":
            return self._text(component)
        if not is_field(component) or kind in _SHOWN_ONLY or kind == "expression":
            return None
        value = self._at(path)
        if kind in LISTS:
            return self._list(component, value)
        return Value(self._label(component), tuple(self._words(component, value)))

    def _list(self, component: Mapping[str, Any], value: Any) -> Table | None:
        columns = [one for one in returning.fields(component) if one.component.get("type") not in _SHOWN_ONLY]
        rows = [
            tuple("、".join(self._words(one.component, _inside(item, one.path))) for one in columns)
            for item in (value if isinstance(value, list) else [])
        ]
        rows = [row for row in rows if any(row)]
        return Table(self._label(component), tuple(one.label for one in columns), tuple(rows)) if rows else None

    def _table(self, component: Mapping[str, Any]) -> Table | None:
        rows = self._evaluated(component.get("dataSource"))
        columns = [one for one in component.get("columns") or [] if isinstance(one, Mapping)]
        if not isinstance(rows, list) or not rows or not columns:
            return None
        cells = tuple(
            tuple(self._plain(row.get(str(one.get("key")))) for one in columns)
            for row in rows
            if isinstance(row, Mapping)
        )
        return Table(
            self._label(component, ""), tuple(str(one.get("label") or one.get("key")) for one in columns), cells
        )

    def _text(self, component: Mapping[str, Any]) -> Value | None:
        text = str(component.get("text") or "")
        if not text.strip() or text.startswith("=") or "{{" in text:
            return None
        return Value("", (text.replace("#", "").replace("**", "").lstrip("> ").strip(),))

    def _words(self, component: Mapping[str, Any], value: Any) -> list[str]:
        options = self._evaluated(component.get("valuesExpression"))
        if isinstance(options, list):
            component = {**component, "values": options}
        said = returning.in_words(component, value)
        return [{"是": "Yes", "否": "No"}.get(one, one) for one in said] if self.language == "en" else said

    def _label(self, component: Mapping[str, Any], otherwise: str | None = None) -> str:
        """What the form calls it, also where that is computed from what is known."""
        for name in ("label", "dateLabel"):
            computed = self._evaluated(component.get(name))
            if isinstance(computed, str) and computed.strip():
                return computed.strip()
        return label(component, otherwise)

    def _is_hidden(self, component: Mapping[str, Any]) -> bool:
        condition = (component.get("conditional") or {}).get("hide")
        return condition is not None and self._evaluated(condition) is True

    def _evaluated(self, text: Any) -> Any:
        if not isinstance(text, str) or not text.startswith("="):
            return None
        expression = text[1:].strip()
        try:
            return feel.evaluate(expression, feel.named_in(expression, self.values), now=clock.now())
        except feel.FeelError:
            return None

    def _at(self, path: tuple[str, ...]) -> Any:
        return _inside(self.values, ".".join(path))

    @staticmethod
    def _plain(value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, list):
            return "、".join(_Printed._plain(one) for one in value)
        if isinstance(value, Mapping):
            return str(value.get("name") or "")
        return str(value)


def _inside(values: Any, path: str) -> Any:
    for part in path.split("."):
        values = values.get(part) if isinstance(values, Mapping) else None
    return values


__all__ = ["sections"]

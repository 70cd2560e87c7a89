"""English for what process owners write in Chinese: ``en.json`` beside their diagrams and forms, keyed by the Chinese.

Owners write labels, help, names and documentation in Chinese. A file ``en.json`` in the same folder says the English
of each text: ``{"案件编号": "Case number", …}``; an empty text is not translated yet. In FEEL it is the strings inside
that are texts (``="第 " + round + " 轮"`` has two), so that nobody repeats an expression to translate it. What is
compared with something – or names a member – is no text, and neither is what people type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

NAME = "en.json"

Say = Callable[[str], str]
"""The English of a Chinese text; the text itself where there is none."""

_CHINESE = re.compile(r"[㐀-鿿]")
_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_BEFORE_DATA = re.compile(
    r"(?:[=<>]|\bin|\bin\s*\([^()]*|\bget value\s*\(\s*[\w.]+\s*,"
    r"|\b(?:contains|starts with|ends with|matches|index of|split|date|time|duration)\s*\([^()]*)$"
)
_AFTER_DATA = re.compile(r"\s*(?:!?=|<|>|:|in\b)")
_MARKS = {"、": ", ", "，": ", ", "；": "; ", "：": ": ", "。": ".", "（": " (", "）": ")", "？": "?", "！": "!"}
_MARKS_ONLY = re.compile(f"[{''.join(_MARKS)}]+")

TEXTS = ("label", "description", "text", "content", "dateLabel", "timeLabel", "alt", "dataSource")
_INNER = {
    "appearance": ("prefixAdorner", "suffixAdorner"),
    "validate": ("patternErrorMessage", "minLengthErrorMessage", "maxLengthErrorMessage", "requiredErrorMessage"),
}
_LISTS = ("values", "columns")


class Unreadable(ValueError):
    """The file holds no translations. ``zh`` and ``en`` say why, ``line`` says where."""

    def __init__(self, zh: str, en: str, line: int | None = None) -> None:
        super().__init__(en)
        self.zh, self.en, self.line = zh, en, line


def is_file(path: str) -> bool:
    """True for the files that hold English: they are called ``en.json``, in whatever folder."""
    return path.rpartition("/")[2] == NAME


def is_chinese(text: str) -> bool:
    """True where a text has anything to translate."""
    return _CHINESE.search(text) is not None


def read(content: bytes) -> dict[str, str]:
    """The texts of a file with their English. Raises Unreadable."""
    twice: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) < len(found):
            names = [name for name, _ in found]
            twice.extend(name for name in made if names.count(name) > 1)
        return made

    try:
        texts = json.loads(content.decode("utf-8-sig"), object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        raise Unreadable(
            f"不是有效的 JSON（第 {error.lineno} 行第 {error.colno} 列）。",
            f"Not valid JSON (line {error.lineno}, column {error.colno}).",
            error.lineno,
        ) from None
    except (UnicodeDecodeError, RecursionError):
        raise Unreadable("不是 UTF-8 编码的 JSON。", "Not JSON in UTF-8.") from None
    if not isinstance(texts, dict):
        raise Unreadable('应为一个对象：{"中文": "English", …}。', 'An object is expected: {"中文": "English", …}.')
    for name, value in texts.items():
        if not isinstance(value, str):
            raise Unreadable(f"“{_short(name)}”的英文不是文字。", f"The English of “{_short(name)}” is no text.")
    if twice:
        raise Unreadable(f"“{_short(twice[0])}”出现两次。", f"“{_short(twice[0])}” is there twice.")
    return texts


def write(texts: Mapping[str, str]) -> bytes:
    """The content of a file that holds these texts, one a line, so that git shows what changed."""
    return (json.dumps(dict(texts), ensure_ascii=False, indent=2) + "\n").encode()


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


# Texts in expressions


def texts_of(value: str) -> list[str]:
    """The texts to translate in what an owner wrote: itself, or the strings that a FEEL expression shows."""
    if not value.lstrip().startswith("="):
        return [value] if is_chinese(value) else []
    return [text for _, text in _shown(value) if is_chinese(text)]


def translate(value: str, say: Say) -> str:
    """What an owner wrote, in English: a text, or an expression with its strings replaced."""
    if not value.lstrip().startswith("="):
        return say(value) if is_chinese(value) else value
    made, at = [], 0
    for found, text in _shown(value):
        english = say(text) if is_chinese(text) else marks(text)
        if english != text:
            made += [value[at : found.start()], json.dumps(english, ensure_ascii=False)]
            at = found.end()
    return "".join([*made, value[at:]])


def strings(expression: str) -> list[str]:
    """The strings that an expression may show, in order, marks between others among them."""
    return [text for _, text in _shown(expression)]


def marks(text: str) -> str:
    """Punctuation as English writes it; anything else as it is."""
    return "".join(_MARKS[one] for one in text) if _MARKS_ONLY.fullmatch(text) else text


def _shown(expression: str) -> Iterator[tuple[re.Match[str], str]]:
    start = len(expression) - len(expression.lstrip()) + expression.lstrip().startswith("=")
    for found in _LITERAL.finditer(expression, start):
        if _BEFORE_DATA.search(expression[start : found.start()].rstrip()):
            continue
        if _AFTER_DATA.match(expression, found.end()):
            continue
        yield found, _unquoted(found.group(1))


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def composed(text: str, parts: Iterable[str], say: Say, data: Say = str) -> tuple[str, int]:
    """A text that an expression made of strings and data, in English: each string where it stands, data as they are.

    ``data`` says what is known of these, where some of them were made by a table. Also how many characters were found
    to be the expression's own; 0: the text is not from it.
    """
    made, at, known = [], 0, 0
    for part in parts:
        place = text.find(part, at) if part else -1
        if place < 0:
            continue
        made += [data(text[at:place]), say(part) if is_chinese(part) else marks(part)]
        at = place + len(part)
        known += len(part) if is_chinese(part) else 0
    return "".join([*made, data(text[at:])]), known


# Texts of a form


def form(schema: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """A form with its texts in English. Nothing else of it changes: no key, no value, no condition."""
    made = dict(schema)
    components = schema.get("components")
    if isinstance(components, list):
        made["components"] = [_component(one, say) if isinstance(one, dict) else one for one in components]
    return made


def _component(component: dict[str, Any], say: Say) -> dict[str, Any]:
    made = form(component, say)
    for name in TEXTS:
        _put(made, name, say)
    for name, inner in _INNER.items():
        if isinstance(made.get(name), dict):
            made[name] = dict(made[name])
            for one in inner:
                _put(made[name], one, say)
    for name in _LISTS:
        if isinstance(made.get(name), list):
            made[name] = [dict(one) if isinstance(one, dict) else one for one in made[name]]
            for entry in made[name]:
                if isinstance(entry, dict):
                    _put(entry, "label", say)
    return made


def _put(thing: dict[str, Any], name: str, say: Say) -> None:
    value = thing.get(name)
    if isinstance(value, str):
        thing[name] = translate(value, say)


class _Noted(list[str]):
    """Says every text as it is, and keeps it."""

    def __call__(self, text: str) -> str:
        self.append(text)
        return text


def texts_of_form(schema: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
    """Every text of a form with the id of its component, in the order of the form."""
    for component in schema.get("components") or []:
        if not isinstance(component, dict):
            continue
        found = _Noted()
        _component({**component, "components": None}, found)
        element = component.get("id")
        for text in found:
            yield element if isinstance(element, str) else None, text
        yield from texts_of_form(component)


def problem(chinese: str, english: str) -> tuple[str, str] | None:
    """Why the English of a text cannot be used, in both languages; None where it can."""
    if english.lstrip().startswith("=") and not chinese.lstrip().startswith("="):
        return "英文以“=”开头，会被当作表达式", "the English begins with “=” and would be taken for an expression"
    if sorted(_placeholders(chinese)) != sorted(_placeholders(english)):
        return "占位符 {{…}} 与中文不同", "its placeholders {{…}} are not those of the Chinese"
    return None


def _placeholders(text: str) -> list[str]:
    """Placeholders without the strings in them that are shown: these are translated, too."""
    found = []
    for one in _PLACEHOLDER.findall(text):
        inner = one[2:-2].strip()
        shown = {match.span() for match, _ in _shown(inner)}
        kept, at = [], 0
        for start, end in sorted(shown):
            kept.append(inner[at:start])
            at = end
        found.append('""'.join([*kept, inner[at:]]))
    return found


# The English of a bundle


class English:
    """All the English of a bundle: the own folder's first, then that of the others, in the order of their names."""

    def __init__(self, files: Mapping[str, bytes], folders: Mapping[str, str] | None = None) -> None:
        """``folders`` says in which folder the diagram of a process lies."""
        self.folders = dict(folders or {})
        self.texts: dict[str, dict[str, str]] = {}
        for path in sorted(files):
            if is_file(path):
                try:
                    self.texts[str(PurePosixPath(path).parent)] = read(files[path])
                except Unreadable:
                    continue

    @cached_property
    def everywhere(self) -> dict[str, str]:
        """The English of every text that has any."""
        merged: dict[str, str] = {}
        for texts in self.texts.values():
            for chinese, english in texts.items():
                if english:
                    merged.setdefault(chinese, english)
        return merged

    def say(self, text: str, folder: str = "") -> str:
        """The English of a text that stands in a folder; the text itself where there is none."""
        return self.texts.get(folder, {}).get(text) or self.everywhere.get(text) or text

    def of_folder(self, folder: str) -> Say:
        """The English of the texts of one folder."""
        return lambda text: self.say(text, folder)

    def of_process(self, process_id: str | None) -> Say:
        """The English of the texts of a process."""
        return self.of_folder(self.folders.get(process_id or "", ""))


def made_of(text: str, expressions: Iterable[Sequence[str]], say: Say, data: Say = str) -> str:
    """A text that one of these expressions has made, in English; the text itself where none of them has."""
    best, most = text, 0
    for parts in expressions:
        made, known = (say(text), len(text) + 1) if text in parts else composed(text, parts, say, data)
        own = text.startswith(next(filter(is_chinese, parts), "\0")) or known * 2 > len(_CHINESE.findall(text))
        if own and known > most:
            best, most = made, known
    return best


def listed(text: str, expressions: Sequence[Sequence[str]], say: Say) -> str:
    """Texts that a table has made, one after the other with “；” between them, in English."""
    return "; ".join(made_of(one, expressions, say) for one in text.split("；")) if is_chinese(text) else text


@dataclass(frozen=True, slots=True)
class Wording:
    """How one form reads in English. ``decided`` are the strings of each text that a decision table may have made."""

    say: Say
    decided: Sequence[Sequence[str]] = ()

    def schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The form in English."""
        return form(schema, self.say)

    def values(self, schema: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        """What the form shows of the case: the words of decision tables in English, what is typed as it is."""
        own = set(_keys(schema))
        return {name: self._value(name, value, own) for name, value in values.items()}

    def written(self, schema: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        """What a reader of English sends, with the words that they were only shown as the case has them."""
        chinese = {self.say(text): text for parts in self.decided for text in parts}
        return {name: _back(name, value, set(_repeated(schema)), chinese) for name, value in values.items()}

    def _value(self, name: str, value: Any, own: set[str]) -> Any:
        if isinstance(value, dict):
            return {inner: self._value(inner, one, own) for inner, one in value.items()}
        if isinstance(value, list):
            return [self._value(name, one, own) for one in value]
        if isinstance(value, str) and name not in own and is_chinese(value):
            return made_of(value, self.decided, self.say)
        return value


WITHOUT = Wording(lambda text: text)
"""Of a form without a bundle."""


def _back(name: str, value: Any, repeated: set[str], chinese: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {inner: _back(inner, one, repeated, chinese) for inner, one in value.items()}
    if isinstance(value, list):
        return [_back(name, one, repeated, chinese) for one in value]
    return chinese.get(value, value) if isinstance(value, str) and name in repeated else value


def _repeated(component: Mapping[str, Any]) -> Iterator[str]:
    """The fields that repeat what the case says."""
    for field in component.get("components") or []:
        if isinstance(field, dict):
            if isinstance(field.get("key"), str) and field.get("type") == "expression":
                yield field["key"].rpartition(".")[2]
            yield from _repeated(field)


def _keys(component: Mapping[str, Any]) -> Iterator[str]:
    for field in component.get("components") or []:
        if isinstance(field, dict):
            # An expression field repeats what the case says; nobody types into it.
            if isinstance(field.get("key"), str) and field.get("type") != "expression":
                yield field["key"].rpartition(".")[2]
            yield from _keys(field)

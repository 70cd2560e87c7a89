"""Where each article of the regulation lives in the product: ``guohe trace`` writes docs/regulation.md.

Diagrams, forms and tables carry their source (``text:art.8(2)1``, ``practice``, ``assumption``); code, pages and
tests name the articles they implement. Whatever says ``text`` must name an article that is there, and whatever the
regulation asks must be answered somewhere or say why not.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from service.engine import decisions
from service.engine.bundle import read_contents

ROOT = Path(__file__).resolve().parents[1]
ARTICLES = Path("docs/reference/articles.yaml")
TARGET = Path("docs/regulation.md")
REFERENCE = re.compile(r"text:(art\.\d+(?:\(\d\)\d?|\.\d)?)")
CRITERION = re.compile(r"\b(?:IP|JC|TT|DB)-\d[a-e]?\b")
DEFAULTS = Path("docs/reference/defaults.yaml")
CITED = re.compile(r"\bart\.\d+(?:\(\d\)\d?|\.\d)?")


@dataclass(frozen=True, slots=True)
class Place:
    """Something that implements an article. kind: diagram | form | table | page | test."""

    kind: str
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Table:
    """A decision: its name, its file, and what its columns are called."""

    name: str
    file: str
    columns: frozenset[str]


@dataclass(slots=True)
class Trace:
    """Everything found, by article and by criterion; ``unknown`` cites what the regulation does not have."""

    articles: dict[str, dict[str, object]]
    places: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    criteria: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    tables: dict[str, Table] = field(default_factory=dict)
    unknown: list[tuple[str, Place]] = field(default_factory=list)

    @property
    def unanswered(self) -> list[str]:
        """Articles that ask for something and have no place."""
        said = ("none", "also")
        return [r for r, one in self.articles.items() if not any(k in one for k in said) and not self._with_parts(r)]

    @property
    def unchecked(self) -> list[str]:
        """Criteria that no form, table or diagram names."""
        wanted = [c for one in self.articles.values() for c in _criteria(one)]
        return [criterion for criterion in wanted if not self.criteria.get(criterion)]

    @property
    def unset(self) -> list[str]:
        """Defaults that nobody can change: their table, its column or their page is not there."""
        return [
            f"{default}: {one}"
            for default, about in defaults().items()
            for one in about.get("change", [] if "drawn" in about else [{}])
            if not self._is_there(one)
        ]

    def _is_there(self, change: Mapping[str, str]) -> bool:
        if "page" in change:
            return (ROOT / change["page"]).is_file()
        table = self.tables.get(change.get("table", ""))
        return table is not None and change.get("column") in table.columns

    def _with_parts(self, ref: str) -> list[Place]:
        """The places of an article and of its paragraphs and items: answering all parts answers the whole."""
        return [p for other, places in self.places.items() if other.startswith(ref) for p in places]

    def add(self, ref: str, place: Place) -> None:
        if not any(known.startswith(ref) for known in self.articles):
            self.unknown.append((ref, place))
        elif place not in self.places[ref]:
            self.places[ref].append(place)


def trace(root: Path = ROOT) -> Trace:
    """Read diagrams, forms, tables, pages and tests."""
    found = Trace(yaml.safe_load((root / ARTICLES).read_text("utf-8")))
    for place, text in _pieces(root):
        for ref in REFERENCE.findall(text) if place.kind in ("diagram", "form", "table") else CITED.findall(text):
            found.add(ref, place)
        for criterion in CRITERION.findall(text):
            if place not in found.criteria[criterion]:
                found.criteria[criterion].append(place)
    for path in sorted((root / "processes").rglob("*.dmn")):
        for decision in decisions.read(path.read_bytes()).values():
            found.tables[decision.id] = Table(decision.name, str(path.relative_to(root)), decision.columns)
    return found


@cache
def defaults(root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """What the regulation leaves open: question, default, and where a process owner changes it."""
    found: dict[str, dict[str, Any]] = yaml.safe_load((root / DEFAULTS).read_text("utf-8"))
    return found


def _pieces(root: Path) -> Iterator[tuple[Place, str]]:
    files = {
        str(path.relative_to(root)): path.read_bytes()
        for folder in ("processes", "forms")
        for path in sorted((root / folder).rglob("*"))
        if path.suffix in (".bpmn", ".form", ".dmn")
    }
    contents = read_contents(files)
    for process in contents.processes.values():
        yield (
            Place("diagram", process.name, process.id),
            f"{process.properties.get('source', '')} {process.documentation}",
        )
        for _, node in process.walk():
            yield (
                Place("diagram", process.name, node.label),
                f"{node.properties.get('source', '')} {node.documentation}",
            )
    for form_id, schema in contents.forms.items():
        for label, text in _fields(schema.get("components", [])):
            yield Place("form", str(schema.get("title") or form_id), label), text
    for file, data in files.items():
        if file.endswith(".dmn"):
            for name, text in re.findall(r'<decision [^>]*name="([^"]+)"[^>]*>(.*?)</decision>', data.decode(), re.S):
                yield Place("table", name, file), text
    for folder, kind in (("service/web", "page"), ("service", "code"), ("tests", "test")):
        for path in sorted((root / folder).rglob("*.py")):
            if path.name.endswith("traceability.py") or (kind == "code" and path.is_relative_to(root / "service/web")):
                continue
            yield Place(kind, str(path.relative_to(root)), ""), path.read_text("utf-8")
    for path in sorted((root / "processes").rglob("scenarios/*.yaml")):
        yield Place("test", str(path.relative_to(root)), ""), path.read_text("utf-8")


def _fields(components: list[dict[str, object]]) -> Iterator[tuple[str, str]]:
    for one in components:
        label = str(one.get("label") or one.get("dateLabel") or one.get("key") or one.get("text") or "")[:40]
        yield (
            " ".join(label.split()),
            json.dumps({k: v for k, v in one.items() if k != "components"}, ensure_ascii=False),
        )
        inner = one.get("components")
        if isinstance(inner, list):
            yield from _fields(inner)


def _criteria(one: dict[str, object]) -> list[str]:
    named = one.get("criteria", [])
    return [str(criterion) for criterion in named] if isinstance(named, list) else []


KINDS = {
    "diagram": "流程环节",
    "form": "表单字段",
    "table": "决策表",
    "page": "页面",
    "code": "程序",
    "test": "场景与测试",
}


def render(found: Trace) -> str:
    """The page."""
    lines = [
        "# 办法条款与实现的对应关系",
        "",
        "由 `guohe trace` 生成，请勿手改。",
        "条款内容为本项目的概括（见 [articles.yaml](reference/articles.yaml)），不是原文。",
        "标为 practice（实践）或 assumption（自定）的环节不在此列：它们不是办法的规定。",
        "",
        "| 条款 | 要求（概括） | 认定条件 | 实现 |",
        "|--|--|--|--|",
    ]
    for ref, one in found.articles.items():
        criteria = "、".join(_criteria(one))
        lines.append(f"| {ref} | {one['asks']} | {criteria} | {_answer(found, ref, one)} |")
    lines += ["", "## 认定条件逐条", "", "| 条件 | 实现 |", "|--|--|"]
    for criterion in sorted(found.criteria, key=lambda c: (c[:2], c)):
        lines.append(f"| {criterion} | {_summary(found.criteria[criterion])} |")
    lines += ["", "## 办法未明之处的默认值（A1–A31）", "", "| 编号 | 问题 | 默认 | 在何处修改 |", "|--|--|--|--|"]
    for default, about in defaults().items():
        lines.append(f"| {default} | {about['question']} | {about['default']} | {_where(found, about)} |")
    return "\n".join(lines) + "\n"


def _where(found: Trace, about: Mapping[str, Any]) -> str:
    """The tables and pages where a default is changed, or why it is changed by drawing."""
    said = [f"由流程图决定：{about['drawn']}"] if "drawn" in about else []
    for one in about.get("change", []):
        table = found.tables.get(one.get("table", ""))
        said.append(
            f"决策表“{table.name}”的“{one['column']}”（`{table.file}`）" if table else f"页面 `{one.get('page')}`"
        )
    return "<br>".join(said)


def _answer(found: Trace, ref: str, one: dict[str, object]) -> str:
    own = _summary(found.places.get(ref, []))
    also = one.get("also")
    if isinstance(also, dict):
        own = "<br>".join(filter(None, [own, *(f"`{path}` {what}" for path, what in also.items())]))
    if own:
        return own
    return f"——（{one['none']}）" if "none" in one else "见其各款、各项"


def _summary(places: list[Place]) -> str:
    """Each kind with where, and what there."""
    parts = []
    for kind, word in KINDS.items():
        by_where: dict[str, list[str]] = defaultdict(list)
        for place in places:
            if place.kind == kind:
                by_where[place.where].append(place.what)
        if by_where:
            named = "；".join(_named(where, whats) for where, whats in by_where.items())
            parts.append(f"**{word}** {named}")
    return "<br>".join(parts).replace("|", "\\|")


def _named(where: str, whats: list[str]) -> str:
    inside = [what for what in dict.fromkeys(whats) if what and what != where and not what.endswith(".dmn")]
    if not inside:
        return where
    more = f" 等 {len(inside)} 处" if len(inside) > 6 else ""
    return f"{where}（{'、'.join(inside[:6])}{more}）"


def write(root: Path = ROOT) -> Trace:
    """Write the page anew."""
    found = trace(root)
    (root / TARGET).write_text(render(found), "utf-8")
    return found

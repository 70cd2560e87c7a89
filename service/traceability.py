"""Where each article of the regulation lives in the product: ``guohe trace`` writes docs/regulation.md.

Diagrams, forms and tables carry their source (``text:art.8(2)1``, ``practice``, ``assumption``); code, pages and
tests name the articles they implement. Whatever says ``text`` must name an article that is there, and whatever the
regulation asks must be answered somewhere or say why not.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from service.engine.bundle import read_contents

ROOT = Path(__file__).resolve().parents[1]
ARTICLES = Path("docs/reference/articles.yaml")
TARGET = Path("docs/regulation.md")
REFERENCE = re.compile(r"text:(art\.\d+(?:\(\d\)\d?|\.\d)?)")
CRITERION = re.compile(r"\b(?:IP|JC|TT|DB)-\d[a-e]?\b")
DEFAULT = re.compile(r"(?<![\w#-])A(?:[1-9]|[12]\d|3[01])(?!\w)")
DEFAULTS = {
    "A1": "连续三年以哪项结果计", "A2": "合格是否清零", "A3": "未参加评估的年份", "A4": "第四年仍不合格",
    "A5": "“被通报”持续到何时", "A6": "通报之前的违规", "A7": "何为“严重”", "A8": "禁申期起算日", "A9": "三年的算法",
    "A10": "禁止哪些行为", "A11": "禁申及于谁", "A12": "园区的申报机构", "A13": "园区的年度推荐部门",
    "A14": "会商列入年度", "A15": "“多次”的次数", "A16": "“执行”的项目", "A17": "注册满一年的算法",
    "A18": "部门与省是否都要推荐", "A19": "专家意见是否有约束力", "A20": "评审与考核的先后", "A21": "排序适用的类型",
    "A22": "是否公示", "A23": "工作日的算法", "A24": "等次", "A25": "两年未报", "A26": "认定有效期", "A27": "自愿退出",
    "A29": "生效日", "A31": "匹配比例",
}  # fmt: skip
# Defaults that are the shape of the diagrams themselves.
DRAWN = {
    "A10": "由流程图决定：申报、推荐、决定前各调用一次资格核查",
    "A21": "由流程图决定：只有国际技术转移中心流程有择优排序",
    "A26": "由流程图决定：没有任何流程使认定到期",
}
CITED = re.compile(r"\bart\.\d+(?:\(\d\)\d?|\.\d)?")


@dataclass(frozen=True, slots=True)
class Place:
    """Something that implements an article. kind: diagram | form | table | page | test."""

    kind: str
    where: str
    what: str


@dataclass(slots=True)
class Trace:
    """Everything found, by article and by criterion; ``unknown`` cites what the regulation does not have."""

    articles: dict[str, dict[str, object]]
    places: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    criteria: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    defaults: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
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
        """Defaults that nothing names."""
        return [default for default in DEFAULTS if default not in DRAWN and not self.defaults.get(default)]

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
        for default in set(DEFAULT.findall(text)) if place.kind in ("diagram", "table", "code") else ():
            found.defaults[default].append(place)
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
            text = data.decode()
            name = re.search(r'<decision [^>]*name="([^"]+)"', text)
            yield Place("table", name[1] if name else file, file), text
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
    lines += ["", "## 办法未明之处的默认值（A1–A31）", "", "| 编号 | 问题 | 在何处设定 |", "|--|--|--|"]
    for default, question in DEFAULTS.items():
        lines.append(f"| {default} | {question} | {_default(found, default)} |")
    return "\n".join(lines) + "\n"


def _default(found: Trace, default: str) -> str:
    return "<br>".join(filter(None, [DRAWN.get(default, ""), _summary(found.defaults.get(default, []))]))


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

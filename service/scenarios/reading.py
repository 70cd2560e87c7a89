"""A scenario as it is written: YAML, checked key by key before anything is played."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from service.engine.timers import BadTimer, Duration, parse_date, parse_duration

CHINA = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 3, 2, 9, 0, tzinfo=CHINA)
"""A Monday morning."""

STEPS: dict[str, frozenset[str]] = {
    "do": frozenset({"by", "data", "each", "refused", "fields"}),
    "claim": frozenset({"by", "refused"}),
    "release": frozenset({"by", "refused"}),
    "begin": frozenset({"by", "data", "organisation", "refused", "fields"}),
    "wait": frozenset(),
    "until": frozenset(),
    "send": frozenset({"by", "data", "refused", "fields"}),
    "publish": frozenset({"key", "data"}),
    "retry": frozenset({"data"}),
    "cancel": frozenset({"reason"}),
    "given": frozenset(),
    "expect": frozenset(),
}
"""What may stand beside the verb of a step; ``in`` and ``note`` may stand beside every one."""

EXPECTATIONS = frozenset(
    {
        "tasks",
        "status",
        "ended",
        "variables",
        "incidents",
        "parties",
        "title",
        "number",
        "due",
        "done",
        "documents",
        "bases",
        "mails",
        "notifications",
        "rows",
    }
)
HEAD = frozenset(
    {"name", "process", "profile", "now", "organisations", "people", "experts", "given", "start", "steps", "expect"}
)


MOST_PARTS = 12
"""So deep may parts include parts."""


class WrongScenario(Exception):
    """The file is no scenario; the sentence says where."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that somebody attaches: ``!file 章程.pdf``."""

    name: str


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a scenario: a verb, what it is done to, and what goes with it."""

    verb: str
    target: Any
    options: Mapping[str, Any]
    line: int
    written: Any = None
    """The target as the file has it."""

    @property
    def case(self) -> str | None:
        """The process whose latest case is meant, where it is not the scenario's own."""
        return self.options.get("in")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario file, read."""

    file: Path
    name: str
    process: str
    profile: str
    now: datetime
    organisations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    people: Sequence[Mapping[str, Any]] = ()
    experts: int = 5
    given: Sequence[Mapping[str, Any]] = ()
    start: Mapping[str, Any] = field(default_factory=dict)
    steps: Sequence[Step] = ()
    expect: Mapping[str, Any] = field(default_factory=dict)


def find(paths: Iterable[Path]) -> list[Path]:
    """The scenario files among files and folders: ``scenarios/*.yaml``; one that begins with ``_`` is a part."""
    found: set[Path] = set()
    for path in paths:
        if path.is_dir():
            inside = path.glob("*.yaml") if path.name == "scenarios" else path.rglob("scenarios/*.yaml")
            found.update(file for file in inside if not file.name.startswith("_"))
        else:
            found.add(path)
    return sorted(file.resolve() for file in found)


def read(file: Path, *, within: Path | None = None) -> Scenario:
    """Read a scenario. Raises WrongScenario with the line of what is wrong.

    ``within`` is the folder that parts may be included from; None: from anywhere this process may read.
    """
    return understand(_load(file, within), file)


def understand(content: Any, file: Path) -> Scenario:
    """Make a scenario of what a file says. Raises WrongScenario."""
    if not isinstance(content, dict):
        raise WrongScenario("应为键值结构。 A mapping is expected.")
    _only(content, HEAD, f"{file.name}")
    steps = [step_of(step, file.name) for step in _flat(_list(content, "steps"))]
    expect = content.get("expect") or {}
    _only(expect, EXPECTATIONS, "expect")
    start = content.get("start") or {}
    _only(start, {"by", "data", "organisation", "none"}, "start")
    profile = content.get("profile", "strict")
    if profile not in ("strict", "practice"):
        raise WrongScenario("profile: strict | practice")
    return Scenario(
        file=file,
        name=str(content.get("name") or file.stem),
        process=str(content.get("process") or file.parent.parent.name),
        profile=profile,
        now=moment(content["now"]) if "now" in content else START,
        organisations=content.get("organisations") or {},
        people=_list(content, "people"),
        experts=int(content.get("experts", 5)),
        given=list(_flat(_list(content, "given"))),
        start=start,
        steps=steps,
        expect=expect,
    )


def moment(value: Any) -> datetime:
    """A moment in Beijing time; a day means nine in the morning."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=CHINA)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, 9, tzinfo=CHINA)
    try:
        return parse_date(str(value).replace(" ", "T"))
    except BadTimer as error:
        raise WrongScenario(f"{error.zh} {error.en}") from None


def duration(value: Any) -> Duration:
    """An ISO 8601 duration."""
    try:
        return parse_duration(value)
    except BadTimer as error:
        raise WrongScenario(f"{error.zh} {error.en}") from None


def step_of(step: Any, name: str) -> Step:
    """Make a step of a mapping with one verb. Raises WrongScenario."""
    if not isinstance(step, dict):
        raise WrongScenario(f"{name}: 每一步应为键值结构。 A step is a mapping.")
    step = dict(step)
    line = step.pop("__line__", 0)
    where = f"{name}:{line}"
    verbs = [verb for verb in STEPS if verb in step]
    if len(verbs) != 1:
        raise WrongScenario(f"{where}: 每一步应有且只有一个动作 / a step has exactly one of: {', '.join(STEPS)}")
    (verb,) = verbs
    _only(step, STEPS[verb] | {verb, "in", "note"}, where)
    target = written = step.pop(verb)
    if verb == "expect":
        _only(target, EXPECTATIONS, where)
    if verb == "given":
        _list({verb: target}, verb)
    if verb == "until":
        target = moment(target)
    if verb == "wait" and target != "next":
        target = duration(target)
    return Step(verb, target, step, line, written)


def _flat(steps: Iterable[Any]) -> Iterator[Any]:
    """Steps or rows one after another: a list among them is a part, as ``- !include _filing.yaml`` brings in."""
    for step in steps:
        if isinstance(step, list):
            yield from _flat(step)
        else:
            yield step


def _only(content: Any, allowed: Iterable[str], where: str) -> None:
    if not isinstance(content, dict):
        raise WrongScenario(f"{where}: 应为键值结构。 A mapping is expected.")
    content.pop("__line__", None)
    unknown = sorted(set(content) - set(allowed))
    if unknown:
        raise WrongScenario(f"{where}: 未知的键 / unknown: {', '.join(map(str, unknown))}")


def _list(content: Mapping[str, Any], name: str) -> list[Any]:
    value = content.get(name) or []
    if not isinstance(value, list):
        raise WrongScenario(f"{name}: 应为列表。 A list is expected.")
    return value


class _Loader(yaml.SafeLoader):
    """Safe YAML with ``!include other.yaml`` and ``!file name.pdf``."""

    folder: Path
    within: Path | None
    including: tuple[Path, ...]


# Only true and false are truth values: a date is given “on” a day, an answer may be “no”.
_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:bool"]
    for letter, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def _include(loader: _Loader, node: yaml.ScalarNode) -> Any:
    file = (loader.folder / str(loader.construct_scalar(node))).resolve()
    if loader.within is not None and not file.is_relative_to(loader.within.resolve()):
        raise WrongScenario(
            f"!include {node.value}: 只能引用本副本内的文件。 Only files of the bundle can be included."
        )
    if file in loader.including or len(loader.including) > MOST_PARTS:
        raise WrongScenario(f"!include {node.value}: 部件相互引用。 The parts include each other.")
    return _plain(_load(file, loader.within, (*loader.including, file)))


def _file(loader: _Loader, node: yaml.ScalarNode) -> File:
    return File(str(loader.construct_scalar(node)))


_Loader.add_constructor("!include", _include)
_Loader.add_constructor("!file", _file)


def _load(file: Path, within: Path | None = None, including: tuple[Path, ...] = ()) -> Any:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise WrongScenario(f"{file.name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise WrongScenario(f"{file.name}: 应为 UTF-8。 UTF-8 is expected.") from None
    loader = _Loader(text)
    loader.folder, loader.within, loader.including = file.parent, within, including
    try:
        node = loader.get_single_node()
        if node is None:
            return {}
        content = loader.construct_document(node)
        _mark(node, content)
        return content
    except yaml.YAMLError as error:
        raise WrongScenario(f"{file.name}: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise WrongScenario(f"{file.name}: 嵌套过深。 It is nested too deeply.") from None
    finally:
        loader.dispose()


def _mark(node: yaml.Node, content: Any) -> None:
    """Note on every step in which line it stands."""
    if not isinstance(node, yaml.MappingNode) or not isinstance(content, dict):
        return
    for key, value in node.value:
        if key.value == "steps" and isinstance(value, yaml.SequenceNode) and isinstance(content.get("steps"), list):
            for line, part in zip(value.value, content["steps"], strict=False):
                for step in _flat([part]):
                    if isinstance(step, dict):
                        step["__line__"] = line.start_mark.line + 1


def _plain(content: Any) -> Any:
    if isinstance(content, dict):
        content.pop("__line__", None)
        return {key: _plain(value) for key, value in content.items()}
    return [_plain(value) for value in content] if isinstance(content, list) else content

"""The YAML of a scenario as people keep it: written anew, or changed step by step with everything else untouched.

Nothing is played here and nothing is included: text in, text out. What a change does not concern stays byte for byte –
comments, order, keys that nobody here knows. What cannot be changed without losing something is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from service import errors

LARGEST = 256 * 1024
DEEPEST = 60
WIDTH = 110
FILE = "!file"
"""In JSON, ``{"!file": "章程.pdf"}`` stands for the tag of the same name."""


class Unchangeable(errors.Conflict):
    """This scenario cannot be changed here without losing something: {why}. Change its text instead."""

    zh_default = "这个场景不能在此处修改，否则会丢失内容：{why_zh}。请直接修改文本。"
    code = "unchangeable"


@dataclass(frozen=True, slots=True)
class Part:
    """A line of ``steps``: one step, or (``include``) another file's steps. ``raw`` is JSON, None for an include."""

    start: int
    end: int
    line: int
    text: str
    raw: dict[str, Any] | None
    include: str | None
    commented: bool
    column: int = 0
    seen: dict[str, Any] | None = None
    """The step as JSON, to be shown: also where a part of it is taken from another file, and it cannot be changed."""

    @property
    def alone(self) -> str:
        """The step's text as if it stood alone: without the indentation that its dash asks for."""
        first, *more = self.text.split("\n")
        return "\n".join([first, *(line.removeprefix(" " * self.column) for line in more)])


@dataclass(frozen=True, slots=True)
class Script:
    """A scenario's text, taken apart: its head (JSON, without steps and expectation), its steps, its expectation."""

    text: str
    head: dict[str, Any]
    parts: tuple[Part, ...]
    expect: dict[str, Any]
    included: bool
    """True where the head or the expectation takes in another file, whose content is not known here."""


def take_apart(text: str) -> Script:
    """Read a scenario. Raises InvalidInput with the line where it is none."""
    node = _compose(text)
    head: dict[str, Any] = {}
    parts: tuple[Part, ...] = ()
    expect: dict[str, Any] = {}
    included = False
    for key, value in node.value:
        name = str(key.value)
        if name == "steps":
            parts = tuple(_parts(text, value))
        else:
            made = _json(value)
            included = included or _includes(value)
            if name == "expect":
                expect = made if isinstance(made, dict) else {}
            else:
                head[name] = made
    return Script(text, head, parts, expect, included)


def write(head: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], expect: Mapping[str, Any] | None = None) -> str:
    """Write a scenario of JSON, as a person would lay it out."""
    content: dict[str, Any] = dict(head)
    text = _dump(content) if content else ""
    if steps:
        text += "steps:\n" + "".join(_indented(_step_text(step)) for step in steps)
    if expect:
        text += _dump({"expect": dict(expect)})
    return text


def replace(text: str, number: int, step: Mapping[str, Any]) -> str:
    """Put another step in the place of step ``number`` (from 0). Raises Unchangeable where a comment would be lost."""
    part = _part(text, number)
    if part.raw is None:
        raise Unchangeable(why="another file's steps stand there", why_zh="此处引用了别的文件")
    if part.commented:
        raise Unchangeable(why="there is a comment inside the step", why_zh="这一步里有注释")
    return text[: part.start] + _at_column(text, part.start, step) + text[part.end :]


def replace_text(text: str, number: int, written: str) -> str:
    """Put what somebody wrote as YAML in the place of a step. Raises InvalidInput where that is no single step."""
    part = _part(text, number)
    step = read_step(written)
    if step is None:
        raise errors.InvalidInput("这里应写一个步骤。", "One step is expected here.", field="text")
    column = part.start - (text.rfind("\n", 0, part.start) + 1)
    lines = written.strip("\n").rstrip().removeprefix("- ").splitlines()
    joined = ("\n" + " " * column).join(lines)
    return text[: part.start] + joined + text[part.end :]


def read_step(written: str) -> dict[str, Any] | None:
    """Read one step of YAML, with or without its dash; None where it is something else. Raises InvalidInput."""
    node = _node(written)
    if isinstance(node, yaml.SequenceNode) and len(node.value) == 1:
        node = node.value[0]
    made = _json(node) if isinstance(node, yaml.MappingNode) else None
    return made if isinstance(made, dict) else None


def insert(text: str, number: int, step: Mapping[str, Any]) -> str:
    """Put a step before step ``number``, or behind the last one."""
    script = take_apart(text)
    if not script.parts:
        node = _compose(text)
        if any(str(key.value) == "steps" for key, _ in node.value):
            raise Unchangeable(why="its steps are no list of lines", why_zh="步骤不是逐行列出的")
        expect = next((key.start_mark.index for key, _ in node.value if str(key.value) == "expect"), len(text))
        before = text[:expect]
        before += "" if not before or before.endswith("\n") else "\n"
        return f"{before}steps:\n{_indented(_step_text(step))}{text[expect:]}"
    if number < len(script.parts):
        begin = _line_start(text, script.parts[number])
        return text[:begin] + _like(text, script.parts[number], step) + text[begin:]
    last = script.parts[-1]
    stop = text.find("\n", last.end)
    stop = len(text) if stop < 0 else stop + 1
    gap = "" if text[:stop].endswith("\n") else "\n"
    return text[:stop] + gap + _like(text, last, step) + text[stop:]


def remove(text: str, number: int) -> str:
    """Take a step out, with the lines it stands on. Raises Unchangeable where a comment would be lost."""
    part = _part(text, number)
    if part.commented:
        raise Unchangeable(why="there is a comment inside the step", why_zh="这一步里有注释")
    begin = _line_start(text, part)
    stop = text.find("\n", part.end)
    stop = len(text) if stop < 0 else stop + 1
    if text[part.end : stop].strip():
        raise Unchangeable(why="there is a comment beside the step", why_zh="这一步旁边有注释")
    made = text[:begin] + text[stop:]
    if len(take_apart(text).parts) == 1:
        made = re.sub(r"(?m)^steps:[ \t]*\n", "", made, count=1)
    return made


def move(text: str, number: int, to: int) -> str:
    """Put a step where another one is. Raises Unchangeable."""
    part = _part(text, number)
    if part.raw is None:
        raise Unchangeable(why="another file's steps stand there", why_zh="此处引用了别的文件")
    return insert(remove(text, number), to, part.raw)


def set_expect(text: str, expect: Mapping[str, Any]) -> str:
    """Put another expectation at the end. Raises Unchangeable where a comment would be lost."""
    node = _compose(text)
    for key, value in node.value:
        if str(key.value) == "expect":
            start, end = key.start_mark.index, _end_of(value)
            if "#" in _without_strings(text[start:end]):
                raise Unchangeable(why="there is a comment in the expectation", why_zh="预期里有注释")
            return text[:start] + _dump({"expect": dict(expect)}).rstrip("\n") + text[end:]
    gap = "" if not text or text.endswith("\n") else "\n"
    return text + gap + _dump({"expect": dict(expect)})


def set_start(text: str, start: Mapping[str, Any]) -> str:
    """Put another start in its place, above the steps where there was none; an empty one takes it out.

    Raises Unchangeable where a comment or another file's content would be lost.
    """
    node = _compose(text)
    line = _dump({"start": dict(start)}) if start else ""
    for key, value in node.value:
        if str(key.value) == "start":
            begin, end = key.start_mark.index, _end_of(value)
            if "#" in _without_strings(text[begin:end]):
                raise Unchangeable(why="there is a comment in the start", why_zh="发起的内容里有注释")
            if _includes(value):
                raise Unchangeable(why="another file's content stands there", why_zh="发起的内容引用了别的文件")
            rest = text[end:] if line else text[end:].removeprefix("\n")
            return text[:begin] + line.rstrip("\n") + rest
    before = next((key.start_mark.index for key, _ in node.value if str(key.value) in ("steps", "expect")), len(text))
    gap = "" if not text[:before] or text[:before].endswith("\n") else "\n"
    return text[:before] + gap + line + text[before:]


def set_name(text: str, name: str) -> str:
    """Call it something else."""
    node = _compose(text)
    line = _dump({"name": name}).rstrip("\n")
    for key, value in node.value:
        if str(key.value) == "name":
            return text[: key.start_mark.index] + line + text[_end_of(value) :]
    return f"{line}\n{text}"


def step_text(step: Mapping[str, Any]) -> str:
    """One step as YAML, without its dash."""
    return _dump(dict(step))


# Inside


def _node(text: str) -> yaml.Node | None:
    if len(text) > LARGEST:
        raise errors.TooLarge("场景文件过大。", "The scenario is too large.", field="text")
    try:
        for number, token in enumerate(yaml.scan(text, Loader=yaml.SafeLoader)):
            if isinstance(token, yaml.AnchorToken | yaml.AliasToken):
                line = token.start_mark.line + 1
                raise errors.InvalidInput(
                    f"第 {line} 行：不支持 YAML 的锚点与引用。", f"Line {line}: no anchors and aliases.", field="text"
                )
            if number > LARGEST // 4:
                raise errors.TooLarge("场景文件过大。", "The scenario is too large.", field="text")
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise errors.InvalidInput(
            f"第 {line} 行不是有效的 YAML：{reason}。", f"Line {line} is no YAML: {reason}.", field="text"
        ) from None
    except RecursionError:
        raise errors.InvalidInput("嵌套过深。", "It is nested too deeply.", field="text") from None


def _compose(text: str) -> yaml.MappingNode:
    node = _node(text)
    if node is None:
        return yaml.MappingNode("tag:yaml.org,2002:map", [])
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        raise errors.InvalidInput(
            "场景应由“键: 值”各行组成。", "A scenario consists of lines of “key: value”.", field="text"
        )
    return node


def _parts(text: str, node: yaml.Node) -> list[Part]:
    if not isinstance(node, yaml.SequenceNode) or node.flow_style:
        return []
    found = []
    for one in node.value:
        start, end = one.start_mark.index, _end_of(one)
        chunk = text[start:end]
        include = str(one.value) if one.tag == "!include" else None
        seen = _json(one) if isinstance(one, yaml.MappingNode) else None
        raw = None if _includes(one) else seen
        found.append(
            Part(
                start,
                end,
                one.start_mark.line + 1,
                chunk,
                raw if isinstance(raw, dict) else None,
                include,
                "#" in _without_strings(chunk),
                one.start_mark.column,
                seen if isinstance(seen, dict) else None,
            )
        )
    return found


def _end_of(node: yaml.Node) -> int:
    """Where a node's text really ends: the marks of a block reach to the next token, over blank lines and comments."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end_of(last[1] if isinstance(last, tuple) else last)
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        body = node.start_mark.buffer
        if body is not None:
            return node.start_mark.index + len(body[node.start_mark.pointer : node.end_mark.pointer].rstrip())
    return int(node.end_mark.index)


def _includes(node: yaml.Node) -> bool:
    if node.tag == "!include":
        return True
    if isinstance(node, yaml.MappingNode):
        return any(_includes(value) for _, value in node.value)
    return isinstance(node, yaml.SequenceNode) and any(_includes(one) for one in node.value)


def _json(node: yaml.Node | None, depth: int = 0) -> Any:
    """A node as JSON: text, numbers and truth values as scenarios read them."""
    if node is None:
        return None
    if depth > DEEPEST:
        raise errors.InvalidInput("嵌套过深。", "It is nested too deeply.", field="text")
    if node.tag == FILE:
        return {FILE: str(node.value)}
    if node.tag == "!include":
        return {"!include": str(node.value)}
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _json(value, depth + 1) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_json(one, depth + 1) for one in node.value]
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    text, tag = str(node.value), node.tag.rpartition(":")[2]
    if tag == "bool":
        return {"true": True, "false": False}.get(text, text)
    if tag == "null":
        return None
    if tag in ("int", "float"):
        try:
            return yaml.SafeLoader("").construct_object(node)
        except (ValueError, yaml.YAMLError):
            return text
    return text


def _part(text: str, number: int) -> Part:
    parts = take_apart(text).parts
    if not 0 <= number < len(parts):
        raise errors.NotFound("没有这一步。", "There is no such step.")
    return parts[number]


def _line_start(text: str, part: Part) -> int:
    begin = text.rfind("\n", 0, part.start) + 1
    if text[begin : part.start].strip() != "-":
        raise Unchangeable(why="several steps stand on one line", why_zh="一行里有多个步骤")
    return begin


def _like(text: str, part: Part, step: Mapping[str, Any]) -> str:
    """A step laid out as its neighbour: with the same indentation."""
    begin = _line_start(text, part)
    lead = text[begin : part.start]
    return lead + _at_column(text, part.start, step) + "\n"


def _at_column(text: str, start: int, step: Mapping[str, Any]) -> str:
    column = start - (text.rfind("\n", 0, start) + 1)
    lines = _dump(dict(step)).rstrip("\n").splitlines()
    return ("\n" + " " * column).join(lines)


def _indented(step: str) -> str:
    lines = step.rstrip("\n").splitlines()
    return "  - " + "\n    ".join(lines) + "\n"


def _step_text(step: Mapping[str, Any]) -> str:
    return _dump(dict(step))


_STRINGS = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\'\'|[^\'])*\'')


def _without_strings(text: str) -> str:
    """The text without what is quoted, and without a # inside a word, which begins no comment."""
    return re.sub(r"(?<=\S)#", "", _STRINGS.sub("", text))


class _Dumper(yaml.SafeDumper):
    """Writes as people do: leaves in one line, files by their tag, truth values as scenarios read them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


class _Block(dict[str, Any]):
    """A mapping with a line for each key, however short."""


def _block(dumper: yaml.SafeDumper, data: _Block) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=False)


def _mapping(dumper: yaml.SafeDumper, data: dict[str, Any]) -> yaml.Node:
    if set(data) == {FILE}:
        return dumper.represent_scalar(FILE, str(data[FILE]))
    if set(data) == {"!include"}:
        return dumper.represent_scalar("!include", str(data["!include"]))
    return dumper.represent_mapping("tag:yaml.org,2002:map", data.items())


_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(_Block, _block)


def _dump(content: Mapping[str, Any]) -> str:
    return yaml.dump(
        _Block(content), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=WIDTH, default_flow_style=None
    )


__all__ = [
    "FILE",
    "Part",
    "Script",
    "Unchangeable",
    "insert",
    "move",
    "read_step",
    "remove",
    "replace",
    "replace_text",
    "set_expect",
    "set_name",
    "set_start",
    "step_text",
    "take_apart",
    "write",
]

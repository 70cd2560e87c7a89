"""The placeholders of a document template: what it asks for, through loops and conditions to the members of items."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from jinja2 import TemplateSyntaxError, nodes
from jinja2.filters import FILTERS as JINJA
from jinja2.sandbox import SandboxedEnvironment

from .templates import TemplateProblem, paragraphs

# docxtpl lets tags say what they wrap, colours and spans cells, and takes the quotes that Word makes curly.
TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
WRAPS = re.compile(r"^(\{[{%])(?:p|tr|tc|r)\s")
CELL = re.compile(r"^\{%\s*(?:colspan|cellbg)\s(.*)%\}$", re.DOTALL)
MERGE = re.compile(r"^\{%\s*[vh]m\s*%\}$")
QUOTES = str.maketrans("“”‘’", "\"\"''")
FILTERS = {*JINJA, "day"}
"""The filters a template may use: Jinja's, and the one that ``issue_document`` adds."""
SAME_ITEMS = ("sort", "list", "reverse", "unique", "select", "reject", "selectattr", "rejectattr", "default", "d")
BY_MEMBER = ("selectattr", "rejectattr", "groupby")
BINDING = (nodes.Macro, nodes.CallBlock, nodes.With, nodes.FilterBlock, nodes.AssignBlock)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One value a template asks for: as it is written there (``p.name``) and the variable it lies in.

    In ``{% for p in partners %}{{ p.name }}`` the path is ``partners``, ``name``; ``items`` holds 1, as behind the
    first name one item of the list is meant. ``tested`` is True where the template asks beforehand whether it is there.
    """

    text: str
    path: tuple[str, ...]
    items: frozenset[int] = frozenset()
    tested: bool = False

    @property
    def source(self) -> str:
        """The path itself, where it is written otherwise: the list a loop goes through, and the member."""
        path = ".".join(self.path)
        return "" if path == self.text else path


def placeholders(data: bytes) -> list[Placeholder]:
    """What a template asks for. Raises TemplateProblem."""
    text = TAG.sub(_straight, "\n".join(paragraphs(data)))
    try:
        tree = SandboxedEnvironment().parse(text)
    except TemplateSyntaxError as error:
        raise TemplateProblem(
            f"占位符写法有误（{error.message}）。", f"A placeholder is not written right ({error.message})."
        ) from None
    for used in tree.find_all(nodes.Filter):
        if used.name not in FILTERS:
            raise TemplateProblem(f"没有“{used.name}”这个过滤器。", f"There is no filter “{used.name}”.")
    reading = _Reading()
    for node in tree.body:
        reading.visit(node, reading.names)
    return sorted(reading.found, key=lambda one: (one.text, one.path, one.tested))


def _straight(tag: re.Match[str]) -> str:
    """A tag as docxtpl hands it on: without what it wraps ({%p for ... %}, {{r text }}) and without curly quotes."""
    text = WRAPS.sub(r"\1 ", tag[0].translate(QUOTES))
    text = CELL.sub(r"{{\1}}", text)
    return MERGE.sub("", text)


Names = dict[str, "Placeholder | None"]


class _Reading:
    """Goes through a template as Jinja does, with the names that are bound at each place and what they stand for."""

    def __init__(self) -> None:
        self.found: set[Placeholder] = set()
        self.names: Names = dict.fromkeys(SandboxedEnvironment().globals)
        self._tested: list[str] = []

    def visit(self, node: nodes.Node, names: Names) -> None:
        """Note what a node asks for; a ``set`` binds its name in ``names``."""
        if isinstance(node, (nodes.Name, nodes.Getattr, nodes.Getitem)):
            self._note(node, names)
        elif isinstance(node, nodes.For):
            self._loop(node, names)
        elif isinstance(node, (nodes.If, nodes.CondExpr)):
            self._choice(node, names)
        elif isinstance(node, nodes.Assign):
            self.visit(node.node, names)
            self._bind(node.target, _place(node.node, names), names)
        elif isinstance(node, nodes.Call):
            # A method is asked of its value; it is no member.
            self.visit(node.node.node if isinstance(node.node, nodes.Getattr) else node.node, names)
            for inner in (*node.args, *node.kwargs):
                self.visit(inner, names)
        elif isinstance(node, (nodes.Filter, nodes.Test)):
            self._asked(node, names)
        else:
            inside = names if isinstance(node, (nodes.Output, nodes.Expr)) else dict(names)
            for bound in node.find_all(nodes.Name) if isinstance(node, BINDING) else ():
                if bound.ctx in ("store", "param"):
                    inside[bound.name] = None
            for inner in node.iter_child_nodes():
                self.visit(inner, inside)
            if isinstance(node, nodes.AssignBlock):
                self._bind(node.target, None, names)

    def _note(self, node: nodes.Node, names: Names) -> None:
        place = _place(node, names)
        if place is not None:
            tested = any(place.text == one or place.text.startswith(f"{one}.") for one in self._tested)
            self.found.add(replace(place, tested=tested))
        while isinstance(node, (nodes.Getattr, nodes.Getitem)):
            if isinstance(node, nodes.Getitem):
                self.visit(node.arg, names)
            node = node.node
            if place is None and _place(node, names) is not None:
                # Only as far as this is it known what is asked for.
                self._note(node, names)
                return
        if not isinstance(node, nodes.Name):
            self.visit(node, names)

    def _loop(self, node: nodes.For, names: Names) -> None:
        self.visit(node.iter, names)
        inside: Names = {**names, "loop": None}
        self._bind(node.target, _item(_place(node.iter, names)), inside)
        for inner in (*([node.test] if node.test is not None else []), *node.body):
            self.visit(inner, inside)
        for inner in node.else_:
            self.visit(inner, dict(names))

    def _choice(self, node: nodes.If | nodes.CondExpr, names: Names) -> None:
        known = len(self._tested)
        self._tested += [
            place.text
            for test in _tests(node.test)
            if test.name == "defined" and (place := _place(test.node, names)) is not None
        ]
        parts: list[nodes.Node]
        if isinstance(node, nodes.CondExpr):
            parts = [node.test, node.expr1, *([node.expr2] if node.expr2 is not None else [])]
        else:
            parts = [node.test, *node.body, *node.elif_, *node.else_]
        for inner in parts:
            self.visit(inner, names)
        del self._tested[known:]

    def _asked(self, node: nodes.Filter | nodes.Test, names: Names) -> None:
        place = _place(node.node, names) if node.node is not None else None
        optional = node.name in ("default", "d", "defined", "undefined") and place is not None
        if optional:
            assert place is not None
            self._tested.append(place.text)
        if node.node is not None:
            self.visit(node.node, names)
        if optional:
            self._tested.pop()
        for inner in (*node.args, *(one.value for one in node.kwargs)):
            self.visit(inner, names)
        member = next((one.value for one in node.kwargs if one.key == "attribute"), None)
        if member is None and node.name in BY_MEMBER and node.args:
            member = node.args[0]
        item = _item(place)
        if item is not None and isinstance(member, nodes.Const) and isinstance(member.value, str):
            for name in member.value.split(","):
                self.found.add(_member(item, name.strip()))

    def _bind(self, target: nodes.Node, place: Placeholder | None, names: Names) -> None:
        if isinstance(target, nodes.Name):
            # From here on it is written as the template calls it.
            names[target.name] = replace(place, text=target.name) if place is not None else None
        else:
            names.update(dict.fromkeys(one.name for one in target.find_all(nodes.Name)))


def _tests(node: nodes.Node) -> Iterator[nodes.Test]:
    """The tests that all hold where a condition does."""
    if isinstance(node, nodes.Test):
        yield node
    elif isinstance(node, nodes.And):
        yield from _tests(node.left)
        yield from _tests(node.right)


def _place(node: nodes.Node | None, names: Names) -> Placeholder | None:
    """Where an expression's value lies; None where that is not known."""
    if isinstance(node, nodes.Name):
        return names[node.name] if node.name in names else Placeholder(node.name, (node.name,))
    if isinstance(node, nodes.Getattr):
        inside = _place(node.node, names)
        return None if inside is None else _member(inside, node.attr)
    if isinstance(node, nodes.Getitem):
        inside = _place(node.node, names)
        if isinstance(node.arg, nodes.Slice):
            return inside
        if inside is None or not isinstance(node.arg, (nodes.Const, nodes.Neg)):
            return None
        key = node.arg.value if isinstance(node.arg, nodes.Const) else 0
        return _member(inside, key) if isinstance(key, str) else _item(inside)
    if isinstance(node, nodes.Filter) and node.node is not None:
        inside = _place(node.node, names)
        if node.name in ("first", "last", "random"):
            return _item(inside)
        return inside if node.name in SAME_ITEMS else None
    return None


def _member(place: Placeholder, name: str) -> Placeholder:
    parts = tuple(name.split("."))
    return replace(place, text=f"{place.text}.{name}", path=(*place.path, *parts))


def _item(place: Placeholder | None) -> Placeholder | None:
    return None if place is None else replace(place, items=place.items | {len(place.path)})

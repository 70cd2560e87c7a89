"""Who may import whom, and who may begin and commit: docs/architecture.md, held by reading the sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

SERVICE = Path(__file__).parent.parent / "service"

ANYTHING = None
FOUNDATIONS = {"clock", "english", "errors"}
"""They import nothing of ours, so anybody may import them."""

MAY_IMPORT: dict[str, set[str] | None] = {
    # foundations
    "errors": set(),
    "clock": set(),
    "english": set(),
    "config": {"fonts"},
    "workdays": set(),
    "words": set(),
    "wording": {"models"},
    "models": set(),
    "permissions": {"models"},
    # parts that know nothing of cases
    "db": set(),
    "migrations": {"models", "db", "words"},
    "mail": {"config"},
    "outgoing": set(),
    "ical": set(),
    "sheet": {"fonts"},
    "fonts": set(),
    "storage": {"config"},
    "topics": set(),
    "files": set(),
    "returning": set(),
    "outside": set(),
    "office": set(),
    "merging": set(),
    "engine": {"workdays"},
    "forms": {"engine.feel", "engine.isolate"},
    "frontend": set(),
    "pictures": {"frontend"},
    "traceability": {"engine"},
    "scenariotext": set(),
    # the service itself
    "commands": {
        "engine",
        "models",
        "forms",
        "merging",
        "permissions",
        "returning",
        "workdays",
        "words",
        "wording",
        "storage",
        "topics",
        "outgoing",
        "sheet",
    },
    "queries": {"models", "permissions", "workdays", "words", "wording", "ical"},
    "handlers": {"commands", "queries", "models", "wording", "config", "mail", "outgoing", "storage", "workdays"},
    "worker": {"commands", "handlers", "models", "engine", "config", "db", "upkeep", "logs", "tracing"},
    "upkeep": {"commands", "queries", "models", "config", "db", "storage", "tracing"},
    "metrics": {"queries", "models", "db"},
    "tracing": set(),
    "logs": {"tracing"},
    "doctor": {"commands", "queries", "models", "config", "db", "mail"},
    "backup": {"config", "db"},
    "web": {
        "commands",
        "outside",
        "office",
        "queries",
        "forms",
        "permissions",
        "models",
        "config",
        "db",
        "storage",
        "workdays",
        "topics",
        "files",
        "logs",
        "scenariotext",
        "wording",
        "sandbox",
        "tracing",
        "outgoing",
        "sheet",
    },
    # the wiring
    "app": ANYTHING,
    "cli": ANYTHING,
    "cli_admin": ANYTHING,
    "cli_owner": ANYTHING,
    "cli_translate": ANYTHING,
    "reports": {"engine", "commands", "scenarios"},
    "corpus": {"engine"},
    "demo": ANYTHING,
    "scenarios": ANYTHING,
    "sandbox": {"scenarios", "engine", "commands", "models", "db"},
}

ROOMS: dict[str, set[str]] = {
    "cases": {"procedures"},
    "bases": {"cases", "people"},
    "people": {"cases"},
    "inbox": {"cases", "people", "procedures"},
    "procedures": {"administration", "cases", "inbox", "people"},
    "administration": {"cases", "procedures"},
}
"""Which rooms of ``commands`` use which: a case knows nothing of who repairs it or is told of it."""

ONLY_IN = {
    "SpiffWorkflow": {"engine"},
    "lxml": {"engine"},
    "py_mini_racer": {"engine"},
    "flask": {"web", "app"},
    "flask_babel": {"web", "app"},
    "flask_wtf": {"web", "app"},
    "procrastinate": {"commands", "worker", "migrations", "cli"},
    "alembic": {"db", "migrations"},
    "argon2": {"commands"},
}

MAY_BEGIN = {"db", "migrations", "scenarios"}
"""Scenarios make the tables of databases they throw away."""


class Import(NamedTuple):
    """One name that one file imports; of ours with ``service`` in front."""

    importer: str
    path: Path
    line: int
    name: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(SERVICE.parent)}:{self.line} imports {self.name}"


def sources() -> Iterator[Path]:
    yield from (path for path in sorted(SERVICE.rglob("*.py")) if "node_modules" not in path.parts)


def part_of(path: Path) -> str:
    """The package below ``service``, or the module."""
    first = path.relative_to(SERVICE).parts[0]
    return first.removesuffix(".py")


def imports() -> Iterator[Import]:
    for path in sources():
        package = ["service", *path.relative_to(SERVICE).parts[:-1]]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for name in names(node, package):
                yield Import(part_of(path), path, node.lineno, name)


def names(node: ast.AST, package: list[str]) -> list[str]:
    """The full names that an import statement brings in."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = package[: len(package) - node.level + 1] if node.level else []
    module = ".".join([*base, *([node.module] if node.module else [])])
    return [f"{module}.{alias.name}" for alias in node.names]


def allowed(importer: str, imported: list[str]) -> bool:
    """``imported`` are the parts of the name after ``service``."""
    permitted = MAY_IMPORT[importer]
    if permitted is ANYTHING or not imported or imported[0] in (importer, *FOUNDATIONS):
        return True
    return imported[0] in permitted or ".".join(imported[:2]) in permitted


def test_every_part_of_the_service_is_in_the_table():
    parts = {part_of(path) for path in sources()} - {"__init__", "__main__"}
    assert parts - MAY_IMPORT.keys() == set(), "say in MAY_IMPORT what these may import"


def test_parts_import_only_what_they_may():
    wrong = [
        str(one)
        for one in imports()
        if one.name.split(".")[0] == "service"
        and one.importer in MAY_IMPORT
        and not allowed(one.importer, one.name.split(".")[1:])
    ]
    assert wrong == []


def test_rooms_of_the_commands_use_only_those_they_may():
    found = {room: set[str]() for room in ROOMS}
    for one in imports():
        if one.importer == "commands" and one.name.startswith("service.commands."):
            room, used = one.path.relative_to(SERVICE / "commands").parts[0], one.name.split(".")[2]
            if used != room:
                found[room].add(used)
    assert found == ROOMS


@pytest.mark.parametrize("library", sorted(ONLY_IN))
def test_a_library_stays_behind_its_part(library):
    found = [one for one in imports() if one.name.split(".")[0] == library]
    assert [str(one) for one in found if one.importer not in ONLY_IN[library]] == []


def test_only_the_database_commits_and_rolls_back():
    wrong = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                # A savepoint (begin_nested) is no transaction; an engine's instance begins, too.
                owner = ast.unparse(node.func.value).rpartition(".")[2]
                begins = node.func.attr == "begin" and owner in ("session", "connection", "engine")
                if (begins or node.func.attr in ("commit", "rollback")) and part_of(path) not in MAY_BEGIN:
                    wrong.append(f"{path.relative_to(SERVICE.parent)}:{node.lineno} calls {node.func.attr}()")
    assert wrong == []


def test_commands_take_the_session_first():
    """What other parts call of a command: a session first, and who does it by keyword."""
    wrong = []
    for path in sorted((SERVICE / "commands").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and any(arg.arg == "session" for arg in node.args.args):
                positional = [arg.arg for arg in node.args.args]
                if positional[0] != "session" or "user" in positional[:1]:
                    wrong.append(f"{path.name}:{node.lineno} {node.name}({', '.join(positional)})")
    assert wrong == []


def test_models_hold_no_clock_of_their_own():
    """A row gets its moments from the command that writes it, so that scenarios can travel in time."""
    for path in sorted((SERVICE / "models").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert "func.now" not in text, path
        assert "utcnow" not in text, path


def test_the_time_of_day_comes_from_the_clock():
    wrong = []
    for path in sources():
        if part_of(path) in ("clock", "frontend", "pictures", "migrations"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "datetime.now",
                "datetime.utcnow",
                "datetime.today",
                "date.today",
                "time.time",
                "datetime.datetime.now",
                "datetime.date.today",
            ):
                wrong.append(f"{path.relative_to(SERVICE.parent)}:{node.lineno} asks {ast.unparse(node.func)}")
    assert wrong == []


def test_decisions_are_numbered_one_after_the_other():
    files = sorted((SERVICE.parent / "docs" / "decisions").glob("*.md"))
    numbers = [f"{number:04}" for number in range(1, len(files) + 1)]
    assert [path.name[:4] for path in files] == numbers
    assert [path.read_text(encoding="utf-8").split()[1] for path in files] == numbers

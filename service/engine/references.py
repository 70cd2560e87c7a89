"""What the files of a bundle have to offer to one another: for pick-lists in the editors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import contract
from .bundle import Contents, content_hash, read_contents
from .expressions import as_list
from .model import is_expression
from .placeholders import placeholders
from .templates import TemplateProblem


def references(files: Mapping[str, bytes]) -> dict[str, Any]:
    """The forms, decisions, processes, messages and templates of the files, each with its name and place."""
    contents = read_contents(files)
    return {
        "forms": [
            {"id": form_id, "name": form_name(schema) or form_id, "file": contents.form_files[form_id]}
            for form_id, schema in sorted(contents.forms.items())
        ],
        "decisions": [
            {"id": one.id, "name": one.name or one.id, "file": _file_of(contents, one.id)}
            for one in sorted(contents.decisions.values(), key=lambda one: one.id)
        ],
        "processes": [
            {"id": one.id, "name": one.label, "file": one.file}
            for one in sorted(contents.processes.values(), key=lambda one: one.id)
        ],
        "templates": sorted(contents.templates),
        "uses": [
            {
                "form": node.form_id,
                "element": node.id,
                "name": node.label,
                "process": process.label,
                "groups": as_list(node.candidate_groups),
                "lane": node.lane,
            }
            for process in contents.processes.values()
            for _, node in process.walk()
            if node.form_id and not is_expression(node.form_id)
        ],
    }


def variables(files: Mapping[str, bytes], catalogue: contract.Catalogue, element_id: str) -> list[dict[str, Any]]:
    """The variables that may have a value at an element, each with its type and who writes it; empty where it is not
    there."""
    return contract.known_at(_analysis(files, catalogue), element_id)


def sample(files: Mapping[str, bytes], catalogue: contract.Catalogue, element_id: str, form_id: str) -> dict[str, Any]:
    """Data to try a form with, as it is opened at a task: what it reads of the case, made up after its shape."""
    return contract.sample(_analysis(files, catalogue), element_id, form_id)


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """What a document template asks for – as it is written, where it lies if that is elsewhere, and whether the case
    has it at every task that uses it – and those tasks. ``problem`` says why it cannot be read, in Chinese and
    English."""

    placeholders: tuple[tuple[str, str, bool], ...] = ()
    tasks: tuple[str, ...] = ()
    problem: tuple[str, str] | None = None


def template(files: Mapping[str, bytes], catalogue: contract.Catalogue, path: str) -> TemplateUse:
    """What a document template of the files asks for, and who fills it in."""
    try:
        asked = placeholders(files[path])
    except TemplateProblem as problem:
        return TemplateUse(problem=(problem.zh, problem.en))
    found = _analysis(files, catalogue)
    name = path.rpartition("/")[2]
    users = [
        f"{node.label}（{process.label}）"
        for process in found.sources.contents.processes.values()
        for _, node in process.walk()
        if node.headers.get("template") in (name, name.removesuffix(".docx"))
    ]
    unfilled = contract.unfilled(found, name)
    told = dict.fromkeys((one.text, one.source, one.text not in unfilled) for one in asked)
    return TemplateUse(tuple(told), tuple(users))


def _analysis(files: Mapping[str, bytes], catalogue: contract.Catalogue) -> contract.Analysis:
    contents = read_contents(files)
    key = (content_hash(contents.files), id(catalogue))
    found = _analysed.pop(key, None) or contract.analyse(contract.Sources(contents, catalogue))
    _analysed[key] = found
    while len(_analysed) > MOST_KEPT:
        del _analysed[next(iter(_analysed))]
    return found


# Somebody who edits asks about one element after the other.
_analysed: dict[tuple[str, int], contract.Analysis] = {}
MOST_KEPT = 4


def form_name(schema: Mapping[str, Any]) -> str:
    """What people call a form: its first heading, or else its id."""
    for component in schema.get("components", []):
        if isinstance(component, Mapping) and component.get("type") == "text":
            text = str(component.get("text", "")).strip()
            if text.startswith("#"):
                return text.lstrip("#").strip().splitlines()[0]
    return str(schema.get("id", ""))


def _file_of(contents: Contents, decision_id: str) -> str:
    marker = f'id="{decision_id}"'.encode()
    return next((path for path, data in contents.files.items() if path.endswith(".dmn") and marker in data), "")

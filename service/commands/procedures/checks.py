"""What is wrong with a bundle, said so that a process owner can put it right; the same wherever it is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from service import engine
from service.engine import advice

from . import deployments
from .catalogue import CATALOGUE


@dataclass(frozen=True, slots=True)
class Checked:
    """A finding with why it matters and what to do about it."""

    finding: engine.Finding
    advice: advice.Advice

    def shown(self, locale: str) -> dict[str, Any]:
        """The finding in the reader's language, as JSON."""
        english = locale.startswith("en")
        one = self.finding
        return {
            "file": one.file,
            "element": one.element_id,
            "rule": one.rule,
            "severity": one.severity,
            "text": one.en if english else one.zh,
            "why": self.advice.why_en if english else self.advice.why_zh,
            "fix": self.advice.fix_en if english else self.advice.fix_zh,
            "line": one.line,
            "path": list(getattr(one, "path", ()) or ()),
        }


def check(session: Session, files: Mapping[str, bytes], *, topics: Collection[str] | None = None) -> list[Checked]:
    """Everything found in the files, errors first, against the roles and lanes of today."""
    return [Checked(one, advice.of(one.rule)) for one in deployments.validate(session, files, topics=topics)]


def variables(files: Mapping[str, bytes], element_id: str) -> list[dict[str, Any]]:
    """The variables that may have a value at an element, each with its type and who writes it."""
    return engine.variables(files, CATALOGUE, element_id)


def sample(files: Mapping[str, bytes], element_id: str, form_id: str) -> dict[str, Any]:
    """Data to try a form with, as it is opened at a task."""
    return engine.sample(files, CATALOGUE, element_id, form_id)


def template(files: Mapping[str, bytes], path: str) -> engine.TemplateUse:
    """What a document template asks for, and whether the tasks that use it fill it in."""
    return engine.template(files, CATALOGUE, path)


def references(files: Mapping[str, bytes]) -> dict[str, Any]:
    """What the diagrams of a bundle may refer to in it: forms, decisions, processes, messages, variables."""
    return engine.references(files)


def unreadable(path: str, content: bytes) -> Checked | None:
    """Why no editor opens a file; None where one does."""
    found = engine.unreadable(path, content)
    return None if found is None else Checked(found, advice.of(found.rule))

"""What the register already knows against starting a case, told before anybody types.

A process names the decisions that look (``startCheck``, see ``docs/reference/profile.md``); each gives a list of what
is not met, with its article. They inform and refuse nothing: what is refused, the diagram refuses where it says so.
A later one reads what an earlier one gave under its id, so that a rule stands in one table only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service import english
from service.commands.procedures import deployments
from service.engine import decisions
from service.engine.model import start_checks
from service.models import ProcessDefinition


@dataclass(frozen=True, slots=True)
class Unmet:
    """One condition that the register already knows is not met, with the article that sets it."""

    criterion: str
    article: str
    zh: str
    en: str


def unmet(session: Session, definition: ProcessDefinition, known: Mapping[str, Any], *, now: datetime) -> list[Unmet]:
    """What is not met, in the order of the tables. A table that fails on the data says so in its place."""
    named = start_checks(definition.properties)
    if not named:
        return []
    bundle = deployments.bundle(session, definition.deployment_id)
    variables = {"profile": session.info.get("profile", "strict"), **known}
    found: list[Unmet] = []
    for name in named:
        try:
            result = decisions.evaluate(bundle.decisions, name, variables, now=now)
        except decisions.DecisionError as error:
            found.append(Unmet(name, "", f"无法核对：{error.zh}", f"Cannot be checked: {error}"))
            continue
        variables[name] = result
        for row in result if isinstance(result, list) else [result]:
            if isinstance(row, Mapping) and row.get("message"):
                text = str(row["message"])
                found.append(
                    Unmet(
                        str(row.get("criterion") or ""),
                        str(row.get("article") or ""),
                        text,
                        str(row.get("messageEn") or english.made_of(text, bundle.decided, bundle.english.say)),
                    )
                )
    return found


__all__ = ["Unmet", "unmet"]

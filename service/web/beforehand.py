"""What the register knows against starting a case, before anybody types."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from service import clock
from service.commands.cases import eligibility
from service.commands.cases.eligibility import Unmet
from service.models import Organisation, ProcessDefinition
from service.queries import standing
from service.queries.definitions import Startable

MOST = 5
"""Whoever may start for more organisations is not told before choosing one of them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is not met for one organisation; empty: everything the register knows speaks for it."""

    organisation: Organisation
    unmet: list[Unmet]


@dataclass(slots=True)
class Beforehand:
    """Asks the tables of several processes; what is known of an organisation is read once."""

    session: Session
    _known: dict[int, dict[str, Any]] = field(default_factory=dict)

    def __call__(self, item: Startable) -> list[Verdict]:
        """One verdict for each organisation in whose name the person may start; none where nothing is asked."""
        if not item.properties.get("startCheck") or len(item.organisations) > MOST:
            return []
        now = clock.now()
        today = clock.today(now)
        definition = self.session.get_one(ProcessDefinition, item.id)
        found = []
        for one in item.organisations:
            if one.id not in self._known:
                self._known[one.id] = standing.of_organisation(self.session, one, today)
            known = standing.before_start(self.session, definition, one, self._known[one.id], today)
            found.append(Verdict(one, eligibility.unmet(self.session, definition, known, now=now)))
        return found

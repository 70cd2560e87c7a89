"""Organisations a case names beside its parties – partners of the applicant, units that apply jointly.

A process says where they stand in its data (``relatedParties``, see ``docs/reference/profile.md``); the rows follow
whatever its variables say, in the transaction of the step that changes them. Who works for one of them is kept away
from the tasks that say so (``commands.cases.duties``) and left out of the lists of experts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from service import engine, words
from service.engine import duties as declared
from service.engine import feel
from service.models import Instance, Organisation, RelatedParty
from service.models.register import Expert

from .difference import table_of

NAMES = ("name", "nameEn", "uscc", "code")
"""What an entry may be recognised by, where it is no text of its own; the first is how it is shown."""


def follow(
    session: Session, instance: Instance, step: engine.Step, facts: Iterable[engine.Happened], now: datetime
) -> bool:
    """Write anew what the case names, where the step changed it. True where it did."""
    text = instance.definition.properties.get(declared.RELATED, "").strip().removeprefix("=")
    if not text:
        return False
    names = feel.names(text)
    facts = list(facts)
    changed = {name for fact in facts if fact.kind == "variables" for name in fact.data}
    if not names & changed and not any(fact.kind.startswith("repair_") for fact in facts):
        return False
    seen = engine.visible(step.run)
    try:
        found = feel.evaluate(text, {name: seen[name] for name in names if name in seen}, now=now)
    except feel.FeelError:
        # Data nobody can read says nothing new: whoever was kept away stays away.
        return False
    write(session, instance, found if isinstance(found, Mapping) else {})
    return True


def write(session: Session, instance: Instance, named: Mapping[str, Any]) -> None:
    """Put down the organisations of each kind in place of those that stood there."""
    session.execute(delete(RelatedParty).where(RelatedParty.instance_id == instance.id))
    entries = [
        (party, keys) for party in sorted(declared.RELATED_KINDS) for keys in _distinct(_entries(named.get(party)))
    ]
    if not entries:
        return
    register = _register(session, instance.authority_id)
    rows = [
        {
            "instance_id": instance.id,
            "party": party,
            "name": texts[0],
            "keys": [key_of(text) for text in texts],
            "organisation_id": next((register[key] for text in texts if (key := key_of(text)) in register), None),
        }
        for party, texts in entries
    ]
    session.execute(insert(table_of(RelatedParty)), rows)


def key_of(name: str) -> str:
    """What a name is recognised by: one width and case, no spaces or signs."""
    return words.fold(name).replace(" ", "")


def of_case(session: Session, instance_id: int) -> list[RelatedParty]:
    """The organisations that a case names beside its parties."""
    return list(
        session.scalars(select(RelatedParty).where(RelatedParty.instance_id == instance_id).order_by(RelatedParty.id))
    )


def employs(party: RelatedParty, expert: Expert) -> bool:
    """True where an expert works for the organisation, by the register or by the name the pool has."""
    if expert.employer_id is not None and expert.employer_id == party.organisation_id:
        return True
    names = [expert.employer.name, expert.employer.name_en, expert.employer.uscc] if expert.employer else []
    return any(key_of(name) in party.keys for name in (expert.employer_name, *names) if name)


def _entries(value: Any) -> Iterator[tuple[str, ...]]:
    """Each organisation in a value: a text, a context with a name, or lists of them."""
    if isinstance(value, str):
        if key_of(value):
            yield (value.strip(),)
    elif isinstance(value, Mapping):
        texts = tuple(str(value[name]).strip() for name in NAMES if isinstance(value.get(name), str))
        if any(map(key_of, texts)):
            yield tuple(text for text in texts if key_of(text))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _entries(one)


def _distinct(entries: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return list({tuple(map(key_of, texts)): texts for texts in entries}.values())


def _register(session: Session, authority_id: int) -> dict[str, int]:
    """The organisations of an authority by everything they may be called."""
    found: dict[str, int] = {}
    rows = session.execute(
        select(Organisation.id, Organisation.name, Organisation.name_en, Organisation.uscc, Organisation.code)
        .where(Organisation.authority_id == authority_id)
        .order_by(Organisation.id)
    )
    for row in rows:
        for text in row[1:]:
            if text and (key := key_of(text)):
                found.setdefault(key, row.id)
    return found


__all__ = ["employs", "follow", "key_of", "of_case", "write"]

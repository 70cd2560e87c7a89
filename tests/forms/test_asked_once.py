"""No procedure asks twice for one thing, and what the register, the case or the account knows is filled in."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lxml import etree

from service.returning.fields import is_shown_only, label

ROOT = Path(__file__).parents[2]
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
FORMS = {path.stem: json.loads(path.read_bytes()) for path in (ROOT / "forms").rglob("*.form")}

OWN = {
    ("comment", None): "what one person says about another's work",
    ("result", None): "everybody decides for themselves",
    ("problem", None): "what one reader wants changed",
    ("files", None): "each writer's own papers",
    ("reason", "理由"): "whoever decides gives their own grounds",
    ("conclusion", "结论"): "an expert's, and the panel's of all experts'",
    ("kind", "栏目"): "an article is written by the host or by its recommender, never by both",
    ("title", "标题"): "an article is written by the host or by its recommender, never by both",
    ("text", "正文"): "an article is written by the host or by its recommender, never by both",
}  # fmt: skip
"""Key and label (None: any) of what several forms of a procedure may ask -> why it is not the same thing."""

KNOWN = {
    "base", "baseNumber", "caseNumber", "code", "contact", "contactEmail", "contactName", "contactPhone", "country",
    "director", "directorName", "givenOn", "host", "inscription", "objector", "organisation", "park", "partner",
    "planYear", "programme", "projectNumber", "province", "receiver", "recommender", "representative", "requestedOn",
    "signatory", "signedOn", "uscc", "visitedOn", "year",
}  # fmt: skip
"""What the register, the case or the account of whoever opens the form may know."""

NEW = {
    "annualSummary.agreements.partner": "only agreements signed in the year; the partners known stand above the list",
    "annualSummary.agreements.country": "only agreements signed in the year; the partners known stand above the list",
    "annualSummary.agreements.signedOn": "only agreements signed in the year",
    "application.contactPhone": "no account has a telephone number",
    "application.directorName": "who is to direct a base that does not exist yet",
    "application.partners.country": "who accepts the qualification too is a claim of its own (art. 6(1)5)",
    "application.nationalTasks.programme": "tasks at home; the register knows international projects",
    "application.results.country": "of a service rendered, not of a partner",
    "application.revenues.year": "of the applicant's books",
    "application.results.year": "of the applicant's books",
    "application.talents.country": "of a person",
    "nomination.country": "of a person",
    "entry.project.partner": "the register learns it here",
    "entry.project.country": "the register learns it here",
    "entry.project.programme": "the register learns it here",
}
"""Path of a field that asks for such a thing -> why nothing knows it."""


class Asked(NamedTuple):
    form: str
    path: str
    key: str
    label: str
    given: bool


def asked(form_id: str) -> Iterator[Asked]:
    """The fields a person fills in, rows of lists one by one; ``given``: it opens with what is known."""
    return _asked(form_id, FORMS[form_id], "", False)


def _asked(form_id: str, container: Mapping[str, Any], before: str, given: bool) -> Iterator[Asked]:
    for one in container.get("components", []):
        key = one.get("key") or one.get("path") or ""
        path = f"{before}.{key}".strip(".") if key else before
        filled = given or "prefill" in one.get("properties", {}) or "valuesExpression" in one
        if one["type"] in ("group", "dynamiclist"):
            yield from _asked(form_id, one, path, given or "prefill" in one.get("properties", {}))
        elif key and not is_shown_only(one):
            yield Asked(form_id, path, key, label(one), filled)


def diagrams() -> Iterator[tuple[str, etree._Element]]:
    for path in sorted((ROOT / "processes").glob("*/*.bpmn")):
        yield path.stem, etree.fromstring(path.read_bytes())


def opened_by_procedures() -> dict[str, set[str]]:
    """The forms of each process, with those of the processes it calls."""
    own, called = defaultdict(set), defaultdict(set)
    for name, root in diagrams():
        own[name] = {one.get("formId") for one in root.iter(f"{ZEEBE}formDefinition")} & set(FORMS)
        own[name] |= {one.get("value") for one in root.iter(f"{ZEEBE}property") if one.get("name") == "form"}
        called[name] = {one.get("processId") for one in root.iter(f"{ZEEBE}calledElement")}

    def all_of(name: str, seen: frozenset[str]) -> set[str]:
        deeper = [all_of(one, seen | {name}) for one in called[name] if one not in seen]
        return own[name].union(*deeper)

    return {name: all_of(name, frozenset()) for name in own}


def test_no_procedure_asks_twice():
    twice, used = set(), set()
    for process, form_ids in opened_by_procedures().items():
        by_name = defaultdict(list)
        for form_id in form_ids:
            for one in asked(form_id):
                by_name[one.key, one.label].append(one)
        for (key, called), places in by_name.items():
            if len({one.form for one in places if not one.given}) < 2:
                continue
            excused = {(key, called), (key, None)} & set(OWN)
            used |= excused
            if not excused:
                twice.add((process, called, *sorted({f"{one.form}: {one.path}" for one in places})))
    assert twice == set()
    assert set(OWN) - used == set(), "an exception that nothing needs any more"


def test_what_is_known_is_filled_in_or_picked():
    mapped = {
        name
        for _process, root in diagrams()
        for one in root.iter(f"{ZEEBE}input")
        if one.get("target") == "application"
        for name in ("application.uscc", "application.projects.partner", "application.projects.country",
                     "application.projects.programme")
        if name.split(".")[1] in one.get("source", "")
    }  # fmt: skip
    open_fields = {one.path for form_id in FORMS for one in asked(form_id) if one.key in KNOWN and not one.given}
    assert open_fields - mapped - set(NEW) == set()
    assert set(NEW) - open_fields == set(), "an exception that nothing needs any more"

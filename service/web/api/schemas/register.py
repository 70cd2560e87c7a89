"""Bases of the register."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import (
    Field,
)

from .lists import PageQuery
from .values import Document, Moment, Name, Page, Text


class BaseSummary(Document):
    """A line of the register of bases: what everybody may know."""

    id: int
    number: str
    name: str
    type: str
    type_name: str
    status: Literal["active", "revoked", "exited"]
    host: str
    region: str
    fields: list[str] = Field(description="Codes of the fields of article 15.")
    accredited_on: date
    ended_on: date | None


class BasePage(Page[BaseSummary]):
    """A page of the register."""


class BaseQuery(PageQuery):
    """Which bases, in which order."""

    type: Name | None = Field(default=None, description="IP, JC, TT or DB.")
    status: Literal["active", "revoked", "exited", "any"] = "active"
    region: Name | None = None
    field: Name | None = Field(default=None, description="Code of one of the fields of article 15.")
    year: Annotated[int, Field(ge=1, le=9998)] | None = Field(default=None, description="Accredited in this year.")
    text: Text | None = Field(default=None, description="Part of the name, the number or the host's name.")
    sort: Literal["number", "name", "region", "-accredited_on", "type"] = "number"


class RegisterEvent(Document):
    """A line of a base's history."""

    at: Moment
    kind: str
    zh: str
    en: str
    instance_id: int | None


class Recommender(Document):
    """Which department recommends a base, from when until when."""

    code: str
    name: str
    relation: Literal["affiliation", "territory"]
    since: date
    until: date | None


class Accreditation(Document):
    """The act that made a base."""

    type: str
    decided_on: date
    rule_set: str
    document_number: str | None
    instance_id: int | None


class AnnualResult(Document):
    """The result of one yearly assessment."""

    year: int
    grade: str
    result: Literal["pass", "fail", "excused"]
    confirmed_on: date


class IssuedDocument(Document):
    """An official document about a base."""

    kind: str
    number: str
    title: str
    issued_on: date


class BaseFile(Document):
    """What the register keeps on a base, newest first. For those it concerns."""

    accredited_under: str
    summary: str
    recommenders: list[Recommender]
    accreditations: list[Accreditation]
    documents: list[IssuedDocument]
    results: list[AnnualResult]


class Base(BaseSummary):
    """A base. `file` is null where you may see only what is public; `history` then holds its public lines."""

    history: list[RegisterEvent]
    file: BaseFile | None

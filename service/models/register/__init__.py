"""The register of bases: what the ministry knows about every base, and which case made it so.

Every row belongs to one authority (article 21): a base that a province keeps for itself never stands in the
national register. Rows that a case wrote carry its ``instance_id``; ``RegisterEvent`` is the history of all of them.
"""

from __future__ import annotations

from .assessments import GRADES, AnnualReport, AnnualResult, Commendation
from .bases import (
    FIELDS,
    TYPES,
    Accreditation,
    Base,
    BaseField,
    ImplementationPlan,
    Plaque,
    RecommenderLink,
    RegisterEvent,
)
from .cooperation import ForeignPlaque, Inspection, MatchingFund, Partner, Project, Talent
from .documents import Document, DocumentIssuer
from .meetings import AgendaItem, AllianceMember, ColumnArticle, CoordinationNote, Expert, FilingWindow
from .sanctions import Ban, Notice, Sanction, Violation

__all__ = [
    "FIELDS",
    "GRADES",
    "TYPES",
    "Accreditation",
    "AgendaItem",
    "AllianceMember",
    "AnnualReport",
    "AnnualResult",
    "Ban",
    "Base",
    "BaseField",
    "ColumnArticle",
    "Commendation",
    "CoordinationNote",
    "Document",
    "DocumentIssuer",
    "Expert",
    "FilingWindow",
    "ForeignPlaque",
    "ImplementationPlan",
    "Inspection",
    "MatchingFund",
    "Notice",
    "Partner",
    "Plaque",
    "Project",
    "RecommenderLink",
    "RegisterEvent",
    "Sanction",
    "Talent",
    "Violation",
]

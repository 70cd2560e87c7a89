"""The bridge to SpiffWorkflow: bundles of diagrams, and the verbs that step an instance.

Pure: no database and no clock; every verb takes the time it happens at. Nothing outside this package imports
SpiffWorkflow or lxml. Semantics: docs/reference/profile.md.
"""

from __future__ import annotations

from collections.abc import Mapping

from .again import OtherStep, do_again, start_again
from .bundle import Bundle, ProcessInfo, StartInfo, content_hash, read_contents, unreadable
from .codec import dump, load, same
from .contract import Catalogue, Service
from .english import Written, written
from .english import diagram as diagram_in
from .english import renewed as renewed_english
from .migration import CannotMigrate, Obstacle, lost, migrate, obstacles
from .model import Finding
from .problems import BundleRejected, EngineError, Problem, UnknownProcess, UnreadableState, WrongToken
from .references import TemplateUse, references, sample, template, variables
from .repair import CannotMove, move, reschedule, restart, set_variables, skip
from .runner import Run, cancel, catch, complete, fire, park, retry, start, visible
from .runner import throw_bpmn_error as throw_error
from .stalls import DeadJoin, Resting, dead_joins, resting
from .steps import Happened, IncidentWait, JobWait, JoinWait, MessageWait, Step, TimerWait, UserWait, Wait
from .validation import validate, validate_contents


def read_bundle(files: Mapping[str, bytes]) -> Bundle:
    """Make a bundle of the files. Raises BundleRejected with all findings if one of them is an error."""
    contents, findings = validate_contents(files)
    if any(f.severity == "error" for f in findings):
        raise BundleRejected(findings)
    bundle = Bundle(contents)
    bundle.findings = findings
    return bundle


def load_bundle(files: Mapping[str, bytes]) -> Bundle:
    """A bundle that was validated when it was deployed; later rules never lock its instances out."""
    return Bundle(read_contents(files))


__all__ = [
    "Bundle",
    "BundleRejected",
    "CannotMigrate",
    "CannotMove",
    "Catalogue",
    "DeadJoin",
    "EngineError",
    "Finding",
    "Happened",
    "IncidentWait",
    "JobWait",
    "JoinWait",
    "MessageWait",
    "Obstacle",
    "OtherStep",
    "Problem",
    "ProcessInfo",
    "Resting",
    "Run",
    "Service",
    "StartInfo",
    "Step",
    "TemplateUse",
    "TimerWait",
    "UnknownProcess",
    "UnreadableState",
    "UserWait",
    "Wait",
    "Written",
    "WrongToken",
    "cancel",
    "catch",
    "complete",
    "content_hash",
    "dead_joins",
    "diagram_in",
    "do_again",
    "dump",
    "fire",
    "load",
    "load_bundle",
    "lost",
    "migrate",
    "move",
    "obstacles",
    "park",
    "read_bundle",
    "read_contents",
    "references",
    "renewed_english",
    "reschedule",
    "restart",
    "resting",
    "retry",
    "same",
    "sample",
    "set_variables",
    "skip",
    "start",
    "start_again",
    "template",
    "throw_error",
    "unreadable",
    "validate",
    "variables",
    "visible",
    "written",
]

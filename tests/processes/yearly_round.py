"""The whole annual cycle for many bases, played with the real commands and jobs: reports, then assessments."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from service import clock, config, files, handlers
from service.commands.cases import instances
from service.commands.inbox import task_forms, tasks
from service.commands.people import identity
from service.commands.procedures import deployments
from service.db import Database
from service.models import Authority, Instance, Membership, Organisation, Task, TaskCandidate, User
from service.models.register import FIELDS, AnnualReport, AnnualResult, Base, BaseField, RecommenderLink
from service.scenarios import cast
from service.worker import Worker

ROOT = Path(__file__).resolve().parents[2]
RECOMMENDERS = 12
SILENT = 20
"""Every so many-th base does not report; a person then excuses it."""

SAID = "这里是一段用来满足最少字数要求的说明文字，内容为虚构。"

REPORT: Sequence[tuple[str, Mapping[str, Any]]] = (
    (
        "write_plan",
        {
            "annualPlan": {
                "goals": SAID,
                "tasks": [{"name": "联合研究", "milestone": "十月", "owner": "某人"}],
                "linkage": SAID,
                "funds": 120,
            }
        },
    ),
    (
        "write_summary",
        {
            "annualSummary": {
                "overview": SAID,
                **dict.fromkeys(("staff", "income", "visitsIn", "visitsOut", "longStays"), 8),
                **dict.fromkeys(("papers", "jointPapers", "patents", "awards"), 3),
                **{key: [] for key in ("agreements", "projects", "trainings", "meetings", "overseas", "transfers")},
                **dict.fromkeys(("achievements", "management", "next"), SAID),
            }
        },
    ),
    ("submit_report", {"reportSubmission": {"result": "submit"}}),
    ("review_report", {"reportReview": {"result": "pass", "comment": "内容完整"}}),
    (
        "sign_opinion",
        {
            "reportOpinion": {
                "result": "signed",
                "opinion": "同意报送。",
                "signatory": "某厅长",
                "signedOn": "2027-01-04",
            }
        },
    ),
    ("accept_report", {"reportAcceptance": {"result": "accept"}}),
)
ASSESSMENT: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("confirm_nonfiling", {"nonFiling": {"result": "excused", "reason": "有正当理由。"}}),
    ("check_materials", {"materialsCheck": {"result": "complete"}}),
    ("appoint_reviewers", {"yearlyPanel": {"members": ["experts.reviewer"], "visit": False}}),
    ("review_base", {"yearlyReview": {"grade": "good", "opinion": "成效良好。"}}),
    ("propose_grade", {"gradeProposal": {"grade": "good", "reason": "成效良好。"}}),
    ("confirm_grade", {"gradeConfirmation": {"result": "confirm", "grade": "good"}}),
    ("nominate_commendation", {"commendation": {"nominate": False, "reason": "不提名"}}),
)


class Round:
    """A ministry with so many bases, and how long each step of each of them took, by the clock and by our processor."""

    def __init__(self, database: Database, folder: Path, bases: int) -> None:
        self.database, self.bases = database, bases
        self.settings = config.read({"GUOHE_DATA": str(folder), "GUOHE_SECRET_KEY": "nothing here is secret"})
        self.worker = Worker(database, self.settings)
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.cpu: dict[str, list[float]] = defaultdict(list)
        self.jobs = 0
        self.job_seconds = self.job_cpu = 0.0
        with database.transaction() as session:
            cast.usual(session)
            self._found(session)
            owner = self._person(session, cast.ADMIN)
            deployments.deploy(session, files.of_project(ROOT), user=owner, topics=handlers.topics())

    def _found(self, session: Session) -> None:
        """Bases of as many hosts, each with its own people, over several recommenders."""
        authority = session.scalars(select(Authority)).one()
        offices = [
            identity.create_organisation(
                session, authority, f"office{number}", "provincial_department", f"虚构厅{number}"
            )
            for number in range(RECOMMENDERS)
        ]
        for number, office in enumerate(offices):
            for role in ("recommender.reviewer", "recommender.signatory"):
                person = identity.create_user(session, authority, f"{role}.{number}", f"某人{number}")
                identity.add_membership(session, person, office, role)
        for number in range(self.bases):
            host = identity.create_organisation(session, authority, f"host{number}", "university", f"虚构大学{number}")
            for role in ("applicant.liaison", "applicant.director"):
                person = identity.create_user(session, authority, f"{role}.{number}", f"某人{number}")
                identity.add_membership(session, person, host, role)
            self._base(session, host, offices[number % RECOMMENDERS], number)

    def _base(self, session: Session, host: Organisation, office: Organisation, number: int) -> None:
        base = Base(
            authority_id=host.authority_id,
            number=f"DB2010{number:03d}",
            name=f"虚构基地{number}",
            type=("DB", "JC", "TT", "IP")[number % 4],
            host_id=host.id,
            region="山东省",
            accredited_on=date(2010, 6, 1),
            accredited_under="trial",
            fields=[BaseField(code=list(FIELDS)[number % len(FIELDS)], authority_id=host.authority_id)],
        )
        session.add(base)
        session.flush()
        session.add(
            RecommenderLink(
                authority_id=host.authority_id,
                base_id=base.id,
                organisation_id=office.id,
                relation="territory",
                since=date(2010, 6, 1),
            )
        )

    def play(self, year: int) -> None:
        """One year from the call for reports to the last assessment."""
        with clock.travel(datetime(year + 1, 1, 4, 9, tzinfo=clock.CHINA)):
            with self._transaction() as session:
                instances.start(session, "annual_cycle", {}, user=self._person(session, "coop.intake"))
            self._work()
            ends = f"{year + 1}-03-31"
            cycle = {"year": year, "planYear": year + 1, "deadline": ends, "instructions": "请按时报送。"}
            self._each("set_cycle", {"cycle": cycle})
            silent = self._silent()
            for element_id, values in REPORT:
                self._each(element_id, values, besides=silent)
            self._until(datetime(year + 1, 4, 1, 9, tzinfo=clock.CHINA))
            self._each("close_cycle", {"cycleClosing": {"result": "close"}})
            for element_id, values in ASSESSMENT:
                self._each(element_id, values)
            self._leave(silent)

    def results(self, year: int) -> dict[str, int]:
        """How many reports and results of a year the register holds, by status."""
        with self.database.transaction(readonly=True) as session:
            reports = session.execute(
                select(AnnualReport.status, func.count()).where(AnnualReport.year == year).group_by(AnnualReport.status)
            )
            results = session.execute(
                select(AnnualResult.result, func.count()).where(AnnualResult.year == year).group_by(AnnualResult.result)
            )
            return {status: count for rows in (reports, results) for status, count in rows}

    def cases(self, process_id: str) -> dict[str | None, int]:
        """How many cases of a process came to which end."""
        with self.database.transaction(readonly=True) as session:
            rows = session.execute(
                select(Instance.end_event, func.count())
                .where(Instance.process_id == process_id)
                .group_by(Instance.end_event)
            )
            return {end: count for end, count in rows}  # noqa: C416 (rows are no pairs to mypy)

    def size(self) -> int:
        """The bytes of the database, without what a check point or a vacuum would give back."""
        with self.database.transaction(readonly=True) as session:
            if self.database.sqlite:
                return int(
                    session.scalar(text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")) or 0
                )
            return int(session.scalar(text("SELECT pg_database_size(current_database())")) or 0)

    def _silent(self) -> set[int]:
        """The cases of the bases that will not report."""
        with self._transaction() as session:
            found = session.scalars(
                select(Instance.id)
                .where(Instance.process_id == "annual_report", Instance.ended_at.is_(None))
                .order_by(Instance.id)
            ).all()
        return set(found[SILENT - 1 :: SILENT])

    def _leave(self, silent: set[int]) -> None:
        """Close the reports nobody will write, so that another year can begin."""
        for instance_id in silent:
            with self._transaction() as session:
                instances.cancel(session, instance_id, user=self._person(session, cast.ADMIN), reason="未报送")
        self._work()

    def _each(self, element_id: str, values: Mapping[str, Any], *, besides: set[int] = frozenset()) -> None:  # type: ignore[assignment]
        """Hand in every open task of an element, and do the jobs that follow."""
        with self._transaction() as session:
            rows = session.execute(
                select(Task.id, Task.instance_id).where(Task.element_id == element_id, Task.status == "open")
            )
            found = [task_id for task_id, instance_id in rows if instance_id not in besides]
        for task_id in found:
            with self._transaction() as session:
                user_id = self._for(session, session.get_one(Task, task_id)).id
            began, cpu = time.perf_counter(), time.process_time()
            with self._transaction() as session:
                user = session.get_one(User, user_id)
                form = task_forms.of_task(session, task_id, user=user)
                tasks.complete(session, task_id, _over(dict(form.values) if form else {}, values), user=user)
            self.cpu[element_id].append(time.process_time() - cpu)
            self.seconds[element_id].append(time.perf_counter() - began)
        self._work()

    def _for(self, session: Session, task: Task) -> User:
        if task.assignee_id is not None:
            return session.get_one(User, task.assignee_id)
        return session.scalars(
            select(User)
            .join(Membership, Membership.user_id == User.id)
            .join(
                TaskCandidate,
                (TaskCandidate.organisation_id == Membership.organisation_id) & (TaskCandidate.role == Membership.role),
            )
            .where(TaskCandidate.task_id == task.id)
            .limit(1)
        ).one()

    def _until(self, moment: datetime) -> None:
        self._work()
        clock.advance(moment - clock.now())
        self._work()

    def _work(self) -> None:
        began, cpu = time.perf_counter(), time.process_time()
        while done := self.worker.run_due(limit=50):
            self.jobs += done
        self.job_seconds += time.perf_counter() - began
        self.job_cpu += time.process_time() - cpu

    def _person(self, session: Session, username: str) -> User:
        return session.scalars(select(User).where(User.username == username)).one()

    def _transaction(self) -> Any:
        return self.worker.transaction()


def _over(shown: dict[str, Any], typed: Mapping[str, Any]) -> dict[str, Any]:
    """The form as it opened with what was typed over it; every score is full."""
    merged = {**shown}
    for name, value in typed.items():
        merged[name] = {**(shown.get(name) or {}), **value}
    if "yearlyReview" in merged:
        scores = [{**one, "score": one["full"]} for one in merged["yearlyReview"]["scores"]]
        merged["yearlyReview"] = {**merged["yearlyReview"], "scores": scores}
    return merged

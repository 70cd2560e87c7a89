"""A few running applications, played by the demo accounts with the real commands and jobs."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from service import clock
from service.commands.cases import instances
from service.commands.inbox import attachments, tasks
from service.config import Settings
from service.db import Database
from service.models import Instance, ProcessDefinition, Task, User
from service.storage import Folder
from service.worker import Worker

PROCESS = "demonstration_base"
PROOF = b"%PDF-1.7\n% fictional evidence of the demonstration\n%%EOF\n"
SAID = "演示内容（虚构）：与德国、日本等国的研究机构长期合作，设有专职机构和稳定队伍，成效显著。"
MOST_STEPS = 60
TEXTS = ("achievements", "needs", "independentConditions", "direction", "team", "goals", "plan", "expansion",
         "outcomes", "talentEffect", "guidingCases")  # fmt: skip
FILES = ("independentFiles", "projectFiles", "dedicatedFiles", "planFiles", "outcomeFiles", "levelFiles")


def load(database: Database, settings: Settings) -> None:
    """Start the applications and bring each to its step, once: where cases run already, nothing is added."""
    with database.transaction(readonly=True) as session:
        if session.scalar(select(Instance.id).limit(1)) is not None:
            return
        deployed = select(ProcessDefinition.id).where(ProcessDefinition.process_id == PROCESS, ProcessDefinition.latest)
        if session.scalar(deployed) is None:
            return
    player = Player(database, settings)
    for applicant, until in (
        ("baihe", None),
        ("hongyan", "score_application"),
        ("yanbei", "check_form"),
        ("jiaozhou", "review_recommendation"),
        ("haidai", "draft_application"),
    ):
        player.play(applicant, until=until)


class Player:
    """Does, as whoever may, every open task of a case until it comes to a certain step."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database, self.settings = database, settings
        self.worker = Worker(database, settings)

    def play(self, applicant: str, *, until: str | None) -> int:
        """Start an application of an institution and bring it to a step, or to its end."""
        with self.database.transaction() as session:
            drafter = self._account(session, f"{applicant}.drafter")
            case_id = instances.start(session, PROCESS, {}, user=drafter).id
        for _ in range(MOST_STEPS):
            self._work()
            with self.database.transaction() as session:
                open_tasks = session.scalars(
                    select(Task).where(Task.instance_id == case_id, Task.status == "open").order_by(Task.id)
                ).all()
                task = next((one for one in open_tasks if one.element_id != until), None)
                if not open_tasks or task is None or (until and any(one.element_id == until for one in open_tasks)):
                    return case_id
                user = self._somebody_for(session, task)
                values = self._values(session, task, user) if user is not None else None
                if user is None or values is None:
                    # Whoever redraws a procedure need not teach the demonstration its new steps.
                    return case_id
                tasks.complete(session, task.id, values, user=user)
        return case_id

    def _work(self) -> None:
        while self.worker.run_due():
            pass

    def _account(self, session: Any, username: str) -> User:
        found: User = session.scalars(select(User).where(User.username == username)).one()
        return found

    def _somebody_for(self, session: Any, task: Task) -> User | None:
        """Whoever the task is assigned or offered to, if anybody."""
        if task.assignee_id is not None:
            return session.get_one(User, task.assignee_id)
        for candidate in task.candidates:
            if candidate.user_id is not None:
                return session.get_one(User, candidate.user_id)
            for user in session.scalars(select(User).where(User.active).order_by(User.id)):
                if any(
                    (one.organisation_id, one.role) == (candidate.organisation_id, candidate.role)
                    for one in user.memberships
                ):
                    return user
        return None

    def _values(self, session: Any, task: Task, user: User) -> dict[str, Any] | None:
        today = clock.today()
        signed = {"signatory": user.name, "signedOn": today.isoformat()}
        if task.element_id == "draft_application":
            return {"application": self._application(session, user)}
        if task.element_id in ("convene_panel", "form_team"):
            return self._team(session, task)
        if task.element_id == "score_application":
            sheet = self._sheet(session, task, "review", "scores", score=17, comment="演示评分依据")
            return {"review": {**sheet, "opinion": SAID, "conclusion": "recommend"}}
        if task.element_id == "record_visit":
            sheet = self._sheet(session, task, "visitRecord", "items", met=True, finding="与材料一致（虚构）")
            record = {"visitedOn": today.isoformat(), "summary": SAID, "conclusion": "pass"}
            return {"visitRecord": {**sheet, **record}}
        answers: dict[str, dict[str, Any]] = {
            "review_internally": {"internalReview": {"result": "pass"}},
            "sign_application": {"applicantSignature": {"result": "signed", **signed}},
            "review_recommendation": {"recommendationReview": {"result": "recommend", "support": SAID}},
            "sign_recommendation": {
                "recommendation": {"result": "signed", "opinion": SAID, "number": "虚构函〔演示〕1号", **signed}
            },
            "check_form": {"formalVerdict": {"result": "complete"}},
            "declare_interest": {"declaration": {"conflict": False}},
            "conclude_panel": {"panelOpinion": {"text": SAID, "conclusion": "recommend"}},
            "confirm_visit": {"visitConfirmation": {"result": "confirmed", "contact": "演示联系人"}},
            "approve_record": {"visitApproval": {"result": "accept"}},
            "report_layout": {
                "layoutReport": {"layout": SAID, "situation": SAID, "evaluation": SAID, "proposal": "approve"}
            },
            "decide": {"decision": {"result": "approve", "reason": SAID}},
            "sign_document": {"signature": {"signed": True, **signed}},
            "give_plaque": {
                "plaque": {"inscription": "示范型国际科技合作基地", "givenOn": today.isoformat(), "receiver": "演示"}
            },
            "invite_alliance": {"invitation": {"text": "诚邀加入国合基地联盟（演示）。", "sent": True}},
        }
        return answers.get(task.element_id)

    def _variables(self, session: Any, task: Task) -> dict[str, Any]:
        administrator = self._account(session, "platform.admin")
        return instances.variables(session, administrator, task.instance_id, token=task.token)

    def _team(self, session: Any, task: Task) -> dict[str, Any]:
        seen = self._variables(session, task)
        names = [one["user"] for one in seen["expertCandidates"]]
        if task.element_id == "convene_panel":
            chosen = names[: int(seen["panelRule"]["size"])]
            return {"panelChoice": {"members": chosen, "chair": chosen[0]}}
        chosen = names[: int(seen["assessmentRule"]["teamSize"])]
        plan = {"leader": chosen[0], "place": "申报单位（虚构）", "agenda": "听取汇报、查看现场、座谈"}
        visit_on = (clock.today() + timedelta(days=7)).isoformat()
        return {"visitPlan": {"members": chosen, "visitOn": visit_on, **plan}}

    def _sheet(self, session: Any, task: Task, variable: str, rows: str, **filled: Any) -> dict[str, Any]:
        """The rows a form is prefilled with, filled in; no score above what a row allows."""
        given: Iterable[dict[str, Any]] = self._variables(session, task)[variable][rows]
        answers = [{**row, **filled} for row in given]
        for row in answers:
            if "score" in row:
                row["score"] = min(row["score"], row["full"])
        return {rows: answers}

    def _application(self, session: Any, user: User) -> dict[str, Any]:
        organisation = user.memberships[0].organisation
        short = organisation.name.removesuffix("（虚构）")
        store = Folder(self.settings.files)
        proof = attachments.add(session, store, io.BytesIO(PROOF), "证明材料（虚构）.pdf", user=user)
        files = [{"id": proof.id, "name": proof.name, "size": proof.size}]
        year = clock.today().year
        return {
            "uscc": organisation.uscc,
            "baseName": f"{short}示范基地（虚构）",
            "fields": ["energy", "environment"],
            "directorName": "演示主任",
            "directorTitle": "教授",
            "contactName": "演示联络人",
            "contactPhone": "010-00000000",
            "contactEmail": f"{user.username}@guohe.invalid",
            **dict.fromkeys(TEXTS, SAID),
            **dict.fromkeys(FILES, files),
            "projects": [
                {
                    "name": "清洁能源联合研究（虚构）", "number": f"D{year - 1}-1", "programme": "intergovernmental",
                    "level": "national", "status": "ongoing", "partner": "外方研究所（虚构）", "country": "德国",
                    "funding": 300, "startsOn": f"{year - 1}-01-01", "endsOn": f"{year + 1}-12-31",
                }
            ],
            "outlineField": "energy",
            "teamSize": 18,
            "channels": [{"partner": "外方研究所（虚构）", "country": "德国", "sinceYear": year - 8, "form": "共建"}],
            "funds": [{"source": "自筹", "amount": 200, "period": f"{year - 1}—{year + 2}"}],
            "dedicatedBody": "国际合作处",
            "dedicatedStaff": 4,
            "level": "international",
            "guidingScopes": ["field", "region"],
            "pledge": True,
        }  # fmt: skip

"""A case whose service tasks the tests do by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from service import config, handlers
from service.config import Settings
from service.models import CaseParty, Deployment, DeploymentFile, Instance, ProcessDefinition

NOW = datetime(2026, 3, 16, 2, 0, tzinfo=UTC)
TEMPLATES = Path(__file__).parents[2] / "processes" / "issue_accreditation" / "templates"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return config.read({"GUOHE_DATA": str(tmp_path / "var"), "GUOHE_DEMO": "1"})


@pytest.fixture
def applicant(session, people):
    return people.organisation(
        "uni", name="虚构大学", region="山东", uscc="91370000MA00000001", registered_on=datetime(2001, 2, 3).date()
    )


@pytest.fixture
def instance(session: Session, people, applicant) -> Instance:
    return make_instance(session, applicant, "DB-2026-0001")


def make_instance(session: Session, applicant, number: str, **parties: Any) -> Instance:
    """A case on a deployment that holds nothing but the document templates."""
    deployment = session.query(Deployment).first()
    if deployment is None:
        files = [DeploymentFile(path=path.name, content=path.read_bytes()) for path in sorted(TEMPLATES.glob("*.docx"))]
        deployment = Deployment(
            authority_id=applicant.authority_id, bundle_hash="templates", version=1, created_at=NOW, files=files
        )
        session.add(deployment)
        session.flush()
        session.add(
            ProcessDefinition(
                authority_id=applicant.authority_id, deployment_id=deployment.id, process_id="p", name="p", version=1,
                latest=True, path="p.bpmn",
            )
        )  # fmt: skip
        session.flush()
    instance = Instance(
        authority_id=applicant.authority_id,
        definition_id=session.query(ProcessDefinition.id).scalar(),
        deployment_id=deployment.id,
        process_id="p",
        number=number,
        title="虚构案件",
        started_at=NOW,
        updated_at=NOW,
        parties=[
            CaseParty(party=party, organisation_id=one.id) for party, one in {"applicant": applicant, **parties}.items()
        ],
    )
    session.add(instance)
    session.flush()
    return instance


@pytest.fixture
def work(session: Session, instance: Instance, settings: Settings) -> Callable[..., dict[str, Any]]:
    """Do a service task: ``work("check_ban", applicant={...})``; headers in ``headers``."""

    def run(
        topic: str,
        headers: dict[str, str] | None = None,
        key: str = "job-1",
        of: Instance = instance,
        **variables: Any,
    ) -> dict[str, Any]:
        job = handlers.JobContext(
            id=1,
            key=key,
            topic=topic,
            headers=headers or {},
            variables={"parties": {"applicant": "uni"}, **variables},
            instance_id=of.id,
            now=NOW,
            settings=settings,
        )
        result = dict(handlers.find(topic).function(session, job) or {})
        session.flush()
        return result

    return run

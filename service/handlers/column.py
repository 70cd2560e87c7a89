"""Put things into the public column. What is put there everybody reads, so nothing else of the case goes with it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from service.commands.bases import column

from . import case
from .registry import JobContext, topic


@topic("publish_notice")
def publish_notice(session: Session, job: JobContext) -> dict[str, Any]:
    """Post a public notice with its period."""
    text = case.text(job, "noticeText")
    first, last = case.text(job, "noticeFrom", None), case.text(job, "noticeUntil", None)
    if first and last:
        text = f"{text}\n\n公示期：{first[:10]} 至 {last[:10]}。"
    article = column.publish_article(
        session,
        authority_id=case.instance_of(session, job).authority_id,
        section="notices",
        title=case.text(job, "noticeTitle"),
        body=text,
        instance_id=job.instance_id,
    )
    return {"noticeArticle": {"id": article.id}}


@topic("publish_column")
def publish_column(session: Session, job: JobContext) -> dict[str, Any]:
    """Publish an article in a section of the column."""
    article = column.publish_article(
        session,
        authority_id=case.instance_of(session, job).authority_id,
        section=case.header(job, "section"),
        title=case.text(job, "articleTitle"),
        body=case.text(job, "articleText", ""),
        base=case.base(session, job) if case.value(job, "base", None) else None,
        document=case.document(session, job),
        instance_id=job.instance_id,
    )
    return {"article": {"id": article.id}}

"""The audit chain: acts are sealed into it, anchored, and checked – with or without a database.

Acts are written as history rows by every command, in its own transaction. Sealing appends them to the chain: the
worker does it every few seconds, repairs do it at once. So a completion never waits for the end of one long chain,
and what counts is in it seconds later.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import exists, func, insert, or_, select
from sqlalchemy.orm import Session

from service import clock
from service.commands.cases.difference import table_of
from service.models import AuditAnchor, AuditHead, AuditRecord, Event, Instance, Task, User

GENESIS = "0" * 64
ANCHORS = "audit-anchors.jsonl"
SETTLED = timedelta(minutes=10)
"""Transactions that wrote an event are over after this; the search for unsealed ones begins there."""
ANCHOR_EVERY = timedelta(hours=1)
ANCHOR_RECORDS = 1000
OF_THE_PROGRAM = frozenset({"healed", "fired", "worked", "received", "ended", "incident", "released", "anonymised"})
"""What the program does by itself and must answer for."""
NOISE = frozenset({"entered", "left", "cancelled", "flow", "variables", "decision", "message", "escalated"})
"""How tokens walk: history, not acts."""


def seal(session: Session, *, limit: int = 2000) -> int:
    """Append what has happened since to the chain; how many records that made."""
    head = _head(session)
    settled = clock.now() - SETTLED
    sealed = exists().where(AuditRecord.event_id == Event.id)
    acts = or_(Event.instance_id.is_(None), Event.user_id.is_not(None), Event.kind.in_(OF_THE_PROGRAM))
    rows = session.execute(
        select(Event, User.username, User.name, Instance.number, Task.submitted)
        .outerjoin(User, User.id == Event.user_id)
        .outerjoin(Instance, Instance.id == Event.instance_id)
        .outerjoin(Task, Task.id == Event.task_id)
        .where(Event.id > head.event_id, ~sealed, acts, Event.kind.not_in(NOISE))
        .order_by(Event.id)
        .limit(limit)
    ).all()
    records = []
    for event, username, name, number, submitted in rows:
        content = canonical(_content(event, username, name, number, submitted))
        record = {
            "seq": head.seq + 1,
            "authority_id": event.authority_id,
            "event_id": event.id,
            "at": event.at,
            "kind": event.kind,
            "actor_id": event.user_id,
            "instance_id": event.instance_id,
            "content": content,
            "digest": hashlib.sha256(content.encode()).hexdigest(),
            "erased_at": None,
        }
        head.seq, head.hash = record["seq"], link(head.hash, record["seq"], record["digest"])
        records.append({**record, "hash": head.hash})
    if records:
        session.execute(insert(table_of(AuditRecord)), records)
    if len(records) == limit:
        last = rows[-1][0]
        if last.at < settled:
            head.event_id = last.id
    else:
        old = session.scalar(select(func.max(Event.id)).where(Event.id > head.event_id, Event.at < settled))
        head.event_id = max(head.event_id, old or 0)
    session.flush()
    return len(records)


def _head(session: Session) -> AuditHead:
    head = session.get(AuditHead, 1, with_for_update=True, populate_existing=True)
    if head is None:
        head = AuditHead(id=1, seq=0, hash=GENESIS, event_id=0)
        session.add(head)
        session.flush()
    return head


def _content(
    event: Event, username: str | None, name: str | None, number: str | None, submitted: Any
) -> dict[str, Any]:
    """Everything a record says, in one order and one spelling."""
    data = dict(event.data or {})
    after = data.pop("after", None)
    if after is None and event.kind == "completed":
        after = submitted
    return {
        "event": event.id,
        "at": event.at.isoformat(),
        "kind": event.kind,
        "authority": event.authority_id,
        "actor": {"id": event.user_id, "username": username, "name": name} if event.user_id else None,
        "on_behalf_of": data.pop("on_behalf_of", None),
        "instance": event.instance_id,
        "number": number,
        "process": event.process_id,
        "element": event.element_id,
        "element_name": event.element_name,
        "token": event.token,
        "task": event.task_id,
        "reason": data.pop("reason", None),
        "before": data.pop("before", None),
        "after": after,
        "data": data,
    }


def canonical(value: Any) -> str:
    """JSON in one spelling."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def link(previous: str, seq: int, digest: str) -> str:
    """The hash of a record: of the one before it, its number and its content."""
    return hashlib.sha256(f"{previous}|{seq}|{digest}".encode()).hexdigest()


# Anchors


def anchor_if_due(session: Session, key: str, *, force: bool = False) -> AuditAnchor | None:
    """Sign the end of the chain, once an hour or every thousand records, where it has grown."""
    head = session.get(AuditHead, 1)
    if head is None or head.seq == 0:
        return None
    last = session.scalars(select(AuditAnchor).order_by(AuditAnchor.seq.desc()).limit(1)).first()
    now = clock.now()
    if last is not None:
        grown = head.seq - last.seq
        due = force or now - last.at >= ANCHOR_EVERY or grown >= ANCHOR_RECORDS
        if grown <= 0 or not due:
            return None
    anchor = AuditAnchor(seq=head.seq, hash=head.hash, at=now, signature=sign(key, head.seq, head.hash, now))
    session.add(anchor)
    session.flush()
    return anchor


def sign(key: str, seq: int, hash: str, at: datetime) -> str:
    """What only somebody with the key of this installation can have written."""
    return hmac.new(key.encode(), f"{seq}|{hash}|{at.isoformat()}".encode(), hashlib.sha256).hexdigest()


def copy_anchors(session: Session, path: Path) -> int:
    """Append committed anchors to a file outside the database; how many were new."""
    last = 0
    if path.exists():
        lines = path.read_text(encoding="utf-8").split()
        last = json.loads(lines[-1])["seq"] if lines else 0
    new = session.scalars(select(AuditAnchor).where(AuditAnchor.seq > last).order_by(AuditAnchor.seq)).all()
    if new:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            for one in new:
                file.write(canonical(anchor_line(one)) + "\n")
            file.flush()
            os.fsync(file.fileno())
    return len(new)


def anchor_line(anchor: AuditAnchor) -> dict[str, Any]:
    """An anchor as it stands in a file."""
    return {"seq": anchor.seq, "hash": anchor.hash, "at": anchor.at.isoformat(), "signature": anchor.signature}


# Checking


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the log came to. ``seq`` is the first record that is not as it was written."""

    records: int
    anchors: int
    erased: int = 0
    seq: int | None = None
    zh: str = ""
    en: str = ""

    @property
    def ok(self) -> bool:
        """True where every record is as it was written and none is missing."""
        return self.seq is None


def verify(
    records: Iterable[Mapping[str, Any]],
    anchors: Iterable[Mapping[str, Any]] = (),
    *,
    key: str | None = None,
    head: tuple[int, str] | None = None,
) -> Verdict:
    """Check a log in the order of its numbers. Needs no database: ``records`` may come from an export.

    A record has ``seq``, ``content`` (None where erased), ``digest`` and ``hash``. Anchors say which hash the
    chain had at a number; ``head`` is where it should end.
    """
    known = {anchor["seq"]: anchor for anchor in anchors}
    for anchor in known.values():
        at = datetime.fromisoformat(anchor["at"])
        if key is not None and not hmac.compare_digest(
            sign(key, anchor["seq"], anchor["hash"], at), str(anchor["signature"])
        ):
            return Verdict(
                0, len(known), 0, anchor["seq"], f"第 {anchor['seq']} 条处的锚点签名无效。",
                f"The anchor at record {anchor['seq']} is not signed by this installation.",
            )  # fmt: skip
    previous, seq, erased = GENESIS, 0, 0
    for record in records:
        seq += 1
        wrong = _wrong(record, seq, previous, known.get(seq))
        if wrong is not None:
            return Verdict(seq - 1, len(known), erased, seq, *wrong)
        erased += record.get("content") is None
        previous = record["hash"]
    last = max([*known, head[0] if head else 0], default=0)
    if last > seq:
        return Verdict(
            seq, len(known), erased, seq + 1, f"第 {seq + 1} 条起的记录缺失：日志应至少有 {last} 条。",
            f"Records from {seq + 1} on are missing: there should be at least {last}.",
        )  # fmt: skip
    if head is not None and head != (seq, previous):
        return Verdict(
            seq, len(known), erased, seq, "日志的末尾与链头不符。", "The end of the log is not where the chain ends."
        )
    return Verdict(seq, len(known), erased)


def _wrong(
    record: Mapping[str, Any], seq: int, previous: str, anchor: Mapping[str, Any] | None
) -> tuple[str, str] | None:
    if record["seq"] != seq:
        return (
            f"第 {seq} 条缺失或顺序被改动（此处是第 {record['seq']} 条）。",
            f"Record {seq} is missing or out of order (found {record['seq']}).",
        )
    content = record.get("content")
    if content is not None and hashlib.sha256(content.encode()).hexdigest() != record["digest"]:
        return f"第 {seq} 条的内容被改动。", f"The content of record {seq} was changed."
    if content is not None and not _agrees(record, content):
        return f"第 {seq} 条的列与内容不符。", f"The columns of record {seq} are not what its content says."
    if link(previous, seq, record["digest"]) != record["hash"]:
        return f"第 {seq} 条与前一条不衔接。", f"Record {seq} does not follow from the one before it."
    if anchor is not None and anchor["hash"] != record["hash"]:
        return (
            f"第 {seq} 条与当时的锚点不符：此条或更早的记录被重写。",
            f"Record {seq} is not what was anchored: it or an earlier one was rewritten.",
        )
    return None


def _agrees(record: Mapping[str, Any], content: str) -> bool:
    try:
        said = json.loads(content)
        actor = (said["actor"] or {}).get("id")
        pairs = {"kind": said["kind"], "actor_id": actor, "instance_id": said["instance"], "event_id": said["event"]}
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return all(name not in record or record[name] == value for name, value in pairs.items())


def read(session: Session, *, chunk: int = 1000) -> Iterator[dict[str, Any]]:
    """The whole log from the database, in order."""
    after = 0
    while True:
        rows = session.scalars(
            select(AuditRecord).where(AuditRecord.seq > after).order_by(AuditRecord.seq).limit(chunk)
        ).all()
        for row in rows:
            yield line(row)
        if len(rows) < chunk:
            return
        after = rows[-1].seq
        session.expunge_all()


def line(row: AuditRecord) -> dict[str, Any]:
    """A record as it stands in an export."""
    return {
        "seq": row.seq,
        "event_id": row.event_id,
        "at": row.at.isoformat(),
        "kind": row.kind,
        "actor_id": row.actor_id,
        "instance_id": row.instance_id,
        "content": row.content,
        "digest": row.digest,
        "hash": row.hash,
    }


def check(session: Session, *, key: str | None = None, copies: Path | None = None) -> Verdict:
    """Check the log of this database against its head, its anchors and their copies outside."""
    anchors = {one.seq: anchor_line(one) for one in session.scalars(select(AuditAnchor))}
    if copies is not None and copies.exists():
        for text in copies.read_text(encoding="utf-8").splitlines():
            if text.strip():
                copy = json.loads(text)
                anchors[copy["seq"]] = copy  # the copy counts: nobody who owns the database could reach it
    head = session.get(AuditHead, 1)
    verdict = verify(read(session), anchors.values(), key=key, head=(head.seq, head.hash) if head else None)
    if not verdict.ok:
        return verdict
    changed = _changed_history(session)
    if changed is not None:
        return Verdict(
            verdict.records, verdict.anchors, verdict.erased, changed,
            f"第 {changed} 条所对应的历史记录已被改动或删除。",
            f"The history row that record {changed} speaks of was changed or deleted.",
        )  # fmt: skip
    return verdict


def _changed_history(session: Session, *, chunk: int = 1000) -> int | None:
    """The first record whose history row no longer says the same. Rows of deleted cases are gone by rule."""
    after = 0
    while True:
        rows = session.execute(
            select(AuditRecord, Event, Instance.id)
            .outerjoin(Event, Event.id == AuditRecord.event_id)
            .outerjoin(Instance, Instance.id == AuditRecord.instance_id)
            .where(AuditRecord.seq > after)
            .order_by(AuditRecord.seq)
            .limit(chunk)
        ).all()
        for record, event, instance_id in rows:
            if record.content is None:
                continue
            if event is None:
                if instance_id is None and record.instance_id is not None:
                    continue
                return int(record.seq)
            said = json.loads(record.content)
            data = dict(event.data or {})
            same = (
                (said["kind"], said["at"]) == (event.kind, event.at.isoformat())
                and (said["actor"] or {}).get("id") == event.user_id
                and canonical(said["reason"]) == canonical(data.get("reason"))
                and all(canonical(data.get(name)) == canonical(value) for name, value in said["data"].items())
            )
            if not same:
                return int(record.seq)
        if len(rows) < chunk:
            return None
        after = rows[-1][0].seq
        session.expunge_all()


def erase(session: Session, instance_id: int) -> int:
    """Forget what the log says of a case, but not that it happened: the digests stay, so the chain does."""
    now = clock.now()
    records = session.scalars(
        select(AuditRecord).where(AuditRecord.instance_id == instance_id, AuditRecord.content.is_not(None))
    ).all()
    for record in records:
        record.content, record.erased_at = None, now
    session.flush()
    return len(records)

"""What a worker does besides jobs: it says that it lives, checks that nothing stalls, seals the log, works off batches.

Every step is a transaction of its own and may be missed once; the next round does it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, errors, tracing
from service.commands.administration import audit, batches, liveness, retention, senders, symptoms, webhooks
from service.commands.cases import instances
from service.commands.cases.causes import LIVE, Suspicion, sentence
from service.commands.inbox import exports
from service.commands.people import telling
from service.config import Settings
from service.db import Database
from service.models import Authority
from service.queries import liveness as rows
from service.storage import Folder

log = logging.getLogger(__name__)

CHECK_EVERY = 15.0
SEAL_EVERY = 5.0
DIAGNOSE_EVERY = 30.0
LEARN_EVERY = 3600.0
SPREAD_EVERY = 5.0
TELL_EVERY = 60.0
MOST = 2000
"""So many states are read in one check at most; the rest come in the next."""


@dataclass(slots=True)
class Checked:
    """What a self-check came to."""

    examined: int = 0
    healed: list[tuple[int, Suspicion]] = field(default_factory=list)
    reported: list[tuple[int, Suspicion]] = field(default_factory=list)
    opened: int = 0
    closed: int = 0
    seconds: float = 0.0


class Upkeep:
    """The housekeeping of one worker. ``ticks`` are the seconds that decide when something is due again."""

    def __init__(
        self, database: Database, settings: Settings, name: str, *, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self.database, self.settings, self.name, self._ticks = database, settings, name, ticks
        self.started_at = clock.now()
        self._last: dict[str, float] = defaultdict(lambda: float("-inf"))
        self._skewed = False

    def round(self) -> None:
        """Do what is due; what cannot be done now is put off until the next round."""
        for act, every in (
            (self.beat, rows.BEATS.total_seconds()),
            (self.seal, SEAL_EVERY),
            (self.check, CHECK_EVERY),
            (self.diagnose, DIAGNOSE_EVERY),
            (self.learn, LEARN_EVERY),
            (self.work, 0.0),
            (self.spread, SPREAD_EVERY),
            (self.tell, TELL_EVERY),
        ):
            if self._ticks() - self._last[act.__name__] >= every:
                self._last[act.__name__] = self._ticks()
                try:
                    with tracing.span(f"upkeep {act.__name__}", worker=self.name):
                        act()
                except errors.ServiceError as error:
                    log.warning("upkeep: %s is put off: %s", act.__name__, error)

    def serve(self, stop: threading.Event) -> None:
        """Keep at it until told to stop."""
        while not stop.is_set():
            try:
                self.round()
            except Exception:
                log.exception("a round of the upkeep failed; the next one tries again")
            stop.wait(1.0)

    def beat(self) -> None:
        """Say that this worker lives."""
        with self.database.transaction() as session:
            skew = liveness.beat(session, self.name, started_at=self.started_at)
        if abs(skew) > rows.SKEW.total_seconds() and not self._skewed:
            log.error("the clock is %.1f s away from the database's; deadlines will be wrong", skew)
        self._skewed = abs(skew) > rows.SKEW.total_seconds()

    def seal(self) -> None:
        """Append new acts to the audit chain, and anchor it now and then."""
        with self.database.transaction() as session:
            audit.seal(session)
            audit.anchor_if_due(session, self.settings.secret_key)
        with self.database.transaction(readonly=True) as session:
            audit.copy_anchors(session, self.settings.data / audit.ANCHORS)

    def check(self) -> Checked:
        """Hold states, rows and jobs against each other."""
        began, result = time.perf_counter(), Checked()
        suspects, damaged = self._suspects()
        for instance_id in suspects:
            with self.database.transaction() as session:
                examined = liveness.examine(session, instance_id, damaged=damaged)
            result.examined += 1
            result.healed += [(instance_id, one) for one in examined.healed]
            result.reported += [(instance_id, one) for one in examined.reported]
        self._report(result)
        for instance_id, one in result.healed:
            log.warning("case %s: %s", instance_id, sentence(one)[1])
        result.seconds = time.perf_counter() - began
        return result

    def _suspects(self) -> tuple[list[int], set[int]]:
        """The cases to be read: changed, with other rows than their state asks for, or with damaged bytes."""
        with self.database.transaction(readonly=True) as session:
            found = dict.fromkeys(rows.suspects(session)[:MOST])
            after = 0
            while part := rows.states(session, after, 2000):
                found.update(dict.fromkeys(liveness.damaged(part)))
                after = part[-1][0]
            damaged = liveness.damaged_bundles(session)
            found.update(dict.fromkeys(liveness.to_read(session, damaged)))
        return list(found), damaged

    def _report(self, result: Checked) -> None:
        """Let the incidents say what the rows say."""
        leavers, wrong = [], set()
        with self.database.transaction(readonly=True) as session:
            for one in rows.findings(session):
                if one.cause == "assignee_left" and one.data.get("others"):
                    leavers.append(one.task_id or 0)
                elif one.cause not in LIVE:
                    wrong.add(one.instance_id)
            wrong |= {found[0] for found in senders.unsendable(session, rows.live_processes(session))}
            wrong |= liveness.standing(session)
        for task_id in leavers:
            with self.database.transaction() as session:
                liveness.release(session, task_id)
        for instance_id in sorted(wrong):
            with self.database.transaction() as session:
                self._report_one(session, instance_id, result)

    def _report_one(self, session: Session, instance_id: int, result: Checked) -> None:
        """Look again, alone with the case: meanwhile somebody may have moved it."""
        instances.lock(session, instance_id)
        now = [_suspicion(one) for one in rows.findings(session, instance_id=instance_id) if one.cause not in LIVE]
        unsaid = senders.unsendable(session, rows.live_processes(session), instance_id=instance_id)
        wrong = now + [one for _, one in unsaid]
        opened, closed = liveness.report(session, instance_id, wrong)
        result.opened, result.closed = result.opened + opened, result.closed + closed
        result.reported += [(instance_id, one) for one in wrong]

    def diagnose(self) -> None:
        """Note what an administrator may want to look at."""
        with self.database.transaction() as session:
            symptoms.diagnose(session)

    def learn(self) -> None:
        """Learn how long steps take, and forget what need not be kept."""
        with self.database.transaction() as session:
            symptoms.learn(session)
        with self.database.transaction() as session:
            retention.anonymise_due(session)
        self.expire()

    def expire(self) -> int:
        """Throw away exported files whose time is over; how many. Rows first: a file without a row harms nobody."""
        with self.database.transaction() as session:
            gone = exports.expire(session)
        for export_id, key in gone:
            if key is not None:
                Folder(self.settings.files).delete(key)
            (self.settings.data / "exports" / f"{export_id}.part").unlink(missing_ok=True)
        return len(gone)

    def spread(self) -> int:
        """Tell webhooks what was sealed since."""
        with self.database.transaction() as session:
            return webhooks.spread(session)

    def tell(self) -> None:
        """Remind of what is due, and send the mails of the morning."""
        with self.database.transaction(readonly=True) as session:
            authorities = session.scalars(select(Authority.id)).all()
        for authority_id in authorities:
            with self.database.transaction() as session:
                telling.remind(session, authority_id, base_url=self.settings.base_url)
            with self.database.transaction() as session:
                telling.announce(session, authority_id, base_url=self.settings.base_url)
        with self.database.transaction() as session:
            telling.digest(session, base_url=self.settings.base_url)

    def work(self, *, seconds: float = 5.0) -> int:
        """Go on with batches for a while; return how many items were done."""
        until, done = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            with self.database.transaction() as session:
                if not batches.step(session):
                    break
            done += 1
        return done


def _suspicion(one: rows.Finding) -> Suspicion:
    return Suspicion(
        one.cause,
        token=one.token,
        process_id=one.process_id,
        element_id=one.element_id,
        element_name=one.element_name,
        task_id=one.task_id,
        job_id=one.job_id,
        details=str(one.data.get("error") or ""),
        data=dict(one.data),
        since=one.since,
    )

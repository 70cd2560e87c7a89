"""The audit chain: every way to tamper with it shows, and exports open again."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from service.cli import guohe
from service.commands.administration import audit, retention
from service.models import AuditAnchor, AuditHead, AuditRecord, Event, Instance, User
from service.queries import audit as reads
from service.queries import mining, spreadsheet
from tests.cockpit.conftest import Cockpit, two_tasks


@pytest.fixture
def log(cockpit: Cockpit) -> Cockpit:
    """A log of some cases, sealed and anchored, with a repair in it."""
    cockpit.office.deploy(two_tasks())
    for _ in range(3):
        case = cockpit.office.start()
        cockpit.office.do(case, "a")
    cockpit.perform(case, "skip", token=cockpit.office.task(cockpit.office.open(case)["b"]).token)
    cockpit.upkeep.seal()
    return cockpit


def verdict(cockpit: Cockpit) -> audit.Verdict:
    settings = cockpit.office.settings
    with cockpit.database.transaction(readonly=True) as session:
        return audit.check(session, key=settings.secret_key, copies=settings.data / audit.ANCHORS)


def last(cockpit: Cockpit) -> int:
    with cockpit.database.transaction(readonly=True) as session:
        return session.scalar(select(func.max(AuditRecord.seq)))


def test_a_log_nobody_touched_is_whole(log):
    found = verdict(log)
    assert found.ok, found
    assert found.records == last(log) > 8
    assert found.anchors == 1


def test_every_act_is_in_it_with_who_why_before_and_after(log):
    with log.database.transaction(readonly=True) as session:
        admin = log.office.fresh(session, log.office.admin)
        by_kind = {one.kind: one for one in reads.sealed(session, admin, limit=200).items}
    repaired = by_kind["repaired"].said
    assert repaired["actor"]["username"] == "admin"
    assert repaired["reason"] == "测试"
    assert repaired["before"]["state"] != repaired["after"]["state"]
    assert [one["name"] for one in repaired["before"]["waits"]] == ["b"]
    assert by_kind["completed"].said["actor"]["username"] == "li"
    assert {"started", "deployed", "completed"} <= set(by_kind)


def test_sealing_twice_makes_no_record_twice(log):
    before = last(log)
    log.upkeep.seal()
    assert last(log) == before


@pytest.mark.parametrize(
    ("tamper", "where"),
    [
        ("UPDATE audit_record SET content = replace(content, '测试', '无事') WHERE content LIKE '%测试%'", "content"),
        ("UPDATE audit_record SET kind = 'claimed' WHERE seq = 5", 5),
        ("UPDATE audit_record SET actor_id = 1 WHERE seq = 5", 5),
        ("DELETE FROM audit_record WHERE seq = 5", 5),
        ("DELETE FROM audit_record WHERE seq = 1", 1),
        ("UPDATE audit_record SET seq = 1000 WHERE seq = 5", 5),
        ("UPDATE audit_record SET hash = 'f' WHERE seq = 5", 5),
        ("UPDATE audit_record SET content = NULL, digest = 'f' WHERE seq = 5", 5),
        ("UPDATE event SET user_id = NULL WHERE kind = 'repaired'", "repaired"),
        ("DELETE FROM event WHERE kind = 'repaired'", "repaired"),
    ],
)
def test_tampering_names_the_first_broken_record(log, tamper, where):
    with log.database.transaction(readonly=True) as session:
        chosen = AuditRecord.content.contains("测试") if where == "content" else AuditRecord.kind == where
        seq = where if isinstance(where, int) else session.scalar(select(func.min(AuditRecord.seq)).where(chosen))
    log.sql(tamper)
    found = verdict(log)
    assert not found.ok
    assert found.seq == seq
    assert str(seq) in found.zh


def test_two_records_in_each_others_place_are_found(log):
    for old, new in ((5, -5), (6, 5), (-5, 6)):
        log.sql("UPDATE audit_record SET seq = :new WHERE seq = :old", old=old, new=new)
    assert verdict(log).seq == 5


def test_an_inserted_record_is_found(log):
    with log.database.transaction() as session:
        one = session.get_one(AuditRecord, last_of(session))
        session.add(
            AuditRecord(
                seq=one.seq + 1, authority_id=one.authority_id, event_id=10**6, at=one.at, kind="claimed",
                content="{}", digest="0", hash="0",
            )
        )  # fmt: skip
    assert verdict(log).seq == last(log)


def last_of(session) -> int:
    return session.scalar(select(func.max(AuditRecord.seq)))


def test_a_removed_tail_is_found_even_with_the_head_moved_back(log):
    end = last(log)
    log.sql("DELETE FROM audit_record WHERE seq > :seq", seq=end - 3)
    assert verdict(log).seq == end - 2
    with log.database.transaction() as session:
        head, row = session.get_one(AuditHead, 1), session.get_one(AuditRecord, end - 3)
        head.seq, head.hash = row.seq, row.hash
        session.query(AuditAnchor).delete()
    found = verdict(log)  # the copy of the anchor outside the database still knows
    assert found.seq == end - 2
    assert "缺失" in found.zh


def test_a_chain_rewritten_from_its_beginning_is_found_by_the_anchor_outside(log):
    with log.database.transaction() as session:
        rows = session.scalars(select(AuditRecord).order_by(AuditRecord.seq)).all()
        previous = audit.GENESIS
        for row in rows:
            if row.seq == 3:
                row.content = row.content.replace("kind", "kind ")
            row.digest = __import__("hashlib").sha256(row.content.encode()).hexdigest()
            row.hash = previous = audit.link(previous, row.seq, row.digest)
        head = session.get_one(AuditHead, 1)
        head.hash = previous
        session.query(AuditAnchor).delete()
    assert not verdict(log).ok


def test_an_anchor_with_a_foreign_signature_is_refused(log):
    log.sql("UPDATE audit_anchor SET signature = 'f'")
    (log.office.settings.data / audit.ANCHORS).unlink()
    assert "签名" in verdict(log).zh


def test_the_log_is_checked_offline_at_the_command_line(log, tmp_path, monkeypatch):
    path = tmp_path / "log.jsonl"
    with log.database.transaction(readonly=True) as session:
        path.write_text("".join(mining.json_lines(audit.read(session))))
    anchors = log.office.settings.data / audit.ANCHORS
    monkeypatch.setenv("DATABASE_URL", "sqlite:////nowhere/at/all.db")
    whole = CliRunner().invoke(guohe, ["audit", "verify", "--file", str(path), "--anchors", str(anchors)])
    assert whole.exit_code == 0, whole.output
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-2]))
    cut = CliRunner().invoke(guohe, ["audit", "verify", "--file", str(path), "--anchors", str(anchors), "--json"])
    assert cut.exit_code == 1
    assert json.loads(cut.output)["first_broken"] == len(lines) - 1


def activities(cockpit: Cockpit) -> list[reads.Activity]:
    with cockpit.database.transaction(readonly=True) as session:
        return list(reads.activities(session, cockpit.office.fresh(session, cockpit.office.admin)))


def test_xes_opens_as_xml_with_a_trace_for_each_case(log):
    tree = ET.fromstring("".join(mining.xes(activities(log))))
    space = "{http://www.xes-standard.org/}"
    traces = tree.findall(f"{space}trace")
    assert len(traces) == 3
    for trace in traces:
        times, names = [], []
        for event in trace.findall(f"{space}event"):
            values = {one.get("key"): one.get("value") for one in event}
            times.append(values["time:timestamp"])
            names.append(values["concept:name"])
            assert values["lifecycle:transition"] == "complete"
        assert times == sorted(times)
        assert "a" in names


def test_ocel_names_only_objects_and_types_that_it_declares(log):
    log_ = json.loads("".join(mining.ocel(activities(log))))
    assert set(log_) == {"events", "objects", "eventTypes", "objectTypes"}
    objects = {one["id"]: one for one in log_["objects"]}
    assert {one["type"] for one in log_["objects"]} <= {one["name"] for one in log_["objectTypes"]}
    assert {one["type"] for one in log_["events"]} == {one["name"] for one in log_["eventTypes"]}
    for event in log_["events"]:
        assert event["time"].endswith("Z")
        assert all(one["objectId"] in objects for one in event["relationships"])
        assert any(one["qualifier"] == "case" for one in event["relationships"])
    assert len({one["id"] for one in log_["events"]}) == len(log_["events"])
    for one in log_["objects"]:
        assert all(other["objectId"] in objects for other in one["relationships"])


def test_csv_keeps_formulas_from_spreadsheets(log):
    with log.database.transaction(readonly=True) as session:
        rows = list(csv.DictReader(io.StringIO("".join(mining.csv_lines(audit.read(session))).lstrip("\ufeff"))))
    assert len(rows) == last(log)
    assert spreadsheet.harmless("=1+1") == "'=1+1"


def test_forgetting_a_case_keeps_the_chain_whole(log):
    case = log.office.rows(Instance)[-1].id
    with log.database.transaction() as session:
        retention.forget(session, case, user=log.office.fresh(session, log.office.admin), reason="到期")
    found = verdict(log)
    assert found.ok, found
    assert found.erased > 0
    assert all(
        "测试" not in json.dumps(one.data, ensure_ascii=False) for one in log.office.rows(Event, instance_id=case)
    )
    assert log.office.variables(case).keys() <= {"caseNumber", "profile", "parties"}


def test_a_case_that_runs_is_not_forgotten(log):
    from service import errors

    case = log.office.start()
    with pytest.raises(errors.Conflict), log.database.transaction() as session:
        retention.forget(session, case, user=session.get_one(User, log.office.admin.id), reason="x")


def test_pm4py_reads_the_exports_back(log, tmp_path):
    """A process-mining tool of the field sees the cases, steps, people and organisations that there were."""
    import pm4py

    done = activities(log)
    cases, steps = {one.number for one in done}, [one.activity for one in done]
    (tmp_path / "log.xes").write_text("".join(mining.xes(done)))
    frame = pm4py.read_xes(str(tmp_path / "log.xes"), variant="iterparse", return_legacy_log_object=False)
    assert set(frame["case:concept:name"]) == cases
    assert sorted(frame["concept:name"]) == sorted(steps)
    starts, ends = pm4py.get_start_activities(frame), pm4py.get_end_activities(frame)
    assert sum(starts.values()) == sum(ends.values()) == len(cases)
    net, initial, final = pm4py.discover_petri_net_inductive(frame)
    assert pm4py.fitness_token_based_replay(frame, net, initial, final)["log_fitness"] == pytest.approx(1.0)

    (tmp_path / "log.jsonocel").write_text("".join(mining.ocel(done)))
    objects = pm4py.read_ocel2_json(str(tmp_path / "log.jsonocel"))
    assert len(objects.events) == len(steps)
    assert sorted(objects.events["ocel:activity"]) == sorted(steps)
    assert {"case"} <= set(pm4py.ocel_get_object_types(objects))
    flat = pm4py.ocel_flattening(objects, "case")
    assert flat["case:concept:name"].nunique() == len(cases)

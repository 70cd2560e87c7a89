"""The cockpit's pages, without scripts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from service.models import Instance, Repair
from tests.cockpit.conftest import two_tasks
from tests.cockpit.test_faults import ask_and_answer
from tests.cockpit.test_injection import inner, rich
from tests.web.conftest import Browser, app, browser, settings, text

__all__ = ["app", "browser", "settings"]

HOWTO = Path(__file__).resolve().parents[2] / "docs" / "howto"


@pytest.fixture
def stuck(cockpit):
    """A case whose role is empty, seen by the self-check, and a healthy one."""
    cockpit.office.deploy(two_tasks())
    case = cockpit.office.start()
    for person in (cockpit.office.li, cockpit.office.zhao):
        cockpit.sql('UPDATE "user" SET active = :no WHERE id = :id', id=person.id, no=False)
    cockpit.check()
    cockpit.upkeep.diagnose()
    return case


PAGES = ["", "monitor", "heat", "batches", "batches/new", "migration", "audit", "policy"]


@pytest.mark.parametrize("path", PAGES)
def test_each_page_opens_for_administrators_and_nobody_else(browser, stuck, path):
    assert browser("admin").get(f"/cockpit/{path}").status_code == 200
    assert browser("wang").get(f"/cockpit/{path}").status_code == 403
    assert Browser(browser("admin").client.application).get(f"/cockpit/{path}").status_code in (302, 303, 401)


def test_the_stuck_page_groups_by_cause_and_leads_to_why(browser, stuck, office):
    page = browser("admin").get("/cockpit/")
    assert "角色无人担任" in text(page)
    assert office.instance(stuck).number in text(page)
    why = browser("admin").get(f"/cockpit/cases/{stuck}")
    assert "目前无人担任" in text(why)
    assert "改派任务" in text(why)


def test_a_repair_is_previewed_then_done_then_undone(browser, stuck, office):
    admin = browser("admin")
    token = office.task(office.open(stuck)["a"]).token
    version = office.instance(stuck).version
    page = admin.post(f"/cockpit/cases/{stuck}/repair/skip/preview", token=token, variables="")
    assert page.status_code == 200
    assert "预演结果" in text(page)
    assert office.instance(stuck).version == version
    assert set(office.open(stuck)) == {"a"}
    refused = admin.post(f"/cockpit/cases/{stuck}/repair/skip", token=token, variables="", version=version)
    assert refused.status_code == 422
    assert "请说明理由" in text(refused)
    done = admin.post(f"/cockpit/cases/{stuck}/repair/skip", token=token, variables="", version=version, reason="无人")
    assert done.status_code == 303
    assert set(office.open(stuck)) == {"b"}
    repair = office.rows(Repair)[0]
    undone = admin.post(f"/cockpit/repairs/{repair.id}/undo", reason="弄错了")
    assert undone.status_code == 303
    assert set(office.open(stuck)) == {"a"}
    assert "已撤销" in text(admin.get(f"/cockpit/cases/{stuck}"))


def test_a_repair_of_a_case_that_has_moved_is_refused(browser, stuck, office):
    admin = browser("admin")
    token = office.task(office.open(stuck)["a"]).token
    answer = admin.post(f"/cockpit/cases/{stuck}/repair/skip", token=token, variables="", version=1, reason="x")
    assert answer.status_code == 409
    assert "重新预演" in text(answer) or "重新预览" in text(answer)


def test_wrong_json_is_said_at_the_form(browser, stuck):
    answer = browser("admin").post(f"/cockpit/cases/{stuck}/repair/variables/preview", variables="{nonsense")
    assert answer.status_code == 422
    assert "JSON" in text(answer)


def test_a_batch_is_chosen_looked_at_begun_and_worked_off(browser, stuck, office, cockpit):
    admin = browser("admin")
    looked = admin.post("/cockpit/batches/preview", kind="skip", cause="no_member", element="a")
    assert "可行 1" in text(looked)
    begun = admin.post("/cockpit/batches", kind="skip", cause="no_member", element="a", reason="无人办理")
    assert begun.status_code == 303
    cockpit.upkeep.work()
    assert set(office.open(stuck)) == {"b"}
    assert "完成 1" in text(admin.get(begun.headers["Location"]))
    everything = admin.post("/cockpit/batches", kind="skip", reason="x")
    assert everything.status_code == 422
    nothing = admin.post("/cockpit/batches", kind="skip", cause="no_such", reason="x")
    assert nothing.status_code == 422


def test_views_are_kept_and_removed(browser, stuck):
    admin = browser("admin")
    admin.post("/cockpit/views", name="我的", cause="no_member")
    assert "我的" in text(admin.get("/cockpit/"))


def test_policy_asks_for_a_second_person(browser, stuck, office, people):
    people.user("second", "platform.admin")
    admin = browser("admin")
    saved = admin.post("/cockpit/policy", second_approver=["terminate"], untouched_days=10, loops=3, overload=5)
    assert saved.status_code == 303
    done = admin.post(f"/cockpit/cases/{stuck}/repair/terminate", version=office.instance(stuck).version, reason="错案")
    assert done.status_code == 303
    assert office.instance(stuck).status != "terminated"
    repair = office.rows(Repair)[0]
    assert admin.post(f"/cockpit/repairs/{repair.id}/approve").status_code == 403
    assert browser("second").post(f"/cockpit/repairs/{repair.id}/approve").status_code == 303
    assert office.instance(stuck).status == "terminated"


def test_metrics_are_read_by_a_prometheus_parser(browser, stuck):
    client = browser(None).client
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert json.loads(ready.data)["checks"]["database"] == "ok"
    answer = client.get("/metrics")
    families = {one.name: one for one in text_string_to_metric_families(answer.text)}
    causes = {sample.labels["cause"]: sample.value for sample in families["guohe_incidents_open"].samples}
    assert causes == {"no_member": 1}
    assert [sample.value for sample in families["guohe_tasks_open"].samples] == [1]
    assert "guohe_request_seconds" in families
    assert client.get("/metrics", headers={"X-Forwarded-For": "1.2.3.4"}).status_code == 403


def test_diagrams_heat_and_replay_answer_as_data(browser, stuck):
    admin = browser("admin")
    heat = admin.get("/cockpit/heat/diagram?process=p&measure=count").json
    assert heat["heat"][0] == {"element": "a", "share": 1.0, "text": "1"}
    assert "xml" in heat
    moves = admin.get(f"/cockpit/cases/{stuck}/replay?process=p").json["moves"]
    assert any("a" in move["entered"] for move in moves)
    assert browser("wang").get("/cockpit/heat/diagram?process=p").status_code == 403


def test_one_jumps_between_the_diagrams_of_caller_and_called(browser, cockpit):
    cockpit.office.deploy(rich(), inner())
    case, admin = cockpit.office.start("rich"), browser("admin")
    own = admin.get(f"/cockpit/cases/{case}")
    there = re.search(r'href="([^"]*process=inner[^"]*)"', own.text)
    assert there is not None
    assert f'data-cockpit-diagram="/cases/{case}/diagram?process=rich"' in own.text
    called = admin.get(there[1])
    assert f'data-cockpit-diagram="/cases/{case}/diagram?process=inner"' in called.text
    assert f'data-replay="/cockpit/cases/{case}/replay?process=inner"' in called.text
    assert re.search(r'href="[^"]*process=rich[^"]*"', called.text), "no way back"
    marks = admin.get(f"/cases/{case}/diagram?process=inner").json["marks"]
    assert marks["active"] == ["inside"]
    moves = admin.get(f"/cockpit/cases/{case}/replay?process=inner").json["moves"]
    assert ["inside" in move["entered"] for move in moves].count(True) == 1
    nowhere = admin.get(f"/cockpit/cases/{case}?process=nowhere")
    assert f'data-cockpit-diagram="/cases/{case}/diagram?process=rich"' in nowhere.text


def test_one_jumps_to_the_case_that_a_message_began_and_back(browser, cockpit):
    cockpit.office.deploy(*ask_and_answer())
    asking, admin = cockpit.office.start("ask"), browser("admin")
    cockpit.office.work()
    begun = next(one.id for one in cockpit.office.rows(Instance) if one.process_id == "answer")
    page = admin.get(f"/cockpit/cases/{asking}")
    assert f'href="/cockpit/cases/{begun}"' in page.text
    assert "下级" in text(page)
    back = admin.get(f"/cockpit/cases/{begun}")
    assert f'href="/cockpit/cases/{asking}"' in back.text
    assert "上级" in text(back)


def test_a_case_that_cannot_be_read_is_offered_what_can_be_done_to_it(browser, stuck, cockpit):
    cockpit.sql("UPDATE instance SET state = :state WHERE id = :id", state=b"G1 damaged", id=stuck)
    cockpit.check()
    admin = browser("admin")
    offered = re.findall(rf"/cockpit/cases/{stuck}/repair/(\w+)", admin.get(f"/cockpit/cases/{stuck}").text)
    assert offered == ["restore", "terminate"]
    seen = admin.post(f"/cockpit/cases/{stuck}/repair/restore/preview")
    assert "按历史重做 1 步" in text(seen)
    version = cockpit.office.instance(stuck).version
    done = admin.post(f"/cockpit/cases/{stuck}/repair/restore", version=version, reason="磁盘损坏")
    assert done.status_code == 303
    assert cockpit.causes(stuck) == {"no_member"}


def test_exports_stream_in_every_format(browser, stuck, cockpit, settings):
    cockpit.upkeep.settings = settings
    cockpit.upkeep.seal()
    admin = browser("admin")
    for form in ("csv", "jsonl", "xes", "ocel"):
        answer = admin.get(f"/cockpit/audit/export.{form}")
        assert answer.status_code == 200, form
        assert len(answer.data) > 50
    shown = text(admin.get("/cockpit/audit?verify=1"))
    assert "核验通过" in shown, shown
    assert browser("wang").get("/cockpit/audit/export.csv").status_code == 403


def test_pages_speak_english_too(browser, stuck):
    admin = browser("admin")
    admin.post("/locale", locale="en", next="/cockpit/")
    assert "Nobody holds the role" in text(admin.get(f"/cockpit/cases/{stuck}"))


def test_the_dashboard_and_the_alerts_ask_for_metrics_there_are(browser, stuck):
    """An alert on a name that nothing exports would never ring."""
    browser("admin").get("/cockpit/")
    told = browser(None).client.get("/metrics").text
    there = {sample.name for one in text_string_to_metric_families(told) for sample in one.samples}
    there |= {one.name for one in text_string_to_metric_families(told)}
    asked = set()
    for name in ("alerts.yml", "dashboard.json"):
        asked |= set(re.findall(r"guohe_\w+", (HOWTO / name).read_text("utf-8")))
    assert len(asked) > 5
    assert asked - there == set()
    rules = [
        rule for group in yaml.safe_load((HOWTO / "alerts.yml").read_text("utf-8"))["groups"] for rule in group["rules"]
    ]
    assert all(rule["expr"] and rule["annotations"] for rule in rules)

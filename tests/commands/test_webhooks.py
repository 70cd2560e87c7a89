"""Webhooks: what happens is delivered signed, tried again, and sent again on demand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from service import clock, errors, outgoing
from service.commands.administration import webhooks
from service.models import Webhook, WebhookDelivery
from service.queries import webhooks as queries
from service.upkeep import Upkeep
from service.worker import Worker
from tests.commands.conftest import END, START, diagram
from tests.commands.test_duties import step

LOOPBACK = "127.0.0.0/8"


@dataclass
class Receiver:
    """A program that is told; it answers with what it is set to."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            status = made.answers.pop(0) if made.answers else 204
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{made.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def hooked(office, receiver):
    """The ministry, with a receiver that hears of completed tasks and ended cases."""
    office.settings = replace(office.settings, webhook_networks=LOOPBACK)
    office.worker = Worker(office.database, office.settings)
    office.upkeep = Upkeep(office.database, office.settings, "test")
    office.deploy(diagram(f"{START}{step('check', '受理')}{END}", "s->check; check->e"))
    with office.database.transaction() as session:
        made = webhooks.create(
            session,
            f"{receiver.url}/hook",
            ["completed", "ended"],
            user=office.fresh(session, office.admin),
            allowed=outgoing.networks(LOOPBACK),
        )
        office.secret = outgoing.secret(office.settings.secret_key, made.id, made.salt)
    return office


def tell(office) -> None:
    office.upkeep.seal()
    office.upkeep.spread()
    office.work()


def log(office):
    with office.database.transaction() as session:
        return queries.deliveries(session, office.fresh(session, office.admin))


def test_what_happens_is_told_in_order_and_signed(hooked, receiver):
    case = hooked.start()
    hooked.do(case, "check", hooked.li)
    tell(hooked)
    said = [json.loads(body) for _, _, body in receiver.got]
    assert [one["type"] for one in said] == ["case.completed", "case.ended"]
    assert said[0]["data"]["number"] == hooked.instance(case).number
    assert said[0]["data"]["element"] == "check"
    assert {path for path, _, _ in receiver.got} == {"/hook"}
    for _, headers, body in receiver.got:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        mac = hmac.new(hooked.secret, signed, hashlib.sha256).digest()
        assert headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()
    tell(hooked)
    assert len(receiver.got) == 2
    assert [(one.kind, one.status) for one in log(hooked)] == [("ended", "done"), ("completed", "done")]


def test_a_receiver_that_fails_is_tried_again_later_each_time_under_the_same_id(hooked, receiver):
    case = hooked.start()
    receiver.answers = [500, 503]
    hooked.do(case, "check", hooked.li)
    tell(hooked)
    waiting = [one for one in log(hooked) if one.status == "queued"]
    assert len(waiting) == 2
    assert "HTTP 50" in waiting[0].error
    with clock.travel(clock.now() + timedelta(seconds=6)):
        hooked.work()
    assert {one.status for one in log(hooked)} == {"done"}
    ids = [headers["webhook-id"] for _, headers, _ in receiver.got]
    assert len(ids) == 4
    assert set(ids[:2]) == set(ids[2:])


def test_a_redirect_is_a_failure_and_not_followed(hooked, receiver):
    case = hooked.start()
    receiver.answers = [302, 302]
    hooked.do(case, "check", hooked.li)
    tell(hooked)
    assert {path for path, _, _ in receiver.got} == {"/hook"}
    assert {one.status for one in log(hooked)} == {"queued"}


def test_a_target_is_judged_again_at_delivery(hooked, receiver):
    case = hooked.start()
    hooked.do(case, "check", hooked.li)
    hooked.worker = Worker(hooked.database, replace(hooked.settings, webhook_networks=""))
    tell(hooked)
    assert receiver.got == []
    assert "指向内部网络地址 127.0.0.1" in log(hooked)[0].error


def test_a_delivery_is_sent_again_on_demand_and_a_paused_webhook_hears_nothing(hooked, receiver):
    case = hooked.start()
    hooked.do(case, "check", hooked.li)
    tell(hooked)
    delivery = hooked.rows(WebhookDelivery)[0]
    with hooked.database.transaction() as session:
        webhooks.redeliver(session, delivery.id, user=hooked.fresh(session, hooked.admin))
    hooked.work()
    assert len(receiver.got) == 3
    (hook,) = hooked.rows(Webhook)
    with hooked.database.transaction() as session:
        webhooks.switch(session, hook.id, active=False, user=hooked.fresh(session, hooked.admin))
    hooked.do(hooked.start(), "check", hooked.li)
    tell(hooked)
    assert len(receiver.got) == 3


def test_only_administrators_make_webhooks_and_never_to_a_private_address(office):
    office.deploy(diagram(f"{START}{step('check', '受理')}{END}", "s->check; check->e"))
    with office.database.transaction() as session:
        admin, li = office.fresh(session, office.admin), office.fresh(session, office.li)
        with pytest.raises(outgoing.TargetRefused):
            webhooks.create(session, "https://127.0.0.1/x", ["ended"], user=admin)
        with pytest.raises(errors.InvalidInput) as raised:
            webhooks.create(session, "https://127.0.0.1/x", [], user=admin)
        assert raised.value.field == "kinds"
        with pytest.raises(errors.Forbidden):
            webhooks.create(session, "https://example.org/", ["ended"], user=li)
    assert office.rows(Webhook) == []

"""Requests to typed addresses never reach the own network, and say who sent them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
from datetime import UTC, datetime

import pytest

from service import outgoing


def resolves(monkeypatch, *answers):
    """Let a name mean an address, and another one at the next question."""
    said = list(answers)

    def lookup(host, port, *_, **__):
        address = said.pop(0) if len(said) > 1 else said[0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.2.3.4",
        "172.16.0.9",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fd00::5",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "::7f00:1",
        "::ffff:0:7f00:1",
        "64:ff9b:1::7f00:1",
        "fec0::1",
        "5f00::1",
        "3fff::1",
        "192.0.0.8",
    ],
)
def test_an_address_of_a_private_network_is_refused_with_the_reason(monkeypatch, address):
    resolves(monkeypatch, address)
    with pytest.raises(outgoing.TargetRefused) as raised:
        outgoing.check("https://hooks.example.org/guohe")
    assert "指向内部网络地址" in raised.value.zh
    assert raised.value.field == "url"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ftp://example.org", "请填写 https:// 开头"),
        ("https://user:secret@example.org", "不含用户名"),
        ("https://", "请填写 https:// 开头"),
        ("https://[oops", "请填写 https:// 开头"),
        ("http://example.org/hook", "须使用 https"),
    ],
)
def test_other_addresses_are_refused_with_theirs(monkeypatch, url, sentence):
    resolves(monkeypatch, "93.184.215.14")
    with pytest.raises(outgoing.TargetRefused) as raised:
        outgoing.check(url)
    assert sentence in raised.value.zh


def test_a_name_that_nobody_knows_is_refused(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(outgoing.TargetRefused) as raised:
        outgoing.check("https://nowhere.example.org")
    assert raised.value.zh == "无法解析主机名“nowhere.example.org”。"


def test_the_connection_goes_to_the_address_that_was_judged_not_to_what_the_name_means_by_then(monkeypatch):
    resolves(monkeypatch, "93.184.215.14", "127.0.0.1")
    reached = []

    def connect(address, timeout):
        reached.append(address[0])
        raise OSError("no network here")

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(outgoing.Unanswered):
        outgoing.post("https://hooks.example.org/", b"{}", {})
    assert reached == ["93.184.215.14"]


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch):
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(outgoing.TargetRefused):
        outgoing.check("https://hooks.example.org/")


def test_the_signature_is_that_of_standard_webhooks():
    secret = outgoing.secret("the key of the installation", 7, "salt")
    at = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    headers = outgoing.headers(secret, "msg_1_7", at, b'{"type":"case.ended"}')
    signed = f"msg_1_7.{int(at.timestamp())}.".encode() + b'{"type":"case.ended"}'
    key = base64.b64decode(outgoing.shown(secret).removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert outgoing.secret("the key of the installation", 7, "other") != secret

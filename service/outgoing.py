"""Requests to addresses that an administrator typed: signed, never redirected, never into the own network.

The name is resolved here, every address it has is judged, and the connection goes to the very address that was judged;
so a name that means something else a moment later (DNS rebinding) reaches nothing. HTTPS checks the certificate against
the name. ``allowed`` are networks that an operator opened on purpose.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

from service import errors

TIMEOUT = 10
READ = 4096

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is given out for the Internet (IANA). Outside lie site-local addresses, local NAT64 and the forms
that hold an IPv4 address; which of them Python calls global depends on its version."""
_RESERVED = (ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("3fff::/20"))
"""Protocol assignments (RFC 6890) and documentation (RFC 9637), which Python 3.11 calls global."""


class TargetRefused(errors.InvalidInput):
    """The address of a webhook cannot be used."""

    zh_default = "回调地址不可用。"
    code = "target_refused"


class Unanswered(Exception):
    """The other side could not be reached, or did not answer with a 2xx status."""


def networks(text: str) -> tuple[Network, ...]:
    """Read ``10.1.0.0/16,127.0.0.0/8``. Raises ValueError."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def check(url: str, allowed: Iterable[Network] = ()) -> tuple[SplitResult, list[Address]]:
    """Resolve an address and judge where it leads. Raises TargetRefused with the reason."""
    allowed = tuple(allowed)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or parts.scheme not in ("https", "http") or parts.username is not None:
        raise TargetRefused(
            "请填写 https:// 开头、不含用户名的地址。", "Give an https:// address without a user name.", field="url"
        )
    try:
        found = socket.getaddrinfo(host, port or (443 if parts.scheme == "https" else 80), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise TargetRefused(
            f"无法解析主机名“{host}”。", f"The host name “{host}” cannot be resolved.", field="url"
        ) from None
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    for address in addresses:
        if not _public(address) and not any(address in network for network in allowed):
            raise TargetRefused(
                f"“{host}”指向内部网络地址 {address}，不允许作为回调地址。",
                f"“{host}” leads to {address}, an address of a private network, which is not allowed.",
                field="url",
            )
    if parts.scheme == "http" and not all(any(one in network for network in allowed) for one in addresses):
        raise TargetRefused("回调地址须使用 https。", "The address has to use https.", field="url")
    return parts, addresses


def _public(address: Address) -> bool:
    """True for an address of the open Internet, also when an IPv4 address hides in an IPv6 one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _public(inner)
        if address not in _GLOBAL_V6:
            return False
    reserved = any(address in network for network in _RESERVED)
    return address.is_global and not address.is_multicast and not reserved


def secret(key: str, webhook_id: int, salt: str) -> bytes:
    """The secret of a webhook: only this installation can say it."""
    return hmac.new(key.encode(), f"webhook:{webhook_id}:{salt}".encode(), hashlib.sha256).digest()


def shown(secret: bytes) -> str:
    """A secret as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(secret).decode()


def headers(secret: bytes, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks: the signature is over id, time in seconds and body."""
    stamp = str(int(at.timestamp()))
    signed = hmac.new(secret, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "User-Agent": "Guohe-Webhooks",
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(signed).decode(),
    }


def post(url: str, body: bytes, headers: Mapping[str, str], allowed: Iterable[Network] = ()) -> int:
    """Send a body to a checked address; return the status. Raises TargetRefused, or Unanswered with what happened."""
    parts, addresses = check(url, allowed)
    connection = _To(parts, str(addresses[0]))
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body=body, headers=dict(headers))
        answer = connection.getresponse()
        text = answer.read(READ).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise Unanswered(f"{parts.hostname}: {error}") from error
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        raise Unanswered(f"{parts.hostname}: HTTP {answer.status} {text[:200]}")
    return answer.status


class _To(http.client.HTTPConnection):
    """A connection to one address, whatever the name says by now. It follows no redirect, and uses no proxy."""

    def __init__(self, parts: SplitResult, address: str) -> None:
        secure = parts.scheme == "https"
        super().__init__(parts.hostname or "", parts.port or (443 if secure else 80), timeout=TIMEOUT)
        self._address, self._secure = address, secure

    def connect(self) -> None:
        """Connect to the judged address, and check the certificate against the name."""
        raw = socket.create_connection((self._address, self.port), TIMEOUT)
        self.sock = ssl.create_default_context().wrap_socket(raw, server_hostname=self.host) if self._secure else raw

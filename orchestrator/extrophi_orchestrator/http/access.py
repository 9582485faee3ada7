"""Who may come in: keys, `Host` and `Origin`.

Bound to loopback, no key is needed, but the address asked for must be this machine's, or any web page could reach us by
a name of its own (DNS rebinding), and a page of another origin needs a key. Bound to anything else, all need one.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

OPEN_PATHS = frozenset({"/health", "/ready", "/metrics"})


@dataclass(frozen=True, slots=True)
class Refusal:
    status: int
    code: str
    title: str
    detail: str
    hint: str


@dataclass(frozen=True, slots=True)
class Access:
    """The rule of one process."""

    keys: tuple[str, ...]
    on_loopback: bool

    def refusal(self, path: str, headers: Mapping[bytes, bytes]) -> Refusal | None:
        """Why a request may not enter; None if it may."""
        host = headers.get(b"host", b"").decode("latin-1")
        if self.on_loopback and not is_loopback(_name(host)):
            return Refusal(
                421, "wrong_host", "This is not that host", f"Nothing here is called {host[:100]!r}.",
                "Use http://localhost or http://127.0.0.1.",
            )  # fmt: skip
        if path in OPEN_PATHS or self._has_key(headers.get(b"authorization", b"")):
            return None
        origin = headers.get(b"origin", b"").decode("latin-1")
        if origin and urlsplit(origin).netloc != host:
            return Refusal(
                403, "foreign_origin", "This page may not ask", f"{origin[:100]} is another origin.",
                "Send one of EXTROPHI_API_KEYS as a bearer token.",
            )  # fmt: skip
        if self.on_loopback:
            return None
        return Refusal(
            401, "unauthorized", "A key is needed", "Off this machine, Extrophi answers to those who have a key.",
            "Send one of EXTROPHI_API_KEYS as a bearer token; one is in the log of the first start if none was set.",
        )  # fmt: skip

    def _has_key(self, authorization: bytes) -> bool:
        scheme, _, given = authorization.partition(b" ")
        if scheme.lower() != b"bearer":
            return False
        return any(hmac.compare_digest(given.strip(), key.encode()) for key in self.keys)


def make_access(host: str, api_keys: str | None) -> tuple[Access, str | None]:
    """The rule for what is bound to `host`, and the key that had to be made for it, if any."""
    keys = tuple(key.strip() for key in (api_keys or "").split(",") if key.strip())
    if is_loopback(host) or keys:
        return Access(keys, is_loopback(host)), None
    made = secrets.token_urlsafe(32)
    return Access((made,), on_loopback=False), made


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _name(host: str) -> str:
    """A Host header's value without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""

"""Who may come in: keys, `Host` and `Origin`.

Bound to loopback, no key is needed, but the address asked for must be this machine's, or any web page could reach us by
a name of its own (DNS rebinding), and a page of another origin needs a key. Bound to anything else, all need one, and
so do those whom a proxy on this machine lets in (docs/decisions/0013).
"""

import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address
from urllib.parse import urlsplit

from extrophi_orchestrator.errors import BadRequest, ForeignOrigin, Unauthorized, UnknownCoding, WrongHost

OPEN_PATHS = frozenset({"/health", "/ready", "/metrics"})
_FEED = "/api/feed.atom"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_ONCE = (b"host", b"origin", b"authorization", b"content-length", b"transfer-encoding", b"cookie")
_BY_PROXY = (b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip")
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
COOKIE = "extrophi_session"
SESSION_SECONDS = 30 * 24 * 3600

Head = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, as far as a request tells."""

    key: bytes | None
    """The digest of the key it has. None: it has none."""
    by_cookie: bool
    foreign: bytes
    """The origin of the page that asks, when it is not ours. Empty: no page, or our own."""
    near: bool
    """Whether it asks on this machine, which needs no key; not so if it came by a proxy."""


def read_head(headers: list[tuple[bytes, bytes]], http_version: str) -> Head:
    """The headers by name. Refuses what two servers could read in two ways (RFC 9112, section 11.2).

    The server's parser refuses most of it already; this holds whatever the server.
    """
    head = dict(headers)
    if len(head) != len(headers):
        names = [name for name, _ in headers]
        for name in _ONCE:
            if names.count(name) > 1:
                raise BadRequest(f"The header {name.decode()} came twice.", field=name.decode())
    coding, length = head.get(b"transfer-encoding"), head.get(b"content-length")
    if coding is not None:
        if length is not None or http_version != "1.1":
            raise BadRequest("The length of the body is told in two ways.", field="transfer-encoding")
        if coding.lower() != b"chunked":
            raise UnknownCoding("Only the transfer coding chunked is known here.", field="transfer-encoding")
    if length is not None and not (length.isdigit() and len(length) < 20):
        raise BadRequest("The length of the body is not a number.", field="content-length")
    return head


@dataclass(frozen=True, slots=True)
class Access:
    """The rule of one process."""

    keys: Mapping[bytes, str]
    """The keys by their digests, which are compared in their stead: all of one length, whatever was sent."""
    on_loopback: bool
    hosts: frozenset[str] = frozenset()
    pages: frozenset[str] = frozenset({"/"})
    """What needs no key: the page by which a browser trades its key, and what it is made of."""
    now: Callable[[], float] = time.time

    def identify(self, head: Head, path: str, http_version: str = "1.1") -> Asker:
        """Who asks. Raises BadRequest, WrongHost."""
        host = head.get(b"host", b"")
        match = _HOST.fullmatch(host)
        is_open = path in OPEN_PATHS
        if match is not None:
            name = match[1].decode().strip("[]").lower().rstrip(".")
        elif is_open and b"host" not in head and http_version == "1.0":  # a load balancer; browsers always name one
            name = "localhost"
        else:
            raise BadRequest("The header Host names no host.", field="host")
        if not is_open or self.on_loopback:  # those who look after us ask by whatever name they know
            self._check_host(name)
        origin = head.get(b"origin", b"")
        is_named = self._names_us(origin)
        near = self.on_loopback and is_loopback(name) and not is_named and not any(one in head for one in _BY_PROXY)
        foreign = b"" if is_named else _foreign(head, host)
        key = self._key_of(head.get(b"authorization", b""))
        if key is not None or foreign:  # a cookie is for our own page alone
            return Asker(key, by_cookie=False, foreign=foreign, near=near)
        key = self._key_of_cookie(head.get(b"cookie", b""))
        return Asker(key, by_cookie=key is not None, foreign=b"", near=near)

    def check(self, asker: Asker, method: str, path: str, head: Head) -> None:
        """Raises Unauthorized, ForeignOrigin."""
        if path in OPEN_PATHS or path in self.pages:
            return
        if asker.key is None and asker.foreign:
            raise ForeignOrigin(
                f"{_shown(asker.foreign)} is another origin.", hint="Send one of EXTROPHI_API_KEYS as a bearer token."
            )
        if asker.near:
            return
        if asker.key is None:
            raise Unauthorized(
                "Off this machine, Extrophi answers to those who have a key.",
                hint="Send one of EXTROPHI_API_KEYS as a bearer token; one is in the log of the start if none was set.",
            )
        if asker.by_cookie and method not in _SAFE and not head.get(b"origin"):
            # Browsers name the origin of all that is not a plain GET. What does not is no page of ours.
            raise ForeignOrigin("A cookie opens only what our own page asks.", hint="Send the key as a bearer token.")

    def opens_by_token(self, asker: Asker, method: str, path: str, query: bytes) -> bool:
        """Whether one without a key asks for the feed by a token: feed readers send no headers. Backend checks it."""
        is_feed = path == _FEED and method in {"GET", "HEAD"} and (query.startswith(b"token=") or b"&token=" in query)
        return is_feed and asker.key is None and (not asker.near or bool(asker.foreign))

    def make_cookie(self, key: bytes) -> str:
        """A cookie's value that stands for a key until it expires. The key cannot be had from it."""
        expires = int(self.now()) + SESSION_SECONDS
        return f"{expires}.{self._seal(key, expires)}"

    def _check_host(self, name: str) -> None:
        if is_loopback(name) or name in self.hosts:
            return
        if self.on_loopback:
            hint = "Use http://localhost or http://127.0.0.1, or name it in EXTROPHI_ALLOWED_HOSTS."
        elif self.hosts and not _is_address(name):
            hint = "Name it in EXTROPHI_ALLOWED_HOSTS."
        else:
            return
        raise WrongHost(f"Nothing here is called {name[:100]!r}.", hint=hint, field="host")

    def _names_us(self, origin: bytes) -> bool:
        """Whether a page has an allowed name for its origin: a proxy may have rewritten Host."""
        scheme, _, name = origin.decode("latin-1").lower().partition("://")
        return scheme in {"http", "https"} and name in self.hosts

    def _key_of(self, authorization: bytes) -> bytes | None:
        scheme, _, given = authorization.partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        return _among(sha256(given.strip()).digest(), self.keys)

    def _key_of_cookie(self, header: bytes) -> bytes | None:
        for pair in header.split(b";"):
            name, _, value = pair.strip().partition(b"=")
            expires, _, seal = value.partition(b".")
            if name != COOKIE.encode() or not (expires.isdigit() and len(expires) < 12):
                continue
            if int(expires) < self.now():
                continue
            found = None
            for key in self.keys:
                if hmac.compare_digest(seal, self._seal(key, int(expires)).encode()):
                    found = key
            return found
        return None

    def _seal(self, key: bytes, expires: int) -> str:
        return hmac.new(self.keys[key].encode(), f"extrophi session {expires}".encode(), "sha256").hexdigest()


def make_access(
    host: str, api_keys: str | None, hosts: Iterable[str] = (), pages: frozenset[str] = frozenset({"/"})
) -> tuple[Access, str | None]:
    """The rule for what is bound to `host`, and the key that had to be made for it, if any."""
    keys = [key.strip() for key in (api_keys or "").split(",") if key.strip()]
    names = frozenset(name.lower() for name in hosts)
    is_alone = is_loopback(host) and all(is_loopback(name) for name in names)
    made = None if is_alone or keys else secrets.token_urlsafe(32)
    digests = {sha256(key.encode()).digest(): key for key in ([made] if made else keys)}
    return Access(digests, is_loopback(host), names, pages), made


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _among(digest: bytes, digests: Iterable[bytes]) -> bytes | None:
    """It, if it is one of them; in the same time whichever it is."""
    found = None
    for one in digests:
        if hmac.compare_digest(digest, one):
            found = one
    return found


def _foreign(head: Head, host: bytes) -> bytes:
    """The origin of a page that is not ours; empty for our own, and for what is no page."""
    origin = head.get(b"origin", b"")
    if origin:
        try:
            parts = urlsplit(origin.decode("latin-1"))
        except ValueError:
            return origin
        ours = parts.scheme in {"http", "https"} and parts.netloc.lower() == host.decode("latin-1").lower()
        return b"" if ours else origin
    # A page may ask without an Origin (an image, a script): browsers say so here. To follow a link is not to ask.
    site = head.get(b"sec-fetch-site", b"none")
    if site in {b"none", b"same-origin"} or head.get(b"sec-fetch-mode") == b"navigate":
        return b""
    return b"null"


def _shown(origin: bytes) -> str:
    return origin[:100].decode("ascii", "replace")

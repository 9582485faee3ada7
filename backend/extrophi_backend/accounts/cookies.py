"""Cookies of one's own: read from a browser's export, and which of them belong to an address (RFC 6265)."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import httpx

_HTTP_ONLY = "#HttpOnly_"
_DOMAIN = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_NAME = re.compile(r"[!-~]+")
_MOST_BYTES = 4096  # of a name and its value: RFC 6265, 6.1
_MOST_COOKIES = 3000
_LATEST = 253_402_300_799  # the end of the year 9999
_MILLISECONDS = 100_000_000_000  # a larger number of seconds is after the year 5000
_SHORT_SECONDS = 86_400
_GUARDS = ("__cf_bm", "_cfuvid", "cf_clearance", "datadome", "ak_bmsc", "bm_s", "AWSALB", "incap_ses_", "visid_incap_")
"""Names (or their beginnings) of what guards against robots set for an hour or so; no login hangs on them."""


class NoCookies(Exception):
    """Says what is wrong with an export, and shows nothing of it."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """`domain` has no dot before it. `expires`: seconds since 1970; None: with the browser's session."""

    name: str
    value: str = field(repr=False)
    domain: str
    host_only: bool
    path: str = "/"
    secure: bool = False
    http_only: bool = False
    expires: int | None = None

    def belongs_to(self, url: httpx.URL, now: datetime) -> bool:
        """Whether a browser would send it there (RFC 6265, 5.4)."""
        path = url.raw_path.partition(b"?")[0].decode("ascii", "replace")
        return self.belongs_to_host(url, now) and _path_matches(path or "/", self.path)

    def belongs_to_host(self, url: httpx.URL, now: datetime) -> bool:
        """Whether a browser would send it to some path there."""
        if self.expires is not None and self.expires <= now.timestamp():
            return False
        if self.secure and url.scheme != "https":
            return False
        return _domain_matches(url.raw_host.decode("ascii").strip("[]"), self)


def _domain_matches(host: str, cookie: Cookie) -> bool:
    """RFC 6265, 5.1.3."""
    if host == cookie.domain:
        return True
    return not cookie.host_only and host.endswith(f".{cookie.domain}") and not _is_address(host)


def _path_matches(path: str, own: str) -> bool:
    """RFC 6265, 5.1.4."""
    return path == own or (path.startswith(own) and (own.endswith("/") or path[len(own)] == "/"))


def header(cookies: Iterable[Cookie]) -> str:
    """The value of the header `Cookie`, longer paths first (RFC 6265, 5.4)."""
    return "; ".join(f"{one.name}={one.value}" for one in sorted(cookies, key=lambda one: -len(one.path)))


def expires_at(cookies: Sequence[Cookie], now: datetime, names: Sequence[str] = ()) -> datetime | None:
    """When a login ends that these cookies carry; None if they do not tell.

    Args:
        cookies: Of one site.
        now: When they were exported, or are read.
        names: Those that the login hangs on, where that is known. Else it is taken to hang on those that no script may
            read (HttpOnly), the first of which to go may end it; what goes within a day carries none that is worth an
            export. Where the export names none, on the last of all.
    """
    if names:
        return _moment(min((one.expires for one in cookies if one.name in names and one.expires), default=None))
    lasting = [one for one in cookies if one.expires and not one.name.startswith(_GUARDS)]
    if any(one.http_only for one in cookies if not one.name.startswith(_GUARDS)):
        lasting = [one for one in lasting if one.http_only]
        soon = now.timestamp() + _SHORT_SECONDS
        long = [one.expires or 0 for one in lasting if (one.expires or 0) > soon]
        if long or any(one.http_only and not one.expires for one in cookies):
            return _moment(min(long, default=None))
    return _moment(max((one.expires or 0 for one in lasting), default=None))


def _moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def dump(cookies: Sequence[Cookie]) -> str:
    return json.dumps([asdict(one) for one in cookies])


def load(text: str) -> tuple[Cookie, ...]:
    return tuple(Cookie(**one) for one in json.loads(text))


def read_cookies(text: str) -> list[Cookie]:
    """The cookies of an export: cookies.txt as Netscape had it, or the JSON of browser extensions and Playwright.

    What no browser would send (control characters, a name too long) is left out.

    Raises:
        NoCookies: there are none.
    """
    stripped = text.strip().removeprefix("\ufeff")
    found = _from_json(stripped) if stripped.startswith(("[", "{")) else _from_lines(stripped)
    kept = {(one.domain, one.host_only, one.path, one.name): one for one in found if _is_sendable(one)}
    if not kept:
        raise NoCookies("There is no cookie in it.")
    if len(kept) > _MOST_COOKIES:
        raise NoCookies(f"There are more than {_MOST_COOKIES} cookies in it.")
    return list(kept.values())


def _from_lines(text: str) -> Iterator[Cookie]:
    for number, line in enumerate(text.splitlines(), 1):
        http_only = line.startswith(_HTTP_ONLY)
        if not line.strip() or (line.startswith("#") and not http_only):
            continue
        plain = line.removeprefix(_HTTP_ONLY)
        parts = plain.split("\t") if "\t" in plain else plain.split(None, 6)
        if len(parts) == 6:  # an empty value, and an editor that cuts what ends a line
            parts.append("")
        if len(parts) != 7:
            raise NoCookies(f"Line {number} is no cookie: it has {len(parts)} fields, and not 7 with tabs between.")
        domain, to_all, path, secure, expires, name, value = (part.strip() for part in parts)
        cookie = _cookie(
            name=name,
            value=value,
            domain=domain,
            host_only=to_all.upper() != "TRUE" and not domain.startswith("."),
            path=path,
            secure=secure.upper() == "TRUE",
            http_only=http_only,
            expires=expires,
        )
        if cookie is None:
            raise NoCookies(f"Line {number} is no cookie: its domain or its time cannot be read.")
        yield cookie


def _from_json(text: str) -> Iterator[Cookie]:
    try:
        parsed: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise NoCookies("It begins as JSON does, and is none.") from None
    entries: Any = parsed.get("cookies") if isinstance(parsed, dict) else parsed
    if not isinstance(entries, list):
        raise NoCookies("It is JSON, and no list of cookies.")
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            raise NoCookies(f"Entry {number} is no cookie.")
        domain = str(entry.get("domain") or "")
        cookie = _cookie(
            name=str(entry.get("name") or ""),
            value=str(entry.get("value") or ""),
            domain=domain,
            host_only=bool(entry.get("hostOnly", not domain.startswith("."))),
            path=str(entry.get("path") or "/"),
            secure=entry.get("secure") is True,
            http_only=entry.get("httpOnly") is True,
            expires=entry.get("expirationDate", entry.get("expires")),
        )
        if cookie is None:
            raise NoCookies(f"Entry {number} is no cookie: its domain or its time cannot be read.")
        yield cookie


def _cookie(
    *, name: str, value: str, domain: str, host_only: bool, path: str, secure: bool, http_only: bool, expires: Any
) -> Cookie | None:
    plain = domain.removeprefix(".").lower()
    if len(plain) > 253 or not _DOMAIN.fullmatch(plain):
        return None
    # A whole top-level domain has no cookies; an address, and a name of this network, have no subdomains.
    alone = _is_address(plain) or "." not in plain
    try:
        seconds = float(expires or 0)
        seconds = seconds / 1000 if seconds > _MILLISECONDS else seconds
        until = min(int(seconds), _LATEST) if seconds > 0 else None
    except (ValueError, TypeError, OverflowError):
        return None
    return Cookie(
        name=name,
        value=value,
        domain=plain,
        host_only=host_only or alone,
        path=path if path.startswith("/") else "/",
        secure=secure,
        http_only=http_only,
        expires=until,
    )


def _is_sendable(cookie: Cookie) -> bool:
    if not _NAME.fullmatch(cookie.name) or set(cookie.name) & set(";="):
        return False
    value = cookie.value
    return (value.isascii() and (not value or value.isprintable()) and ";" not in value) and len(cookie.name) + len(
        value
    ) <= _MOST_BYTES


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True

"""What people give as a credential, checked and made into what is kept. Nothing that is raised shows any of it."""

import base64
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from extrophi_backend.accounts import cookies as jar
from extrophi_backend.accounts.cookies import Cookie, NoCookies
from extrophi_backend.accounts.models import Value
from extrophi_backend.collectors.models import Platform

_MOST_SITES = 50
_SESSION = ("auth_token", "ct0")
_GOOGLE = ("SID", "HSID", "SSID", "APISID", "SAPISID", "LOGIN_INFO", "__Secure-1PSID", "__Secure-3PSID")
"""What a login to YouTube hangs on (as yt-dlp looks for it)."""
_FORMATS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "bearer_token": (re.compile(r"[A-Za-z0-9%._~+/=-]{40,4000}"), "a long line of letters, digits and %"),
    "auth_token": (re.compile(r"[A-Za-z0-9]{20,200}"), "40 letters and digits"),
    "ct0": (re.compile(r"[A-Za-z0-9]{20,400}"), "32 letters and digits, or 160"),
    "client_id": (re.compile(r"[A-Za-z0-9_-]{10,100}"), "14 to 30 letters, digits, - and _"),
    "client_secret": (re.compile(r"[A-Za-z0-9_-]{20,200}"), "27 or more letters, digits, - and _"),
    "refresh_token": (re.compile(r"[A-Za-z0-9._~+/=-]{20,4000}"), "a long line of letters and digits"),
    "feed_token": (re.compile(r"[A-Za-z0-9_-]{20,200}"), "40 letters and digits, or the whole address of a feed"),
    "feed_user": (re.compile(r"[A-Za-z0-9_-]{2,40}"), "a user's name, without u/"),
}


class Malformed(ValueError):
    """Says what a value should look like."""


def read_value(platform: Platform, name: str, text: str) -> list[Value]:
    """What is kept of a value that was given under `name`: one, or several where it carries several.

    Raises:
        Malformed: it cannot be what it is said to be.
    """
    if name == "cookies":
        return _read_cookies(platform, text)
    plain = text.strip()
    if name == "bearer_token":
        plain = re.sub(r"(?i)^bearer\s+", "", plain)
    if name == "feed_token" and "://" in plain:
        return _read_feed(plain)
    if name == "feed_user":
        plain = re.sub(r"^/?u/", "", plain)
    return [_value(name, plain)]


def _value(name: str, text: str, expires_at: datetime | None = None) -> Value:
    pattern, looks = _FORMATS[name]
    if not pattern.fullmatch(text):
        raise Malformed(f"This is no {name}: that is {looks}.")
    return Value(name, text, expires_at=expires_at or _token_expiry(text))


def _read_feed(address: str) -> list[Value]:
    try:
        parts = urlsplit(address)
        asked = parse_qs(parts.query)
    except ValueError:
        asked = {}
    token, user = asked.get("feed", [""])[0], asked.get("user", [""])[0]
    if not token or not user:
        raise Malformed("This is no address of a private feed: it has feed=… and user=… in it.")
    return [_value("feed_token", token), _value("feed_user", user)]


def _read_cookies(platform: Platform, text: str) -> list[Value]:
    try:
        found = jar.read_cookies(text)
    except NoCookies as error:
        raise Malformed(f"{error} Export them as cookies.txt (Netscape) or JSON.") from None
    now = datetime.now(UTC)
    if platform == "twitter":
        ours = {one.name: one for one in found if one.name in _SESSION and _is_of(one, "x.com", "twitter.com")}
        if len(ours) < len(_SESSION):
            raise Malformed(
                "The cookies auth_token and ct0 of x.com are not both in it. Sign in to x.com, then export."
            )
        return [_value(name, ours[name].value, jar.expires_at([ours[name]], now, [name])) for name in _SESSION]
    if platform == "youtube":
        ours = [one for one in found if _is_of(one, "youtube.com", "google.com")]
        if not any(one.name in _GOOGLE and _is_of(one, "youtube.com") for one in ours):
            raise Malformed("No login of youtube.com is in it. Sign in to youtube.com, then export its cookies.")
        return [Value("cookies", jar.dump(ours), expires_at=jar.expires_at(ours, now, _GOOGLE))]
    by_host: dict[str, list[Cookie]] = defaultdict(list)
    for one in found:
        by_host[one.domain].append(one)
    if len(by_host) > _MOST_SITES:
        raise Malformed(
            f"It has cookies of {len(by_host)} hosts. Export those of the one site that is meant, and not all you have."
        )
    return [
        Value("cookies", jar.dump(ones), host=host, expires_at=jar.expires_at(ones, now))
        for host, ones in by_host.items()
    ]


def _is_of(cookie: Cookie, *sites: str) -> bool:
    return any(cookie.domain == site or cookie.domain.endswith(f".{site}") for site in sites)


def _token_expiry(token: str) -> datetime | None:
    """When a token ends that says so itself (JSON Web Token, RFC 7519, 4.1.4)."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims: Any = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError, RecursionError):
        return None

"""Web addresses: read as browsers read them, and written in one way."""

import re
import socket
from functools import lru_cache
from urllib.parse import unquote

import httpx
import idna

from extrophi_backend.fetch.errors import FetchFailed

MAX_LENGTH = 8000
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|[0-9a-f.]*:[0-9a-f:.]*", re.IGNORECASE)
_HOST_OF = re.compile(r"\A((?:https?:)?//(?:[^/?#]*@)?)([^/?#@:\[\]]+)", re.IGNORECASE)
_ABSOLUTE = re.compile(r"https?://", re.IGNORECASE)
_NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.IGNORECASE)
"""A host whose last part is a number is an IPv4 address or nothing (url.spec.whatwg.org, “ends in a number”)."""
_PLAIN = re.compile(
    r"https?://(?:[a-z0-9-]+\.)+[a-z]{2,}/(?:[\w~!$&'()*+,;=:@-]+(?:[./][\w~!$&'()*+,;=:@-]+)*/?)?", re.ASCII
)
"""Addresses that `parse` gives back as they are: nearly all that sitemaps list, up to 100,000 at a time."""
_ENCODED = re.compile(r"%([0-9a-f]{2})", re.IGNORECASE)
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")  # RFC 3986, 2.3
_SPACES = re.compile(r"[\t\n\r]")
_TRACKING = re.compile(
    r"utm_\w+|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|twclid|ttclid|igshid|igsh|mc_cid|mc_eid|mkt_tok|"
    r"_hsenc|_hsmi|vero_id|vero_conv|oly_enc_id|oly_anon_id|wickedid|rb_clickid|s_cid|ref_src|ref_url|cmpid|ncid|_ga|"
    r"_gl|epik|srsltid",
    re.IGNORECASE,
)
"""Query parameters that tell where a reader came from, and nothing about the page."""


@lru_cache(2_000)
def parse(address: str) -> httpx.URL:
    """An absolute http(s) URL without its fragment. Its host is in ASCII, its dot segments are resolved.

    Of what it gives, read `raw_host`, not `host`: that one raises where IDNA 2008 knows no name (`xn--n3h`, a snowman).

    Raises:
        FetchFailed: malformed_url, unsupported_scheme.
    """
    text = _SPACES.sub("", address.strip())
    if len(text) > MAX_LENGTH:
        raise FetchFailed("malformed_url", f"The address is longer than {MAX_LENGTH:,} characters.")
    try:
        url = httpx.URL(_with_ascii_host(text)).copy_with(fragment=None)
        port = url.port
    except (httpx.InvalidURL, ValueError, TypeError, OSError) as error:  # idna raises ValueErrors, inet_aton OSErrors
        raise FetchFailed("malformed_url", "The address is malformed.") from error
    if url.scheme not in {"http", "https"}:
        raise FetchFailed("unsupported_scheme", f"Addresses begin with http:// or https://, not {url.scheme[:30]}:.")
    if not _HOST.fullmatch(url.raw_host.decode("ascii", "replace")) or (port is not None and not 1 <= port <= 65535):
        raise FetchFailed("malformed_url", "The address names no host.")
    if url.userinfo:
        raise FetchFailed("malformed_url", "An address with a name and password in it is not fetched.")
    return url


def linked(base: str, reference: str) -> str:
    """What a link on the page `base` leads to.

    Raises:
        FetchFailed: malformed_url, unsupported_scheme.
    """
    if _PLAIN.fullmatch(reference):
        return reference
    try:
        text = _with_ascii_host(_SPACES.sub("", reference.strip()))
        joined = text if _ABSOLUTE.match(text) else str(httpx.URL(base).join(text))
    except (httpx.InvalidURL, ValueError, TypeError, OSError) as error:
        raise FetchFailed("malformed_url", "The address is malformed.") from error
    return str(parse(joined))


def join(base: str, reference: str) -> str | None:
    """As `linked`; None where that is nothing to fetch."""
    try:
        return linked(base, reference)
    except FetchFailed:
        return None


def canonical(address: str) -> str:
    """`address` in the form that all its spellings share: no fragment, no tracking, no trailing dot of the host.

    Raises:
        FetchFailed: as `parse`.
    """
    # Decoded before it is read for good: `%2e%2e` is a step up, too.
    url = parse(_ENCODED.sub(_plain, str(parse(address))))
    host = url.raw_host.decode("ascii").rstrip(".").lower()
    if not host:
        raise FetchFailed("malformed_url", "The address names no host.")
    query = "&".join(part for part in url.query.decode("ascii").split("&") if not _is_tracking(part))
    # With the path that an address without one has, and without the question mark of an empty query.
    return str(
        url.copy_with(host=host, path=url.raw_path.partition(b"?")[0].decode("ascii"), query=query.encode() or None)
    )


def host_of(url: httpx.URL) -> str:
    """Its host as it is asked for: in ASCII, without a trailing dot."""
    return url.raw_host.decode("ascii").rstrip(".")


def _with_ascii_host(address: str) -> str:
    """`address` with its host as httpx takes it, which knows IDNA 2008 only and not all numbers.

    Raises:
        ValueError, OSError: it names no host.
    """
    return _HOST_OF.sub(lambda found: found[1] + _ascii_host(found[2]), address, count=1)


def _ascii_host(host: str) -> str:
    """As browsers map it (UTS 46): `☃.net` and full-width letters are names, although IDNA 2008 has no snowman."""
    if not host.isascii():
        mapped = idna.uts46_remap(host, std3_rules=False, transitional=False).split(".")
        host = ".".join(part if part.isascii() else f"xn--{part.encode('punycode').decode()}" for part in mapped)
        if any(len(part) > 63 for part in host.split(".")):
            raise ValueError(host)
    if _NUMERIC.fullmatch(host):
        return socket.inet_ntoa(socket.inet_aton(host.rstrip(".")))  # 0x7f.1 and 2130706433 are this machine
    return host


def _is_tracking(parameter: str) -> bool:
    return _TRACKING.fullmatch(unquote(parameter.partition("=")[0])) is not None


def _plain(encoded: re.Match[str]) -> str:
    """RFC 3986, 6.2.2: what need not be encoded is not, and hexadecimal digits are large."""
    character = chr(int(encoded[1], 16))
    return character if character in _UNRESERVED else encoded[0].upper()

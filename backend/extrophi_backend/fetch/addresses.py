"""Web addresses: read as browsers read them, and written in one way."""

import re
from urllib.parse import parse_qsl, urlencode

import httpx

from extrophi_backend.fetch.errors import FetchFailed

MAX_LENGTH = 8000
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|[0-9a-f:.]+", re.IGNORECASE)
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


def parse(address: str) -> httpx.URL:
    """An absolute http(s) URL without its fragment. Its host is in ASCII, its dot segments are resolved.

    Raises:
        FetchFailed: malformed_url, unsupported_scheme.
    """
    text = _SPACES.sub("", address.strip())
    if len(text) > MAX_LENGTH:
        raise FetchFailed("malformed_url", f"The address is longer than {MAX_LENGTH:,} characters.")
    try:
        url = httpx.URL(text).copy_with(fragment=None)
        port = url.port
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise FetchFailed("malformed_url", "The address is malformed.") from error
    if url.scheme not in {"http", "https"}:
        raise FetchFailed("unsupported_scheme", f"Addresses begin with http:// or https://, not {url.scheme[:30]}:.")
    if not _HOST.fullmatch(url.raw_host.decode("ascii", "replace")) or (port is not None and not 1 <= port <= 65535):
        raise FetchFailed("malformed_url", "The address names no host.")
    if url.userinfo:
        raise FetchFailed("malformed_url", "An address with a name and password in it is not fetched.")
    return url


def join(base: str, reference: str) -> str | None:
    """What a link on the page `base` leads to; None where that is nothing to fetch."""
    try:
        return str(parse(str(httpx.URL(base).join(_SPACES.sub("", reference.strip())))))
    except (httpx.InvalidURL, FetchFailed, ValueError, TypeError):
        return None


def canonical(address: str) -> str:
    """`address` in the form that all its spellings share: no fragment, no tracking, no trailing dot of the host.

    Raises:
        FetchFailed: as `parse`.
    """
    url = parse(address)
    url = url.copy_with(host=url.raw_host.decode("ascii").rstrip(".").lower())
    query = url.query.decode("ascii")
    if query and _TRACKING.search(query):
        kept = [
            (name, value) for name, value in parse_qsl(query, keep_blank_values=True) if not _TRACKING.fullmatch(name)
        ]
        url = url.copy_with(query=urlencode(kept).encode() or None)
    url = url.copy_with(raw_path=url.raw_path)  # with the path that an address without one has
    return _ENCODED.sub(_plain, str(url))


def _plain(encoded: re.Match[str]) -> str:
    """RFC 3986, 6.2.2: what need not be encoded is not, and hexadecimal digits are large."""
    character = chr(int(encoded[1], 16))
    return character if character in _UNRESERVED else encoded[0].upper()

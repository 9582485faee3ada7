"""Heads in HTTP/1.1, as a proxy passes them on (RFC 9110, 7.6; RFC 9112, 3.2.2)."""

import re
from collections.abc import Iterable

import httpx

HEAD_BYTES = 64 * 1024
"""At most."""
Headers = list[tuple[bytes, bytes]]
_HOP_BY_HOP = frozenset({
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te", b"trailer",
    b"upgrade",
})  # fmt: skip
"""RFC 9110, 7.6.1. `Transfer-Encoding` stays: bodies are passed on as they are framed."""
_LINE = re.compile(rb"\r?\n")
_CHALLENGE = b'Proxy-Authenticate: Basic realm="Extrophi"\r\n'
_REASONS = {
    400: b"Bad Request", 403: b"Forbidden", 407: b"Proxy Authentication Required", 411: b"Length Required",
    502: b"Bad Gateway",
}  # fmt: skip


def refusal(status: int, *, is_last: bool) -> bytes:
    """An answer without a body."""
    more = _CHALLENGE if status == 407 else b""
    more += b"Connection: close\r\n" if is_last else b""
    return b"HTTP/1.1 %d %b\r\nContent-Length: 0\r\n%b\r\n" % (status, _REASONS[status], more)


def request_head(method: bytes, url: httpx.URL, headers: Headers) -> bytes:
    """What the server gets: from us, and for this one request."""
    kept = [b"%b: %b" % one for one in _end_to_end(headers) if one[0].lower() != b"host"]
    first = (b"%b %b HTTP/1.1" % (method, url.raw_path or b"/"), b"Host: " + url.netloc)
    return b"\r\n".join((*first, *kept, b"Connection: close", b"", b""))


def answer_head(head: bytes) -> bytes:
    """What the browser gets of a server's head, given without its last, empty line."""
    first, *lines = _LINE.split(head)
    headers = [(name, value.strip()) for name, colon, value in (one.partition(b":") for one in lines) if colon]
    kept = [b"%b: %b" % one for one in _end_to_end(headers)]
    return b"\r\n".join((first, *kept, b"Connection: close", b"", b""))


def _end_to_end(headers: Headers) -> Iterable[tuple[bytes, bytes]]:
    """Headers without those that are for the next hop alone."""
    named = {
        part.strip().lower() for name, value in headers if name.lower() == b"connection" for part in value.split(b",")
    }
    for name, value in headers:
        key = name.strip().lower()
        if key not in _HOP_BY_HOP and (key not in named or key == b"host"):
            yield name, value

"""What a page of another origin is told (WHATWG Fetch, section 3.3): it may ask, with a key, never with a cookie."""

from extrophi_orchestrator.http.access import Head

Headers = list[tuple[bytes, bytes]]

_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_ASKED = b"authorization, content-type, accept, if-match, if-none-match, last-event-id, x-request-id"
_EXPOSED = b"x-request-id, etag, location, retry-after, content-disposition"
_DAY = b"86400"


def is_preflight(method: str, head: Head) -> bool:
    return method == "OPTIONS" and b"origin" in head and b"access-control-request-method" in head


def preflight(origin: bytes, head: Head) -> Headers:
    """A preflight carries no key: it is told what a request with one may do."""
    headers = [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-allow-headers", _ASKED),
        (b"access-control-max-age", _DAY),
        (b"vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
    ]
    if head.get(b"access-control-request-private-network") == b"true":  # a public page that asks one's own machine
        headers.append((b"access-control-allow-private-network", b"true"))
    return headers


def shared(origin: bytes) -> Headers:
    """For every answer to a page of another origin, also for errors: it may read what it was told."""
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", _EXPOSED),
        (b"vary", b"Origin"),
    ]

"""Which page a person means."""

import re

from extrophi_backend.collectors.models import Target
from extrophi_backend.collectors.web.spelling import plain
from extrophi_backend.errors import ForbiddenAddress, InvalidTarget
from extrophi_backend.fetch import guard
from extrophi_backend.fetch.addresses import host_of, parse
from extrophi_backend.fetch.errors import FetchFailed

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_BARE = re.compile(r"(?:[\w-]+\.)+[^\W\d_]{2,}(?::\d{1,5})?(?:[/?#].*)?", re.DOTALL)
"""`example.org/post`: dots in the name, and a last part without digits, as top-level domains are."""
_HINT = "Give the address as the browser shows it: https://example.org/post."


def looks_like_host(text: str) -> bool:
    """Whether it is a name with dots in it, as hosts have, and nothing more."""
    return "/" not in text and _BARE.fullmatch(text) is not None


def recognise(typed: str, allow: tuple[guard.Network, ...]) -> Target | None:
    """The page, feed or sitemap behind a web address, with or without its scheme; None when `typed` is none.

    Names are not resolved here. An address that says already that it is private is refused at once.

    Raises:
        InvalidTarget, ForbiddenAddress.
    """
    text = typed.strip()
    if _BARE.fullmatch(text):
        text = f"https://{text}"
    elif not _SCHEME.match(text):
        return None
    try:
        address = plain(text)
        _refuse_private(host_of(parse(address)), allow)
    except FetchFailed as refusal:
        if refusal.code == "forbidden_address":
            hint = "EXTROPHI_FETCH_ALLOW opens networks of one's own."
            raise ForbiddenAddress(refusal.detail, hint=hint, field="target") from refusal
        raise InvalidTarget(f"“{_short(typed)}”: {refusal.detail}", hint=_HINT, field="target") from refusal
    parsed = parse(address)
    return Target("web", address, typed, "site" if parsed.raw_path == b"/" else "page")


def _refuse_private(host: str, allow: tuple[guard.Network, ...]) -> None:
    try:
        guard.checked(host, [host], allow)
    except ValueError:  # a name, or a number that only the system's resolver reads: judged when it is fetched
        return


def _short(typed: str) -> str:
    return typed.strip()[:200].encode("utf-8", "replace").decode()

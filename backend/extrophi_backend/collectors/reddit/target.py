"""Which part of Reddit a person means."""

import re
from urllib.parse import urlsplit

from extrophi_backend.collectors.models import Target
from extrophi_backend.collectors.reddit.places import Place, post_address, read_place
from extrophi_backend.errors import InvalidTarget

_HOST = re.compile(r"(?:(?:www|old|new|np|m|i|amp|sh|[a-z]{2}(?:-[a-z]{2})?)\.)?reddit\.com", re.ASCII)
"""The site, its older and smaller faces, and those in other languages."""
_SHORT_HOST = re.compile(r"(?:www\.)?redd\.it", re.ASCII)
_SHORT_PATH = re.compile(r"/([a-z0-9]{1,13})/?", re.ASCII | re.IGNORECASE)
_BARE = re.compile(r"(?P<root>/?)(?P<what>r|u|user)/(?P<rest>.*)", re.ASCII | re.IGNORECASE | re.DOTALL)
_TOKEN = re.compile(r"[?&]feed=", re.ASCII | re.IGNORECASE)
"""Of a private feed: who has it reads what its user alone may, so it is not kept as part of what was typed."""
_ADDRESS = re.compile(
    r"(?:https?://)?(?:[a-z-]+\.)?(?:reddit\.com|redd\.it)\.?(?::\d+)?(?:[/?#].*)?",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)


def recognise(typed: str) -> Target | None:
    """The posts behind `r/name`, `u/name` or an address of Reddit's; None when `typed` is none, or only leads to one.

    The token of a private feed is understood and left out: it is one of the credentials, and no part of a target.

    Raises:
        InvalidTarget: it is Reddit's, and nothing that can be collected.
    """
    text = typed.strip().encode("utf-8", "replace").decode()
    place = _bare(text) if _BARE.fullmatch(text) else _at_address(text)
    if place is None:
        return None
    return Target("reddit", place.address, place.address if _TOKEN.search(text) else typed)


def _bare(text: str) -> Place | None:
    found = _BARE.fullmatch(text)
    assert found is not None
    path, _, query = f"/{found['what']}/{found['rest']}".partition("#")[0].partition("?")
    try:
        return read_place(path, query)
    except InvalidTarget:
        # `/u/ada/notes` and `user/notes.md` may be files.
        if found["root"] or found["what"].lower() == "user":
            return None
        raise


def _at_address(text: str) -> Place | None:
    if not _ADDRESS.fullmatch(text):
        return None
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = (parts.hostname or "").removesuffix("."), parts.port
    except ValueError:
        return None
    if port not in {None, 80, 443}:
        return None
    if _SHORT_HOST.fullmatch(host):
        found = _SHORT_PATH.fullmatch(parts.path)
        return read_place(urlsplit(post_address(found[1])).path, "") if found else None
    return read_place(parts.path, parts.query) if _HOST.fullmatch(host) else None

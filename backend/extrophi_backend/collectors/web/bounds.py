"""What belongs to a site, seen from its front."""

import re
from dataclasses import dataclass
from functools import lru_cache

from extrophi_backend.collectors.web.spelling import REMEMBERED
from extrophi_backend.fetch.addresses import parse
from extrophi_backend.fetch.errors import FetchFailed

_ALIKE = re.compile(r"\A(?:www|m|mobile|amp)\.(?=[^.]+\.)")
_FILE = re.compile(r"/[^/]*\.[^/]*\Z")
_NO_PAGES = re.compile(
    r"\.(?:jpe?g|png|gif|svg|webp|avif|ico|bmp|tiff?|css|m?js|json|map|woff2?|ttf|eot|otf|mp[34]|m4[av]|ogg|og[av]|wav|"
    r"flac|webm|avi|mov|mkv|zip|t?gz|tar|bz2|xz|7z|rar|exe|msi|dmg|iso|apk|deb|rpm|jar|pptx?|xlsx?|csv|ics|vcf|torrent|"
    r"rss|atom)\Z",
    re.IGNORECASE,
)
"""What holds no article: links to it are not followed."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A host, `www.` and mobile spellings alike, and the path that all of the site lies below."""

    host: str
    path: str

    def hold(self, url: str) -> bool:
        try:
            host, path = _place(url)
        except FetchFailed:
            return False
        return host == self.host and (path == self.path.rstrip("/") or path.startswith(self.path))


def bounds_of(typed: str, front: str) -> Bounds:
    """Of the site whose front was asked for at `typed` and answered at `front`.

    A front that leads into itself (`/` to `/en/`) keeps what it was asked for.

    Raises:
        FetchFailed: an address is malformed.
    """
    host, path = _place(front)
    asked = _folder(_place(typed)[1])
    return Bounds(host, asked if path.startswith(asked) else _folder(path))


def may_be_page(url: str) -> bool:
    """Whether a link may lead to something to read, as far as its address tells."""
    return _NO_PAGES.search(url.partition("?")[0]) is None


@lru_cache(REMEMBERED)
def _place(url: str) -> tuple[str, str]:
    parsed = parse(url)
    return _ALIKE.sub("", parsed.netloc.decode("ascii").lower()), parsed.raw_path.decode("ascii").partition("?")[0]


def _folder(path: str) -> str:
    path = _FILE.sub("/", path)
    return path if path.endswith("/") else f"{path}/"

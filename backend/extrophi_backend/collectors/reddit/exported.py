"""Lines of a data export's tables, read: by the names of their columns, any of which may be missing."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from extrophi_backend.collectors.models import Capture
from extrophi_backend.collectors.reddit.models import Comment, Post, Words
from extrophi_backend.collectors.reddit.parse import id_of, lost_as, plain
from extrophi_backend.collectors.reddit.places import SITE, post_address

Cells = Mapping[str, str]
"""A line by the names of its columns."""

LONGEST_ID = 12
"""Of a post, in base 36: what a number of 64 bits holds. Reddit is at seven."""
_PATH = re.compile(
    r"(?P<front>/(?:(?:r|u|user)/[^/\s]{1,100}/)?comments/)(?P<post>[A-Za-z0-9]{1,12})"
    r"(?:/(?P<slug>[^/\s]{1,500}))?(?:/(?P<comment>[A-Za-z0-9]{1,13}))?/?"
)
_NO_SLUGS = frozenset({"_", "comment"})
"""What stands in the place of a title's words."""


def own_post(cells: Cells) -> str:
    """The id of the post that a line is about; empty where it does not say."""
    post_id = id_of(cells.get("id"), "t3")
    return post_id if 0 < len(post_id) <= LONGEST_ID else _post_in(cells, "permalink")


def commented_post(cells: Cells) -> str:
    """The id of the post that a comment is on; empty where its line does not say."""
    return _post_in(cells, "permalink") or _post_in(cells, "link")


def read_post(post_id: str, cells: Cells, author: str | None) -> Post:
    """A post that the person wrote.

    Args:
        post_id: As `own_post` gives it.
        cells: Its line.
        author: The person's name.
    """
    body, link = plain(cells.get("body")), plain(cells.get("url"))
    link = f"{SITE}{link}" if link.startswith("/") else link
    own = [body, "" if _leads_to(link, post_id) else link]
    text = "\n\n".join(part for part in own if part.strip())
    url, _ = _place(post_id, cells)
    words = Words(text, author, url, moment(cells), lost_as(body))
    return Post(post_id, plain(cells.get("title")), words)


def read_comment(post_id: str, cells: Cells, author: str | None) -> Comment:
    """A comment that the person wrote. What it answers is not in the export: it counts as an answer to the post.

    Args:
        post_id: As `commented_post` gives it.
        cells: Its line.
        author: The person's name.
    """
    found = _path(cells, "permalink")
    comment_id = id_of(cells.get("id"), "t1") or (found["comment"] or "" if found else "").lower()
    fits = found is not None and found["post"].lower() == post_id
    address = f"{SITE}{found.string}" if found and fits else f"{post_address(post_id)}_/{comment_id}/"
    body = plain(cells.get("body"))
    words = Words(body, author, address, moment(cells), lost_as(body))
    return Comment(f"t1_{comment_id}", f"t3_{post_id}", words, depth=0)


def read_commented(post_id: str, cells: Cells) -> Post:
    """What a comment's line tells of the post that it is on: where it is, and the words of its title.

    Args:
        post_id: As `commented_post` gives it.
        cells: The comment's line.
    """
    url, slug = _place(post_id, cells)
    title = " ".join(plain(unquote(slug)).replace("_", " ").split())
    return Post(post_id, title, Words("", None, url, None))


def capture_of(posts: Sequence[Cells], comments: Sequence[Cells]) -> Capture:
    """The lines that a document was made of."""
    return Capture(json.dumps({"posts": posts, "comments": comments}).encode(), "application/json")


def moment(cells: Cells) -> datetime | None:
    """When it was written: `2023-01-05 12:34:56 UTC`."""
    try:
        found = datetime.fromisoformat(cells.get("date", "").strip().removesuffix(" UTC"))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _place(post_id: str, cells: Cells) -> tuple[str, str]:
    """A post's address and its title's words in that, as far as a line of it or of a comment on it tells."""
    found = [path for column in ("permalink", "link") if (path := _path(cells, column))]
    slugs = [(path, _slug(path, cells)) for path in found if path["post"].lower() == post_id]
    if not slugs:
        return post_address(post_id), ""
    path, slug = max(slugs, key=lambda one: bool(one[1]))
    return f"{SITE}{path['front']}{path['post']}/" + (f"{slug}/" if slug else ""), slug


def _slug(found: re.Match[str], cells: Cells) -> str:
    """The words of a post's title in a path. In short ones, the comment's id comes in their place."""
    slug = found["slug"] or ""
    is_other = slug in _NO_SLUGS or (not found["comment"] and slug.lower() == id_of(cells.get("id"), "t1"))
    return "" if is_other else slug


def _leads_to(link: str, post_id: str) -> bool:
    """Whether a link leads to the post that it stands in, as in all that have a text of their own."""
    found = _path({"url": link}, "url")
    return found is not None and found["post"].lower() == post_id


def _post_in(cells: Cells, column: str) -> str:
    found = _path(cells, column)
    return found["post"].lower() if found else ""


def _path(cells: Cells, column: str) -> re.Match[str] | None:
    """A post's or a comment's path in a cell; None if there is none. At whatever host: it is asked for at Reddit's."""
    try:
        path = urlsplit(cells.get(column, "").strip()).path
    except ValueError:
        return None
    return _PATH.fullmatch(path) if path.isprintable() else None

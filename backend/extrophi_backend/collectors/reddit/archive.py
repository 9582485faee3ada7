"""Reddit's data export (reddit.com/settings/data-request): tables of what a person wrote, saved and did there.

The person's messages and addresses are in it as well. Those tables are never opened, and no column of the others is
kept but those that are named here.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from extrophi_backend.archives.models import Contents, Kind, Part
from extrophi_backend.archives.reading import Archive, BadArchive
from extrophi_backend.collectors.reddit.exported import commented_post, own_post
from extrophi_backend.collectors.reddit.parse import plain

_MEMBERS = re.compile(
    r"(?:^|/)(?P<table>posts|comments|saved_posts|saved_comments|statistics|post_votes|comment_votes"
    r"|subscribed_subreddits)\.csv$"
)
_OF_POSTS = {"posts": own_post, "comments": commented_post, "saved_posts": own_post, "saved_comments": commented_post}
"""The tables whose lines belong to a post, and what tells to which."""
_NAMED_BY: Mapping[str, Sequence[frozenset[str]]] = {
    "posts": (frozenset({"id"}), frozenset({"permalink"})),
    "comments": (frozenset({"permalink"}), frozenset({"id", "link"})),
    "saved_posts": (frozenset({"id"}), frozenset({"permalink"})),
    "saved_comments": (frozenset({"permalink"}),),
}
"""Columns that say which post a line belongs to, and which comment it is: one of these sets is needed."""
_TOLD_BY = (frozenset({"id", "permalink"}), frozenset({"subreddit"}))
"""Others have tables of these names, too: Reddit's have one of these sets of columns."""
_KEPT = ("id", "permalink", "date", "subreddit", "gildings", "title", "url", "link", "parent", "body", "media")
"""The address that the person wrote from (`ip`) stands between them."""
_MOST_LINES = 2_000_000
"""Of what a person wrote, and of what they saved. Nobody has so many; each takes 100 bytes of memory at worst."""
_NAME = re.compile(r"[A-Za-z0-9_-]{2,20}", re.ASCII)

Table = Literal["posts", "comments", "saved_posts", "saved_comments"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table, with the post that it belongs to: its id in base 36."""

    table: Table
    post_id: str
    cells: Mapping[str, str]


class Export:
    """The tables of one export. `unreadable` counts the lines so far that do not say which post they belong to.

    Args:
        archive: Where they are.
        members: Their names in it, by table.
        strange: Tables whose columns do not say which post a line belongs to.

    Raises:
        BadArchive.
    """

    def __init__(self, archive: Archive, members: Mapping[str, str], strange: Sequence[str]) -> None:
        self.strange = strange
        self._archive = archive
        self._members = members
        self.unreadable: Counter[str] = Counter()
        self.account = self._account()
        """The person's name at Reddit; None where it is not told."""

    def own(self) -> Iterator[Line]:
        """What the person wrote: posts, then comments. Raises BadArchive."""
        return self._lines("posts", "comments")

    def saved(self) -> Iterator[str]:
        """The ids of the posts that the person saved, or saved comments on, each once. Raises BadArchive."""
        seen: set[str] = set()
        for line in self._lines("saved_posts", "saved_comments"):
            if line.post_id not in seen:
                seen.add(line.post_id)
                yield line.post_id

    def parts(self) -> Sequence[Part]:
        """What is in it, and what becomes of it. Raises BadArchive."""
        counts: Counter[str] = Counter()
        documents: dict[str, dict[str, None]] = {table: {} for table in _OF_POSTS}
        for lines in (self.own(), self._lines("saved_posts", "saved_comments")):
            for line in lines:
                counts[line.table] += 1
                documents[line.table][f"t3_{line.post_id}"] = None
        parts = [
            Part(name, counts[table], becomes, list(documents[table]))
            for table, name, becomes in (
                ("posts", "own posts", "each a document, with what you commented on it"),
                ("comments", "own comments", "each in the document of the post that it is on"),
                ("saved_posts", "saved posts", "each collected from Reddit, with its comments"),
                ("saved_comments", "saved comments", "the post of each collected from Reddit, with its comments"),
            )
        ]
        votes = self._count("post_votes") + self._count("comment_votes")
        subscribed = "subreddits that are subscribed to (`extrophi add` collects one)"
        parts += [Part("votes", votes, ""), Part(subscribed, self._count("subscribed_subreddits"), "")]
        parts += [Part(f"table whose columns are not known: {table}.csv", 1, "") for table in self.strange]
        return [part for part in parts if part.count]

    def _lines(self, *tables: Table) -> Iterator[Line]:
        left = _MOST_LINES
        for table in tables:
            for row in self._rows(table):
                left -= 1
                if left < 0:
                    raise BadArchive("too_large", f"{' and '.join(tables)} have more than {_MOST_LINES:,} lines.")
                post_id = _OF_POSTS[table](row)
                if post_id:
                    yield Line(table, post_id, {name: row[name] for name in _KEPT if row.get(name)})
                else:
                    self.unreadable[table] += 1

    def _rows(self, table: str) -> Iterator[dict[str, str]]:
        """Those of a table that hold anything; none, where there is no such table."""
        if table in self._members:
            yield from (row for row in self._archive.rows(self._members[table]) if any(row.values()))

    def _count(self, table: str) -> int:
        return sum(1 for _ in self._rows(table))

    def _account(self) -> str | None:
        for row in self._rows("statistics"):
            name = plain(row.get("value")).strip()
            if row.get("statistic") == "account name" and _NAME.fullmatch(name):
                return name
        return None


def export_in(archive: Archive) -> Export | None:
    """The export that an archive holds; None if it holds none. Of several, the first by its folder's name.

    Raises:
        BadArchive.
    """
    found = _export_members(archive)
    if found is None:
        return None
    strange = [table for table, name in found.items() if not _is_read(archive, table, name)]
    return Export(archive, {table: name for table, name in found.items() if table not in strange}, strange)


def _export_members(archive: Archive) -> Mapping[str, str] | None:
    """The names of an export's tables, by table; None if there is none."""
    folders: dict[str, dict[str, str]] = {}
    for name in sorted(archive.names):
        found = _MEMBERS.search(name)
        if found:
            folders.setdefault(name[: found.start()], {})[found["table"]] = name
    for _, members in sorted(folders.items()):
        if any(_is_ours(archive, table, name) for table, name in members.items()):
            return members
    return None


def _is_ours(archive: Archive, table: str, member: str) -> bool:
    """Whether a table is one of Reddit's, and not just called so."""
    if table not in _OF_POSTS or not _is_read(archive, table, member):
        return False
    names = _columns(archive, member)
    return any(names >= one for one in _TOLD_BY)


def _is_read(archive: Archive, table: str, member: str) -> bool:
    """Whether something can be made of a table."""
    if table not in _OF_POSTS:
        return True
    names = _columns(archive, member)
    return any(names >= one for one in _NAMED_BY[table])


def _columns(archive: Archive, member: str) -> frozenset[str]:
    return frozenset(next(archive.lines(member), ()))


def _look(archive: Archive) -> Contents | None:
    export = export_in(archive)
    if export is None:
        return None
    title = f"Reddit, the data of u/{export.account}" if export.account else "Reddit, a data export"
    return Contents("reddit", title, export.parts())


def _sent(archive: Archive, name: str) -> Iterator[str] | None:
    """The columns that are kept; of the statistics the account's name. Votes and subscriptions are counted, no more."""
    match = _MEMBERS.search(name)
    if match is None:
        return None
    table = match["table"]
    if table == "statistics":
        rows = (row for row in archive.rows(name) if row.get("statistic") == "account name")
        return _as_table(("statistic", "value"), rows)
    if table not in _OF_POSTS:
        return _as_table(("id",), ({"id": "1"} for _ in archive.rows(name)))
    if name not in (_export_members(archive) or {}).values():
        return None
    # Of a table that cannot be read its name alone is sent, so that it is told of.
    return _as_table(_KEPT, archive.rows(name)) if _is_read(archive, table, name) else iter(())


def _as_table(names: Sequence[str], rows: Iterable[Mapping[str, str]]) -> Iterator[str]:
    yield _as_line({name: name for name in names}, names)
    for row in rows:
        yield _as_line(row, names)


def _as_line(row: Mapping[str, str], names: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([row.get(name, "") for name in names])
    return out.getvalue()


KIND = Kind("reddit", _MEMBERS, _look, _sent)

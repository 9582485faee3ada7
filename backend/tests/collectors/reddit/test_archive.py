"""Reddit's data export: what a person wrote, out of the archive itself; what they saved, from Reddit."""

import csv
import io
import json
import random
import tracemalloc
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extrophi_backend.archives.models import TARGET
from extrophi_backend.archives.reading import Archive
from extrophi_backend.collectors.models import Collected, Run, Target
from extrophi_backend.collectors.reddit import archive as export
from extrophi_backend.collectors.reddit.exported import commented_post, own_post, read_comment, read_commented
from extrophi_backend.collectors.reddit.target import recognise
from extrophi_backend.db import Pool
from extrophi_backend.errors import PlatformUnavailable, Refused
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.index.chunking import chunk_spans
from tests.collecting import Library
from tests.platforms.reddit import WINDOW_SECONDS, RedditServer, Reply, make_thread

pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")

SITE = "https://www.reddit.com"
IP = "203.0.113.77"
POSTS = ("id", "permalink", "date", "ip", "subreddit", "gildings", "title", "url", "body")
COMMENTS = ("id", "permalink", "date", "ip", "subreddit", "gildings", "link", "parent", "body", "media")
SAVED = ("id", "permalink")
BIRDS = f"{SITE}/r/birds/comments"
MINE = Target("reddit", f"{TARGET}0190b5a0-0000-7000-8000-000000000000", "export_ada_20250101.zip")

Rows = Sequence[Sequence[str]]


def table(names: Sequence[str], rows: Rows) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([names, *rows])
    return out.getvalue()


def post(post_id: str, title: str, body: str, *, url: str = "", day: int = 1) -> list[str]:
    permalink = f"{BIRDS}/{post_id}/a_title/"
    return [post_id, permalink, f"2023-01-{day:02d} 12:34:56 UTC", IP, "birds", "0", title, url or permalink, body]


def comment(comment_id: str, post_id: str, body: str, *, day: int = 1, slug: str = "the_grey_heron/") -> list[str]:
    permalink = f"{BIRDS}/{post_id}/{slug}{comment_id}/"
    link = f"{BIRDS}/{post_id}/"
    return [comment_id, permalink, f"2023-01-{day:02d} 00:00:01 UTC", IP, "birds", "0", link, "", body, ""]


def export_of(
    *, posts: Rows = (), comments: Rows = (), saved: Rows = (), saved_comments: Rows = (), account: str = "Ada-L"
) -> dict[str, str]:
    """The members of an export, those that are never opened among them."""
    return {
        "posts.csv": table(POSTS, posts),
        "comments.csv": table(COMMENTS, comments),
        "saved_posts.csv": table(SAVED, saved),
        "saved_comments.csv": table(SAVED, saved_comments),
        "statistics.csv": table(("statistic", "value"), [("export time", "x"), ("account name", account)]),
        "post_headers.csv": table(POSTS[:-1], [one[:-1] for one in posts]),
        "messages.csv": table(("id", "body"), [("m1", "a private message")]),
        "ip_logs.csv": table(("date", "ip"), [("2023", IP)]),
    }


def packed(members: Mapping[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, body in members.items():
            zipped.writestr(name, body)
    return out.getvalue()


def opened(members: Mapping[str, str | bytes]) -> Archive:
    return Archive(io.BytesIO(packed(members)))


@dataclass
class Kept:
    """The archive that is kept, whatever it is asked for by."""

    body: bytes
    opened: int = 0

    async def open(self, target: str) -> Archive:
        assert target == MINE.canonical
        self.opened += 1
        return Archive(io.BytesIO(self.body))


async def imported(make: Any, members: Mapping[str, str | bytes], library: Library, **more: Any) -> Library:
    await library.collect(make(archives=Kept(packed(members))), MINE, **more)
    return library


def contents(library: Library) -> dict[str, Collected]:
    """Without the versions that they were made from: those are other ones each time."""
    return {name: replace(one, based_on=None) for name, one in sorted(library.documents.items())}


def at(day: int, hour: int = 0, minute: int = 0, second: int = 1) -> datetime:
    return datetime(2023, 1, day, hour, minute, second, tzinfo=UTC)


WRITTEN = export_of(
    posts=[
        post("p1", "Herons, again", 'First “quoted”,\r\nin two lines.\n\nA "second", paragraph  with spaces. ', day=4),
        post("p2", "A link", "", url="https://example.org/a?b=1&c=2", day=2),
        post("p3", "Only a title", "", url="/r/birds/comments/p3/a_title/"),
        post("p4", "Passed on", "Look:", url="/r/news/comments/zz9/other/"),
        post("p5", "Taken back", "[deleted]"),
    ],
    comments=[
        comment("c3", "p1", "My own answer.", day=6),
        comment("c1", "x9", "Later.\n\n# Loud", day=9),
        comment("c2", "x9", "Earlier.", day=3),
        comment("c4", "x8", "In short.", slug=""),
        comment("c5", "x7", "In the new way.", slug="comment/"),
        comment("c6", "x6", "   "),
    ],
)


async def test_what_a_person_wrote_is_stored_field_by_field(server: RedditServer, make: Any) -> None:
    library = await imported(make, WRITTEN, Library())
    documents = library.documents
    assert [*documents] == ["t3_x9", "t3_x8", "t3_x7", "t3_p5", "t3_p4", "t3_p3", "t3_p2", "t3_p1"]
    assert not library.failures
    assert not server.asked

    own = documents["t3_p1"]
    said = 'First “quoted”,\r\nin two lines.\n\nA "second", paragraph  with spaces. '
    assert own.text == f"{said}\n\nMy own answer."
    assert (own.title, own.author, own.format) == ("Herons, again", "Ada-L", "markdown")
    assert own.url == f"{BIRDS}/p1/a_title/"
    assert own.published_at == at(4, 12, 34, 56)
    first, second = own.anchors
    assert (first.offset, first.author, first.url, first.published_at, first.depth) == (
        0, "Ada-L", own.url, own.published_at, None,
    )  # fmt: skip
    assert (second.offset, second.author, second.depth, second.score) == (len(said) + 2, "Ada-L", 0, None)
    assert (second.url, second.published_at) == (f"{BIRDS}/p1/the_grey_heron/c3/", at(6))
    assert [block.begins for block in own.blocks] == [True, False, True]

    assert documents["t3_p2"].text == "https://example.org/a?b=1&c=2"
    assert documents["t3_p3"].text == "Only a title"
    assert documents["t3_p4"].text == f"Look:\n\n{SITE}/r/news/comments/zz9/other/"
    assert documents["t3_p5"].anchors[0].state == "deleted"

    others = documents["t3_x9"]
    assert others.text == "Earlier.\n\nLater.\n\n# Loud"
    assert (others.title, others.author, others.published_at) == ("the grey heron", None, None)
    assert others.url == f"{BIRDS}/x9/the_grey_heron/"
    assert [(one.author, one.published_at, one.url, one.depth) for one in others.anchors] == [
        ("Ada-L", at(3), f"{BIRDS}/x9/the_grey_heron/c2/", 0),
        ("Ada-L", at(9), f"{BIRDS}/x9/the_grey_heron/c1/", 0),
    ]
    assert not any(block.level for block in others.blocks)
    for document in documents.values():
        for earlier, later in pairwise(document.anchors):
            spans = chunk_spans(document.text, document.blocks)
            assert not any(span.start < later.offset < span.end for span in spans), (earlier, later)

    short, new = documents["t3_x8"], documents["t3_x7"]
    assert (short.title, short.url, short.anchors[0].url) == (
        "",
        f"{BIRDS}/x8/",
        f"{BIRDS}/x8/c4/",
    )
    assert (new.title, new.url, new.anchors[0].url) == ("", f"{BIRDS}/x7/", f"{BIRDS}/x7/comment/c5/")


async def test_the_capture_is_the_lines_and_nothing_has_the_address_that_was_written_from(make: Any) -> None:
    library = await imported(make, WRITTEN, Library())
    kept = library.documents["t3_p1"].capture
    assert kept is not None
    assert kept.media_type == "application/json"
    lines = json.loads(kept.body)
    assert lines["posts"][0]["title"] == "Herons, again"
    assert [one["id"] for one in lines["comments"]] == ["c3"]
    assert "ip" not in lines["posts"][0]
    everything = repr([library.documents, library.notes, library.cursor, library.suspects, library.failures])
    assert IP not in everything
    assert "private message" not in everything


async def test_columns_may_be_missing_or_stand_elsewhere(make: Any) -> None:
    members = {
        "a b/posts.csv": "\ufeff"
        + table(("body", "new", "permalink", "id"), [("Words.", "?", f"{BIRDS}/p1/x/", "p1")]),
        "a b/comments.csv": table(("id", "permalink", "link", "body"), [("c1", "", f"{BIRDS}/q1/of_gulls/", "Mine.")]),
        "z/posts.csv": table(POSTS, [post("p9", "Another export", "is not mixed in.")]),
    }
    library = await imported(make, members, Library())
    assert [*library.documents] == ["t3_q1", "t3_p1"]
    own, other = library.documents["t3_p1"], library.documents["t3_q1"]
    assert (own.text, own.title, own.author, own.published_at) == ("Words.", "", None, None)
    assert (other.title, other.url) == ("of gulls", f"{BIRDS}/q1/of_gulls/")
    assert other.anchors[0].url == f"{SITE}/comments/q1/_/c1/"


def without(column: str, members: dict[str, str]) -> dict[str, str]:
    """An export in which no table has this column."""
    cut: dict[str, str] = {}
    for name, body in members.items():
        rows = [*csv.reader(io.StringIO(body))]
        at = rows[0].index(column) if column in rows[0] else len(rows[0])
        cut[name] = table([*rows[0][:at], *rows[0][at + 1 :]], [[*row[:at], *row[at + 1 :]] for row in rows[1:]])
    return cut


def sent(members: Mapping[str, str]) -> dict[str, str]:
    """As `extrophi import` sends it."""
    archive = opened(members)
    parts = {name: export.KIND.sent(archive, name) for name in members if export.KIND.members.search(name)}
    return {name: "".join(part) for name, part in parts.items() if part is not None}


@pytest.mark.parametrize("column", ["permalink", "id", "subreddit", "date", "link", "body", "gildings"])
async def test_no_column_alone_is_needed(make: Any, column: str) -> None:
    members = export_of(
        posts=[post("p1", "Mine", "Words.")], comments=[comment("c1", "p1", "More."), comment("c2", "q1", "Else.")]
    )
    del members["saved_comments.csv"]  # it has nothing else to tell by
    for form in (without(column, members), sent(without(column, members))):
        library = await imported(make, form, Library())
        text = {} if column == "body" else {"t3_p1": "Words.\n\nMore.", "t3_q1": "Else."}
        assert {name: one.text for name, one in library.documents.items()} == (text or {"t3_p1": "Mine"})
        assert not library.failures


async def test_a_table_that_cannot_be_read_is_told_of_and_hides_no_other(make: Any) -> None:
    members = {
        "posts.csv": table(("date", "title", "body"), [("2023", "Mine", "SECRET")]),
        "comments.csv": table(COMMENTS, [comment("c1", "q1", "Mine.")]),
        "other/posts.csv": table(("date", "title", "body"), [("2023", "Not Reddit's", "SECRET")]),
    }
    packed_up = sent(members)
    assert {*packed_up} == {"posts.csv", "comments.csv"}
    assert "SECRET" not in str(packed_up)
    for form in (members, packed_up):
        found = export.KIND.look(opened(form))
        assert found is not None
        assert [(part.name, part.count, bool(part.becomes)) for part in found.parts] == [
            ("own comments", 1, True),
            ("table whose columns are not known: posts.csv", 1, False),
        ]
        library = await imported(make, form, Library())
        assert {*library.documents} == {"t3_q1"}
        assert [(one.target, one.code, one.detail) for one in library.failures] == [
            (
                MINE.typed,
                "unknown_part",
                "posts.csv has no column that says which post a line belongs to, and was passed over.",
            )
        ]


async def test_lines_that_are_cut_or_odd_are_counted_and_the_rest_is_kept(make: Any) -> None:
    members = export_of(
        posts=[
            post("p1", "Nul \x00 in it", "a\x00b \ud800".encode("utf-8", "replace").decode()),
            ["p2"],
            ["", "x"],
            [],
        ],
        comments=[["c1"], ["c2", "https://[broken", "", "", "", "", "", "", "lost"], comment("c3", "q1", "Kept.")],
        saved=[("", "nowhere"), ("x" * 13, "/r/x/comments/")],
    )
    members["comments.csv"] = members["comments.csv"].rstrip("\r\n,")  # broken off in its last line
    library = await imported(make, members, Library())
    assert {*library.documents} == {"t3_p1", "t3_q1"}
    assert library.documents["t3_p1"].title == "Nul \ufffd in it"
    assert library.documents["t3_p1"].text == "a\ufffdb ?"
    assert {(one.target, one.code) for one in library.failures} == {(MINE.typed, "unknown_part")}
    assert [one.detail for one in library.failures] == [
        "2 lines of comments.csv do not say which post they belong to, and were passed over.",
        "A line of posts.csv does not say which post it belongs to, and was passed over.",
        "2 lines of saved_posts.csv do not say which post they belong to, and were passed over.",
    ]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"posts.csv": table(POSTS, [post("p1", "Huge", "x" * 200_000)])}, "unreadable"),
        ({"posts.csv": 'id,permalink\np1,"never closed' + "x" * 200_000}, "unreadable"),
        ({"posts.csv": "title,body\nof,another\n"}, "unreadable"),
        ({"notes.txt": "nothing"}, "unreadable"),
    ],
)
async def test_what_cannot_be_read_is_refused(make: Any, members: dict[str, str], code: str) -> None:
    library = Library()
    with pytest.raises(Refused) as refused:
        await imported(make, members, library)
    assert refused.value.code == code
    assert not library.documents


async def test_where_nothing_is_kept_it_is_said(make: Any) -> None:
    with pytest.raises(Refused) as refused:
        await Library().collect(make(), MINE)
    assert refused.value.code == "archive_gone"


@pytest.mark.parametrize("folder", ["", "export/", "../../etc/", "/", "C:\\temp/", "a/../b/"])
def test_an_export_is_told_by_its_tables_wherever_they_lie(folder: str) -> None:
    archive = opened({folder + name: body for name, body in WRITTEN.items()})
    read = [name for name in archive.names if export.KIND.members.search(name)]
    tables = ("posts", "comments", "saved_posts", "saved_comments", "statistics")
    assert {*read} == {f"{folder}{table}.csv" for table in tables}
    found = export.KIND.look(archive)
    assert found is not None
    assert (found.platform, found.title) == ("reddit", "Reddit, the data of u/Ada-L")
    assert [(part.name, part.count, bool(part.becomes)) for part in found.parts] == [
        ("own posts", 5, True),
        ("own comments", 6, True),
    ]
    assert found.parts[1].external_ids == ["t3_p1", "t3_x9", "t3_x8", "t3_x7", "t3_x6"]


@pytest.mark.parametrize(
    "members",
    [
        {"Takeout/YouTube/comments/comments.csv": "Comment ID,Channel ID,Comment Text\nx,y,z\n"},
        {"posts.csv": "id,title,score\n1,2,3\n"},
        {"posts.csv": "id,date,title,body\n1,2023,A blog,x\n"},
        {"posts.csv": ""},
        {"statistics.csv": "statistic,value\naccount name,ada\n"},
        {"old_posts.csv": table(POSTS, []), "posts.csv.bak": table(POSTS, [])},
    ],
)
def test_tables_of_others_are_none_of_ours(members: dict[str, str]) -> None:
    assert export.KIND.look(opened(members)) is None


@pytest.mark.parametrize("name", ["", "a b", "x" * 21, "<script>", "\x00\x00"])
def test_a_name_that_is_none_is_left_out(name: str) -> None:
    found = export.KIND.look(opened(export_of(account=name)))
    assert found is not None
    assert found.title == "Reddit, a data export"


SAVING = export_of(
    posts=[post("aaa", "Mine", "A post of mine.")],
    comments=[comment("c1", "bbb", "A comment of mine.")],
    saved=[("ccc", f"{BIRDS}/ccc/x/"), ("t3_ddd", ""), ("gone1", f"{BIRDS}/gone1/x/"), ("ccc", "")],
    saved_comments=[("k1", f"{BIRDS}/bbb/x/k1/"), ("k2", f"{BIRDS}/eee/k2/"), ("k3", f"{BIRDS}/ddd/x/k3/")],
)


async def test_what_was_saved_is_collected_from_reddit_each_once(server: RedditServer, make: Any) -> None:
    for name in ("aaa", "bbb", "ccc", "ddd", "eee"):
        server.add(make_thread(name, comments=2))
    library = await imported(make, SAVING, Library())
    assert [one.removeprefix("t3_") for one in library.documents] == ["bbb", "aaa", "ccc", "ddd", "eee"]
    assert server.asked == {
        "/api/v1/access_token": 1, "/api/info": 1,
        "/comments/bbb": 1, "/comments/ccc": 1, "/comments/ddd": 1, "/comments/eee": 1,
    }  # fmt: skip
    assert [(one.target, one.code) for one in library.failures] == [(f"{SITE}/comments/gone1/", "not_found")]
    for name in ("bbb", "ccc", "ddd", "eee"):
        assert library.documents[f"t3_{name}"].validators["way"] == "oauth"
        assert len(library.documents[f"t3_{name}"].anchors) == 3
    assert library.documents["t3_aaa"].validators["way"] == "archive"
    assert library.cursor == {"done": True}
    before = contents(library)
    server.asked.clear()
    await imported(make, SAVING, library)
    assert contents(library) == before
    assert {*library.versions.values()} == {1, 2}
    assert sorted(library.unchanged) == ["t3_bbb", "t3_bbb", "t3_ccc", "t3_ddd", "t3_eee"]
    assert server.asked == {"/api/v1/access_token": 1, "/api/info": 1}


async def test_what_another_job_brings_meanwhile_is_not_replaced_by_an_import(server: RedditServer, make: Any) -> None:
    server.add(make_thread("aaa", comments=2))
    server.add(make_thread("bbb", comments=2))
    library = Library()
    collector = make(
        archives=Kept(packed(export_of(posts=[post("aaa", "Mine", "Text.")], comments=[comment("c1", "bbb", "Mine.")])))
    )
    run = Run(MINE, 1000, None, library, library.suspect)
    async with aclosing(collector.collect(run)) as pages:
        page = await anext(pages)
        assert {one.external_id: one.based_on for one in page.documents} == {"t3_aaa": 0, "t3_bbb": 0}
        await library.collect(collector, Target("reddit", f"{SITE}/comments/bbb/", "redd.it/bbb"))
        with pytest.raises(AssertionError, match="t3_bbb"):  # as the library refuses it
            library.save(page)
    library.cursor = None
    await library.collect(collector, MINE, resume=True)
    assert library.unchanged == ["t3_bbb"]
    ways = {name: one.validators["way"] for name, one in library.documents.items()}
    assert ways == {"t3_aaa": "archive", "t3_bbb": "oauth"}


async def test_a_feed_replaces_a_post_of_an_export_and_not_ones_own_comments(
    server: RedditServer, make: Any, keys: Any
) -> None:
    keys.values.clear()
    for name in ("aaa", "bbb", "ccc"):
        server.add(make_thread(name, comments=2), "/r/selfhosted/new")
    posts = [post("aaa", "Mine", "A post of mine."), post("ccc", "Mine as well", "Another.")]
    comments = [comment("c1", "bbb", "A comment of mine."), comment("c2", "ccc", "An answer of mine.")]
    library = await imported(make, export_of(posts=posts, comments=comments), Library())
    for purpose in ("all", "new"):
        await library.collect(make(), Target("reddit", f"{SITE}/r/selfhosted/new/", "r/selfhosted"), purpose=purpose)
        ways = {name: one.validators["way"] for name, one in library.documents.items()}
        assert ways == {"t3_aaa": "feed", "t3_bbb": "archive", "t3_ccc": "archive"}
    assert library.documents["t3_aaa"].based_on == 1
    assert library.documents["t3_ccc"].text == "Another.\n\nAn answer of mine."


async def test_without_an_app_what_was_saved_comes_by_its_feeds(server: RedditServer, make: Any, keys: Any) -> None:
    keys.values.clear()
    for name in ("ccc", "ddd", "eee"):
        server.add(make_thread(name, comments=2))
    library = await imported(make, SAVING, Library())
    assert [one.removeprefix("t3_") for one in library.documents] == ["bbb", "aaa", "ccc", "ddd", "eee"]
    assert library.documents["t3_ccc"].validators["way"] == "post_feed"
    assert [(one.target, one.code) for one in library.failures] == [(f"{SITE}/comments/gone1/", "not_found")]
    assert library.gone == {"t3_bbb"}  # what was said there is kept


async def test_where_feeds_are_refused_again_and_again_the_job_ends_and_says_why(
    server: RedditServer, make: Any, keys: Any
) -> None:
    keys.values.clear()
    saved = [f"s{at:03d}" for at in range(50)]
    for one in saved:
        server.replies[f"/comments/{one}"] = Reply(403, "<html>blocked</html>", "text/html")
    members = export_of(posts=[post("p1", "Mine", "Mine.")], saved=[(one, "") for one in saved])
    library = Library()
    with pytest.raises(Refused) as refused:
        await imported(make, members, library)
    assert refused.value.code == "http_403"
    assert "app of your own" in refused.value.hint
    assert {*library.documents} == {"t3_p1"}
    assert len(library.failures) == sum(server.asked.values()) == 10


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
async def test_the_limit_counts_all_documents(server: RedditServer, make: Any, limit: int) -> None:
    for name in ("bbb", "ccc", "ddd", "eee"):
        server.add(make_thread(name))
    own, saved = ["t3_bbb", "t3_aaa"], ["t3_ccc", "t3_ddd", "t3_bbb", "t3_eee"]
    library = Library()
    given: list[str] = []
    for page in await library.collect(make(archives=Kept(packed(SAVING))), MINE, limit=limit):
        given += [one.external_id for one in page.documents]
    assert given == [*own, *saved][:limit]


async def test_a_better_way_is_never_replaced_and_replaces_it(server: RedditServer, make: Any, keys: Any) -> None:
    server.add(make_thread("aaa", comments=2), "/r/birds/new")
    birds = recognise("r/birds")
    assert birds is not None
    written = export_of(posts=[post("aaa", "Mine", "As I wrote it.")], comments=[comment("c1", "aaa", "And more.")])
    library = await imported(make, written, Library())
    assert library.documents["t3_aaa"].text == "As I wrote it.\n\nAnd more."
    await library.collect(make(), birds)
    assert library.documents["t3_aaa"].validators["way"] == "oauth"
    whole = library.documents["t3_aaa"]
    await imported(make, written, library)
    assert library.unchanged == ["t3_aaa"]
    assert library.documents["t3_aaa"] == whole
    keys.values.clear()
    by_feed = Library()
    await imported(make, export_of(posts=[post("aaa", "Mine", "As I wrote it.")]), by_feed)
    await by_feed.collect(make(), birds)
    assert by_feed.documents["t3_aaa"].validators["way"] == "feed"
    await imported(make, written, by_feed)
    assert by_feed.unchanged == ["t3_aaa"]


async def test_a_newer_export_adds_and_an_older_one_takes_nothing_away(make: Any) -> None:
    older = export_of(posts=[post("p1", "Mine", "Mine.", day=2)], comments=[comment("c1", "q1", "One.", day=3)])
    newer = export_of(
        posts=[post("p1", "Mine", "Mine.", day=2), post("p2", "New", "New.", day=9)],
        comments=[comment("c1", "q1", "One.", day=3), comment("c2", "q1", "Two.", day=8)],
    )
    library = await imported(make, older, Library())
    await imported(make, newer, library)
    assert library.versions == {"t3_p1": 1, "t3_q1": 2, "t3_p2": 1}
    assert library.documents["t3_q1"].text == "One.\n\nTwo."
    after = contents(library)
    await imported(make, older, library)
    assert contents(library) == after
    assert sorted(library.unchanged) == ["t3_p1", "t3_q1"]
    await imported(make, newer, library)
    assert library.versions == {"t3_p1": 1, "t3_q1": 2, "t3_p2": 1}


def large(server: RedditServer) -> dict[str, str]:
    """So much that each of its stages has several pages."""
    saved = [f"s{number:04d}" for number in range(230)]
    for one in saved:
        server.add(make_thread(one))
    posts = [post(f"p{number:03d}", f"Title {number}", f"Text {number}.") for number in range(60)]
    comments = [
        comment(f"c{number:03d}", f"p{number * 7 % 90:03d}", f"Comment {number}.", day=number % 28 + 1)
        for number in range(200)
    ]
    return export_of(posts=posts, comments=comments, saved=[(one, "") for one in saved])


@pytest.mark.parametrize("after", range(1, 12))
async def test_a_run_that_is_killed_after_any_page_goes_on_to_the_same_end(
    server: RedditServer, make: Any, after: int
) -> None:
    members = large(server)
    undisturbed, kept = Library(), Kept(packed(members))
    pages = await undisturbed.collect(make(archives=kept), MINE)
    assert 8 <= len(pages) <= 11
    assert len(undisturbed.documents) == 90 + 230
    library = Library()
    given = await library.collect(make(archives=kept), MINE, pages=after)
    json.dumps(library.cursor)
    if len(given) == after < len(pages):
        given += await library.collect(make(archives=kept), MINE, resume=True)
    assert contents(library) == contents(undisturbed)
    assert [*library.documents] == [*undisturbed.documents]
    assert sum(len(page.documents) for page in given) == 320
    assert {*library.versions.values()} == {1}
    assert library.cursor == {"done": True}
    assert await library.collect(make(archives=kept), MINE, resume=True) == []


async def test_it_goes_on_where_reddit_asked_to_wait(
    server: RedditServer, make: Any, paced: Fetcher, loop_time: list[float]
) -> None:
    members = large(server)
    for thread in server.threads.values():
        thread.add(f"k{thread.post['id']}", "A comment.")
    undisturbed = await imported(make, members, Library())
    server.asked.clear()
    kept, library, waits = Kept(packed(members)), Library(), 0
    collector = make(archives=kept, way_out=paced)
    server.remaining = 60
    while library.cursor != {"done": True}:
        try:
            await library.collect(collector, MINE, resume=True)
        except PlatformUnavailable:
            waits += 1
            server.remaining = 60
            loop_time[0] += WINDOW_SECONDS
    assert waits >= 3
    assert contents(library) == contents(undisturbed)
    assert {server.asked[f"/comments/{one}"] for one in server.threads} == {1}
    assert kept.opened <= 5  # for what was written, for each hundred of the saved ones, and to find their end


async def test_thrice_as_many_comments_take_no_more_memory(make: Any) -> None:
    async def peak(comments: int) -> int:
        """Bytes at most, where each page is forgotten as soon as it is saved."""
        places = [*range(comments)]
        random.Random(1).shuffle(places)
        out, number = io.BytesIO(), 0
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped, zipped.open("comments.csv", "w") as member:
            member.write(table(COMMENTS, []).encode())
            for at in places:
                member.write(table(comment(f"c{at}", f"q{at // 4:05d}", "Herons wait. " * 500), []).encode())
        library = Library()
        run = Run(MINE, 100_000, None, library, library.suspect)
        tracemalloc.start()
        async with aclosing(make(archives=Kept(out.getvalue())).collect(run)) as pages:
            async for page in pages:
                number += len(page.documents)
                assert len(page.documents) <= 50
        assert number == comments // 4
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    await peak(400)  # what is made once
    short, long = await peak(3000), await peak(9000)
    assert long < short + 3_000_000  # their texts are 39 MB more


async def test_more_of_one_post_than_a_document_takes_is_counted(make: Any) -> None:
    comments = [comment(f"c{at}", "q1", "x" * 1000) for at in range(9000)]
    library = await imported(make, export_of(comments=comments), Library())
    had = len(library.documents["t3_q1"].anchors)
    assert 5000 < had < 9000
    (failure,) = library.failures
    assert (failure.target, failure.code) == (f"{SITE}/comments/q1/", "more_left")
    assert f"{9000 - had:,} comments of your own" in failure.detail


def test_too_many_lines_are_refused(monkeypatch: pytest.MonkeyPatch, make: Any) -> None:
    monkeypatch.setattr(export, "_MOST_LINES", 3)
    members = export_of(comments=[comment(f"c{at}", "q1", "x") for at in range(4)])
    with pytest.raises(Exception, match="too_large"):
        export.KIND.look(opened(members))


PIECES = st.sampled_from(
    [
        "",
        "t3_abc",
        "abc",
        "/r/x/comments/abc/y/def/",
        f"{BIRDS}/abc/",
        "https://[",
        "\x00",
        "2023-01-05 12:34:56 UTC",
        "é",
    ]
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from(COMMENTS + POSTS), st.text() | PIECES))
def test_a_line_of_any_content_is_read_or_left(cells: dict[str, str]) -> None:
    for post_id in (own_post(cells), commented_post(cells)):
        if post_id:
            read, commented = read_comment(post_id, cells, "ada"), read_commented(post_id, cells)
            for url in (read.words.address, commented.words.address):
                assert url.startswith(f"{SITE}/")
                assert url.isprintable()
            assert commented.id == post_id
            assert "\x00" not in read.words.text + commented.title


@pytest.mark.parametrize("seed", range(20))
async def test_tables_that_are_mangled_end_in_documents_or_a_refusal(make: Any, seed: int, keys: Any) -> None:
    keys.values.clear()
    chance = random.Random(seed)
    members: dict[str, str | bytes] = {}
    for name, body in WRITTEN.items():
        mangled = bytearray(body.encode())
        for _ in range(chance.randrange(8)):
            place = chance.randrange(len(mangled) + 1)
            mangled[place : place + chance.randrange(30)] = chance.randbytes(chance.randrange(6))
        members[name] = bytes(mangled)
    library = Library()
    with suppress(Refused):
        await imported(make, members, library)
        assert library.cursor == {"done": True}
    assert {one.code for one in library.failures} <= {"unknown_part"}


async def test_a_dry_run_over_http_says_what_is_in_it(api: httpx.AsyncClient, pool: Pool) -> None:
    one = {"platform": "reddit", "external_id": "t3_bbb", "text": "Herons."}
    (await api.post("/documents", json={"documents": [one]})).raise_for_status()
    members = SAVING | {
        "post_votes.csv": "id,permalink,direction\naaa,x,up\nbbb,x,down\n",
        "subscribed_subreddits.csv": "subreddit\nbirds\n",
    }
    files = {"file": ("export.zip", packed(members), "application/zip")}
    answer = await api.post("/archives", files=files, data={"dry_run": "true"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["platform"], told["title"]) == ("reddit", "Reddit, the data of u/Ada-L")
    assert [(part["name"], part["count"], part["known"], bool(part["becomes"])) for part in told["parts"]] == [
        ("own posts", 1, 0, True),
        ("own comments", 1, 1, True),
        ("saved posts", 4, 0, True),
        ("saved comments", 3, 1, True),
        ("votes", 2, 0, False),
        ("subreddits that are subscribed to (`extrophi add` collects one)", 1, 0, False),
    ]
    assert IP not in answer.text
    assert await pool.fetchval("SELECT count(*) FROM archives") == 0
    answer = await api.post("/archives", files=files)
    assert (answer.status_code, answer.json()["job"]["platform"]) == (202, "reddit")

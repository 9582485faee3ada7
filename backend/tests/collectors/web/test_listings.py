import gzip
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extrophi_backend.collectors.web.listings import is_listing, read_listing
from extrophi_backend.collectors.web.models import Entry, Listing

URL = "https://site.example/feeds/all.xml"

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Site</title><link>https://site.example/</link>
<item><title>One &amp; only</title><link>/one</link><dc:creator>Ada</dc:creator>
<pubDate>Mon, 01 Jun 2026 10:00:00 +0200</pubDate><description>Short.</description></item>
<item><title>Two</title><link>https://site.example/two</link></item>
<item><title>Two again</title><link>https://site.example/two</link></item>
<item><title>A note</title><guid isPermaLink="false">note-3</guid>
<description>&lt;p&gt;It has no page.&lt;/p&gt;</description></item>
<item><title>Nothing</title></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://site.example/blog/"><title>Site</title>
<author><name>Ben</name></author>
<entry><id>tag:1</id><title type="html">On &lt;b&gt;bold&lt;/b&gt;</title><link rel="alternate" href="three"/>
<link rel="self" href="three.atom"/><updated>2026-06-02T08:00:00Z</updated></entry></feed>"""
RDF = """<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
<item rdf:about="https://site.example/four"><title>Four</title><link>https://site.example/four</link></item></rdf:RDF>"""
JSON_FEED = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Site",
        "items": [
            {"id": "5", "url": "five", "title": "Five", "authors": [{"name": "Cleo"}, {"name": "Dan"}],
             "date_published": "2026-06-03T10:00:00+02:00", "content_html": "<p>all of it</p>"},
            {"id": "6", "content_text": "No page <of> its own.\n\nBut text."},
            "nonsense", {"id": 7}, {"url": 8, "title": ["x"]},
        ],
    }
)  # fmt: skip
SITEMAP = """<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
 xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc> https://site.example/a?x=1&amp;y=2 </loc><image:image><image:loc>https://site.example/a.png</image:loc></image:image></url>
<url><loc>https://site.example/b</loc><lastmod>2026-01-01</lastmod></url><url><loc>https://site.example/b</loc></url>
<url><loc>javascript:alert(1)</loc></url><url/></urlset>"""
INDEX = """<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>https://site.example/1.xml.gz</loc></sitemap>
</sitemapindex>"""


def read(body: str | bytes, media_type: str = "text/html") -> Listing | None:
    raw = body.encode() if isinstance(body, str) else body
    assert is_listing(raw, media_type)
    return read_listing(raw, URL, media_type)


def test_rss() -> None:
    found = read(RSS)
    assert found is not None
    assert found.entries == (
        Entry("https://site.example/one", "One & only", "Ada", datetime(2026, 6, 1, 8, tzinfo=UTC), "Short."),
        Entry("https://site.example/two", "Two"),
        Entry(f"{URL}#note-3", "A note", content="<p>It has no page.</p>", linked=False),
    )


def test_atom() -> None:
    found = read(ATOM)
    assert found is not None
    published = datetime(2026, 6, 2, 8, tzinfo=UTC)
    assert found.entries == (
        Entry("https://site.example/blog/three", "On bold", "Ben", published, changed="2026-06-02T08:00:00Z"),
    )


def test_rdf() -> None:
    found = read(RDF)
    assert found is not None
    assert [entry.url for entry in found.entries] == ["https://site.example/four"]


def test_json_feed() -> None:
    found = read(JSON_FEED, "application/feed+json")
    assert found is not None
    assert found.entries == (
        Entry(
            "https://site.example/feeds/five",
            "Five",
            "Cleo, Dan",
            datetime(2026, 6, 3, 8, tzinfo=UTC),
            "<p>all of it</p>",
        ),
        Entry(f"{URL}#6", content="<p>No page &lt;of&gt; its own.</p><p>But text.</p>", linked=False),
    )


@pytest.mark.parametrize("pack", [lambda body: body, gzip.compress])
def test_sitemaps_packed_or_not(pack) -> None:
    found = read(pack(SITEMAP.encode()), "application/octet-stream")
    assert found is not None
    assert [entry.url for entry in found.entries if not entry.problem] == [
        "https://site.example/a?x=1&y=2",
        "https://site.example/b",
    ]
    index = read(pack(INDEX.encode()))
    assert index is not None
    assert index.sitemaps == ("https://site.example/1.xml.gz",)


def test_a_sitemap_that_is_cut_off_gives_what_is_there() -> None:
    found = read(SITEMAP[: SITEMAP.index("<lastmod>")])
    assert found is not None
    assert [entry.url for entry in found.entries] == ["https://site.example/a?x=1&y=2", "https://site.example/b"]


def rss(*items: str) -> str:
    return f"<rss version='2.0'><channel>{''.join(f'<item>{item}</item>' for item in items)}</channel></rss>"


def links(body: str | bytes, media_type: str = "text/html") -> list[tuple[str, str | None]]:
    found = read(body, media_type)
    assert found is not None
    return [(entry.url, entry.problem) for entry in found.entries]


def test_an_item_without_a_name_is_named_by_its_words() -> None:
    found = read(rss("<description>One.</description>", "<description>Two.</description>"))
    assert found is not None
    assert [entry.content for entry in found.entries] == ["One.", "Two."]
    again = read(rss("<description>Two.</description>"))
    assert again is not None
    assert again.entries == found.entries[1:]


def test_items_with_one_name_are_told_apart() -> None:
    guid = "<guid isPermaLink='false'>same</guid>"
    first, second = (f"{guid}<description>{words}</description>" for words in ("One.", "Two."))
    both = read(rss(first, second))
    assert both is not None
    assert [entry.content for entry in both.entries] == ["One.", "Two."]
    turned = read(rss(second, first))
    assert turned is not None
    assert {entry.url for entry in turned.entries} == {entry.url for entry in both.entries}


def test_an_id_of_zero_is_a_name() -> None:
    found = read(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [{"id": 0, "content_text": "x"}]}))
    assert found is not None
    assert [entry.url for entry in found.entries] == [f"{URL}#0"]


@pytest.mark.parametrize(
    ("item", "url", "linked"),
    [
        ("<guid>https://site.example/1</guid><description>All of it.</description>", "https://site.example/1", True),
        ("<guid>/1</guid><description>All of it.</description>", "https://site.example/1", True),
        (
            "<guid isPermaLink='false'>https://site.example/1</guid><description>All of it.</description>",
            f"{URL}#https://site.example/1",
            False,
        ),
        ("<guid><![CDATA[post 1]]></guid><description>All of it.</description>", f"{URL}#post 1", False),
        (
            "<link/><guid>https://site.example/1</guid><description>All of it.</description>",
            f"{URL}#https://site.example/1",
            False,
        ),
        ("<link>/p</link><guid>n-1</guid><description>All of it.</description>", "https://site.example/p", True),
        ("<link>http://[</link><guid>n-1</guid><description>All of it.</description>", f"{URL}#n-1", False),
    ],
)
def test_what_an_item_holds_is_kept_whatever_its_guid_looks_like(item: str, url: str, *, linked: bool) -> None:
    found = read(rss(item))
    assert found is not None
    (entry,) = found.entries
    assert (entry.url, entry.content, entry.linked) == (url, "All of it.", linked)


def test_a_guid_leads_on_where_the_link_is_empty() -> None:
    assert links(rss("<link/><guid>https://site.example/1</guid>")) == [("https://site.example/1", None)]


def test_an_atom_id_is_a_link_only_where_there_is_nothing_else() -> None:
    entry = "<entry><id>https://site.example/{}</id><title>t</title>{}</entry>"
    feed = "<feed xmlns='http://www.w3.org/2005/Atom'>{}{}</feed>"
    found = read(feed.format(entry.format(1, "<content>All of it.</content>"), entry.format(2, "")))
    assert found is not None
    assert [entry.linked for entry in found.entries] == [False, True]


def test_links_that_lead_nowhere_are_told() -> None:
    broken = "<title>Broken</title><link>http://[</link>"
    assert links(rss(broken, "<link>javascript:alert(1)</link>", "<link>/fine</link>")) == [
        (f"{URL}#Broken", "malformed_url"),
        ("javascript:alert(1)", "unsupported_scheme"),
        ("https://site.example/fine", None),
    ]
    assert links(SITEMAP)[-1] == ("javascript:alert(1)", "unsupported_scheme")
    found = read(INDEX.replace("</sitemapindex>", "<sitemap><loc>ftp://x</loc></sitemap></sitemapindex>"))
    assert found is not None
    assert found.sitemaps == ("https://site.example/1.xml.gz",)
    assert [entry.problem for entry in found.entries] == ["unsupported_scheme"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("seed", [RSS, SITEMAP])
def test_wide_characters_are_read(seed: str, encoding: str) -> None:
    written = seed.lstrip().replace('encoding="utf-8"', 'encoding="utf-16"' if "16" in encoding else 'encoding="utf-8"')
    assert links(written.encode(encoding)) == links(seed)


def test_what_stands_before_the_root_does_not_hide_it() -> None:
    assert links(SITEMAP.replace("<urlset", f"<!--{'x' * 9000}--><!-- y -->\n<urlset")) == links(SITEMAP)
    assert not is_listing(b"<!-- -->" * 5000, "text/xml")


def test_a_json_feed_may_say_late_what_it_is() -> None:
    items = [{"id": "1", "url": "https://site.example/1", "content_text": "x" * 70_000}]
    late = json.dumps({"items": items, "version": "https://jsonfeed.org/version/1"})
    assert links(late, "application/json") == [("https://site.example/1", None)]


def test_a_text_of_addresses_is_a_sitemap() -> None:
    text = "https://site.example/1\r\nhttps://site.example/2\n\n"
    assert links(text, "text/plain; charset=utf-8") == [
        ("https://site.example/1", None),
        ("https://site.example/2", None),
    ]
    assert not is_listing(b"See https://site.example/1\nhttps://site.example/2", "text/plain")
    assert not is_listing(b"https://site.example/1", "text/plain")


def test_a_sitemap_may_be_packed_in_several_members() -> None:
    raw = SITEMAP.encode()
    assert links(gzip.compress(raw[:300]) + gzip.compress(raw[300:])) == links(SITEMAP)


@pytest.mark.parametrize(
    "page",
    [
        "<!doctype html><html><body><code>&lt;rss&gt;</code><rss>no</rss></body></html>",
        "<html><head><title>feed</title></head><body>An article about <rss> and <feed></body></html>",
        '{"version": 2, "items": []}',
        "Plain text about <b>feeds</b>.",
        "%PDF-1.7 <feed>",
        "",
    ],
)
def test_pages_about_feeds_are_none(page: str) -> None:
    if is_listing(page.encode(), "text/html"):
        assert read_listing(page.encode(), URL, "text/html") is None


def test_entities_are_not_expanded() -> None:
    bomb = '<!DOCTYPE u [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><urlset><url><loc>https://x.org/&b;</loc></url></urlset>'
    found = read_listing(bomb.encode(), URL, "")
    assert found is not None
    assert not any("ha" in entry.url for entry in found.entries)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.sampled_from([RSS, ATOM, RDF, JSON_FEED, SITEMAP, INDEX]),
    at=st.integers(0, 900),
    cut=st.integers(0, 60),
    new=st.binary(max_size=30),
)
def test_damaged_listings_harm_nobody(seed: str, at: int, cut: int, new: bytes) -> None:
    body = seed.encode()
    damaged = body[:at] + new + body[at + cut :]
    if is_listing(damaged, "text/xml"):
        found = read_listing(damaged, URL, "text/xml")
        for entry in found.entries if found else ():
            assert entry.problem or entry.url.startswith(("http://", "https://"))
            assert "\0" not in entry.url + entry.title + (entry.author or "")

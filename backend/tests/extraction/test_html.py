"""A page's article: nothing of it lost or doubled, nothing beside it taken along, and what the page says of itself."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  compiled, and without types

from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.html import extract_html
from extrophi_backend.extraction.metadata import Metadata, read_metadata
from extrophi_backend.extraction.models import Extracted
from extrophi_backend.extraction.moments import parse_moment

URL = "https://www.pond.example/birds/herons?from=mail"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HERONS = "Herons stand in the shallow water for hours and wait for fish that come too near, which they do in the end."
DUCKS = (
    "Ducks are of another mind: they go where the bread is, in any weather, and are not above begging for it loudly."
)
GEESE = (
    "Geese fly past both of them in autumn, high up and in good order, and nobody on the ground knows who leads them."
)


def page(content: str, *, head: str = "", beside: str = "", lang: str = "en") -> str:
    """A site's page with `content` as its article."""
    return f"""<!DOCTYPE html><html lang="{lang}"><head><title>On herons | The Pond</title>
    <meta property="og:site_name" content="The Pond"><link rel="stylesheet" href="/site.css">{head}</head><body>
    <header class="site-header"><a href="/">The Pond</a><nav><ul><li><a href="/birds">Birds</a></li></ul></nav></header>
    <div class="wrapper"><div class="column"><h1>On herons</h1>
    <div class="entry-content">{content}</div></div>{beside}</div>
    <footer class="site-footer"><p>© 2024 The Pond. All rights reserved.</p></footer><script src="/a.js"></script>
    </body></html>"""


def paragraph(text: str) -> str:
    return f"<p>{text}</p>"


def parts(found: Extracted) -> list[tuple[int, str]]:
    return [(block.level, found.text[block.start : block.end]) for block in found.blocks]


def texts(content: str) -> list[str]:
    return [text for _, text in parts(extract_html(page(content), url=URL))]


def test_an_article_is_its_paragraphs_and_headings_and_nothing_of_the_site() -> None:
    content = f"<h2>Where</h2><p>{HERONS}</p><h3>In <em>winter</em></h3><p>{DUCKS}</p><h2>When</h2><p>{GEESE}</p>"
    found = extract_html(page(content), url=URL)
    assert parts(found) == [(2, "Where"), (0, HERONS), (3, "In winter"), (0, DUCKS), (2, "When"), (0, GEESE)]
    assert found.text == "\n\n".join(text for _, text in parts(found))
    assert (found.title, found.language, found.format) == ("On herons", "en", "html")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            "<ul><li>one<ul><li>one a</li><li>one <b>b</b>, so</li></ul>after it</li>"  # noqa: ISC004
            "<li><p>two</p><p>and more</p></li></ul>",
            ["one", "one a", "one b, so", "after it", "two", "and more"],
        ),
        ("<ol><li>boots<ol><li>dry<ol><li>warm</li></ol></li></ol></li></ol>", ["boots", "dry", "warm"]),
        (
            "<blockquote><p>First.</p><blockquote>Inner <i>words</i>.</blockquote>Loose tail.</blockquote>",
            ["First.", "Inner words.", "Loose tail."],
        ),
        (
            "<table><caption>Counts</caption><tr><th>bird</th><th>n</th></tr><tr><td>heron<br>grey</td><td>4</td></tr></table>",
            ["Counts", "bird | n\nheron grey | 4"],
        ),
        (
            "<table><tr><td><table><tr><td>in</td><td>ner</td></tr></table>beside</td><td>out</td></tr></table>",
            ["in | ner", "beside", "out"],
        ),
        (
            "<pre><code>def wait():\n    return 1\n\n# done</code></pre>",
            ["def wait():\n    return 1\n\n# done"],
        ),
        (
            "<table><tr><td class='gutter'><pre>1\n2</pre></td><td><pre>x = 1\n  y = 2</pre></td></tr></table>",
            ["x = 1\n  y = 2"],
        ),
        ("<dl><dt>Heron</dt><dd>A bird</dd><dt>Duck</dt><dd>Another</dd></dl>", ["Heron", "A bird", "Duck", "Another"]),
        ("<p>A line<br>and a line</p><div>Loose<br><br>words</div>", ["A line\nand a line", "Loose", "words"]),
        ("<p>soft&shy;ly <ruby>鷺<rt>さぎ</rt></ruby>は x<sup>2</sup></p>", ["softly 鷺は x2"]),
    ],
)
def test_structure_is_kept_and_nothing_is_lost_or_doubled(content: str, expected: list[str]) -> None:
    assert texts(paragraph(HERONS) + content + paragraph(DUCKS)) == [HERONS, *expected, DUCKS]
    plain = extract_html(f"<p>{HERONS}</p>{content}", url=None)
    assert [text for _, text in parts(plain)] == [HERONS, *expected]


def test_a_list_a_table_or_code_may_end_an_article() -> None:
    assert texts(paragraph(HERONS) + "<ul><li>boots</li><li>a coat</li></ul>") == [HERONS, "boots", "a coat"]
    assert texts(paragraph(HERONS) + "<pre>a\n b</pre>") == [HERONS, "a\n b"]


@pytest.mark.parametrize(
    "noise",
    [
        "<div class='share-buttons'><p>Share</p><ul><li><a href='#'>Facebook</a></li></ul></div>",
        "<p>Read more: <a href='/ducks'>Why ducks beg, and what to do about it</a></p>",
        "<p><strong>Related:</strong> <a href='/ducks'>Why ducks beg</a></p>",
        "<h3>You may also like</h3>",
        "<p>Lesen Sie auch: <a href='/enten'>Warum Enten betteln</a></p>",
        "<p>相关阅读：<a href='/ducks'>鸭子</a></p>",
        "<div class='newsletter-signup'><h3>Never miss a bird</h3><p>One mail a week, no more.</p></div>",
        "<p>Sign up for our <a href='/mail'>weekly newsletter</a></p>",
        "<p>ADVERTISEMENT</p>",
        "<figure><img src='h.jpg'><figcaption>A heron at the pond. Photo: Ida Holm</figcaption></figure>",
        "<div style='display: none'><p>Words that nobody sees, however many of them there are in this place.</p></div>",
        "<button>Print</button>",
    ],
)
def test_what_stands_among_the_paragraphs_but_is_none_is_left_out(noise: str) -> None:
    assert texts(paragraph(HERONS) + noise + paragraph(DUCKS) + paragraph(GEESE)) == [HERONS, DUCKS, GEESE]


@pytest.mark.parametrize(
    "sentence",
    [
        "Read more books, said the heron, and stood still for another hour to make its point.",
        "Related birds stand in the same water without any quarrel that we could see.",
        "Subscribe, unsubscribe: the life of a reader in those days was made of such verbs, and of little else.",
        "Share the pond with others and it will be a better pond, or at least a livelier one.",
        "By noon the heron had caught two fish, and the ducks none at all.",
        "See <a href='/a'>the first part</a> for how the water got there, which took a long time and much digging.",
        "Tags were put on every heron in 2019 and in 2020, which they did not mind.",
    ],
)
def test_sentences_that_begin_like_labels_stay(sentence: str) -> None:
    shown = etree.tostring(etree.fromstring(f"<p>{sentence}</p>"), method="text", encoding="unicode")
    assert shown in texts(paragraph(HERONS) + paragraph(sentence) + paragraph(DUCKS))


def test_bylines_tags_and_credits_around_an_article_are_left_out() -> None:
    content = (
        "<p>By Ida Holm</p><p>12 March 2024, 10:15</p>"
        + "".join(map(paragraph, (HERONS, DUCKS, GEESE)))
        + "<p>Reporting by Ida Holm; editing by Jon Berg</p>"
        + "<p>Tags: <a href='/t/1'>herons</a>, <a href='/t/2'>ponds</a></p>"
        + "<h2>More from The Pond</h2>"
    )
    assert texts(content) == [HERONS, DUCKS, GEESE]


def test_comments_and_sidebars_are_left_out() -> None:
    beside = (
        "<div id='comments'><h3>2 comments</h3><div class='comment'><p>I once saw a heron take a duckling, and I have "
        "not been the same since, to be honest with you all.</p></div></div>"
        "<aside class='sidebar'><h3>Most read</h3><ul><li><a href='/1'>One</a></li></ul></aside>"
    )
    found = extract_html(page(paragraph(HERONS) + paragraph(DUCKS), beside=beside), url=URL)
    assert found.text == f"{HERONS}\n\n{DUCKS}"


def test_of_several_articles_the_one_the_page_is_about_is_taken() -> None:
    others = "".join(f"<article><h2><a href=/{n}>Story {n}</a></h2><p>{n}. {GEESE}</p></article>" for n in range(4))
    source = (
        "<html><head><title>On herons</title><link rel='stylesheet' href='x'></head><body><main>"
        f"<article><h1>On herons</h1><p>{HERONS}</p><p>{DUCKS}</p></article>{others}</main></body></html>"
    )
    assert extract_html(source, url=URL).text == f"{HERONS}\n\n{DUCKS}"


def test_a_text_shown_twice_for_two_widths_is_taken_once_and_a_refrain_each_time() -> None:
    twice = f"<div class='wide'><p>{HERONS}</p></div><div class='narrow'><p>{HERONS}</p></div><p>{DUCKS}</p>"
    assert texts(twice).count(HERONS) == 1
    refrain = "And the heron stood in the water, and the water stood around the heron."
    song = paragraph(HERONS) + paragraph(refrain) + paragraph(DUCKS) + paragraph(refrain) + paragraph(GEESE)
    assert texts(song) == [HERONS, refrain, DUCKS, refrain, GEESE]


def test_a_page_without_a_site_around_it_is_taken_whole() -> None:
    found = extract_html(
        "<h1>Notes</h1><p>Milk.</p><ul><li><a href='https://a.example'>A link</a></li></ul>x", url=None
    )
    assert parts(found) == [(1, "Notes"), (0, "Milk."), (0, "A link"), (0, "x")]
    assert found.title == "Notes"


def test_little_text_is_better_than_none() -> None:
    assert texts("<p>Short.</p>")[-1] == "Short."
    assert extract_html("<link rel=stylesheet href=x><nav>Menu</nav><a href='/'>Only a link</a>", url=URL).text == (
        "Only a link"
    )


def test_a_page_that_scripts_fill_in_gives_the_text_it_carries_for_search_engines() -> None:
    body = "\\n".join([HERONS, DUCKS, GEESE] * 2)
    data = f'<script type="application/ld+json">{{"@type":"NewsArticle","articleBody":"{body}"}}</script>'
    source = f"<html><head>{data}</head><body><div id='root'>Loading</div></body></html>"
    assert extract_html(source, url=URL).text == "\n\n".join([HERONS, DUCKS, GEESE] * 2)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("苍鹭在浅水中站立数小时，等待鱼靠近，最后总能等到。" * 3, "它们生活在湖边和河边，冬天也留在这里。"),
        ("サギは浅瀬に何時間も立って、魚が近づくのを待っています。" * 3, "終わり。"),
        ("يقف مالك الحزين في المياه الضحلة لساعات وينتظر الأسماك." * 2, "نهاية القصة عن الطيور."),
        ("नगुला उथले पानी में घंटों खड़ा रहता है और मछलियों की प्रतीक्षा करता है।" * 2, "कहानी का अंत।"),
    ],
)
def test_every_script_is_read(first: str, second: str) -> None:
    assert parts(extract_html(page(f"<p>{first}</p><h2>{second}</h2><p>{first}{second}</p>"), url=URL)) == [
        (0, first), (2, second), (0, first + second),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<meta charset=iso-8859-1><p>Café – “größer”".encode("cp1252"), None),
        ("<p>Café – “größer”".encode("cp1252"), "text/html; charset=ISO-8859-1"),
        ("<p>Café – “größer”".encode(), "text/html; charset=iso-8859-1"),
        ("<p>Café – “größer”".encode("utf-16"), None),
        ("<p>Ca\0fé – “größer”".encode(), "text/html; charset=no-such-thing"),
        ("<?xml version='1.0' encoding='UTF-8'?><html><p>Café – “größer”</p></html>".encode(), None),
        (f"<style>{'x' * 9000}</style><meta charset=cp1252><p>Café – “größer”".encode("cp1252"), None),
        ("<meta charset=utf-16><p>Café – “größer”".encode("cp1252"), None),
        ("<meta charset=cp1252><p>Café – “größer”".encode("cp1252"), "text/html; charset=utf-8"),
    ],
)
def test_encodings_and_stray_bytes(body: bytes, content_type: str | None) -> None:
    assert extract_html(body, url=None, content_type=content_type).text == "Café – “größer”"


SHEET = "<link rel=stylesheet href=x>"


@pytest.mark.parametrize(
    "source",
    [
        SHEET + "<div>" * 50_000 + f"<p>{HERONS}</p>" + "</div>" * 50_000 + f"<p>{DUCKS}</p>",
        SHEET + "<table><tr><td>" * 3_000 + f"<p>{HERONS}</p><p>{DUCKS}</p>",
        SHEET + "<b><i>" * 5_000 + f"<p>{HERONS}</p><p>{DUCKS}</p>",
        f"<p class=a class=b id=x id=x {' '.join(f'a{n}=b' for n in range(50_000))}>{HERONS}</p><p>{DUCKS}</p>",
        '<script type="application/ld+json">' + "[" * 100_000 + f"</script><p>{HERONS}</p><p>{DUCKS}</p>",
        SHEET + f"<p>{HERONS}</p><p>{DUCKS}</p>" + "<!--" * 100_000,
        f"<p>{HERONS}\ud800</p>\x00<p>{DUCKS}\x0c</p></p></div></body></html></span>",
    ],
)
def test_a_page_made_to_hurt_gives_its_text(source: str) -> None:
    assert extract_html(source, url=URL).text == f"{HERONS}\n\n{DUCKS}"


def test_ten_megabytes_are_read() -> None:
    source = SHEET + "".join(f"<p>{n} {HERONS}</p>" for n in range(90_000))
    assert len(source) > 10_000_000
    found = extract_html(source, url=URL)
    assert len(found.blocks) == 90_000
    assert found.text.endswith(f"89999 {HERONS}")


@pytest.mark.parametrize(
    "source", ["", " ", "<html></html>", "<script>x</script>", "<frameset><frame src=x></frameset>"]
)
def test_a_page_without_text_says_so(source: str) -> None:
    with pytest.raises(ExtractionFailed) as failed:
        extract_html(source, url=URL)
    assert failed.value.code == "no_text"


TAGS = "p div span ul li table tr td h1 pre br a blockquote article nav b script time".split()


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.one_of(
            st.sampled_from([f"<{tag}>" for tag in TAGS] + [f"</{tag}>" for tag in TAGS]),
            st.text(max_size=20),
            st.sampled_from([HERONS, "<a href=x>", "<!--", "&#0;", "<meta property=og:url content=//[>", "\x00", "\v"]),
        ),
        max_size=40,
    )
)
def test_any_mixture_of_tags_gives_blocks_that_index_the_text(pieces: list[str]) -> None:
    try:
        found = extract_html("".join(pieces), url=URL)
    except ExtractionFailed as failure:
        assert failure.code == "no_text"  # noqa: PT017
        return
    end = 0
    for block in found.blocks:
        assert end <= block.start < block.end
        assert not found.text[end : block.start].strip()
        end = block.end
    assert end == len(found.text)
    assert "\x00" not in found.text


def said(head: str = "", body: str = "", *, html: str = "", url: str | None = URL) -> Metadata:
    root = etree.fromstring(f"<html {html}><head>{head}</head><body>{body}</body></html>", etree.HTMLParser())
    return read_metadata(root, url=url, now=NOW)


def linked(data: str) -> str:
    return f'<script type="application/ld+json">{data}</script>'


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        ("<title>On herons | The Pond</title><meta property=og:site_name content='The Pond'>", "", "On herons"),
        ("<title>The Pond - On herons</title><meta property=og:site_name content='The Pond'>", "", "On herons"),
        ("<title>Herons – ponds – water</title>", "", "Herons – ponds – water"),
        ("<title>x</title><meta property='og:title' content='On &amp;amp; herons'>", "", "On & herons"),
        ("<title>On herons | P</title>", "<h1>On <i>herons</i></h1>", "On herons"),
        ("<title>On herons | P</title>", "<h1>P</h1><h1>On herons</h1><h1>Other</h1>", "P"),
        ("", "<svg><title>Logo</title></svg>", ""),
        (linked('{"@type":"NewsArticle","headline":"On herons"}'), "<h1>x</h1>", "On herons"),
    ],
)
def test_titles(head: str, body: str, title: str) -> None:
    assert said(head, body).title == title


@pytest.mark.parametrize(
    ("head", "body", "author"),
    [
        ("<meta name=author content='Ida Holm'>", "", "Ida Holm"),
        ("<meta name=author content='By Ida Holm'>", "", "Ida Holm"),
        ("<meta property='article:author' content='https://facebook.com/ida'>", "", None),
        ("<meta name=author content='admin'>", "", None),
        (linked('{"@type":"Article","author":[{"name":"Ida Holm"},{"name":"Jon Berg"}]}'), "", "Ida Holm, Jon Berg"),
        (linked('{"@graph":[{"@type":"BlogPosting","author":"Ida Holm"}]}'), "", "Ida Holm"),
        (linked('{"@type":"ItemList","itemListElement":[{"@type":"Article","author":"Jon"}]}'), "", None),
        ("", "<p class=byline>By <a href=/ida>Ida Holm</a></p>", "Ida Holm"),
        ("", "<a rel=author href=/ida>Ida Holm</a>", "Ida Holm"),
        ("", "<span itemprop=author itemscope><meta itemprop=name content='Ida Holm'></span>", "Ida Holm"),
        ("<meta name=citation_author content='Ida Holm'><meta name=citation_author content='Jon Berg'>", "",
         "Ida Holm, Jon Berg"),
        ("", "<p>By the way</p>", None),
        (linked('[{"@type":"Article","author":{"@id":"#i"}},{"@id":"#i","name":"Ida Holm"}]'), "", "Ida Holm"),
        ("", "<div id=comments><span itemprop=author>Troll</span></div><p class=byline>Ida Holm</p>", "Ida Holm"),
        ("", "<ul class=comment-list><li itemprop=comment><b itemprop=author>Troll</b></li></ul>", None),
        ("", "<nav><a rel=author href=/authors>Authors</a></nav><a rel=author href=/ida>Ida Holm</a>", "Ida Holm"),
        ("", "<article><footer><a rel=author href=/ida>Ida Holm</a></footer></article>", "Ida Holm"),
        ("", "<footer><a rel=author href=/us>Our team</a></footer>", None),
    ],
)  # fmt: skip
def test_authors(head: str, body: str, author: str | None) -> None:
    assert said(head, body).author == author


PUBLISHED = datetime(2024, 3, 12, 8, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("head", "body", "date"),
    [
        (linked('{"@type":"NewsArticle","datePublished":"2024-03-12T10:15:00+02:00"}'), "", PUBLISHED),
        (linked('{"@type":["Article"],"dateModified":"2025-01-01","datePublished":"2024-03-12T08:15Z"}'), "",
         PUBLISHED),
        ("<meta property='article:published_time' content='2024-03-12T03:15:00-0500'>", "", PUBLISHED),
        ("<meta property='article:modified_time' content='2024-03-12T08:15:00Z'>", "", None),
        ("<meta name=date content='Tue, 12 Mar 2024 10:15:00 +0200'>", "", PUBLISHED),
        ("", "<article><time datetime='2024-03-12T10:15:00+02:00'>today</time></article>", PUBLISHED),
        ("", "<article><time class=updated datetime='2025-01-01'>x</time></article>", None),
        ("", "<ul><li><time datetime='2025-01-01'>a</time></li></ul><p><time datetime='2025-01-02'>b</time></p>", None),
        ("", "<div class=comment><article><time datetime='2025-01-01'>a</time></article></div><time datetime=x>", None),
        ("", "<span itemprop=datePublished content='2024-03-12T08:15:00'>x</span>", PUBLISHED),
        (linked('{"@type":"Article","datePublished":"2124-03-12"}'), "", None),
        (linked('{"@type":"Article","datePublished":"0001-01-01T00:00:00Z"}'), "", None),
        (linked('{"@type":"Article","datePublished":"1969-07-20"}'), "", datetime(1969, 7, 20, tzinfo=UTC)),
        (linked('{"@type":"Article","datePublished":"1970-01-01T00:00:00Z"}'), "", None),
        (linked('{"@type":"Article","datePublished":"2124-03-12"}') + "<meta name=date content='12 March 2024'>", "",
         datetime(2024, 3, 12, tzinfo=UTC)),
        (linked('{"@type":"Article","datePublished":"2024-03-12"}')
         + "<meta name=date content='2024-03-12T08:15Z'>", "", PUBLISHED),
        ("", "<p>Published on 12 March 2024</p>", None),
    ],
)  # fmt: skip
def test_dates_of_publication(head: str, body: str, date: datetime | None) -> None:
    assert said(head, body).published_at == date


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2024-03-12 10:15:00 +0200", PUBLISHED),
        ("2024-03-12T08:15:00.000Z", PUBLISHED),
        ("2024-03-12T08:15:00.1234567Z", PUBLISHED),
        ("March 12, 2024, 03:15 AM EST", PUBLISHED),
        ("20240312", datetime(2024, 3, 12, tzinfo=UTC)),
        ("Mar 12, 2024", datetime(2024, 3, 12, tzinfo=UTC)),
        ("Tuesday, March 12th, 2024 at 3:15 a.m. EST", datetime(2024, 3, 12, 8, 15, tzinfo=UTC)),
        ("12. März 2024", datetime(2024, 3, 12, tzinfo=UTC)),
        ("12 mars 2024 à 08:15", PUBLISHED),
        ("2024年3月12日 08:15", PUBLISHED),
        ("Sept. 2, 2020", datetime(2020, 9, 2, tzinfo=UTC)),
        ("12.03.2024", datetime(2024, 3, 12, tzinfo=UTC)),
        ("12/03/2024", None),
        ("March 2024", None),
        ("1710231300", None),
        ("yesterday", None),
        ("2024-13-45", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9" * 5000, None),
    ],
)
def test_moments_in_their_many_forms(written: str, moment: datetime | None) -> None:
    assert parse_moment(written) == moment


def test_numbers_are_a_day_where_the_language_tells_their_order() -> None:
    assert parse_moment("12/03/2024", "fr") == datetime(2024, 3, 12, tzinfo=UTC)
    assert parse_moment("12/03/2024", "en") is None
    assert parse_moment("25/03/2024", "en") == datetime(2024, 3, 25, tzinfo=UTC)


@pytest.mark.parametrize(
    ("html", "head", "language"),
    [
        ("lang=en-GB", "", "en"),
        ("lang=pt_BR", "", "pt"),
        ("lang=zh-Hant-TW", "", "zh"),
        ("", "<meta http-equiv=Content-Language content='de, en'>", "de"),
        ("lang=''", "<meta name=language content=fr>", None),
        ("lang='{{ lang }}'", "", None),
        ("lang=und", "", None),
        ("", "<meta property=og:locale content=de_AT>", "de"),
        ("", linked('{"@type":"Article","inLanguage":"fr-CA"}') + "<meta property=og:locale content=en_US>", "fr"),
    ],
)
def test_the_language_is_what_the_page_says(html: str, head: str, language: str | None) -> None:
    assert said(head, html=html).language == language


@pytest.mark.parametrize(
    ("head", "address"),
    [
        ("<link rel=canonical href=/herons>", "https://www.pond.example/herons"),
        ("<link rel='canonical' href='herons#top'>", "https://www.pond.example/birds/herons"),
        ("<link rel=canonical href=https://m.pond.example/herons>", "https://m.pond.example/herons"),
        ("<meta property=og:url content=https://pond.example/herons>", "https://pond.example/herons"),
        ("<base href=/deep/down/><link rel=canonical href=herons>", "https://www.pond.example/deep/down/herons"),
        ("<link rel=canonical href=https://other.example/herons>", None),
        (
            "<link rel=canonical href=https://other.example/x><meta property=og:url content=/y>",
            "https://www.pond.example/y",
        ),
        ("<base href=https://other.example/><link rel=canonical href=herons>", None),
        ("<link rel=canonical href=javascript:alert(1)>", None),
        ("<link rel=canonical href=ftp://www.pond.example/herons>", None),
        ("<link rel=canonical href=https://me:secret@www.pond.example/herons>", None),
        ("<link rel=canonical href='https://[bad/'>", None),
        ("<link rel=canonical href=https://www.pond.example/>", None),
        (f"<link rel=canonical href='{URL}'>", None),
        ("<link rel=canonical href='https://WWW.Pond.Example/grey herons'>", "https://www.pond.example/grey%20herons"),
    ],
)
def test_an_address_is_believed_within_the_same_site(head: str, address: str | None) -> None:
    assert said(head).canonical_url == address


def test_of_several_articles_in_the_data_the_one_of_this_address_or_name_is_meant() -> None:
    other = '{"@type":"NewsArticle","headline":"Ducks","author":"Jon Berg","datePublished":"2020-01-01","url":"/ducks"}'
    this = '"@type":"NewsArticle","author":"Ida Holm","datePublished":"2024-03-12"'
    by_address = f'{{{this},"mainEntityOfPage":{{"@id":"{URL}"}}}}'
    assert said(linked(f"[{other},{by_address}]")).author == "Ida Holm"
    by_name = f'{{{this},"headline":"On herons"}}'
    assert said(linked(f"[{other},{by_name}]") + "<title>On herons | P</title>").author == "Ida Holm"


def test_an_articles_own_language_counts_where_the_page_names_none() -> None:
    assert said(body="<article lang=nb>x</article>").language == "nb"


def test_sites_that_share_a_public_suffix_are_apart() -> None:
    assert said("<link rel=canonical href=https://b.github.io/x>", url="https://a.github.io/x").canonical_url is None
    assert said("<link rel=canonical href=https://b.co.uk/x>", url="https://a.co.uk/x").canonical_url is None
    assert said("<link rel=canonical href=http://127.0.0.1:81/y>", url="http://127.0.0.1:80/x").canonical_url
    assert said("<link rel=canonical href=https://www.pond.example/x>", url=None).canonical_url is None

"""Articles in odd markup, and sentences that read like furniture: nothing of them is lost."""

import time

import pytest

from extrophi_backend.extraction.html import extract_html

URL = "https://www.pond.example/birds/herons"
HERONS = "Herons stand in the shallow water for hours and wait for fish that come too near, which they do in the end."
DUCKS = (
    "Ducks go where the bread is, in any weather, and are not above begging for it as loudly as they can, which helps."
)
GEESE = "Geese fly past both of them in autumn, high up and in good order, and nobody here knows who leads them south."
CONSENT = (
    "<div role=dialog class=consent><p>We value your privacy and use cookies with our 800 partners, to show you what "
    "you may like, and you can refuse at any time.</p></div>"
)
LATER = (
    "Image: a heron at dawn, standing where the water begins, long before any of the others are awake. That is how I "
    "remember the year that I have told of here, and all the herons in it."
)
REPORTERS = (
    "Reporting by Ida Holm in Oslo, Jon Berg in Bergen, Kari Dahl in Molde and Ola Nordmann in Bodø, with more from "
    "the offices in Tromsø and in Vadsø; Editing by Per Hansen and Ida Holm"
)
ARTICLE = "".join(f"<p>In the year {year} as ever: {HERONS}</p>" for year in range(1952, 1960))


def paragraph(text: str) -> str:
    return f"<p>{text}</p>"


def read(content: str) -> str:
    """The text of a page of a site that has no column named for its article."""
    source = (
        "<!DOCTYPE html><html lang=en><head><title>On herons</title><link rel=stylesheet href=x></head>"
        f"<body><header><a href=/>The Pond</a></header>{content}"
        "<footer><p>© 2024 The Pond. All rights reserved.</p></footer><script src=a></script></body></html>"
    )
    return extract_html(source, url=URL).text


def texts(content: str) -> list[str]:
    return read(f"<h1>On herons</h1><div class=entry-content>{content}</div>").split("\n\n")


@pytest.mark.parametrize(
    "content",
    [
        f"<div style='display:none' id=article><h1>On herons</h1>{ARTICLE}</div>",
        f"<div style='visibility: hidden'><h1>On herons</h1>{ARTICLE}</div>",
        f"<div hidden>{ARTICLE}</div>",
        f"<div id=root aria-hidden=true><article>{ARTICLE}</article></div>{CONSENT}",
        f"<div id=root></div><noscript><article>{ARTICLE}</article></noscript>",
        f"<div id=root></div><template><article>{ARTICLE}</article></template>",
        f"<article><p>{DUCKS}</p><p>{GEESE}</p><div hidden=until-found>{ARTICLE}</div></article>",
        f"<div class=penci_sidebar><div class=theiaStickySidebar>{ARTICLE}</div></div>",
    ],
)
def test_an_article_that_is_hidden_until_a_script_shows_it_is_read(content: str) -> None:
    assert all(f"In the year {year} as ever" in read(content) for year in range(1952, 1960))


@pytest.mark.parametrize(
    "content",
    [
        f"<article><h1>Herons</h1>{ARTICLE}</article>",
        f"<main>{paragraph(HERONS)}{ARTICLE}</main>",
        f"<header><a href=/>The Pond</a></header><main><h1>Herons</h1>{ARTICLE}</main><footer>© 2024</footer>",
        f"<nav><a href=/>The Pond</a></nav><article><div>{HERONS}</div>{ARTICLE}</article><script>1</script>",
        f"<pond-page><section>{ARTICLE}</section></pond-page>",
        f"<figure><figcaption>A heron</figcaption></figure>{ARTICLE}",
    ],
)
def test_a_page_that_leaves_out_what_it_may_leave_out_is_read_as_if_it_did_not(content: str) -> None:
    """The tags of head and body are optional (html.spec.whatwg.org, 13.1.2.4)."""
    head = "<meta charset=utf-8><title>On herons</title><link rel=stylesheet href=x><style>p {}</style>"
    whole = f"<!DOCTYPE html><html lang=en><head>{head}</head><body>{content}</body></html>"
    found = extract_html(whole, url=URL)
    assert "In the year 1952" in found.text
    for source in (
        f"<!DOCTYPE html>{head}{content}",
        f"<html lang=en><head>{head}{content}</html>",
        f"{head}\n{content}",
    ):
        left_out = extract_html(source, url=URL)
        assert (left_out.text, left_out.title) == (found.text, found.title)


def test_what_is_hidden_stays_hidden_where_the_article_is_shown() -> None:
    content = f"<article>{ARTICLE}<div style='display:none'><p>Nobody sees this, long as it is. {GEESE}</p></div>"
    assert "Nobody sees" not in read(content + f"</article><template><p>Nobody sees. {DUCKS}</p></template>")


def test_all_of_several_tabs_are_read() -> None:
    tabs = "".join(
        f"<div role=tabpanel {'hidden' if n else ''}><p>Tab {n}: {HERONS} {DUCKS}</p></div>" for n in range(8)
    )
    assert all(f"Tab {n}:" in read(f"<main><h1>On herons</h1>{tabs}</main>") for n in range(8))


def test_the_entries_of_a_live_blog_are_its_own() -> None:
    entries = "".join(f"<article><h2>At {n}</h2><p>Entry {n}: {HERONS}</p></article>" for n in range(6))
    found = read(f"<article><h1>On herons</h1>{ARTICLE}{entries}</article>")
    assert all(f"Entry {n}:" in found for n in range(6))


def test_chapters_that_are_articles_are_kept_and_posts_that_are_linked_are_not() -> None:
    first = f"<article><h1>On herons</h1>{ARTICLE}</article>"
    chapters = "".join(f"<article><h2>Chapter {n}</h2><p>{n}: {HERONS} {DUCKS}</p></article>" for n in range(9))
    found = read(f"<main>{first}{chapters}</main>")
    assert all(f"{n}: Herons" in found for n in range(9))
    posts = "".join(f"<article><h2><a href=/{n}>Post {n}</a></h2><p>Post {n}: {HERONS}</p></article>" for n in range(9))
    assert "Post 1" not in read(f"<main>{first}{posts}</main>")


def test_a_widget_or_keyword_of_a_theme_hides_no_list() -> None:
    widgets = "".join(
        f"<div class='elementor-widget elementor-widget-text'><p>{n}. {HERONS}</p><ul><li>boots {n}</li></ul></div>"
        for n in range(4)
    )
    assert all(f"boots {n}" in read(f"<h1>On herons</h1>{widgets}") for n in range(4))
    listed = "".join(f"<p>{n}. {HERONS}</p><p>Yes, {n}.</p>" for n in range(4))
    assert all(f"Yes, {n}." in read(f"<div class='post tag-birds has-sidebar'>{listed}</div>") for n in range(4))
    assert all(f"Yes, {n}." in read(f"<div class=l-sidebar-fixed>{listed}</div>") for n in range(4))


def test_a_chronology_is_no_byline() -> None:
    years = "".join(f"<li>3 May {1952 + n}: 2 came</li>" for n in range(20))
    assert texts(f"<p>{HERONS}</p><ul>{years}</ul>")[-1] == "3 May 1971: 2 came"
    days = "".join(f"<p>3 May {1952 + n}: 2 came</p>" for n in range(20))
    assert texts(f"<p>{HERONS}</p>{days}")[-1] == "3 May 1971: 2 came"


@pytest.mark.parametrize(
    "sentence",
    [
        "Tell us a story, said the duck.",
        "Teilen Sie die Summe durch drei.",
        "Partager le pain, c'est le début.",
        "Подписчики журнала получили его в мае, на неделю раньше",
        "Latest: the society has voted",
        "Also: a good chair",
        "Scroll down to Advanced.",
        "Follow him on foot.",
        "Loading data takes a while",
    ],
)
def test_sentences_that_begin_like_calls_stay(sentence: str) -> None:
    assert sentence in texts(paragraph(HERONS) + paragraph(sentence) + paragraph(DUCKS))


def test_steps_and_lists_of_what_one_needs_stay() -> None:
    steps = [
        "Sign up for an account.",
        "Enter your email address and click Next.",
        "Scroll down",
        "Recommended: Intel i7 or better",
        "See also",
    ]
    content = paragraph(HERONS) + "<ol>" + "".join(f"<li>{step}</li>" for step in steps) + "</ol>" + paragraph(DUCKS)
    assert texts(content) == [HERONS, *steps, DUCKS]


def test_headings_that_read_like_calls_stay_where_text_is_below_them() -> None:
    content = f"<h2>Subscribe to a topic</h2><p>{HERONS}</p><h2>Loading data</h2><p>{DUCKS}</p><p>{GEESE}</p>"
    assert texts(content) == ["Subscribe to a topic", HERONS, "Loading data", DUCKS, GEESE]


@pytest.mark.parametrize(
    "closing",
    [
        "Among the visitors are several writers for whom the pond is a second home, and a third.",
        "Writing by hand, she says, is how one gets to know a heron, and there is no other way to it at all.",
        LATER,
    ],
)
def test_a_closing_paragraph_is_no_credit(closing: str) -> None:
    assert texts("".join(map(paragraph, (HERONS, DUCKS, closing))))[-1] == closing


@pytest.mark.parametrize(
    "credit",
    [
        REPORTERS,
        "Ida Holm is a reporter for The Pond.",
        "Source: Reuters",
        "Image credit: Jon Berg",
    ],
)
def test_credits_go(credit: str) -> None:
    assert texts("".join(map(paragraph, (HERONS, DUCKS, credit)))) == [HERONS, DUCKS]


@pytest.mark.parametrize(
    "call",
    [
        "Sign up for our newsletter and get the day's birds delivered to your inbox.",
        "Comments are closed.",
        "Tell us what YOU think...",
        "Story continues below.",
        "Loading...",
        "Share this article",
        "<a href=/a>Abonnieren Sie</a> uns",
    ],
)
def test_calls_to_act_go(call: str) -> None:
    assert texts(paragraph(HERONS) + paragraph(call) + paragraph(DUCKS)) == [HERONS, DUCKS]


def test_words_on_buttons_count_where_they_are_the_heading_or_in_a_sentence() -> None:
    content = (
        f"<p>{GEESE}</p><h3><button>How long do herons wait?</button></h3><p>{HERONS}</p>"
        f"<h3>Ducks <button>Copy link</button></h3><p>{DUCKS} <button>Tweet</button></p>"
        f"<p>Press <button>Save</button> to keep a heron.</p><p>In the end, the heron waits.</p>"
    )
    assert texts(content) == [
        GEESE, "How long do herons wait?", HERONS, "Ducks", DUCKS, "Press Save to keep a heron.",
        "In the end, the heron waits.",
    ]  # fmt: skip


def test_a_heavy_page_is_read_in_time() -> None:
    began = time.process_time()  # what else this machine does is none of it
    found = read("".join(f"<p>{n}. {HERONS}</p>" for n in range(59_000)))
    assert time.process_time() - began < 20
    assert found.endswith(f"58999. {HERONS}")

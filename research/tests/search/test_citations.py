import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest

from extrophi_research.search.citations import best_sentence, cite, deep_link
from extrophi_research.search.models import Chunk

URL = "https://site.example/post?a=1#top"


def test_a_web_quote_is_linked_by_its_text():
    assert deep_link("web", URL, [], 0, "Well-read, at 5 & 6.") == (
        "https://site.example/post?a=1#:~:text=Well%2Dread%2C%20at%205%20%26%206."
    )


def test_a_long_quote_is_linked_by_its_edges():
    link = deep_link("web", URL, [], 0, " ".join(f"word{n}" for n in range(200)))
    assert link is not None
    assert link.endswith("word5,word194%20word195%20word196%20word197%20word198%20word199")


def test_the_anchor_of_a_place_is_the_last_one_before_it():
    anchors = [(0, {"page": 1}), (100, {"page": 2}), (200, {"page": 3})]
    assert deep_link("web", "https://a.example/x.pdf", anchors, 150, "q") == "https://a.example/x.pdf#page=2"
    assert deep_link("youtube", "https://y.example/watch?v=1", [(0, {"seconds": 61.5})], 5, "q") == (
        "https://y.example/watch?v=1&t=61"
    )
    assert deep_link("reddit", None, [(0, {"url": "https://r.example/c/1"})], 5, "q") == "https://r.example/c/1"


def chunk(text, **more):
    given: dict[str, Any] = {"author": None, "published_at": None, "anchors": []} | more
    return Chunk(
        chunk_id=uuid.uuid4(), document_id=uuid.uuid4(), version=1, start=0, end=len(text), text=text, platform="web",
        external_id="1", title="", url="https://site.example/post", **given,
    )  # fmt: skip


def test_a_comment_is_cited_as_its_authors_and_of_its_day():
    said = {"url": "https://r.example/c/1", "author": "heron", "published_at": "2026-01-31T12:00:00+00:00", "depth": 0}
    text = "I ask. I answer."
    asked = datetime(2026, 1, 30, tzinfo=UTC)
    comments = chunk(text, author="asker", published_at=asked, anchors=[(0, {}), (7, said)])
    answer, question = cite(comments, (7, 16)), cite(comments, (0, 6))
    assert (answer.author, answer.deep_link) == ("heron", "https://r.example/c/1")
    assert answer.published_at == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert (question.author, question.published_at) == ("asker", asked)
    nobodys = cite(chunk(text, author="asker", published_at=asked, anchors=[(0, {"depth": 1})]), (7, 16))
    assert (nobodys.author, nobodys.published_at) == (None, None)


@pytest.mark.parametrize(
    ("text", "quoted", "fragment"),
    [
        ("It was the year of herons. It rained.", "It rained.", "the%20year%20of%20herons.-,It%20rained."),
        ("One heron stood there alone. Then one heron stood there alone.", "ne heron stood there alone.", "O-,ne"),
        ("A heron stood in the shallows all day.", "A heron stood in the shallows all day.", "A%20heron"),
        ("| heron | 4 | 1.5 kg of weight |", "| heron | 4 | 1.5 kg of weight |", "heron,1.5%20kg%20of%20weight"),
        ("- herons eat fish at dawn, mostly", "- herons eat fish at dawn, mostly", "herons%20eat%20fish"),
    ],
)
def test_a_quote_is_linked_to_its_own_place(text, quoted, fragment):
    start = text.index(quoted)
    link = cite(chunk(text), (start, start + len(quoted))).deep_link
    assert link is not None
    assert link.startswith(f"https://site.example/post#:~:text={fragment}")


def test_a_long_quote_without_spaces_is_cut_between_clauses():
    link = deep_link("web", URL, [], 0, "鷺は朝に、" + "魚" * 300 + "、夕方に眠る。")
    assert link is not None
    assert unquote(link).endswith(":~:text=鷺は朝に、,夕方に眠る。")


def test_an_apps_route_is_part_of_its_address():
    link = deep_link("web", "https://app.example/#/post/7", [], 0, "Herons stand in the shallows.")
    assert link == "https://app.example/#/post/7:~:text=Herons%20stand%20in%20the%20shallows."


def test_a_file_is_linked_as_it_is():
    assert deep_link("files", "file:///notes/a.md", [], 0, "q") == "file:///notes/a.md"


def test_the_sentence_that_shares_most_with_the_question_is_quoted():
    text = "Dr. Ann left. The heron, she said, eats fish at dawn. It rained."
    start, end = best_sentence(text, ["heron", "eat", "fish"])
    assert text[start:end] == "The heron, she said, eats fish at dawn."

from extrophi_research.search.citations import best_sentence, deep_link

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


def test_a_file_is_linked_as_it_is():
    assert deep_link("files", "file:///notes/a.md", [], 0, "q") == "file:///notes/a.md"


def test_the_sentence_that_shares_most_with_the_question_is_quoted():
    text = "Dr. Ann left. The heron, she said, eats fish at dawn. It rained."
    start, end = best_sentence(text, "when do herons eat fish?")
    assert text[start:end] == "The heron, she said, eats fish at dawn."

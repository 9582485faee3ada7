"""Of posts that come in pieces, in any order, by any way and any number of times, there is one document in the end."""

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from extrophi_backend.collectors.twitter.document import make_document
from extrophi_backend.collectors.twitter.merging import join, union
from extrophi_backend.collectors.twitter.models import Author, Card, Medium, Post, all_edits, from_json, to_json
from extrophi_backend.collectors.twitter.threads import missing_above, threads_of

WORDS = st.sampled_from(["", "heron", "a heron", "nest", "see https://t.co/aaaaaaaaaa", "see https://a.example/"])
MEDIA = st.lists(st.builds(Medium, st.just("photo"), st.sampled_from(["u1", "u2"]), WORDS), max_size=2).map(tuple)
AUTHORS = st.builds(Author, st.sampled_from(["", "7"]), st.sampled_from(["", "ada"]), st.sampled_from(["", "Ada"]))


@st.composite
def forms(draw: st.DrawFn, first: int = 100) -> Post:
    """A form of a post that was edited twice: of one of its edits, knowing of those before it, of all, or of none."""
    edits = [str(first + number) for number in range(3)]
    version = draw(st.sampled_from(edits))
    known = draw(st.sampled_from([[], edits[: edits.index(version) + 1], edits]))
    ids = [version, *known]
    missing = draw(st.sampled_from(["", "", "", "removed", "not_found"]))
    if missing:
        return Post(version, version, missing=missing)
    return Post(
        min(ids),
        version,
        author=draw(AUTHORS),
        text=draw(WORDS),
        is_whole=draw(st.booleans()),
        created_at=draw(st.sampled_from([None, datetime(2026, 1, 1, tzinfo=UTC)])),
        lang=draw(st.sampled_from(["", "en"])),
        reply_to=draw(st.sampled_from(["", "50"])),
        media=draw(MEDIA),
        poll=draw(st.sampled_from([(), ("yes", "no")])),
        card=draw(st.none() | st.builds(Card, st.just("u"), WORDS, WORDS)),
        quoted=draw(st.none() | st.builds(Post, st.just("60"), st.just("60"), text=WORDS)),
        edits=all_edits(ids),
        note=draw(WORDS),
        withheld=draw(st.sampled_from([(), ("DE",), ("FR",)])),
    )


POSTS = st.lists(st.one_of(*(forms(first) for first in (100, 200))), max_size=5)


@given(forms(), forms(), forms())
def test_joining_forms_of_a_post_is_idempotent_commutative_and_associative(a: Post, b: Post, c: Post) -> None:
    assert join(a, a) == a
    assert join(a, b) == join(b, a)
    assert join(a, join(b, c)) == join(join(a, b), c)
    assert join(join(a, b), b) == join(a, b)


@given(POSTS, POSTS, POSTS)
def test_uniting_posts_is_idempotent_commutative_and_associative(
    a: Sequence[Post], b: Sequence[Post], c: Sequence[Post]
) -> None:
    assert union(union(a)) == union(a)
    assert union([*a, *a]) == union(a)
    assert union([*a, *b]) == union([*b, *a]) == union([*union(a), *union(b)])
    assert union([*union([*a, *b]), *c]) == union([*a, *union([*b, *c])])


@given(POSTS)
def test_what_is_kept_of_posts_is_what_they_are(posts: Sequence[Post]) -> None:
    for post in union(posts):
        assert from_json(to_json(post)) == post


def test_the_fuller_form_stays_and_the_later_edit() -> None:
    short = Post("100", "100", text="The beginning", is_whole=False)
    long = Post("100", "100", text="The whole of it", author=Author("7", "ada"))
    assert join(short, long).text == "The whole of it"
    linked = Post("100", "100", text="See https://t.co/aaaaaaaaaa")
    assert join(linked, Post("100", "100", text="See https://a.b/")).text == "See https://a.b/"
    edited = Post("100", "101", text="Mended", edits=("100", "101"))
    assert join(long, edited).text == "Mended"
    assert join(long, edited).author.handle == "ada"
    assert join(edited, Post("101", "101", missing="removed")).text == "Mended"


CHAIN = [
    Post(
        str(1000 + number),
        str(1000 + number),
        author=Author("7", "ada"),
        text=f"Part {number}",
        reply_to=str(999 + number) if number else "",
        reply_to_author=Author("7", "ada") if number else Author(),
    )
    for number in range(8)
]


@given(st.permutations(CHAIN), st.integers(0, 8))
def test_a_thread_is_the_same_document_in_whatever_pieces_and_order_it_came(posts: list[Post], cut: int) -> None:
    whole = make_document("1000", union(CHAIN), "api", [], 0)
    pieces = union([*union(posts[:cut]), *union(posts[cut:]), *posts[:3]])
    assert make_document("1000", pieces, "api", [], 0) == whole
    assert whole.text == "\n\n".join(f"Part {number}" for number in range(8))


def test_posts_whose_beginning_is_missing_are_told_with_what_is_missing() -> None:
    found = threads_of(union(CHAIN[3:]), {})
    assert not found.roots
    assert set(found.loose.values()) == {"1002"}
    assert missing_above(CHAIN[3:]) == ["1002"]
    assert set(threads_of(union(CHAIN[3:]), {"1002": "1000"}).roots.values()) == {"1000"}
    assert set(threads_of(union(CHAIN[3:]), {}, frozenset({"1002"})).roots.values()) == {"1003"}


def test_an_answer_to_somebody_else_begins_a_thread_and_what_goes_on_from_it_is_in_that() -> None:
    to_ben = Post("2000", "2000", author=Author("7"), reply_to="1999", reply_to_author=Author("8"))
    goes_on = Post("2001", "2001", author=Author("7"), reply_to="2000", reply_to_author=Author("7"))
    assert threads_of([to_ben, goes_on], {}).roots == {"2000": "2000", "2001": "2000"}


def test_posts_that_answer_in_circles_are_each_a_beginning() -> None:
    ada = Author("7")
    later = Post("10", "10", author=ada, reply_to="11", reply_to_author=ada)
    earlier = Post("11", "11", author=ada, reply_to="10", reply_to_author=ada)
    assert threads_of([later, earlier], {}).roots == {"10": "10", "11": "10"}

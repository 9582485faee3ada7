"""Comment trees put together from what Reddit gives at once, and what it only hints at."""

from typing import Any

import pytest

from extrophi_backend.collectors.reddit.models import Unreadable
from extrophi_backend.collectors.reddit.tree import Ask, Tree


def comment(name: str, parent: str, *replies: Any, **more: Any) -> Any:
    inner = {"kind": "Listing", "data": {"children": [*replies]}} if replies else ""
    data = {"id": name, "parent_id": parent, "body": f"I am {name}.", "replies": inner} | more
    return {"kind": "t1", "data": data}


def more(parent: str, *children: str, count: int | None = None) -> Any:
    number = len(children) if count is None else count
    name = children[0] if children else "_"
    return {"kind": "more", "data": {"id": name, "parent_id": parent, "children": [*children], "count": number}}


def begun(*comments: Any, most_comments: int = 1000, most_asks: int = 100) -> Tree:
    tree = Tree(most_comments=most_comments, most_asks=most_asks)
    post = {"kind": "t3", "data": {"id": "p", "title": "A post", "permalink": "/r/x/comments/p/a_post/"}}
    tree.begin([{"data": {"children": [post]}}, {"data": {"children": [*comments]}}])
    return tree


def answered(*things: Any) -> Any:
    return {"json": {"errors": [], "data": {"things": [*things]}}}


def asked(tree: Tree) -> Ask:
    """The next question, where there must be one."""
    ask = tree.next_ask()
    assert ask is not None
    return ask


def order(tree: Tree) -> list[tuple[str, int | None]]:
    return [(one.name.removeprefix("t1_"), one.depth) for one in tree.in_order()]


def test_comments_come_before_those_that_answer_them() -> None:
    tree = begun(
        comment("a", "t3_p", comment("b", "t1_a", comment("c", "t1_b")), comment("d", "t1_a")), comment("e", "t3_p")
    )
    assert order(tree) == [("a", 0), ("b", 1), ("c", 2), ("d", 1), ("e", 0)]
    assert tree.next_ask() is None
    assert tree.left == 0


def test_what_is_hinted_at_takes_its_place() -> None:
    tree = begun(comment("a", "t3_p", more("t1_a", "b", "c", count=4)), comment("z", "t3_p"), more("t3_p", "y"))
    assert tree.left == 5
    ask = asked(tree)
    assert ask == Ask(("y", "b", "c"))
    tree.take(ask, answered(comment("b", "t1_a"), comment("x", "t1_b"), comment("c", "t1_a"), comment("y", "t3_p")))
    assert order(tree) == [("a", 0), ("b", 1), ("x", 2), ("c", 1), ("z", 0), ("y", 0)]
    assert tree.left == 0
    assert tree.next_ask() is None


def test_siblings_keep_the_order_that_they_were_hinted_at_in() -> None:
    tree = begun(more("t3_p", "a", "b", "c"))
    ask = asked(tree)
    tree.take(ask, answered(comment("c", "t3_p"), comment("a", "t3_p"), more("t3_p", "b")))
    ask = asked(tree)
    tree.take(ask, answered(comment("b", "t3_p")))
    assert order(tree) == [("a", 0), ("b", 0), ("c", 0)]


def test_a_comment_is_where_it_says_and_not_where_it_was_hinted_at() -> None:
    tree = begun(comment("a", "t3_p"), more("t3_p", "b"))
    ask = asked(tree)
    tree.take(ask, answered(comment("b", "t1_a")))
    assert order(tree) == [("a", 0), ("b", 1)]


def test_a_hundred_are_asked_for_at_once() -> None:
    tree = begun(more("t3_p", *(f"c{number}" for number in range(250)), count=300))
    sizes: list[int] = []
    while ask := tree.next_ask():
        sizes.append(len(ask.children))
        tree.take(ask, answered(*(comment(one, "t3_p") for one in ask.children)))
    assert sizes == [100, 100, 50]
    assert [name for name, _ in order(tree)] == [f"c{number}" for number in range(250)]


def test_a_branch_that_goes_on_deeper_is_asked_for_by_its_last_comment() -> None:
    tree = begun(comment("a", "t3_p", more("t1_a", count=0)))
    ask = asked(tree)
    assert ask == Ask(under="a")
    post = {"kind": "t3", "data": {"id": "p"}}
    again = comment("a", "t3_p", comment("b", "t1_a", more("t1_b", count=0)))
    tree.take(ask, [{"data": {"children": [post]}}, {"data": {"children": [again]}}])
    assert order(tree) == [("a", 0), ("b", 1)]
    assert tree.next_ask() == Ask(under="b")
    assert tree.left == 0


def test_what_is_asked_for_and_not_given_is_not_asked_for_again() -> None:
    tree = begun(more("t3_p", "a", "b"))
    ask = asked(tree)
    tree.take(ask, answered(comment("a", "t3_p"), more("t3_p", "b")))
    ask = asked(tree)
    assert ask == Ask(("b",))
    tree.take(ask, answered(more("t3_p", "b")))
    assert tree.next_ask() is None
    assert tree.left == 0


def test_the_limits_end_the_asking_and_what_is_left_is_counted() -> None:
    hints = [more("t3_p", *(f"{letter}{number}" for number in range(100)), count=150) for letter in "abc"]
    tree = begun(*hints, most_asks=1)
    ask = asked(tree)
    tree.take(ask, answered(*(comment(one, "t3_p") for one in ask.children)))
    assert tree.next_ask() is None
    assert tree.left == 300
    small = begun(comment("x", "t3_p"), *hints, most_comments=1)
    assert small.next_ask() is None
    assert small.left == 450


def test_what_reddit_failed_to_give_is_counted() -> None:
    tree = begun(comment("x", "t3_p", more("t1_x", count=0)), more("t3_p", "a", "b"), more("t3_p", count=7))
    while ask := tree.next_ask():
        tree.refuse(ask)
    assert tree.refused == tree.left == 10


def test_a_contests_shuffled_comments_are_in_the_order_of_their_times() -> None:
    one, other = comment("a", "t3_p", created_utc=2.0), comment("b", "t3_p", created_utc=1.0)
    for siblings in ((one, other), (other, one)):
        tree = Tree(most_comments=10, most_asks=10)
        post = {"kind": "t3", "data": {"id": "p", "contest_mode": True}}
        tree.begin([{"data": {"children": [post]}}, {"data": {"children": [*siblings]}}])
        assert order(tree) == [("b", 0), ("a", 0)]


def test_comments_whose_parents_are_missing_come_last() -> None:
    tree = begun(comment("a", "t1_gone", comment("b", "t1_a")), comment("c", "t3_p"))
    assert order(tree) == [("c", 0), ("a", 0), ("b", 1)]


def test_comments_that_answer_each_other_in_a_circle_are_all_there_once() -> None:
    tree = begun(comment("a", "t1_b"), comment("b", "t1_a"), comment("c", "t1_c"), comment("d", "t3_p"))
    assert sorted(name for name, _ in order(tree)) == ["a", "b", "c", "d"]


def test_the_same_comment_twice_is_one() -> None:
    tree = begun(comment("a", "t3_p"), comment("a", "t3_p", comment("b", "t1_a")))
    assert order(tree) == [("a", 0), ("b", 1)]


def test_a_chain_of_any_depth_is_followed() -> None:
    tree = begun(comment("c0", "t3_p"), *(comment(f"c{at}", f"t1_c{at - 1}") for at in range(1, 5000)))
    assert order(tree)[-1] == ("c4999", 4999)


def test_strange_things_are_counted() -> None:
    tree = begun(
        {"kind": "ad", "data": {}}, {"kind": "ad", "data": {}}, None, comment("", "t3_p"), comment("a", "t3_p")
    )
    assert tree.unknown == {"ad": 2, "?": 1}
    assert tree.unreadable == 1
    assert len(tree) == 1


def test_a_comment_that_does_not_say_what_it_says_is_counted_once_and_keeps_its_place() -> None:
    mute, bare = comment("b", "t1_a", comment("c", "t1_b"), body=None, body_html="<p>x</p>"), comment("d", "t3_p")
    del bare["data"]["body"]
    tree = begun(comment("a", "t3_p", mute), mute, bare, comment("e", "t1_d"), comment("f", "t3_p", body=""))
    assert tree.unreadable == 2  # an empty text says so itself
    assert order(tree) == [("a", 0), ("b", 1), ("c", 2), ("d", 0), ("e", 1), ("f", 0)]


@pytest.mark.parametrize("answer", [None, {}, [], [{}, {}], [{"data": {"children": []}}, {"data": {"children": []}}]])
def test_what_is_no_post_is_refused(answer: Any) -> None:
    with pytest.raises(Unreadable):
        Tree(most_comments=1, most_asks=1).begin(answer)

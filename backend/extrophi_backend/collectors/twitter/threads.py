"""Which posts are one thread: a post, and what its author goes on with by answering it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from extrophi_backend.collectors.twitter.models import Post


@dataclass(frozen=True, slots=True)
class Threads:
    """`roots`: by a post's id, that of the thread that it is in. `loose`: the missing post above it, likewise."""

    roots: Mapping[str, str]
    loose: Mapping[str, str]


_NOWHERE: Mapping[str, str] = {}


def threads_of(
    posts: Sequence[Post],
    known: Mapping[str, str],
    lost: frozenset[str] = frozenset(),
    told: Mapping[str, str] = _NOWHERE,
) -> Threads:
    """To which threads posts belong, as far as that can be told.

    Args:
        posts: Each once, ascending, as `union` gives them.
        known: Threads of posts that are in the library already, by the posts' ids.
        lost: Posts that are not to be had: what follows them begins a thread.
        told: First posts of threads, by the ids of posts in them: they come by themselves.
    """
    named = {one: post.id for post in posts for one in post.ids}
    roots: dict[str, str] = {}
    loose: dict[str, str] = {}
    for post in posts:
        above = named.get(post.reply_to, post.reply_to)
        begins = not post.continues_own or post.reply_to in lost
        here = next((known[one] for one in sorted(post.ids, key=int) if one in known), None)
        goes_on = not begins and post.reply_to in known and int(post.reply_to) < int(post.id)
        if not begins and above in roots:
            roots[post.id] = roots[above]
        # One that came before without its place has a document of its own, and leaves it.
        elif goes_on and (here is None or here in post.ids):
            roots[post.id] = known[post.reply_to]
        elif here is not None:
            roots[post.id] = here
        # Nobody answers what is not there yet: a post that says so is taken for a first one.
        elif begins or int(post.reply_to) >= int(post.id):
            roots[post.id] = post.id
        elif above in loose:
            loose[post.id] = loose[above]
        elif post.id in told:
            roots[post.id] = known.get(told[post.id], told[post.id])
        else:
            loose[post.id] = post.reply_to
    return Threads(roots, loose)


def missing_above(posts: Iterable[Post]) -> list[str]:
    """Posts that some of these go on from, and that are not among them."""
    given = list(posts)
    there = frozenset[str]().union(*(post.ids for post in given))
    return sorted({post.reply_to for post in given if post.continues_own and post.reply_to not in there}, key=int)

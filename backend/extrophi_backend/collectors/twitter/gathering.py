"""Documents of the posts that came: with those that the library holds of the same threads, and none of them lost.

What is remembered of posts by name: `post/ID` says in which document one is that is not its first; `awaits/ID` which
document goes on from a post that was not to be had, should it come one day.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from extrophi_backend.collectors.models import Collected, Head, Known
from extrophi_backend.collectors.twitter import models
from extrophi_backend.collectors.twitter.document import MADE, make_document
from extrophi_backend.collectors.twitter.merging import union
from extrophi_backend.collectors.twitter.models import Batch, Piece, Post, posts_of, to_json
from extrophi_backend.collectors.twitter.reading import as_object, id_of
from extrophi_backend.collectors.twitter.threads import missing_above, threads_of

_MOST_RAW = 50
"""Carried posts that keep the part of the answer that they were read from."""


@dataclass(slots=True)
class Gathered:
    """What came of a batch. `carried`: posts whose thread's beginning has not come."""

    documents: list[Collected] = field(default_factory=list[Collected])
    unchanged: list[str] = field(default_factory=list[str])
    gone: list[str] = field(default_factory=list[str])
    memos: dict[str, Any] = field(default_factory=dict[str, Any])
    carried: list[Piece] = field(default_factory=list[Piece])
    later: int = 0
    """Documents of which the first post comes by itself: they are counted with that."""
    left_out: list[str] = field(default_factory=list[str])
    """Posts that there was no room for."""
    known: int = 0
    """Documents that were passed over, since all that is listed of them is there already."""

    @property
    def had(self) -> int:
        return len(self.documents) + len(self.unchanged) - self.later


@dataclass(frozen=True, slots=True)
class _There:
    """What the library holds of some posts: the documents that they are in, and what waits for one of them.

    `ours`: those of the documents that this source has brought. Another's are this one's once it has looked at them.
    """

    inside: Mapping[str, str]
    heads: Mapping[str, Head]
    ours: Collection[str]
    awaited: Mapping[str, str]


async def gather(
    library: Known,
    batch: Batch,
    carried: Sequence[Piece],
    way: models.Way,
    *,
    room: int,
    only_new: bool = False,
    lost: frozenset[str] = frozenset(),
) -> Gathered:
    """Make documents of what came.

    Args:
        library: What is there.
        batch: What came. Posts that came beside those listed are taken where they are of the same thread.
        carried: Of earlier batches: as good as listed.
        way: How it came.
        room: So many documents at most. The rest is left out.
        only_new: Pass over what is there already.
        lost: Posts that are not to be had: what goes on from them begins a document.
    """
    pieces = [*carried, *(one.piece for one in batch.listed), *batch.beside]
    posts = union(piece.post for piece in pieces)
    named = {one: post.id for post in posts for one in post.ids}
    wanted = dict.fromkeys(named[piece.post.id] for piece in pieces[: len(carried) + len(batch.listed)])
    there = await _look(library, posts, batch.roots)
    found = threads_of(posts, there.inside, lost, batch.roots)
    # A document that began in the middle goes on in that of its thread's beginning.
    moved: dict[str, str] = {}
    for post in posts:
        if (root := found.roots.get(post.id)) is not None:
            moved |= dict.fromkeys(_later_parts(post, there, root), root)
    for later in sorted(moved, key=int):  # always to an older one, which may have moved itself
        moved[later] = moved.get(moved[later], moved[later])
    roots = {post: moved.get(root, root) for post, root in found.roots.items()}

    made = Gathered()
    if only_new:
        passed = {
            post.id for post in posts if post.id in wanted and _is_there(post, there) and post.ids.isdisjoint(moved)
        }
        made.known = len({roots[one] for one in passed if one in roots})
        wanted = {one: None for one in wanted if one not in passed}
    raw: dict[str, Piece] = {}
    for piece in pieces:
        if raw.get(named[piece.post.id], piece).raw is None or named[piece.post.id] not in raw:
            raw[named[piece.post.id]] = piece
    members: dict[str, list[Post]] = {}
    for post in posts:
        if post.id in roots:
            members.setdefault(roots[post.id], []).append(post)
    found_roots = [*dict.fromkeys(roots[one] for one in wanted if one in roots)]
    beyond = frozenset(found_roots[room:])
    made.left_out = [one for one in wanted if roots.get(one) in beyond]
    made.later = sum(root not in named for root in {*batch.roots.values()}.intersection(found_roots[:room]))
    for root in found_roots[:room]:
        taken = [old for old, new in moved.items() if new == root]
        _make(made, root, members[root], taken, there, way, [raw[post.id] for post in members[root]])
    tops = {found.loose[one] for one in wanted if one in found.loose}
    loose = [post for post in posts if found.loose.get(post.id) in tops]
    made.carried = [Piece(post, raw[post.id].raw if len(loose) <= _MOST_RAW else None) for post in loose]
    return made


async def _look(library: Known, posts: Sequence[Post], roots: Mapping[str, str]) -> _There:
    ids = {one for post in posts for one in post.ids}
    above = sorted({*missing_above(posts), *roots.values()} - ids, key=int)
    memos = await library.memos([*(f"post/{one}" for one in sorted(ids) + above), *(f"awaits/{one}" for one in ids)])
    inside = {one: root for one in [*ids, *above] if (root := _named(memos, f"post/{one}", "in"))}
    awaited = {one: root for one in ids if (root := _named(memos, f"awaits/{one}", "doc"))}
    heads = await library.heads(sorted({*ids, *above, *inside.values(), *awaited.values()}, key=int))
    ours = await library.collected(sorted(heads, key=int))
    return _There({one: one for one in [*ids, *above] if one in heads} | inside, heads, ours.keys(), awaited)


def _named(memos: Mapping[str, Any], name: str, field: str) -> str:
    return id_of(as_object(memos.get(name)).get(field))


def _later_parts(post: Post, there: _There, root: str) -> list[str]:
    """Documents that belong to that of `root`, by this post: one goes on from it; or it came once without its place."""
    parts = {*post.ids, *(there.awaited[one] for one in post.ids if one in there.awaited)} & there.heads.keys()
    # Those that are inside of another were joined before.
    return [one for one in sorted(parts, key=int) if int(one) > int(root) and there.inside.get(one, one) == one]


def _is_there(post: Post, there: _There) -> bool:
    """Whether the library has these very words of it, and this source has brought them."""
    root = next((there.inside[one] for one in post.ids if one in there.inside), None)
    head = there.heads.get(root) if root else None
    return root in there.ours and head is not None and any(post.version in old.ids for old in posts_of(head.validators))


def _make(
    made: Gathered,
    root: str,
    came: Sequence[Post],
    taken: Sequence[str],
    there: _There,
    way: models.Way,
    raw: Sequence[Piece],
) -> None:
    head = there.heads.get(root)
    before = posts_of(head.validators) if head else []
    others = [post for one in taken for post in posts_of(there.heads[one].validators)]
    posts = union([*before, *others, *came])
    kept = [to_json(post) for post in posts]
    if head is not None and head.validators.get("posts") == kept and head.validators.get("made") == MADE:
        made.unchanged.append(root)
    else:
        made.documents.append(make_document(root, posts, way, raw, head.version if head else 0))
    made.gone += taken
    new = {one for post in [*others, *came] for one in post.ids if there.inside.get(one) != root}
    made.memos |= {f"post/{one}": {"in": root} for one in sorted(new, key=int) if one != root}
    first = posts[0]
    if first.continues_own:
        made.memos[f"awaits/{first.reply_to}"] = {"doc": root}

"""Collecting by Reddit's Atom feeds.

One request gives 25 posts of a list, or a post with its latest 25 comments; nobody's score is in it.
"""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from hashlib import blake2b

from extrophi_backend.collectors.models import Capture, Collected, Head, Run, Validators
from extrophi_backend.collectors.reddit.atom import Feed, Found
from extrophi_backend.collectors.reddit.feeds import ENTRIES, Feeds, Own
from extrophi_backend.collectors.reddit.keeping import memo_name
from extrophi_backend.collectors.reddit.knowing import is_better, validators_of
from extrophi_backend.collectors.reddit.models import Comment, Declined, Unreadable, Way
from extrophi_backend.collectors.reddit.parse import id_of
from extrophi_backend.collectors.reddit.places import Place, post_address
from extrophi_backend.collectors.reddit.progress import Draft, Progress
from extrophi_backend.collectors.reddit.refusing import reason_of
from extrophi_backend.collectors.reddit.reporting import strange_parts
from extrophi_backend.collectors.reddit.writing import document
from extrophi_backend.errors import Refused
from extrophi_backend.fetch.errors import FetchFailed

_PARTIAL = "partial"
"""Of a document's validators: the post itself was not in the feed, only comments on it."""
_SAID = "said"
"""Likewise: a digest of what the feed's entry said, which tells an edit."""
_MOST_TROUBLES = 10
"""Posts in a row that Reddit does not give to a robot, or that get no answer: the rest would fare no better."""
_MISSED = (
    f"All {ENTRIES} entries of the feed are new: what was posted between the last look and them may have been missed, "
    "and feeds do not show it any more. An app of your own gets it, as far as Reddit lists it: `extrophi accounts` "
    "says how."
)
_BLOCKED = "Reddit often refuses its open feeds. An app of your own asks in another way: `extrophi accounts` says how."


class ByFeed:
    """One run. `draft` takes what comes of it, `at` is where it is.

    Args:
        feeds: Whom to ask.
        run: What for.
        place: The run's target.
        own: Whose feed it is, where it is asked for with their token.
        now: The present.
    """

    def __init__(self, feeds: Feeds, run: Run, place: Place, own: Own | None, now: Callable[[], datetime]) -> None:
        self.draft = Draft()
        self.at = Progress(run.cursor or {}, "feed")
        self._feeds = feeds
        self._run = run
        self._place = place
        self._own = own
        self._now = now
        self._gap = memo_name("gap", run.source, place.address)

    async def steps(self) -> AsyncIterator[None]:
        """Work from the cursor on; give way after each post.

        Raises:
            Refused: the place is not to be had.
            Wait: Reddit asks to.
        """
        if self._run.purpose == "revisit":
            async for _ in self._revisits():
                yield
            return
        address = self._place.address
        if address in self._run.set_aside:
            self.draft.fail(address, "poisonous", "Reading it ended the worker five times.")
            return
        await self._run.suspect(address)
        try:
            feed = await self._feeds.get(self._place, self._own)
        except Declined as declined:
            await self._note_vanished(declined)
            code, detail = reason_of(declined, self._place.name)
            raise Refused(code, detail, hint=_BLOCKED if code == "http_403" else "") from declined
        except FetchFailed as failure:
            raise Refused(failure.code, failure.detail) from failure
        except Unreadable as failure:
            raise Refused("unreadable_answer", failure.detail) from failure
        async for _ in self._posts(feed):
            yield

    async def _note_vanished(self, declined: Declined) -> None:
        """A post that was there, and that a person asks for by name, is gone."""
        name = f"t3_{self._place.post_id}"
        if self._place.kind == "post" and declined.status in {404, 410}:
            self.draft.gone += list(await self._run.known.validators([name]))

    async def _posts(self, feed: Feed) -> AsyncIterator[None]:
        """Handle those posts of a feed that are still to be handled."""
        if self.at.last is None:
            self.draft.failures += strange_parts(self._place.address, feed.unknown, feed.unreadable)
        if self._place.is_newest_first:
            await self._note_gap(feed)
        ids = [found.post.id for found in feed.posts]
        rest = feed.posts[ids.index(self.at.last) + 1 :] if self.at.last in ids else feed.posts
        names = [found.post.name for found in rest]
        heads = await self._run.known.heads(names)
        ours = await self._run.known.collected(names) if self._run.purpose == "new" else {}
        is_single = self._place.kind == "post"
        for found in rest:
            if self.at.is_enough(self._run.limit):
                if self._place.is_newest_first:
                    self.draft.memos[self._gap] = {"open": True}
                return
            if not is_single and _is_as_before(ours.get(found.post.name), found):
                self.draft.known += 1
            else:
                self._take(found, heads.get(found.post.name), is_single=is_single)
            self.at.last = found.post.id
            yield

    async def _note_gap(self, feed: Feed) -> None:
        """Note whether the list has posts that were not had, below those that were; tell where some were missed.

        The first run has no more than the latest posts: that leaves a gap for an app to close, and is no failure.
        """
        names = [found.post.name for found in feed.posts]
        ours = await self._run.known.collected(names)
        before = await self._run.known.memo(self._gap)
        is_met = bool(names) and names[-1] in ours
        self.draft.memos[self._gap] = {} if is_met and before == {} else {"open": True}
        if self.at.last is None and before is not None and feed.entries >= ENTRIES and not ours:
            self.draft.fail(self._place.address, "more_left", _MISSED)

    async def _revisits(self) -> AsyncIterator[None]:
        """Look at the posts that are due, and at nothing else. Raises Refused: too many in a row are not to be had."""
        due = [post_id for one in self._run.revisit if (post_id := id_of(one, "t3"))]
        if self.at.last in due:
            due = due[due.index(self.at.last) + 1 :]
        for one in due:
            await self._revisit(one)
            self.at.last = one
            yield

    async def _revisit(self, post_id: str) -> None:
        address, name = post_address(post_id), f"t3_{post_id}"
        head = (await self._run.known.heads([name])).get(name)
        if head is not None and is_better(head.validators, "post_feed"):
            self.draft.unchanged.append(name)
            return
        try:
            feed = await self._feeds.get(Place("post", f"/comments/{post_id}"), None)
        except Declined as declined:
            code, detail = reason_of(declined, f"post {post_id}")
            if declined.status in {404, 410} and head is not None:
                self.draft.gone.append(name)
            else:
                self.draft.fail(address, code, detail)
            self._note_trouble(is_one=code == "http_403" or declined.status >= 500)
        except Unreadable as failure:
            self.draft.fail(address, "unreadable_answer", failure.detail)
        except FetchFailed as failure:
            self.draft.fail(address, failure.code, failure.detail)
            self._note_trouble(is_one=True)
        else:
            self.at.troubles = 0
            self.draft.failures += strange_parts(address, feed.unknown, feed.unreadable)
            for found in feed.posts[:1]:
                self._take(found, head, is_single=True)

    def _note_trouble(self, *, is_one: bool) -> None:
        """Raises Refused: too many in a row are not to be had."""
        self.at.troubles = self.at.troubles + 1 if is_one else 0
        if self.at.troubles >= _MOST_TROUBLES:
            self.at.troubles = 0
            last = self.draft.failures[-1]
            raise Refused(last.code, last.detail, hint=_BLOCKED if last.code == "http_403" else "")

    def _take(self, found: Found, head: Head | None, *, is_single: bool) -> None:
        """Take a post, unless there is more of it already."""
        way: Way = "post_feed" if is_single else "feed"
        address = post_address(found.post.id)
        held = head.validators if head else None
        is_less = not found.is_itself and held is not None and not held.get(_PARTIAL)
        if held is not None and (is_less or is_better(held, way)):
            self.draft.unchanged.append(found.post.name)
            self.draft.reached.append(address)
        else:
            self.draft.take(self._document(found, way, head), address)
        self.at.handled += 1

    def _document(self, found: Found, way: Way, head: Head | None) -> Collected:
        return document(
            found.post,
            sorted(found.comments, key=_when),
            format_="html",
            capture=Capture(found.raw, "application/xml"),
            validators=validators_of(found.post, way, self._now())
            | {_PARTIAL: not found.is_itself, _SAID: _said(found)},
            based_on=head.version if head else 0,  # what another job brought meanwhile may be more
        )


def _is_as_before(held: Validators | None, found: Found) -> bool:
    """Whether a list's entry says nothing that a document does not have."""
    return held is not None and (is_better(held, "feed") or held.get(_SAID) == _said(found))


def _said(found: Found) -> str:
    """A digest of what an entry says."""
    words = [found.post.title, found.post.words.text, *(one.words.text for one in found.comments)]
    return blake2b("\0".join(words).encode(), digest_size=8).hexdigest()


def _when(comment: Comment) -> datetime:
    return comment.words.published_at or datetime.min.replace(tzinfo=UTC)

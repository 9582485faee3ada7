"""Collecting by Reddit's API: lists of posts, and each post with all of its comments."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any

from extrophi_backend.collectors.models import Run, Validators
from extrophi_backend.collectors.reddit.api import API
from extrophi_backend.collectors.reddit.gathering import Gatherer, Looked
from extrophi_backend.collectors.reddit.keeping import Keeper, memo_name
from extrophi_backend.collectors.reddit.knowing import is_whole
from extrophi_backend.collectors.reddit.models import Declined, Entry, Listing, Unreadable
from extrophi_backend.collectors.reddit.parse import as_object, id_of, plain, read_listing
from extrophi_backend.collectors.reddit.pending import Pending
from extrophi_backend.collectors.reddit.places import Place, post_address
from extrophi_backend.collectors.reddit.progress import Draft, Progress
from extrophi_backend.collectors.reddit.refusing import reason_of, refusal
from extrophi_backend.collectors.reddit.reporting import strange_parts
from extrophi_backend.errors import Refused
from extrophi_backend.fetch.errors import FetchFailed, Wait
from extrophi_backend.jobs.misses import is_passing

_AT_ONCE = 100
"""Entries of a list, and ids that `/api/info` takes."""
_MOST_PAGES = 1000
_MOST_TROUBLES = 3
"""Posts in a row that get no answer: the rest would get none, either."""


class ByAPI:
    """One run. `draft` takes what comes of it, `at` is where it is.

    Args:
        api: Whom to ask for lists.
        gatherer: Whom to ask for posts.
        run: What for.
        place: The run's target.
    """

    def __init__(self, api: API, gatherer: Gatherer, run: Run, place: Place) -> None:
        self.draft = Draft()
        self.at = Progress(run.cursor or {}, "oauth")
        self._api = api
        self._gatherer = gatherer
        self._run = run
        self._place = place
        self._gap = memo_name("gap", run.source, place.address)
        self._waiting = memo_name("pending", run.source, place.address)
        self._pending: Pending | None = None
        """Of a list's run."""
        self._retried: set[str] = set()
        """Posts that this run asked for again: it is done with them, although they may be in the list as well."""
        self._troubles = 0
        self._keeper = Keeper(run.known, run.target.canonical)

    async def steps(self) -> AsyncIterator[None]:
        """Work from the cursor on; give way after each post.

        Raises:
            Refused: the place is not to be had.
            Wait: Reddit asks to.
        """
        if self._run.purpose == "revisit":
            async for _ in self._revisits():
                yield
        elif self._place.kind == "post":
            await self._single(self._place.post_id)
            yield
        else:
            async for _ in self._pages():
                yield

    async def _pages(self) -> AsyncIterator[None]:
        """A list, page by page."""
        path = await self._path()
        self._pending = Pending(await self._run.known.memo(self._waiting))
        if self._run.purpose == "new" and not self.at.is_retried:
            async for _ in self._retry(self._pending):
                yield
            self.at.is_retried = True
        is_new = self._run.purpose == "new" and self._place.is_newest_first
        if is_new and self.at.is_whole is None:
            self.at.is_whole = await self._run.known.memo(self._gap) != {}
        while not self.at.is_enough(self._run.limit) and self.at.pages < _MOST_PAGES:
            after = {"after": self.at.after} if self.at.after else {}
            listing = _read(await self._asked(path, {**self._place.asks, "limit": _AT_ONCE, **after}))
            if self.at.last is None:
                self.draft.failures += strange_parts(self._place.address, listing.unknown, listing.unreadable)
            is_over = is_new and await self._is_known(listing.entries[-1:])
            if not is_over:  # what comes next may fail, and would then lie between what is known
                self._note_gap(is_open=True)
            async for _ in self._entries(listing.entries):
                yield
            if self.at.is_enough(self._run.limit):  # the rest of this very page is still to be had
                self._note_gap(is_open=True)
                return
            is_last = listing.after is None or listing.after == self.at.after
            if is_last or (is_over and not self.at.is_whole):
                self._note_gap(is_open=False)
                return
            self.at.turn(listing.after or "")

    def _note_gap(self, *, is_open: bool) -> None:
        """Note whether the list has posts that were not had, below those that were."""
        if self._place.is_newest_first:
            self.draft.memos[self._gap] = {"open": True} if is_open else {}

    async def _path(self) -> str:
        """Where the list is. Raises Refused, Wait."""
        if self._place.kind == "front":
            return self._place.path or "/best"
        if self._place.owner != "me":
            return self._place.path
        name = plain(as_object(await self._asked("/api/v1/me", {})).get("name"))
        if not name:
            raise Refused("unreadable_answer", "Reddit does not say whose credentials these are.")
        return self._place.path.replace("/user/me/", f"/user/{name}/", 1)

    async def _asked(self, path: str, params: Mapping[str, str | int]) -> Any:
        """What the run cannot do without. Raises Refused, Wait."""
        try:
            return await self._api.get(path, params)
        except Declined as declined:
            if declined.status == 403 and self._place.kind == "user" and await self._is_suspended():
                raise Refused("suspended", f"Reddit has suspended {self._place.name}.") from declined
            raise refusal(declined, self._place) from declined
        except FetchFailed as failure:
            raise Refused(failure.code, failure.detail) from failure
        except Unreadable as failure:
            raise Refused("unreadable_answer", failure.detail) from failure

    async def _is_suspended(self) -> bool:
        try:
            about = await self._api.get(f"/user/{self._place.owner}/about", {})
        except (Declined, FetchFailed, Unreadable):
            return False
        return as_object(as_object(about).get("data")).get("is_suspended") is True

    async def _is_known(self, entries: Sequence[Entry]) -> bool:
        """Whether all of these were had before. Of a list with the newest first, those after them were as well."""
        names = [entry.name for entry in entries]
        return len(await self._run.known.collected(names)) == len(names) > 0

    async def _entries(self, entries: Sequence[Entry]) -> AsyncIterator[None]:
        """Handle those entries of a page that are still to be handled."""
        ids = [entry.id for entry in entries]
        rest = entries[ids.index(self.at.last) + 1 :] if self.at.last in ids else entries
        names = [entry.name for entry in rest]
        held = await self._run.known.validators(names)
        is_new = self._run.purpose == "new"
        ours = await self._run.known.collected(names) if is_new else {}
        put_off = await self._run.known.not_due([post_address(entry.id) for entry in rest]) if is_new else ()
        for entry in rest:
            if self.at.is_enough(self._run.limit):
                return
            if not self._is_passed(entry, ours, put_off):
                await self._handle(entry, held.get(entry.name))
            self.at.last = entry.id
            yield

    def _is_passed(self, entry: Entry, ours: Mapping[str, Validators], put_off: Collection[str]) -> bool:
        """Whether a run for what is new passes an entry over: it is as it was, or failed lately."""
        if entry.id in self._retried:
            return True
        held = ours.get(entry.name)
        if held is None:
            return post_address(entry.id) in put_off
        is_waiting = not is_whole(held) and post_address(entry.id) in put_off
        is_known = is_waiting or entry.post is None or self._gatherer.is_as_before(held, entry.post)
        self.draft.known += is_known
        return is_known

    async def _revisits(self) -> AsyncIterator[None]:
        """Look at the posts that are due, and at nothing else."""
        due = [post_id for one in self._run.revisit if (post_id := id_of(one, "t3"))]
        if self.at.last in due:
            due = due[due.index(self.at.last) + 1 :]
        async for one in self._by_id(due):
            self.at.last = one
            yield

    async def _retry(self, pending: Pending) -> AsyncIterator[None]:
        """Look again at posts that were not had, or not as a whole, and that newer ones may have pushed out of sight.

        Those that were looked at are struck off, or are not due: a run that is gone on with passes them over.
        """
        waiting = {one: post_address(one) for one in pending}
        put_off = await self._run.known.not_due([*waiting.values()]) if waiting else ()
        async for one in self._by_id([one for one, address in waiting.items() if address not in put_off]):
            self._retried.add(one)
            yield
            if self.at.is_enough(self._run.limit):
                return

    async def _by_id(self, ids: Sequence[str]) -> AsyncIterator[str]:
        """Look at posts that are known by their ids alone, and give each when that is done."""
        for start in range(0, len(ids), _AT_ONCE):
            batch = ids[start : start + _AT_ONCE]
            names = [f"t3_{one}" for one in batch]
            listing = _read(await self._asked("/api/info", {"id": ",".join(names)}))
            found = {entry.id: entry for entry in listing.entries}
            held = await self._run.known.validators(names)
            for one, name in zip(batch, names, strict=True):
                if one in found:
                    await self._handle(found[one], held.get(name))
                elif name in held:
                    self._take(Entry(one), Looked(), post_address(one))
                else:
                    self._fail(one, "not_found", f"Reddit has no post {one}.")
                yield one

    async def _single(self, post_id: str) -> None:
        """The post that a person named. Raises Refused: they are told why it is not to be had; Wait."""
        name = f"t3_{post_id}"
        await self._handle(Entry(post_id), (await self._run.known.validators([name])).get(name))
        if self.draft.documents or self.draft.unchanged:
            return
        if self.draft.gone:
            raise Refused("not_found", f"Post {post_id} is gone. What was collected of it is kept.")
        failure = self.draft.failures.pop()
        raise Refused(failure.code, failure.detail)

    async def _handle(self, entry: Entry, held: Validators | None) -> None:
        """Look at a post, and put what came of it into the draft.

        Raises:
            Refused: too many in a row got no answer.
            Wait: Reddit asks to.
        """
        address = post_address(entry.id)
        if address in self._run.set_aside:
            self._fail(entry.id, "poisonous", "Reading it ended the worker five times.")
            return
        try:
            looked = self._gatherer.told(entry, held) or await self._looked(entry.id, held, address)
        except Declined as declined:
            if declined.status in {404, 410} and held is not None:
                looked = Looked()
            else:
                self._fail(entry.id, *reason_of(declined, f"post {entry.id}"))
                self._note_trouble(is_one=declined.status >= 500)
                return
        except Unreadable as failure:
            self._fail(entry.id, "unreadable_answer", failure.detail)
            return
        except FetchFailed as failure:
            self._fail(entry.id, failure.code, failure.detail)
            self._note_trouble(is_one=True)
            return
        self._troubles = 0
        self._take(entry, looked, address)

    async def _looked(self, post_id: str, held: Validators | None, address: str) -> Looked:
        """A post with its comments. What was answered before a wait is kept for after it. Raises as Gatherer.asked."""
        answers = await self._keeper.had(self.at.tree, post_id)
        number = len(answers)
        await self._run.suspect(address)
        is_waiting = False
        try:
            return await self._gatherer.asked(post_id, held, answers)
        except Wait:
            is_waiting = True
            if len(answers) > number:
                if self.at.tree and self.at.tree["post"] != post_id:
                    self._drop_tree()
                self.at.tree, self.draft.parts = await self._keeper.keep(self.at.tree, post_id, answers)
            raise
        finally:
            if not is_waiting:
                self._drop_tree()

    def _drop_tree(self) -> None:
        """Nothing that is kept of a tree is needed any more."""
        if self.at.tree is not None:
            self.draft.memos |= self._keeper.drop(self.at.tree)
            self.at.tree = None

    def _take(self, entry: Entry, looked: Looked, address: str) -> None:
        self.draft.failures += looked.failures
        self._note_pending(entry.id, is_pending=looked.is_lacking)
        if looked.document:
            self.draft.take(looked.document, address)
        elif looked.is_unchanged:
            self.draft.unchanged.append(entry.name)
            self.draft.reached.append(address)
        else:
            self.draft.gone.append(entry.name)
            self.draft.reached.append(address)
            self.at.failed += 1
            return
        self.at.handled += 1

    def _fail(self, post_id: str, code: str, detail: str) -> None:
        self.draft.fail(post_address(post_id), code, detail)
        self._note_pending(post_id, is_pending=is_passing(code))
        self.at.failed += 1

    def _note_pending(self, post_id: str, *, is_pending: bool) -> None:
        if self._pending is not None and self._pending.put(post_id, is_pending=is_pending):
            self.draft.memos[self._waiting] = self._pending.memo

    def _note_trouble(self, *, is_one: bool) -> None:
        """Raises Refused: too many in a row got no answer."""
        self._troubles = self._troubles + 1 if is_one else 0
        if self._troubles >= _MOST_TROUBLES:
            last = self.draft.failures[-1]
            raise Refused(last.code, last.detail)


def _read(answer: Any) -> Listing:
    try:
        return read_listing(answer)
    except Unreadable as failure:
        raise Refused("unreadable_answer", failure.detail) from failure

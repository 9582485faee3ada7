"""Collecting by the official API v2."""

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from extrophi_backend.collectors.twitter import models
from extrophi_backend.collectors.twitter.api_v2 import read_posts
from extrophi_backend.collectors.twitter.client import Client, refused
from extrophi_backend.collectors.twitter.models import Batch, Post, sent_at
from extrophi_backend.collectors.twitter.target import Place
from extrophi_backend.collectors.twitter.ways import Wanted
from extrophi_backend.errors import Refused
from extrophi_backend.log import event

_log = logging.getLogger(__name__)

_RECENT = timedelta(days=7) - timedelta(hours=1)
"""How far back recent search reaches; a `since_id` that is older is an error."""
_FEWEST = 25
_NOT_SEARCHED = frozenset({"plan_too_small", "request_refused", "monthly_cap"})


class ByAPI:
    """What the bearer token's plan gives."""

    name: models.Way = "api"
    at_once = 100  # docs.x.com/x-api/posts/get-posts-by-ids

    def __init__(self, client: Client) -> None:
        self._client = client

    def can_go_below(self, place: Place, /) -> bool:
        """As `Way.can_go_below`: a list's posts have no such bounds."""
        return place.kind in {"user", "search"}

    async def batches(self, wanted: Wanted) -> AsyncGenerator[Batch, None]:
        """As `Way.batches`."""
        match wanted.place.kind:
            case "post":
                yield await self._post(wanted)
            case "user":
                async for batch in self._user(wanted):
                    yield batch
            case "list" | "search":
                async for batch in self._pages(wanted):
                    yield batch

    async def ask(self, posts: Sequence[str]) -> Batch:
        """As `Way.ask`."""
        answer, unasked = await self._client.posts(posts)
        return replace(read_posts(answer, ""), unasked=unasked)

    async def _user(self, wanted: Wanted) -> AsyncGenerator[Batch, None]:
        name = f"user/{wanted.place.name}"
        memo: Any = await wanted.known.memo(name) if wanted.only_new or wanted.more else None
        user: Any = memo.get("id") if isinstance(memo, dict) else None
        memos: Mapping[str, Any] = {}
        if not isinstance(user, str):
            # A handle may pass to another person: whoever looks at all of it looks for whom it names now.
            found = await self._client.user(wanted.place.name)
            user, memos = found.id, {name: {"id": found.id}}
        async for batch in self._pages(wanted, user):
            yield replace(batch, memos=memos)

    async def _pages(self, wanted: Wanted, user: str = "") -> AsyncGenerator[Batch, None]:
        if wanted.place.kind == "search" and wanted.until and not _is_recent(wanted.until):
            yield Batch()  # what is below is not searched any more
            return
        more, is_first = wanted.more, wanted.more is None
        while is_first or more:
            # A thread is many posts: of a listing's rest never so few that it takes a request for each document.
            most = wanted.left() if is_first else max(wanted.left(), _FEWEST)
            answer = await self._page(wanted, user, more, most)
            if not answer.keys() & {"data", "meta"}:
                raise _broken_off(refused(answer, wanted.place.address), is_first=is_first)
            batch = read_posts(answer, wanted.place.address)
            yield batch
            more, is_first = batch.more, False

    async def _page(self, wanted: Wanted, user: str, more: str | None, most: int) -> Mapping[str, Any]:
        since = {"since_id": wanted.since} if wanted.since else {}
        until = {"until_id": wanted.until} if wanted.until else {}
        match wanted.place.kind:
            case "user":
                token = {"pagination_token": more} if more else {}
                return await self._client.timeline(user, most, **since, **until, **token)
            case "list":
                token = {"pagination_token": more} if more else {}
                return await self._client.list_posts(wanted.place.name, most, **token)
            case _:
                token = {"next_token": more} if more else {}
                since = since if _is_recent(wanted.since) else {}
                return await self._client.search(wanted.place.name, most, **since, **until, **token)

    async def _post(self, wanted: Wanted) -> Batch:
        answer, _ = await self._client.posts([wanted.place.name])
        batch = read_posts(answer, wanted.place.address)
        if not batch.listed:
            raise refused(answer, wanted.place.address)
        post = batch.listed[0].piece.post
        return replace(batch, beside=[*batch.beside, *(await self._rest_of_thread(post)).beside])

    async def _rest_of_thread(self, post: Post) -> Batch:
        """What its author has written in the same conversation: what goes on from it is found by search alone."""
        conversation = post.conversation or post.id
        if not post.author.handle or not _is_recent(conversation):
            return Batch()
        query = f"conversation_id:{conversation} from:{post.author.handle}"
        try:
            found = read_posts(await self._client.search(query, 100), "")
        except Refused as refusal:
            if refusal.code not in _NOT_SEARCHED:
                raise
            _log.info(event("twitter.thread_not_searched", post=post.id, code=refusal.code))
            return Batch()
        return Batch(beside=[*(one.piece for one in found.listed), *found.beside])


def _broken_off(refusal: Refused, *, is_first: bool) -> Refused:
    """Why a page has nothing. What has given pages before is there, whatever its errors say of it."""
    if is_first or refusal.code != "not_found":
        return refusal
    return Refused("unreadable_answer", refusal.detail)


def _is_recent(post: str) -> bool:
    sent = sent_at(post) if post else None
    return sent is not None and datetime.now(UTC) - sent < _RECENT

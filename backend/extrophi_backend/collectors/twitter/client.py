"""Talking to X's API v2: one request at a time, within its limits, its refusals named (docs.x.com/x-api)."""

import email.utils
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from extrophi_backend.accounts.models import Credentials
from extrophi_backend.accounts.service import Accounts
from extrophi_backend.collectors.twitter.api_v2 import FIELDS, User, problems, read_user
from extrophi_backend.collectors.twitter.reading import Unreadable, as_object, at, id_of, objects, parsed, plain
from extrophi_backend.errors import Refused
from extrophi_backend.fetch.client import Budget, Fetcher
from extrophi_backend.fetch.errors import FetchFailed, Wait

_BEARER = "bearer_token"
_SPACING = 0.1
"""Seconds between two requests. X sets no such pace; with one, all workers keep the times that any of them is told."""
_FRESH = 300.0
"""Seconds for which the month's usage is taken to be as X said and as counted since: it may be asked 50 times in 15
minutes."""
_EACH = 3
"""As so many posts one may count: it may answer another and quote a third, which come along."""
_PLANS = frozenset({"client-forbidden", "client-not-enrolled", "unsupported-authentication", "oauth1-permissions"})
_ACCESS_LEVEL = 453  # the code of API v1.1's errors, which v2 still gives for some plans
_LIMITS = ("x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour")
"""How the names of headers begin that tell how many requests are left, and until when (epoch seconds)."""


@dataclass(slots=True)
class Cap:
    """How many posts the plan lets one read in a month, and how many were; None: X names no cap.

    `asked`: so many more may come of what is being asked for.
    """

    most: int | None = None
    used: int = 0
    asked: int = 0
    days_left: int | None = None
    asked_at: float = float("-inf")

    @property
    def left(self) -> int | None:
        return None if self.most is None else max(0, self.most - self.used - self.asked)


class Caps:
    """Of each token, by its digest: jobs of one worker count together."""

    def __init__(self) -> None:
        self._caps: dict[bytes, Cap] = {}

    def of(self, digest: bytes) -> Cap:
        return self._caps.setdefault(digest, Cap())


class Client:
    """Of one run.

    Args:
        fetcher: The worker's way out.
        accounts: Told of a token that is refused.
        credentials: With a bearer token.
        url: The API's address, without a slash at its end.
        caps: What is known of the month's cap.
        now: The time, in epoch seconds.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        accounts: Accounts,
        credentials: Credentials,
        *,
        url: str,
        caps: Caps,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._fetcher = fetcher
        self._accounts = accounts
        self._credentials = credentials
        self._url = url
        self._now = now
        self._cap = caps.of(credentials.digests.get((_BEARER, ""), b""))

    async def user(self, handle: str) -> User:
        """The user of that name.

        Raises:
            Refused, FetchFailed, Wait: as `_get`; Refused with why there is no such user.
        """
        fields = {"user.fields": FIELDS["user.fields"]}
        answer = await self._get("users/by/username", f"/2/users/by/username/{quote(handle, safe='')}", fields)
        user = read_user(answer)
        if user is not None:
            return user
        raise refused(answer, f"@{handle}")

    async def timeline(self, user: str, most: int, **place: str) -> Mapping[str, Any]:
        """A user's posts, replies and reposts, newest first: 3,200 at most (docs.x.com/x-api/posts/get-posts)."""
        return await self._page("users/tweets", f"/2/users/{user}/tweets", most, least=5, place=place)

    async def list_posts(self, name: str, most: int, **place: str) -> Mapping[str, Any]:
        """The posts of a list's members, newest first."""
        return await self._page("lists/tweets", f"/2/lists/{name}/tweets", most, least=1, place=place)

    async def search(self, query: str, most: int, **place: str) -> Mapping[str, Any]:
        """Posts of the last seven days that a query finds, newest first."""
        place = {"query": query, "sort_order": "recency", **place}
        return await self._page("tweets/search/recent", "/2/tweets/search/recent", most, least=10, place=place)

    async def posts(self, ids: Sequence[str]) -> tuple[Mapping[str, Any], Sequence[str]]:
        """Posts by their ids, 100 at most; those that are not to be had are named among the answer's errors.

        Returns:
            The answer, and those that were not asked for: of the month's cap too little is left.
        """
        count = await self._may_read(len(ids), least=1)
        query = {"ids": ",".join(ids[:count]), **FIELDS}
        return await self._read(count, "tweets", "/2/tweets", query), ids[count:]

    async def _page(
        self, endpoint: str, path: str, most: int, *, least: int, place: Mapping[str, str]
    ) -> Mapping[str, Any]:
        count = await self._may_read(min(100, max(least, most)), least=least)
        return await self._read(count, endpoint, path, {"max_results": str(count), **place, **FIELDS})

    async def _may_read(self, wanted: int, *, least: int) -> int:
        """So many posts as may still be asked for this month, whatever comes along with them; `wanted` at most.

        Raises:
            Refused: monthly_cap: not even `least`.
        """
        cap = self._cap
        if cap.asked_at + _FRESH < self._now() or (cap.left is not None and cap.left < wanted * _EACH):
            await self._ask_usage()
        count = wanted if cap.left is None else min(wanted, cap.left // _EACH)
        if count < least:
            raise Refused("monthly_cap", self._told_of_cap())
        return count

    async def _read(self, count: int, endpoint: str, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        """An endpoint's answer of so many posts. What may come of it is spoken for until it is here, and counted."""
        cap, came = self._cap, 0
        cap.asked += count * _EACH
        try:
            answer = await self._get(endpoint, path, query)
            came = _count(answer)
        finally:
            cap.asked -= count * _EACH
            cap.used += came
        return answer

    async def _ask_usage(self) -> None:
        """The month's usage (docs.x.com/x-api/usage). Asking counts for nothing, and not being told stops nobody."""
        self._cap.asked_at = self._now()
        try:
            answer = await self._ask("usage/tweets", "/2/usage/tweets", {})
        except (Wait, FetchFailed):  # what was counted since holds
            return
        if answer.status_code == 401:
            raise await self._refusal(answer)
        if answer.status_code != 200:
            return
        try:
            data = as_object(parsed(answer.content).get("data"))
        except Unreadable:
            return
        most, used = _number(data.get("project_cap")), _number(data.get("project_usage"))
        if most and used is not None:
            self._cap.most, self._cap.used = most, used
            self._cap.days_left = _number(data.get("cap_reset_day"))
        else:
            self._cap.most = None

    async def _get(self, endpoint: str, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        """An endpoint's answer.

        Raises:
            Refused: by its code, why X gives nothing.
            FetchFailed: there was no answer.
            Wait: X asks to be left alone, or has said so before.
        """
        answer = await self._ask(endpoint, path, query)
        if answer.status_code != 200:
            raise await self._refusal(answer)
        try:
            found = parsed(answer.content)
        except Unreadable as error:
            raise Refused("unreadable_answer", f"X's API: {error}") from error
        return found

    async def _ask(self, endpoint: str, path: str, query: Mapping[str, str]) -> httpx.Response:
        def told(answer: httpx.Response) -> float | None:
            if answer.status_code == 429 and _kind(answer) == "usage-capped":
                raise Refused("monthly_cap", self._told_of_cap())  # a month is no time to wait
            return _seconds_left(answer, self._now())

        budget = Budget(f"x-api:{endpoint}", _SPACING, told)
        headers = {"Authorization": f"Bearer {self._credentials.values[_BEARER]}", "Accept": "application/json"}
        address = f"{self._url}{path}?{urlencode(query, quote_via=quote)}" if query else f"{self._url}{path}"
        return await self._fetcher.ask(address, headers, budget)

    async def _refusal(self, answer: httpx.Response) -> Refused:
        """What an answer other than 200 comes to."""
        status, kind = answer.status_code, _kind(answer)
        if status == 402 or kind == "usage-capped":
            return Refused("monthly_cap", self._told_of_cap())
        if kind in _PLANS:
            return Refused("plan_too_small", "The plan of the bearer token does not have this endpoint of X's API.")
        if status in {401, 403}:
            detail = f"X's API answers {status} to the bearer token."
            await self._accounts.note_refused(self._credentials, [_BEARER], detail)
            return Refused("credentials_refused", detail)
        if status == 400:
            hint = "Change the search: X's API takes other words than its page (docs.x.com/x-api/posts/search)."
            return Refused("request_refused", "X's API does not take this request.", hint=hint)
        if status == 404:
            return Refused("not_found", "X's API knows nothing of that address.")
        return Refused(f"http_{status}", f"X's API answers {status}.")

    def _told_of_cap(self) -> str:
        cap = self._cap
        begins = ""
        if cap.days_left is not None:
            day = datetime.fromtimestamp(self._now(), UTC) + timedelta(days=cap.days_left)
            begins = f" It begins anew on {day:%Y-%m-%d}."
        if cap.most is None:
            return f"The plan's posts of this month are used up.{begins}"
        rest = " The rest is too little for what comes along." if cap.left else ""
        return f"{cap.used:,} of {cap.most:,} posts of this month's cap are used.{rest}{begins}"


def refused(answer: Mapping[str, Any], what: str) -> Refused:
    """Why an answer has nothing of what was asked for: the first of its errors."""
    found = problems(answer)
    if not found:
        return Refused("unreadable_answer", f"X's API has neither {what} in its answer, nor says why.")
    return Refused(found[0].code, f"X's API does not give {what}: {found[0].detail[:300]}")


def _count(answer: Mapping[str, Any]) -> int:
    """How many posts were read: those that came along count as well."""
    data = answer.get("data")
    rows = objects(data) if isinstance(data, list) else [data] if isinstance(data, dict) else []
    ids = {id_of(one.get("id")) for one in [*rows, *objects(at(answer, "includes", "tweets"))]}
    return len(ids - {""})


def _seconds_left(answer: httpx.Response, now: float) -> float | None:
    """For how long there is no request left, by X's own clock where it is told; None while there is one."""
    date = email.utils.parsedate_tz(answer.headers.get("date", ""))
    clock = email.utils.mktime_tz(date) if date else now
    waits = [
        max(0.0, reset - clock)
        for limit in _LIMITS
        if answer.headers.get(f"{limit}-remaining", "").strip() == "0"
        and (reset := _number(answer.headers.get(f"{limit}-reset"))) is not None
    ]
    if waits:
        return max(waits)
    if answer.status_code == 429 and (reset := _number(answer.headers.get("x-rate-limit-reset"))) is not None:
        return max(0.0, reset - clock)
    return None


def _kind(answer: httpx.Response) -> str:
    """The kind of problem that an answer is: the end of its `type`, or its reason."""
    try:
        found = parsed(answer.content)
    except Unreadable:
        return ""
    if found.get("reason") == "client-not-enrolled":
        return "client-not-enrolled"
    if any(one.get("code") == _ACCESS_LEVEL for one in objects(found.get("errors"))):
        return "client-forbidden"
    kinds = [plain(one.get("type")).rpartition("/")[2] for one in [found, *objects(found.get("errors"))]]
    return next((kind for kind in kinds if kind not in {"", "about:blank"}), "")


def _number(value: Any) -> int | None:
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

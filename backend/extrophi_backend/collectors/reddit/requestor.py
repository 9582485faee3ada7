"""asyncprawcore's way out, led through ours. Imported with the first client, since it brings aiohttp with it."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlencode

import aiohttp
from asyncprawcore import Requestor
from typing_extensions import override

Ask = Callable[[str, str, Mapping[str, str], bytes | None], Awaitable[Any]]
"""Method, address, headers and body; gives the JSON of an answer that is in order, and raises for every other."""


@dataclass(frozen=True, slots=True)
class Answer:
    """As much of an answer as asyncprawcore reads of one that is in order.

    It has no headers: by those of the rate limit asyncprawcore would sleep, in a slot that others wait for.
    """

    value: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    async def json(self, **_: Any) -> Any:
        return self.value


class GuardedRequestor(Requestor):
    """Sends what asyncprawcore would, by `ask`."""

    def __init__(self, *, ask: Ask, **settings: Any) -> None:
        super().__init__(**settings)
        self._ask = ask

    @override
    @asynccontextmanager
    async def request(
        self, *args: Any, timeout: float | None = None, **kwargs: Any
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """The answer. What `ask` raises goes through asyncprawcore as it is: only its own exceptions are caught there.

        Args:
            args: Method and address.
            timeout: Ours count.
            kwargs: Of `aiohttp.ClientSession.request`: params, data, headers and auth are sent.
        """
        method, url = args
        headers = {"Authorization": str(kwargs.get("headers", {}).get("Authorization", ""))}
        auth: aiohttp.BasicAuth | None = kwargs.get("auth")
        if auth is not None:
            headers = {"Authorization": auth.encode()}
        if params := kwargs.get("params"):
            url = f"{url}?{urlencode(params)}"
        fields: Sequence[tuple[str, str]] | None = kwargs.get("data")
        body = None
        if fields:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(fields).encode()
        yield cast("aiohttp.ClientResponse", Answer(await self._ask(method, url, headers, body)))

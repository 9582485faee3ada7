"""Following a stream of events as a client does."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Told:
    """An event as it came; `id` is what one resumes by."""

    id: str
    name: str
    data: dict[str, Any]


async def told(url: str, query: str = "", last: str | None = None) -> AsyncGenerator[Told, None]:
    """Events of a stream, until it is closed."""
    headers = {"Last-Event-ID": last} if last else {}
    async with (
        httpx.AsyncClient(trust_env=False, timeout=60) as client,
        client.stream("GET", f"{url}/events{query}", headers=headers) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        fields: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields:
                yield Told(fields.get("id", ""), fields["event"], json.loads(fields["data"]))
                fields = {}


async def some(url: str, count: int, query: str = "", last: str | None = None) -> list[Told]:
    """The next `count` events, `position` left out."""
    found: list[Told] = []
    async with aclosing(told(url, query, last)) as stream:
        async for one in stream:
            if one.name != "position":
                found.append(one)
            if len(found) == count:
                break
    return found


async def position(url: str) -> str:
    """Where a stream begins that begins now."""
    async with aclosing(told(url)) as stream:
        return (await anext(stream)).id

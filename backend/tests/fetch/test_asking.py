"""Asking a platform's API: in the turns of its budget, as often as it takes, and no sooner than it says."""

import time
from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_network

import httpx
import pytest

from extrophi_backend.fetch.client import Budget, Fetcher
from extrophi_backend.fetch.errors import FetchFailed, Wait, put_off
from tests.web_server import Reply, WebServer, serving


def told(answer: httpx.Response) -> float | None:
    left, reset = answer.headers.get("x-rate-limit-remaining"), answer.headers.get("x-rate-limit-reset")
    return float(reset) - time.time() if left == "0" and reset else None


BUDGET = Budget("api", 1.0, told)


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving(WebServer()) as server:
        yield server


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    made = Fetcher(max_bytes=100_000, seconds=30, allow=[ip_network("127.0.0.0/8")])
    yield made
    await made.close()


async def test_headers_and_body_go_there_and_a_redirect_is_not_followed(server: WebServer, fetcher: Fetcher) -> None:
    server.pages["/a"] = Reply(status=302, headers={"Location": "/b"})
    answer = await fetcher.ask(server.url("/a"), {"Authorization": "bearer x"}, BUDGET)
    assert answer.status_code == 302
    assert server.headers["/a"]["Authorization"] == "bearer x"
    assert "/b" not in server.requests


async def test_an_error_that_passes_is_asked_again(server: WebServer, fetcher: Fetcher) -> None:
    replies = [Reply(status=503), Reply("here")]
    server.pages["/a"] = lambda _: replies.pop(0)
    assert (await fetcher.ask(server.url("/a"), {}, BUDGET)).text == "here"
    server.pages["/b"] = Reply(status=500)
    assert (await fetcher.ask(server.url("/b"), {}, BUDGET)).status_code == 500
    assert server.requests["/b"] == 3


@pytest.mark.parametrize("status", [401, 403, 404, 451])
async def test_an_answer_that_stands_is_asked_for_once(server: WebServer, fetcher: Fetcher, status: int) -> None:
    server.pages["/a"] = Reply(status=status)
    assert (await fetcher.ask(server.url("/a"), {}, BUDGET)).status_code == status
    assert server.requests["/a"] == 1


async def test_a_limit_that_is_used_up_is_obeyed_to_the_second(server: WebServer, fetcher: Fetcher) -> None:
    reset = time.time() + 900
    headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(reset))}
    server.pages["/a"] = Reply("the last one", headers=headers)
    assert (await fetcher.ask(server.url("/a"), {}, BUDGET)).text == "the last one"
    with pytest.raises(Wait) as waits:
        await fetcher.ask(server.url("/a"), {}, BUDGET)
    assert waits.value.seconds == pytest.approx(reset - time.time(), abs=2)
    assert server.requests["/a"] == 1
    await fetcher.ask(server.url("/a"), {}, Budget("another", 1.0, told))


async def test_who_was_asked_too_often_is_left_alone_as_long_as_its_own_headers_say(
    server: WebServer, fetcher: Fetcher
) -> None:
    day = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(time.time() + 20_000)), "Retry-After": "1"}
    server.pages["/a"] = Reply(status=429, headers=day)
    with pytest.raises(Wait) as waits:
        await fetcher.ask(server.url("/a"), {}, BUDGET)
    assert waits.value.seconds == pytest.approx(20_000, abs=3)
    later = put_off(waits.value)
    assert later.retry_after == waits.value.seconds
    assert later.code == "platform_unavailable"


async def test_who_cannot_be_reached_is_told(fetcher: Fetcher) -> None:
    with pytest.raises(FetchFailed) as failed:
        await fetcher.ask("http://127.0.0.1:1/", {}, BUDGET)
    assert failed.value.code == "connection_failed"

"""One message to one receiver, by the guarded way out."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

import httpx

from extrophi_backend.fetch import guard
from extrophi_backend.fetch.addresses import parse
from extrophi_backend.fetch.errors import FetchFailed
from extrophi_backend.fetch.exchange import MOVED, Exchange
from extrophi_backend.fetch.pace import retry_after
from extrophi_backend.fetch.robots import AGENT
from extrophi_backend.tls import trusted
from extrophi_backend.webhooks.models import TIMEOUT, Outcome
from extrophi_backend.webhooks.signing import sign


class Poster:
    """A pool of connections to receivers; `close` it.

    Args:
        allow: Private networks that may be reached all the same.
        timeout: Of one message.
        resolve: Gives a name's addresses.
    """

    def __init__(
        self,
        allow: Sequence[guard.Network],
        *,
        timeout: timedelta = TIMEOUT,
        resolve: guard.Resolve = guard.resolve,
    ) -> None:
        self._seconds = timeout.total_seconds()
        self._exchange = Exchange(agent=f"{AGENT}-webhooks/1", allow=allow, resolve=resolve, verify=trusted())

    async def close(self) -> None:
        await self._exchange.close()

    async def post(self, url: str, secrets: Sequence[str], message_id: str, body: bytes) -> Outcome:
        """Post a message. No redirect is followed: an address that moved is to be set anew."""
        headers = {"Content-Type": "application/json"} | sign(secrets, message_id, int(time.time()), body)
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._exchange.ask(
                    parse(url), headers, httpx.Cookies(), None, method="POST", content=body
                )
        except TimeoutError:
            return Outcome(
                None, {"code": "timeout", "detail": f"The receiver did not answer within {self._seconds:g} s."}
            )
        except FetchFailed as error:
            return Outcome(None, {"code": error.code, "detail": error.detail})
        return _outcome(answer)


def _outcome(answer: httpx.Response) -> Outcome:
    status = answer.status_code
    if 200 <= status < 300:
        return Outcome(status)
    detail = f"The receiver answered {status}."
    if status in MOVED:
        detail = f"The receiver answered {status}: redirects are not followed. Set the webhook to where it is now."
    if status == 410:
        detail = "The receiver answered 410: it wants no more. Set the webhook anew to send again."
    asked = retry_after(answer.headers.get("retry-after"), time.time()) or 0.0
    return Outcome(status, {"code": f"http_{status}", "detail": detail}, retry_after=asked, is_gone=status == 410)

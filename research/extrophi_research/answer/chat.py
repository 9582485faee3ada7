"""A chat model behind OpenAI's wire format: https://platform.openai.com/docs/api-reference/chat.

Asked with what every such server takes (`model`, `messages`, `stream`) and nothing more: newer models of OpenAI's
refuse `max_tokens` and any `temperature`, others do not know their successors. What bounds an answer is here.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import httpx

from extrophi_research.log import event
from extrophi_research.settings import Settings

_log = logging.getLogger(__name__)
_CONNECT_SECONDS = 5.0
_REST_SECONDS = 5.0
_LONGEST_REST_SECONDS = 60.0
"""After it did not answer, or said that it is at its limit, the model is left alone for so long: quotations are better
than a wait. What it asks for itself (Retry-After) counts up to the longest."""
MAX_CHARACTERS = 20_000
"""Of an answer. The prompt asks for 200 words; a model that never ends is cut off."""
MAX_THOUGHT = 100_000
"""Characters of what a model thinks aloud before it answers."""
_LONGEST_SECONDS = 600.0
"""For all of an answer, however lively it comes."""
_MAX_LINE_BYTES = 1_000_000


class ChatFailed(Exception):
    """The model gave no answer, or not all of it; the text says why, in words that a person can use."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The model ended before its answer did; `reason` says why, in words that a person can use."""

    reason: str


_STOPPED = {
    "length": Stopped("reached its limit of length, so the answer may lack its end"),
    "content_filter": Stopped("was stopped by its filter, so the answer may lack its end"),
}


@dataclass(frozen=True, slots=True)
class Message:
    role: str
    content: str


@dataclass(slots=True)
class ChatModel:
    """One model at one endpoint. Its client is the app's."""

    client: httpx.AsyncClient
    url: str
    name: str
    key: str | None
    seconds: float
    """Longest wait for the next words."""
    longest: float = _LONGEST_SECONDS
    _rests_until: float = 0.0

    @property
    def host(self) -> str:
        return httpx.URL(self.url).host

    @property
    def is_elsewhere(self) -> bool:
        """Whether what is asked leaves this machine."""
        try:
            return not ip_address(self.host).is_loopback
        except ValueError:
            return self.host != "localhost"

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str | Stopped, None]:
        """The parts of the model's answer, as they come. Closed early, it lets go of the endpoint.

        Raises:
            ChatFailed: It is away, refuses, is silent too long, answers nothing that can be read, or breaks off.
        """
        if time.monotonic() < self._rests_until:
            raise ChatFailed(f"the chat model at {self.host} did not answer a moment ago")
        written, ends = 0, time.monotonic() + self.longest
        async with aclosing(self._parts(messages)) as parts:
            while True:
                left = ends - time.monotonic()
                try:
                    # Silence is measured between parts that mean something: comment lines keep a stream alive.
                    async with asyncio.timeout(max(0, min(self.seconds, left))):
                        part = await anext(parts, None)
                except TimeoutError:
                    if left < self.seconds:
                        raise ChatFailed(
                            f"the chat model at {self.host} did not come to an end in {self.longest:g} seconds"
                        ) from None
                    self._rest()
                    raise ChatFailed(
                        f"the chat model at {self.host} said nothing for {self.seconds:g} seconds"
                    ) from None
                except httpx.TransportError as error:
                    self._rest()
                    raise ChatFailed(
                        f"the chat model at {self.host} is out of reach ({type(error).__name__})"
                    ) from error
                except (httpx.HTTPError, ValueError, RecursionError) as error:  # the last: JSON nested too deep
                    raise ChatFailed(
                        f"the chat model at {self.host} answers what cannot be read ({type(error).__name__})"
                    ) from error
                if part is None:
                    return
                written += len(part) if isinstance(part, str) else 0
                if written > MAX_CHARACTERS + MAX_THOUGHT:
                    raise self.endless()
                if part:
                    yield part

    def endless(self) -> ChatFailed:
        return ChatFailed(f"the chat model at {self.host} does not come to an end")

    async def _parts(self, messages: Sequence[Message]) -> AsyncGenerator[str | Stopped, None]:
        """As `stream`; a part that holds no text (a thought, a role) is empty."""
        body = {
            "model": self.name,
            "messages": [{"role": one.role, "content": one.content} for one in messages],
            "stream": True,
        }
        headers = {"Accept": "text/event-stream, application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        timeout = httpx.Timeout(self.seconds, connect=_CONNECT_SECONDS)
        address = f"{self.url}/chat/completions"
        async with self.client.stream("POST", address, json=body, headers=headers, timeout=timeout) as answer:
            if answer.status_code != 200:
                raise self._refusal(answer)
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind == "application/json":  # a server that knows no streams
                for part in _whole(json.loads(await _read(answer))):
                    yield part
                return
            if kind != "text/event-stream":
                raise ChatFailed(f"{self.host} answers {kind or 'something'}, which is no chat model's answer")
            async for data in _event_data(answer.aiter_bytes()):
                if data.strip() == "[DONE]":
                    return
                text, finish_reason = _part(json.loads(data))
                yield text
                if finish_reason:
                    if finish_reason in _STOPPED:
                        yield _STOPPED[finish_reason]
                    return
        raise ChatFailed(f"the chat model at {self.host} broke off")

    def _refusal(self, answer: httpx.Response) -> ChatFailed:
        status = answer.status_code
        if status == 429 or status >= 500:
            asked = answer.headers.get("retry-after", "")
            self._rest(min(float(asked), _LONGEST_REST_SECONDS) if asked.isdecimal() else _REST_SECONDS)
        said = {
            401: "refuses the key that was given for it",
            403: "refuses the key that was given for it",
            404: f"knows no model {self.name}",
            413: "cannot take that much text",
            429: "is at its limit",
        }.get(status, f"answered with status {status}")
        return ChatFailed(f"the chat model at {self.host} {said}")

    def _rest(self, seconds: float = _REST_SECONDS) -> None:
        self._rests_until = time.monotonic() + seconds


def chat_model(settings: Settings, client: httpx.AsyncClient) -> ChatModel | None:
    """The chat model that is set, if one is. A key goes to the address it was given for, and to no other."""
    if settings.chat_model is None:
        return None
    openai = str(settings.openai_base_url).rstrip("/")
    url = str(settings.chat_url).rstrip("/") if settings.chat_url else openai
    secret = settings.chat_api_key or (settings.openai_api_key if url == openai else None)
    key = secret.get_secret_value().strip() if secret else None
    model = ChatModel(client, url, settings.chat_model.strip(), key, settings.chat_seconds)
    if model.is_elsewhere:
        _log.info(event("chat.leaves_this_machine", host=model.host, what="questions and the passages found for them"))
    return model


async def _event_data(received: AsyncIterator[bytes]) -> AsyncGenerator[str, None]:
    """The data of each event (WHATWG HTML, section 9.2.6). Raises ValueError for a line without end, or no UTF-8."""
    lines: list[str] = []
    async for line in _lines(received):
        if not line and lines:
            yield "\n".join(lines)
            lines = []
        elif line.startswith("data:"):
            lines.append(line[5:].removeprefix(" "))
    if lines:  # the last event of a server that ends without an empty line
        yield "\n".join(lines)


async def _lines(received: AsyncIterator[bytes]) -> AsyncGenerator[str, None]:
    left = b""
    async for part in received:
        *whole, left = (left + part).split(b"\n")
        if len(left) > _MAX_LINE_BYTES:
            raise ValueError("a line without end")
        for line in whole:
            yield line.removesuffix(b"\r").decode()
    if left:
        yield left.removesuffix(b"\r").decode()


async def _read(answer: httpx.Response) -> bytes:
    body = b""
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > _MAX_LINE_BYTES:
            raise ValueError("an answer without end")
    return body


def _part(event: Any) -> tuple[str, str]:
    """The text of one event of a stream, and why the answer ends with it, if it does."""
    choice = _choice(event)
    if choice is None:  # counts of tokens, or filters' findings
        return "", ""
    delta = choice.get("delta")
    text = _text(delta.get("content")) if isinstance(delta, dict) else ""
    return text, str(choice.get("finish_reason") or "")  # some servers send an empty one until the end


def _whole(event: Any) -> Iterator[str | Stopped]:
    choice = _choice(event) or {}
    message = choice.get("message")
    if isinstance(message, dict):
        yield _text(message.get("content"))
    if (reason := str(choice.get("finish_reason"))) in _STOPPED:
        yield _STOPPED[reason]


def _choice(event: Any) -> dict[str, Any] | None:
    if not isinstance(event, dict):
        raise ValueError("no object")  # noqa: TRY004  what was received is wrong, not who called
    if event.get("error") or event.get("object") == "error":  # the latter is vLLM's
        raise ChatFailed("the chat model reported a fault of its own")
    choices = event.get("choices")
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None


def _text(content: Any) -> str:
    """A string, or the text of typed parts, as some servers send it; without halves of surrogate pairs."""
    if isinstance(content, list):
        texts = (part.get("text") for part in content if isinstance(part, dict))
        content = "".join(text for text in texts if isinstance(text, str))
    if not isinstance(content, str):
        return ""
    return content.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

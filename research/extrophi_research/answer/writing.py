"""An answer in a chat model's words, every citation of which was checked before anyone sees it."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from extrophi_research.answer.chat import ChatModel
from extrophi_research.answer.citing import Marker, MarkerReader, Numbering, Prose, is_sources_own, numbers, supporting
from extrophi_research.answer.passages import NO_ANSWER, Passage, number, prompt
from extrophi_research.answer.reading import Reading, Sentence
from extrophi_research.embeddings.local import LocalModel
from extrophi_research.search.models import Chunk

_THOUGHT, _END_OF_THOUGHT = "<think>", "</think>"


@dataclass(frozen=True, slots=True)
class Written:
    """A piece of the answer, and the sentences cited so far: the citation `[n]` is the n-th of them."""

    text: str
    cited: Sequence[Sentence]


class Unsupported(Exception):
    """The model's answer holds no citation that stands."""


class NoAnswer(Exception):
    """The model finds that the passages do not answer the question."""


async def write(
    chat: ChatModel, model: LocalModel, reading: Reading, chunks: Sequence[Chunk]
) -> AsyncGenerator[Written, None]:
    """The pieces of an answer, as they come.

    Nothing is given before the first citation stands: an answer that none supports can then be replaced as a whole.

    Raises:
        ChatFailed: The model failed; what was given until then stands.
        Unsupported, NoAnswer: Nothing was given.
    """
    passages = number(chunks)
    page = _Page(model, reading, passages)
    messages = prompt(reading.question, passages, secrets.token_hex(8))
    markers = MarkerReader()
    async with aclosing(chat.stream(messages)) as parts:
        async for text in _without_thoughts(parts):
            for part in markers.feed(text):
                await page.add(part)
            if (written := page.take()) is not None:
                yield written
    for part in markers.end():
        await page.add(part)
    if (written := page.take()) is not None:
        yield written
    if not page.numbering.cited:
        raise NoAnswer if page.prose.text.strip(' \n*"').upper().startswith(NO_ANSWER) else Unsupported


@dataclass(slots=True)
class _Page:
    """What the model has written, checked."""

    model: LocalModel
    reading: Reading
    passages: Sequence[Passage]
    numbering: Numbering = field(default_factory=Numbering)
    prose: Prose = field(default_factory=Prose)
    _ready: str = ""
    _last: str = ""
    """The last character written."""
    _latest: list[int] = field(default_factory=list[int])
    """The numbers that stand since the last word."""

    async def add(self, part: str | Marker) -> None:
        if not part:
            return
        if isinstance(part, str):
            self.prose.add(part)
            self._latest = []
            self._put(part)
        elif is_sources_own(self.prose, part.written, self.passages):
            own = rf"{part.space}\[{part.written[1:-1]}\]"
            self.prose.add(own)
            self._put(own)
        else:
            shown = [one for one in await self._cite(part) if one not in self._latest]
            self._latest += shown
            self.prose.mark()
            if shown:
                self._put(part.space + "".join(f"[{one}]" for one in shown))

    def take(self) -> Written | None:
        """What was not taken yet, once a citation stands."""
        if not self._ready or not self.numbering.cited:
            return None
        written, self._ready = Written(self._ready, tuple(self.numbering.cited)), ""
        return written

    async def _cite(self, marker: Marker) -> list[int]:
        """The citations that a marker stands for, checked."""
        named = [self.passages[n - 1] for n in numbers(marker.written, len(self.passages))]
        claims = self.prose.claims()
        if not named or not claims:
            return []
        vectors, _ = await asyncio.to_thread(self.model.embed, claims)
        found = [supporting(claims, vectors, passage, self.reading) for passage in named]
        return [self.numbering.number(sentence) for sentence in found if sentence is not None]

    def _put(self, text: str) -> None:
        if not self._last:
            text = text.lstrip()
        # "[1](https://…)" and "[1]: https://…" would be links in Markdown: a citation that leads where a source wants.
        if self._last == "]" and text.startswith(("(", ":")):
            text = f" {text}"
        text = text.replace("](", "] (").replace("]:", "] :")
        self._ready += text
        self._last = text[-1:] or self._last


async def _without_thoughts(parts: AsyncIterator[str]) -> AsyncGenerator[str, None]:
    """Without what some models think aloud before they answer."""
    begun: str | None = ""
    async for part in parts:
        if begun is None:
            yield part
            continue
        begun += part
        said = begun.lstrip()
        if _THOUGHT.startswith(said[: len(_THOUGHT)]) and (len(said) < len(_THOUGHT) or _END_OF_THOUGHT not in said):
            continue
        yield said.partition(_END_OF_THOUGHT)[2] if said.startswith(_THOUGHT) else said
        begun = None
    if begun and not begun.lstrip().startswith(_THOUGHT):
        yield begun

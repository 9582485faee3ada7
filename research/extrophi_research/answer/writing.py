"""An answer in a chat model's words, every citation of which was checked before anyone sees it."""

import asyncio
import re
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from extrophi_research.answer.chat import MAX_CHARACTERS, MAX_THOUGHT, ChatModel, Stopped
from extrophi_research.answer.citing import (
    FEWEST_TERMS,
    Marker,
    MarkerReader,
    Numbering,
    Prose,
    is_no_marker,
    is_sources_own,
    numbers,
    supporting,
    uncited,
)
from extrophi_research.answer.passages import NO_ANSWER, Passage, number, prompt
from extrophi_research.answer.reading import Reading, Sentence, asked_terms
from extrophi_research.answer.thoughts import without_thoughts
from extrophi_research.embeddings.local import LocalModel
from extrophi_research.search.models import Chunk

_URL = re.compile(r"\b(?:https?:|www\.)[^\s<>]*[^\s<>.,;:!?)\]}'\"*_`]", re.IGNORECASE)
_LINK_LEFT_OUT = "(a link that no passage holds)"
_UNCERTAIN = re.compile(
    r"(?<![\s,;&(])(?:[\s,;&(]|(?<=\s)and(?=\s))*(?:(?<=\s)an?d?)?\Z"
    r"|\b(?:h(?:t(?:tp?)?)?|https?(?::\S*)?|w{1,3}(?:\.\S*)?)\Z",
    re.IGNORECASE,
)
"""At the end of what was written: what may have to go with a marker that follows, and what may be a link."""
_SEPARATOR = re.compile(r"(?:\s*[,;&]|\s+and)\s*\Z")
_SEPARATES = re.compile(r"\s*(?:[,;&]|and)?\s*")


@dataclass(frozen=True, slots=True)
class Written:
    """A piece of the answer, and the sentences cited so far: the citation `[n]` is the n-th of them."""

    text: str
    cited: Sequence[Sentence]
    notes: Sequence[str] = ()
    """With the last piece: what a reader should know of the answer."""


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
    notes: list[str] = []
    async with aclosing(chat.stream(messages)) as stream, aclosing(without_thoughts(stream)) as parts:
        async for text in parts:
            if isinstance(text, Stopped):
                notes.append(f"The chat model at {chat.host} {text.reason}.")
            elif text is not None:
                await page.feed(text)
                if (written := page.take()) is not None:
                    yield written
            elif not page.numbering.cited:
                page = _Page(model, reading, passages)
            if page.is_too_long():
                raise chat.endless()
    await page.end()
    if not page.numbering.cited:
        raise NoAnswer if page.prose.text.strip(' \n*"').upper().startswith(NO_ANSWER) else Unsupported
    rest = page.rest()
    missing, of = uncited(page.text)
    if missing:
        have = "has" if missing == 1 else "have"
        notes.append(f"{missing} of the answer's {of} sentences {have} no citation that stands.")
    yield Written(rest, tuple(page.numbering.cited), notes)


@dataclass(frozen=True, slots=True)
class _Held:
    """A marker that waits for its claim."""

    marker: Marker
    at: int
    """Where it stands in the prose."""
    is_own: bool


@dataclass(slots=True)
class _Page:
    """What the model has written, checked."""

    model: LocalModel
    reading: Reading
    passages: Sequence[Passage]
    numbering: Numbering = field(default_factory=Numbering)
    prose: Prose = field(default_factory=Prose)
    text: str = ""
    """All that was given."""
    _markers: MarkerReader = field(default_factory=MarkerReader)
    _ready: str = ""
    _gap: int | None = None
    """Where in it a marker was left out last."""
    _latest: list[int] = field(default_factory=list[int])
    """The numbers that stand since the last word."""
    _waiting: list[str | _Held] = field(default_factory=list[str | _Held])
    """What was written since a marker that stands before its claim ("According to [1], herons …")."""
    _claim_at: int = 0
    _urls: frozenset[str] | None = None

    async def feed(self, text: str) -> None:
        for part in self._markers.feed(text):
            await self._add(part)

    def is_too_long(self) -> bool:
        """Until a citation stands, what is written may yet turn out to be a thought: those may be longer."""
        return len(self.prose.text) > (MAX_CHARACTERS if self.numbering.cited else MAX_THOUGHT)

    async def _add(self, part: str | Marker) -> None:
        if not part:
            return
        if isinstance(part, str):
            self.prose.add(part)
            if not self._waiting:
                self._say(part)
                return
            self._waiting.append(part)
            await self._resolve(more=True)
        elif is_no_marker(part, self.prose):
            own = _escaped(part)
            if self._waiting:
                self._waiting.append(own)
            else:
                self._say(own)
        else:
            held = _Held(part, len(self.prose.text), is_sources_own(self.prose, part.written, self.passages))
            opening = self.prose.opening(part.space)
            if self._waiting:
                self._waiting.append(held)
            elif opening is not None:
                self._claim_at = opening
                self._waiting.append(held)
            else:
                await self._mark(held, self.prose.claims())
                self.prose.mark()

    async def end(self) -> None:
        """Decide on what waits: nothing more comes."""
        for part in self._markers.end():
            await self._add(part)
        await self._resolve(more=False)
        if self._gap is not None:
            self._ready = _SEPARATOR.sub("", self._ready)

    def take(self) -> Written | None:
        """What is certain and was not taken yet, once a citation stands."""
        if not self.numbering.cited:
            return None
        end = uncertain.start() if (uncertain := _UNCERTAIN.search(self._ready)) else len(self._ready)
        return Written(self._taken(end), tuple(self.numbering.cited)) if end else None

    def rest(self) -> str:
        return self._taken(len(self._ready))

    def _taken(self, end: int) -> str:
        taken, self._ready = self._ready[:end], self._ready[end:]
        self._gap = self._gap - end if self._gap is not None and self._gap >= end else None
        taken = _URL.sub(lambda found: found[0] if found[0] in self._known_urls() else _LINK_LEFT_OUT, taken)
        self.text += taken
        return taken

    def _known_urls(self) -> frozenset[str]:
        if self._urls is None:
            texts = (text for one in self.passages for text in (one.chunk.text, one.chunk.url or ""))
            self._urls = frozenset(url for text in texts for url in _URL.findall(text))
        return self._urls

    async def _resolve(self, *, more: bool) -> None:
        """Give what waits, if its sentence is over."""
        claim = self.prose.following(self._claim_at, more=more)
        if claim is None:
            return
        waiting, self._waiting = self._waiting, []
        marked = self._claim_at
        for part in waiting:
            if isinstance(part, str):
                self._say(part)
                continue
            own = self.prose.text[marked : part.at].strip(" \t\n,;:.")
            await self._mark(part, [claim, own] if len(asked_terms(own)) >= FEWEST_TERMS else [claim])
            marked = part.at
        self.prose.mark()

    async def _mark(self, held: _Held, claims: Sequence[str]) -> None:
        """Show the numbers of a marker that stand, or its own text if it was a source's."""
        marker = held.marker
        found = await self._cite(marker, [claim for claim in claims if claim])
        shown = [one for one in found if one not in self._latest]
        self._latest += shown
        if shown:
            if self._gap is not None and _SEPARATES.fullmatch(self._ready, self._gap):
                self._ready = self._ready[: self._gap]
            self._put(marker.space + "".join(f"[{one}]" for one in shown))
        elif held.is_own and not found:
            self._say(_escaped(marker))
        else:
            self._gap = len(self._ready)

    async def _cite(self, marker: Marker, claims: Sequence[str]) -> list[int]:
        """The citations that a marker stands for, checked."""
        named = [self.passages[n - 1] for n in numbers(marker.written, len(self.passages))]
        if not named or not claims:
            return []
        vectors, _ = await asyncio.to_thread(self.model.embed, claims)
        found = [supporting(claims, vectors, passage, self.reading) for passage in named]
        return list(dict.fromkeys(self.numbering.number(sentence) for sentence in found if sentence is not None))

    def _say(self, text: str) -> None:
        self._latest = []
        if self._gap == len(self._ready):
            # What stood around the marker that was left out goes with it: "([9])", "[1], [9]."
            after = text.lstrip()
            if after.startswith(")") and self._ready.endswith("("):
                self._ready, text = self._ready[:-1].rstrip(), after[1:]
            elif text[:1] in (".", ",", ";", ":", "!", "?"):
                self._ready = _SEPARATOR.sub("", self._ready)
            self._gap = len(self._ready)
        self._put(text)

    def _put(self, text: str) -> None:
        last = (self._ready or self.text)[-1:]
        if not last:
            text = text.lstrip()
        # "[1](https://…)" and "[1]: https://…" would be links in Markdown: a citation that leads where a source wants.
        if last == "]" and text.startswith(("(", ":")):
            text = f" {text}"
        self._ready += text.replace("](", "] (").replace("]:", "] :")


def _escaped(marker: Marker) -> str:
    own = rf"\[{marker.written[1:-1]}\]" if marker.written[0] in "[【［" else marker.written
    return marker.space + own

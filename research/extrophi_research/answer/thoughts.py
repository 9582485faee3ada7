"""What some models think aloud before they answer: `<think>…</think>`, in the text itself."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass

from extrophi_research.answer.chat import MAX_THOUGHT, ChatFailed, Stopped

_OPENING = re.compile(r"\s*<think(?:ing)?>", re.IGNORECASE)
_MAYBE_OPENING = re.compile(r"\s*(?:<(?:t(?:h(?:i(?:n(?:k(?:i(?:ng?)?)?)?)?)?)?)?)?", re.IGNORECASE)
_CLOSING = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_MAYBE_CLOSING = re.compile(r"<(?:/(?:t(?:h(?:i(?:n(?:k(?:i(?:ng?)?)?)?)?)?)?)?)?\Z", re.IGNORECASE)


async def without_thoughts(parts: AsyncIterator[str | Stopped]) -> AsyncGenerator[str | Stopped | None, None]:
    """The parts without thoughts; None where all that came so far turns out to have been one.

    Servers whose template opens the thought send its end only.

    Raises:
        ChatFailed: A thought does not come to an end.
    """
    thinking = _Thinking()
    async for part in parts:
        if isinstance(part, Stopped):
            yield part
        else:
            for said in thinking.feed(part):
                yield said
    if rest := thinking.end():
        yield rest


@dataclass(slots=True)
class _Thinking:
    _held: str = ""
    _inside: bool = False
    _begun: bool = False
    """Whether a thought can no longer open: they stand before the answer."""
    _thought: int = 0

    def feed(self, text: str) -> Iterator[str | None]:
        self._held += text
        while self._held and not self._opens():
            closing = _CLOSING.search(self._held)
            maybe = closing or _MAYBE_CLOSING.search(self._held)
            before = self._held[: maybe.start()] if maybe else self._held
            if self._inside:
                self._think(before)
            elif before:
                yield before
            self._held = self._held[closing.end() if closing else len(before) :]
            if closing is None:
                return
            if not self._inside:
                yield None
            self._inside = self._begun = False

    def end(self) -> str:
        """What was held, if it is part of the answer."""
        return "" if self._inside else self._held

    def _opens(self) -> bool:
        """Whether all that is held may yet be the opening of a thought; what is one, is taken."""
        if self._begun or self._inside:
            return False
        if opening := _OPENING.match(self._held):
            self._held, self._inside = self._held[opening.end() :], True
            return not self._held
        self._begun = _MAYBE_OPENING.fullmatch(self._held) is None
        return not self._begun

    def _think(self, thought: str) -> None:
        self._thought += len(thought)
        if self._thought > MAX_THOUGHT:
            raise ChatFailed("the chat model thinks, and does not come to an end")

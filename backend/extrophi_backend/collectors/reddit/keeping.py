"""What a run leaves in memos for a later one: their names, and the answers about a large tree, in parts."""

import asyncio
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from extrophi_backend.collectors.models import Known
from extrophi_backend.collectors.reddit.parse import as_object

Answers = list[str | None]
"""Of one post, as JSON, in the order of the questions; None where there was none."""

_PART_CHARACTERS = 2_000_000
"""Of a memo. All answers about one post may be a hundred times as many."""


def memo_name(kind: str, source: str, what: str) -> str:
    """A memo's name. What one source's run leaves is no other's: each has had another part of a list.

    Args:
        kind: What the memo holds.
        source: Whose run it is; empty where it is no source's.
        what: The address, or the post, that it is about.
    """
    return f"reddit/{kind}/{source}/{what}"


class Keeper:
    """Keeps the answers about one post in memos, from a wait to the run that goes on after it.

    Args:
        known: Has the memos of earlier runs.
        what: The run's target, so that no other run's memos have the same names.
    """

    def __init__(self, known: Known, what: str) -> None:
        self._known = known
        self._what = what

    async def had(self, at: Mapping[str, Any] | None, post_id: str) -> Answers:
        """The answers about a post; none where none are kept, or not all of them are.

        Args:
            at: As `keep` gave it.
            post_id: The post.
        """
        if at is None or at["post"] != post_id:
            return []
        names = self._names(at)
        memos = await self._known.memos(names)
        parts = [str(as_object(memos.get(name)).get("part", "")) for name in names]
        return await asyncio.to_thread(_answers_of, parts, at["size"], at["digest"])

    async def keep(
        self, at: Mapping[str, Any] | None, post_id: str, answers: Answers
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Where the answers are then, as JSON for a cursor, and the memos that are to be written for it.

        Args:
            at: Where those of an earlier attempt are.
            post_id: The post.
            answers: All of them: of those that are kept already, only the last part is written anew.
        """
        parts, size, digest = await asyncio.to_thread(_parts_of, answers)
        found = {"post": post_id, "parts": len(parts), "size": size, "digest": digest}
        whole = max(0, at["parts"] - 1) if at is not None and at["post"] == post_id else 0
        names = self._names(found)
        return found, {name: {"part": part} for name, part in [*zip(names, parts, strict=True)][whole:]}

    def drop(self, at: Mapping[str, Any]) -> Mapping[str, Any]:
        """The memos that empty those of `keep`."""
        return {name: {} for name in self._names(at)}

    def _names(self, at: Mapping[str, Any]) -> list[str]:
        return [memo_name("tree", self._what, f"{at['post']}/{part}") for part in range(at["parts"])]


def _parts_of(answers: Answers) -> tuple[list[str], int, str]:
    """The parts, and the size and the digest of all. Each answer is a line: JSON as we write it has no line breaks."""
    text = "".join(f"{answer or 'null'}\n" for answer in answers)
    parts = [text[start : start + _PART_CHARACTERS] for start in range(0, len(text), _PART_CHARACTERS)]
    return parts, len(text), _digest_of(text)


def _answers_of(parts: Sequence[str], size: int, digest: str) -> Answers:
    """The answers that `_parts_of` was given; none where a part is lost, or another attempt's."""
    text = "".join(parts)[:size]  # the last part may have grown before its worker died
    if _digest_of(text) != digest:
        return []
    return [None if line == "null" else line for line in text.split("\n")[:-1]]


def _digest_of(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()

"""Ranked chunks as hits: each text once, each with its citation."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from extrophi_research.db import Connection
from extrophi_research.search import folding, sql
from extrophi_research.search.begun import Begun
from extrophi_research.search.citations import best_sentence, cite
from extrophi_research.search.fusion import Ranked
from extrophi_research.search.keyword import KeywordIndex
from extrophi_research.search.models import Chunk, Citation, Hit

_LEAST_SHARE = 0.35
"""Of two texts' lengths in bytes. `folding` has half of the words as its least; scripts differ in bytes a word."""
_LONGEST = 200_000
"""Bytes. Of longer texts only equal ones are told: it would take seconds to compare them word by word."""
_MOST_READ = 2_000_000
"""Bytes of texts that one search reads to compare them."""
_MOST_COMPARED = 300
"""Pairs of documents."""

_Pair = tuple[UUID, UUID]
_Found = tuple[int, Ranked, Chunk]
"""The number in the ranking, and what stands there."""


async def hits(
    conn: Connection,
    index: KeywordIndex,
    ranked: Sequence[Ranked],
    exact: int,
    limit: int,
    asked: Collection[str],
    earlier: Mapping[UUID, Chunk],
    begun: Begun | None = None,
) -> tuple[list[Hit], bool]:
    """The best, each text once, and whether one of them is past the `exact` first.

    Args:
        conn: What they are read by.
        index: Lends its threads: comparing and citing take time that a loop has not.
        ranked: The best first.
        exact: How many of these hold what the query quotes.
        limit: How many hits at most.
        asked: The terms of the query.
        earlier: Chunks of older versions, which are in no table.
        begun: The last word of the query, if it is still being typed.
    """
    gathered = _Gathered(limit, exact, asked, _Texts(), earlier, begun)
    step = limit + limit // 4 + 3  # some more: they may be the same texts elsewhere
    for start in range(0, len(ranked), step):
        if len(gathered.kept) == limit:
            break
        batch = ranked[start : start + step]
        known = await sql.chunks(conn, [one.chunk_id for one in batch])
        if earlier:
            known |= {one.chunk_id: earlier[one.chunk_id] for one in batch if one.chunk_id in earlier}
        # Those that are missing were deleted a moment ago.
        found = [(at, one, known[one.chunk_id]) for at, one in enumerate(batch, start) if one.chunk_id in known]
        pairs = await index.thread(gathered.look, found)
        if pairs:
            await gathered.texts.read(conn, pairs)
            await index.thread(gathered.take, found)
    return gathered.hits(), gathered.relaxed


@dataclass(frozen=True, slots=True)
class _Kept:
    score: float
    chunk: Chunk
    citation: Citation
    also: list[Citation] = field(default_factory=list[Citation])


@dataclass(slots=True)
class _Gathered:
    """The hits so far."""

    limit: int
    exact: int
    asked: Collection[str]
    texts: "_Texts"
    earlier: Mapping[UUID, Chunk]
    begun: Begun | None
    kept: list[_Kept] = field(default_factory=list[_Kept])
    relaxed: bool = False
    _seen: folding.Overlaps = field(default_factory=folding.Overlaps)
    _looked: list[Chunk] = field(default_factory=list[Chunk])  # by their numbers in it
    _overlapping: dict[UUID, list[UUID]] = field(default_factory=dict[UUID, list[UUID]])

    def look(self, found: Sequence[_Found]) -> list[_Pair]:
        """Documents that may be the same text, because some of their chunks overlap. If there are none, all is taken.

        Another way to a thread and back takes as long as most of what is done there.
        """
        pairs: dict[_Pair, None] = {}
        for _, _, chunk in found:
            runs = folding.runs(chunk.text)
            others = [self._looked[number] for number in self._seen.find(runs)]
            others = [other for other in others if other.document_id != chunk.document_id]
            if self.earlier:  # whole texts are compared in their newest versions: these are left as they are
                others = [one for one in others if not {one.chunk_id, chunk.chunk_id} & self.earlier.keys()]
            self._overlapping[chunk.chunk_id] = [other.chunk_id for other in others]
            pairs |= dict.fromkeys((other.document_id, chunk.document_id) for other in others)
            self._seen.add(runs)
            self._looked.append(chunk)
        if not pairs:
            self.take(found)
        return list(pairs)

    def take(self, found: Iterable[_Found]) -> None:
        """Each as a hit of its own, or beside the one that is the same text."""
        for at, one, chunk in found:
            others = set(self._overlapping.pop(chunk.chunk_id))
            also = (
                self._twin([known for known in self.kept if known.chunk.chunk_id in others], chunk) if others else None
            )
            if also is not None:
                also.append(self._cited(chunk))
            elif len(self.kept) < self.limit:
                self.kept.append(_Kept(one.score, chunk, self._cited(chunk)))
                self.relaxed = self.relaxed or at >= self.exact

    def hits(self) -> list[Hit]:
        return [
            Hit(
                document_id=one.chunk.document_id,
                version=one.chunk.version,
                chunk_id=one.chunk.chunk_id,
                score=one.score,
                text=one.chunk.text,
                start=one.chunk.start,
                end=one.chunk.end,
                citation=one.citation,
                also=one.also,
            )
            for one in self.kept
        ]

    def _cited(self, chunk: Chunk) -> Citation:
        return cite(chunk, best_sentence(chunk.text, self.asked, self.begun))

    def _twin(self, overlapping: Iterable[_Kept], chunk: Chunk) -> list[Citation] | None:
        """Where to note `chunk`: beside the first hit of another document that is the same text."""
        for known in overlapping:
            if any(one.document_id == chunk.document_id for one in known.also):
                return known.also
            if self.texts.are_same(known.chunk.document_id, chunk.document_id):
                return known.also
        return None


@dataclass(slots=True)
class _Texts:
    """Whole texts, read for those pairs only that may be the same."""

    _sizes: dict[UUID, int] = field(default_factory=dict[UUID, int])
    _texts: dict[UUID, str] = field(default_factory=dict[UUID, str])
    _hashes: dict[UUID, bytes] = field(default_factory=dict[UUID, bytes])
    _shapes: dict[UUID, folding.Shape] = field(default_factory=dict[UUID, folding.Shape])
    _judged: dict[_Pair, bool] = field(default_factory=dict[_Pair, bool])
    _read: int = 0

    async def read(self, conn: Connection, pairs: Sequence[_Pair]) -> None:
        """Read what it takes to tell these apart."""
        new = {one for pair in pairs for one in pair if one not in self._sizes}
        if new:
            self._sizes |= await sql.text_bytes(conn, new)
        wanted = dict.fromkeys(one for pair in pairs if self._are_of_a_size(*pair) for one in pair)
        short: list[UUID] = []
        long: list[UUID] = []
        for one in wanted:
            if one in self._texts or one in self._hashes:
                continue
            if self._sizes[one] <= min(_LONGEST, _MOST_READ - self._read):
                self._read += self._sizes[one]
                short.append(one)
            else:
                long.append(one)
        if short:
            self._texts |= await sql.texts(conn, short)
        if long:
            self._hashes |= await sql.text_hashes(conn, long)

    def are_same(self, one: UUID, other: UUID) -> bool:
        """Whether two documents are the same text; where they are too long or too many to tell: no."""
        pair = (one, other) if one < other else (other, one)
        if pair not in self._judged:
            may_be = len(self._judged) < _MOST_COMPARED and self._are_of_a_size(one, other)
            self._judged[pair] = may_be and self._compared(one, other)
        return self._judged[pair]

    def _are_of_a_size(self, one: UUID, other: UUID) -> bool:
        shorter, longer = sorted((self._sizes.get(one, 0), self._sizes.get(other, 0)))
        return shorter >= _LEAST_SHARE * longer

    def _compared(self, one: UUID, other: UUID) -> bool:
        if one in self._texts and other in self._texts:
            return folding.same_text(self._shape(one), self._shape(other))
        return self._hash(one) == self._hash(other)

    def _shape(self, one: UUID) -> folding.Shape:
        if one not in self._shapes:
            self._shapes[one] = folding.shape(self._texts[one])
        return self._shapes[one]

    def _hash(self, one: UUID) -> bytes:
        if one not in self._hashes:
            text = self._texts.get(one)
            self._hashes[one] = one.bytes if text is None else hashlib.sha256(text.encode()).digest()
        return self._hashes[one]

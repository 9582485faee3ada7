"""The story of a search: by word and by meaning, fused, grouped, folded, cited."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from uuid import UUID

from extrophi_research.db import Connection, Pool
from extrophi_research.embeddings.service import ActiveModel, Embedder, EndpointAway
from extrophi_research.errors import InvalidInput
from extrophi_research.search import analysis, folding, sql
from extrophi_research.search.citations import best_sentence, cite
from extrophi_research.search.fusion import Candidate, Ranked, fuse, fuse_by_document
from extrophi_research.search.keyword import KeywordIndex, Matched
from extrophi_research.search.models import Chunk, Filters, Found, Hit, Mode
from extrophi_research.search.query import Query, parse

_CANDIDATES = 60
"""From each of the two ways, at least."""
_FEW = 2000
"""Documents that a filter leaves: up to so many, the search looks at these alone."""
_DEEPER = 8
"""How much more is asked for when filters and exclusions left too little."""
_NO_FILTERS = Filters()


async def search(
    pool: Pool,
    index: KeywordIndex,
    embedder: Embedder,
    text: str,
    *,
    limit: int = 10,
    mode: Mode = "hybrid",
    group: Literal["document", "none"] = "document",
    filters: Filters = _NO_FILTERS,
) -> Found:
    """The best chunks for a query, each with its citation.

    Raises:
        InvalidInput: The query asks for nothing: it holds exclusions only.
    """
    query = parse(text)
    if not query.text:
        raise InvalidInput("query: it only says what not to find.", field="query", hint="Add a word to look for.")
    wanted = max(_CANDIDATES, limit * 3)
    lookup = _Lookup(pool, index, query, filters, wanted)
    if filters.any:
        async with pool.acquire() as conn:
            lookup.among = await sql.selected(conn, filters, _FEW)
    # No connection is held meanwhile: an endpoint may take seconds, and the pool is small.
    _, (asked, degraded) = await asyncio.gather(
        lookup.by_word(limit, keyword=mode != "vector"), _embedded(pool, embedder, query.text, mode)
    )
    async with pool.acquire() as conn:
        if asked is not None:
            await lookup.by_meaning(conn, asked)
            if not lookup.near and not await sql.has_vectors(conn, asked.model):
                degraded = _degraded("nothing is embedded yet")
        ranked = lookup.ranked(group)
        exact = len(ranked)
        if query.phrases:
            ranked, exact = await _phrases_first(conn, lookup, ranked, group)
        hits, relaxed = await _hits(conn, lookup, ranked, exact, limit)
    return Found(hits, degraded, relaxed)


async def _embedded(pool: Pool, embedder: Embedder, text: str, mode: Mode) -> "tuple[_Asked | None, str | None]":
    """The query's vector; or none, and why."""
    if mode == "keyword":
        return None, None
    model = await embedder.active_model(pool)
    if model is None:
        return None, _degraded("nothing is embedded yet")
    try:
        vector = await embedder.embed(model, text)
    except EndpointAway as error:
        return None, _degraded(str(error))
    return _Asked(model, f"[{','.join(map(repr, vector))}]"), None


def _degraded(why: str) -> str:
    return f"Searched by word only: {why}."


@dataclass(frozen=True, slots=True)
class _Asked:
    """The query's vector, as pgvector reads it."""

    model: ActiveModel
    vector: str


@dataclass(slots=True)
class _Lookup:
    """The candidates of one search."""

    pool: Pool
    index: KeywordIndex
    query: Query
    filters: Filters
    wanted: int
    among: list[UUID] | None = None
    """The only documents that pass the filters, where they are few."""
    candidates: dict[UUID, Candidate] = field(default_factory=dict[UUID, Candidate])
    documents: dict[UUID, float] = field(default_factory=dict[UUID, float])
    """Documents that hold words of the query, with their BM25 scores."""
    holders: set[UUID] = field(default_factory=set[UUID])
    """Documents that hold every quoted phrase."""
    near: list[sql.Near] = field(default_factory=list[sql.Near])

    async def by_word(self, limit: int, *, keyword: bool) -> None:
        """Candidates by BM25, over chunks and whole documents, and what holds the quoted phrases."""
        if keyword:
            chunks, documents = await asyncio.to_thread(self._first_look)
            for match in await self._deepened_chunks(chunks):
                self._add(match)
            self.documents = await self._deepened(self.index.documents, documents)
        if self.query.phrases:
            first = await asyncio.to_thread(self.index.holding_phrases, self.query, self.wanted, self.among)
            held = await self._deepened(self.index.holding_phrases, first)
            self.holders = set(held)
            self.documents |= (
                {one: score for one, score in held.items() if one not in self.documents} if keyword else {}
            )
            chosen = list(held)
            matches = await asyncio.to_thread(self.index.phrase_chunks, self.query.phrases, 3 * self.wanted, chosen)
            for match in matches:
                self._add(match if keyword else replace(match, score=0.0))
        if keyword:
            # A document can rank high by words of which no single chunk has many.
            known = {one.document_id for one in self.candidates.values()}
            missing = [one for one in list(self.documents)[:limit] if one not in known]
            if missing:
                for match in await asyncio.to_thread(self.index.chunks, self.query, 4 * len(missing), missing):
                    self._add(match)

    async def by_meaning(self, conn: Connection, asked: _Asked) -> None:
        """The nearest chunks, and the similarity of those found by word."""
        limit = self.wanted
        while True:
            near = await sql.nearest(conn, asked.model, asked.vector, self.filters, limit, self.among)
            kept = await self._not_excluded({one.document_id for one in near})
            self.near = [one for one in near if one.document_id in kept]
            if len(self.near) >= min(self.wanted, limit) or len(near) < limit:
                break
            limit *= _DEEPER
        for one in self.near:
            known = self.candidates.setdefault(one.chunk_id, Candidate(one.chunk_id, one.document_id))
            known.similarity, known.alone = one.similarity, one.alone
        missing = [one.chunk_id for one in self.candidates.values() if one.similarity is None]
        if missing and self.near:
            for one in await sql.similarities(conn, asked.model, asked.vector, missing):
                known = self.candidates[one.chunk_id]
                known.similarity, known.alone = one.similarity, one.alone

    def ranked(self, group: Literal["document", "none"]) -> list[Ranked]:
        candidates = list(self.candidates.values())
        if group == "none":
            return fuse(candidates, self.documents)
        farthest = self.near[-1].similarity if len(self.near) >= self.wanted else 0.0
        return fuse_by_document(candidates, self.documents, farthest)

    def _add(self, match: Matched) -> None:
        known = self.candidates.setdefault(match.chunk_id, Candidate(match.chunk_id, match.document_id))
        known.words = max(known.words, match.score)

    def _first_look(self) -> tuple[list[Matched], dict[UUID, float]]:
        """Both at once: each way to another thread and back takes as long as a look into the index."""
        return (
            self.index.chunks(self.query, self.wanted, self.among),
            self.index.documents(self.query, self.wanted, self.among),
        )

    async def _deepened_chunks(self, matches: list[Matched]) -> list[Matched]:
        """The index knows no filters: it is asked for more until enough pass."""
        asked = self.wanted
        while True:
            passing = await self._passing({one.document_id for one in matches})
            passing &= await self._not_excluded(passing)
            kept = [one for one in matches if one.document_id in passing]
            if len(kept) >= self.wanted or len(matches) < asked:
                return kept[: self.wanted]
            asked *= _DEEPER
            matches = await asyncio.to_thread(self.index.chunks, self.query, asked, self.among)

    async def _deepened(self, find: "_Find", found: dict[UUID, float]) -> dict[UUID, float]:
        asked = self.wanted
        while True:
            passing = await self._passing(set(found))
            if len(passing) >= self.wanted or len(found) < asked:
                return {one: score for one, score in found.items() if one in passing}
            asked *= _DEEPER
            found = await asyncio.to_thread(find, self.query, asked, self.among)

    async def _passing(self, document_ids: set[UUID]) -> set[UUID]:
        if self.among is not None or not self.filters.any:
            return document_ids
        async with self.pool.acquire() as conn:
            return await sql.passing(conn, document_ids, self.filters)

    async def _not_excluded(self, document_ids: set[UUID]) -> set[UUID]:
        """A word anywhere in a document excludes all of it: that is what a reader would open."""
        if not self.query.excluded:
            return document_ids
        return document_ids - await asyncio.to_thread(self.index.holding_excluded, self.query, document_ids)


_Find = Callable[[Query, int, Collection[UUID] | None], dict[UUID, float]]


async def _phrases_first(
    conn: Connection, lookup: _Lookup, ranked: Sequence[Ranked], group: Literal["document", "none"]
) -> tuple[list[Ranked], int]:
    """What holds every quoted phrase, then the rest; and how many those are.

    Of a document that holds them, the place to show is a chunk with a phrase in it. There is none where a phrase
    stands in the title, or across the border of two chunks.
    """
    candidates = [one.chunk_id for one in lookup.candidates.values() if one.document_id in lookup.holders]
    chunks = await sql.chunks(conn, candidates)
    phrases = [_bounded(phrase) for phrase in lookup.query.phrases]
    showing = {
        one.chunk_id: one.document_id
        for one in chunks.values()
        if any(phrase in _bounded(one.text) for phrase in phrases)
    }
    shown = set(showing.values())
    if group == "none":
        first = [
            one
            for one in ranked
            if one.chunk_id in showing or (one.document_id in lookup.holders and one.document_id not in shown)
        ]
    else:
        best: dict[UUID, UUID] = {}
        for one in lookup.ranked("none"):
            if one.chunk_id in showing:
                best.setdefault(one.document_id, one.chunk_id)
        first = [
            replace(one, chunk_id=best.get(one.document_id, one.chunk_id))
            for one in ranked
            if one.document_id in lookup.holders
        ]
    taken = {one.chunk_id if group == "none" else one.document_id for one in first}
    rest = [one for one in ranked if (one.chunk_id if group == "none" else one.document_id) not in taken]
    return first + rest, len(first)


def _bounded(text: str) -> str:
    return f" {' '.join(analysis.parts(text))} "


async def _hits(
    conn: Connection, lookup: _Lookup, ranked: Sequence[Ranked], exact: int, limit: int
) -> tuple[list[Hit], bool]:
    """The best, each text once, and whether one of them is past the `exact` first."""
    kept: list[tuple[Ranked, Chunk, list[Chunk]]] = []
    overlaps = folding.Overlaps()
    twins = _Twins(conn)
    relaxed = False
    step = limit + limit // 2 + 5
    for start in range(0, len(ranked), step):
        if len(kept) == limit:
            break
        batch = ranked[start : start + step]
        chunks = await sql.chunks(conn, [one.chunk_id for one in batch])
        for at, one in enumerate(batch, start):
            chunk = chunks.get(one.chunk_id)
            if chunk is None:  # deleted a moment ago
                continue
            runs = folding.runs(chunk.text)
            also = await twins.among([kept[number] for number in overlaps.find(runs)], chunk)
            if also is not None:
                also.append(chunk)
            elif len(kept) < limit:
                overlaps.add(runs)
                kept.append((one, chunk, []))
                relaxed = relaxed or at >= exact
    asked = lookup.query.text
    similarity = {one.chunk_id: one.similarity for one in lookup.candidates.values()}
    return [_hit(chunk, one.score, asked, similarity[one.chunk_id], also) for one, chunk, also in kept], relaxed


@dataclass(slots=True)
class _Twins:
    """Tells whether documents are the same text. Their whole texts are read, and only where chunks overlap."""

    conn: Connection
    _shapes: dict[UUID, folding.Shape] = field(default_factory=dict[UUID, folding.Shape])

    async def among(self, kept: Sequence[tuple[Ranked, Chunk, list[Chunk]]], chunk: Chunk) -> list[Chunk] | None:
        """Where to note `chunk`: beside the first hit of another document that is the same text."""
        for _, known, also in kept:
            if known.document_id == chunk.document_id:
                continue
            if any(one.document_id == chunk.document_id for one in also):
                return also
            missing = [one for one in (known.document_id, chunk.document_id) if one not in self._shapes]
            if missing:
                texts = await sql.texts(self.conn, missing)
                self._shapes |= {one: folding.shape(texts.get(one, "")) for one in missing}
            if folding.same_text(self._shapes[known.document_id], self._shapes[chunk.document_id]):
                return also
        return None


def _hit(chunk: Chunk, score: float, asked: str, similarity: float | None, also: Sequence[Chunk]) -> Hit:
    return Hit(
        document_id=chunk.document_id,
        version=chunk.version,
        chunk_id=chunk.chunk_id,
        score=score,
        text=chunk.text,
        start=chunk.start,
        end=chunk.end,
        citation=cite(chunk, best_sentence(chunk.text, asked)),
        also=[cite(one, best_sentence(one.text, asked)) for one in also],
        similarity=similarity,
    )

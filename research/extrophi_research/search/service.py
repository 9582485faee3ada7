"""The story of a search: by word and by meaning, fused, grouped, folded, cited."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate
from typing import ParamSpec, TypeVar
from uuid import UUID

from extrophi_research.db import EF_SEARCH, Connection, Pool
from extrophi_research.embeddings.service import EndpointAway
from extrophi_research.errors import InvalidInput
from extrophi_research.search import analysis, earlier, languages, sql
from extrophi_research.search.fusion import Candidate, Ranked, fuse, fuse_by_document
from extrophi_research.search.hits import hits
from extrophi_research.search.keyword import IndexBroken, KeywordIndex, Matched
from extrophi_research.search.models import Chunk, Filters, Found, Group, Hit, Mode
from extrophi_research.search.query import Query, parse
from extrophi_research.search.vectors import Asked, Looked, StoreAway, StoreMoved
from extrophi_research.state import State

_CANDIDATES = EF_SEARCH
"""From each of the two ways, at least. More would cost each search a transaction, to set how far the index looks."""
_FEW = 2000
"""Documents that a filter leaves: up to so many, the search looks at these alone."""
_MANY = 50_000
"""Documents that the keyword index can be told to look at, or to leave out, when too few of its best pass."""
_DEEPER = 8
"""How much more is asked for when filters and exclusions left too little."""
_DEEP = 500
_DEEPEST = 5000
"""Candidates. Beyond that, what is left is too far from the query to be worth the time."""
_COMPARED = 24
"""Chunks of older versions, the best by word, that are embedded for one search: each takes some milliseconds."""
_NO_FILTERS = Filters()
_P = ParamSpec("_P")
_T = TypeVar("_T")


async def search(
    app: State,
    text: str,
    *,
    limit: int = 10,
    mode: Mode = "hybrid",
    group: Group = "document",
    filters: Filters = _NO_FILTERS,
    as_of: datetime | None = None,
    as_typed: bool = False,
) -> Found:
    """The best chunks for a query, each with its citation.

    Args:
        app: What it is asked by.
        text: As a person writes it.
        limit: How many hits at most.
        mode: By word, by meaning, or both.
        group: Whether a document is one hit at most.
        filters: What passes.
        as_of: Only what the library held at that moment, in the versions of then.
        as_typed: The last word may be the beginning of one: it counts by word, if not in older versions.

    Raises:
        InvalidInput: The query asks for nothing.
    """
    query = parse(text, tuple(one for tag in filters.languages if (one := languages.primary(tag))), as_typed=as_typed)
    if not query.text:
        why = "it only says what not to find" if query.excluded else "it holds no word"
        raise InvalidInput(f"query: {why}.", field="query", hint="Add a word to look for.")
    if as_of is not None:
        filters = replace(filters, collected_by=as_of)
    lookup = _Lookup(app, query, filters, group, limit)
    if filters.any:
        async with app.pool.acquire() as conn:
            lookup.among = await sql.selected(conn, filters, _FEW)
    keyword = mode != "vector"
    try:
        async with asyncio.TaskGroup() as tasks:
            words = tasks.create_task(lookup.by_word(keyword=keyword))
            # No connection is held meanwhile: an endpoint may take seconds, and the pool is small.
            asked, why = await _embedded(app, query.text, mode)
            if asked is not None:
                tasks.create_task(lookup.by_meaning(asked))
                await words
                await lookup.compare(asked)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    notes = [f"Searched by word only: {why}."] if why else []
    if not keyword and not lookup.near:
        await lookup.by_word(keyword=True)  # rather than nothing, which would look as if there were nothing
    if as_of is not None:
        notes += await _add_earlier(lookup, as_of, asked, keyword=keyword)
    found, relaxed = await _found(lookup, asked)
    if asked is not None:
        note = lookup.by_meaning_note or await _without_vectors(app.pool, lookup, asked)
        notes += [note] if note else []
    if lookup.by_word_fails:
        notes.append("The keyword index is being built: some documents are not found by word yet.")
    return Found(found, " ".join(notes) or None, relaxed, lookup.earlier)


async def chunks_of(conn: Connection, found: Found) -> dict[UUID, Chunk]:
    """The chunks of what was found, but for those that were deleted a moment ago."""
    chunks = await sql.chunks(conn, [hit.chunk_id for hit in found.items])
    return chunks | {hit.chunk_id: found.earlier[hit.chunk_id] for hit in found.items if hit.chunk_id in found.earlier}


async def _add_earlier(lookup: "_Lookup", as_of: datetime, asked: Asked | None, *, keyword: bool) -> list[str]:
    """Candidates from older versions, of documents that changed since; and what is to be said of those left out."""
    async with lookup.pool.acquire() as conn:
        changed = await sql.changed_since(conn, as_of, lookup.filters, earlier.MOST_DOCUMENTS + 1)
        sizes = accumulate(size for _, _, size in changed)
        within = [one for one, size in zip(changed, sizes, strict=True) if size <= earlier.MOST_BYTES]
        read = [(one, version) for one, version, _ in within[: earlier.MOST_DOCUMENTS]]
        versions = await sql.versions(conn, read)
    if not changed:
        return []
    sought = await lookup.index.thread(earlier.words_of, lookup.query, lookup.index.holding)
    found = await lookup.index.thread(earlier.look_through, versions, lookup.query, sought)
    chunks = found.chunks[: lookup.wanted]
    near = await _compared(lookup.app, asked, [one.chunk for one in chunks[:_COMPARED]]) if asked else {}
    for one in chunks:
        known = Candidate(one.chunk.chunk_id, one.chunk.document_id, one.score if keyword else 0.0)
        known.similarity = near.get(one.chunk.chunk_id)
        if keyword or known.similarity is not None:
            lookup.candidates[known.chunk_id] = known
            lookup.earlier[known.chunk_id] = one.chunk
    if keyword:
        lookup.documents |= found.documents
    lookup.holders |= set(found.holders)
    notes = ["Older versions are found by the words that they hold."] if asked and versions else []
    if len(read) < len(changed):
        notes.append("Not all documents that changed since were looked through in their older versions: too many did.")
    return notes


async def _compared(app: State, asked: Asked, chunks: Sequence[Chunk]) -> dict[UUID, float]:
    """How near chunks are that have no vectors. Fewer, or none, where their model is away."""
    found: dict[UUID, float] = {}
    for one in chunks:
        try:
            vector = await app.embedder.embed(asked.model, one.text)
        except EndpointAway:
            break
        found[one.chunk_id] = sum(a * b for a, b in zip(vector, asked.vector, strict=True))
    return found


async def _embedded(app: State, text: str, mode: Mode) -> tuple[Asked | None, str | None]:
    """The query's vector; or none, and why."""
    if mode == "keyword":
        return None, None
    model = await app.embedder.active_model(app.pool)
    if model is None:
        return None, "nothing is embedded yet"
    try:
        vector = await app.embedder.embed(model, text)
    except EndpointAway as error:
        return None, str(error)
    return Asked(model, vector), None


async def _without_vectors(pool: Pool, lookup: "_Lookup", asked: Asked) -> str | None:
    """What is to be said of documents that have no vectors yet."""
    if lookup.near and not lookup.among:
        return None
    async with pool.acquire() as conn:
        if not lookup.near and not await sql.has_vectors(conn, asked.model):
            return "Searched by word only: nothing is embedded yet."
        if lookup.among and await sql.waits_for_vectors(conn, asked.model, lookup.among):
            if not lookup.near:
                return "Searched by word only: the documents that pass the filters are not embedded yet."
            return "Some of the documents that pass the filters are not embedded yet: they are found by word only."
    return None


async def _found(lookup: "_Lookup", asked: Asked | None) -> tuple[list[Hit], bool]:
    """The hits, and whether one of them does not hold what the query quotes."""
    terms = analysis.asked(lookup.query.text)
    while True:
        ranked = lookup.ranked()
        exact = len(ranked)
        async with lookup.pool.acquire() as conn:
            if lookup.query.phrases:
                ranked, exact = await _phrases_first(conn, lookup, ranked)
            found = await hits(
                conn, lookup.index, ranked, exact, lookup.limit, terms, lookup.earlier, lookup.query.begun
            )
        # One text may be in as many places as there were candidates.
        if asked is None or len(found[0]) >= lookup.limit or not lookup.can_look_further:
            return found
        await lookup.by_meaning(asked)


@dataclass(slots=True)
class _Lookup:
    """The candidates of one search."""

    app: State
    query: Query
    filters: Filters
    group: Group
    limit: int
    among: list[UUID] | None = None
    """The only documents that pass the filters, where they are few."""
    candidates: dict[UUID, Candidate] = field(default_factory=dict[UUID, Candidate])
    documents: dict[UUID, float] = field(default_factory=dict[UUID, float])
    """Documents that hold words of the query, with their BM25 scores."""
    holders: set[UUID] = field(default_factory=set[UUID])
    """Documents that hold every quoted phrase."""
    earlier: dict[UUID, Chunk] = field(default_factory=dict[UUID, Chunk])
    """Candidates that are chunks of older versions."""
    near: list[sql.Near] = field(default_factory=list[sql.Near])
    by_word_fails: bool = False
    """Whether the keyword index could not be asked, or is not whole."""
    by_meaning_note: str | None = None
    """Why not all vectors were looked at, where they were not."""
    can_look_further: bool = True
    """Whether more is near than was looked at, and worth looking at."""
    _asked_for: int = 0
    _narrowed: "tuple[list[UUID] | None, set[UUID]] | None" = None

    @property
    def pool(self) -> Pool:
        return self.app.pool

    @property
    def index(self) -> KeywordIndex:
        return self.app.index

    @property
    def wanted(self) -> int:
        return max(_CANDIDATES, self.limit * 3)

    async def by_word(self, *, keyword: bool) -> None:
        """Candidates by BM25, over chunks and whole documents, and what holds the quoted phrases."""
        if not keyword and not self.query.phrases:
            return
        self.by_word_fails = not self.index.whole
        if keyword:
            chunks, documents = await self._ask(([], {}), self._first_look)
            for match in await self._deepened_chunks(chunks):
                self._add(match)
            self.documents = await self._deepened(self.index.documents, documents)
        if self.query.phrases:
            first = await self._ask({}, self.index.holding_phrases, self.query, self.wanted, self.among)
            held = await self._deepened(self.index.holding_phrases, first)
            self.holders = set(held)
            self.documents |= (
                {one: score for one, score in held.items() if one not in self.documents} if keyword else {}
            )
            matches = await self._ask([], self.index.phrase_chunks, self.query.phrases, 3 * self.wanted, list(held))
            for match in matches:
                self._add(match if keyword else match._replace(score=0.0))
        if keyword:
            # A document can rank high by words of which no single chunk has many.
            known = {one.document_id for one in self.candidates.values()}
            missing = [one for one in list(self.documents)[: self.limit] if one not in known]
            if missing:
                for match in await self._ask([], self.index.chunks, self.query, 4 * len(missing), missing):
                    self._add(match)

    async def compare(self, asked: Asked) -> None:
        """How near what was found by word is. Beside the look for the nearest: each has a connection of its own."""
        missing = [one.chunk_id for one in self.candidates.values() if one.similarity is None]
        if missing:
            self._add_near(await self.app.vectors.similarities(asked, missing))

    async def by_meaning(self, asked: Asked) -> None:
        """The nearest chunks. Once more: further than before."""
        limit = self._asked_for * _DEEPER or self.wanted
        while True:
            try:
                looked = await self._nearest(asked, limit)
            except StoreAway as error:
                how = "Not all was searched" if self.near else "Searched by word only"
                self.by_meaning_note = f"{how}: {error}."
                self.can_look_further = False
                break
            near, is_all = looked.near, looked.is_all
            if looked.behind:
                self.by_meaning_note = "Some documents are not in ChromaDB yet: they are found by word only."
            kept = await self._not_excluded({one.document_id for one in near})
            self.near = [one for one in near if one.document_id in kept]
            self.can_look_further = not is_all and limit < _DEEPEST
            # The chunks of one long document may be all that is nearest.
            found = len({one.document_id for one in self.near}) if self.group == "document" else len(self.near)
            if not self.can_look_further or (len(self.near) >= self.wanted and found >= self.limit):
                break
            limit *= _DEEPER
        self._asked_for = limit
        self._add_near(self.near)

    async def _nearest(self, asked: Asked, limit: int) -> Looked:
        try:
            return await self.app.vectors.nearest(asked, self.filters, limit, self.among)
        except StoreMoved:
            model = replace(asked.model, store="pgvector")
            return await self.app.vectors.nearest(replace(asked, model=model), self.filters, limit, self.among)

    def ranked(self) -> list[Ranked]:
        return self.chunks_ranked() if self.group == "none" else self._documents_ranked()

    def chunks_ranked(self) -> list[Ranked]:
        return fuse(list(self.candidates.values()), self.documents)

    def _documents_ranked(self) -> list[Ranked]:
        farthest = self.near[-1].similarity if len(self.near) >= self.wanted else 0.0
        return fuse_by_document(list(self.candidates.values()), self.documents, farthest)

    def _add_near(self, near: Iterable[sql.Near]) -> None:
        for one in near:
            known = self.candidates.setdefault(one.chunk_id, Candidate(one.chunk_id, one.document_id))
            known.similarity, known.alone = one.similarity, one.alone

    def _add(self, match: Matched) -> None:
        known = self.candidates.setdefault(match.chunk_id, Candidate(match.chunk_id, match.document_id))
        known.words = max(known.words, match.score)

    async def _ask(self, otherwise: _T, find: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Ask the keyword index. Where it cannot be used, the rest of the search goes on without it."""
        try:
            return await self.index.thread(find, *args, **kwargs)
        except IndexBroken:
            self.by_word_fails = True
            return otherwise

    def _first_look(self) -> tuple[list[Matched], dict[UUID, float]]:
        """Both at once: each way to another thread and back takes as long as a look into the index."""
        return (
            self.index.chunks(self.query, self.wanted, self.among),
            self.index.documents(self.query, self.wanted, self.among),
        )

    async def _deepened_chunks(self, matches: list[Matched]) -> list[Matched]:
        """The index knows no filters, and no exclusions of whole documents: it is asked for more until enough pass."""
        asked = self.wanted
        while True:
            passing = await self._passing({one.document_id for one in matches})
            passing &= await self._not_excluded(passing)
            kept = [one for one in matches if one.document_id in passing]
            if len(kept) >= self.wanted or len(matches) < asked or asked >= _DEEPEST:
                return kept[: self.wanted]
            asked *= _DEEPER
            only, without = await self._narrow() if asked > _DEEP else (self.among, set[UUID]())
            matches = await self._ask([], self.index.chunks, self.query, asked, only, without)

    async def _deepened(self, find: "_Find", found: dict[UUID, float]) -> dict[UUID, float]:
        asked = self.wanted
        while True:
            passing = await self._passing(set(found))
            if len(passing) >= self.wanted or len(found) < asked or asked >= _DEEPEST:
                return {one: score for one, score in found.items() if one in passing}
            asked *= _DEEPER
            only, _ = await self._narrow() if asked > _DEEP else (self.among, set[UUID]())
            found = await self._ask({}, find, self.query, asked, only)

    async def _narrow(self) -> tuple[list[UUID] | None, set[UUID]]:
        """Which documents alone to look at, and which to leave out, where these are not too many to be told."""
        if self._narrowed is None:
            only = self.among
            if only is None and self.filters.any:
                async with self.pool.acquire() as conn:
                    only = await sql.selected(conn, self.filters, _MANY)
            without = await self._ask(set[UUID](), self.index.holding_excluded, self.query, _MANY)
            self._narrowed = only, without
        return self._narrowed

    async def _passing(self, document_ids: set[UUID]) -> set[UUID]:
        if self.among is not None or not self.filters.any or not document_ids:
            return document_ids
        async with self.pool.acquire() as conn:
            return await sql.passing(conn, document_ids, self.filters)

    async def _not_excluded(self, document_ids: set[UUID]) -> set[UUID]:
        """A word anywhere in a document excludes all of it: that is what a reader would open."""
        if not self.query.excluded or not document_ids:
            return document_ids
        count = len(document_ids)
        return document_ids - await self._ask(set[UUID](), self.index.holding_excluded, self.query, count, document_ids)


_Find = Callable[[Query, int, Collection[UUID] | None], dict[UUID, float]]


async def _phrases_first(conn: Connection, lookup: _Lookup, ranked: Sequence[Ranked]) -> tuple[list[Ranked], int]:
    """What holds every quoted phrase, then the rest; and how many those are.

    Of a document that holds them, the place to show is a chunk with a phrase in it. There is none where a phrase
    stands in the title, or across the border of two chunks.
    """
    candidates = [one.chunk_id for one in lookup.candidates.values() if one.document_id in lookup.holders]
    chunks = await sql.chunks(conn, candidates)
    chunks |= {one: lookup.earlier[one] for one in candidates if one in lookup.earlier}
    phrases = [_bounded(phrase) for phrase in lookup.query.phrases]
    showing = {
        one.chunk_id: one.document_id
        for one in chunks.values()
        if any(phrase in _bounded(one.text) for phrase in phrases)
    }
    shown = set(showing.values())
    by_chunk = lookup.group == "none"
    if by_chunk:
        first = [
            one
            for one in ranked
            if one.chunk_id in showing or (one.document_id in lookup.holders and one.document_id not in shown)
        ]
    else:
        best: dict[UUID, UUID] = {}
        for one in lookup.chunks_ranked():
            if one.chunk_id in showing:
                best.setdefault(one.document_id, one.chunk_id)
        first = [
            one._replace(chunk_id=best.get(one.document_id, one.chunk_id))
            for one in ranked
            if one.document_id in lookup.holders
        ]
    taken = {one.chunk_id if by_chunk else one.document_id for one in first}
    rest = [one for one in ranked if (one.chunk_id if by_chunk else one.document_id) not in taken]
    return first + rest, len(first)


def _bounded(text: str) -> str:
    return f" {' '.join(analysis.parts(text))} "

"""The story of a search: by word and by meaning, fused, grouped, folded, cited."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal
from uuid import UUID

from extrophi_research.db import Connection, Pool
from extrophi_research.embeddings.service import ActiveModel, Embedder, EndpointAway, active_model
from extrophi_research.errors import InvalidInput
from extrophi_research.search import analysis, sql
from extrophi_research.search.citations import best_sentence, cite
from extrophi_research.search.fusion import fuse
from extrophi_research.search.keyword import KeywordIndex
from extrophi_research.search.models import Chunk, Filters, Found, Hit, Mode
from extrophi_research.search.query import Query, parse

_CANDIDATES = 200
"""From each of the two ways, at least."""
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
    wanted = max(_CANDIDATES, limit * 4)
    keyword: dict[UUID, float] = {}
    vector: dict[UUID, float] = {}
    documents: dict[UUID, UUID] = {}
    degraded: str | None = None
    async with pool.acquire() as conn, conn.transaction(readonly=True):
        if mode != "vector":
            keyword, found = await _by_word(conn, index, query, filters, wanted)
            documents |= found
        if mode != "keyword":
            model = await active_model(conn)
            try:
                vector, found = await _by_meaning(conn, embedder, model, query, filters, wanted, list(keyword))
                documents |= found
            except EndpointAway as error:
                degraded = f"Searched by word only: {error}."
            if query.excluded and vector:
                vector = await _without_excluded(conn, vector, query)
        fused = fuse(keyword, vector)
        best = _grouped(fused, documents) if group == "document" else list(fused)
        chunks = await sql.chunks(conn, best[: limit * 3])
    hits = [
        _hit(chunks[chunk_id], fused[chunk_id], query.text, vector.get(chunk_id))
        for chunk_id in best
        if chunk_id in chunks
    ]
    hits, relaxed = _phrases_first(hits, query)
    return Found(_folded(hits)[:limit], degraded, relaxed)


async def _by_word(
    conn: Connection, index: KeywordIndex, query: Query, filters: Filters, wanted: int
) -> tuple[dict[UUID, float], dict[UUID, UUID]]:
    """BM25 candidates that pass the filters. The index knows none: it is asked for more until enough pass."""
    asked = wanted
    while True:
        ranked = await asyncio.to_thread(index.search, query, asked)
        documents = await sql.passing(conn, [chunk_id for chunk_id, _ in ranked], filters)
        kept = {chunk_id: score for chunk_id, score in ranked if chunk_id in documents}
        if len(kept) >= wanted or len(ranked) < asked:
            return dict(list(kept.items())[:wanted]), documents
        asked *= 8


async def _by_meaning(
    conn: Connection,
    embedder: Embedder,
    model: ActiveModel | None,
    query: Query,
    filters: Filters,
    wanted: int,
    also: Sequence[UUID],
) -> tuple[dict[UUID, float], dict[UUID, UUID]]:
    """The nearest chunks, and the similarity of those found by word. Raises EndpointAway."""
    if model is None:
        raise EndpointAway("nothing is embedded yet")
    vector = await embedder.embed(model, query.text)
    near = await sql.nearest(conn, model, vector, filters, wanted)
    if not near and not await sql.has_vectors(conn, model):
        raise EndpointAway("nothing is embedded yet")
    scores = {one.chunk_id: one.score for one in near}
    missing = [chunk_id for chunk_id in also if chunk_id not in scores]
    if missing:
        scores |= await sql.similarities(conn, model, vector, missing)
    return scores, {one.chunk_id: one.document_id for one in near}


async def _without_excluded(conn: Connection, vector: Mapping[UUID, float], query: Query) -> dict[UUID, float]:
    chunks = await sql.chunks(conn, list(vector))
    return {key: score for key, score in vector.items() if key in chunks and not _has_excluded(chunks[key], query)}


def _has_excluded(chunk: Chunk, query: Query) -> bool:
    text = f" {' '.join(analysis.tokens(chunk.title + ' ' + chunk.text))} "
    return any(f" {' '.join(analysis.tokens(words))} " in text for words in query.excluded)


def _grouped(fused: Mapping[UUID, float], documents: Mapping[UUID, UUID]) -> list[UUID]:
    """The best chunk of each document, in the order of their scores."""
    best: dict[UUID, UUID] = {}
    for chunk_id in fused:
        if chunk_id in documents:
            best.setdefault(documents[chunk_id], chunk_id)
    return list(best.values())


def _hit(chunk: Chunk, score: float, asked: str, similarity: float | None) -> Hit:
    return Hit(
        document_id=chunk.document_id,
        version=chunk.version,
        chunk_id=chunk.chunk_id,
        score=score,
        text=chunk.text,
        start=chunk.start,
        end=chunk.end,
        citation=cite(chunk, best_sentence(chunk.text, asked)),
        similarity=similarity,
    )


def _phrases_first(hits: list[Hit], query: Query) -> tuple[list[Hit], bool]:
    """Those that hold every quoted phrase, then the rest; whether there is a rest."""
    if not query.phrases:
        return hits, False
    phrases = [f" {' '.join(analysis.words(phrase))} " for phrase in query.phrases]

    def holds(hit: Hit) -> bool:
        text = f" {' '.join(analysis.words(hit.citation.title + ' ' + hit.text))} "
        return all(phrase in text for phrase in phrases)

    exact = [hit for hit in hits if holds(hit)]
    rest = [hit for hit in hits if not holds(hit)]
    return exact + rest, bool(rest)


def _folded(hits: Sequence[Hit]) -> list[Hit]:
    """One hit for texts that are the same but for spaces and case; the others are named in its `also`."""
    first: dict[str, int] = {}
    folded: list[Hit] = []
    for hit in hits:
        key = " ".join(hit.text.casefold().split())
        if key in first and folded[first[key]].document_id != hit.document_id:
            kept = folded[first[key]]
            folded[first[key]] = replace(kept, also=(*kept.also, hit.citation))
        else:
            first.setdefault(key, len(folded))
            folded.append(hit)
    return folded

"""The keyword index: BM25 by tantivy over chunks and over whole documents, in a folder that may be deleted any time.

Two indexes, since both say something: a chunk that holds the words is the place to cite, a document that holds them
all, if in different chapters, is about them. The documents' index also knows the words as written, for phrases.
"""

import asyncio
import fcntl
import json
import math
import shutil
import threading
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar
from uuid import UUID

import tantivy
from asyncpg.pgproto import pgproto

from extrophi_research.search import analysis, languages
from extrophi_research.search.query import Query

_FORMAT = 4
"""Raised when what is indexed changes: an older index is then built anew."""
_HEAP_BYTES = 40_000_000
_THREADS = 4
_FILES = ("chunks", "documents")
_BEGUN = 0.4
"""Of what a whole word counts in a text of common length."""
_LEAST_SCORE = 0.001
_REMEMBERED = 1000
"""Beginnings of words whose weight is known."""

Position = tuple[int, int]
"""Transaction id and sequence number in read_v1.changes."""
START: Position = (0, 0)
"""Nothing is indexed yet, or not all: it has to be built."""
_Id = pgproto.UUID
"""A UUID, made in a tenth of the time that Python's takes: each search makes two hundred."""
_P = ParamSpec("_P")
_T = TypeVar("_T")


class IndexBroken(Exception):
    """The files cannot be used, or there are none yet. It is a cache: make it anew."""


class IndexInUse(Exception):
    """Another process has the folder."""


@dataclass(frozen=True, slots=True)
class IndexedChunk:
    id: UUID
    document_id: UUID
    title: str
    text: str
    language: str | None = None


class Matched(NamedTuple):
    """A chunk that holds a word of the query, with its BM25 score."""

    # A tuple, since each search makes a hundred: frozen dataclasses take twice as long to make.
    chunk_id: UUID
    document_id: UUID
    score: float


@dataclass(frozen=True, slots=True)
class _Parts:
    """Where to search and to write."""

    chunks: tantivy.Index
    documents: tantivy.Index
    writers: tuple[tantivy.IndexWriter, tantivy.IndexWriter]


class KeywordIndex:
    """Written by one at a time; searches may run beside. What fails raises IndexBroken, until it is made anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._position_file = folder / "position.json"
        # A follower that was cancelled may still have a thread in here when the index is closed.
        self._writing = threading.Lock()
        # Threads of its own: those of the process may all be waiting for an embedding.
        self._threads = ThreadPoolExecutor(_THREADS, "keyword-index")
        self._lock: TextIOWrapper | None = None
        self._parts: _Parts | None = None
        self._weights: dict[tuple[str, int], float] = {}
        self.position: Position = START
        self.database = ""
        """Which database it was made from."""
        self.broken = False
        """Whether a search has found that it cannot be used."""
        self.whole = False
        """Whether all that was committed when last looked is in it."""

    async def thread(self, do: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Do something in a thread of the index's."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: do(*args, **kwargs))

    @property
    def is_open(self) -> bool:
        return self._parts is not None

    def open(self) -> None:
        """Use what is in the folder; where that is nothing, of another format, or damaged, begin an empty one.

        Raises:
            IndexInUse: Nothing was touched.
            IndexBroken: Nothing can be written there.
        """
        with self._writing, self._guarded():
            self._take_folder()
            if not self._open_found():
                self._begin()

    def renew(self) -> None:
        """Begin an empty one in the place of this. Searches under way end with what they have.

        Raises:
            IndexInUse, IndexBroken: As `open`.
        """
        with self._writing, self._guarded():
            self._take_folder()
            self._release()
            self._begin()

    def _take_folder(self) -> None:
        """Beside the folder, since the folder may be deleted any time."""
        if self._lock is not None:
            return
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        lock = self._folder.with_suffix(".lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise IndexInUse from None
        self._lock = lock

    def _open_found(self) -> bool:
        try:
            saved = json.loads(self._position_file.read_text())
            if saved["format"] != _FORMAT:
                return False
            position, database = (int(saved["txid"]), int(saved["seq"])), str(saved["database"])
            found = [_registered(tantivy.Index.open(str(self._folder / name))) for name in _FILES]
            self._use(*found)
        except (OSError, ValueError, KeyError, TypeError):
            return False  # none, or damaged
        self.position, self.database = position, database
        return True

    def _begin(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self.position, self.database, self.whole = START, "", False
        for name in _FILES:
            (self._folder / name).mkdir(parents=True)
        chunks = _ids("chunk_id", "document_id").add_text_field("terms", tokenizer_name="terms", index_option="freq")
        documents = _ids("document_id").add_text_field("terms", tokenizer_name="terms", index_option="freq")
        documents = documents.add_text_field("words", tokenizer_name="terms", index_option="position")
        self._use(
            _registered(tantivy.Index(chunks.build(), path=str(self._folder / "chunks"))),
            _registered(tantivy.Index(documents.build(), path=str(self._folder / "documents"))),
        )

    def _use(self, chunks: tantivy.Index, documents: tantivy.Index) -> None:
        self._parts = _Parts(chunks, documents, (chunks.writer(_HEAP_BYTES, 1), documents.writer(_HEAP_BYTES, 1)))
        self.broken = False

    @contextmanager
    def _guarded(self) -> Generator[None]:
        """Whatever goes wrong with the files is one thing to who calls, a Rust panic (no Exception) included."""
        try:
            yield
        except (IndexBroken, IndexInUse):
            raise
        except BaseException as error:
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            self.broken = True
            raise IndexBroken(f"{type(error).__name__}: {error}") from error

    @property
    def _opened(self) -> _Parts:
        if self._parts is None:
            raise IndexBroken("it is not open")
        return self._parts

    def apply(self, documents: Sequence[UUID], chunks: Iterable[IndexedChunk]) -> None:
        """Replace all that is indexed of `documents` by `chunks`. Seen by searches after `commit`.

        Args:
            documents: All that changed, also those that are gone.
            chunks: Together by document, in their order in it.
        """
        with self._writing, self._guarded():
            of_chunks, of_documents = self._opened.writers
            for document_id in documents:
                of_chunks.delete_documents_by_term("document_id", str(document_id))
                of_documents.delete_documents_by_term("document_id", str(document_id))
            for document_id, its_chunks in groupby(chunks, key=lambda chunk: chunk.document_id):
                one = str(document_id)
                terms: list[str] = []
                parts: list[str] = []
                title: str | None = None
                language: str | None = None
                for chunk in its_chunks:
                    text = analysis.indexed(chunk.text)
                    if title is None:
                        of_title = analysis.indexed(chunk.title)
                        language = _language(chunk, f"{of_title.parts} {text.parts}")
                        title = _with_stems(of_title, language)
                        terms, parts = [title], [of_title.parts]
                    its_terms = _with_stems(text, language)
                    terms.append(its_terms)
                    parts.append(text.parts)
                    all_terms = f"{title} {its_terms}"
                    of_chunks.add_document(tantivy.Document(chunk_id=str(chunk.id), document_id=one, terms=all_terms))
                of_documents.add_document(
                    tantivy.Document(document_id=one, terms=" ".join(terms), words=" ".join(parts))
                )

    def clear(self, database: str) -> None:
        """Forget all, to be made anew from `database`."""
        with self._writing, self._guarded():
            for writer in self._opened.writers:
                writer.delete_all_documents()
            self.database = database
            self._commit(START)

    def commit(self, position: Position) -> None:
        """Make what was applied visible, and go on from `position` after a restart."""
        with self._writing, self._guarded():
            self._commit(position)

    def _commit(self, position: Position) -> None:
        # The position is written after what it speaks of: a crash in between has the same changes applied again.
        opened = self._opened
        # Both at once: each takes a core for a tenth of a second. The first to fail is raised.
        with ThreadPoolExecutor(len(opened.writers)) as threads:
            list(threads.map(tantivy.IndexWriter.commit, opened.writers))
        saved = {"format": _FORMAT, "database": self.database, "txid": position[0], "seq": position[1]}
        aside = self._position_file.with_suffix(".new")
        aside.write_text(json.dumps(saved))
        aside.replace(self._position_file)
        self.position = position
        for index in (opened.documents, opened.chunks):
            index.reload()

    def chunks(
        self,
        query: Query,
        limit: int,
        among: Collection[UUID] | None = None,
        without: Collection[UUID] = (),
    ) -> list[Matched]:
        """Chunks that hold a word of the query, best first.

        Args:
            query: What to look for.
            limit: How many chunks at most.
            among: Of these documents only.
            without: Not of these documents.
        """
        wanted = _any(self._terms(self._opened.chunks.schema, query))
        return self._matched(wanted, limit, among, without)

    def phrase_chunks(self, phrases: Sequence[str], limit: int, among: Collection[UUID]) -> list[Matched]:
        """Chunks of these documents that hold all words of a phrase, wherever they stand."""
        schema = self._opened.chunks.schema
        wanted = [
            _all([tantivy.Query.term_query(schema, "terms", term) for term in dict.fromkeys(analysis.tokens(phrase))])
            for phrase in phrases
        ]
        return self._matched(_any([one for one in wanted if one is not None]), limit, among)

    def documents(self, query: Query, limit: int, among: Collection[UUID] | None = None) -> dict[UUID, float]:
        """Documents that hold a word of the query, best first, with their BM25 scores; none that holds an excluded."""
        wanted = _any(self._terms(self._opened.documents.schema, query))
        return self._found(self._but_excluded(wanted, query), limit, among)

    def holding_phrases(self, query: Query, limit: int, among: Collection[UUID] | None = None) -> dict[UUID, float]:
        """Documents that hold every quoted phrase of the query, word for word, and no excluded one."""
        phrases = [self._phrase(phrase) for phrase in query.phrases]
        wanted = _all([phrase for phrase in phrases if phrase is not None])
        return self._found(self._but_excluded(wanted, query), limit, among)

    def holding_excluded(self, query: Query, limit: int, among: Collection[UUID] | None = None) -> set[UUID]:
        """Documents that hold a word or phrase that the query excludes: of these, or of all."""
        return set(self._found(_any(self._excluded(query)), limit, among)) if query.excluded else set()

    def holding(self, terms: Sequence[str]) -> tuple[int, list[int]]:
        """How many chunks there are, and how many of them hold each term; as if in one of one, where it is broken."""
        try:
            with self._guarded():
                searcher = self._opened.chunks.searcher()
                return searcher.num_docs, [searcher.doc_freq("terms", term) for term in terms]
        except IndexBroken:
            return 1, [1] * len(terms)

    def close(self) -> None:
        """Let the merges under way end. What was committed stays."""
        with self._writing:
            self._release()
            if self._lock is not None:
                self._lock.close()
                self._lock = None
        self._threads.shutdown(wait=False)

    def _release(self) -> None:
        parts, self._parts = self._parts, None
        for writer in parts.writers if parts else ():
            with suppress(Exception):  # it has failed before
                writer.wait_merging_threads()

    def _matched(
        self,
        wanted: tantivy.Query | None,
        limit: int,
        among: Collection[UUID] | None,
        without: Collection[UUID] = (),
    ) -> list[Matched]:
        with self._guarded():
            hits, searcher = _searched(self._opened.chunks, wanted, limit, among, without)
            found: list[Matched] = []
            for score, address in hits:
                stored = searcher.doc(address)
                found.append(Matched(_Id(stored["chunk_id"][0]), _Id(stored["document_id"][0]), score))
            return found

    def _found(self, wanted: tantivy.Query | None, limit: int, among: Collection[UUID] | None) -> dict[UUID, float]:
        with self._guarded():
            hits, searcher = _searched(self._opened.documents, wanted, limit, among)
            return {_Id(searcher.doc(address)["document_id"][0]): score for score, address in hits}

    def _but_excluded(self, wanted: tantivy.Query | None, query: Query) -> tantivy.Query | None:
        excluded = self._excluded(query)
        if wanted is None or not excluded:
            return wanted
        parts = [(tantivy.Occur.Must, wanted), *((tantivy.Occur.MustNot, one) for one in excluded)]
        return tantivy.Query.boolean_query(parts)

    def _excluded(self, query: Query) -> list[tantivy.Query]:
        """A word in all its forms, as it is searched; a phrase word for word."""
        schema = self._opened.documents.schema
        found: list[tantivy.Query | None] = []
        for content in query.excluded:
            terms = analysis.wanted(content, query.languages)
            if len(terms) == 1 and len(analysis.words(content)) == 1:
                forms = (terms[0].term, *terms[0].others)
                found.extend(tantivy.Query.term_query(schema, "terms", form) for form in forms)
            else:
                found.append(self._phrase(content))
        return [one for one in found if one is not None]

    def _terms(self, schema: tantivy.Schema, query: Query) -> list[tantivy.Query]:
        """A query per word; of the stems that languages make of it, the best one counts."""
        found: list[tantivy.Query] = []
        for one in analysis.wanted(query.text, query.languages):
            forms = [tantivy.Query.term_query(schema, "terms", form) for form in (one.term, *one.others)]
            found.append(forms[0] if len(forms) == 1 else tantivy.Query.disjunction_max_query(forms))
        if query.begun is not None:
            any_of_them = tantivy.Query.regex_query(schema, "terms", query.begun.pattern)
            found.append(tantivy.Query.const_score_query(any_of_them, self._weight(query.begun.pattern)))
        return found

    def _weight(self, pattern: str) -> float:
        """What a word that is still being typed counts, beside the whole word and for less than that would.

        As BM25 weighs a word by how few texts hold it, this is by how few hold any that it may become.
        """
        with self._guarded():
            searcher = self._opened.chunks.searcher()
            key = (pattern, searcher.num_docs)
            known = self._weights.get(key)
            if known is None:
                query = tantivy.Query.regex_query(self._opened.chunks.schema, "terms", pattern)
                found = searcher.search(query, 1, count=True)
                holding: int = found.count or 0  # pyright: ignore[reportAttributeAccessIssue]  the stubs lack it
                known = max(_BEGUN * math.log1p((searcher.num_docs - holding + 0.5) / (holding + 0.5)), _LEAST_SCORE)
                if len(self._weights) >= _REMEMBERED:
                    self._weights.clear()
                self._weights[key] = known
            return known

    def _phrase(self, phrase: str) -> tantivy.Query | None:
        schema = self._opened.documents.schema
        parts = analysis.parts(phrase)
        if len(parts) < 2:
            return tantivy.Query.term_query(schema, "words", parts[0]) if parts else None
        return tantivy.Query.phrase_query(schema, "words", list(parts))


def _language(chunk: IndexedChunk, parts: str) -> str | None:
    return languages.primary(chunk.language) if chunk.language else analysis.language_of(parts.split())


def _with_stems(text: analysis.Indexed, language: str | None) -> str:
    """The terms of a text, and what its language makes of its words."""
    return " ".join([text.terms, *analysis.stems(text.parts.split(), language)]) if language else text.terms


def _ids(*names: str) -> tantivy.SchemaBuilder:
    builder = tantivy.SchemaBuilder()
    for name in names:
        builder = builder.add_text_field(name, stored=True, tokenizer_name="raw", index_option="basic")
    return builder


def _registered(index: tantivy.Index) -> tantivy.Index:
    # `analysis` did the work: all that is left is to part at spaces.
    index.register_tokenizer("terms", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
    return index


def _any(queries: Sequence[tantivy.Query]) -> tantivy.Query | None:
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, one) for one in queries]) if queries else None


def _all(queries: Sequence[tantivy.Query]) -> tantivy.Query | None:
    return tantivy.Query.boolean_query([(tantivy.Occur.Must, one) for one in queries]) if queries else None


def _searched(
    index: tantivy.Index,
    wanted: tantivy.Query | None,
    limit: int,
    among: Collection[UUID] | None,
    without: Collection[UUID] = (),
) -> tuple[list[tuple[float, tantivy.DocAddress]], tantivy.Searcher]:
    searcher = index.searcher()
    if wanted is None or limit == 0 or searcher.num_docs == 0 or (among is not None and not among):
        return [], searcher
    parts = [(tantivy.Occur.Must, wanted)]
    if among is not None:
        parts.append((tantivy.Occur.Must, tantivy.Query.const_score_query(_of_documents(index, among), 0.0)))
    if without:
        parts.append((tantivy.Occur.MustNot, _of_documents(index, without)))
    asked = tantivy.Query.boolean_query(parts) if len(parts) > 1 else wanted
    return searcher.search(asked, limit, count=False).hits, searcher


def _of_documents(index: tantivy.Index, ids: Collection[UUID]) -> tantivy.Query:
    return tantivy.Query.term_set_query(index.schema, "document_id", [str(one) for one in ids])

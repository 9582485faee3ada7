"""The keyword index: BM25 by tantivy over chunks and over whole documents, in a folder that may be deleted any time.

Two indexes, since both say something: a chunk that holds the words is the place to cite, a document that holds them
all, if in different chapters, is about them. The documents' index also knows the words as written, for phrases.
"""

import json
import shutil
import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from uuid import UUID

import tantivy

from extrophi_research.search import analysis
from extrophi_research.search.query import Query

_FORMAT = 3
"""Raised when what is indexed changes: an older index is then built anew."""
_HEAP_BYTES = 40_000_000

Position = tuple[int, int]
"""Transaction id and sequence number in read_v1.changes."""


@dataclass(frozen=True, slots=True)
class IndexedChunk:
    id: UUID
    document_id: UUID
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Matched:
    """A chunk that holds a word of the query, with its BM25 score."""

    chunk_id: UUID
    document_id: UUID
    score: float


class KeywordIndex:
    """Not for several threads at once, but searches may run beside `apply`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._position_file = folder / "position.json"
        # A follower that was cancelled may still have a thread in here when the index is closed.
        self._writing = threading.Lock()
        self.position: Position = (0, 0)
        self.database = ""
        """Which database it was made from."""
        self._chunks, self._documents = self._open()
        self._writers = (self._chunks.writer(_HEAP_BYTES, 1), self._documents.writer(_HEAP_BYTES, 1))

    def _open(self) -> tuple[tantivy.Index, tantivy.Index]:
        try:
            saved = json.loads(self._position_file.read_text())
            if saved["format"] == _FORMAT:
                found = [_registered(tantivy.Index.open(str(self._folder / name))) for name in ("chunks", "documents")]
                self.position = (int(saved["txid"]), int(saved["seq"]))
                self.database = str(saved["database"])
                return found[0], found[1]
        except (OSError, ValueError, KeyError, TypeError):
            pass  # none, of another format, or damaged: it is a cache
        shutil.rmtree(self._folder, ignore_errors=True)
        self.position = (0, 0)
        for name in ("chunks", "documents"):
            (self._folder / name).mkdir(parents=True)
        chunks = _ids("chunk_id", "document_id").add_text_field("terms", tokenizer_name="terms", index_option="freq")
        documents = _ids("document_id").add_text_field("terms", tokenizer_name="terms", index_option="freq")
        documents = documents.add_text_field("words", tokenizer_name="terms", index_option="position")
        return (
            _registered(tantivy.Index(chunks.build(), path=str(self._folder / "chunks"))),
            _registered(tantivy.Index(documents.build(), path=str(self._folder / "documents"))),
        )

    def apply(self, documents: Sequence[UUID], chunks: Iterable[IndexedChunk]) -> None:
        """Replace all that is indexed of `documents` by `chunks`. Seen by searches after `commit`.

        Args:
            documents: All that changed, also those that are gone.
            chunks: Together by document, in their order in it.
        """
        with self._writing:
            of_chunks, of_documents = self._writers
            for document_id in documents:
                of_chunks.delete_documents_by_term("document_id", str(document_id))
                of_documents.delete_documents_by_term("document_id", str(document_id))
            for document_id, its_chunks in groupby(chunks, key=lambda chunk: chunk.document_id):
                one = str(document_id)
                terms: list[str] = []
                parts: list[str] = []
                title: tuple[list[str], list[str]] | None = None
                for chunk in its_chunks:
                    if title is None:
                        title = _analysed(chunk.title)
                        terms, parts = list(title[0]), list(title[1])
                    its_terms, its_parts = _analysed(chunk.text)
                    terms += its_terms
                    parts += its_parts
                    text = " ".join([*title[0], *its_terms])
                    of_chunks.add_document(tantivy.Document(chunk_id=str(chunk.id), document_id=one, terms=text))
                of_documents.add_document(
                    tantivy.Document(document_id=one, terms=" ".join(terms), words=" ".join(parts))
                )

    def clear(self, database: str) -> None:
        """Forget all, to be made anew from `database`."""
        with self._writing:
            for writer in self._writers:
                writer.delete_all_documents()
        self.database = database
        self.commit((0, 0))

    def commit(self, position: Position) -> None:
        """Make what was applied visible, and go on from `position` after a restart."""
        with self._writing:
            # The position is written after what it speaks of: a crash in between has the same changes applied again.
            for writer in self._writers:
                writer.commit()
            self.position = position
            saved = {"format": _FORMAT, "database": self.database, "txid": position[0], "seq": position[1]}
            aside = self._position_file.with_suffix(".new")
            aside.write_text(json.dumps(saved))
            aside.replace(self._position_file)
            for index in (self._documents, self._chunks):
                index.reload()

    def chunks(self, query: Query, limit: int, among: Collection[UUID] | None = None) -> list[Matched]:
        """Chunks that hold a word of the query, best first; `among`: of these documents only."""
        schema = self._chunks.schema
        terms = [tantivy.Query.term_query(schema, "terms", term) for term in analysis.asked(query.text)]
        return self._matched(_any(terms), limit, among)

    def phrase_chunks(self, phrases: Sequence[str], limit: int, among: Collection[UUID]) -> list[Matched]:
        """Chunks of these documents that hold all words of a phrase, wherever they stand."""
        schema = self._chunks.schema
        wanted = [
            _all([tantivy.Query.term_query(schema, "terms", term) for term in dict.fromkeys(analysis.tokens(phrase))])
            for phrase in phrases
        ]
        return self._matched(_any([one for one in wanted if one is not None]), limit, among)

    def documents(self, query: Query, limit: int, among: Collection[UUID] | None = None) -> dict[UUID, float]:
        """Documents that hold a word of the query, best first, with their BM25 scores; none that holds an excluded."""
        schema = self._documents.schema
        wanted = _any([tantivy.Query.term_query(schema, "terms", term) for term in analysis.asked(query.text)])
        return self._found(self._but_excluded(wanted, query), limit, among)

    def holding_phrases(self, query: Query, limit: int, among: Collection[UUID] | None = None) -> dict[UUID, float]:
        """Documents that hold every quoted phrase of the query, word for word, and no excluded one."""
        phrases = [self._phrase(phrase) for phrase in query.phrases]
        wanted = _all([phrase for phrase in phrases if phrase is not None])
        return self._found(self._but_excluded(wanted, query), limit, among)

    def holding_excluded(self, query: Query, among: Collection[UUID]) -> set[UUID]:
        """Of these documents, those that hold a word or phrase that the query excludes."""
        return set(self._found(_any(self._excluded(query)), len(among), among)) if query.excluded else set()

    def close(self) -> None:
        """Let the merges under way end. What was committed stays."""
        with self._writing:
            for writer in self._writers:
                writer.wait_merging_threads()

    def _matched(self, wanted: tantivy.Query | None, limit: int, among: Collection[UUID] | None) -> list[Matched]:
        hits, searcher = _searched(self._chunks, wanted, limit, among)
        found: list[Matched] = []
        for score, address in hits:
            stored = searcher.doc(address)
            found.append(Matched(UUID(stored["chunk_id"][0]), UUID(stored["document_id"][0]), score))
        return found

    def _found(self, wanted: tantivy.Query | None, limit: int, among: Collection[UUID] | None) -> dict[UUID, float]:
        hits, searcher = _searched(self._documents, wanted, limit, among)
        return {UUID(searcher.doc(address)["document_id"][0]): score for score, address in hits}

    def _but_excluded(self, wanted: tantivy.Query | None, query: Query) -> tantivy.Query | None:
        excluded = self._excluded(query)
        if wanted is None or not excluded:
            return wanted
        parts = [(tantivy.Occur.Must, wanted), *((tantivy.Occur.MustNot, one) for one in excluded)]
        return tantivy.Query.boolean_query(parts)

    def _excluded(self, query: Query) -> list[tantivy.Query]:
        """A word in all its forms, as it is searched; a phrase word for word."""
        schema = self._documents.schema
        found: list[tantivy.Query | None] = []
        for content in query.excluded:
            words = list(analysis.words(content))
            if len(words) == 1 and len(analysis.analysed(words[0]).asked) == 1:
                found.append(tantivy.Query.term_query(schema, "terms", analysis.analysed(words[0]).asked[0]))
            else:
                found.append(self._phrase(content))
        return [one for one in found if one is not None]

    def _phrase(self, phrase: str) -> tantivy.Query | None:
        parts = list(analysis.parts(phrase))
        if len(parts) < 2:
            return tantivy.Query.term_query(self._documents.schema, "words", parts[0]) if parts else None
        return tantivy.Query.phrase_query(self._documents.schema, "words", list(parts))


def open_index(folder: Path) -> KeywordIndex:
    """The index in `folder`, or an empty one where there is none that can be used."""
    return KeywordIndex(folder)


def _analysed(text: str) -> tuple[list[str], list[str]]:
    """The terms and the parts of a text."""
    terms: list[str] = []
    parts: list[str] = []
    for found in map(analysis.analysed, analysis.words(text)):
        terms += found.terms
        parts += found.parts
    return terms, parts


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
    index: tantivy.Index, wanted: tantivy.Query | None, limit: int, among: Collection[UUID] | None
) -> tuple[list[tuple[float, tantivy.DocAddress]], tantivy.Searcher]:
    searcher = index.searcher()
    if wanted is None or limit == 0 or searcher.num_docs == 0 or (among is not None and not among):
        return [], searcher
    if among is not None:
        chosen = tantivy.Query.term_set_query(index.schema, "document_id", [str(one) for one in among])
        only = tantivy.Query.const_score_query(chosen, 0.0)
        wanted = tantivy.Query.boolean_query([(tantivy.Occur.Must, wanted), (tantivy.Occur.Must, only)])
    return searcher.search(wanted, limit, count=False).hits, searcher

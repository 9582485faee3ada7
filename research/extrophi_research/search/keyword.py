"""The keyword index: BM25 over chunks, by tantivy, in a folder that may be deleted at any time."""

import json
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import tantivy

from extrophi_research.search import analysis
from extrophi_research.search.query import Query

_FORMAT = 2
"""Raised when what is indexed changes: an older index is then built anew."""
_HEAP_BYTES = 64_000_000

Position = tuple[int, int]
"""Transaction id and sequence number in read_v1.changes."""


@dataclass(frozen=True, slots=True)
class IndexedChunk:
    id: UUID
    document_id: UUID
    title: str
    text: str


class KeywordIndex:
    """Not for several threads at once, but `search` may run beside `apply`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._position_file = folder / "position.json"
        # A follower that was cancelled may still have a thread in here when the index is closed.
        self._writing = threading.Lock()
        self.position: Position = (0, 0)
        self.database = ""
        """Which database it was made from."""
        self._index = self._open()
        self._writer = self._index.writer(_HEAP_BYTES, 1)

    def _open(self) -> tantivy.Index:
        try:
            saved = json.loads(self._position_file.read_text())
            if saved["format"] == _FORMAT:
                index = tantivy.Index.open(str(self._folder))
                self._register(index)
                self.position = (int(saved["txid"]), int(saved["seq"]))
                self.database = str(saved["database"])
                return index
        except (OSError, ValueError, KeyError, TypeError):
            pass  # none, of another format, or damaged: it is a cache
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self.position = (0, 0)
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("chunk_id", stored=True, tokenizer_name="raw", index_option="basic")
        builder.add_text_field("document_id", stored=True, tokenizer_name="raw", index_option="basic")
        builder.add_text_field("body", stored=False, tokenizer_name="terms", index_option="position")
        index = tantivy.Index(builder.build(), path=str(self._folder))
        self._register(index)
        return index

    @staticmethod
    def _register(index: tantivy.Index) -> None:
        # `analysis` did the work: all that is left is to part at spaces.
        index.register_tokenizer("terms", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())

    def apply(self, documents: Sequence[UUID], chunks: Sequence[IndexedChunk]) -> None:
        """Replace all that is indexed of `documents` by `chunks`. Seen by `search` after `commit`."""
        with self._writing:
            for document_id in documents:
                self._writer.delete_documents_by_term("document_id", str(document_id))
            for chunk in chunks:
                document = tantivy.Document()
                document.add_text("chunk_id", str(chunk.id))
                document.add_text("document_id", str(chunk.document_id))
                document.add_text("body", " ".join(analysis.tokens(f"{chunk.title}\n{chunk.text}")))
                self._writer.add_document(document)

    def clear(self, database: str) -> None:
        """Forget all, to be made anew from `database`."""
        with self._writing:
            self._writer.delete_all_documents()
        self.database = database
        self.commit((0, 0))

    def commit(self, position: Position) -> None:
        """Make what was applied visible, and go on from `position` after a restart."""
        with self._writing:
            self._writer.commit()
            self._index.reload()
            self.position = position
            saved = {"format": _FORMAT, "database": self.database, "txid": position[0], "seq": position[1]}
            aside = self._position_file.with_suffix(".new")
            aside.write_text(json.dumps(saved))
            aside.replace(self._position_file)

    def search(self, query: Query, limit: int) -> list[tuple[UUID, float]]:
        """Chunks that hold a word of the query, best first, with their BM25 scores."""
        built = self._build(query)
        if built is None or limit == 0:
            return []
        searcher = self._index.searcher()
        if searcher.num_docs == 0:
            return []
        hits = searcher.search(built, limit).hits
        return [(UUID(searcher.doc(address)["chunk_id"][0]), float(score)) for score, address in hits]

    def close(self) -> None:
        """Let the merges under way end. What was committed stays."""
        with self._writing:
            self._writer.wait_merging_threads()

    def _build(self, query: Query) -> tantivy.Query | None:
        found = list(analysis.words(query.text))
        telling = [word for word in found if word not in analysis.STOP_WORDS] or found
        schema = self._index.schema
        terms = dict.fromkeys(term for word in telling for term in analysis.asked_terms(word))
        if not terms:
            return None
        parts = [(tantivy.Occur.Should, tantivy.Query.term_query(schema, "body", term)) for term in terms]
        for words in query.excluded:
            excluded = list(analysis.tokens(words))
            if len(excluded) > 1:
                parts.append((tantivy.Occur.MustNot, tantivy.Query.phrase_query(schema, "body", list(excluded))))
            elif excluded:
                parts.append((tantivy.Occur.MustNot, tantivy.Query.term_query(schema, "body", excluded[0])))
        return tantivy.Query.boolean_query(parts)


def open_index(folder: Path) -> KeywordIndex:
    """The index in `folder`, or an empty one where there is none that can be used."""
    return KeywordIndex(folder)

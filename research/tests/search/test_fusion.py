"""Two rankings into one: in an order that does not hang on which way was the quicker one."""

import random
import uuid

from extrophi_research.search.fusion import Candidate, fuse, fuse_by_document


def test_equal_texts_are_ranked_alike_whoever_was_found_first():
    documents = [uuid.uuid4() for _ in range(4)]
    found = [Candidate(uuid.uuid4(), one, words=2.0, similarity=0.5) for one in documents for _ in range(3)]
    scores = dict.fromkeys(documents, 4.0)
    by_chunk, by_document = fuse(found, scores), fuse_by_document(found, scores)
    chosen = random.Random(1)
    for _ in range(20):
        chosen.shuffle(found)
        assert fuse(found, scores) == by_chunk
        assert fuse_by_document(found, scores) == by_document

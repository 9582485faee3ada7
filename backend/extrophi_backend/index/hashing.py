from hashlib import sha256


def embedding_hash(text: str) -> bytes:
    """The name of a text's embedding: equal texts share one, whatever document they stand in."""
    return sha256(text.encode()).digest()

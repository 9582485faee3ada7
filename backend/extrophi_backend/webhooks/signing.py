"""Signatures of Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md)."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from hashlib import sha256
from secrets import token_bytes

PREFIX = "whsec_"
_LENGTHS = range(24, 65)  # bytes, as the specification recommends


def make_secret() -> str:
    """A new one, of 32 random bytes."""
    return PREFIX + base64.b64encode(token_bytes(32)).decode()


def read_secret(text: str) -> bytes:
    """The key that a secret stands for. Raises ValueError."""
    if not text.startswith(PREFIX):
        raise ValueError("it begins with whsec_")
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("after whsec_ it is base64") from None
    if len(key) not in _LENGTHS:
        raise ValueError("after whsec_ come 24 to 64 bytes as base64")
    return key


def sign(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that say who sent a message, when, and that nobody changed it: one signature by each secret."""
    said = f"{message_id}.{timestamp}.".encode() + body
    signed = [hmac.new(read_secret(secret), said, sha256).digest() for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(one).decode()}" for one in signed),
    }

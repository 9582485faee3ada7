"""Secrets as they lie in the database: sealed under a key that is not in it.

A sealed value is a byte of version, four that name its key, a nonce of 24, and what XChaCha20-Poly1305 makes of the
text (draft-irtf-cfrg-xchacha-03). It is bound to its context, a line that says whose value it is: a row moved to
another's place opens no more.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
    crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
)
from nacl.exceptions import CryptoError
from nacl.utils import random
from pydantic import SecretStr

from extrophi_backend.errors import Conflict, Unavailable

KEY_BYTES = 32
_VERSION = b"\x01"
_ID_BYTES = 4
_NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
_HEX = re.compile(r"[0-9A-Fa-f]{64}")
_BASE64 = re.compile(r"[A-Za-z0-9_-]{43}")


class NoSecretKey(Conflict):
    status, code, title = 409, "no_secret_key", "There is no key to seal secrets under"


class Unreadable(Exception):
    """No key of ours opens it: it was sealed under another, for another context, or it was tampered with."""


@dataclass(frozen=True, slots=True)
class Key:
    """What seals and unseals. Its `id` tells it from others, and nothing about it."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        return blake2b(self.secret, digest_size=_ID_BYTES, person=b"extrophi-key").hexdigest()


def read_keys(text: str) -> tuple[Key, ...]:
    """The keys of a comma-separated list, each 32 bytes as base64 (either alphabet) or as hex. Raises ValueError."""
    parts = [part.strip() for part in text.split(",")]
    return tuple(_read_key(part) for part in parts)


def _read_key(text: str) -> Key:
    if _HEX.fullmatch(text):
        return Key(bytes.fromhex(text))
    plain = text.translate({ord("+"): "-", ord("/"): "_"}).rstrip("=")
    try:
        if _BASE64.fullmatch(plain):
            return Key(base64.urlsafe_b64decode(plain + "="))
    except binascii.Error:
        pass
    raise ValueError("is no list of keys, each of 32 bytes as base64 or hex")


def seal(key: Key, plaintext: str, context: str) -> bytes:
    """What may lie in a database.

    Args:
        key: The first of the ring.
        plaintext: The secret.
        context: Whose it is, as `credential/twitter/bearer_token/`; needed to open it again.
    """
    head = _VERSION + bytes.fromhex(key.id)
    nonce = random(_NONCE_BYTES)
    bound = head + context.encode()
    return head + nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext.encode(), bound, nonce, key.secret)


def unseal(keys: Sequence[Key], sealed: bytes, context: str) -> str:
    """The secret. Raises Unreadable."""
    head, rest = sealed[: 1 + _ID_BYTES], sealed[1 + _ID_BYTES :]
    nonce, box = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
    for key in keys:
        if is_sealed_by(key, sealed):
            try:
                bound = head + context.encode()
                return crypto_aead_xchacha20poly1305_ietf_decrypt(box, bound, nonce, key.secret).decode()
            except (CryptoError, ValueError, TypeError):  # the binding checks lengths by its own kinds
                continue
    raise Unreadable


def is_sealed_by(key: Key, sealed: bytes) -> bool:
    return sealed[: 1 + _ID_BYTES] == _VERSION + bytes.fromhex(key.id)


class KeyRing:
    """The keys there are: the first seals, all unseal.

    Args:
        given: EXTROPHI_SECRET_KEY.
        file: EXTROPHI_KEY_RING, read whenever keys are needed: whoever changes it need restart nobody.
    """

    def __init__(self, given: SecretStr | None, file: Path | None) -> None:
        self._given = read_keys(given.get_secret_value()) if given else ()
        self._file = None if given else file

    def keys(self) -> tuple[Key, ...]:
        """All keys; none where none is set. Raises Unavailable: the file holds none."""
        if self._file is None:
            return self._given
        try:
            return read_keys(self._file.read_text(encoding="utf-8").strip())
        except (OSError, ValueError) as error:
            raise Unavailable(
                "EXTROPHI_KEY_RING names a file that holds no keys.",
                hint=f"Put back {self._file} from a copy. Without it, what was sealed has to be set anew.",
            ) from error

    def first(self) -> Key:
        """The key to seal under. Raises NoSecretKey, Unavailable."""
        keys = self.keys()
        if not keys:
            raise NoSecretKey(
                "Secrets are stored under EXTROPHI_SECRET_KEY only, which is not set.",
                hint="Set it to the output of `head -c 32 /dev/urandom | base64` (the same for API and workers), "
                "and keep a copy. `./extrophi up` and `./new-env.sh` make one by themselves.",
            )
        return keys[0]

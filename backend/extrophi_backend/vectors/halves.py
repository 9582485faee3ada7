"""Vectors as PostgreSQL keeps them: pgvector's halfvec on the wire (halfvec_send in its halfvec.c).

The number of dimensions and a zero, two bytes each; then half-precision floats; the most significant byte first.
"""

import math
import struct
from array import array
from collections.abc import Sequence

_HEAD = struct.Struct(">hh")


def pack(vector: Sequence[float]) -> bytes:
    """At unit length. The vector must have a length (`index.endpoint` sees to it)."""
    length = math.hypot(*vector)
    return _HEAD.pack(len(vector), 0) + struct.pack(f">{len(vector)}e", *[number / length for number in vector])


def unpack(packed: bytes) -> "array[float]":
    """As 4-byte floats."""
    return array("f", struct.unpack_from(f">{(len(packed) - _HEAD.size) // 2}e", packed, _HEAD.size))


def text(packed: bytes) -> str:
    """As pgvector reads it."""
    return f"[{','.join(map(repr, unpack(packed)))}]"

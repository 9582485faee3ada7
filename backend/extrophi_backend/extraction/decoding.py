"""From bytes to text when nobody says for certain which encoding it is."""

import codecs
import re

from charset_normalizer import from_bytes
from charset_normalizer.constant import IANA_SUPPORTED

from extrophi_backend.extraction.assembling import clean
from extrophi_backend.extraction.errors import ExtractionFailed

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with that one's
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ENCODINGS = frozenset(IANA_SUPPORTED) | {"utf_8", "iso8859_1", "ascii"}
_UTF16 = {"utf-16": "utf-16-le"}  # without a mark (encoding.spec.whatwg.org)
_SAMPLE = 65_536
_WIDE = re.compile(rb"[\x80-\xff]")
_TAG = re.compile(rb"<[^<>]{0,2000}>")
_ODD = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd]")


def decode(body: bytes, *charsets: str | None) -> str:
    """The text of `body`, cleaned (see `clean`).

    A byte order mark decides; then UTF-8 if it is valid, or nearly; then the first of the declared `charsets` that
    gives text; then a guess.

    Raises:
        ExtractionFailed: unsupported_type, when it is no text in any encoding.
    """
    for bom, encoding in _BOMS:
        if body.startswith(bom):
            return _checked(body[len(bom) :].decode(encoding, "replace"))
    if (wide := _utf16(body)) is not None:
        return _checked(body.decode(wide, "replace"))
    declared = [name for charset in charsets if (name := _declared(charset))]
    if b"\x00" in body[:_SAMPLE]:
        for name in declared:
            if name.startswith("utf-16") and not _is_garbled(text := body.decode(_UTF16.get(name, name), "replace")):
                return _checked(text)
        raise ExtractionFailed("unsupported_type", "It is not text: it has NUL bytes in it.")
    # A broken byte makes no other encoding of what is UTF-8 elsewhere: no other has its sequences by chance.
    for name in ("utf-8", *declared):
        if not _is_garbled(text := body.decode(name, "replace")):
            return _checked(text)
    return _checked(body.decode(_guessed(body), "replace"))


def _utf16(body: bytes) -> str | None:
    """UTF-16 without a mark: Western text has a NUL in every other byte, always on the same side."""
    sample = body[: min(len(body), 4096) // 2 * 2]
    if len(sample) < 4:
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if odd > half * 0.6 and even < half * 0.05:
        return "utf-16-le"
    if even > half * 0.6 and odd < half * 0.05:
        return "utf-16-be"
    return None


def _declared(charset: str | None) -> str | None:
    """The codec of a declared encoding. Python's `idna`, `undefined`, `rot13`, `zip` … are codecs, but not of texts."""
    try:
        name = codecs.lookup(charset or "").name
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return None
    return name if name.replace("-", "_") in _ENCODINGS else None


def _is_garbled(text: str) -> bool:
    """Of what is no ASCII, a good part did not decode: it is in another encoding than it says."""
    lost = text.count("\ufffd")
    return lost > 0 and lost * 10 > len(text) - len(text.encode("ascii", "ignore"))


def _guessed(body: bytes) -> str:
    # Around the first byte that is no ASCII, and without markup: a long English beginning tells nothing.
    first = _WIDE.search(body)
    start = max(0, first.start() - 512) if first else 0
    sample = _TAG.sub(b" ", body[start : start + 65_536])[:32_768]
    # preemptive_behaviour reads declarations like "charset=" in the text: a page about encodings has several.
    best = from_bytes(sample, preemptive_behaviour=False, enable_fallback=False).best()
    return best.encoding if best else "cp1252"


def _checked(text: str) -> str:
    odd = len(_ODD.findall(text[:_SAMPLE]))
    if odd > 8 and odd > len(text[:_SAMPLE]) * 0.05:
        raise ExtractionFailed("unsupported_type", "It is not text in any encoding we know.")
    return clean(text)

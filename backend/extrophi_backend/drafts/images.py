"""What an image is by its own bytes, and which ones a text mentions."""

import re
from dataclasses import dataclass
from hashlib import sha256

MAX_BYTES = 20_000_000
NAME = r"[0-9a-f]{16}\.(?:png|jpg|gif|webp|avif)"
_NAMES = re.compile(rf"(?<![0-9A-Za-z]){NAME}")
_KINDS = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp", "avif": "image/avif"}
MEDIA_TYPES = tuple(_KINDS.values())


@dataclass(frozen=True, slots=True)
class Image:
    name: str
    media_type: str
    body: bytes


def read_image(body: bytes) -> Image | None:
    """The image, named for what it shows; None for what is none of the kinds that every browser shows.

    What a client says of its type does not matter. SVG is none: it is a document that may hold scripts.
    """
    kind = _kind(body)
    if kind is None:
        return None
    return Image(f"{sha256(body).hexdigest()[:16]}.{kind}", _KINDS[kind], body)


def mentioned(text: str) -> list[str]:
    """The names of images that stand in a text, whatever is around them."""
    return sorted(set(_NAMES.findall(text)))


def _kind(body: bytes) -> str | None:
    """The WHATWG's patterns (MIME Sniffing, section 6.1), and AVIF's brands (AV1 Image File Format, section 6)."""
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if body.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if body.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if body[:4] == b"RIFF" and body[8:14] == b"WEBPVP":
        return "webp"
    if body[4:8] == b"ftyp":
        end = min(int.from_bytes(body[:4], "big"), 256)
        brands = {body[8:12]} | {body[at : at + 4] for at in range(16, end, 4)}
        return "avif" if brands & {b"avif", b"avis"} else None
    return None

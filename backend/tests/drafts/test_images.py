import pytest

from extrophi_backend.drafts.images import mentioned, read_image


@pytest.mark.parametrize(
    ("begin", "kind", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n", "png", "image/png"),
        (b"\xff\xd8\xff\xe0", "jpg", "image/jpeg"),
        (b"GIF89a", "gif", "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "webp", "image/webp"),
        (b"\0\0\0\x1cftypavif\0\0\0\0mif1", "avif", "image/avif"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0miafavifmiaf", "avif", "image/avif"),
    ],
)
def test_an_image_is_known_by_its_bytes(begin: bytes, kind: str, media_type: str) -> None:
    image = read_image(begin + b"rest")
    assert image is not None
    assert (image.name[16:], image.media_type) == (f".{kind}", media_type)
    assert mentioned(f"see ![](images/{image.name}), and {image.name}") == [image.name]


@pytest.mark.parametrize(
    "body", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF88a", b"\0\0\0\x1cftypheic\0\0\0\0mif1heic",
             b"\0\0\xff\xffftyp", b"RIFF\x10\0\0\0WAVEfmt ", b"%PDF-1.7", b"BM"]
)  # fmt: skip
def test_anything_else_is_none(body: bytes) -> None:
    assert read_image(body) is None


def test_only_whole_names_are_mentioned() -> None:
    assert mentioned("a0123456789abcdef.png 0123456789abcde.png 0123456789ABCDEF.png 0123456789abcdef.svg") == []

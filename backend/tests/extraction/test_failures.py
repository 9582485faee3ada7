"""What cannot be read says why, whatever it is."""

import io
import zipfile
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extrophi_backend.extraction.detecting import MEDIA_TYPES, Format, detect
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.service import extract, extract_now
from tests.sample_files import make_docx, make_epub, make_pdf, make_zip

ENCRYPTION = '<encryption><CipherReference URI="OEBPS/a.xhtml"/></encryption>'


async def code(body: bytes, name: str, **limits: float) -> str:
    with pytest.raises(ExtractionFailed) as failed:
        await extract(body, media_type=None, name=name, url=None, **limits)  # pyright: ignore[reportArgumentType]
    assert failed.value.detail
    return failed.value.code


@pytest.mark.parametrize(
    ("body", "name", "expected"),
    [
        (b"", "x.md", "no_text"),
        (b" \n\t\n", "x.txt", "no_text"),
        (b"---\ntitle: x\n---\n", "x.md", "no_text"),
        (make_pdf([[]]), "x.pdf", "no_text"),
        (make_epub({"a.xhtml": "<img src='x'/>"}), "x.epub", "no_text"),
        (b"%PDF-1.7 and then nothing", "x.pdf", "unreadable"),
        (b"no pdf", "x.pdf", "unreadable"),
        (b"no archive", "x.docx", "broken_archive"),
        (make_docx()[:3000], "x.docx", "broken_archive"),
        (make_zip({"a": "b"}), "x.zip", "unsupported_type"),
        (make_zip({"a": "b"}), "x.epub", "broken_archive"),
        (make_zip({"word/x.xml": "<a/>"}), "x.docx", "unreadable"),
        (make_epub({"a.xhtml": "<p>x</p>"}, **{"META-INF/encryption.xml": ENCRYPTION}), "x.epub", "encrypted"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "x.docx", "encrypted"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "x.doc", "unsupported_type"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "x.md", "unsupported_type"),
        (b"text\0with\x01binary\x02", "x.txt", "unsupported_type"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",  # an archive holds the time at which it was made
)
async def test_a_file_that_cannot_be_read_says_why(body: bytes, name: str, expected: str) -> None:
    assert await code(body, name) == expected


async def test_content_decides_over_the_name() -> None:
    assert (await extract(make_docx(), media_type="text/plain", name="x.txt", url=None)).title == "Reading on phones"
    assert detect(b"<!DOCTYPE html><p>x", media_type=None, name="x.txt", url=None) == "html"


async def test_an_archive_that_unpacks_without_end_is_too_large() -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as stream:
        for _ in range(80):
            stream.write(bytes(2**20))
    assert await code(body.getvalue(), "x.docx") == "too_large"


async def test_xml_entities_are_not_expanded() -> None:
    bomb = '<!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><w><body><p><r><t>so &b; far</t></r></p></body></w>'
    found = await extract(make_zip({"word/document.xml": bomb}), media_type=None, name="x.docx", url=None)
    assert "ha" not in found.text


async def test_a_file_beyond_the_limit_is_not_read() -> None:
    assert await code(b"x" * 101, "x.txt", max_bytes=100) == "too_large"


async def test_a_parser_that_takes_too_long_is_killed() -> None:
    pages = [[(72, 700 - line, 1, "words " * 20) for line in range(500)] for _ in range(100)]
    assert await code(make_pdf(pages), "x.pdf", time_limit=0.01) == "timeout"


SEEDS = {
    "pdf": make_pdf([[(72, 700, 11, "Some words")]]),
    "docx": make_docx(),
    "epub": make_epub({"a.xhtml": "<h1>A</h1><p>b</p>"}),
    "text": "Größe\n\nund mehr".encode(),
    "markdown": b"---\ntitle: x\n---\n# A\n\n- b\n\n|a|\n|-|\n|b|\n",
    "html": b"<html><body><article><h1>A</h1><p>Some words</p></article>",
}


def check(format_: Format, body: bytes) -> None:
    try:
        found = extract_now(format_, body, f"{MEDIA_TYPES[format_]}; charset=x", None)
    except ExtractionFailed:
        return
    before = 0
    for block in found.blocks:
        assert before <= block.start < block.end <= len(found.text)
        before = block.end
    assert [anchor.offset for anchor in found.anchors] == sorted(anchor.offset for anchor in found.anchors)
    assert "\0" not in found.text
    found.text.encode()


@pytest.mark.parametrize("format_", list(MEDIA_TYPES))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=400))
def test_arbitrary_bytes_give_a_text_or_a_reason(format_: Format, body: bytes) -> None:
    check(format_, body)


@pytest.mark.parametrize("format_", list(MEDIA_TYPES))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_give_a_text_or_a_reason(format_: Format, data: st.DataObject) -> None:
    seed = SEEDS[format_]
    at = data.draw(st.integers(0, len(seed) - 1))
    length = data.draw(st.integers(0, 20))
    check(format_, seed[:at] + data.draw(st.binary(max_size=20)) + seed[at + length :])


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(alphabet="#-*+>`|:=~ \n\tab[]()<!0123.é🐦", max_size=200), kind=st.sampled_from(["text", "markdown"])
)
def test_blocks_of_any_markdown_hold_all_its_letters(text: str, kind: Format) -> None:
    check(kind, text.encode())


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=300), media_type=st.none() | st.sampled_from(sorted(MEDIA_TYPES.values())) | st.text())
def test_any_bytes_have_a_format_or_a_reason(body: bytes, media_type: str | None) -> None:
    with suppress(ExtractionFailed):
        assert detect(body, media_type=media_type, name=None, url="http://[bad") in MEDIA_TYPES

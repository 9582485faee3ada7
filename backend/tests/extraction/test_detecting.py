"""Which format bytes are in: by what they begin with, whatever is said of them."""

from time import perf_counter

import pytest

from extrophi_backend.extraction.detecting import Format, detect
from extrophi_backend.extraction.errors import ExtractionFailed


@pytest.mark.parametrize(
    "head",
    [
        b"<!DOCTYPE html>",
        b"\xef\xbb\xbf<HTML>",
        b"<!-- saved from url -->\n<!-- and again -->\n<html lang=en>",
        b'<?xml version="1.0"?><!-- a --><!doctype html>',
        b"\n  <!--" + b"x" * 10_000 + b"-->\n<html>",
    ],
)
def test_html_is_known_by_its_beginning(head: bytes) -> None:
    assert detect(head + b"<p>x", media_type=None, name=None, url=None) == "html"


@pytest.mark.parametrize("body", [b"<!-- -->" * 585 + b"no page", b"<!--" * 16_000, b"<?" * 30_000, b"<!-->" * 13_000])
def test_comments_without_end_take_no_time(body: bytes) -> None:
    started = perf_counter()
    assert detect(body, media_type=None, name=None, url=None) == "text"
    assert perf_counter() - started < 0.5


@pytest.mark.parametrize("ending", ["pdf", "docx", "epub"])
def test_a_page_about_a_file_is_a_page_whatever_its_address_ends_in(ending: str) -> None:
    url = f"https://journal.example/view/paper.{ending}"
    assert detect(b"<!doctype html><p>x", media_type=None, name=None, url=url) == "html"
    assert detect(b"<p>The paper", media_type="text/html; charset=utf-8", name=None, url=url) == "html"
    with pytest.raises(ExtractionFailed):
        detect(b"The paper", media_type=None, name=None, url=url)


@pytest.mark.parametrize(
    ("media_type", "name", "expected"),
    [("application/pdf", "x.md", "markdown"), ("text/html", None, "html"), ("text/plain", "x.md", "markdown")],
)
def test_a_files_own_name_goes_before_a_declared_type(media_type: str, name: str | None, expected: Format) -> None:
    assert detect(b"# Herons", media_type=media_type, name=name, url=None) == expected


@pytest.mark.parametrize("words", ["RIFF is old.", "ID3 tags hold titles.", "Rar! said the bird.", "GIF89a was next."])
def test_a_note_about_a_format_is_no_file_of_it(words: str) -> None:
    assert detect(words.encode(), media_type=None, name="x.md", url=None) == "markdown"
    with pytest.raises(ExtractionFailed):
        detect(words.encode()[:6] + b"\x00\x10\x80" * 20, media_type=None, name="x.md", url=None)


@pytest.mark.parametrize(
    ("body", "name", "media_type", "expected"),
    [
        (b"A file begins with %PDF-1.4, I read.", "x.md", None, "markdown"),
        (b"<!doctype html><p>It begins with %PDF-1.4", None, None, "html"),
        (b"<p>It begins with %PDF-1.4", None, "text/html", "html"),
        (b"\n %PDF-1.4\n1 0 obj", "x.md", None, "pdf"),
        (b"junk before\n%PDF-1.4\n1 0 obj", "x.pdf", None, "pdf"),
        (b"junk before\n%PDF-1.4\n1 0 obj", None, None, "pdf"),
    ],
)
def test_a_text_that_names_the_mark_of_pdf_is_no_pdf(
    body: bytes, name: str | None, media_type: str | None, expected: Format
) -> None:
    assert detect(body, media_type=media_type, name=name, url=None) == expected

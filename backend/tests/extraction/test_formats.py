"""What each format gives: text, blocks that index into it, and what the file says of itself."""

import time
import tracemalloc
from datetime import UTC, datetime

import pytest

from extrophi_backend.extraction.markdown import extract_markdown
from extrophi_backend.extraction.models import Extracted
from extrophi_backend.extraction.service import extract
from extrophi_backend.extraction.text import paragraphs
from tests.sample_files import make_docx, make_epub, make_pdf, make_zip


def parts(extracted: Extracted) -> list[tuple[int, str]]:
    return [(block.level, extracted.text[block.start : block.end]) for block in extracted.blocks]


async def read(body: bytes, name: str) -> Extracted:
    return await extract(body, media_type=None, name=name, url=None)


async def test_a_pdf_gives_paragraphs_headings_pages_and_metadata() -> None:
    pages = [
        [
            (72, 700, 20, "A long page"),
            (72, 670, 11, "Readers on phones leave a para-"),
            (72, 656, 11, "graph early, and that is a well-"),
            (72, 642, 11, "known pain."),
            (72, 610, 11, "The second paragraph goes over"),
        ],
        [(72, 700, 11, "the end of the page, a well-known pain too.")],
    ]
    found = await read(
        make_pdf(pages, "/Title (On pages) /Author (Ida) /CreationDate (D:20240102030405+02'00')"), "x.pdf"
    )
    assert parts(found) == [
        (1, "A long page"),
        (0, "Readers on phones leave a paragraph early, and that is a well-known pain."),
        (0, "The second paragraph goes over the end of the page, a well-known pain too."),
    ]
    assert [(anchor.page, found.text[anchor.offset :][:7]) for anchor in found.anchors] == [
        (1, "A long "),
        (2, "the end"),
    ]
    assert (found.title, found.author) == ("On pages", "Ida")
    assert found.published_at == datetime(2024, 1, 2, 1, 4, 5, tzinfo=UTC)


async def test_running_heads_and_page_numbers_of_a_pdf_are_left_out() -> None:
    words = ("herons", "quokkas", "otters", "newts", "toads")
    pages = [
        [(72, 760, 9, "Journal of Ponds"), (72, 700, 11, f"Today we saw {word}."), (300, 30, 9, str(number))]
        for number, word in enumerate(words)
    ]
    found = await read(make_pdf(pages), "x.pdf")
    assert [text for _, text in parts(found)] == [f"Today we saw {word}." for word in words]


async def test_a_docx_gives_headings_lists_tables_and_properties() -> None:
    found = await read(make_docx(), "x.docx")
    assert parts(found) == [
        (1, "Reading on phones"),
        (1, "What we saw"),
        (0, "Readers stop where the screen ends."),
        (0, "• They scroll on"),
        (0, "place | minutes\nbus | four"),
    ]
    assert (found.title, found.author) == ("Reading on phones", "Ida Holm")


WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def word(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def written(body: str, **others: str) -> bytes:
    """A Word document of these paragraphs and tables; `others` are more parts, by name."""
    members = {"document": f"<w:body>{body}</w:body>"} | others
    return make_zip(
        {f"word/{name}.xml": f"<w:{name} xmlns:w='{WORD}'>{content}</w:{name}>" for name, content in members.items()}
    )


async def test_notes_of_a_docx_come_after_its_text() -> None:
    notes = (
        f"<w:footnote w:type='separator'>{word('---')}</w:footnote><w:footnote w:id='2'>{word('A foot.')}</w:footnote>"
    )
    end = f"<w:endnote w:id='2'>{word('An end.')}</w:endnote>"
    assert (await read(written(word("Text."), footnotes=notes, endnotes=end), "x.docx")).text == (
        "Text.\n\nA foot.\n\nAn end."
    )


async def test_cells_of_a_docx_are_read_once_wherever_they_stand() -> None:
    def cell(content: str) -> str:
        return f"<w:tc>{content}</w:tc>"

    inner = f"<w:tbl><w:tr>{cell(word('in'))}{cell(word('ner'))}</w:tr></w:tbl>"
    box = f"<w:p><w:r><w:txbxContent>{word('A box.')}</w:txbxContent></w:r></w:p>"
    control = f"<w:sdt><w:sdtContent>{cell(word('chosen'))}</w:sdtContent></w:sdt>"
    rows = f"<w:tr>{cell(word('one'))}{control}</w:tr><w:tr>{cell(inner)}{cell(word('two') + box)}</w:tr>"
    row = f"<w:sdt><w:sdtContent><w:tr>{cell(word('three'))}{cell(word('four'))}</w:tr></w:sdtContent></w:sdt>"
    found = await read(written(f"<w:tbl>{rows}{row}</w:tbl>"), "x.docx")
    assert found.text == "one | chosen\nin ner | two\nthree | four\n\nA box."


async def test_a_style_built_on_a_heading_is_one() -> None:
    styles = "".join(
        f"<w:style w:styleId='{name}'><w:name w:val='{name}'/><w:basedOn w:val='{base}'/></w:style>"
        for name, base in (("Chapter", "Part"), ("Part", "Heading2"), ("Round", "Circle"), ("Circle", "Round"))
    )
    body = word("On herons", "<w:pStyle w:val='Chapter'/>") + word("Text.", "<w:pStyle w:val='Round'/>")
    assert parts(await read(written(body, styles=styles), "x.docx")) == [(2, "On herons"), (0, "Text.")]


async def test_an_epub_is_read_in_the_order_of_its_spine() -> None:
    book = make_epub(
        {
            "b.xhtml": "<h1>First</h1><p>Caf&eacute; &amp; <i>tea</i><!-- --> now<br/>and then</p><style>x</style>",
            "a.xhtml": "<div>Loose <p>A paragraph</p> words<pre>two\n  lines</pre></div>",
        }
    )
    found = await read(book, "x.epub")
    assert parts(found) == [
        (1, "First"),
        (0, "Café & tea now\nand then"),
        (0, "Loose"),
        (0, "A paragraph"),
        (0, "words"),
        (0, "two\n  lines"),
    ]
    assert (found.title, found.author, found.language) == ("The Slow Page", "Ida Holm, Jon Berg", "en-GB")
    assert found.published_at == datetime(2019, 5, 1, tzinfo=UTC)


async def test_markdown_stays_as_written_without_its_front_matter() -> None:
    source = (
        "---\ntitle: Notes\nauthor: [Ida Holm, Jon Berg]\ndate: 2024-03-01\nlang: en\n"
        "canonical_url: https://example.org/notes\n---\n\n"
        "# On *reading*\n\nA line\nand more.\n\n- one\n  - two\n\nSetext\n------\n\n```py\n# no heading\n```\n"
    )
    found = await read(source.encode(), "notes.md")
    assert found.text == source.partition("---\n\n")[2].strip("\n")
    assert parts(found) == [
        (1, "On *reading*"),
        (0, "A line\nand more."),
        (0, "- one"),
        (0, "- two"),
        (2, "Setext"),
        (0, "```py\n# no heading\n```"),
    ]
    assert (found.title, found.author, found.language) == ("Notes", "Ida Holm, Jon Berg", "en")
    assert found.canonical_url == "https://example.org/notes"
    assert found.published_at == datetime(2024, 3, 1, tzinfo=UTC)
    assert found.format == "markdown"


async def test_toml_front_matter_is_understood() -> None:
    found = await read(b'+++\ntitle = "Notes"\ndate = 2024-03-01T10:00:00+02:00\n+++\nText.\n', "notes.md")
    assert (found.title, found.text) == ("Notes", "Text.")
    assert found.published_at == datetime(2024, 3, 1, 8, tzinfo=UTC)


async def test_broken_front_matter_gives_what_it_can_and_loses_no_text() -> None:
    found = await read(b"---\ntitle: One: two\ndate: [2024\n---\nText.\n", "notes.md")
    assert (found.title, found.text) == ("One: two", "Text.")


async def test_text_between_two_rules_is_no_front_matter() -> None:
    found = await read(b"---\nA verse that\nstands alone\n---\nText.\n", "notes.md")
    assert found.text.startswith("---\nA verse that")


@pytest.mark.parametrize(
    "source",
    [
        "---\nNote: remember the milk\n---\nText.",
        "---\n# Chapter one\n\nAuthor: I am one\n\nAnd so it began, as things do.\n---\nSecond.",
        "---\nTitle: a word\nthat goes on here: and there\n\nLong.\n---\nSecond.",
    ],
)
async def test_prose_between_two_rules_stays_whatever_colons_it_has(source: str) -> None:
    assert (await read(source.encode(), "notes.md")).text == source


async def test_front_matter_with_lists_and_longer_values_is_read_by_line_when_it_is_broken() -> None:
    source = b"---\ntitle: One: two\ntags:\n- a\n  - b\n# so\nsummary: >\n  more\n---\nText.\n"
    found = await read(source, "notes.md")
    assert (found.title, found.text) == ("One: two", "Text.")


@pytest.mark.parametrize("written", ["March 1, 2024", "1st March 2024", "'2024/03/01'", "2024-03-01 00:00:00 +0000"])
async def test_dates_in_front_matter_are_understood_as_people_write_them(written: str) -> None:
    found = await read(f"---\ndate: {written}\n---\nText.\n".encode(), "notes.md")
    assert found.published_at == datetime(2024, 3, 1, tzinfo=UTC)


async def test_nesting_without_end_is_read_in_time_and_none_of_it_is_lost() -> None:
    source = ">" * 90 + " a heron\n" + "b\n" * 20_000
    began = time.process_time()
    assert extract_markdown(source.encode()).text == source.strip("\n")
    assert time.process_time() - began < 8
    nested = "".join("  " * level + f"- heron {level}\n" for level in range(40)) + "\nThe end.\n"
    said = " ".join(text for _, text in parts(await read(nested.encode(), "notes.md")))
    assert all(f"heron {level}" in said for level in range(40))


def test_paragraphs_are_told_in_little_memory() -> None:
    text = "a heron eats at dawn\n" * 50_000
    tracemalloc.start()
    try:
        blocks = paragraphs(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(blocks) == 1
    assert peak < 8 * len(text)


async def test_a_chapter_in_another_encoding_is_read() -> None:
    for chapter in (
        "<?xml version='1.0' encoding='iso-8859-1'?><html><body><p>Café im Grünen<br></p></body></html>",
        "<html><body><p>Café im Grünen, größer als üblich</body></html>",
    ):
        found = await read(make_epub({"a.xhtml": ""}, **{"OEBPS/a.xhtml": chapter.encode("cp1252")}), "x.epub")
        assert found.text.startswith("Café im Grünen")


async def test_a_front_matter_that_multiplies_itself_stays_small() -> None:
    laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    found = await read(f"---\n{laughs}title: *i\n---\nText.\n".encode(), "notes.md")
    assert (found.text, found.title) == ("Text.", "")


async def test_paragraphs_of_plain_text_stand_between_empty_lines() -> None:
    found = await read("One\r\nline\r\n \r\n\r\n  Two 🐦  \nmore \n".encode(), "x.txt")
    assert found.text == "One\nline\n \n\n  Two 🐦  \nmore "
    assert parts(found) == [(0, "One\nline"), (0, "Two 🐦  \nmore")]


async def test_a_short_first_line_that_stands_alone_is_a_title() -> None:
    assert (await read(b"Saved for later\n\nI have a list.\n", "x.txt")).title == "Saved for later"
    assert (await read(b"I have a list.\n\nIt is long.\n", "x.txt")).title == ""
    assert (await read(b"One\ntwo\n", "x.txt")).title == ""


async def test_encodings_are_recognised() -> None:
    text = "Ein Käfer läuft über die Straße, während größere Vögel schöne Lieder üben. Später hört man Fröhliches."
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"):
        assert (await read(text.encode(encoding), "x.txt")).text == text, encoding
    declared = await extract("Привет".encode("koi8-r"), media_type="text/plain; charset=KOI8-R", name=None, url=None)
    assert declared.text == "Привет"


async def test_characters_that_cannot_be_stored_are_removed() -> None:
    assert (await read("a\ud800b".encode("utf-16-le", "surrogatepass") + b"c\0" * 200, "x.txt")).text.startswith("a")
    found = await read(b"\xef\xbb\xbfone\0two", "x.txt")
    assert found.text == "onetwo"

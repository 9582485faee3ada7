"""PDF: the words of its pages by PDFium, paragraphs rebuilt from where the lines stand.

PDFium is C++ that reads what strangers wrote: call this in a process that may die (see service.py).
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from extrophi_backend.extraction.assembling import Assembly, clean, one_line
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.models import Extracted
from extrophi_backend.extraction.pdf_layout import Line, Paragraph, paragraphs_of, without_running_heads

MAX_PAGES = 10_000
_HYPHEN = 0x02  # what PDFium gives for a hyphen that ends a line; it then leaves the line break out
_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:([+-])(\d\d)'?(\d\d)?)?")
_JUNK_TITLE = re.compile(
    r"untitled|title|\S+\.(docx?|pdf|tex|dvi|indd|qxd|odt|pptx?)|microsoft word - .*", re.IGNORECASE
)


def extract_pdf(body: bytes) -> Extracted:
    """Text with an anchor at each page, headings by the size of their letters, and metadata of a PDF.

    Raises:
        ExtractionFailed: unreadable, encrypted, no_text (a scan), too_large.
    """
    try:
        document = pdfium.PdfDocument(body)
    except pdfium.PdfiumError as error:
        if error.err_code in {pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY}:
            raise ExtractionFailed("encrypted", "The PDF is locked with a password.") from error
        raise ExtractionFailed("unreadable", "The PDF is damaged beyond reading.") from error
    try:
        if len(document) > MAX_PAGES:
            raise ExtractionFailed("too_large", f"The PDF has {len(document):,} pages; we read {MAX_PAGES:,}.")
        pages = without_running_heads(list(_pages(document)))
        assembly = _assemble(paragraphs_of(pages))
        if not any(character.isalnum() for character in assembly.text):
            raise ExtractionFailed(
                "no_text", "The PDF has no text in it, only pictures: a scan needs text recognition."
            )
        metadata = {key: one_line(clean(value))[:1000] for key, value in document.get_metadata_dict().items()}
    finally:
        document.close()
    title = metadata.get("Title", "")
    return Extracted(
        text=assembly.text,
        blocks=assembly.blocks,
        anchors=assembly.anchors,
        title=assembly.first_heading() if not title or _JUNK_TITLE.fullmatch(title) else title,
        author=metadata.get("Author") or None,
        published_at=_moment(metadata.get("CreationDate", "")),
        format="text",
    )


def _pages(document: pdfium.PdfDocument) -> Iterator[Sequence[Line]]:
    for number in range(len(document)):
        try:
            page = document[number]
        except pdfium.PdfiumError:  # one damaged page is not the end of a book
            yield ()
            continue
        try:
            yield tuple(_lines(page.get_textpage(), number + 1))
        except pdfium.PdfiumError:
            yield ()
        finally:
            page.close()


def _lines(page: pdfium.PdfTextPage, number: int) -> Iterator[Line]:
    """Each line of a page with its place. Coordinates are points, from the lower left corner."""
    units: list[int] = []
    first = last = -1  # indices of the line's first and last visible characters
    for index in range(page.count_chars()):
        unit = pdfium_c.FPDFText_GetUnicode(page, index)
        if unit in {0x0A, 0x0D, _HYPHEN}:
            if first >= 0:
                yield _line(page, number, units, first, last, hyphenated=unit == _HYPHEN)
            units, first, last = [], -1, -1
        elif unit >= 0x20:
            units.append(unit)
            if unit != 0x20:
                first, last = (index if first < 0 else first), index
    if first >= 0:
        yield _line(page, number, units, first, last, hyphenated=False)


def _line(
    page: pdfium.PdfTextPage, number: int, units: Sequence[int], first: int, last: int, *, hyphenated: bool
) -> Line:
    left, bottom, _, top = _box(page, first)
    right = _box(page, last)[2]
    # Above U+FFFF PDFium may give one code point or two UTF-16 units.
    raw = "".join(map(chr, (unit for unit in units if unit <= 0x10FFFF)))
    text = one_line(raw.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
    if not hyphenated and text.endswith(("\u00ad", "\u2010")):
        text, hyphenated = text[:-1], True
    text = text.replace("\u00ad", "")
    return Line(
        text, number, left=left, right=right, bottom=bottom, height=max(top - bottom, 0.1), hyphenated=hyphenated
    )


def _box(page: pdfium.PdfTextPage, index: int) -> tuple[float, float, float, float]:
    """Left, bottom, right, top. Loose: as high as the font, not as the letter."""
    rectangle = pdfium_c.FS_RECTF()
    if not pdfium_c.FPDFText_GetLooseCharBox(page, index, rectangle):
        return 0.0, 0.0, 0.0, 0.0
    return rectangle.left, rectangle.bottom, rectangle.right, rectangle.top


def _assemble(paragraphs: Sequence[Paragraph]) -> Assembly:
    assembly = Assembly()
    page = 0
    for paragraph in paragraphs:
        pages: list[tuple[int, int]] = []
        for offset, number in paragraph.pages:
            if number != page:
                pages.append((offset, number))
                page = number
        assembly.add(paragraph.text, level=paragraph.level, pages=pages)
    return assembly


def _moment(text: str) -> datetime | None:
    """A PDF date (ISO 32000-1, 7.9.4)."""
    match = _DATE.match(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, sign, hours, minutes = match.groups()
    try:
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
        moment = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
            tzinfo=timezone(offset),
        )  # fmt: skip
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None

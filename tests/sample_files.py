"""Small PDF, DOCX and EPUB files, made where they are needed."""

import io
import zipfile
from collections.abc import Mapping, Sequence

import docx

Placed = tuple[float, float, float, str]
"""Left, baseline (points from the lower left corner), size, words."""

CONTAINER = """<?xml version="1.0"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""


def make_pdf(pages: Sequence[Sequence[Placed]], info: str = "") -> bytes:
    """A PDF of one font. `info` is the inside of its information dictionary, in PDF's own words."""
    objects: list[bytes] = [b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    parent = 2 + 2 * len(pages)
    for page in pages:
        shown = "".join(f"/F1 {size} Tf 1 0 0 1 {left} {base} Tm ({words}) Tj\n" for left, base, size, words in page)
        content = f"BT\n{shown}ET".encode("latin-1")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
        objects.append(
            b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 612 792] /Contents %d 0 R"
            b" /Resources << /Font << /F1 1 0 R >> >> >>" % (parent, len(objects))
        )
    kids = b" ".join(b"%d 0 R" % (3 + 2 * number) for number in range(len(pages)))
    objects.append(b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages)))
    objects.append(b"<< /Type /Catalog /Pages %d 0 R >>" % parent)
    objects.append(f"<< {info} >>".encode("latin-1"))
    body, places = b"%PDF-1.4\n", list[int]()
    for number, written in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, written)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    body_length = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    body += b"trailer << /Size %d /Root %d 0 R /Info %d 0 R >>\n" % (size, parent + 1, parent + 2)
    return body + b"startxref\n%d\n%%%%EOF" % body_length


def make_docx() -> bytes:
    """A Word document with headings, a list, a table and an author."""
    document = docx.Document()
    document.add_heading("Reading on phones", 0)
    document.add_heading("What we saw", 1)
    document.add_paragraph("Readers stop where the screen ends.")
    document.add_paragraph("They scroll on", style="List Bullet")
    table = document.add_table(2, 2)
    for at, words in enumerate(("place", "minutes", "bus", "four")):
        table.cell(at // 2, at % 2).text = words
    document.core_properties.title = "Reading on phones"
    document.core_properties.author = "Ida Holm"
    body = io.BytesIO()
    document.save(body)
    return body.getvalue()


def make_zip(members: Mapping[str, str | bytes]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            stored = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(name, content, compress_type=stored)
    return body.getvalue()


def make_epub(chapters: Mapping[str, str], **others: str | bytes) -> bytes:
    """A book of XHTML bodies by file name, read in the order given. `others` are more members."""
    items = "".join(
        f'<item id="c{n}" href="{name}" media-type="application/xhtml+xml"/>' for n, name in enumerate(chapters)
    )
    references = "".join(f'<itemref idref="c{number}"/>' for number in range(len(chapters)))
    package = f"""<?xml version="1.0"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title>The Slow Page</dc:title><dc:creator>Ida Holm</dc:creator><dc:creator>Jon Berg</dc:creator>
<dc:language>en-GB</dc:language><dc:date>2019-05</dc:date></metadata>
<manifest>{items}</manifest><spine>{references}</spine></package>"""
    pages = {
        f"OEBPS/{name}": f'<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml">'
        f"<head><title/></head><body>{body}</body></html>"
        for name, body in chapters.items()
    }
    return make_zip(
        {"mimetype": "application/epub+zip", "META-INF/container.xml": CONTAINER, "OEBPS/book.opf": package}
        | pages
        | others
    )

"""DOCX: WordprocessingML read straight from the archive (ECMA-376, part 1).

Names are compared without namespaces, which differ between "transitional" and "strict" files. `python-docx` would do
for a good file; it loads every picture, leaves out content controls and tracked insertions, and raises a dozen kinds
of error for a damaged one.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping

from extrophi_backend.extraction.archive import Archive
from extrophi_backend.extraction.assembling import Assembly, clean, one_line
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.models import Extracted
from extrophi_backend.extraction.moments import parse_moment
from extrophi_backend.extraction.tree import Element, local_name, parse_xml

_SKIPPED = frozenset({"del", "moveFrom", "Fallback", "instrText", "txbxContent", "pPr", "rPr", "sectPr"})
_WRAPPERS = frozenset({"sdt", "sdtContent", "ins", "moveTo", "smartTag", "customXml", "AlternateContent", "Choice"})
"""Content controls, tracked insertions and the like, around paragraphs, rows and cells."""
_TEXT = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_MAX_BASES = 11
"""How deep Word lets styles build on each other; a circle of them ends here, too."""
_HEADING = re.compile(r"heading ?([1-9])\Z", re.IGNORECASE)


def extract_docx(body: bytes) -> Extracted:
    """Text, headings by style, lists, tables and core properties of a Word document.

    Raises:
        ExtractionFailed: broken_archive, encrypted, no_text, too_large, unreadable.
    """
    archive = Archive(body)
    main = _main_part(archive)
    data = archive.read(main)
    root = parse_xml(data) if data else None
    content = next((child for child in root if local_name(child) == "body"), None) if root is not None else None
    if content is None:
        raise ExtractionFailed("unreadable", "It is named like a Word document but has no document inside.")
    folder = posixpath.dirname(main)
    levels = _heading_levels(archive, posixpath.join(folder, "styles.xml"))
    assembly = Assembly()
    _add_blocks(assembly, content, levels)
    for name in ("footnotes", "endnotes"):
        for note in _notes(archive, posixpath.join(folder, f"{name}.xml")):
            _add_blocks(assembly, note, levels)
    if not assembly.blocks:
        raise ExtractionFailed("no_text", "There are no words in it, perhaps only pictures.")
    properties = _core_properties(archive)
    return Extracted(
        text=assembly.text,
        blocks=assembly.blocks,
        title=properties.get("title", "") or assembly.first_heading(),
        author=properties.get("creator") or None,
        published_at=parse_moment(properties.get("created", "")),
        language=properties.get("language") or None,
        format="text",
    )


def _main_part(archive: Archive) -> str:
    relations = archive.read("_rels/.rels")
    root = parse_xml(relations) if relations else None
    for relation in root if root is not None else ():
        if relation.get("Type", "").endswith("/officeDocument"):
            return relation.get("Target", "").lstrip("/")
    return "word/document.xml"


def _notes(archive: Archive, name: str) -> Iterator[Element]:
    """Footnotes or endnotes, without the lines that are drawn above them."""
    data = archive.read(name)
    root = parse_xml(data) if data else None
    for note in root if root is not None else ():
        if local_name(note) in {"footnote", "endnote"} and _attribute(note, "type") in {"", "normal"}:
            yield note


def _add_blocks(assembly: Assembly, content: Element, levels: Mapping[str, int]) -> None:
    for element in _blocks(content):
        if local_name(element) == "tbl":
            assembly.add(clean(_table(element)))
        else:
            _add_paragraph(assembly, element, levels)
        for box in element.iter("{*}txbxContent"):
            # What a box holds is repeated for programs that know no boxes.
            if not any(local_name(above) == "Fallback" for above in box.iterancestors()):
                assembly.add(clean(_words(box)).strip())


def _blocks(content: Element) -> Iterator[Element]:
    """Paragraphs and tables in reading order, also those inside content controls and tracked insertions."""
    waiting = list(reversed(content))
    while waiting:
        element = waiting.pop()
        name = local_name(element)
        if name in {"p", "tbl"}:
            yield element
        elif name in _WRAPPERS:
            waiting.extend(reversed(element))


def _words(element: Element) -> str:
    """The words below `element`, without deleted ones, field codes and what text boxes repeat."""
    parts: list[str] = []
    waiting = list(reversed(element))
    while waiting:
        child = waiting.pop()
        name = local_name(child)
        if name == "t":
            parts.append(child.text or "")
        elif name in _TEXT:
            parts.append(_TEXT[name])
        elif name not in _SKIPPED:
            if name == "p" and parts:
                parts.append("\n")
            waiting.extend(reversed(child))
    return "".join(parts)


def _add_paragraph(assembly: Assembly, paragraph: Element, levels: Mapping[str, int]) -> None:
    style, outline, numbered = "", None, False
    properties = next((child for child in paragraph if local_name(child) == "pPr"), None)
    for child in properties if properties is not None else ():
        match local_name(child):
            case "pStyle":
                style = _value(child)
            case "outlineLvl":
                outline = _value(child)
            case "numPr":
                numbered = True
            case _:
                pass
    level = levels.get(style, 0)
    if outline is not None and outline.isdecimal() and len(outline) < 3:
        level = int(outline) + 1 if int(outline) < 9 else 0  # 9 is body text
    text = clean(_words(paragraph)).strip()
    if not level and (numbered or style.lower().startswith("list")) and text:
        text = f"• {text}"
    assembly.add(one_line(text) if level else text, level=min(level, 6))


def _table(table: Element) -> str:
    """A line per row, its cells apart by ` | `; a table in a cell is the cell's words."""
    lines: list[str] = []
    for row in _inside(table, "tr"):
        cells = [one_line(_words(cell)) for cell in _inside(row, "tc")]
        if any(cells):
            lines.append(" | ".join(cells))
    return "\n".join(lines)


def _inside(element: Element, name: str) -> Iterator[Element]:
    """A table's rows, or a row's cells: its own, also those in content controls, not those of tables within."""
    waiting = list(reversed(element))
    while waiting:
        child = waiting.pop()
        if local_name(child) == name:
            yield child
        elif local_name(child) in _WRAPPERS:
            waiting.extend(reversed(child))


def _heading_levels(archive: Archive, name: str) -> Mapping[str, int]:
    """Levels by style id. Ids are translated ("berschrift1" in a German Word), the names behind them are not."""
    levels = {f"Heading{level}": level for level in range(1, 7)} | {"Title": 1}
    based: dict[str, str] = {}
    data = archive.read(name)
    root = parse_xml(data) if data else None
    for style in root if root is not None else ():
        if local_name(style) != "style":
            continue
        said = {local_name(child): _value(child) for child in style}
        if match := _HEADING.match(said.get("name", "")):
            levels[_attribute(style, "styleId")] = int(match[1])
        elif said.get("name", "").lower() == "title":
            levels[_attribute(style, "styleId")] = 1
        elif "basedOn" in said:
            based[_attribute(style, "styleId")] = said["basedOn"]
    for style in based:
        above = style
        for _ in range(_MAX_BASES):
            above = based.get(above, above)
        if above in levels:
            levels.setdefault(style, levels[above])
    return levels


def _value(element: Element) -> str:
    return _attribute(element, "val")


def _attribute(element: Element, name: str) -> str:
    return next((str(value) for key, value in element.attrib.items() if str(key).rpartition("}")[2] == name), "")


def _core_properties(archive: Archive) -> Mapping[str, str]:
    data = archive.read("docProps/core.xml")
    root = parse_xml(data) if data else None
    return {local_name(child): one_line(child.text or "")[:1000] for child in root} if root is not None else {}

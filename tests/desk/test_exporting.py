"""A draft leaves: what is saved is read by the programs it is for, and by nothing that it was not meant for."""

import io
import json
import re
import shutil
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path
from uuid import uuid4

import docx
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.desk.hostile import hostile_draft
from tests.desk.watching import Watch
from tests.system.running import Running

PANDOC = shutil.which("pandoc")
AXE = Path(__file__).parents[2] / "writer/node_modules/axe-core/axe.min.js"
REFERENCES: list[dict[str, object]] = [
    {
        "id": "holm2024phones",
        "type": "post-weblog",
        "title": "Why long articles lose on phones",
        "author": [{"literal": "Ida Holm"}],
        "issued": {"date-parts": [[2024, 1, 16]]},
        "accessed": {"date-parts": [[2026, 11, 2]]},
        "URL": "https://lantern.example/phones",
        "container-title": "lantern.example",
        "custom": {"extrophi": {"document_id": "0190", "platform": "web", "part": None, "spans": []}},
    },
    {
        "id": "tanaka2023",
        "type": "motion_picture",
        "title": "読書の時間 🪶 *and* {braces",
        "author": [{"literal": "田中チャンネル"}],
        "publisher": "YouTube",
        "URL": "https://www.youtube.com/watch?v=abc",
    },
    {"id": "uncited1999", "type": "book", "title": "Nobody cites this"},
]
TEXT = """# What phones do

Long articles lose [@holm2024phones, para. 3], as *one* sees [@tanaka2023, at 12:34; @holm2024phones].[^own]

![A heron](images/{image})

| Left | Right |
|:-----|------:|
| a    | b     |

مرحبا بالعالم

Nobody says so [@nobody2020].

[^own]: The writer's own note.
"""


def png(width: int, height: int) -> bytes:
    def part(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + b"\x33\x66\x99" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


def make_draft(extrophi: Running, text: str, references: list[dict[str, object]]) -> str:
    id = str(uuid4())  # noqa: A001  the contract's name
    draft = {"id": id, "text": text, "bibliography": references, "settings": {}}
    answer = extrophi.client.post("/api/drafts", json=draft)
    assert answer.status_code < 300, answer.text
    return id


def make_full_draft(extrophi: Running) -> str:
    id = make_draft(extrophi, "", REFERENCES)  # noqa: A001
    image = extrophi.client.post(
        f"/api/drafts/{id}/images", content=png(80, 40), headers={"Content-Type": "image/png"}
    ).json()["name"]
    head = extrophi.client.get(f"/api/drafts/{id}")
    changed = {"text": TEXT.replace("{image}", image), "bibliography": REFERENCES, "settings": {}}
    answer = extrophi.client.put(f"/api/drafts/{id}", json=changed, headers={"If-Match": head.headers["etag"]})
    assert answer.status_code < 300, answer.text
    return id


def open_export(page: Page, id: str) -> Locator:  # noqa: A002
    page.goto(f"/#/drafts/{id}")
    expect(page.get_by_role("textbox", name="Draft")).to_be_visible()
    page.keyboard.press("Control+Shift+x")
    dialog = page.get_by_role("dialog", name="Export")
    expect(dialog.get_by_role("button", name="Save")).to_be_visible()
    return dialog


def save(page: Page, id: str, format_name: str) -> tuple[str, bytes]:  # noqa: A002
    dialog = open_export(page, id)
    dialog.get_by_role("radio", name=re.compile(f"^{format_name} ")).check()
    expect(dialog.get_by_role("button", name="Save")).to_be_enabled()
    with page.expect_download() as saving:
        dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    return saving.value.suggested_filename, saving.value.path().read_bytes()


def pandoc(text: str, *arguments: str) -> str:
    if not PANDOC:
        pytest.skip("pandoc is not here")
    run = subprocess.run([PANDOC, *arguments], input=text, capture_output=True, text=True, check=True, timeout=60)
    assert run.stderr == ""
    return run.stdout


@pytest.fixture(scope="module")
def draft(extrophi: Running) -> str:
    return make_full_draft(extrophi)


def test_the_dialog_says_what_is_amiss_and_shows_the_bibliography(page: Page, draft: str) -> None:
    dialog = open_export(page, draft)
    expect(dialog.get_by_text("@nobody2020")).to_be_visible()
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    expect(dialog.get_by_text("2 works cited")).to_be_visible()
    dialog.get_by_role("radio", name=re.compile(r"^BibTeX ")).check()
    expect(dialog.get_by_text("Will be saved as What phones do.bib")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    dialog = open_export(page, draft)
    expect(dialog.get_by_role("radio", name=re.compile(r"^BibTeX "))).to_be_focused()


def test_word_reads_the_draft_with_its_footnotes_and_images(page: Page, draft: str) -> None:
    name, content = save(page, draft, "Word")
    assert name == "What phones do.docx"
    document = docx.Document(io.BytesIO(content))
    styles = {paragraph.text: paragraph.style.name for paragraph in document.paragraphs if paragraph.style}
    assert styles["What phones do"] == "Heading 1"
    assert styles["Bibliography"] == "Heading 2"
    assert [style for style in styles.values() if style == "Bibliography"]
    assert [cell.text for row in document.tables[0].rows for cell in row.cells] == ["Left", "Right", "a", "b"]
    assert len(document.inline_shapes) == 1
    assert document.core_properties.title == "What phones do"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        notes = re.sub(r"<[^>]+>", "", archive.read("word/footnotes.xml").decode())
    assert "Ida Holm, “Why long articles lose on phones”, lantern.example, January 16, 2024, para. 3" in notes
    assert "The writer's own note." in notes.replace("&apos;", "'")


def test_markdown_is_what_pandoc_and_a_person_read(page: Page, draft: str) -> None:
    name, content = save(page, draft, "Markdown Citations")
    assert name == "What phones do.zip"  # it has an image
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = archive.read("What phones do.md").decode()
        [image] = [file for file in archive.namelist() if file.startswith("images/")]
        assert archive.read(image).startswith(b"\x89PNG")
    assert text.startswith("# What phones do\n\nLong articles lose,[^1] as *one* sees.[^2][^own]\n")
    assert f"![A heron]({image})" in text
    tree = json.loads(pandoc(text, "-f", "markdown-citations", "-t", "json"))
    assert json.dumps(tree).count('"t": "Note"') == 3
    assert "読書の時間 🪶 *and* {braces" in pandoc(text, "-t", "plain", "--wrap=none")


def test_pandoc_makes_the_bibliography_from_what_is_beside_the_text(page: Page, draft: str, tmp_path: Path) -> None:
    _, content = save(page, draft, "Markdown for Pandoc")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path)
    text = (tmp_path / "What phones do.md").read_text()
    assert "[@holm2024phones, para. 3]" in text
    kept = json.loads((tmp_path / "What phones do.json").read_text())
    assert [reference["id"] for reference in kept] == ["holm2024phones", "tanaka2023"]
    assert kept[0]["custom"]["extrophi"]["document_id"] == "0190"
    if not PANDOC:
        pytest.skip("pandoc is not here")
    title = "What phones do"
    plain = subprocess.run(
        [PANDOC, "--citeproc", "--bibliography", f"{title}.json", f"{title}.md", "-t", "plain", "--wrap=none"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        timeout=60,
    ).stdout
    assert "Ida Holm. 2024. “Why Long Articles Lose on Phones.”" in plain


def test_bibtex_is_read_by_another_program_as_it_was_meant(page: Page, draft: str) -> None:
    name, content = save(page, draft, "BibTeX")
    assert name.endswith(".bib")
    read = {item["id"]: item for item in json.loads(pandoc(content.decode(), "-f", "biblatex", "-t", "csljson"))}
    assert set(read) == {"holm2024phones", "tanaka2023"}
    video = read["tanaka2023"]
    assert (video["type"], video["title"]) == ("motion_picture", "読書の時間 🪶 *and* {braces")
    assert video["author"] == [{"literal": "田中チャンネル"}]
    assert read["holm2024phones"]["accessed"] == {"date-parts": [[2026, 11, 2]]}


def test_the_bibliography_alone_leaves_as_ris_and_csl_json(page: Page, draft: str) -> None:
    _, ris = save(page, draft, "RIS")
    assert re.findall(r"^TY  - (.*)\r$", ris.decode(), re.MULTILINE) == ["BLOG", "VIDEO"]
    dialog = open_export(page, draft)
    dialog.get_by_role("radio", name=re.compile("^CSL-JSON ")).check()
    dialog.get_by_role("checkbox").uncheck()
    with page.expect_download() as saving:
        dialog.get_by_role("button", name="Save").click()
    items = json.loads(saving.value.path().read_text())
    assert [item["type"] for item in items] == ["post-weblog", "motion_picture"]
    assert "custom" not in items[0]


def test_a_page_holds_all_it_shows(page: Page, draft: str, tmp_path: Path) -> None:
    name, content = save(page, draft, "Web page")
    saved = tmp_path / name
    saved.write_bytes(content)
    page.goto(saved.as_uri())
    expect(page).to_have_title("What phones do")
    image = page.get_by_role("img", name="A heron")
    assert image.evaluate("image => image.complete && image.naturalWidth") == 80
    assert inaccessible(page) == []
    arabic = page.get_by_text("مرحبا بالعالم")
    assert arabic.evaluate("one => getComputedStyle(one).direction") == "rtl"
    page.get_by_role("link", name="2", exact=True).click()
    expect(page.locator("#note-2")).to_contain_text("at 12:34")
    page.locator("#note-2").get_by_role("link", name="Back to the text").click()
    assert page.url.endswith("#mark-2")


def test_nothing_in_a_page_runs_or_asks_whatever_was_written_or_collected(
    page: Page, context: BrowserContext, watch: Watch, extrophi: Running, tmp_path: Path
) -> None:
    watch.expects_failures = True  # images that the draft has not
    text, references = hostile_draft()
    _, content = save(page, make_draft(extrophi, text, references), "Web page")
    saved = tmp_path / "hostile.html"
    saved.write_bytes(content)
    asked: list[str] = []
    opened = context.new_page()
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("dialog", lambda dialog: asked.append(dialog.message))
    opened.goto(saved.as_uri())
    opened.wait_for_load_state("networkidle")
    # What only waits for a hand: every link and every part is touched.
    for element in opened.locator("main [id], main a").all()[:40]:
        element.hover(force=True, timeout=2_000)
    assert opened.evaluate("window.ran") is None
    assert opened.locator("script, iframe, object, embed, form, svg, math, base, [style]").count() == 0
    names = opened.evaluate("[...document.querySelectorAll('*')].flatMap((one) => one.getAttributeNames())")
    assert [name for name in names if name.startswith("on")] == []
    addresses = opened.evaluate("[...document.querySelectorAll('[href]')].map((one) => one.getAttribute('href'))")
    assert [address for address in addresses if not re.match(r"https?://|#", address)] == []
    assert [url for url in asked if not url.startswith("file:")] == []


def test_an_empty_draft_and_one_without_citations_say_so(page: Page, extrophi: Running) -> None:
    dialog = open_export(page, make_draft(extrophi, "", []))
    expect(dialog.get_by_text("The draft is empty.")).to_be_visible()
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    page.keyboard.press("Escape")
    dialog = open_export(page, make_draft(extrophi, "No citations here.", []))
    dialog.get_by_role("radio", name=re.compile("^RIS ")).check()
    expect(dialog.get_by_text("The draft cites nothing yet.")).to_be_visible()
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()


def inaccessible(page: Page) -> list[str]:
    """What axe finds; nothing where it is not installed, as on a machine without Node."""
    if not AXE.exists():
        return []
    page.evaluate(AXE.read_text())
    return page.evaluate("axe.run().then(({ violations }) => violations.map(({ id, help }) => `${id}: ${help}`))")


def test_the_dialog_is_for_everybody_in_both_themes_and_on_a_phone(page: Page, draft: str) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": 360 if scheme == "dark" else 1280, "height": 780})
        dialog = open_export(page, draft)
        expect(dialog.get_by_role("listitem")).to_have_count(2)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert inaccessible(page) == []
        page.keyboard.press("Escape")

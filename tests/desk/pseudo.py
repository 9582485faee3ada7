"""Another language for the Writer, made of its English: every letter of it is one that no English word has.

It is added as any language is: one more file of texts and a line in `LANGUAGES` (writer/README.md), in a build of its
own.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import BrowserContext, Error, Page, Response, Route

from tests.system.running import REPO

WRITER = REPO / "writer"
NODE = shutil.which("node")
LANGUAGE = "ar"
"""A language that is read from right to left."""
NO_BODY = 304
_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_OTHER = "άϐςδεφγήίϳκλμνόπϟρστύωϖχψζΆΒϹΔΕΦΓΗΙͿΚΛΜΝΟΠϘΡΣΤΥΩϢΧΨΖ"
_LETTERS = str.maketrans(dict(zip(_PLAIN, _OTHER, strict=True)))
_DUMP = """
import { readFileSync } from "node:fs";
import { transformWithEsbuild } from "vite";
const { code } = await transformWithEsbuild(readFileSync("src/lib/text/en.ts", "utf8"), "en.ts");
const { default: texts } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
console.log(JSON.stringify(texts));
"""
_BUILD = """
import { readFileSync } from "node:fs";
import { build } from "vite";
const [file, outDir, language] = process.argv.slice(2);
const another = {
    name: "another-language",
    enforce: "pre",
    resolveId: (id) => (id === "virtual:another" ? id : undefined),
    load: (id) => (id === "virtual:another" ? `export default ${readFileSync(file, "utf8")}` : undefined),
    transform(code, id) {
        if (!id.endsWith("/text/index.ts")) return;
        const line = `${language}: { name: "Another", load: async () => (await import("virtual:another")).default },`;
        const added = code.replace(/LANGUAGES: [^=]*=> [^=]*= {/, (found) => `${found} ${line}`);
        if (added === code) throw new Error("no place for another language");
        return added;
    },
};
await build({ plugins: [another], build: { outDir, minify: false }, logLevel: "warn" });
"""
_LEFT = r"""(told) => {
    const found = [];
    // Addresses, names of settings and of products are nobody's language.
    const isWords = (text) => /[A-Za-z]{2,}/.test(
        text.replace(/\S*(?:[:@/_]|\.[a-z])\S*|Reddit|YouTube|PostgreSQL|pgvector|ChromaDB/g, ""));
    const isEnglish = (text) => isWords(text) && isWords(told.reduce((left, one) => left.replaceAll(one, " "), text));
    // What is no text of ours: commands to type, keys, the draft, originals.
    const others = "kbd, code, pre, bdi, .cm-content, iframe, body [lang]";
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const element = node instanceof Element ? node : node.parentElement;
        if (!element.checkVisibility() || element.closest(others)) continue;
        if (node instanceof Text) { if (isEnglish(node.data)) found.push(node.data.trim()); continue; }
        for (const name of ["aria-label", "title", "placeholder", "alt", "aria-valuetext", "aria-description"]) {
            const text = node.getAttribute(name);
            if (text && isEnglish(text)) found.push(`${name}: ${text}`);
        }
    }
    return found;
}"""


def pseudo(text: str) -> str:
    return text.translate(_LETTERS)


_CODES = {"code", "kind", "platform", "purpose", "state", "status", "type"}
"""What the server says for programs: it must not come to the page as it is."""


class Told:
    """What the server says in its own words: titles, why something failed, what an account is for."""

    def __init__(self, page: Page) -> None:
        self._responses: list[Response] = []
        page.on("response", self._came)
        self._texts: set[str] = set()

    def _came(self, response: Response) -> None:
        self._responses.append(response)

    def texts(self) -> list[str]:
        """The longest first."""
        while self._responses:
            response = self._responses.pop()
            if "json" in response.headers.get("content-type", "") and response.status != NO_BODY:
                with suppress(Error):  # the page has moved on, and its answer is gone
                    self._take(response.json())
        return sorted(self._texts, key=len, reverse=True)

    def _take(self, value: Any, name: str = "") -> None:
        if isinstance(value, dict):
            for key, one in value.items():  # pyright: ignore[reportUnknownVariableType]
                self._take(one, str(key))  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(value, list):
            for one in value:  # pyright: ignore[reportUnknownVariableType]
                self._take(one, name)
        elif isinstance(value, str) and name not in _CODES and len(value) > 1:
            self._texts.add(value)
            # Hints are shown with their commands apart.
            self._texts |= {part.strip() for part in value.split("`") if len(part.strip()) > 1}


def english_left(page: Page, told: Told) -> list[str]:
    """Texts of the page, and names of its parts, that are English still."""
    return page.evaluate(_LEFT, told.texts())


@contextmanager
def build() -> Iterator[Path]:
    """A build of the Writer that has the language."""
    assert NODE
    dumped = subprocess.run(
        [NODE, "--input-type=module", "-"],
        input=_DUMP,
        cwd=WRITER,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    with TemporaryDirectory(prefix="xt-") as folder:
        texts, web = Path(folder) / "texts.json", Path(folder) / "web"
        texts.write_text(json.dumps(_translated(json.loads(dumped.stdout)), ensure_ascii=False), encoding="utf-8")
        subprocess.run(
            [NODE, "--input-type=module", "-", str(texts), str(web), LANGUAGE],
            input=_BUILD,
            cwd=WRITER,
            check=True,
            text=True,
            capture_output=True,
            timeout=240,
        )
        yield web


def _translated(texts: Any) -> Any:
    if isinstance(texts, dict):
        return {name: _translated(text) for name, text in texts.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(texts, list):
        return [_translated(text) for text in texts]  # pyright: ignore[reportUnknownVariableType]
    return pseudo(texts)


def serve(context: BrowserContext, web: Path) -> None:
    """Have pages of the context get that build, under the policy that Extrophi sends with its own."""

    def index(route: Route) -> None:
        ours = route.fetch()
        nonce = re.search(r'name="csp-nonce" content="([^"]+)"', ours.text())
        assert nonce
        text = (web / "index.html").read_text(encoding="utf-8")
        route.fulfill(response=ours, body=re.sub(r'name="csp-nonce" content="[^"]*"', nonce[0], text))

    def asset(route: Route) -> None:
        route.fulfill(path=web / "assets" / route.request.url.rpartition("/")[2])

    context.route(re.compile(r"^https?://[^/]+/$"), index)
    context.route("**/assets/*", asset)

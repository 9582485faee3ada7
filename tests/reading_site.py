"""The web site of the reading group of examples/reading, on loopback: five of its notes, and a page that lists them."""

import re
from html import escape

from tests.system.running import REPO
from tests.web_server import Reply, WebServer, sitemap

NOTES = sorted((REPO / "examples" / "reading").glob("0[1-5]*.md"))


def fill(server: WebServer) -> None:
    """Give a running server its pages: `/`, which links to the notes, `/sitemap.xml`, and the notes."""
    notes: dict[str, Reply] = {}
    for file in NOTES:
        head, _, text = file.read_text(encoding="utf-8").removeprefix("---\n").partition("\n---\n")
        facts = dict(line.split(": ", 1) for line in head.splitlines())
        notes[f"/{file.stem[3:]}"] = note(facts["title"], facts["author"], facts["date"], text)
    links = "".join(f"<li><a href='{path}'>{path.strip('/').replace('-', ' ')}</a></li>" for path in notes)
    front = f"<!doctype html><title>Lantern Street</title><h1>Lantern Street reading group</h1><ul>{links}</ul>"
    listed = sitemap(*(server.url(path) for path in notes))
    server.pages |= {"/": Reply(front), "/sitemap.xml": listed, **notes}


def note(title: str, author: str, date: str, text: str) -> Reply:
    body = ""
    for block in re.split(r"\n{2,}", text.strip()):
        level = len(block) - len(block.lstrip("#"))
        inner = escape(block.lstrip("# ").replace("\n", " "))
        body += f"<h{level}>{inner}</h{level}>" if level else f"<p>{inner}</p>"
    return Reply(
        f"<!doctype html><html lang=en><head><title>{title}</title><meta name=author content='{author}'>"
        f"<meta property='article:published_time' content='{date}'>"
        f"</head><body><main><article>{body}</article></main></body></html>"
    )

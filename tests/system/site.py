"""A web site on loopback: articles, each with a word that no other has, and a sitemap that lists them."""

import time
from collections.abc import Callable
from hashlib import sha256

from tests.web_server import Reply, WebServer, article, sitemap

WORDS = tuple(
    "river stone lantern harbour winter engine paper signal garden copper window letter market bridge orchard "
    "thunder ribbon compass ladder meadow anchor velvet kitchen sparrow granite whistle canvas pepper island".split()
)


def story(number: int) -> Reply:
    """Page `number`: paragraphs that no other page has, and the word that only it has."""
    paragraphs: list[str] = []
    for part in range(4):
        digest = sha256(f"{number}/{part}".encode()).digest()
        sentence = " ".join(WORDS[byte % len(WORDS)] for byte in digest)
        paragraphs.append(f"In part {part} of story {marker(number)} the {sentence}. It ended by the {sentence[::-1]}.")
    return article(f"Story {number}", *paragraphs)


def marker(number: int) -> str:
    return "zq" + "".join(chr(ord("a") + int(digit)) for digit in f"{number:05}")


def fill(server: WebServer, pages: int, *, delay: float = 0.0) -> list[str]:
    """Give a running server its stories and `/sitemap.xml`. Returns their addresses, sorted.

    `delay` seconds pass before each story is sent, so that there is a middle of a job to strike in.
    """

    def slowly(number: int) -> Callable[[WebServer], Reply]:
        def page(_: WebServer) -> Reply:
            time.sleep(delay)
            return story(number)

        return page

    server.pages |= {f"/story/{number}": slowly(number) for number in range(pages)}
    urls = sorted(server.url(f"/story/{number}") for number in range(pages))
    server.pages["/sitemap.xml"] = sitemap(*urls)
    return urls

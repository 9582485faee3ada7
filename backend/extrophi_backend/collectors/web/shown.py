"""A page as its reader sees it: how much it says, about what, and what there is to fill in."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from extrophi_backend.extraction.html_parts import Part, parts_of
from extrophi_backend.extraction.tree import Element, local_name

ARTICLE = 2_000
"""Letters. Who has so many to say has an article."""
NOTE = 700
"""Letters. What says no more may be about itself as a whole."""
LINE = 200
"""Letters that stand around anything: a name, a slogan, a copyright line."""
STATEMENT = 240
"""Characters of a paragraph that says one thing."""
_MOST_NODES = 500

_WIDGET = re.compile(
    r"g-recaptcha|h-captcha|cf-turnstile|hcaptcha\.com|recaptcha/(?:api2|enterprise)/(?:anchor|bframe)|arkoselabs|geetest|"
    r"challenges\.cloudflare\.com|smart-?captcha",
    re.IGNORECASE,
)
_SAYS_ARTICLE = re.compile(
    rb"""<article[\s>]|article:published_time|"@type"\s*:\s*\[?\s*"(?:\w*Article|\w*Posting|Report)"|"""
    rb"""property=["']?og:type["']?\s+content=["']?article""",
    re.IGNORECASE,
)
_ROOTS = frozenset({
    "root", "app", "__next", "__nuxt", "___gatsby", "react-root", "main-app", "application", "app-root", "svelte",
    "ember-app", "mount", "approot", "reactroot", "ytd-app",
})  # fmt: skip
"""Ids and names of elements that frameworks fill."""
_TYPED = frozenset({"", "text", "email", "tel", "url", "search"})
_TITLE_PARTS = re.compile(r"\s+[|\-–—·•»«/]+\s+|\s*[|·•»«]\s*")


@dataclass
class Shown:
    status: int
    body: bytes
    text: str
    asked: str
    final: str
    root: Element | None

    @cached_property
    def parts(self) -> list[Part]:
        """All that a reader sees, what stands around an article included."""
        return parts_of(self.root) if self.root is not None else []

    @cached_property
    def seen(self) -> int:
        return sum(letters(part.text) for part in self.parts)

    @cached_property
    def said(self) -> int:
        """How much is said in sentences: menus and lists of links say nothing."""
        return sum(letters(part.text) for part in self.parts if part.linked < 0.5)

    @cached_property
    def titles(self) -> list[str]:
        """The title's parts and the main headings, each a candidate for what the page says that it is."""
        written = [
            " ".join("".join(element.itertext()).split())
            for name in ("title", "h1")
            for element in (self.root.iter(name) if self.root is not None else ())
        ]
        parts = [part.strip() for title in written[:4] for part in (title, *_TITLE_PARTS.split(title))]
        return [part for part in parts if part]

    @cached_property
    def says_article(self) -> bool:
        return bool(_SAYS_ARTICLE.search(self.body))

    @cached_property
    def noscript(self) -> str:
        elements = self.root.iter("noscript") if self.root is not None else ()
        return " ".join(" ".join("".join(element.itertext()).split()) for element in elements)

    def titled(self, pattern: re.Pattern[str]) -> bool:
        return any(pattern.search(title) for title in self.titles)

    def says(self, pattern: re.Pattern[str]) -> bool:
        return any(pattern.search(part.text) for part in self.parts)

    def rest(self, *patterns: re.Pattern[str]) -> int:
        """Letters of sentences that say nothing of the kind."""
        return sum(
            letters(part.text)
            for part in self.parts
            if part.linked < 0.5 and part.kind != "heading" and not any(one.search(part.text) for one in patterns)
        )

    def states(self, pattern: re.Pattern[str]) -> bool:
        """It says so in a line of its own: not in the middle of a paragraph about something else."""
        return any(
            len(part.text) <= STATEMENT and part.linked < 0.5 and pattern.search(part.text) for part in self.parts
        )

    def elements(self, name: str) -> Iterable[Element]:
        return self.root.iter(name) if self.root is not None else ()

    def has(self, *names: str) -> bool:
        return any(next(iter(self.elements(name)), None) is not None for name in names)

    @cached_property
    def has_scripts(self) -> bool:
        return any("ld+json" not in script.get("type", "") for script in self.elements("script"))

    @cached_property
    def asks_password(self) -> bool:
        return any(element.get("type", "").lower() == "password" for element in self.elements("input"))

    @cached_property
    def is_form(self) -> bool:
        """There is something to fill in: a form with a captcha below it, say."""
        typed = (element.get("type", "").lower() in _TYPED | {"password"} for element in self.elements("input"))
        return any(typed) or self.has("textarea")

    @cached_property
    def has_widget(self) -> bool:
        """A captcha to be solved. Its script alone, which only counts in the background, is on half of all pages."""
        return any(
            _WIDGET.search(f"{element.get('class', '')} {element.get('id', '')} {element.get('src', '')}")
            and element.get("data-size", "") != "invisible"
            for name in ("div", "iframe", "form", "section")
            for element in self.elements(name)
        )

    @cached_property
    def has_empty_root(self) -> bool:
        """The element that a framework fills is there, and holds next to nothing."""
        return any(
            (element.get("id", "").lower() in _ROOTS or local_name(element) in _ROOTS)
            and sum(letters(part.text) for part in parts_of(element)) < LINE // 5
            for element in self.elements("*")
        )

    @property
    def is_carried(self) -> bool:
        """Its text is not shown, but carried along for search engines."""
        return letters(self.text) >= 500 and letters(self.text) > 2 * self.seen

    @cached_property
    def is_locked(self) -> bool:
        """It says of itself, for search engines, that not all may read it."""
        return any(str(node.get("isAccessibleForFree", "")).lower() == "false" for node in self._linked_data())

    def labels(self) -> Iterable[str]:
        """Of its buttons."""
        for element in self.elements("*"):
            name = local_name(element)
            if name == "input" and element.get("type", "").lower() in {"submit", "button"}:
                yield element.get("value", "").strip()
            elif name == "button" or element.get("role", "") == "button":
                yield " ".join("".join(element.itertext()).split())

    def _linked_data(self) -> Iterator[dict[str, Any]]:
        for script in self.elements("script"):
            if "ld+json" not in script.get("type", ""):
                continue
            try:
                waiting: list[Any] = [json.loads(script.text or "", strict=False)]
            except (ValueError, RecursionError):
                continue
            for _ in range(_MOST_NODES):
                if not waiting:
                    break
                found = waiting.pop()
                if isinstance(found, list):
                    waiting.extend(cast("list[Any]", found)[:_MOST_NODES])
                elif isinstance(found, dict):
                    node = cast("dict[str, Any]", found)
                    yield node
                    waiting.extend(node[key] for key in ("@graph", "mainEntity", "hasPart") if key in node)


def letters(text: str) -> int:
    """Characters; an ideograph counts as the three that a word's syllable takes elsewhere."""
    return len(text) + 2 * sum(1 for character in text if character >= "\u2e80")

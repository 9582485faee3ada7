"""Pages that stand in an article's place: a captcha, a login, a cookie wall, an empty shell, "not found" with a 200.

Such a page is short, and is about itself. A page with an article's worth of text is therefore never one, whatever it
says: what is asked first is how much there is to read. Then what only such pages have (the script of a challenge, a
redirect to a login) counts alone, while words count only where little else is said: an article may be about captchas.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from extrophi_backend.collectors.web import block_words as words
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.html import parse_page
from extrophi_backend.extraction.html_parts import Part, parts_of
from extrophi_backend.extraction.tree import Element, local_name

Code = Literal["captcha", "login_needed", "cookie_wall", "javascript_needed", "soft_404", "rate_limited"]


@dataclass(frozen=True, slots=True)
class Block:
    """`code` is for programs, `detail` a sentence for people."""

    code: Code
    detail: str


CAPTCHA = Block("captcha", "The site asks whether a person is there (a captcha or browser check) instead of answering.")
LOGIN_NEEDED = Block("login_needed", "The site shows this page only to those who are logged in.")
COOKIE_WALL = Block("cookie_wall", "The site asks for consent to cookies before it shows the page.")
JAVASCRIPT_NEEDED = Block("javascript_needed", "The page has no text until a browser runs its JavaScript.")
SOFT_404 = Block("soft_404", "The site says that there is no such page, although it did not answer 404.")
RATE_LIMITED = Block("rate_limited", "The site says that it is asked too often. Collect it again later.")

_ARTICLE = 2_000
"""Letters. Who has so many to say has an article."""
_NOTE = 700
"""Letters. What says no more may be about itself as a whole."""
_LINE = 200
"""Letters that stand around anything: a name, a slogan, a copyright line."""

_CHALLENGE_MARKUP = re.compile(
    rb"_cf_chl_opt|/cdn-cgi/challenge-platform/h/|id=[\"']?(?:challenge-(?:form|stage|error-text|running)|px-captcha|anubis_)"
    rb"|(?:geo|ct|interstitial)\.captcha-delivery\.com|/\.well-known/sgcaptcha|Incapsula incident ID"
    rb"|ddos-guard/check|/\.within\.website/x/cmd/anubis|gokuProps|distil_r_captcha|validate\.perfdrive\.com",
    re.IGNORECASE,
)
_CAPTCHA_WIDGET = re.compile(
    rb"g-recaptcha|h-captcha|cf-turnstile|hcaptcha\.com|google\.com/recaptcha|recaptcha\.net|arkoselabs\.com|geetest|"
    rb"challenges\.cloudflare\.com|smartcaptcha",
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


def blocked(*, status: int, body: bytes, media_type: str, text: str, asked: str, final: str) -> Block | None:
    """What kind of page it is, if it is no article.

    Args:
        status: The answer's.
        body: The page as sent.
        media_type: As declared, for its charset.
        text: What was taken for the article in it; empty if nothing was.
        asked: The address asked for.
        final: The address that answered, after redirects.
    """
    if status == 429:
        return RATE_LIMITED
    if _letters(text) >= _ARTICLE:
        return None
    try:
        root = parse_page(body, media_type)
    except ExtractionFailed:
        root = None
    page = _Page(status, body, text, asked, final, root)
    if status in {404, 410} or status >= 500:
        # Gone is gone and broken is broken, whatever the page offers; a challenge alone may come in any status.
        return CAPTCHA if _is_challenge(page) else None
    for is_one, block in _RULES:
        if is_one(page) and (status < 400 or block not in {SOFT_404, JAVASCRIPT_NEEDED}):
            return block
    return None


@dataclass
class _Page:
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
        return sum(_letters(part.text) for part in self.parts)

    @cached_property
    def said(self) -> int:
        """How much is said in sentences: menus and lists of links say nothing."""
        return sum(_letters(part.text) for part in self.parts if part.linked < 0.5)

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
            _letters(part.text)
            for part in self.parts
            if part.linked < 0.5 and part.kind != "heading" and not any(one.search(part.text) for one in patterns)
        )

    def elements(self, name: str) -> Iterable[Element]:
        return self.root.iter(name) if self.root is not None else ()


def _is_rate_limit(page: _Page) -> bool:
    return page.titled(words.RATE) and page.said < _NOTE and not page.says_article


def _is_challenge(page: _Page) -> bool:
    if page.said >= _NOTE * 2:
        return False
    if _CHALLENGE_MARKUP.search(page.body) and _letters(page.text) < _NOTE and not page.says_article:
        return True
    if page.says_article or page.said >= _NOTE:
        return False
    says = page.says(words.CHALLENGE) or bool(words.CHALLENGE.search(page.noscript))
    titled = page.titled(words.CHALLENGE_TITLE)
    widget = bool(_CAPTCHA_WIDGET.search(page.body))
    bare = page.said < _NOTE // 2 and (_has_scripts(page) or any(page.elements("form")))
    certain = widget or page.status >= 400 or bare
    return (says and (titled or certain)) or (titled and certain) or (widget and page.said < _LINE and not _typed(page))


def _is_login(page: _Page) -> bool:
    little = _letters(page.text) < _NOTE
    if _led_to(words.LOGIN_PATH, page) and (little or _asks_password(page)):
        return True
    if page.status == 401 and (_asks_password(page) or page.titled(words.LOGIN_TITLE) or page.says(words.LOGIN)):
        return True
    says, titled = page.says(words.LOGIN), page.titled(words.LOGIN_TITLE)
    rest = page.rest(words.LOGIN)
    if titled and rest < _NOTE:
        return says or _asks_password(page) or not page.says_article
    alone = little and rest < _LINE  # a forum has a field for the password above every thread
    return (alone and (says or (_asks_password(page) and not page.says_article))) or (
        says and little and rest < _NOTE and _locked(page)
    )


def _is_cookie_wall(page: _Page) -> bool:
    split = urlsplit(page.final)
    elsewhere = split.hostname != urlsplit(page.asked).hostname
    if elsewhere and words.CONSENT_HOST.search(split.hostname or ""):
        return True
    if words.CONSENT_PATH.search(split.path) and not words.CONSENT_PATH.search(urlsplit(page.asked).path):
        return True
    about = sum(_letters(part.text) for part in page.parts if words.COOKIE.search(part.text))
    rest = page.rest(words.COOKIE, words.ACCEPT)
    taken = [_letters(one) for one in page.text.split("\n\n") if one]
    taken_about = [_letters(one) for one in page.text.split("\n\n") if words.COOKIE.search(one)]
    if page.titled(words.COOKIE_TITLE) and about and rest < _NOTE // 2:
        return True
    return (
        about >= 80
        and rest < _LINE
        and sum(taken_about) >= 0.7 * sum(taken)  # else it is a short text below a banner
        and not page.says_article
        and any(words.ACCEPT.search(label) for label in _labels(page))
    )


def _is_missing(page: _Page) -> bool:
    if words.MISSING_PATH.search(urlsplit(page.final).path) and page.final != page.asked:
        return True
    if _led_home(page):
        return True
    if page.says_article:
        return False
    says, rest = page.says(words.MISSING), page.rest(words.MISSING)
    if page.titled(words.MISSING_TITLE) and (says or rest < _NOTE):
        return True
    return says and rest < _LINE and page.said < 2 * _LINE


def _is_shell(page: _Page) -> bool:
    """Empty but for scripts, or for the request to run them."""
    if not _has_scripts(page):
        return bool(words.JAVASCRIPT.search(page.noscript)) and page.said < 40
    rest = page.rest(words.JAVASCRIPT, words.WAITING, words.COOKIE)
    if page.says(words.JAVASCRIPT) and rest < _LINE and not page.says_article:
        return True
    if _has_empty_root(page) and rest < _LINE:
        return True
    # Comments alone may need it: "Please enable JavaScript to view the comments".
    return rest < _LINE // 5 and (bool(words.JAVASCRIPT.search(page.noscript)) or page.seen < _LINE // 10)


_RULES: tuple[tuple[Callable[[_Page], bool], Block], ...] = (
    (_is_rate_limit, RATE_LIMITED),
    (_is_challenge, CAPTCHA),
    (_is_missing, SOFT_404),
    (_is_login, LOGIN_NEEDED),
    (_is_cookie_wall, COOKIE_WALL),
    (_is_shell, JAVASCRIPT_NEEDED),
)


def _letters(text: str) -> int:
    """Characters; an ideograph counts as the three that a word's syllable takes elsewhere."""
    return len(text) + 2 * sum(1 for character in text if character >= "\u2e80")


def _led_to(pattern: re.Pattern[str], page: _Page) -> bool:
    final, asked = urlsplit(page.final), urlsplit(page.asked)
    moved = (final.hostname, final.path) != (asked.hostname, asked.path)
    return moved and bool(pattern.search(final.path)) and not pattern.search(asked.path)


def _led_home(page: _Page) -> bool:
    """A long address that leads to the same site's front page: how many sites say that it is gone."""
    final, asked = urlsplit(page.final), urlsplit(page.asked)
    same = _site(final.hostname) == _site(asked.hostname)
    last = asked.path.rstrip("/").rpartition("/")[2]
    deep = len(last) >= 15 and last.count("-") + last.count("_") >= 2
    return same and deep and final.path in {"", "/"} and not final.query and not final.fragment


def _site(hostname: str | None) -> str:
    return (hostname or "").lower().removeprefix("www.")


def _has_scripts(page: _Page) -> bool:
    return any(script.get("type", "") != "application/ld+json" for script in page.elements("script"))


def _has_empty_root(page: _Page) -> bool:
    """The element that a framework fills is there, and holds next to nothing."""
    return any(
        (element.get("id", "").lower() in _ROOTS or local_name(element) in _ROOTS)
        and sum(_letters(part.text) for part in parts_of(element)) < _LINE // 5
        for element in page.elements("*")
    )


def _typed(page: _Page) -> bool:
    """There is something to fill in: a form with a captcha below it, say."""
    inputs = any(element.get("type", "").lower() in _TYPED | {"password"} for element in page.elements("input"))
    return inputs or any(page.elements("textarea"))


def _asks_password(page: _Page) -> bool:
    return any(element.get("type", "").lower() == "password" for element in page.elements("input"))


def _labels(page: _Page) -> Iterable[str]:
    for element in page.elements("*"):
        name = local_name(element)
        if name == "input" and element.get("type", "").lower() in {"submit", "button"}:
            yield element.get("value", "").strip()
        elif name == "button" or element.get("role", "") == "button":
            yield " ".join("".join(element.itertext()).split())


def _locked(page: _Page) -> bool:
    """It says of itself, for search engines, that not all may read it."""
    for script in page.elements("script"):
        if script.get("type", "") != "application/ld+json":
            continue
        try:
            said: Any = json.loads(script.text or "")
        except (ValueError, RecursionError):
            continue
        for item in cast("list[Any]", said) if isinstance(said, list) else [said]:
            if isinstance(item, dict):
                free = cast("dict[str, Any]", item).get("isAccessibleForFree")
                if free is False or str(free).lower() == "false":
                    return True
    return False

"""Pages that stand in an article's place: a captcha, a login, a cookie wall, an empty shell, "not found" with a 200.

Such a page is short, and is about itself. A page with an article's worth of text is therefore none, whatever it says,
unless the site led there by a redirect: to a login, a consent host, its front page. Of the rest, what only such pages
have (the script of a challenge) counts where little is said, and words count only where next to nothing else is: an
article may be about captchas. Seeing a wall where there is none loses an article, which is the greater harm.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from extrophi_backend.collectors.web import block_words as words
from extrophi_backend.collectors.web import missing_words
from extrophi_backend.collectors.web.shown import ARTICLE, LINE, NOTE, Shown, letters
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.html import parse_page

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

_CHALLENGE_MARKUP = re.compile(
    rb"_cf_chl_opt|/cdn-cgi/challenge-platform/h/\w+/orchestrate/|id=[\"']?(?:challenge-(?:form|stage|error-text|running)|px-captcha|anubis_)"
    rb"|(?:geo|ct|interstitial)\.captcha-delivery\.com|/\.well-known/sgcaptcha|Incapsula incident ID"
    rb"|ddos-guard/check|/\.within\.website/x/cmd/anubis|gokuProps|distil_r_captcha|validate\.perfdrive\.com",
    re.IGNORECASE,
)
_CAPTCHA_SCRIPT = re.compile(
    rb"g-recaptcha|h-captcha|cf-turnstile|hcaptcha\.com|google\.com/recaptcha|recaptcha\.net|arkoselabs\.com|geetest|"
    rb"challenges\.cloudflare\.com|smartcaptcha",
    re.IGNORECASE,
)
_PROOF_OF_WORK = re.compile(rb"anubis_(?:challenge|version|base_prefix)|/\.within\.website/x/", re.IGNORECASE)


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
    if letters(text) >= ARTICLE and asked == final:
        return None
    try:
        root = parse_page(body, media_type)
    except ExtractionFailed:
        root = None
    page = Shown(status, body, text, asked, final, root)
    if status in {404, 410} or status >= 500:
        # Gone is gone and broken is broken, whatever the page offers; a challenge alone may come in any status.
        return CAPTCHA if _is_challenge(page) else None
    led = _led_astray(page)
    judged = [led] if led else []
    if letters(text) < ARTICLE:
        judged += [block for is_one, block in _RULES if is_one(page)]
    return next((block for block in judged if status < 400 or block not in {SOFT_404, JAVASCRIPT_NEEDED}), None)


def _led_astray(page: Shown) -> Block | None:
    """A redirect to where nothing was asked for says enough, however much there is to read."""
    final, asked = urlsplit(page.final), urlsplit(page.asked)
    if (final.hostname, final.path) == (asked.hostname, asked.path):
        return None  # from http to https, say
    if final.hostname != asked.hostname and words.CONSENT_HOST.search(final.hostname or ""):
        return COOKIE_WALL
    for pattern, block in (
        (words.CONSENT_PATH, COOKIE_WALL), (words.LOGIN_PATH, LOGIN_NEEDED), (missing_words.MISSING_PATH, SOFT_404),
    ):  # fmt: skip
        if pattern.search(final.path) and not pattern.search(asked.path):
            if block is SOFT_404 or letters(page.text) < NOTE:
                return block
            if page.asks_password if block is LOGIN_NEEDED else _is_about_cookies(page):
                return block
    return SOFT_404 if _led_home(page) else None


def _led_home(page: Shown) -> bool:
    """A long address that leads to the same site's front page: how many sites say that it is gone."""
    final, asked = urlsplit(page.final), urlsplit(page.asked)
    same = _site(final.hostname) == _site(asked.hostname)
    last = asked.path.rstrip("/").rpartition("/")[2]
    deep = len(last) >= 15 and last.count("-") + last.count("_") >= 2
    return same and deep and final.path in {"", "/"} and not final.query and not final.fragment


def _site(hostname: str | None) -> str:
    return (hostname or "").lower().removeprefix("www.")


def _is_rate_limit(page: Shown) -> bool:
    if page.says_article or page.rest(words.RATE_SAID) >= LINE:
        return False
    # “Slow down!” may be an essay, “Rate limited” a page of a handbook: what they say decides.
    return page.titled(words.RATE) or (page.titled(words.RATE_MAYBE) and page.says(words.RATE_SAID))


def _is_challenge(page: Shown) -> bool:
    if page.titled(words.CHALLENGE_TITLE) and _PROOF_OF_WORK.search(page.body) and letters(page.text) < ARTICLE:
        return True  # it explains itself at some length
    if page.said >= NOTE * 2:
        return False
    if _CHALLENGE_MARKUP.search(page.body) and letters(page.text) < NOTE and not page.says_article:
        return True
    if page.says_article or page.said >= NOTE:
        return False
    says = page.says(words.CHALLENGE) or bool(words.CHALLENGE.search(page.noscript))
    titled = page.titled(words.CHALLENGE_TITLE)
    rest = page.rest(words.CHALLENGE, words.WAITING)
    certain = page.has_widget or page.status >= 400
    bare = page.said < NOTE // 2 and (page.has_scripts or page.has("form") or bool(_CAPTCHA_SCRIPT.search(page.body)))
    return (
        (says and (titled or certain or bare or rest < LINE // 4))
        or (titled and (certain or rest < LINE // 4))  # “One moment, please” may be a poem
        or (page.has_widget and page.said < LINE and not page.is_form)
    )


def _is_login(page: Shown) -> bool:
    if page.states(words.PAYWALL) or _is_for_others(page):
        return True
    text, rest = letters(page.text), page.rest(words.LOGIN)
    says = any(words.LOGIN.search(part.text) and not words.LOGIN_TO_ACT.search(part.text) for part in page.parts)
    if says and page.is_locked and text < ARTICLE * 3 // 4:
        return True
    if text >= NOTE or rest >= NOTE:
        return False
    if page.titled(words.LOGIN_TITLE):
        return says or page.asks_password or (rest < LINE and page.has("form", "button", "input"))
    if page.says_article or rest >= LINE:
        return False
    # A forum has a field for the password above every thread, a wiki a line about logging in below every stub.
    return page.states(words.LOGIN_TO_READ) or (rest < LINE // 4 and (says or page.asks_password))


def _is_for_others(page: Shown) -> bool:
    if page.asks_password and page.states(words.PASSWORD):
        return True
    return page.status == 401 and _speaks_of_login(page)


def _speaks_of_login(page: Shown) -> bool:
    return page.asks_password or page.titled(words.LOGIN_TITLE) or page.says(words.LOGIN)


def _is_cookie_wall(page: Shown) -> bool:
    about = sum(letters(part.text) for part in page.parts if words.COOKIE.search(part.text))
    rest = page.rest(words.COOKIE, words.ACCEPT)
    if page.titled(words.COOKIE_TITLE) and about and rest < NOTE // 2:
        return True
    return (
        about >= 80
        and rest < LINE
        and _is_about_cookies(page)  # else it is a short text below a banner
        and not page.says_article
        and any(words.ACCEPT.search(label) for label in page.labels())
    )


def _is_about_cookies(page: Shown) -> bool:
    """Whether what was taken for its article is, for the most part."""
    taken = [one for one in page.text.split("\n\n") if one]
    about = sum(letters(one) for one in taken if words.COOKIE.search(one))
    return about >= 0.7 * sum(map(letters, taken))


def _is_missing(page: Shown) -> bool:
    if page.says_article:
        return False
    says, rest = page.says(missing_words.MISSING), page.rest(missing_words.MISSING)
    if page.titled(missing_words.MISSING_TITLE):
        return rest < LINE or (says and rest < NOTE)
    return says and rest < LINE and page.said < 2 * LINE


def _is_shell(page: Shown) -> bool:
    """Empty but for scripts, or for the request to run them."""
    if page.is_carried:
        return False
    if not page.has_scripts:
        return bool(words.JAVASCRIPT.search(page.noscript)) and page.said < 40
    rest = page.rest(words.JAVASCRIPT, words.WAITING, words.COOKIE)
    if page.says(words.JAVASCRIPT) and rest < LINE and not page.says_article:
        return True
    if page.has_empty_root and rest < LINE:
        return True
    # Comments alone may need it: "Please enable JavaScript to view the comments".
    return rest < LINE // 5 and (bool(words.JAVASCRIPT.search(page.noscript)) or page.seen < LINE // 10)


_RULES: tuple[tuple[Callable[[Shown], bool], Block], ...] = (
    (_is_rate_limit, RATE_LIMITED),
    (_is_challenge, CAPTCHA),
    (_is_missing, SOFT_404),
    (_is_login, LOGIN_NEEDED),
    (_is_cookie_wall, COOKIE_WALL),
    (_is_shell, JAVASCRIPT_NEEDED),
)

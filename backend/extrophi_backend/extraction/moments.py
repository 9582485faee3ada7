"""Moments in the many forms that people and programs write them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from threading import Lock
from typing import Any

from extrophi_backend.extraction.assembling import one_line

_YEAR = re.compile(r"(?<!\d)(?:1\d|20)\d\d(?!\d)|[٠-٩۰-۹]{4}")
_NUMBERS = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?!\d)")
_LANGUAGES = (
    "en", "de", "fr", "es", "pt", "it", "nl", "sv", "da", "nb", "fi", "pl", "cs", "hu", "ro", "el", "tr", "ru", "uk",
    "ar", "fa", "he", "hi", "id", "vi", "zh", "ja", "ko",
)  # fmt: skip
"""In which months are known by name; each is a table to load, and the first one that fits is taken."""
_words = Lock()


def parse_moment(written: str, language: str | None = None) -> datetime | None:
    """A moment in UTC out of what pages and files write: ISO 8601 in its variants, RFC 2822, a day in words.

    A day begins at 00:00; where no time zone is said, UTC is taken. Digits alone are a day (20191118), never seconds.
    What tells no whole day (“May 2020”, “yesterday”) is none, nor is 2/1/2020, unless `language` tells the order.
    """
    text = one_line(written)[:64]
    text = re.sub(r"\s+(?=[+-]\d\d:?\d\d\Z)", "", text)  # “12:00:00 +0200”
    text = re.sub(r"(?<=\d)\s*(?:UTC|GMT)\Z", "Z", text) if text[:4].isdigit() else text
    text = re.sub(r"(T\d\d:\d\d:\d\d)\.\d+", r"\1", text)
    moment = None
    if re.match(r"\d{4}-?\d{2}-?\d{2}(?!\d)", text):
        moment = _tried(datetime.fromisoformat, text) or _tried(datetime.fromisoformat, text[:10])
    if moment is None and re.match(r"(?:[A-Za-z]{3},\s*)?\d{1,2}\s[A-Za-z]{3}\s\d{4}\s\d", text):
        moment = _tried(parsedate_to_datetime, text)
    if moment is None and _YEAR.search(text):
        moment = _in_words(text, language)
    if moment is None:
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:  # year 1 east of Greenwich
        return None


def _in_words(text: str, language: str | None) -> datetime | None:
    if numbers := _NUMBERS.search(text):
        first, dot, second = int(numbers[1]), numbers[2], int(numbers[3])
        if first <= 12 and second <= 12 and first != second:
            if dot != "." and language in {None, "en"}:
                return None  # in London it is another day than in New York
            text = f"{numbers[4]}-{second:02}-{first:02}{text[numbers.end() :]}"
    with _words:  # its caches are nobody's in particular
        return _tried(_parser(language if language in _LANGUAGES else "").get_date_data, text, "date_obj")


@cache
def _parser(language: str) -> Any:
    from dateparser.date import DateDataParser  # noqa: PLC0415  a fifth of a second, for those who need no words

    return DateDataParser(
        languages=[*filter(None, (language,)), *(one for one in _LANGUAGES if one != language)],
        use_given_order=True,
        try_previous_locales=False,
        settings={
            "PARSERS": ["absolute-time"],
            "REQUIRE_PARTS": ["day", "month", "year"],
            "STRICT_PARSING": True,
            "RETURN_AS_TIMEZONE_AWARE": True,
            "TIMEZONE": "UTC",
        },
    )


def _tried(parse: Callable[[str], Any], text: str, attribute: str = "") -> datetime | None:
    try:
        found = parse(text)
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError, re.error):
        return None
    return getattr(found, attribute) if attribute else found

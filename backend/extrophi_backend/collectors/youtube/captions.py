"""Captions, read by what they are and not by what was asked for: JSON (json3), XML (srv1 to srv3), WebVTT."""

import html
import json
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, cast

from extrophi_backend.collectors.youtube.models import Cue
from extrophi_backend.extraction.tree import Element, local_name, parse_xml

_FORMATTING = re.compile(r"</?(?:b|i|u|s|em|strong|font|span|c|v|lang|ruby|rt)(?:[\s.][^<>]*)?/?>", re.IGNORECASE)
"""Tags that captions may hold; what else stands between angle brackets are words."""
_TAG = re.compile(r"<[^<>]*>")
_TIMED = re.compile(r"<(?:\d+:)?\d\d:\d\d\.\d{3}>", re.ASCII)
_CLOCK = r"((?:\d{1,4}:)?\d\d:\d\d[.,]\d{1,3})"
_CUE_TIMES = re.compile(rf"{_CLOCK}[ \t]+-->[ \t]+{_CLOCK}", re.ASCII)
_BLANK_LINE = re.compile(r"\n{2,}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def read_captions(body: bytes) -> list[Cue] | None:
    """The cues of a track, in the order of their times; None if it is none that we know. Blank ones are left out."""
    text = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"{"):
        found = _json3(text)
    elif text.startswith(b"WEBVTT"):
        found = _vtt(text.decode("utf-8", "replace"))
    elif text.startswith(b"<"):
        found = _xml(text)
    else:
        found = None
    if found is None:
        return None
    cues = [Cue(start, max(start, end), storable(text)) for start, end, text in found if text.strip()]
    if any(before.start > after.start for before, after in pairwise(cues)):
        cues.sort(key=lambda cue: cue.start)
    return cues


def storable(text: str) -> str:
    """`text` with a mark in the place of each character that no database holds (NUL, lone surrogates)."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


_Timed = tuple[float, float, str]


def _json3(body: bytes) -> Iterable[_Timed] | None:
    try:
        parsed: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    events: Any = parsed.get("events") if isinstance(parsed, dict) else None
    if not isinstance(events, list):
        return None
    return list(_events(cast("list[Any]", events)))


def _events(events: list[Any]) -> Iterator[_Timed]:
    """What is said in each. One that only breaks a line (`aAppend`), or opens a window, says nothing."""
    start = 0.0
    for one in events:
        if not isinstance(one, dict):
            continue
        event = cast("dict[str, Any]", one)
        segments: Any = event.get("segs")
        start = _seconds(event.get("tStartMs"), start)
        if isinstance(segments, list):
            parts: list[Any] = [part.get("utf8") for part in cast("list[Any]", segments) if isinstance(part, dict)]
            text = "".join(part for part in parts if isinstance(part, str))
            yield start, start + _seconds(event.get("dDurationMs"), 0.0), text


def _xml(body: bytes) -> Iterable[_Timed] | None:
    root = parse_xml(body)
    if root is None:
        root = parse_xml(body, recover=True)  # cut off, or with a bare ampersand: the rest is as good
    if root is None:
        return None
    match local_name(root):
        case "transcript":
            return list(_elements(root, ("start", "dur"), 1000.0))
        case "timedtext":
            return list(_elements(root, ("t", "d"), 1.0))
        case _:
            return None


def _elements(root: Element, times: tuple[str, str], scale: float) -> Iterator[_Timed]:
    """The elements `text` or `p`. Times are in units of `scale` milliseconds."""
    start = 0.0
    for element in root.iter("*"):
        if local_name(element) in {"text", "p"}:
            start = _seconds(element.get(times[0], ""), start, scale)
            length = _seconds(element.get(times[1], ""), 0.0, scale)
            # Escaped twice, since it once was put into HTML as it stands.
            text = _FORMATTING.sub("", html.unescape("".join(element.itertext())))
            yield start, start + length, text


def _seconds(value: Any, otherwise: float, scale: float = 1.0) -> float:
    """Milliseconds as seconds; `otherwise`, if it is no such number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return otherwise
    try:
        seconds = float(value) * scale / 1000
    except (ValueError, OverflowError):
        return otherwise
    return seconds if 0 <= seconds < 1e9 else otherwise


def _vtt(text: str) -> Iterable[_Timed]:
    """WebVTT (www.w3.org/TR/webvtt1).

    Automatic ones roll: each cue shows the line before once more, above its own. They are told by the times within
    their lines.
    """
    rolls = _TIMED.search(text) is not None
    last = ""
    for block in _BLANK_LINE.split(text.replace("\r\n", "\n").replace("\r", "\n")):
        times = _CUE_TIMES.search(block)
        if times is None:
            continue
        _, _, payload = block[times.end() :].partition("\n")
        lines = [html.unescape(_TAG.sub("", line)) for line in payload.rstrip("\n").split("\n")]
        if rolls:
            lines = [line for line in lines if line.strip()]
            if lines and lines[0] == last:
                del lines[0]
            last = lines[-1] if lines else last
        yield _clock(times[1]), _clock(times[2]), "\n".join(lines)


def _clock(written: str) -> float:
    """Seconds of `01:02:03.456`, or `02:03.456`."""
    whole, _, part = written.replace(",", ".").partition(".")
    seconds = 0
    for number in whole.split(":"):
        seconds = seconds * 60 + int(number)
    return round(seconds + float(f"0.{part}"), 3)

"""Captions in each of the forms that YouTube sends, read to the character."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extrophi_backend.collectors.youtube.captions import read_captions
from extrophi_backend.collectors.youtube.models import Cue
from tests.platforms.youtube import json3, recorded


def read(body: bytes) -> list[tuple[float, float, str]]:
    cues = read_captions(body)
    assert cues is not None
    return [(cue.start, round(cue.end, 3), cue.text) for cue in cues]


def test_the_recorded_transcript_is_read_to_the_character() -> None:
    assert read(recorded("transcript.xml")) == [
        (0.0, 1.54, "Hey, this is just a test"),
        (1.54, 5.7, "this is not the original transcript"),
        (5.7, 8.939, "just something shorter, I made up for testing"),
    ]


def test_json_keeps_line_ends_within_a_cue_and_words_in_parts() -> None:
    events = [
        {"tStartMs": 0, "dDurationMs": 9000, "id": 1, "wpWinPosId": 1},
        {"tStartMs": 1200, "dDurationMs": 2000, "segs": [{"utf8": "Two\nlines &amp; <i>all</i>"}]},
        {"tStartMs": 3000, "dDurationMs": 500, "segs": [{"utf8": "one"}, {"utf8": " two", "tOffsetMs": 200}]},
    ]
    assert read(json.dumps({"events": events}).encode()) == [
        (1.2, 3.2, "Two\nlines &amp; <i>all</i>"),
        (3.0, 3.5, "one two"),
    ]


def test_automatic_captions_say_nothing_twice() -> None:
    """Events with `aAppend` only break the line that the next one goes on."""
    events = [
        {"tStartMs": 0, "dDurationMs": 4000, "wWinId": 1, "segs": [{"utf8": "hello"}, {"utf8": " world"}]},
        {"tStartMs": 1990, "dDurationMs": 2010, "wWinId": 1, "aAppend": 1, "segs": [{"utf8": "\n"}]},
        {"tStartMs": 2000, "dDurationMs": 4000, "wWinId": 1, "segs": [{"utf8": "hello"}, {"utf8": " again"}]},
    ]
    assert [text for _, _, text in read(json.dumps({"events": events}).encode())] == ["hello world", "hello again"]


def test_srv3_is_read_with_its_parts_and_escapes() -> None:
    body = (
        '<?xml version="1.0" encoding="utf-8" ?><timedtext format="3"><head><pen id="1"/></head><body>'
        '<w t="0" id="1"/><p t="80" d="2500" w="1"><s>it&amp;#39;s</s><s t="400"> &lt;b&gt;here&lt;/b&gt;</s></p>'
        '<p t="1990" d="2000" w="1" a="1">\n</p><p t="2000" d="1500">a &lt; b\n&gt;&gt; ça va</p></body></timedtext>'
    )
    assert read(body.encode()) == [(0.08, 2.58, "it's here"), (2.0, 3.5, "a < b\n>> ça va")]


def test_srv2_is_read_too() -> None:
    assert read(b'<timedtext><text t="1500" d="500">Well.</text></timedtext>') == [(1.5, 2.0, "Well.")]


def test_webvtt_is_read() -> None:
    body = (
        "WEBVTT\nKind: captions\nLanguage: en\n\nNOTE nothing\n\nSTYLE\n::cue {}\n\n"
        "1\n00:00:01.000 --> 00:00:02.500 align:start position:0%\n<v Ada>Tom &amp; <i>Jerry</i></v>\nsecond line\n\n"
        "01:02:03.004 --> 01:02:04.000\nlate\n"
    )
    assert read(body.encode()) == [(1.0, 2.5, "Tom & Jerry\nsecond line"), (3723.004, 3724.0, "late")]


def test_webvtt_that_rolls_says_nothing_twice() -> None:
    body = (
        "WEBVTT\n\n00:00:00.080 --> 00:00:02.390\n \nhello<00:00:00.400><c> world</c>\n\n"
        "00:00:02.390 --> 00:00:02.400\nhello world\n \n\n"
        "00:00:02.400 --> 00:00:05.000\nhello world\nyeah\n\n00:00:05.000 --> 00:00:05.010\nyeah\n \n\n"
        "00:00:05.010 --> 00:00:07.000\nyeah\nyeah<00:00:05.400><c> yeah</c>\n"
    )
    assert [text for _, _, text in read(body.encode())] == ["hello world", "yeah", "yeah yeah"]


def test_manual_lines_that_repeat_stay() -> None:
    body = b"WEBVTT\n\n00:01.000 --> 00:02.000\nNo.\n\n00:02.000 --> 00:03.000\nNo.\nNo.\n"
    assert [text for _, _, text in read(body)] == ["No.", "No.\nNo."]


def test_cues_are_in_the_order_of_their_times() -> None:
    assert [text for _, _, text in read(json3([(5, "c"), (1, "a"), (1, "b")]))] == ["a", "b", "c"]


def test_what_no_database_holds_is_marked() -> None:
    body = b'{"events": [{"tStartMs": 0, "segs": [{"utf8": "a\\u0000b\\ud800c"}]}]}'
    assert read(body) == [(0.0, 0.0, "a\ufffdb\ufffdc")]


def test_an_entity_of_ones_own_is_not_expanded() -> None:
    lol = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
    cues = read_captions(f'{lol}<transcript><text start="0" dur="1">&b;!</text></transcript>'.encode())
    assert cues is None or all("aaaa" not in cue.text for cue in cues)


@pytest.mark.parametrize(
    "body", [b"", b"<html><body>Sorry</body></html>", b"{}", b'{"events": 3}', b"[]", b"nonsense", b"\xff\xfe"]
)
def test_what_is_none_is_told_from_empty_ones(body: bytes) -> None:
    assert read_captions(body) is None
    assert read_captions(b'{"events": []}') == []
    assert read_captions(b"<transcript/>") == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["events", "segs", "utf8", "tStartMs", "dDurationMs"]), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(_JSON, st.lists(_JSON, max_size=4))
def test_no_json_is_a_crash(value: object, events: list[object]) -> None:
    for body in (value, {"events": events}):
        cues = read_captions(json.dumps(body).encode())
        assert cues is None or all(isinstance(cue, Cue) and cue.text.strip() and cue.start >= 0 for cue in cues)


@given(st.binary(max_size=60), st.sampled_from([b"<transcript>", b"<timedtext>", b"WEBVTT\n\n00:00.0 --> 00:01.0\n"]))
def test_no_bytes_are_a_crash(rest: bytes, start: bytes) -> None:
    for body in (start + rest, rest):
        cues = read_captions(body)
        assert cues is None or all(cue.text.strip() and cue.start >= 0 for cue in cues)

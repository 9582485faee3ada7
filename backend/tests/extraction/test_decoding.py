"""Bytes become text whatever encoding they say that they are in."""

import pytest

from extrophi_backend.extraction.decoding import decode

HERONS = "Цапли стоят на мелководье на рассвете и ждут, пока подойдёт мелкая рыба. " * 5


@pytest.mark.parametrize(
    "charset",
    ["idna", "punycode", "undefined", "rot13", "unicode_escape", "raw_unicode_escape", "hex", "zip", "\0", ""],
)
def test_codecs_that_are_no_encodings_of_text_are_not_used(charset: str) -> None:
    assert decode(HERONS.encode("cp1251"), charset) == HERONS
    assert decode(rb"caf\u00e9 on the corner", charset) == r"caf\u00e9 on the corner"


@pytest.mark.parametrize("charset", ["windows-1251", "cp1251", "WINDOWS-1251"])
def test_a_declared_encoding_is_used(charset: str) -> None:
    assert decode("Да".encode("cp1251"), charset) == "Да"


def test_a_page_that_says_utf_8_and_is_not_is_guessed() -> None:
    page = "<div class='a-long-list-of-names and-more'>" * 200 + HERONS  # markup must not hide how much is lost
    assert decode(page.encode("cp1251"), "utf-8").endswith(HERONS)


def test_a_byte_that_is_broken_does_not_change_the_encoding() -> None:
    assert decode(HERONS.encode() + b"\xff", "utf-8") == HERONS + "\ufffd"


def test_text_with_a_broken_byte_is_in_the_encoding_of_all_the_others() -> None:
    broken = HERONS.encode() + b"\xff" + "Größe, ja.".encode()
    expected = HERONS + "\ufffdGröße, ja."
    assert decode(broken) == expected
    assert decode(broken, "iso-8859-1") == expected
    assert decode((HERONS + "é").encode()[:-1]) == HERONS + "\ufffd"


def test_of_several_declared_encodings_the_first_that_gives_text_is_used() -> None:
    assert decode("Да".encode("cp1251"), "utf-8", "cp1251") == "Да"
    assert decode("鷺は夜明けに".encode("euc_jp"), "shift_jis", "euc-jp") == "鷺は夜明けに"


def test_wide_text_without_a_mark_is_read_as_declared() -> None:
    text = "苍鹭在浅水中站立数小时，耐心等待鱼靠近。\n" * 20
    assert decode(text.encode("utf-16-le"), "utf-16le") == text
    assert decode(text.encode("utf-16-be"), "utf-16be") == text
    assert decode(text.encode("utf-16-le"), "utf-16") == text

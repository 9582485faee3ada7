import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from extrophi_backend.errors import Unavailable
from extrophi_backend.sealing import Key, KeyRing, NoSecretKey, Unreadable, is_sealed_by, read_keys, seal, unseal

ONE, TWO = Key(b"1" * 32), Key(b"2" * 32)
texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(texts, texts)
def test_what_is_sealed_is_opened_by_its_key(text: str, context: str) -> None:
    sealed = seal(ONE, text, context)
    assert unseal([TWO, ONE], sealed, context) == text
    assert seal(ONE, text, context) != sealed  # never twice the same
    assert is_sealed_by(ONE, sealed)
    assert not is_sealed_by(TWO, sealed)


def test_nothing_of_the_text_is_seen() -> None:
    assert b"hunter2" not in seal(ONE, "hunter2", "x")


def test_it_opens_for_no_other_key_or_place() -> None:
    sealed = seal(ONE, "hunter2", "credential/web/cookies/one.example")
    for keys, context in [
        ([TWO], "credential/web/cookies/one.example"),
        ([], "credential/web/cookies/one.example"),
        ([ONE], "credential/web/cookies/two.example"),
        ([ONE], ""),
    ]:
        with pytest.raises(Unreadable):
            unseal(keys, sealed, context)


@given(st.data())
def test_one_changed_bit_or_missing_byte_is_noticed(data: st.DataObject) -> None:
    sealed = seal(ONE, "hunter2", "x")
    at = data.draw(st.integers(0, len(sealed) * 8 - 1))
    changed = bytearray(sealed)
    changed[at // 8] ^= 1 << (at % 8)
    for broken in (bytes(changed), sealed[: at // 8]):
        with pytest.raises(Unreadable):
            unseal([ONE, TWO], broken, "x")


@given(st.binary(max_size=80))
def test_any_bytes_are_unreadable_and_no_crash(junk: bytes) -> None:
    for sealed in (junk, b"\x01" + bytes.fromhex(ONE.id) + junk):
        with pytest.raises(Unreadable):
            unseal([ONE], sealed, "x")


@given(st.binary(min_size=32, max_size=32))
def test_a_key_is_read_however_it_is_written(secret: bytes) -> None:
    for text in (
        secret.hex(),
        secret.hex().upper(),
        base64.b64encode(secret).decode(),
        base64.urlsafe_b64encode(secret).decode().rstrip("="),
    ):
        assert read_keys(text) == (Key(secret),)
    assert read_keys(f" {secret.hex()} , {'0' * 64}") == (Key(secret), Key(bytes(32)))


@pytest.mark.parametrize(
    "text", ["", " ", ",", "a" * 63, "a" * 65, "ü" * 43, "secret", f"{'a' * 64},", "a" * 42, "=" * 44]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        read_keys(text)


def test_a_key_shows_nothing_of_itself() -> None:
    assert "1" * 8 not in repr(ONE)
    assert b"1".hex() * 4 not in ONE.id


def test_a_ring_is_read_anew_whenever_it_is_needed(tmp_path: Path) -> None:
    file = tmp_path / "ring"
    ring = KeyRing(None, file)
    with pytest.raises(Unavailable):
        ring.keys()
    file.write_text(f"{ONE.secret.hex()}\n")
    assert ring.first() == ONE
    file.write_text(f"{TWO.secret.hex()},{ONE.secret.hex()}\n")
    assert (ring.first(), ring.keys()) == (TWO, (TWO, ONE))


def test_a_key_that_is_given_goes_before_the_ring(tmp_path: Path) -> None:
    assert KeyRing(SecretStr(ONE.secret.hex()), tmp_path / "none").first() == ONE


def test_without_a_key_it_is_said_how_to_make_one() -> None:
    assert KeyRing(None, None).keys() == ()
    with pytest.raises(NoSecretKey) as caught:
        KeyRing(None, None).first()
    assert "/dev/urandom" in caught.value.hint

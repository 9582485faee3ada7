"""The licence lies where it is taken from."""

from tests.containers.podman import ROOT


def test_the_writers_own_copy_is_the_licence() -> None:
    """Its image has that folder alone, and the desktop program's package takes the text from there."""
    assert (ROOT / "writer" / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()

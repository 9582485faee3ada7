from pathlib import Path

import pytest

from extrophi_orchestrator.settings import read_settings


@pytest.mark.parametrize("blank", ["", "  ", "\t\n"])
def test_a_blank_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    for name in ("SERVICE_KEY", "API_KEYS", "RATE_LIMIT", "ALLOWED_HOSTS", "HOST", "PORT"):
        monkeypatch.setenv(f"EXTROPHI_{name}", blank)
    settings = read_settings()
    assert (settings.service_key, settings.api_keys, settings.rate_limit) == (None, None, 1200)
    assert (settings.host, settings.port, settings.allowed_hosts) == ("127.0.0.1", 8000, ())


def test_a_blank_file_counts_as_unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(" \n")
    monkeypatch.setenv("EXTROPHI_SERVICE_KEY_FILE", str(tmp_path / "key"))
    assert read_settings().service_key is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EXTROPHI_SERVICE_KEY", "schlüssel"),
        ("EXTROPHI_SERVICE_KEY", "two words"),
        ("EXTROPHI_SERVICE_KEY", "two\nlines"),
        ("EXTROPHI_ALLOWED_HOSTS", "https://desk.example"),
        ("EXTROPHI_ALLOWED_HOSTS", "desk.example:8443"),
        ("EXTROPHI_ALLOWED_HOSTS", "desk.example, nook.example/x"),
        ("EXTROPHI_RATE_LIMIT", "many"),
    ],
)
def test_a_value_that_can_have_no_effect_ends_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        read_settings()
    told = capsys.readouterr().err
    assert name in told
    assert len(told.splitlines()) == 1
    assert "schl" not in told


def test_names_and_addresses_may_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTROPHI_ALLOWED_HOSTS", "desk.example, nook, 10.0.0.7, fd00::7,")
    assert read_settings().allowed_hosts == ("desk.example", "nook", "10.0.0.7", "fd00::7")


def test_a_file_that_is_no_text_ends_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    monkeypatch.setenv("EXTROPHI_SERVICE_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(SystemExit, match=r"EXTROPHI_SERVICE_KEY_FILE.*UTF-8"):
        read_settings()

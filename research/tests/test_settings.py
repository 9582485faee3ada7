import logging

import pytest
from pydantic import ValidationError

from extrophi_research.log import _Fields  # pyright: ignore[reportPrivateUsage]
from extrophi_research.settings import Settings, read_settings


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@host:5432/name",
        "postgres://host/name",
        "postgresql://u@/name?host=/run/socket",
        "postgresql://u:p%40@[::1]:5432,other:5433/name",
        "postgresql:///name",
    ],
)
def test_an_address_of_postgresql_is_taken(url):
    assert Settings.model_validate({"DATABASE_URL": url}).database_url.get_secret_value() == url


@pytest.mark.parametrize(
    "url", ["mysql://u@host/name", "host:5432", "postgresql://host:port/name", "postgresql://host:0/x"]
)
def test_another_address_ends_the_start_with_one_line(url, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(SystemExit):
        read_settings()
    said = capsys.readouterr().err
    assert said.startswith("DATABASE_URL: ")
    assert said.count("\n") == 1
    with pytest.raises(ValidationError):
        Settings.model_validate({"DATABASE_URL": url})


def test_a_blank_variable_leaves_its_file_its_say(monkeypatch, tmp_path):
    file = tmp_path / "key"
    file.write_text("secret\n")
    monkeypatch.setenv("OPENAI_API_KEY", "  ")
    monkeypatch.setenv("OPENAI_API_KEY_FILE", str(file))
    monkeypatch.setenv("EXTROPHI_SERVICE_KEY_FILE", "  ")
    settings = Settings()
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == "secret"
    assert settings.service_key is None


def test_a_file_that_is_no_text_ends_the_start_with_its_name(monkeypatch, tmp_path):
    (tmp_path / "key").write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("OPENAI_API_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(SystemExit, match=r"OPENAI_API_KEY_FILE: .*UTF-8"):
        Settings()


def test_a_log_line_is_one_line_in_utc():
    record = logging.LogRecord("x", logging.INFO, "", 0, "a\nb\r", None, None)
    record.created = 0.0
    assert _Fields().format(record) == "1970-01-01T00:00:00Z info a\\nb\\r"

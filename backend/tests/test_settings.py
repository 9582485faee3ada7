from pathlib import Path

import pytest
from pydantic import SecretStr

from extrophi_backend.settings import Settings, read_settings


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EXTROPHI_PORT", "a lot"),
        ("EXTROPHI_PORT", "0"),
        ("EXTROPHI_ROLE", "boss"),
        ("DATABASE_URL", "mysql://x"),
        ("REDIS_URL", "x"),
        ("EMBEDDINGS_URL", "x"),
        ("EXTROPHI_FETCH_ALLOW", "everything"),
        ("EXTROPHI_CAPTURES_URL", "bucket"),
        ("EXTROPHI_FETCH_SECONDS", "soon"),
        ("EXTROPHI_FETCH_SECONDS", "nan"),
        ("EXTROPHI_FETCH_SECONDS", "inf"),
        ("EXTROPHI_FETCH_MAX_BYTES", "-5"),
        ("EXTROPHI_FILE_MAX_BYTES", "0"),
        ("EXTROPHI_CAPTURES_URL", "foo://x"),
        ("DATABASE_URL", "postgresql://localhost:abc/x"),
        ("DATABASE_URL", "postgresql://u:hunter2@one:1,two:99999/x"),
        ("REDIS_URL", "redis://localhost:abc"),
        ("REDIS_URL", "redis://localhost/first"),
        ("EXTROPHI_SECRET_KEY", "hunter2"),
        ("X_BEARER_TOKEN", "hunter2"),
        ("WEB_COOKIES", "hunter2"),
        ("EXTROPHI_X_API_URL", "x"),
        ("EXTROPHI_SECRET_KEY", "a" * 64 + ","),
    ],
)
def test_a_wrong_setting_ends_the_start_with_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        read_settings()
    (line,) = capsys.readouterr().err.splitlines()
    assert name in line


def test_a_wrong_setting_shows_no_secret(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in (
        ("DATABASE_URL", "mysql://u:hunter2@x"),
        ("EXTROPHI_SECRET_KEY", "hunter2"),
        ("X_BEARER_TOKEN", "hunter2"),
        ("REDDIT_FEED_TOKEN", "https://hunter2"),
        ("YOUTUBE_COOKIES", "hunter2"),
    ):
        monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit):
            read_settings()
        assert "hunter2" not in capsys.readouterr().err


def test_a_blank_setting_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTROPHI_PORT", "")
    monkeypatch.setenv("OPENAI_API_KEY", "  ")
    monkeypatch.setenv("EXTROPHI_CAPTURES_URL", " \t")
    assert read_settings().port == 8002
    assert read_settings().openai_api_key is None
    assert read_settings().captures_url is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://postgres@/x?host=/run/sockets"),
        ("DATABASE_URL", "postgresql://u:p%40@one:5432,two:5433/x"),
        ("DATABASE_URL", "postgresql://[::1]:5432/x"),
        ("REDIS_URL", "redis://:key@localhost:6379/1"),
        ("REDIS_URL", "unix:///run/valkey.sock"),
        ("EXTROPHI_CAPTURES_URL", "s3://bucket/folder"),
    ],
)
def test_an_address_is_taken(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    taken = getattr(read_settings(), name.lower().removeprefix("extrophi_"))
    assert (taken.get_secret_value() if isinstance(taken, SecretStr) else taken) == value


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://from-a-file/x\n")
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))
    assert read_settings().database_url.get_secret_value() == "postgresql://from-a-file/x"
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "none"))
    with pytest.raises(SystemExit, match="DATABASE_URL_FILE"):
        read_settings()
    (tmp_path / "none").write_bytes(b"\xff")
    with pytest.raises(SystemExit, match=r"DATABASE_URL_FILE.*UTF-8"):
        read_settings()


def test_cookies_may_come_from_the_file_that_a_browser_wrote(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cookies.txt").write_text("# Netscape HTTP Cookie File\na.example\tFALSE\t/\tFALSE\t0\tn\tv\n")
    monkeypatch.setenv("WEB_COOKIES_FILE", str(tmp_path / "cookies.txt"))
    assert (read_settings().credential("WEB_COOKIES") or "").endswith("\tv")
    assert read_settings().credential("X_CT0") is None


def test_lists_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTROPHI_FILES_ROOTS", "/a, /b c")
    monkeypatch.setenv("EXTROPHI_FETCH_ALLOW", "127.0.0.0/8,::1/128")
    assert read_settings().files_roots == (Path("/a"), Path("/b c"))
    assert [str(network) for network in read_settings().fetch_allow] == ["127.0.0.0/8", "::1/128"]

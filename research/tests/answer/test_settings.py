"""Which chat model is asked, and with which key."""

import logging

import httpx
import pytest

from extrophi_research.answer.chat import chat_model
from extrophi_research.settings import Settings, read_settings

OPENAI = "https://api.openai.com/v1"
LOCAL = "http://localhost:11434/v1"


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, None),
        ({"OPENAI_API_KEY": "sk-1"}, None),
        ({"OPENAI_API_KEY": "sk-1", "CHAT_MODEL": "  ", "CHAT_URL": ""}, None),
        ({"OPENAI_API_KEY": "sk-1", "CHAT_MODEL": "gpt"}, (OPENAI, "gpt", "sk-1")),
        (
            {"OPENAI_API_KEY": "sk-1", "CHAT_MODEL": "gpt", "OPENAI_BASE_URL": "https://proxy.example/v1/"},
            ("https://proxy.example/v1", "gpt", "sk-1"),
        ),
        ({"CHAT_URL": f"{OPENAI}/", "OPENAI_API_KEY": "sk-1", "CHAT_MODEL": "gpt"}, (OPENAI, "gpt", "sk-1")),
        ({"CHAT_URL": LOCAL, "OPENAI_API_KEY": "sk-1", "CHAT_MODEL": "llama"}, (LOCAL, "llama", None)),
        (
            {"CHAT_URL": LOCAL, "OPENAI_API_KEY": "sk-1", "CHAT_MODEL": "llama", "CHAT_API_KEY": "own\n"},
            (LOCAL, "llama", "own"),
        ),
        (
            {"CHAT_URL": OPENAI, "OPENAI_API_KEY": "sk-1", "CHAT_MODEL": "gpt", "CHAT_API_KEY": "own"},
            (OPENAI, "gpt", "own"),
        ),
    ],
)
def test_a_key_goes_to_its_own_address_only(environment, wanted):
    found = chat_model(Settings.model_validate(environment), httpx.AsyncClient())
    assert ((found.url, found.name, found.key) if found else None) == wanted


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"CHAT_URL": LOCAL}, "CHAT_MODEL"),
        ({"CHAT_MODEL": "llama"}, "CHAT_URL"),
        ({"CHAT_URL": "localhost", "CHAT_MODEL": "llama"}, "CHAT_URL"),
        ({"OPENAI_API_KEY": "sk-1", "CHAT_MODEL": "gpt", "CHAT_API_KEY": "own"}, "CHAT_URL"),
        ({"EXTROPHI_CHAT_SECONDS": "-1"}, "EXTROPHI_CHAT_SECONDS"),
    ],
)
def test_a_wrong_setting_ends_the_start_with_one_line_that_names_it(monkeypatch, capsys, environment, named):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        read_settings()
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert named in said
    assert "sk-1" not in said


def test_a_key_may_come_from_a_file_and_blanks_count_as_unset(monkeypatch, tmp_path):
    (tmp_path / "key").write_text("from-file\n")
    for name, value in {"CHAT_URL": LOCAL, "CHAT_MODEL": "m", "CHAT_API_KEY_FILE": str(tmp_path / "key")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("EMBEDDINGS_URL", "  ")
    settings = read_settings()
    assert settings.chat_api_key is not None
    assert settings.chat_api_key.get_secret_value() == "from-file"
    assert settings.embeddings_url is None


@pytest.mark.parametrize(("url", "lines"), [(LOCAL, 0), ("http://127.0.0.1:1/v1", 0), (OPENAI, 1)])
def test_where_text_leaves_the_machine_a_line_says_so(caplog, url, lines):
    caplog.set_level(logging.INFO)
    given = {"CHAT_URL": url, "CHAT_MODEL": "m", "CHAT_API_KEY": "sk-1"}
    chat_model(Settings.model_validate(given), httpx.AsyncClient())
    assert [record.getMessage().count("chat.leaves_this_machine") for record in caplog.records] == [1] * lines
    assert "sk-1" not in caplog.text

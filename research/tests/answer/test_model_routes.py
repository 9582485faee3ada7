"""What writes answers, as one asks before one asks a question."""

from typing import Any

from tests.chat_endpoint import ChatEndpoint


async def test_without_a_chat_model_answers_are_quotations(research: Any) -> None:
    told = {"model": "extractive", "url": None, "is_elsewhere": False}
    assert (await research.client.get("/answer/model")).json() == told
    tested = (await research.client.post("/answer/model/test")).json()
    assert tested["state"] == "extractive"
    assert tested["detail"]


async def test_a_chat_model_is_named_and_asked_and_its_key_is_not_told(
    start_research: Any, database: str, library: Any, tmp_path: Any, chat: ChatEndpoint
) -> None:
    del library  # it migrates the database
    chat.reply = ("yes",)
    more = {"CHAT_URL": chat.url, "CHAT_MODEL": "m", "CHAT_API_KEY": "very-secret"}
    async with start_research(database, tmp_path, **more) as research:
        answer = await research.client.get("/answer/model")
        assert answer.json() == {"model": "m", "url": chat.url, "is_elsewhere": False}
        assert not chat.requests

        tested = await research.client.post("/answer/model/test")
        assert tested.json()["state"] == "ok"
        assert len(chat.requests) == 1
        assert "very-secret" not in answer.text + tested.text


async def test_a_chat_model_that_refuses_is_told_in_words(
    start_research: Any, database: str, library: Any, tmp_path: Any, chat: ChatEndpoint
) -> None:
    del library
    more = {"CHAT_URL": chat.url, "CHAT_MODEL": "m"}
    async with start_research(database, tmp_path, **more) as research:
        chat.status = 401
        tested = (await research.client.post("/answer/model/test")).json()
        assert (tested["state"], tested["detail"]) == (
            "failed",
            "It did not work: the chat model at 127.0.0.1 refuses the key that was given for it.",
        )
        chat.status, chat.reply = 200, ()
        assert (await research.client.post("/answer/model/test")).json()["state"] == "failed"

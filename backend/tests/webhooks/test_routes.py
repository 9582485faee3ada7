"""A source's webhook over HTTP."""

import base64
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from backend.tests.webhooks.receiver import Receiver, receiving
from extrophi_backend.app import create_app
from extrophi_backend.db import Connection
from extrophi_backend.settings import Settings

GIVEN = "whsec_" + base64.b64encode(b"x" * 32).decode()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    ours: dict[str, Any] = {"secret_key": SecretStr("5" * 64), "fetch_allow": (ip_network("127.0.0.0/8"),)}
    return settings.model_copy(update=ours)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
async def path(api: httpx.AsyncClient) -> str:
    made = await api.post("/sources", json={"target": "https://pond.example/feed", "collect": False})
    return f"/sources/{made.json()['id']}/webhook"


async def test_a_secret_is_made_and_shown_once(api: httpx.AsyncClient, path: str, conn: Connection) -> None:
    made = await api.put(path, json={"url": "https://example.org/hook"})
    secret = made.json()["secret"]
    assert made.status_code == 200
    assert secret.startswith("whsec_")
    assert (await api.put(path, json={"url": "https://example.org/new"})).json()["secret"] is None
    shown = await api.get(path)
    assert shown.json()["url"] == "https://example.org/new"
    assert (shown.json()["state"], shown.json()["waiting"], shown.json()["next_attempt_at"]) == ("active", 0, None)
    assert "secret" not in shown.json()
    stored = await conn.fetchval("SELECT sealed FROM webhooks")
    assert base64.b64decode(secret.removeprefix("whsec_")) not in stored
    assert secret.encode() not in stored
    assert (await api.put(path, json={"url": "https://example.org/new", "secret": GIVEN})).json()["secret"] is None
    assert await conn.fetchval("SELECT sealed FROM webhooks") != stored


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "ftp://example.org"}, "url"),
        ({"url": "https://user:pass@example.org/"}, "url"),
        ({"url": "example.org"}, "url"),
        ({"url": "https://"}, "url"),
        ({"url": ""}, "url"),
        ({"url": "https://example.org/", "secret": "x"}, "secret"),
        ({"url": "https://example.org/", "secret": "whsec_!!"}, "secret"),
        ({"url": "https://example.org/", "secret": "whsec_" + base64.b64encode(b"x" * 23).decode()}, "secret"),
        ({"url": "https://example.org/", "more": 1}, "more"),
    ],
)
async def test_bad_input_is_refused_by_its_field(
    api: httpx.AsyncClient, path: str, body: dict[str, Any], field: str
) -> None:
    answer = await api.put(path, json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert (await api.get(path)).status_code == 404


async def test_webhooks_are_listed_with_what_they_tell_of(api: httpx.AsyncClient) -> None:
    ids: list[str] = []
    for number in range(3):
        made = await api.post("/sources", json={"target": f"https://pond-{number}.example/feed", "collect": False})
        ids.append(made.json()["id"])
        await api.put(f"/sources/{ids[-1]}/webhook", json={"url": f"https://example.org/{number}"})
    await api.post("/sources", json={"target": "https://silent.example/", "collect": False})
    page = (await api.get("/webhooks", params={"limit": 2})).json()
    rest = (await api.get("/webhooks", params={"limit": 2, "cursor": page["next_cursor"]})).json()
    found = [(one["source_id"], one["target"], one["url"]) for one in page["items"] + rest["items"]]
    assert found == [
        (ids[number], f"https://pond-{number}.example/feed", f"https://example.org/{number}") for number in (2, 1, 0)
    ]
    assert (len(page["items"]), rest["next_cursor"]) == (2, None)
    assert page["items"][0] == (await api.get(f"/sources/{ids[2]}/webhook")).json()
    assert (await api.get("/webhooks", params={"cursor": "x"})).status_code == 422


async def test_a_secret_is_rotated_and_the_new_one_shown_once(
    api: httpx.AsyncClient, path: str, conn: Connection
) -> None:
    assert (await api.post(f"{path}/rotate", json={})).status_code == 404
    first = (await api.put(path, json={"url": "https://example.org/hook"})).json()["secret"]
    await conn.execute("UPDATE webhooks SET state = 'disabled'")
    rotated = (await api.post(f"{path}/rotate", json={})).json()
    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != first
    assert (rotated["state"], rotated["url"]) == ("disabled", "https://example.org/hook")
    own = await api.post(f"{path}/rotate", json={"secret": GIVEN})
    assert (own.status_code, own.json()["secret"]) == (200, None)
    for wrong, field in (({"secret": "x"}, "secret"), ({"url": "https://example.org/"}, "url")):
        refused = await api.post(f"{path}/rotate", json=wrong)
        assert (refused.status_code, refused.json()["field"]) == (422, field)
    # Set anew, with another secret: nothing is left of those before.
    again = "whsec_" + base64.b64encode(b"y" * 32).decode()
    assert (await api.put(path, json={"url": "https://example.org/hook", "secret": again})).json()["state"] == "active"
    assert await conn.fetchval("SELECT former_sealed FROM webhooks") is None


async def test_a_test_tells_what_the_receiver_says(api: httpx.AsyncClient, path: str, receiver: Receiver) -> None:
    await api.put(path, json={"url": receiver.url("/hook"), "secret": GIVEN})
    assert (await api.post(f"{path}/test")).json() == {"delivered": True, "status": 204, "error": None}
    (message,) = receiver.got
    assert message.body["type"] == "test"
    assert message.headers["webhook-signature"].startswith("v1,")
    receiver.answers["/hook"] = (503, {})
    tried = (await api.post(f"{path}/test")).json()
    assert (tried["delivered"], tried["status"], tried["error"]["code"]) == (False, 503, "http_503")


async def test_a_webhook_goes_with_its_source_or_by_itself(api: httpx.AsyncClient, path: str, conn: Connection) -> None:
    assert (await api.delete(path)).status_code == 404
    await api.put(path, json={"url": "https://example.org/hook"})
    assert (await api.delete(path)).status_code == 204
    for answer in (await api.get(path), await api.delete(path), await api.post(f"{path}/test")):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    await api.put(path, json={"url": "https://example.org/hook"})
    assert (await api.delete(path.removesuffix("/webhook"))).status_code == 204
    assert await conn.fetchval("SELECT count(*) FROM webhooks") == 0
    assert (await api.get(path)).status_code == 404
    assert (await api.put(path, json={"url": "https://example.org/hook"})).status_code == 404


async def test_without_a_key_to_seal_under_no_secret_is_stored(
    api: httpx.AsyncClient, path: str, settings: Settings
) -> None:
    await api.put(path, json={"url": "https://example.org/hook"})
    for key, expected in ((SecretStr("6" * 64), 200), (None, 409)):
        app = create_app(settings.model_copy(update={"secret_key": key}))
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://backend") as other,
        ):
            tried = await other.post(f"{path}/test")
            assert tried.json()["error"]["code"] == "secret_unreadable"
            answer = await other.put(path, json={"url": "https://example.org/hook", "secret": GIVEN})
            assert answer.status_code == expected
            assert (await other.post(f"{path}/rotate", json={})).status_code == expected

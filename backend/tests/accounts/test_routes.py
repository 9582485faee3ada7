import asyncio
import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from backend.tests.accounts.conftest import Serve
from extrophi_backend.accounts.service import Accounts
from extrophi_backend.db import Pool
from extrophi_backend.settings import Settings
from tests.platforms_server import PlatformsServer

BEARER = "AAAAAAAAAAAAAAAAAAAAAJ" + "bearer%3D" * 5
AUTH, CT0 = "a1" * 20, "c7" * 80
X_COOKIES = f".x.com\tTRUE\t/\tTRUE\t{{}}\tauth_token\t{AUTH}\n.x.com\tTRUE\t/\tTRUE\t{{}}\tct0\t{CT0}\n"


async def account(api: httpx.AsyncClient, platform: str) -> dict[str, Any]:
    answer = await api.get("/accounts")
    assert answer.status_code == 200, answer.text
    return next(one for one in answer.json()["items"] if one["platform"] == platform)


async def put(api: httpx.AsyncClient, platform: str, **values: str) -> dict[str, Any]:
    answer = await api.put(f"/accounts/{platform}", json={"values": values})
    assert answer.status_code == 200, answer.text
    return answer.json()


def credential(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in found["credentials"] if one["name"] == name)


def after(**time: float) -> int:
    return int((datetime.now(UTC) + timedelta(**time)).timestamp())


async def test_each_platform_tells_what_it_can_have_and_how_to_get_it(api: httpx.AsyncClient) -> None:
    answer = (await api.get("/accounts")).json()
    states = {one["platform"]: one["state"] for one in answer["items"]}
    assert states == {
        "twitter": "missing",
        "reddit": "missing",
        "youtube": "none_needed",
        "web": "none_needed",
        "files": "none_needed",
    }
    assert all(one["how"] for one in answer["items"])
    twitter = await account(api, "twitter")
    assert [one["setting"] for one in twitter["credentials"]] == ["X_BEARER_TOKEN", "X_AUTH_TOKEN", "X_CT0"]
    assert {one["state"] for one in twitter["credentials"]} == {"not_set"}


async def test_what_is_set_is_told_and_never_shown(api: httpx.AsyncClient) -> None:
    found = await put(api, "twitter", bearer_token=f"  Bearer {BEARER}\n")
    assert found["state"] == "set"
    assert (credential(found, "bearer_token")["source"], credential(found, "bearer_token")["state"]) == (
        "stored",
        "set",
    )
    assert BEARER not in json.dumps(found)
    assert BEARER not in (await api.get("/accounts")).text


async def test_half_a_session_opens_nothing_and_says_what_lacks(api: httpx.AsyncClient) -> None:
    found = await put(api, "twitter", auth_token=AUTH)
    assert found["state"] == "missing"
    assert "ct0" in found["hint"]
    assert (await put(api, "twitter", ct0=CT0))["state"] == "set"


async def test_a_browsers_export_gives_the_session_of_x_alone(
    api: httpx.AsyncClient, pool: Pool, settings: Settings
) -> None:
    soon = after(days=3)
    export = X_COOKIES.format(soon, soon) + ".bank.example\tTRUE\t/\tTRUE\t0\tsid\thunter2\n"
    found = await put(api, "twitter", cookies=export)
    assert found["state"] == "expiring"
    assert datetime.fromisoformat(found["expires_at"]).timestamp() == soon
    used = await Accounts(pool, settings).credentials("twitter")
    assert used.values == {"auth_token": AUTH, "ct0": CT0}
    assert not used.cookies
    assert AUTH not in repr(used)


async def test_an_expired_session_is_said_to_be_so_and_not_used(
    api: httpx.AsyncClient, pool: Pool, settings: Settings
) -> None:
    found = await put(api, "twitter", cookies=X_COOKIES.format(after(days=-1), after(days=90)))
    assert (found["state"], credential(found, "ct0")["state"]) == ("expired", "set")
    assert not {"auth_token"} & (await Accounts(pool, settings).credentials("twitter")).values.keys()


async def test_a_token_that_says_when_it_ends_is_believed(api: httpx.AsyncClient) -> None:
    parts = [{"alg": "RS256"}, {"exp": after(days=2)}]
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    found = await put(
        api, "reddit", client_id="an-apps-own-id", client_secret="s" * 27, refresh_token=f"{head}.{body}.sig"
    )
    assert found["state"] == "expiring"
    assert credential(found, "refresh_token")["expires_at"]
    found = await put(api, "reddit", refresh_token="123456-not.a.web.token")
    assert credential(found, "refresh_token")["expires_at"] is None


async def test_a_private_feeds_address_gives_its_token_and_user(
    api: httpx.AsyncClient, pool: Pool, settings: Settings
) -> None:
    address = f"https://www.reddit.com/user/heron/saved.rss?feed={'f1' * 20}&user=heron"
    assert (await put(api, "reddit", feed_token=address))["state"] == "set"
    assert (await Accounts(pool, settings).credentials("reddit")).values == {
        "feed_token": "f1" * 20,
        "feed_user": "heron",
    }


async def test_cookies_of_one_site_are_kept_beside_anothers_and_replaced_by_its_own(
    api: httpx.AsyncClient, pool: Pool, settings: Settings
) -> None:
    await put(api, "web", cookies="a.example\tFALSE\t/\tFALSE\t0\tone\tv\na.example\tFALSE\t/\tFALSE\t0\ttwo\tv")
    await put(api, "web", cookies="b.example\tFALSE\t/\tFALSE\t0\tthree\tv")
    found = await put(api, "web", cookies="a.example\tFALSE\t/\tFALSE\t0\tfour\tv")
    assert [one["host"] for one in found["credentials"]] == ["a.example", "b.example"]
    accounts = Accounts(pool, settings)
    assert {one.name for one in (await accounts.credentials("web")).cookies} == {"three", "four"}
    gone = await api.delete("/accounts/web", params={"name": "cookies", "host": "a.example"})
    assert gone.status_code == 204
    assert [one["host"] for one in (await account(api, "web"))["credentials"]] == ["b.example"]


async def test_what_is_removed_is_gone(api: httpx.AsyncClient) -> None:
    await put(api, "twitter", bearer_token=BEARER, auth_token=AUTH, ct0=CT0)
    assert (await api.delete("/accounts/twitter", params={"name": "auth_token"})).status_code == 204
    found = await account(api, "twitter")
    assert [one["name"] for one in found["credentials"] if one["source"]] == ["bearer_token", "ct0"]
    assert (await api.delete("/accounts/twitter")).status_code == 204
    assert (await account(api, "twitter"))["state"] == "missing"
    gone = await api.delete("/accounts/twitter")
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("platform", "values"),
    [
        ("twitter", {"bearer_token": "hunter2"}),
        ("twitter", {"bearer_token": BEARER, "ct0": "hunter2 hunter2 hunter2"}),
        ("twitter", {"hunter2": BEARER}),
        ("twitter", {"bearer_token": BEARER, "client_id": "hunter2hunter2"}),
        ("twitter", {"cookies": "a.example\tFALSE\t/\tFALSE\t0\tone\thunter2"}),
        ("twitter", {"bearer_token": f"{BEARER}\r\nX-Hunter2: hunter2"}),
        ("twitter", {"bearer_token": f"hunter2\ud800{BEARER}"}),
        ("twitter", {"bearer_token": f"hunter2\0{BEARER}"}),
        ("twitter", {"bearer_token": 5, "hunter2": None}),
        ("twitter", ["hunter2"]),
        ("twitter", "hunter2"),
        ("twitter", {}),
        ("twitter", {"bearer_token": " "}),
        ("twitter", {"bearer_token": "x" * 600_000}),
        ("reddit", {"feed_token": "https://www.reddit.com/.rss?feed=hunter2"}),
        ("reddit", {"feed_token": "https://[hunter2?feed=x&user=y"}),
        ("youtube", {"cookies": ".youtube.com\tTRUE\t/\tTRUE\t0\tPREF\thunter2"}),
        ("youtube", {"cookies": "hunter2"}),
        ("web", {"cookies": "\n".join(f"h{n}.example\tFALSE\t/\tFALSE\t0\tn\thunter2" for n in range(60))}),
        ("files", {"password": "hunter2"}),
        ("hunter2", {"password": "hunter2"}),
    ],
)
async def test_what_cannot_be_it_is_refused_and_not_repeated(
    api: httpx.AsyncClient, platform: str, values: object
) -> None:
    body = json.dumps({"values": values}).encode()
    answer = await api.put(f"/accounts/{platform}", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert answer.json()["field"]
    assert "hunter2" not in answer.text.lower().replace("input should be 'hunter2", "")
    assert all(
        not one["source"] for item in (await api.get("/accounts")).json()["items"] for one in item["credentials"]
    )


async def test_without_a_key_nothing_is_stored_and_it_is_said_how_to_make_one(serve: Serve) -> None:
    async with serve(secret_key=None) as api:
        answer = await api.put("/accounts/twitter", json={"values": {"bearer_token": BEARER}})
        assert (answer.status_code, answer.json()["code"]) == (409, "no_secret_key")
        assert "/dev/urandom" in answer.json()["hint"]
        assert (await account(api, "twitter"))["state"] == "missing"
        assert (await api.get("/accounts")).json()["key"] is None
        assert (await api.get("/stats")).status_code == 200
        assert (await api.post("/accounts/rotate")).json()["code"] == "no_secret_key"


async def test_under_another_key_it_is_unreadable_and_says_what_to_do(serve: Serve, settings: Settings) -> None:
    async with serve() as api:
        await put(api, "twitter", bearer_token=BEARER)
        first = (await api.get("/accounts")).json()["key"]
    for key in (SecretStr("22" * 32), None):
        async with serve(secret_key=key) as api:
            found = await account(api, "twitter")
            assert found["state"] == "unreadable"
            assert "EXTROPHI_SECRET_KEY" in found["hint"]
            assert (await api.get("/accounts")).json()["key"] != first
            tested = await api.post("/accounts/twitter/test")
            assert (tested.status_code, tested.json()["tests"]) == (200, [])
    async with serve(key_ring=settings.data / "lost", secret_key=None) as api:  # the home lost its key
        assert (await account(api, "twitter"))["state"] == "unreadable"
        answer = await api.put("/accounts/twitter", json={"values": {"bearer_token": BEARER}})
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_a_row_moved_to_anothers_place_is_unreadable(api: httpx.AsyncClient, pool: Pool) -> None:
    await put(api, "web", cookies="a.example\tFALSE\t/\tFALSE\t0\tone\tv\nb.example\tFALSE\t/\tFALSE\t0\ttwo\tv")
    await pool.execute("UPDATE credentials SET host = 'c.example' WHERE host = 'b.example'")
    states = {one["host"]: one["state"] for one in (await account(api, "web"))["credentials"]}
    assert states == {"a.example": "set", "c.example": "unreadable"}


async def test_the_environment_goes_before_what_is_stored(serve: Serve, pool: Pool, settings: Settings) -> None:
    async with serve() as api:
        await put(api, "twitter", bearer_token=BEARER)
    other = {"x_bearer_token": SecretStr("Z" * 60)}
    async with serve(**other) as api:
        found = credential(await account(api, "twitter"), "bearer_token")
        assert (found["source"], found["set_at"]) == ("environment", None)
        answer = await api.put("/accounts/twitter", json={"values": {"bearer_token": BEARER}})
        assert (answer.status_code, "X_BEARER_TOKEN" in answer.json()["detail"]) == (409, True)
        used = await Accounts(pool, settings.model_copy(update=other)).credentials("twitter")
        assert used.values == {"bearer_token": "Z" * 60}
        assert (await api.delete("/accounts/twitter")).status_code == 204  # what is stored
        answer = await api.delete("/accounts/twitter")
        assert (answer.status_code, "X_BEARER_TOKEN" in answer.json()["detail"]) == (409, True)


async def test_the_platforms_say_whether_their_credentials_are_set(api: httpx.AsyncClient) -> None:
    async def told() -> dict[str, str]:
        return {one["platform"]: one["credentials"] for one in (await api.get("/platforms")).json()["items"]}

    before = {"web": "none", "files": "none", "twitter": "missing", "youtube": "none", "reddit": "missing"}
    assert await told() == before
    await put(api, "twitter", auth_token=AUTH)
    assert await told() == before
    await put(api, "twitter", ct0=CT0)
    assert await told() == before | {"twitter": "set"}


async def test_without_the_database_the_environments_are_told(serve: Serve) -> None:
    away = {"database_url": SecretStr("postgresql://nobody@127.0.0.1:9/none"), "x_bearer_token": SecretStr(BEARER)}
    async with serve(**away) as api:
        told = {one["platform"]: one["credentials"] for one in (await api.get("/platforms")).json()["items"]}
        assert (told["twitter"], told["reddit"]) == ("set", "missing")
        assert (await api.get("/accounts")).status_code == 503


YOUTUBE = f".youtube.com\tTRUE\t/\tTRUE\t{{}}\tLOGIN_INFO\t{'y' * 40}\n.google.com\tTRUE\t/\tTRUE\t0\tSID\tg\n"
GIVEN: list[tuple[str, dict[str, str], list[list[str]]]] = [
    ("twitter", {"bearer_token": BEARER}, [["bearer_token"]]),
    ("twitter", {"auth_token": AUTH, "ct0": CT0}, [["auth_token", "ct0"]]),
    ("reddit", {"client_id": "an-apps-own-id", "client_secret": "s" * 27}, [["client_id", "client_secret"]]),
    (
        "reddit",
        {"client_id": "an-apps-own-id", "client_secret": "s" * 27, "refresh_token": "12-" + "r" * 30},
        [["client_id", "client_secret"], ["refresh_token"]],
    ),
    ("reddit", {"feed_token": "f1" * 20, "feed_user": "heron"}, [["feed_token", "feed_user"]]),
    ("youtube", {"cookies": YOUTUBE.format(after(days=90))}, [["cookies"]]),
]
SECRETS = {BEARER, AUTH, CT0, "an-apps-own-id", "s" * 27, "12-" + "r" * 30, "f1" * 20, "heron", "y" * 40}


async def tried(api: httpx.AsyncClient, platform: str) -> dict[str, Any]:
    answer = await api.post(f"/accounts/{platform}/test")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(("platform", "values", "names"), GIVEN)
async def test_a_platform_that_takes_them_makes_them_ok(
    api: httpx.AsyncClient, platforms: PlatformsServer, platform: str, values: dict[str, str], names: list[list[str]]
) -> None:
    platforms.takes = SECRETS
    await put(api, platform, **values)
    told = await tried(api, platform)
    assert [(one["names"], one["state"]) for one in told["tests"]] == [(one, "ok") for one in names]
    assert told["account"]["state"] == "ok"
    assert told["account"]["tested_at"]
    assert len(platforms.asked) == len(names)
    assert all(asked.headers["User-Agent"].startswith("Extrophi/") for asked in platforms.asked)


@pytest.mark.parametrize(("platform", "values", "names"), GIVEN)
async def test_a_platform_that_does_not_marks_them_refused(
    api: httpx.AsyncClient, platforms: PlatformsServer, platform: str, values: dict[str, str], names: list[list[str]]
) -> None:
    platforms.takes = SECRETS - {"12-" + "r" * 30} if len(names) == 2 else set()
    await put(api, platform, **values)
    told = await tried(api, platform)
    assert (told["tests"][-1]["names"], told["tests"][-1]["state"]) == (names[-1], "refused")
    assert told["account"]["state"] == "refused"
    assert told["account"]["hint"]
    await put(api, platform, **{name: f"{text}1" for name, text in values.items() if name != "cookies"} or values)
    again = await account(api, platform)
    if platform != "youtube":  # whose cookies are the same again
        assert again["state"] == "set"  # the refusal was of another value


@pytest.mark.parametrize("how", ["limited", "broken", "elsewhere"])
@pytest.mark.parametrize(("platform", "values", "names"), GIVEN)
async def test_what_tells_nothing_changes_nothing(
    api: httpx.AsyncClient,
    platforms: PlatformsServer,
    platform: str,
    values: dict[str, str],
    names: list[list[str]],
    how: Any,
) -> None:
    platforms.how = how
    await put(api, platform, **values)
    told = await tried(api, platform)
    if how == "elsewhere" and "feed_token" in values:
        assert told["account"]["state"] == "refused"  # a private feed never leads elsewhere
        return
    assert [(one["names"], one["state"]) for one in told["tests"]] == [(one, "unknown") for one in names]
    assert told["account"]["state"] == "set"
    assert all(one["detail"] for one in told["tests"])
    assert len(platforms.asked) == len(names)  # no redirect is followed with them


async def test_a_platform_out_of_reach_is_said_to_be_so(serve: Serve) -> None:
    async with serve(fetch_allow=()) as api:  # the guard lets nobody reach loopback
        await put(api, "twitter", bearer_token=BEARER)
        (test,) = (await tried(api, "twitter"))["tests"]
        assert test["state"] == "unknown"
        assert "not on the public internet" in test["detail"]


async def test_youtubes_cookies_go_to_youtube_as_a_browser_sends_them(
    api: httpx.AsyncClient, platforms: PlatformsServer
) -> None:
    await put(api, "youtube", cookies=YOUTUBE.format(after(days=90)))
    await tried(api, "youtube")
    (asked,) = platforms.asked
    assert asked.headers["Cookie"] == f"LOGIN_INFO={'y' * 40}"  # not Google's own


async def test_web_cookies_are_for_their_owner_to_try(api: httpx.AsyncClient, platforms: PlatformsServer) -> None:
    await put(api, "web", cookies="a.example\tFALSE\t/\tFALSE\t0\tone\tv")
    told = await tried(api, "web")
    assert (told["tests"][0]["state"], told["account"]["state"]) == ("unknown", "set")
    assert not platforms.asked
    assert (await tried(api, "files"))["tests"] == []


async def test_a_collector_notes_a_refusal_of_what_it_used_alone(
    api: httpx.AsyncClient, pool: Pool, settings: Settings
) -> None:
    accounts = Accounts(pool, settings)
    await put(api, "twitter", bearer_token=BEARER)
    used = await accounts.credentials("twitter")
    await put(api, "twitter", bearer_token="Z" * 60)  # while the collector was asking with the old
    await accounts.note_refused(used, ["bearer_token"], "X's API answers 401.")
    assert (await account(api, "twitter"))["state"] == "set"
    await accounts.note_refused(await accounts.credentials("twitter"), ["bearer_token"], "X's API answers 401.")
    found = await account(api, "twitter")
    assert (found["state"], credential(found, "bearer_token")["detail"]) == ("refused", "X's API answers 401.")


async def test_a_refusal_of_what_the_environment_gives_is_kept_too(serve: Serve) -> None:
    given = {"x_bearer_token": SecretStr(BEARER)}
    async with serve(**given) as api:
        assert (await tried(api, "twitter"))["account"]["state"] == "refused"
    async with serve(**given) as api:
        assert (await account(api, "twitter"))["state"] == "refused"
    async with serve(x_bearer_token=SecretStr("Z" * 60)) as api:
        assert (await account(api, "twitter"))["state"] == "set"


async def test_the_log_warns_once_a_day(
    api: httpx.AsyncClient, pool: Pool, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    await put(api, "twitter", cookies=X_COOKIES.format(after(days=3), after(days=3)))
    await put(api, "reddit", feed_token="f1" * 20, feed_user="heron")
    workers = [Accounts(pool, settings) for _ in range(2)]

    async def warned() -> list[str]:
        caplog.clear()
        for one in workers:
            await one.warn()
        return [record.getMessage() for record in caplog.records if "accounts.warning" in record.getMessage()]

    (line,) = await warned()
    assert "platform=twitter" in line
    assert "state=expiring" in line
    assert await warned() == []
    await pool.execute("UPDATE credential_warnings SET warned_at = warned_at - interval '25 hours'")
    assert len(await warned()) == 1


async def test_putting_twice_at_once_leaves_one_of_both(api: httpx.AsyncClient, pool: Pool, settings: Settings) -> None:
    pairs = [(f"{n}a" * 20, f"{n}c" * 20) for n in range(8)]
    await asyncio.gather(*(put(api, "twitter", auth_token=one, ct0=two) for one, two in pairs))
    values = (await Accounts(pool, settings).credentials("twitter")).values
    assert (values["auth_token"], values["ct0"]) in pairs

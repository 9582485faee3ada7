"""What Reddit refuses, each with its own code; its rate limits; and credentials that it does not take."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from extrophi_backend.accounts.service import Accounts
from extrophi_backend.collectors.models import Target
from extrophi_backend.collectors.reddit.collector import RedditCollector, make_collector
from extrophi_backend.collectors.reddit.target import recognise
from extrophi_backend.db import Pool
from extrophi_backend.errors import PlatformUnavailable, Refused
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.fetch.errors import Paced
from extrophi_backend.settings import Settings
from extrophi_backend.sources.states import reason_of, state_of
from tests.collecting import LOOPBACK, Library
from tests.platforms.reddit import APP, WINDOW_SECONDS, RedditServer, Reply, make_thread, refusal

pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")

NEW = "/r/selfhosted/new"
SEARCHING = {"Location": "https://www.reddit.com/subreddits/search?q=selfhosted"}
ELSEWHERE = {"Location": "https://www.reddit.com/r/other/new"}
LOGIN = {"Location": "https://www.reddit.com/login/?dest=x"}
PAGE = "<!doctype html><html><body>whoa there, pardner!</body></html>"


def target(typed: str) -> Target:
    found = recognise(typed)
    assert found is not None
    return found


SELFHOSTED = target("r/selfhosted")


@pytest.mark.parametrize(
    ("reply", "code", "state"),
    [
        (refusal(403, "private"), "private_subreddit", "login_needed"),
        (refusal(403, "quarantined"), "quarantined", "login_needed"),
        (refusal(403, "gated"), "quarantined", "login_needed"),
        (refusal(403, "gold_only"), "payment_needed", "login_needed"),
        (refusal(403), "http_403", "blocked"),
        (Reply(403, PAGE, "text/html"), "http_403", "blocked"),
        (refusal(404, "banned"), "banned", "removed"),
        (refusal(404), "not_found", "gone"),
        (Reply(302, headers=SEARCHING), "not_found", "gone"),
        (Reply(302, headers=LOGIN), "login_needed", "login_needed"),
        (Reply(302, headers=ELSEWHERE), "unreadable_answer", "failed"),
        (Reply(451, PAGE, "text/html"), "withheld", "blocked"),
        (Reply(418, PAGE, "text/html"), "http_418", "failed"),
        (Reply(200, PAGE, "text/html"), "unreadable_answer", "failed"),
        (Reply(200, "[" * 100_000), "unreadable_answer", "failed"),
        (Reply(200, '{"kind": "Listing"}'), "unreadable_answer", "failed"),
        (Reply(204), "http_204", "failed"),
    ],
)
async def test_each_refusal_of_a_list_ends_the_job_with_its_own_code(
    server: RedditServer, collector: RedditCollector, reply: Reply, code: str, state: str
) -> None:
    server.replies[NEW] = reply
    with pytest.raises(Refused) as refused:
        await Library().collect(collector, SELFHOSTED)
    assert (refused.value.code, state_of(refused.value.code)) == (code, state)
    assert reason_of(refused.value.code, refused.value.detail, refused.value.hint).hint
    assert server.asked[NEW] == 1


@pytest.mark.parametrize(
    ("about", "code"),
    [
        ({"kind": "t2", "data": {"name": "ada", "is_suspended": True}}, "suspended"),
        ({"kind": "t2", "data": {"name": "ada"}}, "http_403"),
        (None, "http_403"),
    ],
)
async def test_a_suspended_user_is_told_from_other_refusals(
    server: RedditServer, collector: RedditCollector, about: Any, code: str
) -> None:
    server.replies["/user/ada/submitted"] = refusal(403)
    server.answers |= {"/user/ada/about": about} if about else {}
    with pytest.raises(Refused) as refused:
        await Library().collect(collector, target("u/ada"))
    assert refused.value.code == code


async def test_a_user_who_is_not_there_is_not_found(server: RedditServer, collector: RedditCollector) -> None:
    with pytest.raises(Refused, match="Reddit has no u/nobody") as refused:
        await Library().collect(collector, target("u/nobody"))
    assert refused.value.code == "not_found"


async def test_a_server_that_stays_broken_is_given_up(server: RedditServer, collector: RedditCollector) -> None:
    server.replies[NEW] = Reply(503, PAGE, "text/html")
    with pytest.raises(Refused) as refused:
        await Library().collect(collector, SELFHOSTED)
    assert refused.value.code == "http_503"
    assert server.asked[NEW] == 3


async def test_an_answer_that_does_not_come_ends_the_job(server: RedditServer, keys: Any) -> None:
    fetcher = Fetcher(max_bytes=1_000_000, seconds=5, allow=LOOPBACK)
    collector = make_collector(fetcher, keys, reddit_url=server.url, oauth_url="http://127.0.0.1:1/")
    with pytest.raises(Refused) as refused:
        await Library().collect(collector, SELFHOSTED)
    assert refused.value.code == "connection_failed"
    await fetcher.close()


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"client_secret": "another-secret-of-27-chars"}, ("client_id", "client_secret")),
        ({"refresh_token": "a-token-that-was-revoked"}, ("refresh_token",)),
    ],
)
async def test_credentials_that_reddit_does_not_take_are_noted(
    server: RedditServer, collector: RedditCollector, keys: Any, changed: dict[str, str], names: tuple[str, ...]
) -> None:
    keys.values |= changed
    with pytest.raises(Refused) as refused:
        await Library().collect(collector, SELFHOSTED)
    assert refused.value.code == "credentials_refused"
    assert keys.refused == [names]
    assert not any(secret in refused.value.detail for secret in keys.values.values())
    keys.values = {"client_id": APP[0], "client_secret": APP[1]}
    server.add(make_thread("abc"), NEW)
    await Library().collect(collector, SELFHOSTED)  # new ones are used at once


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(200, '{"error": "unauthorized_client"}'), "credentials_refused"),
        (Reply(200, '{"access_token": 5, "expires_in": "soon", "scope": null}'), "unreadable_answer"),
        (Reply(200, "[]"), "unreadable_answer"),
        (Reply(200, PAGE, "text/html"), "unreadable_answer"),
        (Reply(400, '{"error": "unsupported_grant_type"}'), "http_400"),
        (Reply(401, PAGE, "text/html"), "credentials_refused"),
        (Reply(403, '{"error": "access_denied"}'), "credentials_refused"),
        (refusal(403), "http_403"),
        (Reply(403, PAGE, "text/html"), "http_403"),
    ],
)
async def test_whatever_the_tokens_address_answers_is_told(
    server: RedditServer, collector: RedditCollector, reply: Reply, code: str
) -> None:
    server.token_answer = reply
    with pytest.raises(Refused) as refused:
        await Library().collect(collector, SELFHOSTED)
    assert refused.value.code == code


async def test_a_token_that_ran_out_is_replaced(server: RedditServer, collector: RedditCollector) -> None:
    server.add(make_thread("abc", comments=2), NEW)
    await Library().collect(collector, SELFHOSTED)
    await Library().collect(collector, SELFHOSTED)
    assert server.asked["/api/v1/access_token"] == 1
    server.tokens.clear()
    library = Library()
    await library.collect(collector, SELFHOSTED)
    assert {*library.documents} == {"t3_abc"}
    assert server.asked["/api/v1/access_token"] == 2


async def test_a_token_that_is_never_good_is_a_refusal(
    server: RedditServer, collector: RedditCollector, keys: Any
) -> None:
    token = {"access_token": "not-one-of-ours", "token_type": "bearer", "expires_in": 3600, "scope": "*"}
    server.token_answer = Reply(body=json.dumps(token))
    with pytest.raises(Refused) as refused:
        await Library().collect(collector, SELFHOSTED)
    assert refused.value.code == "credentials_refused"
    assert keys.refused == [("client_id", "client_secret")]
    assert server.asked[NEW] == 2


async def test_a_token_that_may_not_do_this_is_a_refusal(
    server: RedditServer, collector: RedditCollector, keys: Any
) -> None:
    server.refresh_tokens.add("a-refresh-token-of-mine")
    keys.values["refresh_token"] = "a-refresh-token-of-mine"
    said = {"WWW-Authenticate": 'Bearer realm="reddit", error="insufficient_scope"'}
    server.replies[NEW] = Reply(403, '{"message": "Forbidden", "error": 403}', headers=said)
    with pytest.raises(Refused) as refused:
        await Library().collect(collector, SELFHOSTED)
    assert refused.value.code == "credentials_refused"
    assert keys.refused == [("refresh_token",)]


async def test_a_refusal_is_kept_with_the_persons_accounts(
    server: RedditServer, fetcher: Fetcher, pool: Pool, settings: Settings
) -> None:
    given = {"reddit_client_id": SecretStr(APP[0]), "reddit_client_secret": SecretStr("another-secret-of-27-chars")}
    accounts = Accounts(pool, settings.model_copy(update=given))
    collector = make_collector(fetcher, accounts, reddit_url=server.url, oauth_url=server.oauth_url)
    with pytest.raises(Refused):
        await Library().collect(collector, SELFHOSTED)
    held = (await accounts.held("reddit"))["reddit"]
    assert {one.name: one.test.state for one in held if one.test} == {
        "client_id": "refused",
        "client_secret": "refused",
    }
    await collector.close()


async def test_the_rate_limit_puts_the_job_off_and_it_goes_on_after_that(
    server: RedditServer, make: Any, paced: Fetcher, loop_time: list[float]
) -> None:
    for at in range(30):
        server.add(make_thread(f"p{at:05d}", comments=1), NEW)
    undisturbed, library = Library(), Library()
    await undisturbed.collect(make(), SELFHOSTED)
    server.remaining = 11
    server.asked.clear()
    collector = make(way_out=paced)
    with pytest.raises(Paced) as put_off:
        await library.collect(collector, SELFHOSTED)
    assert put_off.value.retry_after == WINDOW_SECONDS
    # The last answer said that none is left, so none was asked for that would have been refused.
    assert len(library.documents) == 10
    assert sum(server.asked.values()) == 12
    server.remaining = 100
    with pytest.raises(Paced):
        await library.collect(collector, SELFHOSTED, resume=True)
    assert sum(server.asked.values()) == 12
    loop_time[0] += WINDOW_SECONDS
    await library.collect(collector, SELFHOSTED, resume=True)
    assert dict(sorted(library.documents.items())) == dict(sorted(undisturbed.documents.items()))
    assert sum(server.asked.values()) == 12 + 1 + 20


async def test_a_429_is_obeyed_to_the_second(server: RedditServer, make: Any, paced: Fetcher) -> None:
    server.remaining = 0
    with pytest.raises(PlatformUnavailable) as put_off:
        await Library().collect(make(way_out=paced), SELFHOSTED)
    assert not isinstance(put_off.value, Paced)
    assert put_off.value.retry_after == WINDOW_SECONDS
    assert server.asked[NEW] == 1


async def test_a_tree_goes_on_where_reddit_asked_to_wait(
    server: RedditServer, make: Any, paced: Fetcher, loop_time: list[float]
) -> None:
    server.shown = 20
    server.add(make_thread("abc", comments=2500))
    undisturbed, library = Library(), Library()
    await undisturbed.collect(make(), target("redd.it/abc"))
    whole = sum(server.asked.values()) - 1
    assert whole > 8
    server.asked.clear()
    collector, waits = make(way_out=paced), 0
    server.remaining = 3
    while library.cursor != {"done": True}:
        try:
            await library.collect(collector, target("redd.it/abc"), resume=True)
        except PlatformUnavailable:
            waits += 1
            assert not library.documents
            server.remaining = 3
            loop_time[0] += WINDOW_SECONDS
    assert waits == -(-whole // 3) - 1
    assert library.documents == undisturbed.documents
    assert sum(server.asked.values()) - 1 == whole  # nothing was asked for twice
    assert not any(library.notes.values())


async def test_a_tree_of_any_size_goes_on_where_reddit_asked_to_wait(
    server: RedditServer, make: Any, paced: Fetcher, loop_time: list[float]
) -> None:
    server.shown = 20
    thread = server.add(make_thread("abc", comments=6000))
    for comment in thread.comments.values():
        comment["body_html"] = "As it is shown. " * 400
    undisturbed, library = Library(), Library()
    await undisturbed.collect(make(), target("redd.it/abc"))
    whole = sum(server.asked.values()) - 1
    server.asked.clear()
    collector, kept = make(way_out=paced), 0
    server.remaining = 11
    while library.cursor != {"done": True}:
        try:
            await library.collect(collector, target("redd.it/abc"), resume=True)
        except PlatformUnavailable:
            kept = max(kept, sum(len(json.dumps(one)) for one in library.notes.values()))
            assert all(len(json.dumps(one)) < 4_000_000 for one in library.notes.values())
            server.remaining = 11
            loop_time[0] += WINDOW_SECONDS
    assert kept > 16_000_000
    assert library.documents == undisturbed.documents
    assert sum(server.asked.values()) - 1 == whole  # nothing was asked for twice
    assert not any(library.notes.values())


async def test_answers_that_were_lost_meanwhile_are_asked_for_again(
    server: RedditServer, make: Any, paced: Fetcher, loop_time: list[float]
) -> None:
    server.shown = 20
    server.add(make_thread("abc", comments=1000))
    library, server.remaining = Library(), 3
    with pytest.raises(PlatformUnavailable):
        await library.collect(make(way_out=paced), target("redd.it/abc"))
    (name,) = library.notes
    library.notes[name] = {"part": "[]\n"}
    loop_time[0] += WINDOW_SECONDS
    server.remaining = 1000
    await library.collect(make(way_out=paced), target("redd.it/abc"), resume=True)
    assert len(library.documents["t3_abc"].anchors) == 1001
    assert server.asked["/comments/abc"] == 2
    assert not any(library.notes.values())


async def test_too_many_posts_in_a_row_without_an_answer_end_the_job(
    server: RedditServer, keys: Any, paced: Fetcher
) -> None:
    for at in range(6):
        server.add(make_thread(f"p{at:05d}", comments=1), NEW)
        server.replies[f"/comments/p{at:05d}"] = Reply(520, PAGE, "text/html")
    collector = make_collector(paced, keys, reddit_url=server.url, oauth_url=server.oauth_url)
    library = Library()
    with pytest.raises(Refused) as refused:
        await library.collect(collector, SELFHOSTED)
    assert refused.value.code == "http_520"
    assert [one.code for one in library.failures] == ["http_520"] * 3


async def test_no_secret_is_in_anything_that_is_kept(
    server: RedditServer, collector: RedditCollector, keys: Any
) -> None:
    server.refresh_tokens.add("a-refresh-token-of-mine")
    keys.values["refresh_token"] = "a-refresh-token-of-mine"
    thread = server.add(make_thread("abc", comments=3))
    listing = {
        "kind": "Listing",
        "data": {"modhash": "s1gns-wh4t-i-do", "children": [{"kind": "t3", "data": thread.post}]},
    }
    server.answers["/comments/abc"] = [
        listing,
        {"kind": "Listing", "data": {"modhash": "s1gns-wh4t-i-do", "children": []}},
    ]
    library = Library()
    await library.collect(collector, target("redd.it/abc"))
    kept = repr([library.documents, library.cursor, library.notes, library.failures])
    for secret in (*keys.values.values(), *server.tokens, "s1gns-wh4t-i-do"):
        assert secret not in kept

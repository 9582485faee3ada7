"""Each refusal that X documents has a code of its own, a state and a next step; and who refuses, is not asked on."""

from collections.abc import Callable
from typing import Any

import pytest

from backend.tests.collectors.twitter.samples import ADA, BEN, THEIRS, THREAD, at
from extrophi_backend.accounts.service import Accounts
from extrophi_backend.collectors.models import Target
from extrophi_backend.collectors.twitter.collector import TwitterCollector
from extrophi_backend.errors import Refused
from extrophi_backend.sources.states import reason_of, state_of
from tests.collecting import Library
from tests.platforms.x import TOKEN, User, XServer, not_found, problem_of

USER = at("x.com/AdaLovelace")
POST = at(f"x.com/i/status/{THEIRS.id}")
PROBLEMS = "https://api.twitter.com/2/problems/"


async def refusal(collector: TwitterCollector, target: Target) -> Refused:
    with pytest.raises(Refused) as raised:
        await Library().collect(collector, target)
    assert TOKEN not in raised.value.detail
    assert reason_of(raised.value.code, raised.value.detail, raised.value.hint).hint
    return raised.value


@pytest.mark.parametrize(
    ("status", "body", "code", "state"),
    [
        (401, {"title": "Unauthorized", "type": "about:blank", "status": 401}, "credentials_refused", "login_needed"),
        (403, {"title": "Forbidden", "type": "about:blank", "status": 403}, "credentials_refused", "login_needed"),
        (
            403,
            {"reason": "client-not-enrolled", "type": f"{PROBLEMS}client-forbidden", "title": "Client Forbidden"},
            "plan_too_small",
            "login_needed",
        ),
        (
            403,
            {"type": f"{PROBLEMS}unsupported-authentication", "title": "Unsupported Authentication"},
            "plan_too_small",
            "login_needed",
        ),
        (
            403,
            {"errors": [{"message": "a subset of X API V2 endpoints", "code": 453}]},
            "plan_too_small",
            "login_needed",
        ),
        (402, {"type": f"{PROBLEMS}credits", "title": "CreditsDepleted"}, "monthly_cap", "rate_limited"),
        (429, {"type": f"{PROBLEMS}usage-capped", "title": "UsageCapExceeded"}, "monthly_cap", "rate_limited"),
        (400, {"type": f"{PROBLEMS}invalid-request", "title": "Invalid Request"}, "request_refused", "failed"),
        (500, {}, "http_500", "failed"),
        (200, b"<html>", "unreadable_answer", "failed"),
        (200, [1], "unreadable_answer", "failed"),
        (200, {"hello": 1}, "unreadable_answer", "failed"),
    ],
)
async def test_refusals_of_a_request(
    server: XServer, collector: TwitterCollector, status: int, body: Any, code: str, state: str
) -> None:
    server.users["adalovelace"] = ADA
    server.answers[f"/2/users/{ADA.id}/tweets"] = (status, body, {})
    told = await refusal(collector, USER)
    assert told.code == code
    assert state_of(code) == state


async def test_a_refused_token_is_noted_with_the_account(server: XServer, accounts: Callable[..., Accounts]) -> None:
    from extrophi_backend.collectors.twitter.client import Caps, Client  # noqa: PLC0415  nothing else here talks
    from extrophi_backend.fetch.client import Fetcher  # noqa: PLC0415
    from tests.collecting import LOOPBACK  # noqa: PLC0415

    server.tokens = set()
    ours = accounts(x_bearer_token=TOKEN)
    fetcher = Fetcher(max_bytes=1_000_000, seconds=10, allow=LOOPBACK)
    client = Client(fetcher, ours, await ours.credentials("twitter"), url=server.url, caps=Caps())
    with pytest.raises(Refused):
        await client.user("adalovelace")
    await fetcher.close()
    (held,) = [one for one in (await ours.held("twitter"))["twitter"] if one.name == "bearer_token"]
    assert held.test is not None
    assert held.test.state == "refused"
    assert TOKEN not in held.test.detail


@pytest.mark.parametrize(
    ("problem", "code", "state"),
    [
        (not_found("user", "adalovelace", "username"), "not_found", "gone"),
        (
            problem_of("resource-not-found", "Forbidden", "User has been suspended: [AdaLovelace].", "user"),
            "suspended",
            "removed",
        ),
        (
            problem_of("not-authorized-for-resource", "Authorization Error", "Sorry, you are not authorized", "user"),
            "protected",
            "login_needed",
        ),
    ],
)
async def test_refusals_of_a_user(
    server: XServer, collector: TwitterCollector, problem: dict[str, str], code: str, state: str
) -> None:
    server.users_missing["adalovelace"] = problem
    told = await refusal(collector, USER)
    assert told.code == code
    assert state_of(code) == state


async def test_a_protected_user_is_protected(server: XServer, collector: TwitterCollector) -> None:
    server.users["adalovelace"] = User(ADA.id, ADA.handle, ADA.name, protected=True)
    assert (await refusal(collector, USER)).code == "protected"


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (not_found("tweet", THEIRS.id, "ids"), "not_found"),
        (
            problem_of("not-authorized-for-resource", "Authorization Error", "Sorry", "tweet", THEIRS.id, "ids"),
            "protected",
        ),
        (problem_of("disallowed-resource", "Disallowed", "Breaks the rules", "tweet", THEIRS.id, "ids"), "removed"),
        (problem_of("resource-unavailable", "Withheld", "Withheld in Germany", "tweet", THEIRS.id, "ids"), "withheld"),
        (
            problem_of("resource-not-found", "Forbidden", "User has been suspended", "tweet", THEIRS.id, "ids"),
            "suspended",
        ),
    ],
)
async def test_refusals_of_a_post(
    server: XServer, collector: TwitterCollector, problem: dict[str, str], code: str
) -> None:
    server.problems[THEIRS.id] = problem
    assert (await refusal(collector, POST)).code == code


async def test_a_list_that_is_not_there(collector: TwitterCollector) -> None:
    assert (await refusal(collector, at("x.com/i/lists/5"))).code == "not_found"


async def test_who_cannot_be_reached_is_a_failure_and_the_run_may_be_taken_up(
    make: Callable[..., TwitterCollector], server: XServer
) -> None:
    server.add(THREAD)
    collector = make(x_bearer_token=TOKEN)
    collector._api_url = "http://127.0.0.1:1"
    library = Library()
    await library.collect(collector, USER)
    assert [(one.target, one.code) for one in library.failures] == [(USER.canonical, "connection_failed")]
    assert library.cursor != {"done": True}


@pytest.mark.parametrize("typed", ["x.com/AdaLovelace", "x.com/i/lists/5", "x.com/search?q=heron"])
async def test_without_credentials_only_single_posts_are_had(make: Callable[..., TwitterCollector], typed: str) -> None:
    told = await refusal(make(), at(typed))
    assert told.code == "credentials_missing"
    assert state_of(told.code) == "login_needed"


async def test_half_a_session_is_none(make: Callable[..., TwitterCollector]) -> None:
    assert (await refusal(make(x_auth_token="a1b2c3d4e5" * 4), USER)).code == "credentials_missing"


async def test_bens_posts_are_not_adas(server: XServer, collector: TwitterCollector) -> None:
    server.add([THEIRS])
    library = Library()
    await library.collect(collector, at(f"x.com/{BEN.handle}"))
    assert library.documents.keys() == {THEIRS.id}

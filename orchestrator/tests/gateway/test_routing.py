import pytest
from hypothesis import given
from hypothesis import strategies as st

from extrophi_orchestrator.gateway.routing import route
from orchestrator.tests.servers import Door, Upstream


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (b"/api/documents", ("backend", b"/documents")),
        (b"/api/documents/", ("backend", b"/documents/")),
        (b"/api/jobs/0192/events", ("backend", b"/jobs/0192/events")),
        (b"/api/accounts/twitter/test", ("backend", b"/accounts/twitter/test")),
        (b"/api/events", ("backend", b"/events")),
        (b"/api/drafts/0192/images/a.png", ("backend", b"/drafts/0192/images/a.png")),
        (b"/api/answers", ("backend", b"/answers")),
        (b"/api/answer", ("research", b"/answer")),
        (b"/api/search", ("research", b"/search")),
        (b"/v1/embeddings", ("research", b"/v1/embeddings")),
        (b"/v1/models/a:b", ("research", b"/v1/models/a:b")),
    ],
)
def test_the_first_word_says_which_component(path: bytes, found: tuple[str, bytes]) -> None:
    assert route(path) == found


@pytest.mark.parametrize(
    "path",
    """/api /api/ / /v1 //api/documents /api//documents /api/documents//x /api/documents/../investigations
    /api/documents/.. /api/./documents /api/documents/. /api/%64ocuments /api/documents/%2e%2e/investigations
    /api/documents/..%2finvestigations /api/documents%2f..%2finvestigations /api/documents\\..\\investigations
    /api/documents;/../investigations /api/investigations /api/investigations/claims /api/health /api/metrics
    /API/documents /api/documentsx /api/documents/é /api/documents/a|b /v1/../documents /v2/models
    http://x/api/documents * documents""".split(),
)
def test_what_could_be_read_as_another_path_is_not_passed_on(path: str) -> None:
    assert route(path.encode("latin-1")) is None


@given(st.binary(max_size=60).map(lambda tail: b"/api/" + tail))
def test_whatever_is_passed_on_begins_with_a_listed_word(path: bytes) -> None:
    found = route(path)
    if found is not None:
        parts = found[1].split(b"/")
        assert parts[0] == b""
        assert parts[1].decode() in (
            "search answer enrich documents uploads jobs sources collections platforms accounts stats embeddings "
            "vectors drafts answers".split()
        )
        assert b".." not in parts
        assert b"%" not in found[1]


def test_a_long_path_is_judged_at_once() -> None:
    """An expression that tries every way to divide a path would not come back within the age of the universe."""
    assert route(b"/api/documents/" + b"a" * 60_000 + b"%") is None


@pytest.mark.parametrize(
    "target",
    [
        "/api/documents/%2e%2e/investigations/claims",
        "/api/documents/..%2Finvestigations/claims",
        "/api/documents/../investigations/claims",
        "/api//investigations/claims",
        "//investigations/claims",
        "/api/documents/%2e%2e%2fhealth",
        "/api%2fdocuments",
    ],
)
async def test_no_spelling_reaches_an_internal_route(door: Door, backend: Upstream, target: str) -> None:
    told = await door.raw(f"POST {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert told.split(b" ")[1] in {b"404", b"405", b"422"}
    assert not backend.seen

"""The document that /openapi.json gives: the API as it is behind this door."""

import json
import re

import httpx

from extrophi_orchestrator.gateway.routing import route


async def test_it_tells_of_all_that_is_answered_here_and_of_nothing_else(client: httpx.AsyncClient) -> None:
    answer = await client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    paths = answer.json()["paths"]
    assert {"/api/search", "/api/documents/{id}", "/api/investigations/{id}/events", "/v1/embeddings"} <= paths.keys()
    own = re.compile(r"/(health|ready|metrics|api/session|api/investigations(/\{id\}(/events|/cancel)?)?)")
    for path in paths:
        assert own.fullmatch(path) or route(re.sub(r"\{\w+\}", "x", path).encode()), path


async def test_each_operation_has_a_name_of_its_own_and_the_doors_own_errors(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    operations = [(path, one) for path, item in document["paths"].items() for one in item.values()]
    names = [one["operationId"] for _, one in operations]
    assert len(names) == len(set(names))
    for path, one in operations:
        assert {"400", "408", "413", "421", "431", "501", "502", "504"} <= one["responses"].keys(), path
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert named == document["components"]["schemas"].keys()
    assert document["components"]["securitySchemes"].keys() == {"key", "session"}
    events = document["paths"]["/api/investigations/{id}/events"]["get"]
    assert "last-event-id" in [one["name"] for one in events["parameters"]]

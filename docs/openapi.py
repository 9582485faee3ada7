"""The API as the front door serves it, made of the three components' documents."""

import json
import re
from collections.abc import Mapping
from typing import Any

from extrophi_orchestrator.gateway.routing import route
from extrophi_orchestrator.http.access import COOKIE

Document = dict[str, Any]

# Passed on by routes of the orchestrator's own: of `/investigations` itself only what lists them.
_INVESTIGATIONS = frozenset(f"/investigations{rest}" for rest in ("", "/{id}", "/{id}/events", "/{id}/cancel"))
_LIST = "/investigations"
# What any request may meet at the door, whoever would have answered it.
_AT_THE_DOOR = {
    400: "The request cannot be read",
    401: "A key is needed",
    403: "A page of another origin asks without a key",
    408: "The body stopped coming",
    413: "The body is too large",
    421: "The name asked for is not this host's",
    429: "Too many requests",
    431: "The headers are too large",
    500: "A fault of Extrophi's",
    501: "A transfer coding other than chunked",
    502: "A component failed",
    503: "A component is busy, or a part out of reach",
    504: "A component did not answer in time",
}
_OPEN = {"/health", "/ready", "/metrics"}
_REF = "#/components/schemas/"


def front_door(own: Document, passed: Mapping[str, Document]) -> Document:
    """`own` with the paths of the components that are passed on, where the front door has them."""
    whole: Document = json.loads(json.dumps(own))
    schemas: dict[str, Any] = whole["components"]["schemas"]
    for component, document in passed.items():
        renamed = _renamed(component, document, schemas)
        for path, item in renamed["paths"].items():
            there = path if path.startswith("/v1/") else f"/api{path}"
            plain = re.sub(r"\{\w+\}", "x", there)
            if path not in _INVESTIGATIONS and route(plain.encode()) is None:
                continue
            shown = {"get": item["get"]} if path == _LIST else item
            for operation in shown.values():
                operation["operationId"] = f"{component}_{operation['operationId']}"
                operation.pop("security", None)
            whole["paths"].setdefault(there, {}).update(shown)
        schemas |= renamed["components"]["schemas"]
    for path, item in whole["paths"].items():
        for operation in item.values():
            shape = _openai_error() if path.startswith("/v1/") else _problem()
            for status, meaning in _AT_THE_DOOR.items():
                if status == 401 and path in _OPEN:
                    continue
                operation["responses"].setdefault(str(status), {"description": meaning, "content": shape})
    whole["info"] |= {"title": "Extrophi", "description": "The whole API, as the front door serves it."}
    whole["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "One of EXTROPHI_API_KEYS. Not needed on loopback."},
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "From POST /api/session."},
    }
    whole["security"] = [{}, {"key": []}, {"session": []}]
    return _without_unused(whole)


def _renamed(component: str, document: Document, taken: Mapping[str, Any]) -> Document:
    """The document, its schemas of a taken name and another shape named after the component."""
    schemas = document["components"]["schemas"]
    names = {name: name for name in schemas}
    names |= {
        name: f"{component.capitalize()}{name}" for name in schemas if taken.get(name, schemas[name]) != schemas[name]
    }

    def rename(found: re.Match[str]) -> str:
        return f'"{_REF}{names[found[1]]}"'

    renamed = json.loads(re.sub(rf'"{_REF}(\w+)"', rename, json.dumps(document)))
    renamed["components"]["schemas"] = {names[name]: one for name, one in renamed["components"]["schemas"].items()}
    return renamed


def _without_unused(whole: Document) -> Document:
    """Schemas that no path leads to are those of internal routes."""
    schemas: dict[str, Any] = whole["components"]["schemas"]
    used: set[str] = set()
    found = _named(whole["paths"])
    while found - used:
        used |= found
        found = {name for one in used for name in _named(schemas[one])}
    whole["components"]["schemas"] = {name: schemas[name] for name in schemas if name in used}
    return whole


def _named(part: Any) -> set[str]:
    return set(re.findall(rf'"{_REF}(\w+)"', json.dumps(part)))


def _problem() -> Document:
    return {"application/problem+json": {"schema": {"$ref": f"{_REF}Problem"}}}


def _openai_error() -> Document:
    return {"application/json": {"schema": {"$ref": f"{_REF}OpenAIProblem"}}}

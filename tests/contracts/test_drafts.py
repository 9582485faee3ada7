"""Drafts, kept answers and the list of investigations through the front door."""

import signal
import threading
from contextlib import suppress
from uuid import uuid4

import httpx

from tests.contracts.services import running

KEY = {"Authorization": "Bearer mine"}
PNG = b"\x89PNG\r\n\x1a\n"


async def test_drafts_keep_their_tags_and_images_through_the_front_door(database: str) -> None:
    with (
        running("backend", DATABASE_URL=database, EXTROPHI_SERVICE_KEY="inner") as backend,
        running(
            "orchestrator", BACKEND_URL=backend.url, EXTROPHI_SERVICE_KEY="inner", EXTROPHI_HOST="0.0.0.0",
            EXTROPHI_API_KEYS="mine",
        ) as front,
    ):  # fmt: skip
        client = front.client
        assert client.get("/api/drafts").status_code == 401
        page = {"Origin": "https://desk.example"}
        asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "if-match"}
        told = client.options("/api/drafts/x", headers=page | asked).headers["access-control-allow-headers"]
        assert {"if-match", "if-none-match"} <= set(told.split(", "))
        client.headers.update(KEY)

        made = client.post("/api/drafts", json={"id": str(uuid4()), "text": "# Herons"})
        assert (made.status_code, made.headers["etag"]) == (201, '"1"')
        assert made.url.join(made.headers["location"]).path == f"/api/drafts/{made.json()['id']}"
        path = f"/api/drafts/{made.json()['id']}"
        body = {"text": "# Pikes\n\nÄhren", "bibliography": [{"id": "a"}], "settings": {}}
        assert client.put(path, json=body).json()["code"] == "precondition_required"
        assert client.put(path, json=body, headers={"If-Match": "*"}).status_code == 422
        saved = client.put(path, json=body, headers={"If-Match": '"1"'} | page)
        assert (saved.status_code, saved.headers["etag"]) == (200, '"2"')
        assert "etag" in saved.headers["access-control-expose-headers"]
        again = client.put(path, json=body | {"text": "Mine."}, headers={"If-Match": '"1"'})
        assert (again.status_code, again.json()["code"], again.json()["revision"]) == (412, "draft_changed", 2)
        known = client.get(path, headers={"If-None-Match": '"2"'})
        assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", '"2"')
        assert client.get(path).json()["text"] == body["text"]  # the connection is good after a 304
        found = client.get("/api/drafts", params={"query": "ähren", "limit": 1}).json()
        assert [one["title"] for one in found["items"]] == ["Pikes"]

        large = body | {"text": "Ж" * 4_000_000}
        written = client.put(path, json=large, headers={"If-Match": '"2"'}, timeout=60)
        assert (written.status_code, written.json()["characters"]) == (200, 4_000_000)
        assert client.get(path, timeout=60).json()["text"] == large["text"]
        assert client.get(f"{path}/revisions/2").json()["text"] == body["text"]

        image = PNG + bytes(20_000_000 - len(PNG))
        kept = client.post(f"{path}/images", content=image, headers={"Content-Type": "image/png"}, timeout=60)
        assert kept.status_code == 201
        shown = client.get(f"{path}/images/{kept.json()['name']}", timeout=60)
        assert shown.content == image
        assert shown.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert shown.headers["cache-control"] == "private, max-age=31536000, immutable"
        refused = client.post(f"{path}/images", content=image + b"x", headers={"Content-Type": "image/png"}, timeout=60)
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")

        assert client.delete(path).status_code == 204
        assert [one["id"] for one in client.get("/api/drafts?trashed=true").json()["items"]] == [made.json()["id"]]
        assert client.post(f"{path}/recover").headers["etag"] == '"3"'


async def test_what_was_saved_outlives_a_kill_and_what_was_not_answered_can_be_sent_again(database: str) -> None:
    seen, text, made = 1, "0", ""
    for turn in range(3):
        with running("backend", DATABASE_URL=database) as backend:
            made = made or backend.client.post("/drafts", json={"text": text}).json()["id"]
            path = f"/drafts/{made}"
            again = {"text": text, "bibliography": [], "settings": {}}
            saved = backend.client.put(path, json=again, headers={"If-Match": f'"{seen}"'})
            assert saved.status_code == 200
            seen = saved.json()["revision"]
            kept = backend.client.get(path).json()
            assert (kept["text"], kept["revision"]) == (text, seen)
            threading.Timer(0.5 + turn / 10, backend.process.send_signal, (signal.SIGKILL,)).start()
            with suppress(httpx.TransportError):
                for number in range(100_000):
                    text = f"{turn} {number} " + "It goes on for a while.\n\n" * 2000
                    body = {"text": text, "bibliography": [], "settings": {}}
                    answer = backend.client.put(path, json=body, headers={"If-Match": f'"{seen}"'})
                    assert answer.status_code == 200
                    seen = answer.json()["revision"]
            assert backend.process.wait(20) == -signal.SIGKILL
    assert seen > 3


async def test_answers_are_kept_and_investigations_listed_through_the_front_door(database: str) -> None:
    with (
        running("backend", DATABASE_URL=database) as backend,
        running("orchestrator", BACKEND_URL=backend.url) as front,
    ):
        answer = {"question": "What do herons do?", "answer": "They wait. [1]", "citations": [{"n": 1}]}
        kept = front.client.post("/api/answers", json=answer)
        assert kept.status_code == 201
        assert front.client.get("/api/answers?query=HERONS").json()["items"] == [kept.json()]
        assert front.client.delete(f"/api/answers/{kept.json()['id']}").status_code == 204

        for question in ("One?", "Two?", "Three?"):
            made = front.client.post("/api/investigations", json={"question": question, "targets": ["no target"]})
            assert made.status_code == 202
        first = front.client.get("/api/investigations?limit=2").json()
        assert [one["question"] for one in first["items"]] == ["Three?", "Two?"]
        rest = front.client.get("/api/investigations", params={"cursor": first["next_cursor"]}).json()
        assert [(one["question"], one["status"]) for one in rest["items"]] == [("One?", "failed")]
        assert front.client.get("/api/investigations?limit=0").json()["field"] == "limit"
        assert front.client.get("/api/investigations/claims").status_code == 422

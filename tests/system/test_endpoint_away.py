"""With the embedding endpoint stopped, documents go on being collected and found by word; all catch up afterwards."""

from tests.embeddings_endpoint import serving as embedding
from tests.system.running import eventually, up
from tests.system.site import fill, marker
from tests.web_server import WebServer, serving

PAGES = 12


def test_an_endpoint_that_is_away_holds_up_nothing_but_meaning() -> None:
    with (
        embedding() as endpoint,
        serving(WebServer()) as server,
        up(EXTROPHI_FETCH_ALLOW="127.0.0.0/8", EMBEDDINGS_URL=endpoint.url, EMBEDDINGS_MODEL="elsewhere") as extrophi,
    ):
        before = {"platform": "files", "external_id": "before", "text": "Herons eat at dawn, and herons sleep at noon."}
        extrophi.post("/api/documents", {"documents": [before]})
        eventually(lambda: True if extrophi.get("/api/stats")["embedded"] == 1 else None)
        assert extrophi.post("/api/search", {"query": "herons"})["degraded"] is None

        endpoint.refuse = lambda _: (503, {}, {"error": {"message": "out of order"}})
        fill(server, PAGES)
        job = extrophi.post("/api/jobs", {"target": server.url("/sitemap.xml")})
        ended = extrophi.ended(job["id"])
        assert (ended["status"], ended["progress"]["created"]) == ("succeeded", PAGES)

        def found() -> bool | None:
            answer = extrophi.post("/api/search", {"query": marker(7)})
            assert answer["degraded"], "search by meaning cannot have worked"
            return True if any(hit["citation"]["title"] == "Story 7" for hit in answer["items"]) else None

        eventually(found)
        stats = extrophi.get("/api/stats")
        assert (stats["documents"], stats["embedded"], stats["failed"]) == (PAGES + 1, 1, 0)
        assert stats["pending"] >= PAGES

        endpoint.refuse = lambda _: None
        eventually(lambda: True if extrophi.get("/api/stats")["pending"] == 0 else None, seconds=90)
        assert extrophi.get("/api/stats")["failed"] == 0

        def by_meaning() -> bool | None:  # research tries again only after a moment
            return True if extrophi.post("/api/search", {"query": "what do herons do"})["degraded"] is None else None

        eventually(by_meaning)

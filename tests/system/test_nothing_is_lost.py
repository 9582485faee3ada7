"""kill -9 of one process in mid-job: then every document is there once, searchable, the job ended truthfully."""

import os
import random
import time
from collections import Counter

import pytest

from tests.generated_site import serving_site
from tests.system.running import Running, eventually, strike
from tests.system.site import fill, marker
from tests.web_server import WebServer, serving

VICTIMS = ("worker", "postgres", "valkey")
PAGES = 60


def a_round(extrophi: Running, victim: str, rng: random.Random) -> None:
    with serving(WebServer()) as server:
        urls = fill(server, PAGES, delay=0.05)
        job = extrophi.post("/api/jobs", {"target": server.url("/sitemap.xml"), "limit": 1000})
        wanted = rng.randint(1, PAGES * 2 // 3)
        eventually(lambda: True if sum(server.bodies.values()) > wanted else None, seconds=60)
        strike(extrophi, victim)
        ended = extrophi.ended(job["id"], seconds=120)
        collected = Counter(url for url in extrophi.external_ids("web") if url.startswith(f"{server.base}/"))
        assert ended["status"] == "succeeded", str(ended)  # whole: pytest shortens what is no text
        assert ended["progress"]["found"] == PAGES, str(ended)
        assert collected == Counter(urls)
        for number in rng.sample(range(PAGES), 5):
            url = server.url(f"/story/{number}")

            def found(number: int = number, url: str = url) -> bool | None:
                answer = extrophi.post("/api/search", {"query": marker(number), "mode": "keyword", "limit": 100})
                urls = [hit["citation"]["external_id"] for hit in answer["items"]]
                others = [also["external_id"] for hit in answer["items"] for also in hit.get("also", [])]
                return True if url in urls + others else None

            eventually(found, seconds=30)


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_killed_process_loses_nothing(extrophi: Running, victim: str) -> None:
    a_round(extrophi, victim, random.Random(victim))


def a_round_over_a_site(extrophi: Running, rng: random.Random, undisturbed: list[str] | None) -> list[str]:
    """Collect a site that is there by links alone, its worker killed at some page. Gives the documents' paths."""
    with serving_site(40) as site:
        job = extrophi.post("/api/jobs", {"target": site.url("/"), "limit": 1000, "scope": "site"})
        if undisturbed is not None:
            wanted = rng.randint(1, 60)
            eventually(lambda: True if sum(site.server.bodies.values()) > wanted else None, seconds=60)
            strike(extrophi, "worker")
        ended = extrophi.ended(job["id"], seconds=120)
        assert ended["status"] == "partial", str(ended)  # one of its links leads nowhere
        assert [one["target"] for one in ended["failures"]] == [site.url("/post/41")], str(ended)
        assert {trap: len(pages) for trap, pages in site.asked.items() if len(pages) > 20} == {}
        base = site.server.base
        return [url.removeprefix(base) for url in extrophi.external_ids("web") if url.startswith(f"{base}/")]


def test_a_site_whose_worker_is_killed_is_the_site_as_it_is(extrophi: Running) -> None:
    undisturbed = a_round_over_a_site(extrophi, random.Random(0), None)
    assert len([path for path in undisturbed if path.startswith("/post/")]) == 40
    assert a_round_over_a_site(extrophi, random.Random(1), undisturbed) == undisturbed


@pytest.mark.soak
def test_twenty_sites_whose_worker_is_killed_are_the_site_as_it_is(extrophi: Running) -> None:
    seed = int(os.environ.get("SEED", time.time()))
    print(f"SEED={seed}")
    rng = random.Random(seed)
    undisturbed = a_round_over_a_site(extrophi, rng, None)
    for _ in range(20):
        assert a_round_over_a_site(extrophi, rng, undisturbed) == undisturbed


@pytest.mark.soak
def test_twenty_rounds_of_killing_lose_nothing(extrophi: Running) -> None:
    seed = int(os.environ.get("SEED", time.time()))
    print(f"SEED={seed}")
    rng = random.Random(seed)
    for number in range(20):
        victim = rng.choice(VICTIMS)
        began = time.monotonic()
        a_round(extrophi, victim, rng)
        print(f"round {number + 1}: {victim}, whole after {time.monotonic() - began:.0f} s", flush=True)

"""kill -9 of one process in mid-job: then every document is there once, searchable, the job ended truthfully."""

import os
import random
import signal
import time
from collections import Counter

import pytest

from tests.system.running import Running, eventually
from tests.system.site import Site, marker, serve

VICTIMS = {
    "worker": ("celery", "worker"),
    "postgres": ("postgres", "-D"),
    "valkey": ("valkey-server",),
}


def strike(extrophi: Running, victim: str) -> None:
    """SIGKILL: no handler gets to tidy up. Valkey keeps nothing on disk, so its death wipes it."""
    words = VICTIMS[victim]
    processes = eventually(lambda: extrophi.children(*words) or extrophi.children("extrophi_backend", victim) or None)
    os.kill(processes[0].pid, signal.SIGKILL)


def a_round(extrophi: Running, victim: str, rng: random.Random) -> None:
    with serve(Site(pages=60, delay=0.05)) as site:
        job = extrophi.post("/api/jobs", {"target": site.sitemap, "limit": 1000})
        wanted = rng.randint(1, 40)
        eventually(lambda: True if sum(site.bodies.values()) > wanted else None, seconds=60)
        strike(extrophi, victim)
        ended = extrophi.ended(job["id"], seconds=120)
        collected = Counter(url for url in extrophi.external_ids("web") if url.startswith(f"{site.base}/"))
        assert ended["status"] == "succeeded", ended
        assert ended["progress"]["found"] == 60, ended
        assert ended["progress"]["created"] == 60, ended
        assert collected == Counter(site.urls())
        for number in rng.sample(range(60), 5):
            url = f"{site.base}/story/{number}"

            def found(number: int = number, url: str = url) -> bool | None:
                answer = extrophi.post("/api/search", {"query": marker(number), "mode": "keyword", "limit": 100})
                urls = [hit["citation"]["external_id"] for hit in answer["items"]]
                others = [also["external_id"] for hit in answer["items"] for also in hit.get("also", [])]
                return True if url in urls + others else None

            eventually(found, seconds=30)


@pytest.mark.parametrize("victim", list(VICTIMS))
def test_a_killed_process_loses_nothing(extrophi: Running, victim: str) -> None:
    a_round(extrophi, victim, random.Random(victim))


@pytest.mark.soak
def test_twenty_rounds_of_killing_lose_nothing(extrophi: Running) -> None:
    seed = int(os.environ.get("SEED", time.time()))
    print(f"SEED={seed}")
    rng = random.Random(seed)
    for number in range(20):
        victim = rng.choice(list(VICTIMS))
        print(f"round {number + 1}: {victim}", flush=True)
        a_round(extrophi, victim, rng)

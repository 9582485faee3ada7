"""Two replicas of each component, replaced one after the other while people go on using them: no request fails."""

import asyncio
import itertools
import subprocess
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.containers.podman import Container, podman
from tests.system.running import eventually

pytestmark = [
    pytest.mark.usefixtures("built"),
    pytest.mark.containers,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("containers"),
]
COMPONENTS = ("backend", "research", "orchestrator")
A_SECOND = 20
# What stands before the orchestrators, as an ingress would: it looks who listens, and tries another where none does.
BALANCER = """
global
  log stderr local0 info
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  timeout check 2s
  option redispatch 1
  retries 3
  retry-on conn-failure
resolvers engine
  parse-resolv-conf
  hold valid 1s
  hold nx 30s
  hold refused 30s
  hold timeout 30s
frontend people
  bind :8000
  default_backend orchestrators
backend orchestrators
  default-server check inter 500ms fall 1 rise 1 resolvers engine init-addr none
  server one extrophi-replica-orchestrator-0:8000
  server two extrophi-replica-orchestrator-1:8000
"""


def replica(component: str, number: int) -> str:
    return f"extrophi-replica-{component}-{number}"


def start(component: str, number: int, network: str) -> None:
    name = replica(component, number)
    settings = {
        "EXTROPHI_SERVICE_KEY": "service",
        "DATABASE_URL": "postgresql://postgres:secret@postgres/extrophi",
        "REDIS_URL": "redis://redis:6379",
        "BACKEND_URL": "http://backend:8000",
        "RESEARCH_URL": "http://research:8000",
        "EXTROPHI_API_KEYS": "people",
    }
    flags = [part for key, value in settings.items() for part in ("-e", f"{key}={value}")]
    # The engine's resolver alone, as from Podman 4.4 on: older ones name the machine's beside it, which knows no
    # container, and is believed where it is the faster.
    flags += ["--dns", podman("network", "inspect", network, "--format", "{{(index .Subnets 0).Gateway}}")]
    image = f"localhost/extrophi-{component}"
    podman("run", "-d", "--name", name, "--network", network, "--network-alias", component, *flags, image)


def ready(component: str, number: int) -> None:
    asks = ["podman", "exec", replica(component, number), "curl", "-fsS", "http://localhost:8000/ready"]

    def answers() -> bool | None:
        return True if subprocess.run(asks, check=False, capture_output=True).returncode == 0 else None

    eventually(answers, seconds=60)


def replace(component: str, number: int, network: str) -> None:
    podman("stop", "-t", "15", replica(component, number))
    podman("rm", "-v", replica(component, number))
    start(component, number, network)
    ready(component, number)


@contextmanager
def replicas(folder: Path) -> Generator[str]:
    """Where they are to be reached."""
    network = "extrophi-replicas"
    others = {"postgres": "docker.io/pgvector/pgvector:pg16", "redis": "docker.io/library/redis:7-alpine"}
    names = [f"extrophi-replica-{one}" for one in (*others, "balancer")]
    names += [replica(component, number) for component in COMPONENTS for number in range(2)]
    (folder / "haproxy.cfg").write_text(BALANCER)
    (folder / "Containerfile").write_text(
        "FROM docker.io/library/debian:bookworm-slim\n"
        "RUN apt-get update && apt-get install -y --no-install-recommends haproxy\n"
        'COPY haproxy.cfg /haproxy.cfg\nUSER 1000\nCMD ["haproxy", "-f", "/haproxy.cfg"]\n'
    )
    podman("build", "-q", "--network", "host", "-t", "extrophi-test-balancer", str(folder), seconds=300)
    try:
        podman("network", "create", network)
        for service, image in others.items():
            flags = ["-e", "POSTGRES_PASSWORD=secret", "-e", "POSTGRES_DB=extrophi"]
            podman(
                "run",
                "-d",
                "--name",
                f"extrophi-replica-{service}",
                "--network",
                network,
                "--network-alias",
                service,
                *flags,
                image,
            )
        for component in COMPONENTS:
            for number in range(2):
                start(component, number, network)
        for component in COMPONENTS:
            for number in range(2):
                ready(component, number)
        name = "extrophi-replica-balancer"
        podman("run", "-d", "--name", name, "--network", network, "-p", "127.0.0.1::8000", "extrophi-test-balancer")
        yield f"http://127.0.0.1:{podman('port', name, '8000/tcp').rsplit(':', 1)[1]}"
    finally:
        podman("rm", "-f", "-v", "-i", "-t", "0", *names)
        podman("network", "rm", "-f", network)
        podman("rmi", "-f", "-i", "extrophi-test-balancer")


async def use(url: str, until: asyncio.Event) -> tuple[Counter[str], list[str]]:
    """Requests at an even pace, whatever becomes of them: how many of each kind, and what failed."""
    asked: Counter[str] = Counter()
    failed: list[str] = []
    headers = {"Authorization": "Bearer people"}

    async def ask(kind: str, number: int) -> None:
        began = time.monotonic()
        try:
            if kind == "push":
                document = {"platform": "files", "external_id": f"pushed-{number}", "text": f"Heron {number} stands."}
                answer = await client.post("/api/documents", json={"documents": [document]})
            elif kind == "search":
                answer = await client.post("/api/search", json={"query": f"heron {number}", "limit": 3})
            elif kind == "answer":
                answer = await client.post("/api/answer", json={"question": "Which heron stands?"})
            else:
                answer = await client.get("/api/stats")
            asked[kind] += 1
            if answer.status_code != 200:
                failed.append(f"{number} {kind}: {answer.status_code} {answer.text}")
        except httpx.HTTPError as error:
            failed.append(f"{number} {kind}: {error!r} after {time.monotonic() - began:.2f} s")

    limits = httpx.Limits(max_keepalive_connections=0)  # each a person of its own
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False, limits=limits) as client,
        asyncio.TaskGroup() as group,
    ):
        began = time.monotonic()
        for number, kind in enumerate(itertools.cycle(["stats", "search", "push", "stats", "search", "answer"])):
            if until.is_set():
                break
            group.create_task(ask(kind, number))
            await asyncio.sleep(max(0.0, began + (number + 1) / A_SECOND - time.monotonic()))
    return asked, failed


async def test_each_is_replaced_in_turn_and_no_request_fails(tmp_path: Path) -> None:
    with replicas(tmp_path) as url:
        eventually(lambda: True if httpx.get(f"{url}/ready", trust_env=False).status_code == 200 else None, seconds=60)
        over = asyncio.Event()
        using = asyncio.create_task(use(url, over))
        try:
            for component in COMPONENTS:
                for number in range(2):
                    await asyncio.to_thread(replace, component, number, "extrophi-replicas")
        finally:
            over.set()
        asked, failed = await using
        names = ["extrophi-replica-balancer", *(replica(one, number) for one in COMPONENTS for number in range(2))]
        assert not failed, "\n".join([*failed[:20], *(f"{one}: {Container(one, 0).log()[-3000:]}" for one in names)])
        assert asked.total() > 300
        assert all(asked[kind] > 20 for kind in ("stats", "search", "push", "answer"))
        headers = {"Authorization": "Bearer people"}
        stored = httpx.get(f"{url}/api/stats", headers=headers, trust_env=False).json()
        assert stored["documents"] == asked["push"], stored

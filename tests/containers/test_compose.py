"""compose.yaml as a server's owner uses it: keys made by one command, the main job from outside, crashes."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from extrophi_backend.sealing import read_keys
from tests.containers.podman import IMAGES, ROOT, kept, log, podman
from tests.system.running import COMPONENTS, eventually, free_port

pytestmark = [
    pytest.mark.usefixtures("built"),
    pytest.mark.containers,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("containers"),
]
PAGES = 12
SITE = f"""
import hashlib, http.server
class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name, _, query = self.path.strip("/").partition("?")
        base = f"http://{{self.headers['host']}}"
        if name == "sitemap.xml":
            urls = "".join(f"<url><loc>{{base}}/{{query}}-{{n}}</loc></url>" for n in range({PAGES}))
            kind, body = "application/xml", f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{{urls}}</urlset>"
        elif name == "application":
            told = "The lamplighter of Aldwick walked his round of ninety lamps each evening, whatever the weather. "
            script = f"document.body.innerHTML = '<article><h1>Lamps</h1><p>' + '{{told}}'.repeat(9) + '</p></article>'"
            kind, body = "text/html", f"<title>Lamps</title><body><div id=app></div><script>{{script}}</script>"
        elif "-" in name:
            words = hashlib.sha512(name.encode()).hexdigest()
            told = " ".join(words[at : at + 4] for at in range(0, 128, 4))
            text = f"The keeper of the lighthouse counted herons every morning. In {{name}} he wrote {{told}}."
            kind, body = "text/html", f"<title>{{name}}</title><article><h1>{{name}}</h1><p>{{text}}</p></article>"
        else:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body.encode())
http.server.ThreadingHTTPServer(("", 8000), Site).serve_forever()
"""
KILL = """
import os, pathlib
for process in pathlib.Path("/proc").glob("[0-9]*"):
    if b"-m\\0extrophi_backend.vectors.server" in (process / "cmdline").read_bytes():
        os.kill(int(process.name), 9)
"""


@dataclass
class Composed:
    folder: Path
    port: int
    key: str
    client: httpx.Client

    def compose(self, *arguments: str) -> str:
        files = [part for file in sorted(self.folder.glob("*.yaml")) for part in ("-f", file.name)]
        command = [sys.executable, "-m", "podman_compose", *files, *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ready(self) -> None:
        eventually(lambda: True if self.client.get("/ready").status_code == 200 else None, seconds=120)

    def get(self, path: str) -> Any:
        return self.client.get(path).raise_for_status().json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.client.post(path, json=body)
        assert answer.is_success, f"{answer.text} {log(self.container('backend'))}"
        return answer.json()

    def container(self, service: str) -> str:
        return f"{self.folder.name}_{service}_1"

    def crash(self, service: str) -> None:
        """SIGKILL to its first process, from outside: as a crash, not as a person who stops it."""
        os.kill(int(podman("inspect", "--format", "{{.State.Pid}}", self.container(service))), signal.SIGKILL)

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "extrophi_cli", "--url", f"http://127.0.0.1:{self.port}", "--key", self.key]
        environment = {**os.environ, "PYTHONPATH": COMPONENTS, "NO_COLOR": "1", "EXTROPHI_HOME": str(self.folder)}
        return subprocess.run(
            [*command, *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
        )


def prepared(folder: Path, name: str, port: int) -> str:
    """A folder as a clone has it, after ./new-env.sh. Returns the key that it prints."""
    for one in ("compose.yaml", ".env.example", "new-env.sh"):
        shutil.copy(ROOT / one, folder / one)
    said = subprocess.run([folder / "new-env.sh"], check=True, capture_output=True, text=True).stdout
    settings = (folder / ".env").read_text().replace("EXTROPHI_PORT=8000", f"EXTROPHI_PORT={port}")
    settings = settings.replace("EXTROPHI_FETCH_ALLOW=", "EXTROPHI_FETCH_ALLOW=10.0.0.0/8")
    (folder / ".env").write_text(f"{settings}\nCOMPOSE_PROJECT_NAME={name}\n")
    return said.rsplit(maxsplit=1)[1]


@contextmanager
def up(folder: Path, *arguments: str, **settings: str) -> Generator[Composed]:
    """All of it in containers, and nothing of it afterwards."""
    port = free_port()
    key = prepared(folder, folder.name, port)
    with (folder / ".env").open("a") as file:
        file.writelines(f"{name}={value}\n" for name, value in settings.items())
    headers = {"authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60, trust_env=False) as client:
        one = Composed(folder, port, key, client)
        try:
            one.compose("up", "-d", *arguments)
            one.ready()
            yield one
        finally:
            one.compose("down", "-t", "10", "--remove-orphans")  # workers that were added are orphans to it
            one.compose("down", "-v")
    assert not podman("ps", "-a", "-q", "--filter", f"name={folder.name}")
    assert folder.name not in podman("volume", "ls", "-q") + podman("network", "ls", "--format", "{{.Name}}")


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    with up(tmp_path_factory.mktemp("extrophi-compose-")) as one:
        yield one


@pytest.fixture(scope="module")
def site(composed: Composed) -> Iterator[str]:
    with site_beside(composed) as url:
        yield url


@contextmanager
def site_beside(composed: Composed) -> Generator[str]:
    """A web site in the same network."""
    name = f"{composed.folder.name}-site"
    network = f"{composed.folder.name}_default"
    image = "docker.io/library/python:3.11-slim"
    try:
        podman("run", "-d", "--name", name, "--network", network, image, "python", "-c", SITE)
        yield f"http://{name}:8000"
    finally:
        podman("rm", "-f", "-v", "-i", "-t", "0", name)


def test_keys_are_made_once_and_guarded(tmp_path: Path) -> None:
    key = prepared(tmp_path, "extrophi-never", 1)
    files = {one.name: one.read_text() for one in (tmp_path / "secrets").iterdir()}
    assert set(files) == {"service_key", "secret_key", "api_keys", "postgres_password", "database_url"}
    assert files["api_keys"] == key
    assert len({files["service_key"], files["secret_key"], key, files["postgres_password"]}) == 4
    assert all(len(files[one]) >= 43 for one in ("service_key", "secret_key", "api_keys", "postgres_password"))
    assert len(read_keys(files["secret_key"])) == 1
    assert files["postgres_password"] in files["database_url"]
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    subprocess.run([tmp_path / "new-env.sh"], check=True, capture_output=True)
    assert {one.name: one.read_text() for one in (tmp_path / "secrets").iterdir()} == files
    (tmp_path / "secrets" / "postgres_password").unlink()
    subprocess.run([tmp_path / "new-env.sh"], check=True, capture_output=True)
    password = (tmp_path / "secrets" / "postgres_password").read_text()
    assert password != files["postgres_password"]
    assert password in (tmp_path / "secrets" / "database_url").read_text()
    refused = subprocess.run([tmp_path / "new-env.sh", "--force"], check=False, capture_output=True, text=True)
    assert (refused.returncode, "--force" in refused.stderr) == (2, True)


def test_the_main_job_from_outside(composed: Composed, site: str, tmp_path: Path) -> None:
    """A page of the web and a file of this machine in, an answer with citations that are in the stored text out."""
    (tmp_path / "note.md").write_text("# Ferries\n\nThe ferry to Aldwick leaves at seven, and carries no cars.\n")
    done = composed.cli(
        "investigate", "When does the ferry to Aldwick leave?", f"{site}/story-1", str(tmp_path / "note.md")
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "seven" in done.stdout
    answer = composed.post("/api/answer", {"question": "Who counted herons every morning?"})
    assert answer["citations"], answer
    for citation in answer["citations"]:
        path = f"/api/documents/{citation['document_id']}?version={citation['version']}"
        text = composed.get(path)["text"]
        assert text[citation["quote_start"] : citation["quote_end"]] == citation["quote"]


def test_a_page_made_by_its_scripts(composed: Composed, site: str) -> None:
    """By Chromium within the image: a root that cannot be written to, a user without privileges, and no capability."""
    backend = composed.container("backend")
    assert podman("exec", backend, "id", "-u") == "1000"
    assert "Read-only file system" in podman("exec", backend, "sh", "-c", "touch /app/new /usr/new 2>&1 || true")
    added = composed.cli("add", f"{site}/application", "--schedule", "never")
    assert added.returncode == 0, added.stdout + added.stderr

    def collected() -> Any:
        listed = composed.get("/api/documents?limit=100")["items"]
        return next((one for one in listed if one["external_id"] == f"{site}/application"), None)

    document = eventually(collected, seconds=120)
    assert composed.get(f"/api/documents/{document['id']}")["text"].count("ninety lamps") == 9
    screenshot = composed.client.get(f"/api/documents/{document['id']}/screenshot")
    assert (screenshot.headers["content-type"], screenshot.content[:4]) == ("image/webp", b"RIFF")
    shown = composed.cli("sources")
    assert f"{site}/application" in shown.stdout, shown.stdout + shown.stderr
    assert "collected" in shown.stdout


def test_a_fresh_clone_from_the_build_to_the_clean_up(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The quick start, and what docs/containers.md says of cleaning up after it."""
    folder = tmp_path_factory.mktemp("extrophi-clone-")
    subprocess.run(["git", "clone", "-q", ROOT, folder], check=True)
    with kept():
        command, environment = [folder / "build-containers.sh", "podman"], {"VARIANT": "slim"} | os.environ
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=3600)
        with up(folder) as one:
            question = "Why do long articles get read less on phones?"
            asked = one.cli("investigate", question, str(folder / "examples" / "reading"))
            assert asked.returncode == 0, asked.stdout + asked.stderr
            assert "[1] Why long articles lose on phones" in asked.stdout
            assert folder.name in podman("volume", "ls", "-q")
            one.compose("down", "-v")
            podman("rmi", *IMAGES)
            assert not podman("ps", "-a", "-q", "--filter", f"name={folder.name}")
            for kind in ("volume", "network"):
                assert folder.name not in podman(kind, "ls", "--format", "{{.Name}}")
            for image in IMAGES:
                assert not podman("images", "-q", f"{image}:latest")


def test_nobody_without_a_key_and_nothing_else_is_published(composed: Composed) -> None:
    assert httpx.get(f"http://127.0.0.1:{composed.port}/api/stats", trust_env=False).status_code == 401
    ports = podman("ps", "--filter", f"name={composed.folder.name}", "--format", "{{.Names}} {{.Ports}}").splitlines()
    published = {line.split()[0]: line.split()[1:] for line in ports}
    assert published.pop(composed.container("orchestrator")) == [f"127.0.0.1:{composed.port}->8000/tcp"]
    assert not any(published[composed.container(one)] for one in ("research", "backend", "postgres", "redis"))
    for service in ("research", "backend"):
        said = podman("exec", composed.container(service), "curl", "-s", "http://localhost:8000/stats")
        assert "401" in said


def collect(composed: Composed, site: str, pages_of: str) -> str:
    """A job, by its path."""
    job = composed.post("/api/jobs", {"target": f"{site}/sitemap.xml?{pages_of}", "limit": 1000})
    return f"/api/jobs/{job['id']}"


def ended_of(composed: Composed, job: str) -> dict[str, Any] | None:
    found = composed.get(job)
    return found if found["status"] not in {"queued", "running"} else None


def stop_and_start(composed: Composed, service: str) -> None:
    """As an update of its image does: in ten seconds it has to have given its jobs back."""
    began = time.monotonic()
    podman("stop", "-t", "30", composed.container(service))
    took = time.monotonic() - began
    code = podman("inspect", "--format", "{{.State.ExitCode}}", composed.container(service))
    assert (took < 10, code) in {(True, "0"), (True, "143")}, f"{service} took {took:.1f} s and ended with {code}"
    podman("start", composed.container(service))


def wipe_redis(composed: Composed, service: str) -> None:
    podman("exec", composed.container(service), "redis-cli", "flushall")


@pytest.mark.parametrize(
    ("victim", "happens"),
    [
        *((one, Composed.crash) for one in ("backend", "research", "orchestrator", "postgres", "redis")),
        *((one, stop_and_start) for one in ("backend", "research", "orchestrator", "postgres", "redis")),
        ("redis", wipe_redis),
    ],
)
def test_what_happens_in_the_middle_of_a_job_loses_nothing(
    composed: Composed, site: str, victim: str, happens: Callable[[Composed, str], None]
) -> None:
    pages_of = f"{victim}-{happens.__name__.replace('_', '-')}"
    job = collect(composed, site, pages_of)
    eventually(lambda: True if composed.get(job)["progress"]["found"] >= 2 else None)
    happens(composed, victim)  # what crashed is started again by the engine, as compose.yaml asks
    composed.ready()
    ended = eventually(lambda: ended_of(composed, job), seconds=180)
    assert ended["status"] == "succeeded", str(ended)
    assert ended["progress"]["found"] == PAGES, str(ended)
    assert ended["attempts"] > 1 or victim != "backend", "it was over before"
    all_is_found(composed, site, pages_of)


def all_is_found(composed: Composed, site: str, pages_of: str) -> None:
    """Each page is there once with its capture, and the last of them is found by a word of its own."""
    listed = {one["external_id"]: one["id"] for one in composed.get("/api/documents?limit=100")["items"]}
    pages = [one for one in listed if one.startswith(f"{site}/{pages_of}-")]
    assert sorted(pages) == sorted(f"{site}/{pages_of}-{number}" for number in range(PAGES))
    for page in pages:
        capture = composed.client.get(f"/api/documents/{listed[page]}/capture").raise_for_status().text
        assert f"<title>{page.removeprefix(f'{site}/')}</title>" in capture
    word = hashlib.sha512(f"{pages_of}-{PAGES - 1}".encode()).hexdigest()[:4]

    def by_word() -> bool | None:
        hits = composed.post("/api/search", {"query": word, "mode": "keyword"})["items"]
        return True if f"{site}/{pages_of}-{PAGES - 1}" in [hit["citation"]["external_id"] for hit in hits] else None

    eventually(by_word, seconds=30)


def test_a_full_volume_is_said_and_when_there_is_space_again_all_goes_on(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Of backend and of research, each of 24 MB here (podman takes `size` for a quota of its own)."""
    folder = tmp_path_factory.mktemp("extrophi-full-")
    options = {"type": "tmpfs", "device": "tmpfs", "o": "nr_blocks=6144,uid=1000,gid=0,mode=2775"}
    small = {"driver": "local", "driver_opts": options}
    override = {"volumes": {"backend_data": small, "research_data": small}}
    (folder / "small.yaml").write_text(yaml.safe_dump(override))
    with up(folder) as one, site_beside(one) as site:
        job = collect(one, site, "before")
        assert eventually(lambda: ended_of(one, job), seconds=60)["status"] == "succeeded"
        for service in ("backend", "research"):
            podman("exec", one.container(service), "sh", "-c", "cat /dev/zero >/app/data/filler || true")
        job = collect(one, site, "during")
        eventually(lambda: True if "No space left" in one.client.get("/health").text else None)
        all_is_found(one, site, "before")
        assert one.get(job)["status"] in {"queued", "running"}
        for service in ("backend", "research"):
            podman("exec", one.container(service), "rm", "/app/data/filler")
        ended = eventually(lambda: ended_of(one, job), seconds=180)
        assert (ended["status"], ended["progress"]["found"], ended["progress"]["failed"]) == ("succeeded", PAGES, 0)
        all_is_found(one, site, "during")
        eventually(lambda: True if "No space left" not in one.client.get("/health").text else None)
        captures = podman("exec", one.container("backend"), "find", "/app/data/captures", "-type", "f").split()
        assert captures
        assert not [path for path in captures if "#" in path], "what was written by half stays"


def test_with_256_mb_for_each_nothing_is_lost_and_with_more_all_catches_up(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The local model needs more: until there is, it says so, and search goes on by word."""
    folder = tmp_path_factory.mktemp("extrophi-small-")

    def limit(research: str) -> None:
        limits = {"orchestrator": "256m", "research": research, "backend": "256m"}
        services = {one: {"mem_limit": most, "memswap_limit": most} for one, most in limits.items()}
        (folder / "small.yaml").write_text(yaml.safe_dump({"services": services}))

    limit("256m")
    with up(folder) as one, site_beside(one) as site:
        assert podman("inspect", "--format", "{{.HostConfig.Memory}}", one.container("backend")) == str(256 * 2**20)
        job = collect(one, site, "small")
        ended = eventually(lambda: ended_of(one, job), seconds=180)
        assert (ended["status"], ended["progress"]["found"], ended["progress"]["failed"]) == ("succeeded", PAGES, 0)
        all_is_found(one, site, "small")
        why = "the local model needs 320 MiB of memory, and the container is limited to 256 MiB"
        eventually(lambda: True if why in one.client.get("/health").text else None, seconds=30)
        asked = one.cli("ask", "Who counted herons every morning?")
        assert asked.returncode != 0
        assert why in asked.stderr
        for service in ("orchestrator", "research", "backend"):
            told = podman("inspect", "--format", "{{.RestartCount}} {{.State.OOMKilled}}", one.container(service))
            assert told == "0 false", f"{service}: {told}"
        limit("512m")
        one.compose("up", "-d")
        one.ready()
        eventually(lambda: True if not one.get(job)["indexing"]["pending"] else None, seconds=120)
        asked = one.cli("ask", "Who counted herons every morning?")
        assert "keeper of the lighthouse" in asked.stdout, asked.stderr


def test_any_user_of_group_0_does_the_main_job(tmp_path_factory: pytest.TempPathFactory) -> None:
    """As OpenShift runs it: who that is nobody has written down, and its volumes are group 0's."""
    folder = tmp_path_factory.mktemp("extrophi-foreign-")
    services = {one: {"user": "123456:0"} for one in ("orchestrator", "research", "backend")}
    (folder / "foreign.yaml").write_text(yaml.safe_dump({"services": services}))
    with up(folder) as one, site_beside(one) as site:
        for service in services:
            assert podman("exec", one.container(service), "id", "-u") == "123456"
        asked = one.cli("investigate", "Who counted herons every morning?", f"{site}/foreign-1")
        assert asked.returncode == 0, asked.stdout + asked.stderr
        assert "keeper of the lighthouse" in asked.stdout
        assert podman("exec", one.container("backend"), "find", "/app/data/captures", "-type", "f")
        podman("restart", "-t", "10", one.container("research"))  # its index is read by whoever comes next
        one.ready()
        assert one.post("/api/search", {"query": "lighthouse", "mode": "keyword"})["items"]


def test_its_parts_apart(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The profile `scale`: an API, two workers and a scheduler; one worker that is stopped stops no jobs."""
    folder = tmp_path_factory.mktemp("extrophi-scaled-")
    with up(folder, "--scale", "worker=2", COMPOSE_PROFILES="scale", BACKEND_ROLE="api") as scaled:
        running = podman("ps", "--filter", f"name={folder.name}", "--format", "{{.Names}}").split()
        assert {scaled.container(one) for one in ("backend", "worker", "scheduler")} <= set(running)
        podman("stop", scaled.container("worker"))
        job = scaled.post("/api/jobs", {"target": "http://orchestrator:8000/nothing"})
        ended = eventually(lambda: ended_of(scaled, f"/api/jobs/{job['id']}"))
        assert ended["failures"][0]["code"] == "http_401"  # it asks for a key


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"VECTOR_STORE": "chroma"}, id="beside-backend"),
        pytest.param(
            {"VECTOR_STORE": "chroma", "COMPOSE_PROFILES": "chroma", "CHROMA_URL": "http://chroma:8000"}, id="apart"
        ),
    ],
)
def test_vectors_in_chroma(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> None:
    """Search by meaning is ChromaDB's, survives a crash of it, and changes over to pgvector when it is told to."""
    folder = tmp_path_factory.mktemp("extrophi-chroma-")
    notes = folder / "notes"
    notes.mkdir()
    (notes / "ferries.md").write_text("The boat to Aldwick leaves at seven, and carries no cars.\n")
    (notes / "bread.md").write_text("Sourdough rises slowly, and its crust is thick and dark.\n")
    with up(folder, **settings) as one:
        assert one.cli("add", str(notes)).returncode == 0

        def by_meaning() -> bool | None:
            found = one.post("/api/search", {"query": "a ship timetable", "mode": "vector"})
            titles = [item["text"].split()[1] for item in found["items"]]
            return True if (titles, found["degraded"]) == (["boat", "rises"], None) else None

        eventually(by_meaning, seconds=60)
        assert one.get("/api/vectors")["store"] == "chroma"
        if "CHROMA_URL" in settings:
            one.crash("chroma")
        else:
            podman("exec", one.container("backend"), "python", "-c", KILL)
        eventually(by_meaning, seconds=120)
        moved = one.cli("vectors", "migrate", "--to", "pgvector")
        assert (moved.returncode, moved.stdout) == (0, "Vectors are searched in pgvector: 2 of them.\n"), moved.stderr
        eventually(by_meaning, seconds=10)

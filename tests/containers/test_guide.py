"""docs/guide.md, word for word: each of its commands is executed, or is named here with why it is not."""

import os
import re
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from tests.containers.guide import Command, commands
from tests.containers.podman import IMAGES, ROOT, kept, layers, log, podman, restore
from tests.containers.writer import Clone
from tests.system.running import eventually

pytestmark = [
    pytest.mark.usefixtures("built"),
    pytest.mark.containers,
    pytest.mark.timeout(7200),
    pytest.mark.xdist_group("containers"),
]
OURS = "podman ps -a --format '{{.ID}} {{.Image}}' | awk '/extrophi-/ {print $1}'"
CORRECTED = {
    'podman stop $(podman ps -aq --filter "name=extrophi-*")': f"podman stop $({OURS})",
    'podman rm $(podman ps -aq --filter "name=extrophi-*")': f"podman rm -v $({OURS})",
    "podman build --timeout 600 -f Containerfile .": "podman build -f Containerfile .",
    "podman logs extrophi-backend": "podman logs backend",
    "podman exec extrophi-backend curl http://localhost:8000/health": (
        "podman exec backend curl http://localhost:8000/health"
    ),
}
"""Where the guide errs. docs/containers.md says why, and prints what is right."""
ON_DEBIAN = {
    "podman build -f Containerfile -t extrophi-writer:latest .": (
        "podman build --build-arg VARIANT=slim -f Containerfile -t extrophi-writer:latest ."
    ),
}
"""What is done with Debian instead of Alpine, whose packages may be out of reach; docs/containers.md prints it, too."""
NOT_RUN = {
    "./build-containers.sh docker": "there is no Docker here",
    "./build-containers.sh podman": "all tests here run what it built",
    "ENV OPENAI_API_KEY=sk-...": "the guide's example of what not to do",
    "podman run -e OPENAI_API_KEY=sk-... ...": "an outline, not a command",
    "podman system prune -a -f": "it would take away every image of this machine",
    "podman run -e DATABASE_URL=postgresql://host.containers.internal/db ...": "an outline, not a command",
}
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "BUILDAH_FORMAT": "docker"}
"""As docs/containers.md advises: podman's own format has no place for health checks."""


def shell(text: str, folder: Path) -> str:
    command = ["bash", "-c", text]
    done = subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{text}: {done.stdout}{done.stderr}"
    return done.stdout


def clear() -> None:
    """The guide runs its containers three times over, on the same ports."""
    for one in shell(OURS, ROOT).split():
        podman("rm", "-f", "-v", "-t", "0", one)


def test_each_command_of_the_guide_stands_in_the_table_of_results() -> None:
    told = (ROOT / "docs" / "containers.md").read_text().replace("\\|", "|")
    assert not [one.text for one in commands() if f"`{one.text}`" not in told]


def test_every_command_of_the_guide_does_what_it_says(clone: Clone) -> None:
    printed = commands()
    assert {*CORRECTED, *ON_DEBIAN, *NOT_RUN} <= {one.text for one in printed}
    there = podman("ps", "-a", "--filter", "name=extrophi-*", "--format", "{{.Names}}") + shell(OURS, ROOT)
    assert not there, f"The guide's clean-up would take these away: {there.split()}. Stop and remove them first."
    folder, heading = ROOT, ""
    with kept():
        try:
            for one in printed:
                if one.heading != heading:
                    folder, heading = ROOT, one.heading
                    if heading not in {"4. Cleanup", "Runtime Issues"}:
                        clear()
                    if heading == "Runtime Issues":
                        healthy(
                            shell("podman run -d -p 8002:8000 --name backend extrophi-backend:latest", ROOT).strip()
                        )
                folder = done(one, folder, clone)
        finally:
            clear()
    assert not shell(OURS, ROOT)


def as_it_has_to_be(text: str) -> str:
    if text in CORRECTED:
        wrong = subprocess.run(
            ["bash", "-c", text], cwd=ROOT / "backend", capture_output=True, check=False, timeout=300
        )
        assert wrong.returncode != 0, f"the guide is right after all: {text}"
    instead = (CORRECTED | ON_DEBIAN).get(text, text)
    if instead != text:
        assert instead in (ROOT / "docs" / "containers.md").read_text(), f"docs/containers.md does not print {instead}"
    return instead


def done(one: Command, folder: Path, clone: Clone) -> Path:
    """Do it, and see what the guide says of it. Returns the folder that one is in afterwards."""
    if one.text in NOT_RUN:
        return folder
    text = as_it_has_to_be(one.text)
    if text.startswith("cd "):
        return folder / text.removeprefix("cd ")
    if text.endswith("npm run tauri:build"):
        # Typed in a fresh clone, as the program was to be compiled; by an image that is that of the guide's own build.
        assert layers("extrophi-writer") == layers(clone.image)
        assert [*(clone.folder / "writer" / "dist").glob("*.deb")], clone.said
        return folder
    if text.startswith("podman build") and folder == ROOT:
        folder = ROOT / "backend"
    if text.startswith("curl "):
        eventually(lambda: True if curl(text) else None, seconds=15)  # a person takes a second to type it
        return folder
    said = shell(text, folder)
    if text.startswith("podman run -d"):
        healthy(said.strip())
    if text.startswith("podman images"):
        sizes_are_as_expected(said)
    if text.startswith("podman rmi"):
        named = {f"localhost/{image}:latest" for image in IMAGES}
        assert not named & {*podman("images", "--format", "{{.Repository}}:{{.Tag}}").split()}
        restore()
    return folder


def curl(text: str) -> bool:
    return subprocess.run(["bash", "-c", text], capture_output=True, check=False, timeout=30).returncode == 0


def healthy(container: str) -> None:
    port = podman("port", container).rsplit(":", 1)[1]
    eventually(lambda: httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False), seconds=15).raise_for_status()
    podman("healthcheck", "run", container)
    assert podman("inspect", "--format", "{{.State.Health.Status}}", container) == "healthy"


def sizes_are_as_expected(said: str) -> None:
    guide = (ROOT / "docs" / "guide.md").read_text()
    for image, limit in re.findall(r"- `(extrophi-\w+)`: <(\d+)MB", guide):
        shown = re.search(rf"/{image}\s+latest\s+([\d.]+) MB", said)
        assert shown is not None, said
        assert float(shown[1]) < float(limit)


def get(port: int, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=10)


@contextmanager
def pasted(folder: Path, postgres: str) -> Generator[Callable[..., None]]:
    """The guide's compose text, started with an image of PostgreSQL. What is yielded starts it with more variables."""
    guide = (ROOT / "docs" / "guide.md").read_text()
    text = next(
        one for one in re.findall(r"^```yaml\n(.*?)^```", guide, re.MULTILINE | re.DOTALL) if "services:" in one
    )
    assert set(yaml.safe_load(text)["services"]) == {"orchestrator", "research", "backend", "postgres", "redis"}
    text = text.replace("image: postgres:16-alpine", f"image: {postgres}")
    text = text.replace("image: redis:7-alpine", "image: docker.io/library/redis:7-alpine")  # no short names here
    (folder / ".env").write_text(
        "DATABASE_URL=postgresql://postgres:secret@postgres/postgres\nREDIS_URL=redis://redis:6379\n"
        "POSTGRES_PASSWORD=secret\nOPENAI_API_KEY=\nCOMPOSE_PROJECT_NAME=extrophi-guide\n"
    )
    compose = f"{ROOT}/.venv-dev/bin/podman-compose"

    def start(*variables: str) -> None:
        lines = "".join(f"      - {one}\n" for one in variables)
        (folder / "compose.yaml").write_text(text.replace("    environment:\n", f"    environment:\n{lines}"))
        shell(f"{compose} up -d", folder)
        for port in (8000, 8001, 8002):
            eventually(lambda port=port: True if get(port, "/health").status_code == 200 else None)

    try:
        start()
        yield start
    finally:
        shell(f"{compose} down -v", folder)


def test_the_guides_compose_text_starts_and_says_what_to_change(tmp_path: Path) -> None:
    """Pasted, with pgvector's image: postgres:16-alpine has no pgvector, and no stand-in here."""
    with pasted(tmp_path, "docker.io/pgvector/pgvector:pg16") as start:

        def missing() -> bool | None:
            """All else is there: what is named is the one line that the text lacks."""
            found = get(8000, "/ready").json()["missing"]
            named = {part: set(found.get(part, {})) for part in ("research", "backend")}
            return True if named == {"research": {"service_key"}, "backend": {"service_key"}} else None

        eventually(missing)
        for service in ("research", "backend"):
            assert "EXTROPHI_SERVICE_KEY" in log(f"extrophi-guide_{service}_1"), service
        refused = get(8002, "/stats")
        assert refused.status_code == 401
        assert "Set EXTROPHI_SERVICE_KEY" in refused.json()["hint"]
        start("EXTROPHI_SERVICE_KEY=secret")
        eventually(lambda: True if get(8000, "/ready").status_code == 200 else None)


def test_with_chroma_the_guides_compose_text_needs_no_pgvector(tmp_path: Path) -> None:
    """As in postgres:16-alpine, PostgreSQL knows no pgvector."""
    (tmp_path / "Containerfile").write_text(
        "FROM docker.io/pgvector/pgvector:pg16\nUSER 0\nRUN find / -xdev -name vector.control -delete\n"
    )
    podman("build", "-q", "-t", "extrophi-test-postgres", str(tmp_path), seconds=120)
    try:
        with pasted(tmp_path, "localhost/extrophi-test-postgres") as start:

            def named() -> bool | None:
                said = get(8002, "/ready").json()["missing"]["database"]
                return True if "docker.io/pgvector/pgvector:pg16" in said and "VECTOR_STORE=chroma" in said else None

            eventually(named)
            logged = log("extrophi-guide_backend_1")
            assert "docker.io/pgvector/pgvector:pg16" in logged
            assert "VECTOR_STORE=chroma" in logged
            start("EXTROPHI_SERVICE_KEY=secret", "VECTOR_STORE=chroma")
            eventually(lambda: True if get(8000, "/ready").status_code == 200 else None)
            documents = [
                {"platform": "files", "external_id": "1", "text": "The boat to Aldwick leaves at seven."},
                {"platform": "files", "external_id": "2", "text": "Sourdough rises slowly, and its crust is dark."},
            ]
            headers = {"Authorization": "Bearer secret"}
            pushed = httpx.post(
                "http://127.0.0.1:8002/documents", json={"documents": documents}, headers=headers, trust_env=False
            )
            assert pushed.status_code == 200, pushed.text

            def by_meaning() -> bool | None:
                body = {"query": "a ship timetable", "mode": "vector"}
                found = httpx.post("http://127.0.0.1:8001/search", json=body, headers=headers, trust_env=False).json()
                hits = [item["citation"]["external_id"] for item in found["items"]]
                return True if (hits, found["degraded"]) == (["1", "2"], None) else None

            eventually(by_meaning, seconds=60)
    finally:
        podman("rmi", "-f", "extrophi-test-postgres")

"""The images: built by the guide's command, within its limits, each alone in the conditions that clusters set."""

import json
import os
import subprocess
import time
import tomllib
from uuid import uuid4

import numpy as np
import pytest

from extrophi_research.embeddings.local import LocalModel
from tests.containers.podman import ROOT, base_of, podman, running

pytestmark = [
    pytest.mark.usefixtures("built"),
    pytest.mark.containers,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("containers"),
]
LIMITS = {"orchestrator": 200, "research": 400, "backend": 500, "writer": 400}
SERVICES = ("orchestrator", "research", "backend")
"""What listens; the Writer's image does not, and has tests of its own (test_writer.py)."""
NOWHERE = {
    "research": ["-e", "DATABASE_URL=postgresql://localhost/test"],
    "backend": ["-e", "DATABASE_URL=postgresql://localhost/test", "-e", "REDIS_URL=redis://localhost:6379"],
}
HARDENED = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "all", "--security-opt", "no-new-privileges"]
components = pytest.mark.parametrize("component", SERVICES)


def test_the_build_prints_each_image_with_its_size_and_limit(built: str) -> None:
    rows = {line.split()[0]: line.split()[1:] for line in built.splitlines() if line.startswith("extrophi-")}
    for component, limit in LIMITS.items():
        size, _, most, _, verdict = rows[f"extrophi-{component}"]
        bytes_ = int(podman("image", "inspect", "--format", "{{.Size}}", f"extrophi-{component}"))
        assert abs(int(size) - bytes_ / 1e6) <= 1
        assert (most, verdict) == (str(limit), "ok")
        assert bytes_ < limit * 1e6


def test_an_image_over_its_limit_fails_the_build(tmp_path) -> None:
    text = (ROOT / "build-containers.sh").read_text().replace("orchestrator) echo 200", "orchestrator) echo 20")
    script = tmp_path / "build-containers.sh"
    script.write_text(text)
    (tmp_path / "orchestrator").symlink_to(ROOT / "orchestrator")
    done = subprocess.run(
        ["bash", script, "podman", "orchestrator"],
        env=os.environ | {"TAG": "over-its-limit"},  # not the image that other tests look at
        capture_output=True,
        text=True,
        check=False,
    )
    podman("rmi", "extrophi-orchestrator:over-its-limit")
    assert done.returncode == 1, done.stderr
    assert "too large" in done.stdout


def test_what_cannot_be_built_is_said_in_words(tmp_path) -> None:
    for arguments, path, words in (
        (["podman", "gopher"], os.environ["PATH"], "There is no component 'gopher'"),
        (["docker"], "/nowhere", "docker is not installed"),
    ):
        done = subprocess.run(
            ["/bin/bash", ROOT / "build-containers.sh", *arguments],
            env={"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert words in done.stderr


def test_a_base_that_cannot_be_pulled_is_said_with_the_next_step() -> None:
    done = subprocess.run(
        [ROOT / "build-containers.sh", "podman", "orchestrator"],
        env=os.environ | {"PYTHON_VERSION": "9.99", "TAG": "of-no-base"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "extrophi-orchestrator was not built" in done.stderr
    assert "Try: podman pull docker.io/library/python:9.99-alpine" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="a disk of 30 MB can be mounted by root alone")
def test_a_full_disk_is_said_with_the_next_step(tmp_path) -> None:
    if podman("info", "--format", "{{.Store.GraphDriverName}}") != "overlay":
        pytest.skip("a second storage is made upon overlay's alone")
    (tmp_path / "disk").mkdir()
    (tmp_path / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{tmp_path}/disk/graph"\nrunroot = "{tmp_path}/disk/run"\n'
        f'[storage.options]\nadditionalimagestores = ["{podman("info", "--format", "{{.Store.GraphRoot}}")}"]\n'
    )
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=30m", "tmpfs", tmp_path / "disk"], check=True)
    try:
        done = subprocess.run(
            [ROOT / "build-containers.sh", "podman", "orchestrator"],
            env=os.environ
            | {
                "CONTAINERS_STORAGE_CONF": f"{tmp_path}/storage.conf",
                "BUILD_FLAGS": f"{os.environ.get('BUILD_FLAGS', '')} --no-cache",
            },
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        for mounted in ("disk/graph/overlay", "disk"):  # podman mounts the first upon itself
            subprocess.run(["umount", tmp_path / mounted], check=False)
    assert done.returncode == 1
    assert "The disk is full. Free some of what builds left behind: podman system prune -f" in done.stderr


def test_an_engine_that_is_too_old_is_said_so(tmp_path) -> None:
    fake = tmp_path / "podman"
    fake.write_text(
        "#!/bin/sh\ncase $1 in build) echo 'Error: unknown flag: --timestamp' >&2; exit 125;;"
        " --version) echo podman version 1.6.4;; esac\n"
    )
    fake.chmod(0o755)
    done = subprocess.run(
        [ROOT / "build-containers.sh", "podman", "research"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "too old: podman version 1.6.4" in done.stderr


def test_its_help_shows_how_it_is_called() -> None:
    said = subprocess.run([ROOT / "build-containers.sh", "--help"], check=True, capture_output=True, text=True).stdout
    assert all(one in said for one in ("podman", "docker", "BROWSER", "BUILD_FLAGS", *LIMITS))


def test_children_that_nobody_waits_for_are_reaped_in_the_backend() -> None:
    """Chromium leaves some behind."""
    with running("extrophi-backend", *NOWHERE["backend"]) as container:
        container.ask("/health")
        container.run("sh", "-c", "for one in 1 2 3; do (sleep 0.2 &) done")
        time.sleep(1)
        states = container.run("sh", "-c", "cat /proc/[0-9]*/stat").splitlines()
        assert not [line for line in states if line.rpartition(") ")[2].startswith("Z")]


@pytest.mark.parametrize("engine", ["podman", "docker"])
def test_a_size_that_cannot_be_told_is_not_ok(tmp_path, engine: str) -> None:
    """As with a builder that keeps what it built to itself."""
    fake = tmp_path / engine
    fake.write_text("#!/bin/sh\n[ $1 != image ]\n")
    fake.chmod(0o755)
    done = subprocess.run(
        [ROOT / "build-containers.sh", engine],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.count("not there after the build") == len(LIMITS)


@components
def test_alone_it_is_healthy_and_says_what_it_needs(component: str) -> None:
    with running(f"extrophi-{component}", *NOWHERE.get(component, [])) as container:
        assert container.ask("/health").status_code == 200
        podman("healthcheck", "run", container.name)
        assert container.inspect()["State"]["Health"]["Status"] == "healthy"
        answer = container.ask("/ready")
        assert answer.status_code == 503
        assert answer.json()["missing"]
        assert container.run("curl", "-fsS", "http://localhost:8000/health")
        assert container.run("id", "-u") == "1000"


def test_when_the_database_appears_later_it_becomes_ready_by_itself() -> None:
    network = f"extrophi-test-{uuid4().hex[:12]}"
    postgres, redis = f"{network}-postgres", f"{network}-redis"
    podman("network", "create", network)
    try:
        database = f"DATABASE_URL=postgresql://postgres:secret@{postgres}/extrophi"
        flags = ["--network", network, "-e", database, "-e", "EXTROPHI_SERVICE_KEY=secret"]
        with (
            running("extrophi-backend", *flags, "-e", f"REDIS_URL=redis://{redis}:6379") as backend,
            running("extrophi-research", *flags) as research,
        ):
            for one in (backend, research):
                assert one.ask("/health").status_code == 200
                assert "out of reach" in one.ask("/ready").json()["missing"]["database"]
            first = ["run", "-d", "--network", network, "--name"]
            podman(*first, redis, "docker.io/library/redis:7-alpine")
            with_password = ["-e", "POSTGRES_PASSWORD=secret", "-e", "POSTGRES_DB=extrophi"]
            podman(*first, postgres, *with_password, "docker.io/pgvector/pgvector:pg16")
            for one in (backend, research):
                ready = one.until("/ready", lambda answer: answer.status_code == 200, seconds=60)
                assert ready.json() == {"ready": True, "missing": {}}, one.log()
    finally:
        podman("rm", "-f", "-v", "-i", "-t", "0", postgres, redis)
        podman("network", "rm", "-f", network)


@components
@pytest.mark.parametrize("user", ["1000", "123456:0"])
def test_it_runs_hardened_under_any_user_of_group_0(component: str, user: str) -> None:
    data = [] if component == "orchestrator" else ["-v", "/app/data"]
    flags = [*HARDENED, *data, "--user", user, *NOWHERE.get(component, [])]
    with running(f"extrophi-{component}", *flags) as container:
        assert container.ask("/health").status_code == 200
        if data:
            assert container.run("sh", "-c", "touch /app/data/x && echo written") == "written"


def test_research_says_who_has_to_be_able_to_write(tmp_path) -> None:
    tmp_path.chmod(0o755)
    with running("extrophi-research", *NOWHERE["research"], "-v", f"{tmp_path}:/app/data") as container:
        told = container.until("/health", lambda answer: "EXTROPHI_DATA" in answer.text).json()["dependencies"]
        assert "user 1000 or group 0 has to be able to write EXTROPHI_DATA" in told["keyword_index"]


def test_a_folder_of_group_0_can_be_written(tmp_path) -> None:
    tmp_path.chmod(0o775)
    with running("extrophi-backend", *NOWHERE["backend"], "-v", f"{tmp_path}:/app/data") as container:
        assert container.ask("/health").json()["dependencies"]["captures"] == "ok"


@components
def test_it_is_labelled_with_what_it_was_made_of(component: str) -> None:
    labels = json.loads(podman("image", "inspect", f"extrophi-{component}"))[0]["Labels"]
    said = {name.removeprefix("org.opencontainers.image."): value for name, value in labels.items()}
    project = tomllib.loads((ROOT / component / "pyproject.toml").read_text())["project"]
    assert (said["title"], said["version"], said["licenses"]) == (project["name"], project["version"], "Apache-2.0")
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert said["revision"].removesuffix("-dirty") == head.strip()


@components
def test_it_stops_when_told_to(component: str) -> None:
    with running(f"extrophi-{component}", *NOWHERE.get(component, [])) as container:
        container.ask("/health")
        began = time.monotonic()
        podman("stop", "-t", "20", container.name)
        assert time.monotonic() - began < 10
        assert container.inspect()["State"]["ExitCode"] == 0


@components
def test_nothing_is_in_it_that_it_does_not_need(component: str) -> None:
    image = f"extrophi-{component}"
    tools = "for one in gcc cc strip make pip git; do command -v $one; done"
    found = podman("run", "--rm", "--entrypoint", "sh", image, "-c", f"{tools}; ls -A /app; true").split()
    base = podman("run", "--rm", "--entrypoint", "sh", base_of(image), "-c", f"{tools}; true").split()
    ours = {
        "orchestrator": {".venv", "extrophi_orchestrator"},
        "research": {".venv", "data", "extrophi_research"},
        "backend": {".venv", "bin", "data", "extrophi_backend", "packs"},
    }
    assert set(found) - set(base) == ours[component]
    settings, of_base = (
        {setting.partition("=")[0] for setting in json.loads(podman("image", "inspect", one))[0]["Config"]["Env"]}
        for one in (image, base_of(image))
    )
    assert not [name for name in settings - of_base if "KEY" in name or "PASSWORD" in name or "URL" in name]


def test_the_model_in_the_image_is_the_model() -> None:
    """What was stripped and left out is not missed."""
    asks = "from extrophi_research.embeddings.local import LocalModel; print(LocalModel().embed_whole('a heron'))"
    found = podman("run", "--rm", *HARDENED, "extrophi-research", "python", "-c", asks)
    assert np.allclose(json.loads(found), LocalModel().embed_whole("a heron"), atol=1e-5)


def test_the_keyword_index_in_the_image_finds_in_every_language() -> None:
    asks = """
import pathlib, uuid
from extrophi_research.search.keyword import IndexedChunk, KeywordIndex
from extrophi_research.search.query import parse
index, one = KeywordIndex(pathlib.Path("/tmp/keywords")), uuid.uuid4()
index.open()
index.apply([one], [IndexedChunk(uuid.uuid4(), one, "", "Der Reiher frisst Fische 魚を食べる", "de")])
index.commit((1, 1))
print([len(index.chunks(parse(word), 9)) for word in ("fisch", "reihers", "魚", "bread")])
index.close()
"""
    assert podman("run", "--rm", *HARDENED, "extrophi-research", "python", "-c", asks) == "[1, 1, 1, 0]"


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param(["--user", "1000"], id="as-the-guide-runs-it"),
        # `compose.yaml` runs it so, too (test_compose.py)
        pytest.param([*HARDENED, "--user", "1000"], id="hardened", marks=pytest.mark.soak),
        pytest.param([*HARDENED, "--user", "123456:0"], id="hardened-any-user"),
    ],
)
def test_the_backend_holds_what_collectors_use_and_each_of_it_works(flags: list[str]) -> None:
    """Chromium by Playwright, ChromaDB in the process and as a server, and the platforms' libraries."""
    script = ROOT / "tests" / "containers" / "inside_backend.py"
    mounts = ["-v", "/app/data", "-v", f"{script}:/inside_backend.py:ro", "-e", "PYTHONPATH=/app"]
    command = ["podman", "run", "--rm", *flags, *mounts, "extrophi-backend"]
    done = subprocess.run(
        [*command, "python", "/inside_backend.py"], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    sandbox, last = done.stdout.splitlines()[-2:]
    assert last == "all of it works"
    asks = ["sh", "-c", "unshare --map-root-user --pid --fork chroot /proc/self/fdinfo 2>&1 || true"]
    refused = "failed to run command" not in podman(*command[1:], *asks)  # it is another root: there is no shell
    assert sandbox == ("sandbox off" if refused else "sandbox on")
    assert done.stderr.count("browser.unsandboxed why=") == int(refused), done.stderr


@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_a_folder_that_cannot_be_written_is_said_with_the_remedy_and_the_rest_is_served(tmp_path, mode: int) -> None:
    tmp_path.chmod(mode)  # of another owner: root's
    with running("extrophi-backend", *NOWHERE["backend"], "-v", f"{tmp_path}:/app/data") as container:
        said = container.until("/health", lambda answer: answer.status_code == 200).json()["dependencies"]["captures"]
        assert "/app/data belongs to user 0 and group 0, this is user 1000 of group 0" in said
        assert "chown 1000" in said
        assert "captures" not in container.ask("/ready").json()["missing"]


@components
def test_it_compiles_nothing_when_it_starts(component: str) -> None:
    asks = f"import extrophi_{component}.app as a, importlib.util as u; print(u.cache_from_source(a.__file__))"
    cached = podman("run", "--rm", f"extrophi-{component}", "python", "-c", asks)
    assert podman("run", "--rm", f"extrophi-{component}", "ls", cached) == cached

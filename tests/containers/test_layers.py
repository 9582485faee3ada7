"""What lies in the images' layers: no tools, caches or secrets; the same twice; none built again for a line of code."""

import json
import re
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement

from tests.containers.podman import ROOT, base_of, layers, podman

pytestmark = [
    pytest.mark.usefixtures("built"),
    pytest.mark.containers,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("containers"),
]
COMPONENTS = ("orchestrator", "research", "backend")
components = pytest.mark.parametrize("component", COMPONENTS)
CODE = {component: f"extrophi_{component}/app.py" for component in COMPONENTS} | {"writer": "image/pack"}
"""What is in the context of each build."""
TOOLS = {"gcc", "cc", "g++", "c++", "ld", "as", "make", "strip", "objdump", "cargo", "rustc", "npm", "uv"}
# One each, which begins with plain text: that is looked for eighteen times as fast as any of them at once.
SECRETS = [
    re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}"),
    re.compile(rb"sk-(?<=\bsk-)(?:proj-)?[A-Za-z0-9]{32,}"),
    re.compile(rb"AKIA(?<=\bAKIA)[0-9A-Z]{16}\b"),
]
PREVIOUS, COMMITTED = "1700000000", "1710000000"


def has_secret(content: bytes) -> bool:
    return any(one.search(content) for one in SECRETS)


def own_layers(image: str) -> list[str]:
    """The base's left out; the Writer's has none."""
    all_ = layers(image)
    of_base = [] if "writer" in image else layers(base_of(image))
    assert all_[: len(of_base)] == of_base
    return all_[len(of_base) :]


def files(image: str, folder: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Each file of each layer of our own, also those that a later layer hides."""
    saved = folder / "image.tar"
    podman("save", "--format", "docker-archive", "-o", str(saved), image, seconds=300)
    with tarfile.open(saved) as archive:
        index = archive.extractfile("manifest.json")
        assert index is not None
        names: list[str] = json.load(index)[0]["Layers"]
        for name in names[-len(own_layers(image)) :]:
            layer = archive.extractfile(name)
            assert layer is not None
            with tarfile.open(fileobj=layer) as inner:
                for member in inner:
                    content = inner.extractfile(member) if member.isfile() else None
                    yield PurePosixPath("/", member.name), content.read() if content is not None else b""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"x:sk-proj-" + b"A1" * 16, True),
        (b"risk-" + b"a1" * 16, False),
        (b"=AKIA" + b"A" * 16, True),
        (b"xAKIA" + b"A" * 16, False),
        (b"-----BEGIN RSA " + b"PRIVATE KEY-----\n" + b"a" * 40, True),
    ],
)
def test_a_secret_is_known_when_it_is_seen(text: bytes, found: bool) -> None:  # noqa: FBT001
    assert has_secret(b"\0some " + text) is found


@components
def test_no_compiler_cache_or_secret_is_in_any_layer(component: str, tmp_path: Path) -> None:
    found: list[tuple[PurePosixPath, bool]] = []
    for path, content in files(f"localhost/extrophi-{component}", tmp_path):
        found.append((path, has_secret(content)))
        if path == PurePosixPath("/etc/shadow"):  # when a password changed would tell the day of the build
            assert re.search(rb"^appuser:[^:]*::", content, re.MULTILINE), content
    assert PurePosixPath("/app", f"extrophi_{component}", "app.py") in [path for path, _ in found]
    for path, secret in found:
        assert not secret or "yt_dlp/extractor" in str(path), path  # it knows public keys of some players
        assert path.name not in TOOLS or not {"bin", "sbin"} & set(path.parts), path
        assert not {".cache", "pip", "__pycache__.old", ".git", "secrets"} & set(path.parts), path
        assert not path.is_relative_to("/var/lib/apt/lists") or path == PurePosixPath("/var/lib/apt/lists"), path
        assert str(path) not in {"/var/log/dpkg.log", "/var/log/apt/history.log", "/var/cache/ldconfig/aux-cache"}
        assert path.suffix not in {".whl", ".deb", ".apk", ".env", ".h", ".pyx", ".a"}, path
        assert path.name not in {".env", "id_rsa", "id_ed25519", ".netrc", ".npmrc", "pip.conf"}, path


@components
def test_the_history_and_settings_of_an_image_hold_no_secret(component: str) -> None:
    told = podman("image", "inspect", f"localhost/extrophi-{component}")
    assert not has_secret(told.encode())
    assert "--build-arg" not in told


@pytest.mark.parametrize("component", CODE)
def test_what_is_not_meant_for_an_image_stays_out_of_its_build(component: str, tmp_path: Path) -> None:
    """Of the guide's list and of secrets, each lies once beside the code and once in it."""
    context = tmp_path / component
    left_out = shutil.ignore_patterns("tests", "__pycache__", "node_modules", "target")
    shutil.copytree(ROOT / component, context, ignore=left_out)
    unwanted = [
        ".env", ".env.local", "server.key", "cert.pem", "node_modules/a.js", "venv/a.py", ".venv/a.py",
        "__pycache__/a.pyc", ".vscode/a", ".idea/a", "docs/a", "notes.md", ".git/config", "tests/test_a.py",
        ".coverage", ".coverage.1", "coverage.xml", "htmlcov/a.html", ".pytest_cache/a", "secrets/service_key",
    ]  # fmt: skip
    for folder in (context, (context / CODE[component]).parent):
        for one in unwanted:
            (folder / one).parent.mkdir(parents=True, exist_ok=True)
            (folder / one).write_text("not for an image")
    (context / "Containerfile").write_text("FROM scratch\nCOPY . /\n")
    image = f"extrophi-test-context-{component}"
    try:
        podman("build", "-q", "-t", image, str(context))
        saved = tmp_path / "image.tar"
        podman("save", "--format", "docker-archive", "-o", str(saved), image)
    finally:
        podman("rmi", "-f", "-i", "--no-prune", image)
    with tarfile.open(saved) as archive:
        index = archive.extractfile("manifest.json")
        assert index is not None
        layer = archive.extractfile(json.load(index)[0]["Layers"][-1])
        assert layer is not None
        with tarfile.open(fileobj=layer) as inner:
            kept = {member.name: member for member in inner if member.isfile()}
            assert CODE[component] in kept
            for member in kept.values():
                content = inner.extractfile(member)
                assert content is not None
                assert content.read() != b"not for an image", member.name


@components
def test_after_a_change_of_code_no_dependencies_are_built_again(component: str, tmp_path: Path) -> None:
    """In another commit, too: each has another time."""
    context = tmp_path / component
    shutil.copytree(ROOT / component, context, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    image = f"extrophi-test-changed-{component}"
    code = context / f"extrophi_{component}" / "__init__.py"
    try:
        # Once as it is: other tests remove images, and the engine then what it holds for their leftovers.
        build(context, image, PREVIOUS)
        code.write_text(f"{code.read_text()}\nCHANGED = True\n")
        said = build(context, image, COMMITTED)
    finally:
        podman("rmi", "-f", "-i", "--no-prune", image)
    steps = re.split(r"^(?=(?:\[\d/\d\] )?STEP )", said, flags=re.MULTILINE)
    installs = [one for one in steps if re.match(r".*\bRUN .*(?:pip|apt|apk|useradd|adduser|pack)", one, re.DOTALL)]
    assert len(installs) >= 3, said
    for one in installs:
        if "import sys, extrophi_" not in one:  # byte code, of the code
            assert "Using cache" in one, said
    assert "COPY extrophi_" in said


def build(context: Path, image: str, time: str) -> str:
    """What the engine says of each step."""
    command = ["podman", "build", "--format", "docker", "--network", "host", "--timestamp", time, "-t", image]
    done = subprocess.run(
        [*command, "-f", "Containerfile", "."], cwd=context, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@components
def test_what_an_image_is_made_of_is_written_beside_it(component: str) -> None:
    """As CycloneDX that its own schema allows; of each source of packages at least one, with its licence."""
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415

    text = (ROOT / "sbom" / f"extrophi-{component}.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    told = json.loads(text)
    about = json.loads(podman("image", "inspect", f"extrophi-{component}"))[0]["Labels"]
    assert told["metadata"]["component"]["properties"][0]["value"] == about["org.opencontainers.image.revision"]
    found = {one["purl"].partition("@")[0]: one for one in told["components"]}
    wanted = {
        "orchestrator": {"pkg:pypi/fastapi", "pkg:pypi/httpx", "pkg:apk/alpine/musl", "pkg:generic/python"},
        "research": {"pkg:pypi/onnxruntime", "pkg:pypi/tantivy", "pkg:deb/debian/libc6", "pkg:generic/python"},
        "backend": {
            "pkg:pypi/playwright", "pkg:pypi/chromadb", "pkg:deb/debian/chromium-headless-shell", "pkg:generic/node",
            "pkg:deb/debian/fonts-noto-color-emoji", "pkg:deb/debian/tini", "pkg:deb/debian/libnss3",
        },
    }[component]  # fmt: skip
    assert wanted <= found.keys()
    of_the_base = {"pkg:deb/debian/libc6", "pkg:deb/debian/tini"}  # slim images may leave licences out
    assert all(found[one]["licenses"] for one in wanted - of_the_base)
    locked = [
        Requirement(line.rstrip("\\ "))
        for line in (ROOT / component / "requirements.txt").read_text().splitlines()
        if re.match("[a-z0-9]", line)
    ]
    there = {
        "python_version": "3.11",
        "python_full_version": "3.11.2",
        "sys_platform": "linux",
        "platform_system": "Linux",
    }
    wanted = {
        f"pkg:pypi/{one.name}@{str(one.specifier).removeprefix('==')}"
        for one in locked
        if one.name != "hf-xet" and (one.marker is None or one.marker.evaluate(there))
    }
    assert wanted <= {one["purl"] for one in told["components"]}
    lines = (ROOT / "sbom" / f"extrophi-{component}.licences.txt").read_text().splitlines()
    assert len(lines) == len(told["components"])
    assert not [line for line in lines if "chromium" in line and line.endswith(": not stated")]


@pytest.mark.soak
@pytest.mark.timeout(4000)
@pytest.mark.parametrize("component", [*COMPONENTS, "writer"])
def test_two_builds_of_one_commit_give_the_same_layers(component: str) -> None:
    """Packed twice: the backend and the Writer's for ten minutes each."""
    first, second = built_twice(component)
    assert first == second


def built_twice(component: str) -> list[list[str]]:
    """The layers of each."""
    tags = [f"extrophi-test-{component}:{turn}" for turn in range(2)]
    before = {*podman("images", "-aq", "--no-trunc").split()}
    try:
        command = ["build", "--format", "docker", "--network", "host", "--no-cache", "--timestamp", PREVIOUS]
        command += ["--build-arg", "VARIANT=slim"] if component == "writer" else []
        command += ["-f", f"{ROOT}/{component}/Containerfile", f"{ROOT}/{component}"]

        def build_in_turn(turn: int) -> None:
            time.sleep(3 * turn)  # a time of day that is in a layer shows
            podman(*command, "-t", tags[turn], seconds=3600)

        with ThreadPoolExecutor() as pool:  # most steps take one core, or wait
            list(pool.map(build_in_turn, range(2)))
        return [own_layers(f"localhost/{tag}") for tag in tags]
    finally:
        podman("rmi", "-f", "-i", *({*podman("images", "-aq", "--no-trunc").split()} - before))

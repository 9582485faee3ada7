"""The Writer's image: what it holds works under any user, and the guide's command leaves a program that starts.

It is built on Debian here (VARIANT=slim); the program is compiled once, which takes minutes.
"""

import io
import json
import os
import re
import subprocess
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from tests.containers.podman import ROOT, podman
from tests.containers.test_layers import has_secret
from tests.containers.writer import NETWORK, PERSON, ROOTFUL, Clone, Compiling, copied, volume

pytestmark = [
    pytest.mark.usefixtures("built"),
    pytest.mark.containers,
    pytest.mark.timeout(7200),
    pytest.mark.xdist_group("containers"),
]
IMAGE = "extrophi-writer"
UNPACKING = "Unpacking Node, Rust, a C compiler and WebKitGTK"
HARDENED = ["--read-only", "--tmpfs", "/tmp:exec", "--cap-drop", "all", "--security-opt", "no-new-privileges"]
SEEN_AS = f"--user {PERSON}:{PERSON}" if ROOTFUL else "--user 0:0"
"""Whom the image sees as the owner of a person's folder: the root of a rootless engine is the person."""
# Compiled here, and run here: C with GTK and WebKit, Rust. Python is what node-gyp asks for.
ALL_OF_IT = r"""
set -e
cd /tmp
printf '#include <webkit2/webkit2.h>\nint main() { return webkit_get_major_version() != 2; }' >page.c
cc page.c -o page $(pkg-config --cflags --libs webkit2gtk-4.1) && ./page
printf 'fn main() { println!("compiled"); }' >main.rs
rustc -O main.rs && ./main
test -x /usr/lib/*/webkit2gtk-4.1/WebKitWebProcess
ldd /usr/lib/*/webkit2gtk-4.1/WebKitWebProcess | grep -c 'not found' || true
node -p 'process.version.split(".")[0]'
npm --version && cargo --version && tauri --version && python3 -c 'import json, ssl; print("python")'
id -u && grep CapEff /proc/self/status
"""


@dataclass(frozen=True, slots=True)
class Said:
    out: str
    log: str


def run(*flags: str, seconds: float = 300) -> Said:
    """Of `podman run`. Raises AssertionError with the log if it fails."""
    done = subprocess.run(
        ["podman", "run", "--rm", *flags], capture_output=True, text=True, timeout=seconds, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Said(done.stdout, done.stderr)


def refused(*flags: str) -> str:
    """What a container that ends with an error says."""
    done = subprocess.run(["podman", "run", "--rm", *flags], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode != 0, done.stdout
    return done.stdout + done.stderr


def test_it_is_labelled_and_holds_no_setting_of_ours() -> None:
    about = json.loads(podman("image", "inspect", IMAGE))[0]
    labels = {name.rpartition(".")[2]: value for name, value in about["Labels"].items()}
    version = json.loads((ROOT / "writer" / "package.json").read_text())["version"]
    assert (labels["title"], labels["version"], labels["licenses"]) == (IMAGE, version, "Apache-2.0")
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert labels["revision"].removesuffix("-dirty") == head.strip()
    settings = {one.partition("=")[0] for one in about["Config"]["Env"]}
    assert settings == {"PATH", "NPM_CONFIG_PREFIX", "APPIMAGE_EXTRACT_AND_RUN"}
    assert not has_secret(json.dumps(about).encode())


def files(folder: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Each file of the image, and each in its packs."""
    saved = folder / "image.tar"
    podman("save", "--format", "docker-archive", "-o", str(saved), IMAGE, seconds=600)
    with tarfile.open(saved) as archive:
        index = archive.extractfile("manifest.json")
        assert index is not None
        for name in json.load(index)[0]["Layers"]:
            layer = archive.extractfile(name)
            assert layer is not None
            with tarfile.open(fileobj=layer) as inner:
                for member in inner:
                    content = inner.extractfile(member) if member.isfile() else None
                    if content is None:
                        continue
                    data = content.read()
                    yield PurePosixPath("/", member.name), data
                    if member.name.endswith(".tar.zst"):
                        yield from packed(data)


def packed(data: bytes) -> Iterator[tuple[PurePosixPath, bytes]]:
    plain = subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(plain)) as pack:
        for member in pack:
            content = pack.extractfile(member) if member.isfile() else None
            yield PurePosixPath("/", member.name), content.read() if content is not None else b""


def test_no_cache_or_secret_is_in_it(tmp_path: Path) -> None:
    found: set[PurePosixPath] = set()
    for path, content in files(tmp_path):
        found.add(path)
        if not path.name.startswith("libgnutls.so"):  # it tests itself with keys that everyone has
            assert not has_secret(content), path
        assert not {".cache", ".npm", "registry", ".git", "secrets", "__pycache__"} & set(path.parts), path
        assert not str(path).startswith(("/build/", "/root/.", "/tmp/", "/var/lib/apt/lists/", "/var/log/")), path
        assert path.suffix not in {".deb", ".apk", ".crate", ".env"}, path
        assert path.name not in {".env", "id_rsa", "id_ed25519", ".netrc", ".npmrc"}, path
    for one in ("/opt/extrophi/enter", "/usr/local/rust/bin/rustc", "/usr/include/stdio.h"):
        assert PurePosixPath(one) in found


@pytest.mark.parametrize(
    ("flags", "user"),
    [
        pytest.param([], "0", id="root-with-roots-folder"),
        pytest.param([*HARDENED, "--user", "1000"], "1000", id="hardened"),
        pytest.param([*HARDENED, "--user", "123456:0"], "123456", id="hardened-any-user"),
    ],
)
def test_all_in_it_works_and_without_capabilities(flags: list[str], user: str) -> None:
    said = run(*flags, IMAGE, "sh", "-c", ALL_OF_IT)
    compiled, missing, node, *versions, python, who, capabilities = said.out.splitlines()
    assert (compiled, missing, node, python) == ("compiled", "0", "v18", "python")
    assert versions[1].startswith("cargo 1.")
    assert versions[2] == f"tauri-cli {locked_tauri()}"
    assert who == user
    if ROOTFUL or user != "0":
        assert capabilities.split()[1] == "0000000000000000"
    assert said.log.count(UNPACKING) == 1


def locked_tauri() -> str:
    packages = json.loads((ROOT / "writer" / "package-lock.json").read_text())["packages"]
    return packages["node_modules/@tauri-apps/cli"]["version"]


def test_several_at_once_unpack_once_and_a_later_one_finds_it() -> None:
    with volume() as tools, ThreadPoolExecutor() as pool:
        told = [*pool.map(lambda _: run("-v", tools, IMAGE, "cargo", "--version"), range(3))]
        assert all(one.out.startswith("cargo 1.") for one in told)
        assert sum(one.log.count(UNPACKING) for one in told) == 1
        assert UNPACKING not in run("-v", tools, "--user", "1000", IMAGE, "node", "--version").log


def test_what_another_image_left_and_what_was_killed_makes_way() -> None:
    leaves = ["--entrypoint", "sh", IMAGE, "-c", "mkdir /tools/old /tools/.half-killed; : >/tools/old.lock"]
    asks = "cc --version >/dev/null; ls -A /tools"
    with volume() as tools:
        run("-v", tools, *leaves)
        there = run("-v", tools, IMAGE, "sh", "-c", f"exec 7</tools/old.lock; flock -s 7; {asks}").out.split()
        assert "old" in there  # in use
        assert ".half-killed" not in there
    with volume() as tools:
        run("-v", tools, *leaves)
        assert "old" not in run("-v", tools, IMAGE, "sh", "-c", asks).out.split()


def test_where_it_cannot_unpack_it_says_why_and_what_to_do(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for flags, why in (
        (["--user", "1000", "-v", f"{tmp_path}:/tools"], "it cannot be written"),
        (["--tmpfs", "/tools:noexec,mode=1777"], "noexec"),
        (["--tmpfs", "/tools:exec,size=50m,mode=1777"], "No space left on device"),
    ):
        told = refused(*flags, IMAGE, "cargo", "--version")
        assert why in told
        assert "-v extrophi-tools:/tools" in told


def test_half_a_pack_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    """As when the system ends zstd for its memory: what comes until then may be a whole archive to tar."""
    ended = tmp_path / "zstd"
    ended.write_text("#!/bin/sh\nhead -c 10240 /dev/zero\nexit 1\n")
    for one in (tmp_path, ended):
        one.chmod(0o755)
    assert "The tools cannot be unpacked" in refused("-v", f"{ended}:/usr/bin/zstd:ro", IMAGE, "cargo", "--version")


def test_without_the_writer_or_a_network_it_says_what_to_do(tmp_path: Path) -> None:
    told = refused(IMAGE, "npm", "run", "tauri:build")
    assert "The Writer is not at /app" in told
    folder = copied(tmp_path)
    with volume() as tools:
        flags = ["-v", tools, "-v", f"{folder}/writer:/app"]
        build = [IMAGE, "npm", "run", "build"]
        # npm would wait a minute before it tries again.
        told = refused("--network", "none", "-e", "npm_config_fetch_retries=0", *flags, *build)
        assert "npm needs a way to its registry" in told
        assert SEEN_AS in refused("--user", "4321", *flags, *build)
        if ROOTFUL:
            assert SEEN_AS in refused("--cap-drop", "all", *flags, *build)


def test_packages_of_another_machine_are_installed_anew_and_files_of_root_stay_roots(tmp_path: Path) -> None:
    clone = copied(tmp_path, owner=os.geteuid())
    flags = [*NETWORK, "-v", f"{clone}/writer:/app", "-v", f"{clone}/writer/dist:/app/dist"]
    with volume() as tools:
        first = run("-v", tools, *flags, IMAGE, "npm", "run", "build", "--", "--outDir", "dist/web")
        assert "npm ci): there are none." in first.log
        modules = clone / "writer" / "node_modules"
        native = next(modules.glob("@rollup/rollup-linux-*-gnu"))
        native.rename(native.with_name("rollup-darwin-arm64"))
        lock = modules / ".package-lock.json"
        lock.write_text(lock.read_text().replace(native.name, "rollup-darwin-arm64"))
        second = run("-v", tools, *flags, IMAGE, "npm", "run")
        assert f"{native.name} is not there: they are another machine's." in second.log
        assert native.is_dir()
        assert "npm ci" not in run("-v", tools, *flags, IMAGE, "npm", "run").log
    assert (clone / "writer" / "dist" / "web" / "index.html").is_file()
    assert {path.lstat().st_uid for path in clone.rglob("*")} == {os.geteuid()}


def test_the_guides_command_in_a_fresh_clone_leaves_program_package_and_web_build(clone: Clone) -> None:
    dist = clone.folder / "writer" / "dist"
    assert (dist / "web" / "index.html").is_file()
    assert [*dist.glob("*.deb")]
    assert program(dist).stat().st_mode & 0o111
    assert [*dist.glob("*.AppImage")] or "There is no AppImage: its tools" in clone.said
    others = {str(path) for path in clone.folder.rglob("*") if path.lstat().st_uid != PERSON}
    assert not others


def unmarked(path: Path) -> bytes:
    """Without what Tauri writes into it: the kind of package that it was last put into."""
    return re.sub(rb"BUNDLE_TYPE_VAR_\w{3}", b"BUNDLE_TYPE_VAR_UNK", path.read_bytes())


def program(dist: Path) -> Path:
    return next(
        one for one in dist.iterdir() if one.is_file() and one.read_bytes()[:4] == b"\x7fELF" and not one.suffix
    )


def test_the_package_holds_the_program_and_what_it_needs(clone: Clone, tmp_path: Path) -> None:
    dist = clone.folder / "writer" / "dist"
    package = next(dist.glob("*.deb"))
    (tmp_path / "in").mkdir()
    subprocess.run(["ar", "x", package], cwd=tmp_path / "in", check=True)
    for part in ("control", "data"):
        archive = next((tmp_path / "in").glob(f"{part}.tar*"))
        (tmp_path / part).mkdir()
        subprocess.run(["tar", "-xf", archive, "-C", tmp_path / part], check=True)
    control = dict(re.findall(r"^([\w-]+): (.*)", (tmp_path / "control" / "control").read_text(), re.MULTILINE))
    version = json.loads((ROOT / "writer" / "package.json").read_text())["version"]
    assert control["Version"] == version
    assert {"libwebkit2gtk-4.1-0", "libgtk-3-0"} <= {one.split()[0] for one in control["Depends"].split(", ")}
    name = program(dist).name
    packaged = tmp_path / "data" / "usr" / "bin" / name
    assert unmarked(packaged) == unmarked(program(dist))
    entry = next((tmp_path / "data" / "usr" / "share" / "applications").glob("*.desktop")).read_text()
    assert f"Exec={name}" in entry
    assert [*(tmp_path / "data" / "usr" / "share" / "icons").rglob(f"{name}.png")]


def test_the_package_installs_on_a_bare_debian_and_its_program_shows_a_window(clone: Clone) -> None:
    """Under a screen of its own (Xvfb), by the libraries that the package asks for."""
    name = program(clone.folder / "writer" / "dist").name
    script = f"""
set -e
apt-get update -qq && apt-get install -yqq --no-install-recommends /dist/*.deb xvfb xauth xdotool dbus >/dev/null 2>&1
useradd -m person
cat >/start <<'TEXT'
{name} &
for turn in $(seq 120); do
  xdotool search --onlyvisible --name Extrophi && exit
  sleep 0.5
done
exit 1
TEXT
su person -c 'dbus-run-session -- xvfb-run -a sh /start'
"""
    dist = ["-v", f"{clone.folder}/writer/dist:/dist:ro"]
    said = run(*NETWORK, *dist, "docker.io/library/debian:bookworm-slim", "sh", "-c", script, seconds=600)
    assert re.fullmatch(r"(\d+\s+)+", said.out)


@pytest.mark.soak  # the program is compiled and linked again
def test_a_second_run_needs_no_network_and_compiles_nothing_again(clone: Clone) -> None:
    before = program(clone.folder / "writer" / "dist").read_bytes()
    said = clone.again("--network", "none")
    assert UNPACKING not in said
    assert "npm ci" not in said
    assert not re.findall(r"Compiling (?!extrophi)", said)
    assert len(program(clone.folder / "writer" / "dist").read_bytes()) == len(before)


@pytest.mark.soak  # compiled and optimised as a whole
def test_without_a_flag_the_command_leaves_the_program_as_its_users_get_it(clone: Clone, tmp_path: Path) -> None:
    with volume() as tools:
        at_work = Compiling(copied(tmp_path / "clone"), tools)
        try:
            whole = at_work.done()
        finally:
            at_work.stop()
    dist = whole.folder / "writer" / "dist"
    assert [*dist.glob("*.deb")]
    assert program(dist).stat().st_size < program(clone.folder / "writer" / "dist").stat().st_size


def test_what_it_is_made_of_is_written_beside_it() -> None:
    told = json.loads((ROOT / "sbom" / f"{IMAGE}.cdx.json").read_text())
    found = {one["purl"].partition("@")[0]: one for one in told["components"]}
    wanted = {
        "pkg:generic/rust", "pkg:generic/node", "pkg:npm/npm", "pkg:npm/%40tauri-apps/cli",
        "pkg:deb/debian/libwebkit2gtk-4.1-0", "pkg:deb/debian/libgtk-3-dev",
    }  # fmt: skip
    assert wanted <= found.keys()
    assert all(found[one].get("licenses") for one in wanted)
    assert "pkg:deb/debian/libllvm15" not in found  # purged

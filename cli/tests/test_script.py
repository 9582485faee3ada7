"""The script in the clone's root, with an environment that needs nothing from a registry."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from cli.tests.support import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for component in ("backend", "orchestrator", "research", "cli/extrophi_cli"):
        (tmp_path / component).mkdir(parents=True)
    for file in ("extrophi", "cli/make_environment.py"):
        shutil.copy(ROOT / file, tmp_path / file)
    (tmp_path / "cli" / "requirements.txt").write_text("# none\n")
    (tmp_path / "cli" / "extrophi_cli" / "__main__.py").write_text("import sys\nprint(sys.argv[1:])\n")
    return tmp_path


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def start(clone: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [clone / "extrophi", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        env=environment(),
        start_new_session=True,
    )


def test_the_first_use_makes_an_environment_and_the_second_does_not(clone: Path) -> None:
    out, err = start(clone, "search", "two words").communicate(timeout=100)
    assert out == "['search', 'two words']\n", err
    assert "First use" in err
    out, err = start(clone).communicate(timeout=100)
    assert (out, err) == ("[]\n", "")


def test_two_first_uses_at_once_make_one_environment(clone: Path) -> None:
    processes = [start(clone, "a"), start(clone, "b")]
    ended = [process.communicate(timeout=100) for process in processes]
    assert [out for out, _ in ended] == ["['a']\n", "['b']\n"]
    assert sum("First use" in err for _, err in ended) == 1


def test_a_killed_first_use_is_made_anew(clone: Path) -> None:
    process = start(clone)
    assert process.stderr is not None
    assert "First use" in process.stderr.readline()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    out, err = start(clone, "again").communicate(timeout=100)
    assert out == "['again']\n", err


def test_changed_requirements_are_installed(clone: Path) -> None:
    start(clone).communicate(timeout=100)
    (clone / "cli" / "requirements.txt").write_text("# changed by a pull\n")
    out, err = start(clone, "x").communicate(timeout=100)
    assert out == "['x']\n"
    assert "updated" in err


def test_a_moved_clone_gets_an_environment_of_its_own(clone: Path) -> None:
    start(clone).communicate(timeout=100)
    moved = clone.with_name("moved")
    clone.rename(moved)
    out, err = start(moved, "x").communicate(timeout=100)
    assert out == "['x']\n"
    assert "First use" in err


def test_it_runs_through_a_link(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    link = tmp_path_factory.mktemp("bin") / "extrophi"
    link.symlink_to(clone / "extrophi")
    out = subprocess.run([link, "x"], capture_output=True, text=True, check=True, env=environment()).stdout
    assert out == "['x']\n"

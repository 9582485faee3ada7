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


def start(clone: Path, *arguments: str, cwd: Path | str = "/") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [clone / "extrophi", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
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


def test_ctrl_c_in_a_first_use_says_so_and_the_next_one_starts_over(clone: Path) -> None:
    process = start(clone)
    assert process.stderr is not None
    assert "First use" in process.stderr.readline()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, err = process.communicate(timeout=30)
    assert process.returncode in {130, -signal.SIGINT}  # the script's own shell may be ended by it, too: 130 to a shell
    assert err.splitlines()[-1] == "extrophi: interrupted; the next start goes on."
    assert "Traceback" not in err
    out, err = start(clone, "again").communicate(timeout=100)
    assert out == "['again']\n", err


def test_without_a_python_that_is_new_enough_it_says_what_to_do(clone: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "cat", "cksum", "dirname", "readlink"):
        (tools / tool).symlink_to(shutil.which(tool) or "")
    (tools / "python3").write_text("#!/bin/sh\nexit 1\n")  # as one does that is too old: the version check fails
    (tools / "python3").chmod(0o755)
    ran = subprocess.run(
        [clone / "extrophi", "up"], capture_output=True, text=True, check=False, env={"PATH": str(tools)}
    )
    assert (ran.returncode, ran.stdout) == (3, "")
    assert ran.stderr.startswith("extrophi: needs Python 3.11 or newer.")
    assert len(ran.stderr.splitlines()) == 1


def test_a_requirement_that_cannot_be_had_is_shown(clone: Path) -> None:
    requirement = "extrophi-no-such-package==1.0 --hash=sha256:" + "0" * 64
    (clone / "cli" / "requirements.txt").write_text(f"{requirement}\n")
    nowhere = {"PIP_NO_INDEX": "1", "UV_NO_INDEX": "1", "PIP_FIND_LINKS": "", "UV_FIND_LINKS": ""}
    ran = subprocess.run(
        [clone / "extrophi", "up"], capture_output=True, text=True, check=False, env=environment() | nowhere
    )
    assert ran.returncode == 3
    assert "extrophi-no-such-package" in ran.stderr
    assert "installing failed" in ran.stderr


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


def test_an_environment_whose_python_was_replaced_is_made_anew(clone: Path) -> None:
    start(clone).communicate(timeout=100)
    stamp = clone / ".venv" / ".extrophi"
    python = (clone / ".venv" / "bin" / "python").resolve()
    assert str(python) in stamp.read_text()
    stamp.write_text(stamp.read_text().replace(str(python), "/usr/bin/python3.10"))  # what /usr/bin/python3 was before
    out, err = start(clone, "x").communicate(timeout=100)
    assert out == "['x']\n"
    assert "First use" in err


def test_a_chosen_python_that_will_not_do_is_said(clone: Path) -> None:
    ran = subprocess.run(
        [clone / "extrophi"],
        capture_output=True,
        text=True,
        check=False,
        env=environment() | {"EXTROPHI_PYTHON": "/no/such python"},
    )
    assert (ran.returncode, ran.stdout) == (3, "")
    assert ran.stderr == "extrophi: EXTROPHI_PYTHON is /no/such python, which is no Python 3.11 or newer.\n"


def test_a_module_in_the_current_folder_is_not_run(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    downloads = tmp_path_factory.mktemp("downloads")
    (downloads / "extrophi_cli").mkdir()
    for name in ("extrophi_cli/__main__", "runpy", "venv", "pip"):
        (downloads / f"{name}.py").write_text("print('a stranger')\nraise SystemExit\n")
    for arguments in ("first", "second"):
        out, err = start(clone, arguments, cwd=downloads).communicate(timeout=100)
        assert out == f"['{arguments}']\n", err


def test_it_runs_through_a_link(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    link = tmp_path_factory.mktemp("bin") / "extrophi"
    link.symlink_to(clone / "extrophi")
    out = subprocess.run([link, "x"], capture_output=True, text=True, check=True, env=environment()).stdout
    assert out == "['x']\n"

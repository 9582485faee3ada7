import os
import shutil
import subprocess
import sys
from pathlib import Path

from cli.tests.support import ROOT


def check(components: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "extrophi_cli.reference", "--check"]
    environment = {**os.environ, "PYTHONPATH": str(components / "cli")}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_the_page_about_the_command_line_is_fresh() -> None:
    checked = check(ROOT)
    assert checked.returncode == 0, checked.stderr


def test_a_stale_page_is_told(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "cli" / "extrophi_cli", tmp_path / "cli" / "extrophi_cli")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "cli.md").write_text("# The command line\n")
    checked = check(tmp_path)
    assert checked.returncode == 1
    assert "is stale" in checked.stderr

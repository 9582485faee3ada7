import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_about_the_command_line_is_fresh() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "extrophi_cli.reference"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "cli")},
    )
    assert made.stdout == (ROOT / "docs" / "cli.md").read_text(), "python -m extrophi_cli.reference > docs/cli.md"

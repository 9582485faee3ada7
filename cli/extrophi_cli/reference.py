"""docs/cli.md, made from the commands' own help.

`python -m extrophi_cli.reference` writes it; with --check it only tells whether it is fresh, by its exit code.
"""

import os
import sys

# Help is as wide as the terminal otherwise, and the page would differ from machine to machine.
os.environ.update(COLUMNS="100", TERMINAL_WIDTH="100", NO_COLOR="1")

from pathlib import Path

from typer.main import get_command
from typer.testing import CliRunner

from extrophi_cli import errors
from extrophi_cli.app import app

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
_HEAD = """# The command line

Made from the commands' own `--help` by `python -m extrophi_cli.reference`; don't edit.

`./extrophi COMMAND`, in a clone. Results go to standard output, progress and errors to standard error. `--json` prints
JSON. In a pipe, tables are tab-separated lines and nothing has colour; `NO_COLOR` takes it away on a terminal too.
`./extrophi --install-completion` teaches the shell to complete.

| variable | meaning |
| --- | --- |
| `EXTROPHI_HOME` | folder of all data; your user data folder by default |
| `EXTROPHI_PORT` | port on 127.0.0.1, 8000 by default |
| `EXTROPHI_IDLE_STOP` | stop when idle so long, if a command started it: `900`, `15m` (default), `1h`; `0`: never |
| `EXTROPHI_URL`, `EXTROPHI_KEY` | an Extrophi elsewhere, and your key for it |
| `DATABASE_URL`, `REDIS_URL` | servers that `up` uses instead of its own |
| `EXTROPHI_PYTHON` | the Python that makes `.venv`, when `python3` is not the right one |

A setting reaches what runs already only after `extrophi down`; a command says so when it notices.

## Back to the data before an update

When an update brings a new schema, the next start copies the database to `backups/` in `EXTROPHI_HOME`, then migrates
it. The last two copies are kept, each named by its time and its schema; a migration that fails and is tried again makes
no other. To go back:

1. `./extrophi down`
2. In `EXTROPHI_HOME`, move `postgres/data` away, and the copy to its place: `mv backups/TIME-SCHEMA postgres/data`.
3. Write the copy's schema to the file `version`: `{"schema": "SCHEMA"}`.
4. Check out the older Extrophi. (A newer one would migrate the data again.)
"""


def reference() -> str:
    """The page as it should be."""
    runner = CliRunner()
    lines = (errors.__doc__ or "").splitlines()
    codes = [line.strip().partition("  ") for line in lines if line.startswith("    ")]
    rows = "\n".join(f"| {code} | {meaning.strip()} |" for code, _, meaning in codes)
    parts = [_HEAD, f"## Exit codes\n\n| code | meaning |\n| --- | --- |\n{rows}\n"]
    names = list(getattr(get_command(app), "commands"))  # noqa: B009  typer's types hide its groups' attributes
    for name in [None, *names]:
        result = runner.invoke(app, [*([name] if name else []), "--help"], prog_name="extrophi")
        text = "\n".join(line.rstrip() for line in result.output.strip().splitlines())
        parts.append(f"## extrophi{' ' + name if name else ''}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print("usage: python -m extrophi_cli.reference [--check]", file=sys.stderr)
        return 2
    page = reference()
    if arguments:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page:
            return 0
        print(f"{PAGE} is stale: run python -m extrophi_cli.reference", file=sys.stderr)
        return 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

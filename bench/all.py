"""Every figure we claim, one after the other: `python -m bench.all`, or with the names of some.

Each is a command of its own, `python -m bench.NAME`, that prints figure, peer and ratio. About half an hour in all.
"""

import subprocess
import sys
import time

NAMES = (
    "article_text",
    "retrieval",
    "abstention",
    "citations",
    "rendering",
    "embedding_speed",
    "search_speed",
    "push",
    "platforms",
    "gateway",
    "budget",
    "start",
    "memory",
    "vectors",
    "containers",
    "list_scrolling",
    "first_view",
    "keystrokes",
    "evidence_speed",
    "desktop",
)


def main() -> int:
    wanted = sys.argv[1:] or NAMES
    failed: list[str] = []
    for name in wanted:
        print(f"\n== {name}", flush=True)
        began = time.monotonic()
        if subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode != 0:
            failed.append(name)
        print(f"-- {name}: {time.monotonic() - began:.0f} s", flush=True)
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

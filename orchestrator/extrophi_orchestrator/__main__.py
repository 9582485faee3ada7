"""`python -m extrophi_orchestrator`: serve until told to stop."""

import sys
from contextlib import suppress

from extrophi_orchestrator.log import set_up_log
from extrophi_orchestrator.server import make_server
from extrophi_orchestrator.settings import read_settings


def main() -> None:
    settings = read_settings()
    set_up_log()
    server = make_server(settings)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(3)  # the port is taken, say; as uvicorn's own command does


if __name__ == "__main__":
    main()

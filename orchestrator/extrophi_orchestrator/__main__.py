"""`python -m extrophi_orchestrator`: serve until told to stop."""

import uvicorn

from extrophi_orchestrator.app import create_app
from extrophi_orchestrator.log import set_up_log
from extrophi_orchestrator.settings import read_settings


def main() -> None:
    """Serve until SIGTERM; requests under way get 10 s."""
    settings = read_settings()
    set_up_log()
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=10,
        server_header=False,
    )


if __name__ == "__main__":
    main()

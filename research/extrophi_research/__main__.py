"""`python -m extrophi_research`: serve until told to stop."""

import uvicorn

from extrophi_research.app import create_app
from extrophi_research.log import set_up_log
from extrophi_research.settings import read_settings


def main() -> None:
    """Serve until SIGTERM; requests under way get 8 s."""
    settings = read_settings()
    set_up_log()
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=8,
        server_header=False,
        ws="none",
    )


if __name__ == "__main__":
    main()

"""`python -m extrophi_backend`: what it does is EXTROPHI_ROLE's to say."""

import asyncio
import sys

import asyncpg

from extrophi_backend.log import set_up_log
from extrophi_backend.schema.migrate import migrate
from extrophi_backend.settings import Settings, read_settings


def main() -> None:
    """Play the role, until told to stop."""
    settings = read_settings()
    set_up_log()
    if settings.role == "migrate":
        sys.exit(run_migrations(settings))
    if settings.role == "all":
        from extrophi_backend.roles import run_all  # noqa: PLC0415

        sys.exit(asyncio.run(run_all(settings)))
    if settings.role in {"worker", "scheduler"}:
        from extrophi_backend import worker  # noqa: PLC0415  the API needs none of it

        if settings.role == "scheduler":
            asyncio.run(worker.schedule(settings))
        else:
            worker.main(settings)
    else:
        serve(settings)


def serve(settings: Settings) -> None:
    """Serve the API until SIGTERM; requests under way get 8 s."""
    import uvicorn  # noqa: PLC0415  who only minds the others (EXTROPHI_ROLE=all) need not wait for any of it

    from extrophi_backend.app import create_app  # noqa: PLC0415

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


def run_migrations(settings: Settings) -> int:
    """Migrate once. 0 if the database is up to date afterwards."""
    try:
        asyncio.run(migrate(settings.database_url.get_secret_value(), settings.vector_store))
    except (OSError, asyncpg.PostgresError) as error:
        print(f"The database could not be migrated: {error}", file=sys.stderr)  # noqa: T201  the command's answer
        return 1
    return 0


if __name__ == "__main__":
    main()

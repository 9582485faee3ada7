import os
import signal
from pathlib import Path

from extrophi_cli.embedded.postgres import Postgres


def server(home: Path) -> Postgres:
    return Postgres(data=home / "postgres" / "data", sockets=home / "run")


def test_it_starts_again_after_a_crash_although_its_pid_is_someone_elses(home: Path) -> None:
    postgres = server(home)
    postgres.make()
    (postgres.data / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.data}\n0\n5432\n{postgres.sockets}\n")
    postgres.forget_crash()
    process = postgres.start()
    try:
        postgres.wait_ready(process)
        assert postgres.is_ready()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def test_a_half_made_cluster_is_made_anew(home: Path) -> None:
    postgres = server(home)
    postgres.data.mkdir(parents=True)
    (postgres.data / "base").mkdir()
    (home / "postgres" / ".postgres-left").mkdir()
    postgres.make()
    assert (postgres.data / "PG_VERSION").exists()

import os
import signal
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis

from extrophi_backend.queue import make_celery
from extrophi_cli.embedded.postgres import Postgres
from extrophi_cli.embedded.valkey import Valkey


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
    assert not (home / "postgres" / ".postgres-left").exists()


async def test_servers_are_reached_at_odd_paths(home: Path) -> None:
    odd = home / "a+b#c%20d&e?f"
    postgres = Postgres(data=home / "postgres" / "data", sockets=odd / "postgres", log_file=home / "log")
    valkey = Valkey(sockets=odd / "valkey", log=home / "log")
    postgres.make()
    processes = [postgres.start(), valkey.start()]
    try:
        postgres.wait_ready(processes[0])
        valkey.wait_ready(processes[1])
        connection = await asyncpg.connect(postgres.dsn)
        assert await connection.fetchval("SELECT current_database()") == "extrophi"
        await connection.close()
        with redis.Redis.from_url(valkey.url) as client:
            assert client.ping()
        with make_celery(valkey.url).connection_for_write() as broker:
            broker.ensure_connection(max_retries=1)
    finally:
        for process in processes:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)


@pytest.mark.skipif(os.geteuid() != 0, reason="root runs PostgreSQL as somebody else")
def test_for_root_it_runs_as_whoever_owns_the_data(home: Path) -> None:
    postgres = server(home)
    postgres.make()
    for entry in [postgres.data, *postgres.data.rglob("*")]:
        os.chown(entry, 54321, 54321)
    process = postgres.start()
    try:
        postgres.wait_ready(process)
        assert psutil.Process(process.pid).uids().effective == 54321
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)

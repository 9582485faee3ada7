import dataclasses
import os
import signal
from pathlib import Path

import pytest

from extrophi_cli.embedded.home import Home, HomeInUse, Up
from extrophi_cli.embedded.processes import Recorded, birth, end_left_behind, record, start_process
from extrophi_cli.errors import CommandError


def test_a_home_is_held_by_one(home: Path) -> None:
    with Home(home).locked():
        assert Home(home).is_locked()
        with pytest.raises(HomeInUse), Home(home).locked(seconds=0):
            pass
    assert not Home(home).is_locked()


def test_what_an_earlier_run_wrote_is_not_believed(home: Path) -> None:
    before = Up(pid=os.getpid(), born="another boot 1", port=8000, state="ready")
    Home(home).write_up(before)
    with Home(home).locked():
        assert Home(home).running() is None
        ours = dataclasses.replace(before, born=birth(os.getpid()))
        Home(home).write_up(ours)
        assert Home(home).running() == ours
    assert Home(home).running() is None


def test_a_failed_migrations_copy_is_the_one_from_before_it(home: Path) -> None:
    (home / "postgres" / "data").mkdir(parents=True)
    good = home / "postgres" / "data" / "good"
    good.touch()
    Home(home).save_schema("0001_a")
    copy = Home(home).keep_copy("0001_a")
    good.unlink()  # half migrated
    for _ in range(3):
        assert Home(home).keep_copy("0001_a") == copy
    assert (copy / "good").exists()
    Home(home).forget_copy()  # it runs again, under the old code: what is written from here on needs a copy of its own
    assert Home(home).keep_copy("0001_a") != copy


def test_a_half_written_state_counts_as_none(home: Path) -> None:
    (home / "up.json").write_text('{"pid": 1, "po')
    assert Home(home).read_up() is None


def test_the_state_is_read_as_written(home: Path) -> None:
    children = (Recorded("valkey", 7, "boot 1"),)
    up = Up(
        pid=1, born="boot 0", port=8000, state="failed", error="e", hint="h", settings={"A": "1"}, children=children
    )
    Home(home).write_up(up)
    assert Home(home).read_up() == up


def test_the_service_key_is_made_once_and_for_us_alone(home: Path) -> None:
    key = Home(home).service_key()
    assert Home(home).service_key() == key
    assert (home / "service-key").stat().st_mode & 0o777 == 0o600


def test_sockets_of_a_crash_are_swept_away(home: Path) -> None:
    (home / "run" / "postgres").mkdir(parents=True)
    (home / "run" / "postgres" / ".s.PGSQL.5432.lock").write_text("123")
    assert list(Home(home).make_run_folder().iterdir()) == []


def test_a_long_path_has_its_sockets_elsewhere(home: Path) -> None:
    long = home / ("a" * 90)
    long.mkdir()
    folder = Home(long).make_run_folder()
    assert len(str(folder)) < 76
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.rmdir()


def test_a_path_with_a_comma_has_its_sockets_elsewhere(home: Path) -> None:
    odd = home / "a,b"
    odd.mkdir()
    folder = Home(odd).make_run_folder()
    assert "," not in str(folder)
    folder.rmdir()


def test_a_socket_folder_that_is_a_link_is_refused(home: Path) -> None:
    (home / "elsewhere").mkdir()
    (home / "run").symlink_to(home / "elsewhere")
    with pytest.raises(CommandError, match="belongs to someone else"):
        Home(home).make_run_folder()


def test_only_our_own_children_are_ended(home: Path) -> None:
    process = start_process(["sleep", "60"], log=home / "log", at_parents_death=signal.SIGKILL)
    recorded = record("worker", process.pid)
    somebody = Recorded("backend", os.getpid(), "another boot 12345")  # a pid that was used again
    assert end_left_behind([recorded, somebody]) == ["worker"]
    assert process.poll() is not None


def test_the_last_two_copies_are_kept(home: Path) -> None:
    (home / "postgres" / "data").mkdir(parents=True)
    (home / "postgres" / "data" / "PG_VERSION").write_text("18")
    for schema in ("0001_a", "0002_b", "0003_c"):
        Home(home).save_schema(schema)
        copy = Home(home).keep_copy(schema)
    assert (copy / "PG_VERSION").read_text() == "18"
    assert sorted(entry.name[-6:] for entry in (home / "backups").iterdir()) == ["0002_b", "0003_c"]

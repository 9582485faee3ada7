"""When a source is looked at next."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from extrophi_backend.errors import InvalidInput
from extrophi_backend.sources.schedule import (
    AUTO,
    AUTO_LEAST,
    AUTO_MOST,
    GONE_LOOKS,
    auto_interval,
    next_look,
    next_try,
    parse_schedule,
)
from extrophi_backend.sources.states import OF_CODES, STATES, reason_of, state_of

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "kind", "canonical"),
    [
        ("auto", "auto", "auto"),
        (" NEVER ", "never", "never"),
        ("90m", "every", "90m"),
        ("every 6 h", "every", "6h"),
        ("2W", "every", "2w"),
        ("0  7 * *  1-5", "cron", "0 7 * * 1-5"),
    ],
)
def test_a_schedule_is_read_as_people_write_it(text: str, kind: str, canonical: str) -> None:
    found = parse_schedule(text)
    assert (found.kind, found.text) == (kind, canonical)
    assert parse_schedule(canonical) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "often",
        "0m",
        "367d",
        "999999w",
        "61 * * * *",
        "* * * *",
        "* * * * * *",
        "0 7 * * 1 5",
        "0 0 30 2 *",
        "-5m",
        "5y",
    ],
)
def test_what_is_no_schedule_is_refused_with_the_next_step(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_schedule(text)
    assert refused.value.field == "schedule"
    assert "cron" in refused.value.hint


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "", "\0"])
def test_a_time_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_schedule("0 7 * * *", zone)
    assert refused.value.field == "time_zone"


def test_cron_is_read_in_the_sources_time_zone() -> None:
    looked = next_look(parse_schedule("0 7 * * *", "Europe/Paris"), "Europe/Paris", NOW, news=(), since=NOW)
    assert looked is not None
    local = looked.astimezone(ZoneInfo("Europe/Paris"))
    assert (local.date().isoformat(), local.hour) == ("2026-05-21", 7)
    assert local.minute < 2  # on time, if not all sources at once


def test_an_interval_is_kept_to_a_tenth_and_spread() -> None:
    schedule = parse_schedule("10h")
    looks = [next_look(schedule, "UTC", NOW, news=(), since=NOW) for _ in range(200)]
    waits = [look - NOW for look in looks if look]
    assert len(waits) == 200
    assert min(waits) >= 9 * HOUR
    assert max(waits) <= 11 * HOUR
    assert max(waits) - min(waits) > HOUR
    assert next_look(parse_schedule("never"), "UTC", NOW, news=(), since=NOW) is None


def test_auto_follows_how_often_something_new_appears() -> None:
    hourly = [NOW - n * HOUR for n in range(1, 11)]
    weekly = [NOW - n * 7 * DAY for n in range(1, 11)]
    assert auto_interval(NOW, hourly, NOW - 100 * DAY) == HOUR / 2
    assert auto_interval(NOW, weekly, NOW - 100 * DAY) == AUTO_MOST
    assert auto_interval(NOW, [NOW] * 10, NOW - 100 * DAY) == AUTO_LEAST
    assert auto_interval(NOW, [NOW + DAY], NOW - DAY) == AUTO_LEAST  # dated ahead: it counts as new now
    # What was busy and has fallen silent is left alone more and more.
    burst = [NOW - 2 * DAY - n * timedelta(minutes=1) for n in range(10)]
    assert auto_interval(NOW, burst, NOW - 100 * DAY) == DAY / 2


def test_auto_grows_with_the_silence_since_the_first_look() -> None:
    waits = [auto_interval(NOW, (), NOW - age) for age in (timedelta(), 2 * HOUR, 10 * HOUR, 9 * DAY)]
    assert waits == [AUTO_LEAST, HOUR, 5 * HOUR, AUTO_MOST]


def test_failures_back_off_to_a_day_and_never_look_sooner_than_usual() -> None:
    def wait(failures: int, schedule: str = "15m", code: str = "timeout") -> timedelta:
        parsed = parse_schedule(schedule)
        tried = next_try(parsed, "UTC", NOW, failures=failures, is_gone=False, code=code)
        assert tried is not None
        return tried - NOW

    assert timedelta(minutes=13) < wait(1) < timedelta(minutes=17)
    assert 3 * HOUR < wait(5) < 5 * HOUR
    assert 0.8 * DAY < wait(50) < 1.2 * DAY
    assert wait(1, "2w") > 12 * DAY
    for failures in range(1, 12):  # who wrote cron may want it looked at in those hours alone
        assert (NOW + wait(failures, "*/30 8-9 * * *")).hour in {8, 9}
    assert next_try(parse_schedule("never"), "UTC", NOW, failures=1, is_gone=False, code="timeout") is None


def test_what_is_gone_is_looked_for_a_few_days_and_then_no_more() -> None:
    def tried(failures: int, code: str) -> datetime | None:
        return next_try(AUTO, "UTC", NOW, failures=failures, is_gone=True, code=code)

    first = tried(1, "http_404")
    assert first is not None
    assert 0.8 * DAY < first - NOW < 1.2 * DAY
    assert tried(GONE_LOOKS, "http_404") is None
    assert tried(1, "http_410") is None
    rare = next_try(parse_schedule("2w"), "UTC", NOW, failures=1, is_gone=True, code="http_404")
    assert rare is not None
    assert rare - NOW > 12 * DAY


def test_every_failure_leads_to_a_named_state_with_a_next_step() -> None:
    for code in ("captcha", "login_needed", "rate_limited", "http_404", "http_500", "never_heard_of", *OF_CODES):
        assert state_of(code) in STATES
        assert reason_of(code, "It failed.").hint
    assert reason_of("captcha", "It failed.", "Do this.").hint == "Do this."

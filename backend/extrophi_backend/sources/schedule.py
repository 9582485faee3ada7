"""When a source is looked at next: pure sums, so that an hour, or a year, can be tried in a second.

A schedule is a short text: `auto` (as often as something new appears there), `never` (only when asked), an interval
(`90m`, `6h`, `1d`, `2w`), or the five fields of cron (`0 7 * * 1-5`), read in the source's time zone.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from extrophi_backend.errors import InvalidInput

AUTO_LEAST = timedelta(minutes=15)
AUTO_MOST = timedelta(days=1)
_LEAST = timedelta(minutes=1)
_MOST = timedelta(days=366)
_FIRST_BACKOFF = timedelta(minutes=15)
_LONGEST_BACKOFF = timedelta(days=1)
_GONE_AGAIN = timedelta(days=1)
GONE_LOOKS = 3
"""Looks in a row that find nothing there before it is looked at no more. A 410 says so by itself, at once."""
_JITTER = 0.1
"""Of an interval, at most; sources added together do not stay together."""
_CRON_JITTER = timedelta(minutes=2)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_INTERVAL = re.compile(r"(?:every\s+)?(\d{1,6})\s*([mhdw])", re.IGNORECASE)
_HINT = "auto, never, an interval (90m, 6h, 1d, 2w), or five fields of cron (0 7 * * 1-5)."


@dataclass(frozen=True, slots=True)
class Schedule:
    """`text` in its canonical form; one of `every` and `cron` where it is of that kind."""

    kind: Literal["auto", "never", "every", "cron"]
    text: str
    every: timedelta | None = None


AUTO = Schedule("auto", "auto")


def parse_schedule(text: str, time_zone: str = "UTC") -> Schedule:
    """The schedule that a person wrote.

    Raises:
        InvalidInput: naming the field at fault.
    """
    said = " ".join(text.split()).lower()
    if said in {"auto", "never"}:
        return Schedule("auto" if said == "auto" else "never", said)
    if found := _INTERVAL.fullmatch(said):
        every = timedelta(**{_UNITS[found[2]]: int(found[1])})
        if not _LEAST <= every <= _MOST:
            raise InvalidInput(f"schedule: “{said}” is not from 1m to 366d.", field="schedule", hint=f"Write {_HINT}")
        return Schedule("every", f"{int(found[1])}{found[2]}", every)
    zone = _zone(time_zone)
    if (fields := len(said.split())) != 5:  # with six, a reader of cron's would take the first for seconds
        detail = f"schedule: “{text[:100]}” is no schedule: cron has five fields, these are {fields}."
        raise InvalidInput(detail, field="schedule", hint=f"Write {_HINT}")
    try:
        next(CronSim(said, datetime.now(zone)))
    except (CronSimError, StopIteration) as error:
        detail = f"schedule: “{text[:100]}” is no schedule: {error or 'that day never comes'}."
        raise InvalidInput(detail, field="schedule", hint=f"Write {_HINT}") from error
    return Schedule("cron", said)


def check_zone(name: str) -> None:
    """Raises InvalidInput where there is no such time zone."""
    _zone(name)


def next_look(
    schedule: Schedule, time_zone: str, now: datetime, *, news: Sequence[datetime], since: datetime
) -> datetime | None:
    """When to look again after a look that went well; None: not by itself.

    Args:
        schedule: The source's.
        time_zone: Its name; for cron.
        now: When that look ended.
        news: When the newest things there appeared, of those that came after the first look.
        since: When the first look was.
    """
    match schedule.kind:
        case "never":
            return None
        case "cron":
            first = _fires(schedule, time_zone, now)
            if first is None:
                return None
            second = _fires(schedule, time_zone, first) or first + AUTO_MOST
            return first + random.random() * min(_CRON_JITTER, _JITTER * (second - first))  # noqa: S311
        case "every":
            return now + _jittered(schedule.every or AUTO_MOST)
        case "auto":
            return now + _jittered(auto_interval(now, news, since))


def auto_interval(now: datetime, news: Sequence[datetime], since: datetime) -> timedelta:
    """Half of the usual time between two new things; while nothing appears, ever longer.

    A silence counts as well as what came before it: with one new thing a minute all day, and then none for a week, a
    source is looked at daily.
    """
    recent = sorted((min(moment, now) for moment in news), reverse=True)[:10]
    gap = (now - recent[-1]) / len(recent) if recent else now - since
    silence = now - recent[0] if recent else timedelta()
    return min(max(gap / 2, silence / 4, AUTO_LEAST), AUTO_MOST)


def next_try(
    schedule: Schedule, time_zone: str, now: datetime, *, failures: int, is_gone: bool, code: str
) -> datetime | None:
    """When to look again after a look that came to nothing; None: no more.

    Args:
        schedule: The source's: it is looked at no more often than when all is well.
        time_zone: Its name; for cron.
        now: When that look ended.
        failures: How many in a row it was; where nothing is there any more, how many in a row said so.
        is_gone: Nothing is there any more.
        code: The failure's.
    """
    if schedule.kind == "never":
        return None
    if is_gone and (code == "http_410" or failures >= GONE_LOOKS):
        return None
    backoff = _GONE_AGAIN if is_gone else min(_FIRST_BACKOFF * 2 ** min(failures - 1, 10), _LONGEST_BACKOFF)
    earliest = now + _jittered(backoff)
    # Who wrote cron's fields may want it looked at in those hours alone.
    usual = next_look(schedule, time_zone, earliest if schedule.kind == "cron" else now, news=(), since=now)
    return max(earliest, usual) if usual else earliest


def _fires(schedule: Schedule, time_zone: str, after: datetime) -> datetime | None:
    return next((moment.astimezone(UTC) for moment in CronSim(schedule.text, after.astimezone(_zone(time_zone)))), None)


def _jittered(interval: timedelta) -> timedelta:
    return interval * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  to spread, not to keep secret


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        detail = f"time_zone: there is no time zone “{name[:100]}”."
        raise InvalidInput(detail, field="time_zone", hint="Write one of IANA's names: Europe/Paris, UTC.") from error

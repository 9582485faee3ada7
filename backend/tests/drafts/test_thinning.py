from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from extrophi_backend.drafts.thinning import Saved, thin

NOW = datetime(2026, 11, 28, 21, 17, 33, tzinfo=UTC)
# For each age: how far away what stays may be.
RULE = [
    (timedelta(minutes=10), timedelta(0)),
    (timedelta(hours=1), timedelta(minutes=1)),
    (timedelta(days=1), timedelta(minutes=10)),
    (timedelta(days=7), timedelta(hours=1)),
    (timedelta(days=365), timedelta(days=1)),
    (timedelta.max, timedelta(days=31)),
]
STEPS = st.sampled_from([1, 2, 7, 45, 300, 1700, 40_000, 200_000, 3_000_000])


@st.composite
def histories(draw: st.DrawFn) -> list[Saved]:
    """Ascending, the last at NOW or before."""
    steps = draw(st.lists(st.tuples(STEPS, st.integers(1, 40)), max_size=12))
    marks = draw(st.sets(st.integers(0, 300), max_size=4))
    at = NOW
    saved: list[datetime] = []
    for seconds, times in steps:
        for _ in range(times):
            saved.append(at)
            at -= timedelta(seconds=seconds)
    return [Saved(number + 1, when, number in marks) for number, when in enumerate(reversed(saved))]


def kept_of(saved: list[Saved], now: datetime) -> list[Saved]:
    gone = set(thin(saved, now))
    return [one for one in saved if one.revision not in gone]


@given(histories())
def test_the_first_the_newest_the_marked_and_those_before_them_stay(saved: list[Saved]) -> None:
    kept = kept_of(saved, NOW)
    assert kept[:1] == saved[:1]
    assert kept[-1:] == saved[-1:]
    for number, one in enumerate(saved):
        if one.is_marked:
            assert one in kept
            assert saved[max(number - 1, 0)] in kept


@given(histories(), st.integers(0, 400), st.integers(0, 86_400))
def test_whatever_went_has_a_later_one_near_that_stayed(saved: list[Saved], days: int, seconds: int) -> None:
    later = NOW + timedelta(days=days, seconds=seconds)
    for kept, now in ((kept_of(saved, NOW), NOW), (kept_of(kept_of(saved, NOW), later), later)):
        for one in saved:
            if one not in kept:
                near = next(near for age, near in RULE if now - one.saved_at <= age)
                assert any(timedelta(0) <= other.saved_at - one.saved_at < near for other in kept)


@given(histories(), st.integers(0, 10_000_000))
def test_again_changes_nothing_and_it_does_not_matter_how_often(saved: list[Saved], seconds: int) -> None:
    kept = kept_of(saved, NOW)
    assert thin(kept, NOW) == []
    later = NOW + timedelta(seconds=seconds)
    assert kept_of(saved, later) == kept_of(kept, later)


def test_ten_years_of_saving_every_hour_are_some_hundred_revisions() -> None:
    hours = range(24 * 365 * 10, -1, -1)
    saved = [Saved(n + 1, NOW - timedelta(hours=ago), is_marked=False) for n, ago in enumerate(hours)]
    kept = Counter(one.saved_at.year for one in kept_of(saved, NOW))
    assert kept[2020] == 12
    assert sum(kept.values()) < 1000


def test_what_was_saved_by_a_clock_that_is_ahead_stays() -> None:
    saved = [Saved(number, NOW + timedelta(hours=1, seconds=number), is_marked=False) for number in range(1, 9)]
    assert thin(saved, NOW) == []

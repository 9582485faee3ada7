import pytest

from extrophi_orchestrator.errors import RateLimited
from extrophi_orchestrator.http.rates import _MOST, Rates, neighbourhood


def test_a_minutes_worth_may_come_at_once_and_then_one_by_one() -> None:
    now = [0.0]
    rates = Rates(60, now=lambda: now[0])
    for _ in range(60):
        rates.take("a")
    with pytest.raises(RateLimited) as refused:
        rates.take("a")
    assert refused.value.retry_after == pytest.approx(1)
    now[0] += 1
    rates.take("a")
    with pytest.raises(RateLimited):
        rates.take("a")
    now[0] += 3600  # no more than a minute's worth is saved up
    for _ in range(60):
        rates.take("a")
    with pytest.raises(RateLimited):
        rates.take("a")


def test_a_refusal_costs_nothing() -> None:
    now = [0.0]
    rates = Rates(1, now=lambda: now[0])
    rates.take("a")
    for _ in range(100):
        with pytest.raises(RateLimited):
            rates.take("a")
    now[0] += 60
    rates.take("a")


def test_nought_is_no_limit() -> None:
    rates = Rates(0)
    for _ in range(10_000):
        rates.take("a")


def test_many_addresses_take_bounded_room() -> None:
    rates = Rates(10)
    for number in range(_MOST + 100):
        rates.take(str(number))
    assert len(rates._buckets) == _MOST


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("", ""),
    ],
)
def test_one_subscriber_counts_as_one(address: str, counted: str) -> None:
    assert neighbourhood(address) == counted

"""What Prometheus is told of requests that were passed on."""

from functools import lru_cache

from prometheus_client import Counter, Histogram

_PASSED = Counter("extrophi_gateway_requests", "Requests passed on, by component and status.", ["component", "status"])
_SECONDS = Histogram(
    "extrophi_gateway_seconds",
    "Seconds from a request's head to its answer's end, by component.",
    ["component"],
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60),
)


@lru_cache(maxsize=1000)
def _of(component: str, status: int) -> tuple[Counter, Histogram]:
    return _PASSED.labels(component, str(status)), _SECONDS.labels(component)


def count(component: str, status: int, seconds: float) -> None:
    """One request. 499: its client left before the end."""
    counter, histogram = _of(component, status)
    counter.inc()
    histogram.observe(seconds)

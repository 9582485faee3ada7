"""How long a job waits for hosts that ask it to, before it goes on without them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from extrophi_backend.fetch.addresses import parse
from extrophi_backend.fetch.errors import FailureCode, FetchFailed, Wait
from extrophi_backend.fetch.pace import pace_name

PAGE_WAITS = 3
"""Times in a row that one page is waited for."""
_HOST_WAITS = 6
"""Times in a row that a host, through all its pages, may answer nothing else."""


@dataclass(frozen=True, slots=True)
class _Waited:
    times: int
    code: FailureCode
    detail: str


class Patience:
    """Of one job, over all its runs. `hosts` is JSON for the cursor."""

    def __init__(self, hosts: Mapping[str, Any]) -> None:
        self._waited = {host: _Waited(**waited) for host, waited in hosts.items()}

    @property
    def hosts(self) -> Mapping[str, Any]:
        return {host: asdict(waited) for host, waited in self._waited.items()}

    def wait(self, wait: Wait) -> FetchFailed | None:
        """Why the page that was asked for is given up; None if it is worth waiting for."""
        if wait.failure is None:  # our own pace: nobody refused anything
            return self.given_up(wait.host)
        times = self._waited[wait.host].times + 1 if wait.host in self._waited else 1
        self._waited[wait.host] = _Waited(times, wait.failure.code, wait.failure.detail)
        return wait.failure if times >= PAGE_WAITS else None

    def answered(self, *urls: str) -> None:
        for url in urls:
            self._waited.pop(pace_name(parse(url)), None)

    def given_up(self, host: str, after: int = _HOST_WAITS) -> FetchFailed | None:
        """Why nothing is asked of `host` any more, if that is so, or what it answered `after` times in a row."""
        waited = self._waited.get(host)
        return FetchFailed(waited.code, waited.detail) if waited and waited.times >= after else None

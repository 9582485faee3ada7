import logging
import time

import pytest

from extrophi_orchestrator.log import _Fields, event


def test_times_are_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        record = logging.makeLogRecord({"msg": "x", "created": 0.0})
        assert _Fields().format(record).startswith("1970-01-01T00:00:00Z ")
    finally:
        monkeypatch.undo()
        time.tzset()


def test_an_event_is_one_line_whatever_is_in_it() -> None:
    told = event("job.failed", path="/a", detail="one\r\n2026-01-01T00:00:00Z info \x1b[2J\u2028two")
    assert told.startswith('job.failed path=/a detail="one')
    assert len(told.splitlines()) == 1
    assert "\x1b" not in told
    assert event("x", words="two words") == 'x words="two words"'

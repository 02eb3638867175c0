"""When the event loop does things itself, and when threads do."""

from __future__ import annotations

import time

import pytest
from runner.ftp.pace import Pace


def test_what_takes_long_is_left_to_threads_for_a_while() -> None:
    pace = Pace()
    assert pace.do(len, "abc") == 3
    assert pace.is_prompt
    pace.do(time.sleep, 0.02)
    assert not pace.is_prompt
    # Fifty times as long, which is a second at least.
    until = time.monotonic() + 30
    while not pace.is_prompt and time.monotonic() < until:
        time.sleep(0.05)
    assert pace.is_prompt


def test_what_fails_after_a_long_time_counts_as_well() -> None:
    pace = Pace()

    def fail() -> None:
        time.sleep(0.02)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        pace.do(fail)
    assert not pace.is_prompt

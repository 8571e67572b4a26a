"""Every file of tests here ends the workers that it started."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil
import pytest

_LEAVE_SECONDS = 5.0


def workers() -> set[int]:
    """Process ids of all workers of all hosts that this process started."""
    found = set()
    for child in psutil.Process().children(recursive=True):
        try:
            if child.status() != psutil.STATUS_ZOMBIE and child.ppid() != psutil.Process().pid:
                found.add(child.pid)
        except psutil.NoSuchProcess:
            continue
    return found


@pytest.fixture(scope="module", autouse=True)
def no_worker_left() -> Iterator[None]:
    before = workers()
    yield
    deadline = time.monotonic() + _LEAVE_SECONDS
    while (left := workers() - before) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not left, f"the tests left workers behind: {sorted(left)}"

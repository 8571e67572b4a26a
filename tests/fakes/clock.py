"""A clock that moves only when it is told to."""

from __future__ import annotations

import threading
import time


class FakeClock:
    """Nanoseconds. It starts now on the monotonic clock, so that its stamps are near real ones."""

    def __init__(self, start_ns: int | None = None) -> None:
        self._lock = threading.Lock()
        self._now_ns = time.monotonic_ns() if start_ns is None else start_ns

    def now_ns(self) -> int:
        with self._lock:
            return self._now_ns

    def advance(self, ns: int) -> int:
        """Move on and return the new time."""
        with self._lock:
            self._now_ns += ns
            return self._now_ns

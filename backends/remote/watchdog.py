"""Cuts a connection from another thread: when what is waited for does not come, or on a stop.

A read that blocks in one thread can be ended from another only by shutting its socket down.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time

from backends.engine import ClosedOnExit


class Watchdog(ClosedOnExit):
    """Watches over one exchange. `expired` says what did not come in time; empty if all did.

    `allow` is cheap, since it is called for every event: it moves the deadline, and the watching
    thread finds out when it wakes.
    """

    def __init__(self) -> None:
        self.expired = ""
        self._wanted = ""
        self._deadline_s = float("inf")
        self._socket: socket.socket | None = None
        self._is_cut = False
        self._changed = threading.Condition()
        self._is_over = False
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Watch no longer."""
        with self._changed:
            self._is_over = True
            self._changed.notify()
        self._thread.join()

    def hold(self, connection: socket.socket) -> None:
        """This is the socket to cut."""
        with self._changed:
            self._socket = connection
            if self._is_cut:
                _shut(connection)

    def allow(self, seconds: float, wanted: str) -> None:
        """`wanted` may take so long from now."""
        sooner = time.monotonic() + seconds < self._deadline_s
        self._wanted, self._deadline_s = wanted, time.monotonic() + seconds
        if sooner:
            with self._changed:
                self._changed.notify()

    def cut(self) -> None:
        """End the exchange now."""
        with self._changed:
            self._cut()

    def _watch(self) -> None:
        with self._changed:
            while not self._is_over:
                left_s = self._deadline_s - time.monotonic()
                if left_s > 0:
                    self._changed.wait(min(left_s, threading.TIMEOUT_MAX))
                    continue
                self.expired = self._wanted
                self._cut()
                return

    def _cut(self) -> None:
        self._is_cut = True
        if self._socket is not None:
            _shut(self._socket)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)

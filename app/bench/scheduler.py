"""Who may use a device: one lease at a time, first come first served, also between processes.

Within the app a queue per device; between processes a lock file per device, released by the
operating system when its holder dies.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock
from filelock import Timeout as LockTimeout

from backends.engine import CancelToken
from backends.errors import Cancelled, InvalidRequest

_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request stands: `ahead` others come first; `holder` says who has the device."""

    ahead: int
    holder: str


@dataclass(frozen=True, slots=True)
class DeviceQueue:
    """One device's queue, for people."""

    device: str
    holder: str
    waiting: int


@dataclass(slots=True)
class _Queue:
    waiting: list[object] = field(default_factory=list)
    holder: str = ""


def default_lock_dir() -> Path:
    """One folder for all apps of this user on this machine, whatever their data folders."""
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    return Path(tempfile.gettempdir()) / f"llm-dyno-locks-{user}"


class Scheduler:
    """Leases devices. A `None` device (remote) is never waited for."""

    def __init__(
        self,
        lock_dir: Path | None = None,
        max_queue: int = 32,
        known_as: Mapping[str, str] | None = None,
    ) -> None:
        """`known_as`: names that devices have for other programs, where they are not the same."""
        self._lock_dir = lock_dir or default_lock_dir()
        self._known_as = dict(known_as or {})
        self._max_queue = max_queue
        self._changed = threading.Condition()
        self._queues: dict[str, _Queue] = {}

    @contextmanager
    def lease(
        self,
        device: str | None,
        who: str,
        cancel: CancelToken,
        on_place: Callable[[Place], None] = lambda place: None,
    ) -> Iterator[None]:
        """Wait for the device and hold it inside the `with`.

        Raises `Cancelled` when the wait is cancelled, `InvalidRequest` when the queue is full.
        """
        if device is None:
            yield
            return
        device = self._known_as.get(device, device)
        ticket = object()
        with self._changed:
            queue = self._queues.setdefault(device, _Queue())
            if len(queue.waiting) > self._max_queue:  # the first of them has the device
                raise InvalidRequest(
                    f"The queue for {device} is full ({self._max_queue} waiting).",
                    "Try again in a moment.",
                )
            queue.waiting.append(ticket)
        try:
            self._wait_for_turn(queue, ticket, cancel, on_place)
            with self._file_lock(device, who, cancel, on_place):
                queue.holder = who
                try:
                    yield
                finally:
                    queue.holder = ""
        finally:
            with self._changed:
                queue.waiting.remove(ticket)
                self._changed.notify_all()

    def _wait_for_turn(
        self,
        queue: _Queue,
        ticket: object,
        cancel: CancelToken,
        on_place: Callable[[Place], None],
    ) -> None:
        forget = cancel.on_cancel(self._wake)
        try:
            with self._changed:
                while True:
                    if cancel.is_cancelled:
                        raise Cancelled("It was stopped while it waited.")
                    ahead = queue.waiting.index(ticket)
                    if ahead == 0:
                        return
                    on_place(Place(ahead, queue.holder))
                    self._changed.wait(1.0)
        finally:
            forget()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    @contextmanager
    def _file_lock(
        self,
        device: str,
        who: str,
        cancel: CancelToken,
        on_place: Callable[[Place], None],
    ) -> Iterator[None]:
        """Hold the device's lock file. Where none can be made, the queue alone has to do."""
        path = self._lock_path(device)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(path, thread_local=False)
            while not _acquired(lock):
                on_place(Place(1, self._other_holder(device)))
                if cancel.wait(_POLL_SECONDS):
                    raise Cancelled("It was stopped while it waited.")
        except OSError:
            yield
            return
        with contextlib.suppress(OSError):
            note = {"pid": os.getpid(), "who": who, "since": time.time()}
            self._note_path(device).write_text(json.dumps(note), encoding="utf-8")
        try:
            yield
        finally:
            lock.release()

    def _lock_path(self, device: str) -> Path:
        return self._lock_dir / f"{device.replace(':', '-')}.lock"

    def _note_path(self, device: str) -> Path:
        return self._lock_path(device).with_suffix(".json")

    def _other_holder(self, device: str) -> str:
        try:
            note = json.loads(self._note_path(device).read_text(encoding="utf-8"))
            return f"another program (process {note['pid']}: {note['who']})"
        except (OSError, ValueError, KeyError, TypeError):
            return "another program"

    def snapshot(self) -> list[DeviceQueue]:
        """Every device that was ever asked for, with its holder and how many wait."""
        with self._changed:
            return [
                DeviceQueue(device, queue.holder, len(queue.waiting) - (1 if queue.holder else 0))
                for device, queue in self._queues.items()
            ]


def _acquired(lock: FileLock) -> bool:
    try:
        lock.acquire(blocking=False)
    except LockTimeout:
        return False
    return True

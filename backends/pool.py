"""The engine pool: who owns loaded engines, within a memory budget.

Least recently used engines are closed *before* a new one is loaded, never one in use. What does
not fit is refused with the numbers.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from backends.catalog import title_of
from backends.engine import Backend, CancelToken, Engine, OnProgress, Progress
from backends.errors import Cancelled, DynoError, InvalidRequest, OutOfMemory
from backends.registry import get_backend
from backends.setup import Setup

# Runtime, activations and fragmentation beside the weights, as seen for small and large models.
_OVERHEAD = 1.2


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """One loaded engine, for people. `memory_bytes` is what its process holds alone, if known."""

    key: str
    setup: Setup
    model: str
    device: str
    state: str
    memory_bytes: int | None
    weights_bytes: int | None
    in_use: bool
    last_used: float
    pid: int | None


@dataclass(slots=True)
class _Slot:
    setup: Setup
    engine: Engine | None
    device: str | None
    users: int = 0
    last_used: float = 0.0
    is_warm: bool = False
    reserved_bytes: int = 0

    @property
    def weights_bytes(self) -> int:
        """Bytes of the weights; while they are being loaded, what was set aside for them."""
        return (self.engine.describe().weights_bytes or 0) if self.engine else self.reserved_bytes


@dataclass(slots=True)
class LeasedEngine:
    """An engine that nobody may close while it is leased. `is_new`: it was loaded for this.

    `is_warm`: it has answered before. Who makes it answer sets this, and the pool remembers.
    """

    engine: Engine
    is_new: bool
    is_warm: bool = False


class EnginePool:
    """Engines by `Setup.engine_key`. All methods may be called from any thread."""

    def __init__(
        self,
        max_engines: int,
        budget_bytes: int | None = None,
        backend_of: Callable[[str], Backend] = get_backend,
        free_bytes: Callable[[], int] = lambda: int(psutil.virtual_memory().available),
    ) -> None:
        self._max_engines = max_engines
        self._budget_bytes = budget_bytes
        self._backend_of = backend_of
        self._free_bytes = free_bytes
        self._changed = threading.Condition()
        self._slots: dict[str, _Slot] = {}

    @contextmanager
    def lease(
        self, setup: Setup, on_progress: OnProgress, cancel: CancelToken
    ) -> Iterator[LeasedEngine]:
        """The engine for `setup`, loaded if need be, kept alive inside the `with`."""
        slot, is_new = self._claim(setup, on_progress, cancel)
        assert slot.engine is not None
        leased = LeasedEngine(slot.engine, is_new, slot.is_warm)
        try:
            yield leased
        finally:
            with self._changed:
                slot.users -= 1
                slot.last_used = time.time()
                slot.is_warm = slot.is_warm or leased.is_warm
                if not slot.engine.is_alive:
                    self._bury(slot)
                self._changed.notify_all()

    def _claim(
        self, setup: Setup, on_progress: OnProgress, cancel: CancelToken
    ) -> tuple[_Slot, bool]:
        key = setup.engine_key
        backend = self._backend_of(setup.backend)
        backend.check(setup).require()
        with self._changed:
            while True:
                slot = self._slots.get(key)
                if slot is None:
                    break
                if slot.engine is None:  # someone else is loading it
                    if cancel.is_cancelled:
                        raise Cancelled("Loading was stopped.")
                    self._changed.wait(0.1)
                    continue
                if slot.engine.is_alive:
                    slot.users += 1
                    return slot, False
                self._bury(slot)
            slot = _Slot(setup, None, backend.device_of(setup), users=1, last_used=time.time())
            self._slots[key] = slot
        try:
            slot.engine = self._open(backend, slot, on_progress, cancel)
        except BaseException:
            with self._changed:
                self._slots.pop(key, None)
                self._changed.notify_all()
            raise
        with self._changed:
            slot.reserved_bytes = 0
            self._changed.notify_all()
        return slot, True

    def _bury(self, slot: _Slot) -> None:
        """Forget an engine whose process has ended, and let go of what it held here."""
        if self._slots.get(slot.setup.engine_key) is slot:
            del self._slots[slot.setup.engine_key]
        if slot.engine is not None and not slot.users:
            slot.engine.close()

    def _open(
        self, backend: Backend, slot: _Slot, on_progress: OnProgress, cancel: CancelToken
    ) -> Engine:
        setup, device, key = slot.setup, slot.device, slot.setup.engine_key
        needed = backend.memory_needed_bytes(setup)
        for victim in self._victims(device, needed, key):
            on_progress(Progress(f"Unloading {title_of(victim.setup.model)} to make room"))
            self._close(victim)
        self._reserve(slot, needed)
        try:
            return backend.open(setup, on_progress, cancel)
        except OutOfMemory:
            idle = self._idle(device, key)
            if not idle or cancel.is_cancelled:
                raise
            for other in idle:
                self._close(other)
            on_progress(Progress("Trying again with the other engines unloaded"))
            return backend.open(setup, on_progress, cancel)

    def _idle(self, device: str | None, but: str) -> list[_Slot]:
        """Loaded engines of a device that nobody uses, least recently used first."""
        with self._changed:
            idle = [
                slot
                for key, slot in self._slots.items()
                if key != but and slot.users == 0 and slot.engine and slot.device == device
            ]
        return sorted(idle, key=lambda slot: slot.last_used)

    def _victims(self, device: str | None, needed: int | None, key: str) -> list[_Slot]:
        """Which idle engines must go before `needed` bytes are loaded."""
        idle = self._idle(device, key)
        surplus = len(self._slots) - self._max_engines
        victims = idle[: max(0, surplus)]
        if needed is None or device is None:
            return victims
        room = self._room(device)
        for slot in idle:
            if needed * _OVERHEAD <= room + sum(v.weights_bytes * _OVERHEAD for v in victims):
                break
            if slot not in victims:
                victims.append(slot)
        return victims

    def _room(self, device: str) -> float:
        """Bytes that a new engine may take: free memory, or what the budget leaves."""
        with self._changed:
            held = sum(slot.weights_bytes * _OVERHEAD for slot in self._slots.values())
            coming = sum(slot.reserved_bytes * _OVERHEAD for slot in self._slots.values())
        rooms = [self._budget_bytes - held] if self._budget_bytes is not None else []
        if device == "cpu":
            rooms.append(self._free_bytes() - coming)
        return min(rooms, default=float("inf"))

    def _reserve(self, slot: _Slot, needed: int | None) -> None:
        """Set memory aside for a load, or refuse it with the numbers."""
        if needed is None or slot.device is None:
            return
        with self._changed:
            room = self._room(slot.device)
            if needed * _OVERHEAD <= room:
                slot.reserved_bytes = needed
                return
        where = "the memory budget leaves" if self._budget_bytes is not None else "are free:"
        raise OutOfMemory(
            f"This setup needs about {needed * _OVERHEAD / 1e6:,.0f} MB; "
            f"{where} {max(0.0, room) / 1e6:,.0f} MB.",
            "Unload other engines on the Machine page, choose 16-bit weights or a smaller "
            "model, or raise DYNO_MEMORY_BUDGET_GB.",
        )

    def _close(self, slot: _Slot) -> None:
        with self._changed:
            if slot.users:
                return
            if self._slots.get(slot.setup.engine_key) is slot:
                del self._slots[slot.setup.engine_key]
        if slot.engine is not None:
            slot.engine.close()

    def engines(self) -> list[EngineInfo]:
        """What is loaded or being loaded now."""
        with self._changed:
            slots = list(self._slots.items())
        return [_info(key, slot) for key, slot in slots]

    def count(self) -> int:
        """How many engines are loaded."""
        with self._changed:
            return sum(slot.engine is not None for slot in self._slots.values())

    def loaded(self, setup: Setup) -> Engine | None:
        """The engine of a setup if it is loaded and idle; it may be closed at any time."""
        with self._changed:
            slot = self._slots.get(setup.engine_key)
            return slot.engine if slot and slot.users == 0 else None

    def unload(self, key: str) -> None:
        """Close an engine. Raises `InvalidRequest` while it is in use."""
        with self._changed:
            slot = self._slots.get(key)
            if slot is None:
                return
            if slot.users:
                raise InvalidRequest("This engine is answering.", "Stop its run first.")
        self._close(slot)

    def close(self) -> None:
        """Close every engine, also those in use: the app is ending."""
        with self._changed:
            slots, self._slots = list(self._slots.values()), {}
        for slot in slots:
            if slot.engine is not None:
                with contextlib.suppress(DynoError, OSError):
                    slot.engine.close()


def _info(key: str, slot: _Slot) -> EngineInfo:
    facts = slot.engine.describe() if slot.engine else None
    pid = facts.process_id if facts else None
    setup = slot.setup
    return EngineInfo(
        key=key,
        setup=setup,
        model=title_of(setup.model),
        device=slot.device or "remote",
        state="loading" if slot.engine is None else "answering" if slot.users else "idle",
        memory_bytes=_private_bytes(pid) if pid else None,
        weights_bytes=facts.weights_bytes if facts else None,
        in_use=slot.users > 0,
        last_used=slot.last_used,
        pid=pid,
    )


def _private_bytes(pid: int) -> int | None:
    """Memory that a process shares with no other (USS), None when it is gone or not ours."""
    try:
        return int(psutil.Process(pid).memory_full_info().uss)
    except (psutil.Error, AttributeError):
        return None

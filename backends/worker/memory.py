"""Memory of this process as the operating system counts it. No torch.

The peak of a run is the kernel's own high-water mark, reset before the run: exact, and nothing
has to sample while the run is timed (docs/decisions/0002).
"""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from backends.errors import OutOfMemory

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"
METHOD_HIGH_WATER = (
    "peak of the worker's anonymous memory (kernel high-water mark, reset before the run) "
    "minus what it had when forked"
)
METHOD_RESIDENT = "resident memory after the run minus what the worker had when it started"


@dataclass(frozen=True, slots=True)
class _Status:
    anonymous_bytes: int
    not_anonymous_bytes: int
    high_water_bytes: int


def _read_status() -> _Status | None:
    """Counters of /proc/self/status, or None where there is no such file or field."""
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    fields = {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}
    try:
        kib = {key: int(fields[key][0]) for key in ("RssAnon", "RssFile", "RssShmem", "VmHWM")}
    except (KeyError, IndexError, ValueError):
        return None
    return _Status(
        kib["RssAnon"] * 1024, (kib["RssFile"] + kib["RssShmem"]) * 1024, kib["VmHWM"] * 1024
    )


class ProcessMemory:
    """Made when the worker starts: what it has then is the baseline."""

    def __init__(self) -> None:
        status = _read_status()
        self._baseline = status.anonymous_bytes if status else psutil.Process().memory_info().rss
        self._can_reset = status is not None and self.reset_peak()

    def reset_peak(self) -> bool:
        """Start a new peak. False where the kernel does not let us."""
        try:
            _CLEAR_REFS.write_text(_RESET_PEAK)
        except OSError:
            return False
        return True

    def held_bytes(self) -> int:
        """Anonymous memory now, beyond the baseline."""
        status = _read_status()
        now = status.anonymous_bytes if status else psutil.Process().memory_info().rss
        return max(0, now - self._baseline)

    def peak(self) -> tuple[int, str]:
        """Bytes at the peak since the last reset, and how they were obtained."""
        status = _read_status()
        if status is None or not self._can_reset:
            return self.held_bytes(), METHOD_RESIDENT
        # File-backed pages are libraries and count for no engine; they hardly move in a run.
        peak = status.high_water_bytes - status.not_anonymous_bytes - self._baseline
        return max(peak, status.anonymous_bytes - self._baseline), METHOD_HIGH_WATER


def free_bytes() -> int:
    """Memory of this machine that is free for a new engine."""
    return int(psutil.virtual_memory().available)


def require_room(needed: int, free: int, where: str, budget: int | None) -> None:
    """Refuse, with the numbers, weights that do not fit. Raises `OutOfMemory`."""
    if budget is not None and budget < free:
        free, where = budget, "left of the memory budget"
    if needed > free:
        raise OutOfMemory(
            f"The weights need {needed / 1e6:,.1f} MB; {free / 1e6:,.1f} MB are free {where}.",
            "Unload other engines, choose 16-bit weights or a smaller model, "
            "or raise DYNO_MEMORY_BUDGET_GB.",
        )


def return_free_memory() -> None:
    """Give what loading freed back to the operating system (glibc keeps it otherwise)."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)

"""Whether the processors ran slower than in earlier runs of the same setup, by their own clocks.

A setup is held against itself, since some instructions lower the clock by themselves. Clocks are
read, never the times of runs: leaving out what was slow would be choosing the result.
"""

from __future__ import annotations

import contextlib
import statistics
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path

import psutil

# A governor moves the clock by some percent all the time; heat or a power limit by more.
_DROP = 0.8
_RUNS_FOR_A_USUAL = 5


def read_mhz() -> float | None:
    """Clock of the fastest processor now, since idle ones slow down at any time; None where the
    system does not tell it, or tells one that never moves."""
    read = getattr(psutil, "cpu_freq", None)  # not on every system
    if read is None or is_constant():
        return None
    # Linux: a file is missing or may not be read; macOS: the chip does not tell.
    with contextlib.suppress(OSError, RuntimeError):
        fastest = max((one.current for one in read(percpu=True)), default=0.0)
        return float(fastest) or None
    return None


@cache
def is_constant(
    cpuinfo: Path = Path("/proc/cpuinfo"), drivers: Path = Path("/sys/devices/system/cpu/cpufreq")
) -> bool:
    """Whether the system tells the clock it found when it started, as most virtual machines do.

    Linux on x86 counts cycles (APERF and MPERF), else asks a driver, else prints that constant
    (`show_cpuinfo` in arch/x86/kernel/cpu/proc.c).
    """
    with contextlib.suppress(OSError):
        lines = cpuinfo.read_text().splitlines()
        flags = next((line.split() for line in lines if line.startswith("flags")), None)
        return flags is not None and "aperfmperf" not in flags and not any(drivers.glob("policy*"))
    return False


class ClockDrops:
    """Reads the clock at the end of each run and holds it against what was usual."""

    def __init__(self, read: Callable[[], float | None] = read_mhz) -> None:
        self._read = read
        self._seen: defaultdict[str, list[float]] = defaultdict(list)

    def end(self, setup_id: str) -> str:
        """What disturbed the run, in words; empty where nothing did or the clock is not told."""
        now = self._read()
        if now is None:
            return ""
        seen = self._seen[setup_id]
        usual = statistics.median(seen) if len(seen) >= _RUNS_FOR_A_USUAL else now
        if now < _DROP * usual:
            return f"the processors ran at {now / 1e3:.2f} GHz, usually {usual / 1e3:.2f}"
        seen.append(now)
        return ""


def why_not_watched() -> str:
    """Why clocks are not watched here; empty where they are."""
    if read_mhz() is not None:
        return ""
    if is_constant():
        return "the clock of the processors, of which the system tells only one that never moves"
    return "the clock of the processors, which the system does not tell"

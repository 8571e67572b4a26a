"""Whether something else loaded the machine while a run was made."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from app.bench.benchmarks.quiet import cores_of_noise
from app.bench.experiments.clock_drops import ClockDrops
from app.bench.experiments.gpu_noise import GpuNoise
from app.bench.record import RunRecord

# The system counts in hundredths of a second: less than this may be rounding.
_ROUNDING_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Reading:
    """Seconds since some moment: of the clock, busy over all cores, and of these by ourselves."""

    clock: float
    busy: float
    own: float


class OtherLoad:
    """Watches the load of the processors from `begin` to `end`, and looks at clocks and GPUs when
    a run has ended. Not watched: memory bandwidth.

    `siblings`: processes that make runs beside this one, on devices of their own.
    """

    def __init__(
        self,
        read: Callable[[], Reading] | None = None,
        clocks: ClockDrops | None = None,
        gpus: GpuNoise | None = None,
    ) -> None:
        self._clocks = clocks or ClockDrops()
        self._gpus = gpus or GpuNoise()
        self._processes: list[psutil.Process] = []
        self._beside: list[psutil.Process] = []
        self.siblings: tuple[int, ...] = ()
        self._read = read or self._read_system
        self._begun: Reading | None = None

    def begin(self, *, new_processes: bool) -> None:
        """Start of a run. `new_processes`: an engine was loaded, so look for its process."""
        if new_processes or not self._processes:
            self._processes = _family(os.getpid())
        self._beside = [one for pid in self.siblings for one in _family(pid)]
        self._begun = self._read()

    def end(self) -> str:
        """What disturbed the run, in words; empty where nothing did or nothing was watched."""
        begun, self._begun = self._begun, None
        return "" if begun is None else disturbance(begun, self._read(), psutil.cpu_count() or 1)

    def look(self, record: RunRecord) -> str:
        """`end`, and what the clocks and GPUs tell of a run that was just made."""
        said = [self.end()]
        device = record.environment.device
        if device == "cpu":
            said.append(self._clocks.end(record.setup.id))
        elif device.startswith("cuda"):
            said.append(self._gpus.end({process.pid for process in self._processes}))
        return "; ".join(filter(None, said))

    def _read_system(self) -> Reading:
        times = psutil.cpu_times()._asdict()
        # On Linux the time of guests is in that of users, too.
        idle = ("idle", "iowait", "guest", "guest_nice")
        busy = sum(seconds for name, seconds in times.items() if name not in idle)
        own = 0.0
        for process in (*self._processes, *self._beside):
            with contextlib.suppress(psutil.Error):
                spent = process.cpu_times()
                own += spent.user + spent.system
        return Reading(time.monotonic(), busy, own)


def _family(pid: int) -> list[psutil.Process]:
    """A process and all that it started; none where it has ended."""
    with contextlib.suppress(psutil.Error):
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    return []


def disturbance(begun: Reading, ended: Reading, cores: int) -> str:
    """Others may use what an idle desktop does, as before a benchmark; empty if they used less."""
    seconds = ended.clock - begun.clock
    others = (ended.busy - begun.busy) - (ended.own - begun.own)
    if seconds <= 0 or others <= max(_ROUNDING_SECONDS, cores_of_noise(cores) * seconds):
        return ""
    return f"other work kept {others / seconds:.1f} of {cores} cores busy"

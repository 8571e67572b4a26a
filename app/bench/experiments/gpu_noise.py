"""Whether others used the GPU of a run, or its clock was held down by heat or power; asks NVML.

In a container the driver may name processes by numbers that are not ours: then nobody can be told
apart, and only clocks are watched.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

# `nvmlClocksEventReasons`: slowed by hardware, heat (software, hardware), or a power brake. The
# power cap in software is not among them: a card at full load lives with it.
_HELD_DOWN = {0x8: "hardware", 0x20: "heat", 0x40: "heat", 0x80: "a power brake"}


@dataclass(frozen=True, slots=True)
class GpuUse:
    """Processes that compute on a GPU now, and what holds its clock down (NVML's bits)."""

    index: int
    processes: frozenset[int]
    held_down_by: int


def read_gpus() -> list[GpuUse]:
    """Every NVIDIA GPU as it is now; none where no driver answers."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # the package, its library or the driver is missing
        return []
    found = []
    try:
        for index in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            processes, reasons = frozenset[int](), 0
            with contextlib.suppress(pynvml.NVMLError):
                running = pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
                processes = frozenset(int(one.pid) for one in running)
            with contextlib.suppress(pynvml.NVMLError):
                reasons = int(pynvml.nvmlDeviceGetCurrentClocksEventReasons(handle))
            found.append(GpuUse(index, processes, reasons))
    except pynvml.NVMLError:
        return []
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()
    return found


class GpuNoise:
    """Looks at the GPUs when a run on one of them has ended."""

    def __init__(self, read: Callable[[], Sequence[GpuUse]] = read_gpus) -> None:
        self._read = read

    def end(self, own: Collection[int]) -> str:
        """What disturbed the run, in words. `own`: ids of our processes."""
        return gpu_noise(self._read(), own)


def gpu_noise(gpus: Sequence[GpuUse], own: Collection[int]) -> str:
    """About the GPUs that we use; about all where that cannot be told from process ids."""
    mine = [gpu for gpu in gpus if gpu.processes & set(own)]
    said = []
    for gpu in mine:
        others = len(gpu.processes - set(own))
        if others:
            who = "another process was" if others == 1 else f"{others} other processes were"
            said.append(f"{who} on GPU {gpu.index}")
    for gpu in mine or gpus:
        causes = {word for bit, word in _HELD_DOWN.items() if gpu.held_down_by & bit}
        if causes:
            said.append(
                f"the clock of GPU {gpu.index} was held down by {', '.join(sorted(causes))}"
            )
    return "; ".join(said)

"""Whether the machine is quiet enough to measure on."""

from __future__ import annotations

import contextlib
import time

import psutil

from backends.errors import DynoError

_SAMPLE_SECONDS = 2.0
# A quarter of a core, or 5 % of a large machine, is the noise of an ordinary desktop.
_CORES_OF_NOISE = 0.25
_SHARE_OF_NOISE = 0.05
_NAMED = 3


class MachineBusy(DynoError):
    """Other work loads the machine, so that nothing measured now would hold."""


def refuse_if_busy(seconds: float = _SAMPLE_SECONDS) -> None:
    """Look at the processors for `seconds`. Raises `MachineBusy`, naming the busiest programs."""
    processes = list(psutil.process_iter(["name", "pid"]))
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.cpu_percent()
    psutil.cpu_percent()
    time.sleep(seconds)
    cores = psutil.cpu_count() or 1
    busy_cores = psutil.cpu_percent() / 100 * cores
    if busy_cores <= cores_of_noise(cores):
        return
    raise MachineBusy(
        f"Other work keeps {busy_cores:.1f} of {cores} cores busy{_busiest(processes)}.",
        "Wait until it has ended, or measure all the same with --force.",
    )


def cores_of_noise(cores: int) -> float:
    """How many cores other programs may keep busy on a machine that counts as quiet."""
    return max(_CORES_OF_NOISE, _SHARE_OF_NOISE * cores)


def _busiest(processes: list[psutil.Process]) -> str:
    used: list[tuple[float, str]] = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            used.append((process.cpu_percent(), f"{process.info['name']} ({process.pid})"))
    names = [name for percent, name in sorted(used, reverse=True)[:_NAMED] if percent >= 5]
    return f": {', '.join(names)}" if names else ""

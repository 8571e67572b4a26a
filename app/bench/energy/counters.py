"""Energy counters of this machine: RAPL for processors, NVML for NVIDIA GPUs.

A counter tells the joules of the whole package or board, whatever ran on it and what it takes when
idle. Knows nothing of runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from backends.errors import DynoError
from backends.local.cuda_visible import visible_handles

_POWERCAP = Path("/sys/class/powercap")


class NoCounter(DynoError):
    """No energy can be read for a device; the message says why."""


class EnergyCounter(Protocol):
    """Counts what a device takes. `what` says what is in it."""

    what: str

    def read(self) -> object:
        """The counters now. Raises `NoCounter` where they cannot be read any more."""
        ...

    def joules_between(self, begun: Any, ended: Any) -> float:
        """From one reading to the next."""
        ...


def counter_of(device: str | None) -> EnergyCounter:
    """The counter of a device as engines name them; None is somebody else's server. Raises
    `NoCounter`."""
    if device is None:
        raise NoCounter("a server does not say what energy it takes")
    kind, _, index = device.partition(":")
    if kind == "cuda":
        return NvmlCounter(int(index or 0))
    if kind == "cpu":
        return RaplCounter()
    raise NoCounter(f"no energy counter is known for {device}")


class RaplCounter:
    """All processor packages, through Linux's powercap (Intel and AMD).

    Packages only: the cores and the graphics inside one are in its count, and "psys" and the
    memory-mapped twin of a package (intel-rapl-mmio) would count it twice.
    """

    what = "whole processor packages, idle share included, without memory and GPUs"

    def __init__(self, root: Path = _POWERCAP) -> None:
        self._packages = [
            folder for folder in sorted(root.glob("intel-rapl:*")) if _is_package(folder)
        ]
        if not self._packages:
            raise NoCounter(f"no RAPL counters in {root}")
        self._ranges = [_number(folder / "max_energy_range_uj") for folder in self._packages]
        self.read()

    def read(self) -> tuple[int, ...]:
        """Microjoules of each package since some moment; they begin again at its range's end."""
        return tuple(_number(folder / "energy_uj") for folder in self._packages)

    def joules_between(self, begun: Sequence[int], ended: Sequence[int]) -> float:
        """A counter that is lower than before has begun again, once."""
        pairs = zip(begun, ended, self._ranges, strict=True)
        return sum(b - a if b >= a else b - a + whole for a, b, whole in pairs) / 1e6


class NvmlCounter:
    """One NVIDIA GPU by the driver's own counter (Volta and newer), in steps of some 10 ms."""

    what = "the whole GPU board, idle share included, without the processor"

    def __init__(self, index: int, nvml: Any = None) -> None:
        self._nvml = nvml or _nvml()
        try:
            self._nvml.nvmlInit()
            self._handle = _handle(self._nvml, index)
        except self._nvml.NVMLError as error:
            raise NoCounter(f"the NVIDIA driver does not answer ({error})") from error
        self.read()

    def read(self) -> int:
        """Millijoules since the driver was loaded."""
        try:
            return int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle))
        except self._nvml.NVMLError as error:
            raise NoCounter(f"this GPU's energy counter cannot be read ({error})") from error

    def joules_between(self, begun: int, ended: int) -> float:
        return (ended - begun) / 1e3


def _nvml() -> Any:
    try:
        import pynvml
    except ImportError as error:
        raise NoCounter("the package nvidia-ml-py is not installed") from error
    return pynvml


def _handle(nvml: Any, index: int) -> Any:
    handles = visible_handles(nvml)
    if index >= len(handles):
        raise NoCounter(f"the NVIDIA driver shows no GPU {index} here")
    return handles[index]


def _is_package(folder: Path) -> bool:
    try:
        return (folder / "name").read_text().startswith("package")
    except OSError:
        return False


def _number(file: Path) -> int:
    try:
        return int(file.read_text())
    except PermissionError as error:
        raise NoCounter(f"RAPL counters are not readable without root ({file})") from error
    except (OSError, ValueError) as error:
        raise NoCounter(f"{file} cannot be read") from error


CounterOf = Callable[[str | None], EnergyCounter]

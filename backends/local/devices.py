"""Which devices this machine has, found without torch (the app process must not import it)."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib import metadata

from backends.errors import NoDevice
from backends.local.cuda_visible import visible_handles


@cache
def cuda_names() -> tuple[str, ...]:
    """Names of the GPUs that CUDA may see, by its numbers, if the installed torch can use them."""
    try:
        if "+cpu" in metadata.version("torch"):
            return ()
        import pynvml

        pynvml.nvmlInit()
        return tuple(_text(pynvml.nvmlDeviceGetName(handle)) for handle in visible_handles(pynvml))
    except Exception:  # no driver, no library: no GPU
        return ()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def has_mps() -> bool:
    return platform.system() == "Darwin" and platform.machine() == "arm64"


def available_devices() -> tuple[str, ...]:
    """Names usable in a setup, best first."""
    cuda = tuple(f"cuda:{index}" for index in range(len(cuda_names())))
    return cuda + (("mps",) if has_mps() else ()) + ("cpu",)


def resolve_device(wanted: str) -> str:
    """The concrete device for a setup's `device`. Raises `NoDevice`: nothing falls back."""
    devices = available_devices()
    if wanted == "auto":
        return devices[0]
    name = "cuda:0" if wanted == "cuda" else wanted
    if name not in devices:
        raise NoDevice(
            f"This machine has no device {wanted}.", f"Choose one of: {', '.join(devices)}."
        )
    return name


def default_threads() -> int:
    """One core is left to the app, which draws while the model computes."""
    return max(1, usable_cores() - 1)


def usable_cores() -> int:
    """Cores that this process may run on; a container's CPU share is not seen here."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

"""The NVIDIA GPUs that CUDA may see, in its order, asked of the driver's library (NVML)."""

from __future__ import annotations

import os
from typing import Any


def visible_handles(nvml: Any) -> tuple[Any, ...]:
    """NVML's handles where their places are CUDA's numbers, after `nvmlInit`; in the order of the
    bus, which the host of workers tells CUDA to take.

    `CUDA_VISIBLE_DEVICES` names them by number or by id; what follows a number that no GPU has is
    not seen: https://docs.nvidia.com/cuda/cuda-c-programming-guide/#cuda-environment-variables
    """
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = nvml.nvmlDeviceGetCount()
    if named is None:
        return tuple(nvml.nvmlDeviceGetHandleByIndex(index) for index in range(count))
    handles = []
    for name in (name.strip() for name in named.split(",")):
        if name.startswith(("GPU-", "MIG-")):
            handles.append(nvml.nvmlDeviceGetHandleByUUID(name))
        elif name.isdigit() and int(name) < count:
            handles.append(nvml.nvmlDeviceGetHandleByIndex(int(name)))
        else:
            break
    return tuple(handles)

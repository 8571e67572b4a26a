"""Which models of the catalog fit this machine, told from their sizes alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import psutil

from app.bench.environment import gpu_reading
from backends.catalog import BUNDLED, CatalogModel
from backends.local.formats import FORMATS, catalog_bytes

Fit = Literal["16 bits", "4 bits", "none"]
# The rest is for the KV cache, activations and the libraries.
_SHARE_FOR_WEIGHTS = 0.7


def fit(entry: CatalogModel, free_bytes: int) -> Fit:
    """The widest of 16 and 4 bits in which the weights leave room for everything else."""
    room = _SHARE_FOR_WEIGHTS * free_bytes
    if catalog_bytes(entry, FORMATS["bf16"]) <= room:
        return "16 bits"
    return "4 bits" if catalog_bytes(entry, FORMATS["nf4"]) <= room else "none"


def default_model(entries: Iterable[CatalogModel], gpu_bytes: int | None) -> str:
    """What a first visit shows: on a GPU the largest model that fits in 16 bits and that anybody
    may download; without one the bundled model, which answers at once on any CPU."""
    if gpu_bytes is None:
        return BUNDLED
    fitting = [e for e in entries if not e.gated and fit(e, gpu_bytes) == "16 bits"]
    return max(fitting, key=lambda e: e.parameters).id if fitting else BUNDLED


def gpu_memory_bytes() -> int | None:
    """Memory of the largest GPU; None where there is none."""
    sizes = [gpu.memory_bytes for gpu in gpu_reading().gpus if gpu.memory_bytes is not None]
    return max(sizes, default=None)


def free_memory_bytes() -> int:
    """Memory that a model can have: the largest GPU's, else what this machine has free."""
    return gpu_memory_bytes() or int(psutil.virtual_memory().available)

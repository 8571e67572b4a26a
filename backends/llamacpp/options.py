"""Names and defaults of the options that only llama.cpp has."""

from __future__ import annotations

from backends.errors import InvalidSetup
from backends.setup import Setup

CACHE_TYPE = "cache_type"
# Values of that option begin so: in a label they stand beside the weights, which have types too.
CACHE_PREFIX = "kv-"
CONTEXT = "context_tokens"
GPU_LAYERS = "gpu_layers"
# A cache is allocated whole: the window of a model that has 131,072 would take gigabytes.
DEFAULT_CONTEXT_TOKENS = 8_192


def cache_type(setup: Setup) -> str:
    """What keys and values are held in, as llama.cpp calls it."""
    return str(setup.options.get(CACHE_TYPE, f"{CACHE_PREFIX}f16")).removeprefix(CACHE_PREFIX)


def context_too_long(window: int) -> InvalidSetup:
    return InvalidSetup(
        f"The model's window holds {window:,} tokens.",
        "Ask for no more context, or leave it empty.",
    )

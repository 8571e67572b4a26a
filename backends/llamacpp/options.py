"""Names and defaults of the options that only llama.cpp has."""

from __future__ import annotations

from backends.errors import InvalidSetup

CACHE_TYPE = "cache_type"
CONTEXT = "context_tokens"
GPU_LAYERS = "gpu_layers"
# A cache is allocated whole: the window of a model that has 131,072 would take gigabytes.
DEFAULT_CONTEXT_TOKENS = 8_192


def context_too_long(window: int) -> InvalidSetup:
    return InvalidSetup(
        f"The model's window holds {window:,} tokens.",
        "Ask for no more context, or leave it empty.",
    )

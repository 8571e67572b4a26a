"""Names and defaults of the options that only llama.cpp has."""

from __future__ import annotations

CACHE_TYPE = "cache_type"
CONTEXT = "context_tokens"
GPU_LAYERS = "gpu_layers"
# A cache is allocated whole: the window of a model that has 131,072 would take gigabytes.
DEFAULT_CONTEXT_TOKENS = 8_192

"""Which KV caches a model's layers can have, and how many bytes one holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from transformers import DynamicCache, QuantizedCache

from backends.local.combinations import no_window, window_not_quantized
from backends.local.worker.facts import storage_bytes
from backends.setup import Setup

_LARGEST_GROUP = 64
# Layers that can keep all keys and values, though their attention sees a window of them.
_ATTENTION_LAYERS = {"full_attention", "sliding_attention"}


def layer_types(config: Any) -> set[str]:
    """Kinds of layers of a model, as its configuration names them."""
    text = config.get_text_config()
    kinds = getattr(text, "layer_types", None)
    if kinds:
        return set(kinds)
    windowed = getattr(text, "sliding_window", None) is not None
    return {"sliding_attention" if windowed else "full_attention"}


def check_cache(setup: Setup, config: Any) -> None:
    """Refuse a cache that the model's layers cannot have. Raises `InvalidSetup`."""
    kinds = layer_types(config)
    if setup.kv_cache == "sliding" and "sliding_attention" not in kinds:
        raise no_window()
    if setup.kv_cache == "quantized" and kinds != {"full_attention"}:
        raise window_not_quantized()


def whole_cache(config: Any) -> DynamicCache:
    """A cache that keeps every token, also in layers that see a window only: it can be cropped."""
    return (
        DynamicCache() if layer_types(config) <= _ATTENTION_LAYERS else DynamicCache(config=config)
    )


def quantized_cache(config: Any) -> QuantizedCache:
    """4-bit keys and values in groups along the head; the newest up to 128 tokens as they came.

    A group is at most half of a head: HQQ packs two rows into one, so their number must be even.
    """
    text = config.get_text_config()
    head_size = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    group = _LARGEST_GROUP
    while (head_size // 2) % group:
        group //= 2
    return QuantizedCache("hqq", config, nbits=4, axis_key=1, axis_value=1, q_group_size=group)


def cache_bytes(cache: Any | None) -> int:
    """Bytes of the keys and values that a cache of transformers holds, with their scales."""
    if cache is None:
        return 0
    names = ("keys", "values", "_quantized_keys", "_quantized_values")
    held = [getattr(layer, name, None) for layer in cache.layers for name in names]
    return storage_bytes(_tensors(held))


def _tensors(held: object) -> Iterator[torch.Tensor]:
    """All tensors in nested tuples, lists and dictionaries."""
    if isinstance(held, torch.Tensor):
        yield held
    elif isinstance(held, dict):
        yield from _tensors(list(held.values()))
    elif isinstance(held, (list, tuple)):
        for part in held:
            yield from _tensors(part)

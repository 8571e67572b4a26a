"""Attention for training, in the way that is fastest for the device and a row's length. As it is
our own, the library makes no mask for it, which would only be written out to say "causal"."""

import math

import torch
from torch import nn
from torch.nn import functional
from transformers import AttentionInterface

NAME = "by_length"
# Up to here the whole matrix of scores is cheaper than the fused kernel, whose backward is slow on
# a CPU: a step took 1.20 s instead of 1.48 s (2 cores Intel Xeon, rows of 32 to 256 tokens).
_WHOLE_UP_TO = 512


def _attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **_: object,
) -> tuple[torch.Tensor, None]:
    """Causal attention; query is [B, H, T, D], key and value have fewer heads."""
    on_cpu = _whole if query.shape[2] <= _WHOLE_UP_TO else _fused
    way = _flash if query.is_cuda else on_cpu
    return way(query, key, value).transpose(1, 2).to(query.dtype).contiguous(), None


def _flash(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """torch's kernel in the type of the values, which rotating has not made fp32."""
    query, key = query.to(value.dtype), key.to(value.dtype)
    return functional.scaled_dot_product_attention(
        query, key, value, is_causal=True, enable_gqa=True
    )


def _whole(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """All scores at once: products in bf16, softmax in fp32."""
    groups = query.shape[1] // key.shape[1]
    key, value = (x.repeat_interleave(groups, dim=1) for x in (key, value))
    scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])
    tokens = query.shape[2]
    later = torch.ones(tokens, tokens, dtype=torch.bool, device=query.device).triu(1)
    weights = scores.masked_fill(later, -math.inf).softmax(-1, dtype=torch.float32)
    return weights.to(value.dtype) @ value


def _fused(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """torch's kernel in fp32, where its bf16 backward is 2 to 4 times slower."""
    groups = query.shape[1] // key.shape[1]
    with torch.autocast("cpu", enabled=False):
        return functional.scaled_dot_product_attention(
            query.float(),
            key.float().repeat_interleave(groups, dim=1),
            value.float().repeat_interleave(groups, dim=1),
            is_causal=True,
        )


def register() -> str:
    """Make the attention known to transformers; returns the name to configure."""
    AttentionInterface.register(NAME, _attention)
    return NAME

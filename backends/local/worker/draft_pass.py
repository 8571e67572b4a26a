"""One pass of a small draft over its newest token, in few operations.

For a model of two narrow layers a pass is the starting of operations, not their work: what the
library does around its layers for texts of any length, and in them for any setting, takes most of
it. Here the same arithmetic is done on the model's own weights in about half as many. A pass that
were wrong would cost guesses and never change an answer, which the target checks.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from backends.local.worker.cache_kinds import layer_types

# Their forward is: embed; in each layer attention with rotary positions and a gated feed-forward,
# each after a norm and added to what came in; norm; head.
_PLAIN_KINDS = frozenset({"llama", "mistral", "qwen2", "qwen3"})
# Angles of these do not change with the length of the text.
_FIXED_ANGLES = frozenset({"default", "linear", "llama3"})
_BLOCK = 512


class DraftPass:
    """Logits [1, V] after the newest of some tokens [1, T], which go into `cache`."""

    def __init__(self, model: Any, cache: Any) -> None:
        self._model = model
        self._cache = cache
        self._is_plain = _is_plain(model.config)
        # Cosines and sines of positions [P, head size], made as far as they are needed.
        self._angles: tuple[torch.Tensor, torch.Tensor] | None = None

    def __call__(self, ids: torch.Tensor) -> torch.Tensor:
        if not self._is_plain or ids.shape[1] > 1:
            output = self._model(ids, past_key_values=self._cache, logits_to_keep=1)
            logits: torch.Tensor = output.logits[:, -1]
            return logits
        inner = self._model.model
        hidden = inner.embed_tokens(ids[0])  # [1, H]
        cosine, sine = self._angles_at(self._cache.get_seq_length(), hidden)
        for layer in inner.layers:
            attended = _attention(
                layer.self_attn, _normed(layer.input_layernorm, hidden), cosine, sine, self._cache
            )
            hidden = hidden + attended
            fed = _normed(layer.post_attention_layernorm, hidden)
            gate = functional.silu(layer.mlp.gate_proj(fed))
            hidden = hidden + layer.mlp.down_proj(gate * layer.mlp.up_proj(fed))
        newest: torch.Tensor = self._model.lm_head(_normed(inner.norm, hidden))
        return newest

    def _angles_at(self, position: int, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if self._angles is None or self._angles[0].shape[0] <= position:
            ready = (position // _BLOCK + 1) * _BLOCK
            positions = torch.arange(ready, device=like.device)[None]
            cosines, sines = self._model.model.rotary_emb(like, position_ids=positions)
            self._angles = cosines[0], sines[0]
        cosines, sines = self._angles
        return cosines[position], sines[position]


def _attention(
    module: Any, hidden: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor, cache: Any
) -> torch.Tensor:
    """What one token [1, H] takes from all tokens so far, itself among them: [1, H]."""
    size = module.head_dim
    queries = module.q_proj(hidden).view(1, -1, 1, size)  # [1, heads, 1, D]
    keys = module.k_proj(hidden).view(1, -1, 1, size)
    values = module.v_proj(hidden).view(1, -1, 1, size)
    if hasattr(module, "q_norm"):
        queries, keys = _normed(module.q_norm, queries), _normed(module.k_norm, keys)
    turned = torch.cat((queries, keys), dim=1)
    half = size // 2
    across = torch.cat((-turned[..., half:], turned[..., :half]), dim=-1)
    turned = turned * cosine + across * sine
    heads = queries.shape[1]
    keys, values = cache.update(turned[:, heads:], values, module.layer_idx)
    mixed = functional.scaled_dot_product_attention(
        turned[:, :heads], keys, values, scale=module.scaling, enable_gqa=True
    )
    attended: torch.Tensor = module.o_proj(mixed.view(1, -1))
    return attended


def _normed(norm: Any, hidden: torch.Tensor) -> torch.Tensor:
    return functional.rms_norm(hidden, norm.weight.shape, norm.weight, norm.variance_epsilon)


def _is_plain(config: Any) -> bool:
    rope = getattr(config, "rope_parameters", None) or {}
    return (
        config.model_type in _PLAIN_KINDS
        and layer_types(config) == {"full_attention"}
        and config.hidden_act == "silu"
        and rope.get("rope_type", "default") in _FIXED_ANGLES
    )

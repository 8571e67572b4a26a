"""One pass of a small draft over its newest token, without what the library does around its layers.

For a model of two layers, building a mask that one token does not need and the angles of one more
position takes as long as a layer does. The layers themselves are the model's own.
"""

from __future__ import annotations

from typing import Any

import torch

from backends.local.worker.cache_kinds import layer_types

# Their forward is: embed, the same layers in order with the angles of rotary positions, norm, head.
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
        # Cosines and sines of positions [1, P, head size], made as far as they are needed.
        self._angles: tuple[torch.Tensor, torch.Tensor] | None = None

    def __call__(self, ids: torch.Tensor) -> torch.Tensor:
        if not self._is_plain or ids.shape[1] > 1:
            output = self._model(ids, past_key_values=self._cache, logits_to_keep=1)
            logits: torch.Tensor = output.logits[:, -1]
            return logits
        inner = self._model.model
        hidden = inner.embed_tokens(ids)  # [1, 1, H]
        angles = self._angles_at(self._cache.get_seq_length(), hidden)
        for layer in inner.layers:
            hidden = layer(
                hidden,
                attention_mask=None,
                position_embeddings=angles,
                past_key_values=self._cache,
                use_cache=True,
            )
        newest: torch.Tensor = self._model.lm_head(inner.norm(hidden[:, -1]))
        return newest

    def _angles_at(self, position: int, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if self._angles is None or self._angles[0].shape[1] <= position:
            ready = (position // _BLOCK + 1) * _BLOCK
            positions = torch.arange(ready, device=like.device)[None]
            self._angles = self._model.model.rotary_emb(like, position_ids=positions)
        cosines, sines = self._angles
        return cosines[:, position : position + 1], sines[:, position : position + 1]


def _is_plain(config: Any) -> bool:
    rope = getattr(config, "rope_parameters", None) or {}
    return (
        config.model_type in _PLAIN_KINDS
        and layer_types(config) == {"full_attention"}
        and rope.get("rope_type", "default") in _FIXED_ANGLES
    )

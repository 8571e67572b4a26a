"""The KV cache of each request: made for it, or kept from the one before for its prefix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers import DynamicCache, StaticCache

from backends.errors import InvalidRequest
from backends.local.worker.cache_kinds import quantized_cache, whole_cache
from backends.local.worker.loading import LoadedModel
from backends.worker.prompts import common_beginning

# A CUDA graph is for one length of the static cache: longer prompts would compile anew inside a
# run, so they are refused. Elsewhere the step is compiled for any length, and since it attends to
# the whole cache, also to what is empty, that is no longer than needed.
_GRAPH_TOKENS = 2048
_ROOM_STEP = 128


class KvCaches:
    """Gives each request of one engine its cache. Keeps the last one where prefixes are reused."""

    def __init__(self, loaded: LoadedModel) -> None:
        self._loaded = loaded
        self._kept: Any | None = None
        self._kept_ids: list[int] = []

    def begin(self, ids: Sequence[int], new_tokens: int) -> tuple[Any | None, int]:
        """The cache for a prompt, and how many of the prompt's tokens it holds already.

        Raises `InvalidRequest` where a compiled step has no room for prompt and answer.
        """
        setup, config = self._loaded.setup, self._loaded.model.config
        match setup.kv_cache:
            case "off":
                return None, 0
            case "static":
                tokens = self._static_tokens(ids, new_tokens)
                return StaticCache(config=config, max_cache_len=tokens), 0
            case "quantized":
                return quantized_cache(config), 0
            case "sliding":
                return DynamicCache(config=config), 0
        kept, self._kept = self._kept, None
        # The last token must be computed: its logits choose the first new one.
        shared = min(common_beginning(self._kept_ids, ids), len(ids) - 1) if kept else 0
        if kept is None or not shared:
            return whole_cache(config), 0
        kept.crop(shared - kept.get_seq_length())
        return kept, shared

    def end(self, cache: Any | None, ids: Sequence[int], *, is_whole: bool) -> None:
        """Keep the cache of `ids` for the next prompt, unless a pass was left in the middle."""
        if self._loaded.setup.reuse_prefix and cache is not None and is_whole:
            self._kept, self._kept_ids = cache, list(ids[: cache.get_seq_length()])

    def forget(self) -> None:
        self._kept, self._kept_ids = None, []

    def _static_tokens(self, ids: Sequence[int], new_tokens: int) -> int:
        needed = len(ids) + new_tokens
        if not self._loaded.setup.compile:
            return needed
        if self._loaded.model.device.type != "cuda":
            return -(-needed // _ROOM_STEP) * _ROOM_STEP
        room = min(_GRAPH_TOKENS, self._loaded.facts.context_window or _GRAPH_TOKENS)
        if needed > room:
            raise InvalidRequest(
                f"Prompt and answer need {needed:,} tokens; the compiled step has room for "
                f"{room:,}.",
                "Ask for a shorter answer, clear the conversation, or turn compile off.",
            )
        return room

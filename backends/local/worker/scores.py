"""Teacher-forced logits, computed the way the setup computes them: what parity is judged by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from backends.local.worker.caches import KvCaches
from backends.local.worker.generation import Generator, compile_config

# A verification pass of speculation looks at this many tokens at once: four guesses and one more.
_CYCLE_TOKENS = 5


@torch.no_grad()  # type: ignore[untyped-decorator]
def teacher_forced(
    generator: Generator, token_ids: Sequence[int], prompt_tokens: int
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Logits after each token from the prompt's last one on, [len(token_ids) - prompt_tokens + 1,
    vocabulary], in passes as long as those that `generate` makes with this setup."""
    model, setup = generator.loaded.model, generator.loaded.setup
    ids = torch.tensor([list(token_ids)], device=model.device)
    if setup.kv_cache == "off":
        rows = [
            model(ids[:, :end], use_cache=False).logits[0, -1]
            for end in range(prompt_tokens, ids.shape[1] + 1)
        ]
        return _array(torch.stack(rows))
    cache, _ = KvCaches(generator.loaded).begin(token_ids[:1], len(token_ids))
    step = model.get_compiled_call(compile_config(model.device)) if setup.compile else model
    kept = []
    for start, end in _passes(generator, prompt_tokens, ids.shape[1]):
        forward = step if start >= prompt_tokens else model
        positions = torch.arange(start, end, device=model.device)[None]
        output = forward(
            input_ids=ids[:, start:end],
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
        )
        # clone: a compiled step with CUDA graphs writes its next output over this one.
        kept.append(output.logits[0].clone())
    return _array(torch.cat(kept)[prompt_tokens - 1 :])


def _passes(generator: Generator, prompt_tokens: int, tokens: int) -> Iterator[tuple[int, int]]:
    """Beginnings and ends of the passes: those over the prompt, then those over the answer."""
    setup = generator.loaded.setup
    first = setup.prefill_chunk or prompt_tokens
    if setup.reuse_prefix:  # as if half of the prompt were kept from the turn before
        first = (prompt_tokens + 1) // 2
    yield from _split(0, prompt_tokens, first)
    yield from _split(prompt_tokens, tokens, 1 if setup.speculation == "none" else _CYCLE_TOKENS)


def _split(start: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    for at in range(start, end, size):
        yield at, min(at + size, end)


def _array(logits: torch.Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    found: np.ndarray[Any, np.dtype[np.float32]] = logits.float().cpu().numpy()
    return found

"""Teacher-forced logits, computed the way the setup computes them: what parity is judged by, and
what quality is measured with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from backends.local.worker.caches import KvCaches
from backends.local.worker.generation import Generator, compile_config
from backends.local.worker.stopping import Stopped
from backends.scores import Scores
from backends.worker.messages import Score
from backends.worker.scoring import scores_of, stopped

# A verification pass of speculation looks at this many tokens at once: four guesses and one more.
_CYCLE_TOKENS = 5
# Without a cache a pass computes the whole text so far, and as attention looks back only, its last
# rows are those of the passes that end there. So many are taken from one while scoring.
_ROWS_WITHOUT_CACHE = 16
Rows = np.ndarray[Any, np.dtype[np.float32]]


def score(generator: Generator, order: Score) -> Scores:
    """What `Scorer.score` gives. Raises `Cancelled` when the flag is set meanwhile."""
    # After its last token nothing is asked.
    ids, prompt = order.text.token_ids[:-1], order.text.prompt_tokens
    try:
        with generator.guard.watching():
            passes = _logits(generator, ids, prompt, _ROWS_WITHOUT_CACHE)
            return scores_of(passes, order.text.scored, order.top_k, order.ids)
    except Stopped as error:
        raise stopped() from error


def teacher_forced(generator: Generator, token_ids: Sequence[int], prompt_tokens: int) -> Rows:
    """Logits after each token from the prompt's last one on, [len(token_ids) - prompt_tokens + 1,
    vocabulary], in passes as long as those that `generate` makes with this setup."""
    return np.concatenate(list(_logits(generator, token_ids, prompt_tokens, 1)))


def _logits(
    generator: Generator, token_ids: Sequence[int], prompt_tokens: int, rows: int
) -> Iterator[Rows]:
    ids = torch.tensor([list(token_ids)], device=generator.loaded.model.device)
    passes = (
        _without_cache(generator, ids, prompt_tokens, rows)
        if generator.loaded.setup.kv_cache == "off"
        else _with_cache(generator, ids, prompt_tokens)
    )
    while True:
        if generator.stop.is_set:
            raise Stopped
        with torch.no_grad():  # not around a `yield`: it would hold for whoever asks, too
            found = next(passes, None)
        if found is None:
            return
        yield found.float().cpu().numpy()


def _without_cache(
    generator: Generator, ids: torch.Tensor, prompt_tokens: int, rows: int
) -> Iterator[torch.Tensor]:
    model = generator.loaded.model
    tokens = ids.shape[1]
    for start in range(prompt_tokens, tokens + 1, rows):
        end = min(start + rows - 1, tokens)
        last = end - start + 1
        fewer = {"logits_to_keep": last} if model._supports_logits_to_keep() else {}
        yield model(ids[:, :end], use_cache=False, **fewer).logits[0, -last:]


def _with_cache(
    generator: Generator, ids: torch.Tensor, prompt_tokens: int
) -> Iterator[torch.Tensor]:
    loaded = generator.loaded
    model = loaded.model
    tokens = ids.shape[1]
    cache, _ = KvCaches(loaded).begin(ids[0, :1].tolist(), tokens)
    step = model.get_compiled_call(compile_config(model.device)) if loaded.setup.compile else model
    fewer = {"logits_to_keep": 1} if model._supports_logits_to_keep() else {}
    for start, end in _passes(generator, prompt_tokens, tokens):
        is_answer = start >= prompt_tokens
        if is_answer:  # short from here on, and a compiled step knows no hooks
            generator.guard.lift()
        positions = torch.arange(start, end, device=model.device)[None]
        output = (step if is_answer else model)(
            input_ids=ids[:, start:end],
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            **({} if is_answer else fewer),
        )
        # clone: a compiled step with CUDA graphs writes its next output over this one.
        if is_answer:
            yield output.logits[0].clone()
        elif end == prompt_tokens:
            yield output.logits[0, -1:].clone()


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

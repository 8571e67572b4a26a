"""Speculative decoding through transformers' assisted generation, counted and timed.

The library's own generator of candidates does the guessing; it is wrapped, since `generate` says
nothing of how many guesses there were.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import GenerationConfig

from backends.local.worker.loading import LoadedModel
from backends.local.worker.tally import Tally

# Where the number of guesses follows their success it starts here; a lookup has nothing to follow.
_FIRST_GUESSES = 5
_LOOKUP_GUESSES = 10
# A guess that the draft itself gives less than this ends the cycle's guessing (adaptive only).
_LEAST_CONFIDENCE = 0.4


class CountedCandidates:
    """Passes everything on to the library's candidate generator, and counts and times it."""

    def __init__(self, inner: Any, tally: Tally) -> None:
        self._inner = inner
        self._tally = tally

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def get_candidates(self, input_ids: torch.Tensor, **kwargs: Any) -> Any:
        started_ns = time.perf_counter_ns()
        candidates, logits = self._inner.get_candidates(input_ids, **kwargs)
        took_ns = time.perf_counter_ns() - started_ns
        self._tally.guessed(candidates.shape[1] - input_ids.shape[1], took_ns)
        return candidates, logits

    def draft_cache(self) -> Any | None:
        """The draft's KV cache; None where nothing but the prompt was looked at."""
        return getattr(self._inner, "assistant_kwargs", {}).get("past_key_values")


def options(loaded: LoadedModel) -> dict[str, Any]:
    """What `generate` is given beside the request, for the setup's kind of speculation."""
    setup = loaded.setup
    if setup.speculation == "lookup":
        return {"prompt_lookup_num_tokens": setup.draft_tokens or _LOOKUP_GUESSES}
    if loaded.draft is None:
        return {}
    loaded.draft.model.generation_config = _draft_config(setup.draft_tokens)
    extra: dict[str, Any] = {"assistant_model": loaded.draft.model}
    if loaded.draft.tokenizer is not None:
        extra |= {"tokenizer": loaded.tokenizer, "assistant_tokenizer": loaded.draft.tokenizer}
    return extra


def _draft_config(guesses: int | None) -> GenerationConfig:
    """A constant number of guesses, or one that follows their success. Made anew for each
    generation, so that none begins where the last one ended."""
    if guesses is not None:
        return GenerationConfig(
            num_assistant_tokens=guesses,
            num_assistant_tokens_schedule="constant",
            assistant_confidence_threshold=0.0,
        )
    return GenerationConfig(
        num_assistant_tokens=_FIRST_GUESSES,
        num_assistant_tokens_schedule="heuristic_transient",
        assistant_confidence_threshold=_LEAST_CONFIDENCE,
    )


@contextmanager
def counted(model: Any, tally: Tally) -> Iterator[None]:
    """While this lasts, `generate` of this model counts its guesses in `tally`."""
    original = model._get_candidate_generator

    def wrapped(*args: Any, **kwargs: Any) -> CountedCandidates:
        made = CountedCandidates(original(*args, **kwargs), tally)
        tally.candidates = made
        return made

    model._get_candidate_generator = wrapped
    try:
        yield
    finally:
        del model._get_candidate_generator

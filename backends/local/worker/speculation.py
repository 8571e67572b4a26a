"""Speculative decoding through transformers' assisted generation, counted and timed.

Who guesses is wrapped, since `generate` says nothing of how many guesses there were. It is the
library's own generator of candidates, or ours where a draft guesses greedily.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import GenerationConfig, LogitsProcessorList

from backends.local.worker.draft import FIRST_GUESSES, LEAST_CONFIDENCE, GreedyDraft
from backends.local.worker.loading import LoadedModel
from backends.worker.tally import Tally

# A lookup's guesses cost nothing and their number follows nothing.
_LOOKUP_GUESSES = 10


class CountedCandidates:
    """Passes everything on to a candidate generator, and counts and times it."""

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
        if isinstance(self._inner, GreedyDraft):
            return self._inner.cache
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
        num_assistant_tokens=FIRST_GUESSES,
        num_assistant_tokens_schedule="heuristic_transient",
        assistant_confidence_threshold=LEAST_CONFIDENCE,
    )


@contextmanager
def counted(loaded: LoadedModel, tally: Tally) -> Iterator[None]:
    """While this lasts, `generate` of this model counts its guesses in `tally`."""
    model = loaded.model
    original = model._get_candidate_generator

    def wrapped(generation_config: GenerationConfig, **kwargs: Any) -> CountedCandidates:
        guesser = _greedy_draft(loaded, generation_config, kwargs["logits_processor"])
        if guesser is None:
            guesser = original(generation_config=generation_config, **kwargs)
        tally.candidates = CountedCandidates(guesser, tally)
        return tally.candidates

    model._get_candidate_generator = wrapped
    try:
        yield
    finally:
        del model._get_candidate_generator


def _greedy_draft(
    loaded: LoadedModel, config: GenerationConfig, processors: LogitsProcessorList
) -> GreedyDraft | None:
    """Our own guesser, if a draft of the same vocabulary guesses and nothing is drawn."""
    if loaded.draft is None or loaded.draft.tokenizer is not None or config.do_sample:
        return None
    guesses, ends = loaded.setup.draft_tokens, loaded.end_token_ids
    return GreedyDraft(loaded.draft.model, guesses, config.max_length, ends, processors)

"""A draft model's greedy guesses, in a loop of their own.

The library starts a whole `generate` for each cycle's few guesses, which for a small draft takes
longer than its passes do (docs/decisions/0010).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from transformers import LogitsProcessorList

from backends.local.worker.cache_kinds import whole_cache
from backends.local.worker.draft_pass import DraftPass

# Where the number of guesses follows their success it starts here, ...
FIRST_GUESSES = 20
# ... and a guess that the draft itself gives less than this ends the cycle's guessing.
LEAST_CONFIDENCE = 0.6


class GreedyDraft:
    """Guesses the next tokens with a draft that has the target's vocabulary. To `generate` it is a
    generator of candidates like its own.

    `guesses`: so many a cycle, or None for a number that follows their success as in transformers'
    schedule "heuristic_transient": two more after a cycle without a miss, else one less.
    `longest`: prompt and answer together, in tokens. `processors` are the target's.
    """

    requires_model_outputs = False

    def __init__(
        self,
        model: Any,
        guesses: int | None,
        longest: int,
        ends: Sequence[int],
        processors: LogitsProcessorList,
    ) -> None:
        self.cache = whole_cache(model.config)
        self._model = model
        self._follows = guesses is None
        self._guesses = FIRST_GUESSES if guesses is None else guesses
        self._longest = longest
        self._ends = frozenset(ends)
        self._pass = DraftPass(model, self.cache)
        self._processors = processors

    def get_candidates(
        self, input_ids: torch.Tensor, **_: Any
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The sequence [1, T] with guesses after it. There are no logits to give: a greedy target
        compares tokens."""
        ids = input_ids.to(self._model.device)
        # The last token is the target's own and new to the draft, as are refused guesses' places.
        held = self.cache.get_seq_length()
        self.cache.crop(min(held, ids.shape[1] - 1) - held)
        for _guess in range(min(self._guesses, self._longest - ids.shape[1] - 1)):
            unseen = ids[:, self.cache.get_seq_length() :]
            logits = self._processors(ids, self._pass(unseen).float())  # [1, V]
            best, token = logits.max(-1, keepdim=True)
            ids = torch.cat((ids, token), dim=-1)
            if int(token) in self._ends or (self._follows and not _is_sure(best, logits)):
                break
        return ids, None

    def update_candidate_strategy(
        self, input_ids: torch.Tensor, scores: torch.Tensor, num_matches: int
    ) -> None:
        if self._follows:
            had_no_miss = num_matches == scores.shape[1] - 1
            self._guesses = self._guesses + 2 if had_no_miss else max(1, self._guesses - 1)


def _is_sure(best: torch.Tensor, logits: torch.Tensor) -> bool:
    """Whether the draft gives its guess, whose logit is `best`, a good chance."""
    return float(best - logits.logsumexp(-1)) >= math.log(LEAST_CONFIDENCE)

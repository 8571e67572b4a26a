"""Who guesses the next tokens: a look at what was said before, or a small model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from backends.llamacpp.worker.context import Context

# As in the local backend (docs/decisions/0010): a lookup's guesses cost nothing, a draft starts
# with so many and ends a cycle after one that it gives less than this itself.
LOOKUP_GUESSES = 10
FIRST_GUESSES = 20
LEAST_CONFIDENCE = 0.6
_LONGEST_MATCH = 2


class Guesser(Protocol):
    """Guesses for one answer."""

    def begin(self, prompt: Sequence[int]) -> None:
        """Take in the prompt."""
        ...

    def guess(self, ids: Sequence[int], most: int) -> list[int]:
        """What may come after prompt and answer so far, `most` tokens at most."""
        ...

    def learn(self, guessed: int, kept: int) -> None:
        """How many of the last guesses were right."""
        ...


class PromptLookup:
    """Copies what followed the last two tokens, or else the last one, where they first stood."""

    def __init__(self, guesses: int | None) -> None:
        self._guesses = guesses or LOOKUP_GUESSES

    def begin(self, prompt: Sequence[int]) -> None:
        # Where what follows a run of tokens was first found; `_seen` tokens have been looked at.
        self._first: dict[tuple[int, ...], int] = {}
        self._seen = 0
        self._look_at(prompt)

    def _look_at(self, ids: Sequence[int]) -> None:
        # Not at the last token: what it ends has nothing after it yet.
        for end in range(self._seen + 1, len(ids)):
            for length in range(1, min(_LONGEST_MATCH, end) + 1):
                self._first.setdefault(tuple(ids[end - length : end]), end)
        self._seen = max(self._seen, len(ids) - 1)

    def guess(self, ids: Sequence[int], most: int) -> list[int]:
        self._look_at(ids)
        for length in range(min(_LONGEST_MATCH, len(ids)), 0, -1):
            at = self._first.get(tuple(ids[-length:]))
            if at is not None:
                return list(ids[at : at + min(self._guesses, most)])
        return []

    def learn(self, guessed: int, kept: int) -> None:
        """A constant number of guesses follows nothing."""


class Draft:
    """A model of the same vocabulary guesses greedily. `guesses`: so many a cycle, or None for a
    number that follows their success: two more after a cycle without a miss, else one less."""

    def __init__(self, context: Context, guesses: int | None, ends: Sequence[int]) -> None:
        self._context = context
        self._follows = guesses is None
        self._start = guesses or FIRST_GUESSES
        self._ends = frozenset(ends)

    def begin(self, prompt: Sequence[int]) -> None:
        self._guesses = self._start
        self._context.keep(0)
        self._context.decode(prompt)
        self._known = len(prompt)  # so many of the held tokens are no guesses

    def guess(self, ids: Sequence[int], most: int) -> list[int]:
        guessed: list[int] = []
        context = self._context
        held, right = context.held, self._known
        while right < min(len(held), len(ids) - 1) and held[right] == ids[right]:
            right += 1
        context.keep(right)
        unseen = list(ids[right:])
        self._known = right
        while len(guessed) < min(self._guesses, most):
            context.decode(unseen)
            logits = context.logits()
            token = int(logits.argmax())
            guessed.append(token)
            unseen = [token]
            if token in self._ends or (self._follows and _share_of_best(logits) < LEAST_CONFIDENCE):
                break
        return guessed

    def learn(self, guessed: int, kept: int) -> None:
        if self._follows and guessed:
            self._guesses = self._guesses + 2 if kept == guessed else max(1, self._guesses - 1)


def _share_of_best(logits: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> float:
    """The softmax of the greatest logit."""
    return float(1 / np.exp(logits - logits.max()).sum())

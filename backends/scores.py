"""How likely an engine holds given tokens: what perplexity, KL and agreement are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from backends.engine import CancelToken
from backends.request import Message

if TYPE_CHECKING:
    import numpy as np

    Ids = np.ndarray[Any, np.dtype[np.int32]]
    LogProbs = np.ndarray[Any, np.dtype[np.float32]]
else:  # a server that starts should not wait for numpy
    Ids = LogProbs = Any

TOP_K: Final = 64


@dataclass(frozen=True, slots=True)
class TextIds:
    """A text as a setup reads it: the first `prompt_tokens` are given, the others are scored."""

    token_ids: tuple[int, ...]
    prompt_tokens: int

    @property
    def scored(self) -> tuple[int, ...]:
        return self.token_ids[self.prompt_tokens :]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Natural logarithms of probabilities at each of n scored tokens, after all that stands before.

    `log_probs` [n]: of the token that is there. `best_ids` [n]: the likeliest. `ids` and
    `id_log_probs` [n, k]: the k likeliest, best first, or those that were asked for.
    `rest_log_probs` [n]: of all others together, minus infinity where there are none.
    """

    log_probs: LogProbs
    best_ids: Ids
    ids: Ids
    id_log_probs: LogProbs
    rest_log_probs: LogProbs


@runtime_checkable
class Scorer(Protocol):
    """An engine that can score. Local ones do; a server tells too little."""

    def text_ids(self, text: str, after: Sequence[Message] = ()) -> TextIds:
        """The text as the answer to these messages; without any as it stands, after its first
        token."""
        ...

    def score(
        self,
        text: TextIds,
        cancel: CancelToken,
        *,
        top_k: int = TOP_K,
        ids: Ids | None = None,
    ) -> Scores:
        """Scores in passes such as this setup makes while it answers. `ids` [n, k]: which tokens to
        tell of instead of the likeliest. Raises a `DynoError`, `Cancelled` after a stop.
        """
        ...

"""From logits to scores. The softmax is computed in 64 bits: what is lost was lost before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from backends.errors import Cancelled, InvalidRequest
from backends.scores import Ids, Scores

Rows = np.ndarray[Any, np.dtype[np.float32]]


def scores_of(
    passes: Iterable[Rows], said: Sequence[int], top_k: int, ids: Ids | None = None
) -> Scores:
    """Scores of the tokens `said` from logits, [tokens of a pass, vocabulary] for each pass; no
    more of them is held than those of one pass."""
    parts: list[Scores] = []
    done = 0
    for rows in passes:
        if ids is not None and int(ids.max()) >= rows.shape[-1]:
            raise InvalidRequest("The other's vocabulary has tokens that this one has not.")
        chosen = None if ids is None else ids[done : done + len(rows)]
        parts.append(_of_pass(rows, np.array(said[done : done + len(rows)]), top_k, chosen))
        done += len(rows)
    return Scores(
        log_probs=np.concatenate([part.log_probs for part in parts]),
        best_ids=np.concatenate([part.best_ids for part in parts]),
        ids=np.concatenate([part.ids for part in parts]),
        id_log_probs=np.concatenate([part.id_log_probs for part in parts]),
        rest_log_probs=np.concatenate([part.rest_log_probs for part in parts]),
    )


def _of_pass(
    rows: Rows, said: np.ndarray[Any, np.dtype[np.int64]], top_k: int, ids: Ids | None
) -> Scores:
    logits = rows.astype(np.float64)
    logits -= logits.max(-1, keepdims=True)
    log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    chosen = _likeliest(log_probs, top_k) if ids is None else ids
    of_chosen = np.take_along_axis(log_probs, chosen, -1)
    rest = log_probs.copy()
    np.put_along_axis(rest, chosen, -np.inf, -1)
    with np.errstate(divide="ignore"):  # where nothing is left its logarithm is minus infinity
        of_rest = np.log(np.exp(rest).sum(-1))
    return Scores(
        log_probs=np.take_along_axis(log_probs, said[:, None], -1)[:, 0].astype(np.float32),
        best_ids=log_probs.argmax(-1).astype(np.int32),
        ids=chosen.astype(np.int32),
        id_log_probs=of_chosen.astype(np.float32),
        rest_log_probs=of_rest.astype(np.float32),
    )


def _likeliest(log_probs: np.ndarray[Any, np.dtype[np.float64]], top_k: int) -> Ids:
    count = min(top_k, log_probs.shape[-1])
    found = np.argpartition(-log_probs, count - 1, -1)[:, :count]
    order = np.argsort(-np.take_along_axis(log_probs, found, -1), -1, kind="stable")
    return np.take_along_axis(found, order, -1).astype(np.int32)


def stopped() -> Cancelled:
    return Cancelled("Scoring was stopped.")

"""How far one setup's probabilities are from another's, token by token. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.scores import Scores

Nats = np.ndarray[Any, np.dtype[np.float64]]


def kl_nats(reference: Scores, other: Scores) -> Nats:
    """Kullback-Leibler divergence of `other` from `reference` at each token, in nats, [n].

    Both tell of the same tokens, `reference.ids`; all others count as one. That is exact where
    nothing is left, else a lower bound: merging outcomes never makes two distributions differ more
    (the log sum inequality). Summed as p (e^d - 1 - d) with d = log q - log p, which is the same
    where both sum to 1, never negative, and keeps small values from drowning in rounding.
    """
    # What is left has no logarithm where nothing is left: then only q counts, as in the limit.
    some = np.isfinite(reference.rest_log_probs)
    p_rest = np.where(some, reference.rest_log_probs, 0.0)
    q_rest = np.where(some, other.rest_log_probs, 0.0)
    named = _terms(reference.id_log_probs, other.id_log_probs).sum(-1)
    with np.errstate(over="ignore"):
        left = np.where(some, _terms(p_rest, q_rest), np.exp(other.rest_log_probs))
    total: Nats = named + left
    return total


def agreed(reference: Scores, other: Scores) -> int:
    """At how many tokens both hold the same one likeliest."""
    return int((reference.best_ids == other.best_ids).sum())


def _terms(log_p: Any, log_q: Any) -> Nats:
    p = np.asarray(log_p, dtype=np.float64)
    difference = np.asarray(log_q, dtype=np.float64) - p
    terms: Nats = np.exp(p) * (np.expm1(difference) - difference)
    return terms

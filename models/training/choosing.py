"""Which of the drawn conversations a step learns from. Late in training nearly all of the loss lies
in few of them, and to look at one costs a quarter of learning from it. Knows no topic."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.training.batches import Batch

# What is well known is seldom learned from, but never left out for good.
_LEAST = 0.05


def chosen(
    step: list[Batch],
    losses: list[NDArray[np.float32]],
    share: float,
    rng: np.random.Generator,
) -> list[Batch]:
    """About `share` of the rows of all batches [B, T], drawn with a probability in proportion to
    their `losses` [B], and to the root of what they cost. A row counts by what it was drawn with,
    so that the sum of the gradients is expected to be that of all rows: importance sampling, with
    the loss in the place of the gradient's norm (Katharopoulos and Fleuret, 2018)."""
    worths = [lost / np.sqrt(batch.lengths) for batch, lost in zip(step, losses, strict=True)]
    mean = float(np.mean(np.concatenate(worths)))
    batches = []
    for batch, worth in zip(step, worths, strict=True):
        likely = np.clip(share * worth / max(mean, 1e-12), _LEAST, 1.0)
        drawn = rng.random(len(likely)) < likely
        if drawn.any():
            batches.append(_only(batch, drawn, 1.0 / likely))
    return batches


def losses_of_rows(batch: Batch, losses: NDArray[np.float32]) -> NDArray[np.float32]:
    """The sums [B] of what the batch's places have lost, [N]."""
    return np.bincount(batch.rows(), losses, len(batch.token_ids)).astype(np.float32)


def _only(batch: Batch, drawn: NDArray[np.bool_], factors: NDArray[np.float64]) -> Batch:
    """The batch with the drawn rows alone, each weighed by its factor."""
    width = batch.token_ids.shape[1] - 1
    rows = batch.rows()
    kept = drawn[rows]
    new_row = np.cumsum(drawn) - 1
    return replace(
        batch,
        token_ids=batch.token_ids[drawn],
        places=new_row[rows[kept]] * width + batch.places[kept] % width,
        weights=(batch.weights * factors[rows])[kept].astype(np.float32),
        lengths=batch.lengths[drawn],
    )

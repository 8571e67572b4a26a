"""A step learns from what is not known yet, and all of it counts as if it had learned from all."""

import numpy as np
import pytest

from models.training.batches import Batch, Encoded, grouped
from models.training.choosing import chosen, losses_of_rows

ROWS, COUNT = 400, 3000


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Rows of 8 tokens, of which the last two count; a row is its number eight times."""
    rows = [Encoded([row] * 8, [0.0] * 6 + [1.0, 2.0]) for row in range(ROWS)]
    (batch,) = grouped(rows, 8 * ROWS)
    return batch


def drawn(batch: Batch, losses: np.ndarray, share: float, seed: int = 1) -> Batch:
    (kept,) = chosen([batch], [losses.astype(np.float32)], share, np.random.default_rng(seed))
    return kept


def test_a_row_lost_what_its_places_lost(batch: Batch) -> None:
    losses = np.tile([0.5, 0.25], ROWS).astype(np.float32)
    assert losses_of_rows(batch, losses).tolist() == [0.75] * ROWS


def test_what_is_not_known_is_learned_from_and_of_what_is_known_only_a_little(batch: Batch) -> None:
    losses = np.where(np.arange(ROWS) < 40, 10.0, 0.01)
    rows = drawn(batch, losses, 0.3).token_ids[:, 0]
    assert set(rows) >= set(range(40))
    assert 0 < (rows >= 40).sum() < 0.12 * ROWS


def test_a_chosen_row_keeps_its_tokens_and_what_counts_of_them(batch: Batch) -> None:
    kept = drawn(batch, np.ones(ROWS), 0.25)
    assert kept.tokens == kept.token_ids.size == 8 * len(kept.lengths) < 8 * ROWS
    assert (kept.token_ids == kept.token_ids[:, :1]).all()
    assert (kept.places % 7).tolist() == [5, 6] * len(kept.lengths)
    assert kept.rows().tolist() == np.repeat(np.arange(len(kept.lengths)), 2).tolist()
    assert kept.weights.tolist() == pytest.approx([4.0, 8.0] * len(kept.lengths))


def test_what_is_learned_from_weighs_as_much_as_all_that_was_drawn(batch: Batch) -> None:
    losses = np.random.default_rng(7).exponential(size=ROWS)
    sums = [drawn(batch, losses, 0.2, seed).weights.sum() for seed in range(200)]
    error = np.std(sums) / np.sqrt(len(sums))
    assert abs(np.mean(sums) - batch.weights.sum()) < 3 * error


def test_of_two_rows_that_lost_as_much_the_shorter_one_is_rather_chosen() -> None:
    rows = [Encoded([1] * n, [0.0] + [1.0] * (n - 1)) for n in (8, 128) for _ in range(COUNT)]
    short, long = grouped(rows, 128 * COUNT)
    losses = [np.ones(COUNT, np.float32)] * 2
    few, many = sorted(
        chosen([short, long], losses, 0.2, np.random.default_rng(1)), key=lambda b: -b.lengths[0]
    )
    assert 3 < len(many.lengths) / len(few.lengths) < 5

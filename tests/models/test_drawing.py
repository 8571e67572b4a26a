"""What a training learns from: the same however it is made, and weighed where it is decided."""

from collections.abc import Iterator
from itertools import islice
from multiprocessing import resource_tracker
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from models.training import attention
from models.training.drawing import Draws, Step
from models.training.muon import Muon
from models.training.plan import Length, Plan
from models.training.tokenizer import train_tokenizer

PLAN = Plan(20_000, lengths=(Length(64, 1.0, 1.0),), step_tokens=(300, 600), batch_tokens=1024)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    texts = ["What is the KV cache?", "It keeps keys. It saves time."]
    return train_tokenizer(texts, texts, 320)


def rows(steps: list[Step]) -> list[list[int]]:
    return [row.tolist() for step in steps for batch in step for row in batch.token_ids]


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """Ends the process that Python starts beside the first other one and keeps to its end."""
    yield
    resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]


@pytest.mark.usefixtures("nothing_left")
def test_draws_made_ahead_in_processes_are_those_made_when_wanted(tokenizer: Tokenizer) -> None:
    here = Draws(tokenizer, PLAN, 0)
    wanted = [rows(next(here)) for _ in range(5)]
    ahead = Draws(tokenizer, PLAN, 2, workers=1)
    try:
        assert [rows(next(ahead)) for _ in range(3)] == wanted[2:]
    finally:
        ahead.close()


def test_a_draw_holds_steps_of_the_planned_size(tokenizer: Tokenizer) -> None:
    draws = Draws(tokenizer, PLAN, 0)
    for tokens in islice(PLAN.draws(), 4):
        steps = next(draws)
        drawn = sum(batch.tokens for step in steps for batch in step)
        longest = max(len(row) for row in rows(steps))
        too_many = drawn - PLAN.steps_drawn * PLAN.tokens_of_step(tokens)
        assert 0 <= too_many <= longest, "it ends with the conversation that makes it full"
        for batch in (batch for step in steps for batch in step):
            assert batch.token_ids.shape[1] % 8 == 0
            predicted = batch.token_ids[:, 1:].ravel()[batch.places]
            assert len(predicted) == len(batch.weights) > 0
            assert np.all(batch.weights > 0)


def test_stacked_matrices_move_as_torch_moves_each() -> None:
    torch.manual_seed(0)
    shapes = [(8, 8), (4, 8), (8, 8), (12, 4)]
    stacked, single = (
        [torch.nn.Parameter(torch.ones(shape)) for shape in shapes] for _ in range(2)
    )
    ours = Muon(stacked, 0.02)
    theirs = torch.optim.Muon(single, lr=0.02, weight_decay=0.01, momentum=0.95)
    for _ in range(3):
        for a, b in zip(stacked, single, strict=True):
            a.grad = torch.randn(a.shape)
            b.grad = a.grad.clone()
        ours.step()
        theirs.step()
    for a, b in zip(stacked, single, strict=True):
        torch.testing.assert_close(a, b, atol=2e-3, rtol=0)


def test_muon_goes_on_from_what_was_saved(tmp_path: Path) -> None:
    def stepped(optimizer: Muon, matrix: torch.nn.Parameter) -> None:
        matrix.grad = torch.linspace(-1, 1, 16).reshape(4, 4)
        optimizer.step()

    first = torch.nn.Parameter(torch.eye(4))
    optimizer = Muon([first], 0.02)
    stepped(optimizer, first)
    torch.save(optimizer.state_dict(), tmp_path / "muon.pt")
    second = torch.nn.Parameter(first.detach().clone())
    resumed = Muon([second], 0.02)
    resumed.load_state_dict(torch.load(tmp_path / "muon.pt", weights_only=True))
    stepped(optimizer, first)
    stepped(resumed, second)
    torch.testing.assert_close(first, second)


def test_every_way_to_attend_gives_the_same() -> None:
    torch.manual_seed(0)
    query = torch.randn(2, 4, 40, 8)
    key, value = torch.randn(2, 2, 2, 40, 8)
    wanted = attention._whole(query, key, value)
    for way in (attention._fused, attention._flash):
        torch.testing.assert_close(way(query, key, value), wanted, atol=1e-5, rtol=1e-5)

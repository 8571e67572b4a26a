"""Quality of the bundled model: the same where nothing differs, a little off with fewer bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec

import pytest

from app.bench.experiments.samples import SetupFigure
from app.bench.quality.figures import figures_of_text
from app.bench.quality.scoring import ReferenceScores, own_scores, piece_scores, reference_scores
from app.bench.quality.texts import quality_pieces
from backends.engine import CancelToken
from backends.worker.engine import LocalEngine
from tests.backends.engines import Engines

# The beginnings of six answers: enough for an interval, and soon scored.
PIECES = [replace(piece, text=piece.text[:60]) for piece in quality_pieces()[:6]]


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    made = Engines()
    yield made
    made.close()


@pytest.fixture(scope="module")
def reference(engines: Engines) -> ReferenceScores:
    return reference_scores(engines(), PIECES, CancelToken(), lambda done: None)


def figures(engine: LocalEngine, reference: ReferenceScores) -> dict[str, SetupFigure]:
    scores = piece_scores(engine, PIECES, reference, CancelToken(), lambda done: None)
    return {one.metric: one for one in figures_of_text(scores, own_scores(reference))}


def test_the_whole_vocabulary_is_told_apart(reference: ReferenceScores) -> None:
    assert reference.is_whole
    assert reference.named == 5_376


def test_a_setup_that_computes_the_same_is_no_other(
    engines: Engines, reference: ReferenceScores
) -> None:
    found = figures(engines(reuse_prefix=True), reference)
    assert found["kl_per_token"].value == pytest.approx(0, abs=1e-9)
    assert found["top1_agreement"].value == 1.0
    assert found["perplexity_ratio"].value == pytest.approx(1, abs=1e-6)
    perplexity = found["perplexity"].value
    assert perplexity is not None
    assert 1.0 < perplexity < 5.0


@pytest.mark.parametrize(
    ("weights", "library", "most_nats"),
    [
        ("bf16", "torch", 5e-3),
        pytest.param("int8", "bitsandbytes", 5e-3, marks=pytest.mark.slow),
        pytest.param("gptq-int4", "gptqmodel", 5e-2, marks=pytest.mark.slow),
    ],
)
def test_fewer_bits_are_a_little_off(
    engines: Engines, reference: ReferenceScores, weights: str, library: str, most_nats: float
) -> None:
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    found = figures(engines(weights=weights), reference)
    kl, agreement = found["kl_per_token"], found["top1_agreement"].value
    assert kl.value is not None
    assert 0 < kl.value < most_nats
    assert agreement is not None
    assert agreement > 0.8

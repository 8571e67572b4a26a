"""A score is what the engine computes: held against one plain call of its model, and made in the
passes that its setup makes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from backends.engine import CancelToken
from backends.errors import Cancelled
from backends.request import Message
from backends.scores import Scorer, Scores
from backends.worker.engine import LocalEngine
from backends.worker.scoring import scores_of
from tests.backends.asking import ask, request
from tests.backends.engines import Engines

ASKED = (Message(role="user", content="What is the capital of France?"),)
SAID = "The capital of France is Paris, and a cache keeps keys and values."
LOGITS = np.array([[0.0, np.log(2.0), np.log(5.0)], [0.0, 0.0, 0.0]], dtype=np.float32)


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    made = Engines()
    yield made
    made.close()


def score(engine: LocalEngine, **options: int) -> Scores:
    assert isinstance(engine, Scorer)
    return engine.score(engine.text_ids(SAID, ASKED), CancelToken(), **options)


def test_probabilities_of_logits_computed_by_hand() -> None:
    found = scores_of([LOGITS], [1, 0], top_k=2)
    assert np.exp(found.log_probs) == pytest.approx([2 / 8, 1 / 3])
    assert found.best_ids.tolist() == [2, 0]
    assert found.ids[0].tolist() == [2, 1]
    assert np.exp(found.id_log_probs[0]) == pytest.approx([5 / 8, 2 / 8])
    assert np.exp(found.rest_log_probs) == pytest.approx([1 / 8, 1 / 3])


def test_tokens_that_were_asked_for_are_told_and_no_rest_is_left_of_all() -> None:
    asked = np.array([[0, 2], [1, 0]], dtype=np.int32)
    found = scores_of([LOGITS[:1], LOGITS[1:]], [0, 0], top_k=1, ids=asked)
    assert np.exp(found.id_log_probs[0]) == pytest.approx([1 / 8, 5 / 8])
    assert np.exp(found.rest_log_probs) == pytest.approx([2 / 8, 1 / 3])
    assert found.best_ids.tolist() == [2, 0]
    assert np.isneginf(scores_of([LOGITS], [0, 0], top_k=9).rest_log_probs).all()


def test_scores_are_those_of_one_plain_pass_over_the_text(engines: Engines) -> None:
    engine = engines()
    text = engine.text_ids(SAID, ASKED)
    logits = engine.probe("one_pass", ids=text.token_ids)[text.prompt_tokens - 1 : -1]
    expected = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    found = score(engine, top_k=5)
    said = np.array(text.scored)
    assert found.log_probs == pytest.approx(expected[np.arange(len(said)), said], abs=1e-4)
    assert found.best_ids.tolist() == expected.argmax(-1).tolist()
    assert found.ids.shape == found.id_log_probs.shape == (len(said), 5)
    assert np.take_along_axis(expected, found.ids, -1) == pytest.approx(
        found.id_log_probs, abs=1e-4
    )
    whole = np.exp(found.id_log_probs).sum(-1) + np.exp(found.rest_log_probs)
    assert whole == pytest.approx(np.ones(len(said)), abs=1e-5)


@pytest.mark.parametrize(
    "toggles",
    [{"kv_cache": "off"}, {"reuse_prefix": True}, {"speculation": "lookup"}],
    ids=str,
)
def test_what_only_computes_otherwise_scores_the_same(
    engines: Engines, toggles: dict[str, object]
) -> None:
    assert score(engines(**toggles)).log_probs == pytest.approx(
        score(engines()).log_probs, abs=1e-4
    )


def test_fewer_bits_score_otherwise(engines: Engines) -> None:
    gap = np.abs(score(engines(weights="bf16")).log_probs - score(engines()).log_probs)
    assert 0 < gap.max() < 0.5


def test_a_text_as_it_stands_is_scored_after_its_first_token(engines: Engines) -> None:
    text = engines().text_ids(SAID)
    assert (text.prompt_tokens, len(text.scored)) == (1, len(text.token_ids) - 1)
    assert len(engines().score(text, CancelToken()).log_probs) == len(text.scored)


def test_an_engine_answers_as_before_after_it_has_scored(engines: Engines) -> None:
    engine = engines(reuse_prefix=True)
    before = ask(engine)
    score(engine)
    again = ask(engine)
    assert again.ids == before.ids
    assert again.report.usage.prompt_tokens_computed == 1, "the kept prefix was lost"


def test_a_stop_ends_scoring_and_the_engine_goes_on(engines: Engines) -> None:
    engine = engines()
    text, cancel = engine.text_ids(SAID * 80, ASKED), CancelToken()
    threading.Timer(0.2, cancel.cancel).start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        engine.score(text, cancel)
    assert time.monotonic() - begun < 3
    assert engine.is_alive
    assert ask(engine, request(max_new_tokens=2)).ids

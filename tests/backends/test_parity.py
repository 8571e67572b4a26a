"""What an optimisation does to the answer: nothing, where it only computes otherwise; little, where
it computes with fewer bits. Logits are compared at every position, teacher-forced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from backends.local.backend import LocalBackend
from backends.request import Message, Request, Sampling
from backends.settings import ROOT
from backends.worker.engine import LocalEngine
from tests.backends.asking import ask
from tests.backends.engines import Engines

BACKEND = LocalBackend()
BUNDLED = ROOT / "models" / "bundled"
DIALOGUES = BUNDLED / "dialogues.json"
Logits = np.ndarray[Any, np.dtype[np.float32]]

# Computes the same in another way.
SAME: tuple[dict[str, object], ...] = (
    {"kv_cache": "off"},
    {"kv_cache": "static"},
    {"reuse_prefix": True},
    {"prefill_chunk": 16},
    {"attention": "eager"},
    {"speculation": "lookup"},
    {"speculation": "draft"},
)


# Computes with fewer bits: largest mean KL (nats a token), least top-1 agreement with bf16, and the
# perplexity it may reach over that of bf16.
@dataclass(frozen=True)
class Bounds:
    toggles: dict[str, object]
    library: str
    kl_nats: float
    agreement: float
    perplexity: float


FEWER_BITS = (
    Bounds({"weights": "int8"}, "bitsandbytes", 0.01, 0.98, 1.02),
    Bounds({"weights": "nf4"}, "bitsandbytes", 0.10, 0.95, 1.10),
    Bounds({"weights": "gptq-int4"}, "gptqmodel", 0.10, 0.95, 1.10),
    Bounds({"weights": "bf16", "kv_cache": "quantized"}, "hqq", 0.10, 0.95, 1.10),
)
pytestmark = pytest.mark.skipif(not DIALOGUES.is_file(), reason="no dialogues are bundled")


def name_of(toggles: dict[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in toggles.items())


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    made = Engines()
    yield made
    made.close()


def dialogues(count: int) -> list[Request]:
    rows = json.loads(DIALOGUES.read_text(encoding="utf-8"))
    step = max(1, len(rows) // count)
    return [
        Request(
            messages=tuple(Message.model_validate(message) for message in row["messages"]),
            sampling=Sampling(max_new_tokens=64),
        )
        for row in rows[::step][:count]
    ]


@pytest.fixture(scope="module")
def texts(engines: Engines) -> list[tuple[list[int], int]]:
    """Prompts with plain fp32's greedy answers, as token ids, and how long the prompts are."""
    made = []
    for request in dialogues(10):
        engine = engines()
        prompt = engine.probe("prompt_ids", messages=request.messages, sampling=request.sampling)
        made.append(([*prompt, *ask(engine, request).ids], len(prompt)))
    return made


def logits_of(engine: LocalEngine, text: tuple[list[int], int]) -> Logits:
    ids, prompt_tokens = text
    found = engine.probe("teacher_forced", token_ids=ids, prompt_tokens=prompt_tokens)
    assert isinstance(found, np.ndarray)
    assert found.shape[0] == len(ids) - prompt_tokens + 1
    return found


def farthest(engine: LocalEngine, other: LocalEngine, texts: list[tuple[list[int], int]]) -> float:
    """Largest difference of two logits at any position, over the range of all of them."""
    worst = 0.0
    for text in texts:
        a, b = logits_of(engine, text), logits_of(other, text)
        worst = max(worst, float(np.abs(a - b).max() / (a.max() - a.min())))
    return worst


def usual_distance(
    engine: LocalEngine, other: LocalEngine, texts: list[tuple[list[int], int]]
) -> float:
    """Root mean square of the logits' differences over all positions, each text over its range."""
    squares = []
    for text in texts:
        a, b = logits_of(engine, text), logits_of(other, text)
        squares.append((((a - b) / (a.max() - a.min())) ** 2).mean(axis=1))
    return float(np.sqrt(np.concatenate(squares).mean()))


@pytest.mark.parametrize("toggles", SAME, ids=name_of)
def test_fp32_logits_are_the_same_at_every_position(
    engines: Engines, texts: list[tuple[list[int], int]], toggles: dict[str, object]
) -> None:
    assert farthest(engines(), engines(**toggles), texts) <= 1e-4


@pytest.mark.slow
def test_a_compiled_step_computes_the_same(
    engines: Engines, texts: list[tuple[list[int], int]]
) -> None:
    compiled = {"kv_cache": "static", "compile": True}
    assert farthest(engines(), engines(**compiled), texts[:4]) <= 1e-4
    # A compiled step keeps fp32 inside fused operations where the plain one rounds to bf16 after
    # each: it is 2.6 times the noise away from it (docs/LOG.md), and must be as near to fp32. The
    # farthest of all logits is one of a million, so that only a gross slip shows in it.
    plain, fused = engines(weights="bf16"), engines(weights="bf16", **compiled)
    assert usual_distance(engines(), fused, texts) <= 1.1 * usual_distance(engines(), plain, texts)
    assert farthest(engines(), fused, texts) <= 3 * farthest(engines(), plain, texts)


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["bf16", "fp16"])
def test_16_bit_logits_differ_no_more_than_passes_of_another_length_do(
    engines: Engines, texts: list[tuple[list[int], int]], weights: str
) -> None:
    """The yardstick: the same weights without a cache, where only the passes' lengths differ. The
    farthest of all logits is one of a million, so that only a gross slip shows in it."""
    plain, uncached = engines(weights=weights), engines(weights=weights, kv_cache="off")
    usual_noise, worst_noise = (far(plain, uncached, texts) for far in (usual_distance, farthest))
    assert usual_noise > 0
    for toggles in SAME[1:]:
        # Eager attention rounds scores and shares to 16 bits on the way, which the fused does not.
        times = 8 if "attention" in toggles else 2
        other = engines(**({"weights": weights} | toggles))
        assert usual_distance(plain, other, texts) <= times * usual_noise, toggles
        assert farthest(plain, other, texts) <= 2 * times * worst_noise, toggles


@pytest.mark.slow  # the logits above decide; this asks a dozen whole answers of each
@pytest.mark.parametrize("toggles", SAME, ids=name_of)
def test_greedy_answers_are_the_same(engines: Engines, toggles: dict[str, object]) -> None:
    differing = []
    asked = dialogues(20)
    for request in asked:
        mine, other = ask(engines(), request).ids, ask(engines(**toggles), request).ids
        if mine != other:
            pairs = enumerate(zip(mine, other, strict=False))
            differing.append(
                (request.messages[-1].content, next(i for i, (a, b) in pairs if a != b))
            )
    assert len(differing) <= 0.05 * len(asked), f"first divergences: {differing}"


@pytest.mark.parametrize("bounds", FEWER_BITS, ids=lambda bounds: name_of(bounds.toggles))
def test_fewer_bits_stay_close_to_16(
    engines: Engines, texts: list[tuple[list[int], int]], bounds: Bounds
) -> None:
    if find_spec(bounds.library) is None:
        pytest.skip(f"{bounds.library} is not installed")
    reference, quantized = engines(weights="bf16"), engines(**bounds.toggles)
    kls, agreements, nats, reference_nats = [], [], [], []
    for ids, prompt_tokens in texts:
        p = _log_softmax(logits_of(reference, (ids, prompt_tokens)))[:-1]
        q = _log_softmax(logits_of(quantized, (ids, prompt_tokens)))[:-1]
        said = np.array(ids[prompt_tokens:])
        kls.append((np.exp(p) * (p - q)).sum(-1))
        agreements.append(p.argmax(-1) == q.argmax(-1))
        reference_nats.append(-p[np.arange(len(said)), said])
        nats.append(-q[np.arange(len(said)), said])
    assert np.concatenate(kls).mean() <= bounds.kl_nats
    assert np.concatenate(agreements).mean() >= bounds.agreement
    ratio = np.exp(np.concatenate(nats).mean() - np.concatenate(reference_nats).mean())
    assert ratio <= bounds.perplexity


def _log_softmax(logits: Logits) -> Logits:
    shifted = logits - logits.max(-1, keepdims=True)
    found: Logits = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return found

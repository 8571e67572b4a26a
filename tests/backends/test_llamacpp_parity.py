"""The same weights under two engines: llama.cpp's F16 says what transformers' fp32 says, and fewer
bits stay close. Logits are compared at every position, teacher-forced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends.engine import CancelToken
from backends.local.backend import LocalBackend
from backends.request import Message, Request, Sampling
from backends.settings import ROOT
from backends.setup import Setup
from backends.worker.engine import LocalEngine
from tests.backends.asking import ask, request
from tests.backends.engines import Engines
from tests.backends.gguf_engines import GgufEngines, gguf_of
from tests.backends.make_models import make_model

pytestmark = pytest.mark.llamacpp
DIALOGUES = ROOT / "models" / "bundled" / "dialogues.json"
Logits = np.ndarray[Any, np.dtype[np.float32]]
# Two logits nearer than this are tied: F16 rounds each weight by up to 2^-11 of it.
TIE = 0.02
TEXTS = (
    "What is the capital of France?",
    "WHY IS DECODE SLOWER THAN PREFILL?",
    "  two  spaces\tand a tab\n\nand lines  ",
    "1234567890 3.14 1,000,000",
    "Müller naïve façade Ærøskøbing",
    "Привет, как дела? Γειά σου Κόσμε",
    "你好，世界。こんにちは世界 안녕하세요",
    "مرحبا بالعالم שלום עולם",
    "🦊🏁 family: 👩‍👩‍👧‍👦 flag: 🇫🇷",
    "don't we'll I'D they'RE 'quoted'",
    "a\u0301 combining, \u00a0 no-break, \u200b zero width, \ufeff mark",
    "x = [i**2 for i in range(10)]  # comment; {'key': \"value\"}",
    "<|user|> typed by hand <|end|>",
    "½ ² Ⅷ ٣ ३ ①",
)


@pytest.fixture(scope="module")
def ggufs() -> Iterator[GgufEngines]:
    made = GgufEngines()
    yield made
    made.close()


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    made = Engines()
    yield made
    made.close()


@pytest.fixture(scope="module")
def texts(engines: Engines) -> list[tuple[list[int], int]]:
    """Prompts with fp32's greedy answers, as token ids, and how long the prompts are."""
    made = []
    for asked in dialogues(12):
        engine = engines()
        prompt = engine.probe("prompt_ids", messages=asked.messages, sampling=asked.sampling)
        made.append(([*prompt, *ask(engine, asked).ids], len(prompt)))
    return made


def dialogues(count: int) -> list[Request]:
    rows = json.loads(DIALOGUES.read_text(encoding="utf-8"))
    return [
        Request(
            messages=tuple(Message.model_validate(message) for message in row["messages"]),
            sampling=Sampling(max_new_tokens=64),
        )
        for row in rows[:: max(1, len(rows) // count)][:count]
    ]


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


def ids_of(engine: LocalEngine, text: str) -> list[int]:
    asked = request(text)
    found = engine.probe("prompt_ids", messages=asked.messages, sampling=asked.sampling)
    assert isinstance(found, list)
    return found


# Prompts


def test_prompts_are_token_by_token_those_of_the_local_backend(
    engines: Engines, ggufs: GgufEngines
) -> None:
    for text in TEXTS:
        assert ids_of(ggufs(), text) == ids_of(engines(), text), text
    for asked in dialogues(12):
        local, llama = (
            engine.probe("prompt_ids", messages=asked.messages, sampling=asked.sampling)
            for engine in (engines(), ggufs())
        )
        assert llama == local


def test_the_tokenizer_inside_the_file_is_the_same_one(
    engines: Engines, ggufs: GgufEngines
) -> None:
    """Whoever takes the file to another program of llama.cpp gets the same prompts there."""
    elsewhere = ggufs(model=str(gguf_of(ggufs())), weights="gguf")
    for text in TEXTS:
        assert ids_of(elsewhere, text) == ids_of(engines(), text), text


def test_the_same_file_says_the_same_wherever_its_tokenizer_comes_from(ggufs: GgufEngines) -> None:
    elsewhere = ggufs(model=str(gguf_of(ggufs())), weights="gguf")
    for text in TEXTS[:4]:
        mine, other = (ask(engine, request(text)) for engine in (ggufs(), elsewhere))
        assert (other.ids, other.text) == (mine.ids, mine.text)


# The same weights


@pytest.mark.parametrize(
    ("weights", "usual", "most"), [("fp32", 1e-3, 1e-2), ("bf16", 1e-2, 2e-2), ("fp16", 2e-3, 1e-2)]
)
def test_logits_are_those_of_transformers_at_every_position(
    engines: Engines,
    ggufs: GgufEngines,
    texts: list[tuple[list[int], int]],
    weights: str,
    usual: float,
    most: float,
) -> None:
    """With F32 weights most texts are 4e-4 apart, and one was 5.6e-3."""
    local, llama = engines(), ggufs(weights=weights)
    found = [farthest(local, llama, [text]) for text in texts]
    assert float(np.median(found)) <= usual, found
    assert max(found) <= most, found


def test_f16_answers_are_those_of_fp32_or_part_at_a_tie(
    engines: Engines, ggufs: GgufEngines
) -> None:
    for asked in dialogues(12):
        mine, other = ask(engines(), asked).ids, ask(ggufs(), asked).ids
        if mine == other:
            continue
        pairs = enumerate(zip(mine, other, strict=False))
        at = next((i for i, (a, b) in pairs if a != b), min(len(mine), len(other)) - 1)
        prompt = engines().probe("prompt_ids", messages=asked.messages, sampling=asked.sampling)
        # Where they part: both engines' logits after what both have said.
        row = logits_of(engines(), ([*prompt, *mine[:at]], len(prompt)))[-1]
        assert abs(float(row[mine[at]] - row[other[at]])) <= TIE, asked.messages[-1].content


@pytest.mark.parametrize("family", ["Llama", "Qwen2", "Qwen3"])
def test_every_family_is_written_right(tmp_path: Path, family: str) -> None:
    """Random weights forgive nothing: rows in another order give other logits everywhere."""
    model = make_model(tmp_path / family, hidden=64, family=family)
    local = Setup(model=str(model), device="cpu", threads=1)
    text = (list(range(1, 60)), 20)
    ggufs = GgufEngines()
    with LocalBackend().open(local, lambda told: None, CancelToken()) as engine:
        assert farthest(engine, ggufs(model=str(model), weights="fp32"), [text]) <= 2e-3
    ggufs.close()


def test_angles_scaled_as_in_llama_3_1_are_written_right(tmp_path: Path) -> None:
    rope = {
        "rope_type": "llama3",
        "rope_theta": 10_000.0,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    }
    model = make_model(tmp_path / "scaled", hidden=128, rope=rope)
    plain = make_model(tmp_path / "plain", hidden=128)
    text = ([1 + i % 250 for i in range(200)], 20)
    ggufs = GgufEngines()
    local = Setup(model=str(model), device="cpu", threads=1)
    with LocalBackend().open(local, lambda told: None, CancelToken()) as engine:
        assert farthest(engine, ggufs(model=str(model), weights="fp32"), [text]) <= 2e-3
        assert farthest(engine, ggufs(model=str(plain), weights="fp32"), [text]) > 2e-2
    ggufs.close()


def test_a_checkpoint_of_others_without_a_template_says_the_same(foreign_model: Path) -> None:
    local = Setup(model=str(foreign_model), device="cpu", threads=1)
    ggufs = GgufEngines()
    asked = request("Once upon a time", max_new_tokens=40)
    with LocalBackend().open(local, lambda told: None, CancelToken()) as engine:
        llama = ggufs(model=str(foreign_model), weights="fp32")
        assert llama.describe().chat_template == "plain"
        assert ids_of(llama, "Once upon a time") == ids_of(engine, "Once upon a time")
        mine, other = ask(engine, asked), ask(llama, asked)
        assert other.text[:60] == mine.text[:60]
    ggufs.close()


# Fewer bits


@dataclass(frozen=True)
class Bounds:
    """Largest mean KL (nats a token), least top-1 agreement with transformers' fp32, and the
    perplexity it may reach over that."""

    toggles: dict[str, object]
    kl_nats: float
    agreement: float
    perplexity: float


FEWER_BITS = (
    Bounds({"weights": "fp16"}, 0.001, 0.995, 1.005),
    Bounds({"weights": "q8_0"}, 0.01, 0.98, 1.02),
    Bounds({"weights": "q4_0"}, 0.20, 0.90, 1.20),
    Bounds({"options": {"cache_type": "kv-q8_0"}}, 0.01, 0.98, 1.02),
    Bounds({"options": {"cache_type": "kv-q4_0"}}, 0.20, 0.90, 1.20),
)


@pytest.mark.parametrize("bounds", FEWER_BITS, ids=lambda bounds: str(bounds.toggles))
def test_fewer_bits_stay_close_to_fp32(
    engines: Engines, ggufs: GgufEngines, texts: list[tuple[list[int], int]], bounds: Bounds
) -> None:
    kls, agreements, nats, reference_nats = [], [], [], []
    for ids, prompt_tokens in texts:
        p = _log_softmax(logits_of(engines(), (ids, prompt_tokens)))[:-1]
        q = _log_softmax(logits_of(ggufs(**bounds.toggles), (ids, prompt_tokens)))[:-1]
        said = np.array(ids[prompt_tokens:])
        kls.append((np.exp(p) * (p - q)).sum(-1))
        agreements.append(p.argmax(-1) == q.argmax(-1))
        reference_nats.append(-p[np.arange(len(said)), said])
        nats.append(-q[np.arange(len(said)), said])
    kl, agreement = np.concatenate(kls).mean(), np.concatenate(agreements).mean()
    ratio = np.exp(np.concatenate(nats).mean() - np.concatenate(reference_nats).mean())
    print(f"{bounds.toggles}: KL {kl:.2g} nats, top-1 {agreement:.4f}, perplexity x {ratio:.4f}")
    assert kl <= bounds.kl_nats
    assert agreement >= bounds.agreement
    assert ratio <= bounds.perplexity


def _log_softmax(logits: Logits) -> Logits:
    shifted = logits - logits.max(-1, keepdims=True)
    found: Logits = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return found


def test_llama_cpp_scores_what_transformers_does(ggufs: GgufEngines, engines: Engines) -> None:
    asked, said = (Message(role="user", content=TEXTS[0]),), "The capital of France is Paris."
    text = engines().text_ids(said, asked)
    assert ggufs().text_ids(said, asked) == text
    mine, other = (engine.score(text, CancelToken(), top_k=3) for engine in (engines(), ggufs()))
    assert other.log_probs == pytest.approx(mine.log_probs, abs=0.05)
    assert other.best_ids.tolist() == mine.best_ids.tolist()
    assert ask(ggufs()).ids == ask(engines()).ids

"""What only llama.cpp offers: every toggle does something, and what cannot work is refused."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.engine import CancelToken
from backends.errors import ContextFull, InvalidSetup, LoadFailed
from backends.llamacpp import backend as llamacpp
from backends.llamacpp.backend import LlamaCppBackend
from backends.request import Chunk, Request
from backends.settings import ROOT
from backends.worker.engine import STOP_GRACE_SECONDS
from tests.backends.asking import Answer, ask, request
from tests.backends.gguf_engines import GgufEngines, gguf_of, opened
from tests.backends.make_models import make_model

pytestmark = pytest.mark.llamacpp
BACKEND = LlamaCppBackend()
STORY = request("Tell me a short story about a fox.", max_new_tokens=80)
REPEAT = request(
    "Can you repeat that?",
    "What is the KV cache?",
    "The KV cache keeps the keys and values of all earlier tokens, so that they are not computed "
    "again for every new token.",
    max_new_tokens=80,
)
OTHERS_TOGGLES = {"history", "threads"}  # those every backend has: test_contract


@pytest.fixture(scope="module")
def engines() -> Iterator[GgufEngines]:
    made = GgufEngines()
    yield made
    made.close()


def test_every_toggle_has_a_test_here() -> None:
    offered = {toggle.name for toggle in BACKEND.capabilities().toggles}
    here = {"weights", "cache_type", "context_tokens", "reuse_prefix", "speculation"}
    assert offered == here | {"draft_model", "draft_tokens", "gpu_layers"} | OTHERS_TOGGLES


# Weights


@pytest.mark.parametrize(
    ("weights", "dtype", "bits"), [("q8_0", "q8_0", 8.5), ("q4_0", "q4_0", 4.5)]
)
def test_quantized_weights_are_held_as_such(
    engines: GgufEngines, weights: str, dtype: str, bits: float
) -> None:
    facts = engines(weights=weights).describe()
    assert facts.parameters is not None
    assert facts.weights_bytes is not None
    assert any(f"ggml {weights.upper()} " in name for name in facts.linear_kernels)
    # Its embedding serves as the last matrix too, which llama.cpp leaves in 8 bits.
    in_embedding = facts.weights_bytes_by_part["embeddings"]
    in_matrices = sum(facts.weights_bytes_by_part[part] for part in ("attention", "mlp"))
    assert facts.dtypes[dtype] in (in_matrices, in_matrices + in_embedding)
    assert in_matrices * 8 / (facts.parameters - 5_376 * 384) == pytest.approx(bits, rel=0.01)


def test_a_width_that_does_not_divide_is_refused_with_it(engines: GgufEngines) -> None:
    verdict = BACKEND.check(engines.setup(weights="q4_k_m"))
    assert not verdict.ok
    assert "384" in verdict.reason
    assert "256" in verdict.reason
    assert "Q8_0" in verdict.remedy
    with pytest.raises(InvalidSetup, match="384"):
        opened(engines.setup(weights="q4_k_m"))


def test_q4_k_m_is_made_where_every_width_divides_by_256(tmp_path: Path) -> None:
    engines = GgufEngines()
    setup = engines.setup(model=str(make_model(tmp_path / "wide", hidden=256)), weights="q4_k_m")
    assert BACKEND.check(setup).ok
    with opened(setup) as engine:
        facts = engine.describe()
        assert facts.dtypes["q4_k"] > 0
        assert facts.dtypes["q6_k"] > 0
        assert set(facts.dtypes) <= {"q4_k", "q6_k", "float32"}
        assert ask(engine, request(max_new_tokens=4, fixed_length=True)).ids


def test_a_gguf_file_is_opened_as_it_is(engines: GgufEngines) -> None:
    file = gguf_of(engines(weights="q8_0"))
    setup = engines.setup(model=str(file), weights="gguf")
    assert BACKEND.check(setup).ok
    assert engines(model=str(file), weights="gguf").describe().dtypes["q8_0"] > 0
    refused = BACKEND.check(engines.setup(model=str(file), weights="q4_0"))
    assert "are what they are" in refused.reason
    assert "as in the file" in refused.remedy


def test_a_checkpoint_is_not_opened_as_it_is(engines: GgufEngines) -> None:
    verdict = BACKEND.check(engines.setup(weights="gguf"))
    assert "checkpoint" in verdict.reason
    assert verdict.remedy


# The KV cache


@pytest.mark.parametrize(("cache_type", "bits"), [("f16", 16), ("q8_0", 8.5), ("q4_0", 4.5)])
def test_the_cache_is_of_the_type_asked_for_and_allocated_whole(
    engines: GgufEngines, cache_type: str, bits: float
) -> None:
    engine = engines(options={"cache_type": f"kv-{cache_type}"})
    facts, memory = engine.describe(), ask(engine).report.memory
    assert facts.layers
    assert facts.kv_heads
    assert facts.head_size
    items = 2 * facts.layers * facts.kv_heads * facts.head_size * 2_048
    assert memory.kv_cache_bytes == items * bits / 8
    assert "allocated for the whole context" in memory.method
    # What llama.cpp itself says of it, in its log.
    told = re.findall(r"llama_kv_cache: size = +([\d.]+) MiB", engine._worker.log.read_text())
    assert float(told[0]) * 2**20 == pytest.approx(memory.kv_cache_bytes, rel=0.01)


def test_a_head_that_is_no_whole_block_of_the_cache_is_refused(tmp_path: Path) -> None:
    engines = GgufEngines()
    options = {"cache_type": "kv-q8_0"}
    verdict = BACKEND.check(engines.setup(model=str(make_model(tmp_path / "m")), options=options))
    assert "32 numbers" in verdict.reason
    assert "f16" in verdict.remedy


def test_the_context_is_as_long_as_asked_for(engines: GgufEngines) -> None:
    short, whole = engines(options={"context_tokens": 256}), engines()
    assert short.describe().context_window == 256
    assert whole.describe().context_window == 2_048
    short_bytes, whole_bytes = (
        ask(engine).report.memory.kv_cache_bytes for engine in (short, whole)
    )
    assert short_bytes is not None
    assert whole_bytes == 8 * short_bytes
    with pytest.raises(ContextFull):
        ask(short, request(max_new_tokens=256, fixed_length=True))


def test_more_context_than_the_window_holds_is_refused(engines: GgufEngines) -> None:
    verdict = BACKEND.check(engines.setup(options={"context_tokens": 4_096}))
    assert "2,048" in verdict.reason
    assert verdict.remedy
    file = str(gguf_of(engines()))
    with pytest.raises(InvalidSetup, match="2,048"):
        opened(engines.setup(model=file, weights="gguf", options={"context_tokens": 4_096}))


def test_a_prefix_is_computed_once_where_it_is_kept(engines: GgufEngines) -> None:
    first = request("What is the capital of France?")
    kept, plain = engines(reuse_prefix=True), engines()
    for engine in (kept, plain):
        said = ask(engine, first).text
        following = request("And of Italy?", first.messages[0].content, said)
        usage = ask(engine, following).report.usage
        assert usage.prompt_tokens is not None
        assert usage.prompt_tokens_computed is not None
        if engine is kept:
            assert 0 < usage.prompt_tokens_computed < usage.prompt_tokens / 2
        else:
            assert usage.prompt_tokens_computed == usage.prompt_tokens


def test_a_kept_prefix_changes_no_answer(engines: GgufEngines) -> None:
    for text in ("What is the KV cache?", "What is the weather in Oslo?", "What is the KV cache?"):
        mine, kept = (
            ask(engine, request(text)).ids for engine in (engines(), engines(reuse_prefix=True))
        )
        assert kept == mine


def test_nothing_of_a_warm_up_is_kept(engines: GgufEngines) -> None:
    asked = request("Tell me about Norway.")
    with opened(engines.setup(reuse_prefix=True, options={"context_tokens": 512})) as engine:
        ask(engine, asked.model_copy(update={"is_warm_up": True}))
        usage = ask(engine, asked).report.usage
        assert usage.prompt_tokens_computed == usage.prompt_tokens


# Speculation


# What stands in the prompt is found by lookup; a story may repeat nothing.
@pytest.mark.parametrize(("speculation", "asked"), [("draft", STORY), ("lookup", REPEAT)])
def test_guesses_change_no_answer_and_are_counted(
    engines: GgufEngines, speculation: str, asked: Request
) -> None:
    plain, guessed = ask(engines(), asked), ask(engines(speculation=speculation), asked)
    assert guessed.ids == plain.ids
    assert guessed.text == plain.text
    report = guessed.report.speculation
    assert report is not None
    assert plain.report.speculation is None
    assert report.accepted == sum(chunk.accepted for chunk in guessed.chunks)
    assert report.drafted == sum(chunk.drafted for chunk in guessed.chunks)
    assert report.accepted + report.cycles == len(guessed.ids)
    assert 0 < report.accepted <= report.drafted
    assert report.draft_ns > 0


@pytest.mark.parametrize("speculation", ["draft", "lookup"])
def test_a_fixed_length_is_met_exactly_with_guesses(engines: GgufEngines, speculation: str) -> None:
    for tokens in (1, 2, 7, 150):
        asked = request(max_new_tokens=tokens, fixed_length=True)
        guessed = ask(engines(speculation=speculation), asked)
        assert len(guessed.ids) == tokens
        assert guessed.ids == ask(engines(), asked).ids


def test_drawn_answers_are_the_same_with_guesses(engines: GgufEngines) -> None:
    """Tokens are drawn from the model's own distribution, one by one and by the same seed."""
    for seed in range(3):
        hot = request("Tell me a story.", temperature=0.7, top_p=0.9, seed=seed, max_new_tokens=24)
        assert ask(engines(speculation="draft"), hot).ids == ask(engines(), hot).ids


@pytest.mark.parametrize("speculation", ["draft", "lookup"])
def test_no_more_is_guessed_than_asked_for(engines: GgufEngines, speculation: str) -> None:
    answer = ask(engines(speculation=speculation, draft_tokens=3), STORY)
    assert max(chunk.drafted for chunk in answer.chunks) == 3
    more = ask(engines(speculation=speculation), STORY)
    assert max(chunk.drafted for chunk in more.chunks) > 3


def test_the_draft_is_the_one_that_was_named(engines: GgufEngines) -> None:
    own = ROOT / "models" / "bundled" / "target"
    named = engines(speculation="draft", draft_model=str(own)).describe()
    usual = engines(speculation="draft").describe()
    assert named.draft_path == str(own)
    assert named.draft_weights_bytes == named.weights_bytes
    assert usual.draft_weights_bytes is not None
    assert named.draft_weights_bytes is not None
    assert usual.draft_weights_bytes < named.draft_weights_bytes / 4
    answer = ask(engines(speculation="draft", draft_model=str(own)), STORY)
    report = answer.report.speculation
    assert report is not None
    assert report.accepted >= 0.9 * report.drafted, "a model guesses itself"


def test_a_draft_of_another_vocabulary_is_refused(tmp_path: Path, engines: GgufEngines) -> None:
    other = make_model(tmp_path / "other")
    with pytest.raises(InvalidSetup, match="vocabulary"):
        opened(engines.setup(speculation="draft", draft_model=str(other)))


# Threads and the GPU


def test_layers_on_a_gpu_need_a_build_that_has_one(
    engines: GgufEngines, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = engines.setup(options={"gpu_layers": 4})
    assert BACKEND.device_of(setup) == "cuda:0"
    monkeypatch.setattr(llamacpp, "_has_gpu_support", lambda: True)
    assert BACKEND.check(setup).ok
    monkeypatch.setattr(llamacpp, "_has_gpu_support", lambda: False)
    verdict = BACKEND.check(setup)
    assert "built here without support for a GPU" in verdict.reason
    assert "CMAKE_ARGS" in verdict.remedy


# Stopping


def test_a_stop_in_mid_prefill_comes_in_time_and_the_worker_lives(slow_model: Path) -> None:
    engines = GgufEngines()
    options = {"context_tokens": 16_384}
    with opened(engines.setup(model=str(slow_model), weights="fp32", options=options)) as engine:
        before = ask(engine).ids
        cancel, stopped = CancelToken(), list[Chunk]()
        forget = cancel.on_cancel(lambda: None)
        started = time.monotonic()
        chunks = engine.generate(request("word " * 3_000, max_new_tokens=8), cancel)

        threading.Timer(0.3, cancel.cancel).start()
        stopped += chunks
        took = time.monotonic() - started
        forget()
        answer = Answer(stopped)
        assert answer.finish_reason == "cancelled"
        assert answer.ids == []
        assert took < 0.3 + STOP_GRACE_SECONDS
        assert engine.is_alive, "it stopped by itself and was not killed"
        assert ask(engine).ids == before


# What cannot be opened


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"architectures": ["GemmaForCausalLM"]}, "GemmaForCausalLM"),
        ({"rope_parameters": {"rope_theta": 1e4, "rope_type": "yarn"}}, "yarn"),
        ({"sliding_window": 64}, "window"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "quantized already"),
    ],
)
def test_a_checkpoint_that_would_be_written_wrong_is_refused(
    tmp_path: Path, engines: GgufEngines, change: dict[str, object], reason: str
) -> None:

    folder = make_model(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    setup = engines.setup(model=str(folder))
    verdict = BACKEND.check(setup)
    assert reason in verdict.reason
    assert "GGUF file" in verdict.remedy
    with pytest.raises(InvalidSetup, match=reason):
        opened(setup)


def test_a_file_that_is_no_gguf_is_told(tmp_path: Path, engines: GgufEngines) -> None:
    file = tmp_path / "broken.gguf"
    file.write_bytes(b"GGUF and then nothing of use")
    with pytest.raises(LoadFailed, match=r"broken\.gguf"):
        opened(engines.setup(model=str(file), weights="gguf"))


def test_a_file_that_is_not_there_is_told(engines: GgufEngines) -> None:
    verdict = BACKEND.check(engines.setup(model="/nowhere/x.gguf", weights="gguf"))
    assert "no file" in verdict.reason

"""Every toggle of the local backend does what it says: a test fails if it is ignored."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from backends.capabilities import Toggle
from backends.engine import CancelToken, Progress
from backends.errors import Cancelled, InvalidSetup, LoadFailed
from backends.host.shared import shared_host
from backends.local.backend import WORKER_ENTRY, LocalBackend
from backends.local.combinations import CONFLICTS, check_combination
from backends.local.weight_files import gptq_bits
from backends.settings import ROOT, get_settings
from backends.setup import Setup
from backends.worker.engine import LocalEngine
from backends.worker.messages import Load
from tests.backends.asking import Answer, ask, request
from tests.backends.engines import Engines
from tests.backends.make_models import drop_tensors, make_model
from tests.bench.disks import fill, small_disk
from tests.conftest import FOREIGN_MODEL

BACKEND = LocalBackend()
QUESTION = request("What is the KV cache?", max_new_tokens=40)
REPEAT = request(
    "Repeat what you said.",
    "What is prefill?",
    "Prefill computes the whole prompt in one pass and fills the KV cache.",
    max_new_tokens=40,
)
GPTQ_FOLDER = ROOT / "models" / "bundled" / "target-gptq-int4"
needs_bitsandbytes = pytest.mark.skipif(
    find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed"
)
needs_gptq = pytest.mark.skipif(
    find_spec("gptqmodel") is None or not GPTQ_FOLDER.is_dir(),
    reason="gptqmodel is not installed, or no GPTQ checkpoint is bundled",
)
needs_hqq = pytest.mark.skipif(find_spec("hqq") is None, reason="hqq is not installed")


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    made = Engines()
    yield made
    made.close()


def pass_lengths(engine: LocalEngine, asked: object = QUESTION) -> list[int]:
    lengths = engine.probe("pass_lengths", request=asked)
    assert isinstance(lengths, list)
    return lengths


# Speculation


@pytest.mark.parametrize("guessing", [{"speculation": "draft"}, {"speculation": "lookup"}])
@pytest.mark.parametrize("asked", [QUESTION, REPEAT], ids=["question", "repeat"])
def test_speculation_changes_no_token(
    engines: Engines, guessing: dict[str, object], asked: object
) -> None:
    assert ask(engines(**guessing), asked).ids == ask(engines(), asked).ids  # type: ignore[arg-type]


def test_a_draft_gives_several_tokens_a_pass_and_every_guess_is_counted(engines: Engines) -> None:
    answer = ask(engines(speculation="draft"), QUESTION)
    told = answer.report.speculation
    assert told is not None
    assert told.cycles < len(answer.ids)
    assert told.drafted == sum(chunk.drafted for chunk in answer.chunks)
    assert told.accepted == sum(chunk.accepted for chunk in answer.chunks)
    assert 0 < told.accepted <= told.drafted
    # Each cycle ends with a token of the target's own.
    assert len(answer.ids) == told.accepted + told.cycles
    assert told.draft_ns > 0
    # What was guessed stands before the target's own token.
    assert all((chunk.accepted_chars > 0) <= (chunk.accepted > 0) for chunk in answer.chunks)
    assert 0 < sum(chunk.accepted_chars for chunk in answer.chunks) < len(answer.text)


def test_the_peak_of_loading_stands_beside_that_of_the_run(engines: Engines) -> None:
    memory = ask(engines(), QUESTION).report.memory
    assert memory.load_peak_bytes is not None
    assert memory.weights_bytes is not None
    assert memory.load_peak_bytes >= memory.weights_bytes
    assert memory.compile_bytes is None


def test_without_speculation_nothing_is_guessed(engines: Engines) -> None:
    answer = ask(engines(), QUESTION)
    assert answer.report.speculation is None
    assert all(chunk.drafted == chunk.accepted == 0 for chunk in answer.chunks)


def test_a_constant_number_of_guesses_is_kept_to(engines: Engines) -> None:
    answer = ask(engines(speculation="draft", draft_tokens=3), QUESTION)
    guesses = [chunk.drafted for chunk in answer.chunks if chunk.token_ids]
    assert set(guesses[:-1]) == {3}
    lookup = ask(engines(speculation="lookup", draft_tokens=2), REPEAT)
    assert max(chunk.drafted for chunk in lookup.chunks) == 2


def test_the_draft_is_in_the_ledger(engines: Engines) -> None:
    memory = ask(engines(speculation="draft"), QUESTION).report.memory
    assert memory.draft_weights_bytes
    assert memory.draft_kv_cache_bytes
    assert memory.peak_bytes is not None
    assert memory.peak_bytes >= memory.known_bytes
    assert ask(engines(), QUESTION).report.memory.draft_weights_bytes is None


DRAFTS: dict[str, dict[str, object]] = {
    "Llama": {"family": "Llama"},
    "Qwen2": {"family": "Qwen2"},
    "Qwen3": {"family": "Qwen3"},
    "angles of a longer text": {
        "rope": {"rope_type": "linear", "factor": 2.0, "rope_theta": 10_000.0}
    },
    "angles that follow the length": {
        "rope": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0}
    },
    "a window": {"sliding_window": 64},
}


@pytest.mark.parametrize("kind", DRAFTS)
def test_a_drafts_pass_gives_the_librarys_logits(
    engines: Engines, kind: str, tmp_path: Path
) -> None:
    """Over more tokens than it has angles ready for, and than a window sees."""
    draft = make_model(tmp_path / "draft", window=1024, **DRAFTS[kind])  # type: ignore[arg-type]
    setup = engines.setup(speculation="draft", draft_model=str(draft), draft_tokens=3)
    with BACKEND.open(setup, lambda progress: None, CancelToken()) as engine:
        assert engine.probe("draft_gap", ids=[7, 11, 13] * 200) < 1e-4


def test_the_bundled_drafts_pass_gives_the_librarys_logits(engines: Engines) -> None:
    engine = engines(speculation="draft")
    assert engine.probe("draft_gap", ids=list(range(10, 60))) < 1e-3


def test_a_draft_with_another_tokenizer_changes_no_token(engines: Engines, tmp_path: Path) -> None:
    other = make_model(tmp_path / "other", hidden=32, layers=2, window=512)
    asked = request("What is prefill?", max_new_tokens=12)
    with BACKEND.open(
        engines.setup(speculation="draft", draft_model=str(other), draft_tokens=3),
        lambda progress: None,
        CancelToken(),
    ) as engine:
        assert ask(engine, asked).ids == ask(engines(), asked).ids
        assert engine.describe().draft_path == str(other)


def test_a_model_without_a_known_draft_asks_for_one(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")
    verdict = BACKEND.check(Setup(model=str(model), speculation="draft"))
    assert not verdict.ok
    assert "Draft model" in verdict.remedy


# KV cache and prefix


def test_passes_are_as_long_as_the_cache_lets_them_be(engines: Engines) -> None:
    prompt, *steps = pass_lengths(engines())
    assert set(steps) == {1}
    assert pass_lengths(engines(kv_cache="static")) == [prompt, *steps]
    without = pass_lengths(engines(kv_cache="off"))
    assert without == list(range(prompt, prompt + len(without)))


def test_a_static_cache_has_room_for_the_whole_answer_from_the_start(engines: Engines) -> None:
    asked = request("Hi", max_new_tokens=200)
    static, grown = (ask(engines(kv_cache=kv), asked) for kv in ("static", "dynamic"))
    assert static.ids == grown.ids
    facts, usage = engines().describe(), static.report.usage
    assert usage.prompt_tokens is not None
    positions = usage.prompt_tokens + 200
    assert facts.layers
    assert facts.kv_heads
    assert facts.head_size
    per_position = 2 * facts.layers * facts.kv_heads * facts.head_size * 4
    assert static.report.memory.kv_cache_bytes == positions * per_position


@needs_hqq
def test_a_quantized_cache_holds_a_long_talk_in_a_fraction_of_the_bytes(engines: Engines) -> None:
    asked = request("And what is decode? " * 60, max_new_tokens=8)
    plain, quantized = (ask(engines(kv_cache=kv), asked) for kv in ("dynamic", "quantized"))
    assert quantized.ids
    whole, packed = (a.report.memory.kv_cache_bytes for a in (plain, quantized))
    assert whole
    assert packed
    # 4 bits and, for each group of 32, a scale and a zero point in fp32.
    assert packed < 0.3 * whole


@pytest.fixture
def windowed(tmp_path: Path) -> Setup:
    model = make_model(tmp_path / "windowed", window=512, sliding_window=32)
    return Setup(model=str(model), device="cpu", threads=1)


def test_a_sliding_window_forgets_what_has_left_it_and_changes_no_token(windowed: Setup) -> None:
    asked = request("abcdefgh " * 20, max_new_tokens=24)
    answers = []
    for kv_cache in ("dynamic", "sliding"):
        setup = windowed.model_copy(update={"kv_cache": kv_cache})
        with BACKEND.open(setup, lambda progress: None, CancelToken()) as engine:
            answers.append(ask(engine, asked))
    whole, window = answers
    assert whole.ids == window.ids
    kept = [answer.report.memory.kv_cache_bytes for answer in answers]
    assert kept[0]
    assert kept[1]
    assert kept[1] < 0.3 * kept[0]


def test_a_prefix_is_reused_also_where_layers_see_a_window(windowed: Setup) -> None:
    talk = request("And now?", "abcdefgh " * 8, "ijklmnop", max_new_tokens=12)
    plain, keeps = (windowed.model_copy(update={"reuse_prefix": kept}) for kept in (False, True))
    with BACKEND.open(keeps, lambda progress: None, CancelToken()) as engine:
        ask(engine, request("abcdefgh " * 8, max_new_tokens=12))
        reused = ask(engine, talk)
    with BACKEND.open(plain, lambda progress: None, CancelToken()) as engine:
        assert reused.ids == ask(engine, talk).ids
    assert reused.report.usage.prompt_tokens_computed is not None
    assert reused.report.usage.prompt_tokens_computed < reused.report.usage.prompt_tokens


def test_a_window_that_no_layer_has_is_refused(windowed: Setup) -> None:
    verdict = BACKEND.check(Setup(kv_cache="sliding"))
    assert "sliding window" in verdict.reason
    assert verdict.remedy
    refused = BACKEND.check(windowed.model_copy(update={"kv_cache": "quantized"}))
    assert not refused.ok
    assert BACKEND.check(windowed.model_copy(update={"kv_cache": "sliding"})).ok


TALK = ("What is prefill?", "Prefill computes the whole prompt in one pass.")


def test_a_kept_prefix_is_not_computed_again_and_changes_no_token(engines: Engines) -> None:
    keeps, plain = engines(reuse_prefix=True), engines()
    ask(keeps, request(TALK[0]))
    again = request("And decode?", *TALK)
    reused, whole = ask(keeps, again), ask(plain, again)
    assert reused.ids == whole.ids
    usage = reused.report.usage
    assert usage.prompt_tokens_computed is not None
    assert usage.prompt_tokens is not None
    assert 0 < usage.prompt_tokens_computed < usage.prompt_tokens
    assert whole.report.usage.prompt_tokens_computed == usage.prompt_tokens
    assert pass_lengths(keeps, again)[0] == 1  # the same prompt: all but its last token is kept


def test_an_edited_prompt_reuses_only_what_is_the_same(engines: Engines) -> None:
    keeps, plain = engines(reuse_prefix=True), engines()
    ask(keeps, request("And decode?", *TALK))
    edited = request("And sampling?", TALK[0], "Prefill is something else.")
    reused = ask(keeps, edited)
    assert reused.ids == ask(plain, edited).ids
    fresh = request("Hello!")
    assert ask(keeps, fresh).ids == ask(plain, fresh).ids


def test_a_warm_up_leaves_no_prefix_behind(engines: Engines) -> None:
    keeps = engines(reuse_prefix=True)
    asked = request("What is quantization?")
    ask(keeps, asked.model_copy(update={"is_warm_up": True}))
    usage = ask(keeps, asked).report.usage
    assert usage.prompt_tokens_computed == usage.prompt_tokens


# Weights


@needs_bitsandbytes
def test_int8_weights_are_multiplied_by_bitsandbytes(engines: Engines) -> None:
    facts, half = engines(weights="int8").describe(), engines(weights="bf16").describe()
    assert facts.linear_kernels["Linear8bitLt"] == 7 * (facts.layers or 0)
    assert facts.dtypes["int8"] > 0.5 * sum(facts.dtypes.values())
    assert facts.weights_bytes is not None
    assert half.weights_bytes is not None
    assert facts.weights_bytes < 0.75 * half.weights_bytes
    assert facts.parameters == half.parameters
    assert ask(engines(weights="int8"), QUESTION).ids


@needs_bitsandbytes
def test_the_outlier_threshold_is_what_was_asked_for(engines: Engines) -> None:
    low = ask(engines(weights="int8", options={"int8_threshold": 1}), QUESTION)
    assert low.ids  # everything beyond 1 in 16 bits: another path through the library
    assert engines(weights="int8", options={"int8_threshold": 1}).describe().versions


@needs_bitsandbytes
def test_double_quantization_rounds_the_scales_of_nf4(engines: Engines) -> None:
    """Seen in the numbers: a CPU with AVX512-BF16 unpacks the scales, so not in the bytes."""
    plain = engines(weights="nf4")
    doubled = engines(weights="nf4", options={"nf4_double_quant": True})
    facts = plain.describe()
    assert facts.linear_kernels["Linear4bit"] == 7 * (facts.layers or 0)
    text = {"token_ids": list(range(10, 30)), "prompt_tokens": 10}
    a, b = (engine.probe("teacher_forced", **text) for engine in (plain, doubled))
    assert (a != b).any()
    assert abs(a - b).max() < 0.2 * (a.max() - a.min())
    assert ask(plain, QUESTION).ids


@needs_gptq
def test_gptq_weights_take_less_than_half_of_16_bits_and_answer(engines: Engines) -> None:
    engine = engines(weights="gptq-int4")
    facts, half = engine.describe(), engines(weights="bf16").describe()
    assert facts.model_path == str(GPTQ_FOLDER)
    assert gptq_bits(GPTQ_FOLDER) == 4
    assert any("Linear" in kernel and kernel != "Linear" for kernel in facts.linear_kernels)
    assert facts.parameters == half.parameters
    assert facts.weights_bytes is not None
    assert half.weights_bytes is not None
    assert facts.weights_bytes <= 0.40 * half.weights_bytes
    assert ask(engine, QUESTION).ids


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder of this test alone."""
    monkeypatch.setenv("DYNO_DATA_DIR", str(tmp_path / "data"))
    get_settings.cache_clear()
    yield tmp_path / "data"
    get_settings.cache_clear()


@needs_gptq
def test_a_model_without_gptq_weights_is_quantized_once_and_kept(
    tmp_path: Path, data_dir: Path
) -> None:
    model = make_model(tmp_path / "plain", hidden=64, layers=2, window=512)
    setup = Setup(model=str(model), weights="gptq-int4", device="cpu", threads=1)
    assert BACKEND.check(setup).ok
    half = setup.model_copy(update={"weights": "bf16"})
    told: list[list[Progress]] = []
    for _ in range(2):
        stages: list[Progress] = []
        told.append(stages)
        with BACKEND.open(setup, stages.append, CancelToken()) as engine:
            facts = engine.describe()
            assert ask(engine, request(max_new_tokens=4)).ids
    with BACKEND.open(half, lambda progress: None, CancelToken()) as engine:
        assert facts.parameters == engine.describe().parameters
    layers = [p.stage for p in told[0] if p.stage.startswith("Quantizing layer")]
    assert layers[0].endswith("1/2")
    assert layers[-1].endswith("2/2")
    assert not any("Quantizing" in p.stage for p in told[1]), "the second time it is there"
    (kept,) = (data_dir / "conversions").iterdir()
    assert gptq_bits(kept) == 4


@needs_gptq
def test_quantizing_that_was_stopped_leaves_nothing_that_is_used(
    tmp_path: Path, data_dir: Path
) -> None:
    model = make_model(tmp_path / "plain", hidden=64, layers=2, window=512)
    setup = Setup(model=str(model), weights="gptq-int4", device="cpu", threads=1)
    cancel = CancelToken()

    def stop(progress: Progress) -> None:
        if progress.stage.startswith("Quantizing layer"):
            cancel.cancel()

    with pytest.raises(Cancelled):
        BACKEND.open(setup, stop, cancel)
    kept = data_dir / "conversions"
    assert not list(kept.glob("gptq-*"))
    with BACKEND.open(setup, lambda progress: None, CancelToken()) as engine:
        assert ask(engine, request(max_new_tokens=4)).ids
    assert [path.name[:5] for path in kept.iterdir()] == ["gptq-"], "left-overs are gone"


def open_order(order: Load) -> LocalEngine:
    cancel = CancelToken()
    return LocalEngine.open(shared_host(), WORKER_ENTRY, order, lambda progress: None, cancel)


def gptq_order(model: Path, calibration: Path, kept_in: Path) -> Load:
    """To quantize a model on this text, kept in this folder."""
    setup = Setup(model=str(model), weights="gptq-int4", device="cpu", threads=1)
    kept = {"calibration": str(calibration), "kept_in": str(kept_in)}
    return Load(setup, str(model), "cpu", 1, None, None, **kept)


@needs_gptq
def test_a_calibration_text_that_is_too_short_is_refused(tmp_path: Path) -> None:
    model = make_model(tmp_path / "plain", hidden=64, layers=2, window=512)
    short = tmp_path / "short.json"
    short.write_text('[{"kind": "any", "messages": [{"role": "user", "content": "Hi"}]}]')
    order = gptq_order(model, short, tmp_path / "kept")
    with pytest.raises(LoadFailed, match="calibration text has") as caught:
        open_order(order)
    assert "more dialogues" in caught.value.remedy
    assert not list((tmp_path / "kept").glob("*"))


@needs_gptq
@pytest.mark.skipif(not FOREIGN_MODEL.is_dir(), reason="the foreign model is not here")
def test_a_kernel_that_refuses_a_width_says_so() -> None:
    setup = Setup(model=str(FOREIGN_MODEL), weights="gptq-int4", device="cpu")
    with pytest.raises(LoadFailed, match="172") as caught:
        BACKEND.open(setup, lambda progress: None, CancelToken())
    assert "INT8" in caught.value.remedy


@needs_gptq
def test_a_gptq_checkpoint_without_its_scales_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "no-scales"
    shutil.copytree(GPTQ_FOLDER, folder)
    drop_tensors(folder / "model.safetensors", ".scales")
    setup = Setup(model=str(folder), weights="gptq-int4", device="cpu", threads=1)
    with pytest.raises(LoadFailed, match="scales") as caught:
        BACKEND.open(setup, lambda progress: None, CancelToken())
    assert "whole checkpoint" in caught.value.remedy


@needs_gptq
def test_a_disk_that_fills_up_while_quantizing_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    model = make_model(tmp_path / "plain", hidden=64, layers=2, window=512)
    with small_disk(tmp_path / "disk") as disk:
        fill(disk)
        order = gptq_order(model, ROOT / "models" / "bundled" / "dialogues.json", disk)
        with pytest.raises(LoadFailed, match="could not be kept") as caught:
            open_order(order)
        assert "Free space" in caught.value.remedy
        assert [path.name for path in disk.iterdir()] == ["ballast"]


@needs_gptq
def test_a_gptq_checkpoint_is_not_opened_as_something_else() -> None:
    setup = Setup(model=str(GPTQ_FOLDER), weights="bf16", device="cpu")
    assert "quantized already" in BACKEND.check(setup).reason
    with pytest.raises(InvalidSetup, match="quantized already"):
        BACKEND.open(setup, lambda progress: None, CancelToken())


# Decoding


def test_without_a_compiler_compile_is_greyed_out_with_the_way_to_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("backends.local.backend.shutil.which", lambda name: None)
    monkeypatch.setattr("backends.local.backend.cuda_names", lambda: ())
    verdict = BACKEND.check(Setup(compile=True, kv_cache="static"))
    assert not verdict.ok
    assert "compiler" in verdict.reason + verdict.remedy


def test_attention_is_computed_by_what_was_chosen(engines: Engines) -> None:
    assert engines().describe().attention_kernel == "sdpa"
    assert engines(attention="eager").describe().attention_kernel == "eager"
    assert ask(engines(attention="eager"), QUESTION).ids == ask(engines(), QUESTION).ids


def test_a_prompt_is_computed_in_chunks(engines: Engines) -> None:
    asked = request("What is prefill, and what is decode? " * 5, max_new_tokens=40)
    whole = pass_lengths(engines(), asked)[0]
    assert whole > 32
    chunked = pass_lengths(engines(prefill_chunk=16), asked)
    full, left = divmod(whole, 16)
    assert chunked[:full] == [16] * full
    assert sum(chunked[: full + bool(left)]) == whole
    assert ask(engines(prefill_chunk=16), asked).ids == ask(engines(), asked).ids


@pytest.mark.slow
def test_compiling_takes_place_before_the_first_run_and_changes_no_token(engines: Engines) -> None:
    engine = engines(compile=True, kv_cache="static")
    facts = engine.describe()
    assert facts.compile_seconds is not None
    assert facts.compile_seconds > 1
    assert engines(kv_cache="static").describe().compile_seconds is None
    answer = ask(engine, QUESTION)
    assert answer.ids == ask(engines(), QUESTION).ids
    assert answer.report.memory.compile_bytes


# Together


ONE_SETUP_EACH: tuple[dict[str, object], ...] = (
    {"speculation": "lookup", "kv_cache": "off"},
    {"reuse_prefix": True, "kv_cache": "static"},
    {"reuse_prefix": True, "speculation": "lookup"},
    {"compile": True},
    {"compile": True, "kv_cache": "static", "weights": "int8"},
    {"prefill_chunk": 64, "kv_cache": "off"},
    {"prefill_chunk": 64, "speculation": "lookup"},
    {"prefill_chunk": 64, "compile": True, "kv_cache": "static"},
    {"weights": "int8", "device": "mps"},
    {"weights": "gptq-int4", "device": "mps"},
    {"compile": True, "kv_cache": "static", "device": "mps"},
    {"attention": "flash"},
    {"attention": "flash", "weights": "bf16", "device": "cpu"},
)


@pytest.mark.parametrize(("conflict", "toggles"), list(zip(CONFLICTS, ONE_SETUP_EACH, strict=True)))
def test_each_conflict_is_refused_with_its_reason(
    conflict: object, toggles: dict[str, object]
) -> None:
    verdict = check_combination(Setup.model_validate(toggles))
    assert verdict.reason == conflict.reason  # type: ignore[attr-defined]
    assert verdict.remedy


def _values(toggle: Toggle) -> list[object]:
    if toggle.choices:
        return [choice.value for choice in toggle.choices if not choice.why_not]
    if toggle.minimum is not None:
        return [None, toggle.minimum]
    return [False] if toggle.why_not else [False, True]


def _with(setup: Setup, toggle: Toggle, value: object) -> Setup:
    if toggle.is_option:
        options = setup.options | ({toggle.name: value} if value else {})
        return Setup.model_validate(setup.model_dump() | {"options": options})
    return Setup.model_validate(setup.model_dump() | {toggle.name: value})


def _pairs(base: Setup) -> Iterator[Setup]:
    """Every pair of values of two toggles, the others at their defaults."""
    toggles = [t for t in BACKEND.capabilities().toggles if not t.is_text and t.name != "device"]
    for one, other in itertools.combinations(toggles, 2):
        for a, b in itertools.product(_values(one), _values(other)):
            yield _with(_with(base, one, a), other, b)


def test_every_pair_of_values_is_offered_or_refused_with_a_way_out() -> None:
    offered = 0
    for setup in _pairs(Setup()):
        verdict = BACKEND.check(setup)
        offered += verdict.ok
        assert verdict.ok or (verdict.reason and verdict.remedy), setup
    assert offered > 200


@pytest.mark.slow
def test_no_pair_of_values_that_is_offered_fails(tmp_path: Path) -> None:
    """On a model of two layers; what takes a minute to compile is tried by itself above."""
    model = make_model(tmp_path / "two", hidden=64, layers=2, window=512)
    base = Setup(model=str(model), device="cpu", threads=1)
    asked = request("abc abc abc abc abc", max_new_tokens=6)
    tried: set[str] = set()
    for setup in _pairs(base):
        if setup.speculation == "draft":
            setup = setup.model_copy(update={"draft_model": str(model)})
        skipped = setup.compile or setup.weights.startswith("gptq") or setup.id in tried
        if skipped or not BACKEND.check(setup).ok:
            continue
        tried.add(setup.id)
        with BACKEND.open(setup, lambda progress: None, CancelToken()) as engine:
            answer: Answer = ask(engine, asked)
        assert answer.ids, setup
    assert len(tried) > 60

"""What every backend promises: one suite over all of them, real workers and the fake alike.

Installed plugins are asked too, for the model `CONTRACT_MODEL` where they need a certain one. A
test of a toggle that a backend does not offer is skipped, and so is one of what a server cannot do.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from huggingface_hub.inference import _providers

from app.bench.benchmarks.model_server import ModelServer
from backends.engine import Backend, CancelToken, Engine
from backends.errors import ContextFull, EngineCrashed, InvalidRequest
from backends.local.devices import cuda_names, usable_cores
from backends.registry import get_backend, registrations
from backends.remote.endpoint import EndpointBackend
from backends.remote.router import HostedModel, HostedModels
from backends.remote.serverless import ServerlessBackend
from backends.remote.servers import KINDS
from backends.request import Message, Sampling
from backends.setup import Setup
from tests.backends.asking import PROMPT, Answer, ask, request
from tests.fakes import FakeBackend

EVERY_TOGGLE = {"weights", "kv_cache", "history", "device", "threads"}
ITEM_BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}
PLUGINS = sorted(id_ for id_, found in registrations().items() if found.origin != "built in")
OTHER_CHECKPOINTS = {"sliding", "q4_k_m", "gguf"}
LLAMACPP = pytest.param("llamacpp", marks=pytest.mark.llamacpp)
OTHER_VALUES: dict[str, object] = {"device": "cuda:9", "threads": 1024}
# What a backend may lack because it only sees what a server sends.
IDS, COUNTING, WINDOW, CUTTING = (
    "token ids",
    "a count of a prompt that is not sent",
    "a told context window",
    "a fixed length past a stop string",
)
OF_A_SERVER = frozenset({IDS, COUNTING, WINDOW, CUTTING})


@dataclass(slots=True)
class Bench:
    """A backend, the model to ask, and the engines opened so far (one a setup).

    `options` are those without which no setup of it works; `lacks` is what it cannot do.
    """

    backend: Backend
    model: str
    options: dict[str, bool | int | str] = field(default_factory=dict)
    lacks: frozenset[str] = frozenset()
    _engines: dict[str, Engine] = field(default_factory=dict)

    @property
    def offered(self) -> set[str]:
        return {toggle.name for toggle in self.backend.capabilities().toggles}

    def needs(self, *names: str) -> None:
        """Skip the test for a backend that does not offer these toggles."""
        for name in names:
            if name not in self.offered:
                pytest.skip(f"{self.backend.id} does not offer {name}")

    def needs_from_it(self, *abilities: str) -> None:
        """Skip the test for a backend that lacks one of them."""
        for ability in abilities:
            if ability in self.lacks:
                pytest.skip(f"{self.backend.id} lacks {ability}")

    def setup(self, options: Mapping[str, object] | None = None, **toggles: object) -> Setup:
        usual = {"device": "cpu", "threads": 1}
        defaults = {name: value for name, value in usual.items() if name in self.offered}
        names = {"model": self.model, "backend": self.backend.id}
        chosen = {"options": self.options | dict(options or {})}
        return Setup.model_validate(names | defaults | chosen | toggles)

    def open(self, **toggles: object) -> Engine:
        """A new engine, closed by whoever asks for it."""
        return self.backend.open(self.setup(**toggles), lambda progress: None, CancelToken())

    def engine(self, **toggles: object) -> Engine:
        """An engine that tests share, where these toggles are offered."""
        self.needs(*toggles)
        id_ = self.setup(**toggles).id
        if id_ not in self._engines or not self._engines[id_].is_alive:
            self._engines[id_] = self.open(**toggles)
        return self._engines[id_]

    def close(self) -> None:
        for engine in self._engines.values():
            engine.close()


@pytest.fixture(scope="module")
def patched() -> Iterator[pytest.MonkeyPatch]:
    """What is patched stays so for the whole file."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def _hosting(server: ModelServer, patch: pytest.MonkeyPatch) -> ServerlessBackend:
    """The serverless backend with this server where the library believes the router to be."""
    root = server.address.removesuffix("/v1")
    patch.setattr(_providers.CONVERSATIONAL_AUTO_ROUTER, "base_url", root)
    patch.setenv("HF_TOKEN", "hf_contract")
    backend = ServerlessBackend(router=server.address, kind=KINDS["transformers"])
    hosted = HostedModel(id=str(server.folder))
    listed = HostedModels(read_at=dt.datetime.now(dt.UTC), models=(hosted,))
    patch.setattr(backend, "_listed", lambda: listed)
    return backend


@pytest.fixture(
    scope="module", params=["local", "fake", LLAMACPP, "endpoint", "serverless", *PLUGINS]
)
def bench(request: pytest.FixtureRequest, patched: pytest.MonkeyPatch) -> Iterator[Bench]:
    if request.param == "fake":
        made = Bench(FakeBackend(), "any")
    elif request.param == "endpoint":
        server = request.getfixturevalue("served_model")().setup()
        made = Bench(EndpointBackend(), server.model, dict(server.options), OF_A_SERVER)
    elif request.param == "serverless":
        server = request.getfixturevalue("served_model")()
        backend = _hosting(server, patched)
        made = Bench(backend, "any/other", {"hosted_model": str(server.folder)}, OF_A_SERVER)
    elif request.param in PLUGINS:
        made = Bench(get_backend(request.param), os.environ.get("CONTRACT_MODEL", "any"))
    else:
        made = Bench(get_backend(request.param), str(request.getfixturevalue("bundled_model")))
    yield made
    made.close()


@pytest.fixture
def engine(bench: Bench) -> Engine:
    return bench.engine()


# The stream


def test_only_the_last_chunk_carries_the_end(engine: Engine) -> None:
    *others, last = ask(engine).chunks
    assert last.finish_reason in ("stop", "length")
    assert last.report is not None
    assert all(chunk.finish_reason is None and chunk.report is None for chunk in others)


def test_stamps_increase_within_the_time_that_the_engine_was_busy(engine: Engine) -> None:
    answer = ask(engine)
    stamps = [chunk.t_ns for chunk in answer.chunks]
    assert stamps == sorted(stamps)
    assert answer.report.accepted_ns < stamps[0]
    assert stamps[-1] <= answer.report.ended_ns


def test_the_ids_that_came_are_the_usage(bench: Bench, engine: Engine) -> None:
    bench.needs_from_it(IDS)
    answer = ask(engine)
    assert len(answer.ids) == answer.report.usage.output_tokens > 0


def test_what_a_backend_lacks_it_says(bench: Bench, engine: Engine) -> None:
    if not bench.lacks:
        pytest.skip("it lacks nothing that is asked here")
    if IDS in bench.lacks:
        assert all(chunk.token_ids is None for chunk in ask(engine).chunks)
    if COUNTING in bench.lacks:
        with pytest.raises(InvalidRequest):
            engine.count_tokens(request().messages, Sampling())
    if WINDOW in bench.lacks:
        assert engine.describe().context_window is None
    if CUTTING in bench.lacks:
        with pytest.raises(InvalidRequest) as refused:
            ask(engine, request(stop=("x",), fixed_length=True))
        assert refused.value.remedy


def test_the_prompt_is_as_long_as_counted(bench: Bench, engine: Engine) -> None:
    bench.needs_from_it(COUNTING)
    asked = request()
    counted = engine.count_tokens(asked.messages, asked.sampling)
    usage = ask(engine, asked).report.usage
    assert usage.prompt_tokens == usage.prompt_tokens_computed == counted > 0


@pytest.mark.parametrize("tokens", [1, 2, 40])
def test_a_fixed_length_is_met_exactly(engine: Engine, tokens: int) -> None:
    answer = ask(engine, request(max_new_tokens=tokens, fixed_length=True))
    assert answer.tokens == tokens
    assert answer.finish_reason == "length"


def test_a_limit_ends_an_answer_with_length(engine: Engine) -> None:
    answer = ask(engine, request(max_new_tokens=3))
    assert answer.tokens == 3
    assert answer.finish_reason == "length"


# How tokens are chosen


def test_greedy_is_deterministic(engine: Engine) -> None:
    assert ask(engine).said == ask(engine).said


def test_greedy_does_not_look_at_the_seed(engine: Engine) -> None:
    assert ask(engine, request(seed=1)).said == ask(engine, request(seed=2)).said


def test_sampling_with_the_same_seed_gives_the_same_answer(engine: Engine) -> None:
    hot = request(temperature=2.0, seed=7)
    assert ask(engine, hot).said == ask(engine, hot).said


def test_sampling_with_another_seed_gives_another_answer(engine: Engine) -> None:
    answers = {
        str(ask(engine, request(temperature=2.0, seed=seed, fixed_length=True)).said)
        for seed in range(4)
    }
    assert len(answers) > 1


def test_a_sampled_request_leaves_greedy_as_it_was(engine: Engine) -> None:
    before = ask(engine).said
    ask(engine, request(temperature=2.0, seed=3))
    assert ask(engine).said == before


# Stop strings and the system prompt


def _inside(text: str) -> tuple[str, int]:
    """A piece from the middle of an answer, and where it is first found."""
    piece = text[len(text) // 2 :][:3]
    assert piece
    return piece, text.find(piece)


def test_a_stop_string_cuts_the_answer_and_never_shows(engine: Engine) -> None:
    whole = ask(engine)
    stop, at = _inside(whole.text)
    cut = ask(engine, request(stop=(stop,)))
    assert cut.text == whole.text[:at]
    assert cut.finish_reason == "stop"
    assert cut.tokens <= whole.tokens


def test_a_stop_string_that_never_comes_changes_nothing(engine: Engine) -> None:
    whole = ask(engine)
    same = ask(engine, request(stop=(whole.text[-2:] + "\x00never",)))
    assert (same.said, same.text) == (whole.said, whole.text)


def test_a_fixed_length_is_met_past_a_stop_string_which_still_does_not_show(
    bench: Bench, engine: Engine
) -> None:
    bench.needs_from_it(CUTTING)
    whole = ask(engine, request(fixed_length=True))
    stop, at = _inside(whole.text)
    fixed = ask(engine, request(stop=(stop,), fixed_length=True))
    assert fixed.ids == whole.ids
    assert fixed.text == whole.text[:at]


def test_a_system_prompt_reaches_the_model(engine: Engine) -> None:
    plain = ask(engine).report.usage
    told = ask(engine, request(system_prompt="You answer in one word.")).report.usage
    assert told.prompt_tokens > plain.prompt_tokens


# What cannot be asked


def test_an_empty_prompt_is_refused_and_the_engine_lives_on(engine: Engine) -> None:
    with pytest.raises(InvalidRequest) as caught:
        ask(engine, request("  \n"))
    assert caught.value.remedy
    assert ask(engine).said


def test_a_prompt_past_the_context_window_is_refused_before_anything_is_computed(
    bench: Bench, engine: Engine
) -> None:
    bench.needs_from_it(WINDOW)
    window = engine.describe().context_window
    assert window is not None
    with pytest.raises(ContextFull) as caught:
        ask(engine, request("word " * window))
    assert caught.value.remedy
    assert ask(engine).said


def test_a_fixed_length_that_the_window_cannot_hold_is_refused(
    bench: Bench, engine: Engine
) -> None:
    bench.needs_from_it(WINDOW)
    with pytest.raises(ContextFull):
        ask(engine, request(max_new_tokens=32_768, fixed_length=True))


# Stopping and closing


def _stopped_after(engine: Engine, tokens: int) -> Answer:
    cancel = CancelToken()
    chunks = []
    for chunk in engine.generate(request(max_new_tokens=1_000, fixed_length=True), cancel):
        chunks.append(chunk)
        if sum(len(chunk.token_ids or chunk.text[:1]) for chunk in chunks) >= tokens:
            cancel.cancel()
    return Answer(chunks)


def test_a_cancel_during_decode_ends_the_stream(engine: Engine) -> None:
    answer = _stopped_after(engine, 2)
    assert answer.finish_reason == "cancelled"
    assert len(answer.said) >= 2
    assert len(answer.ids) < 1_000
    told = answer.report.usage.output_tokens
    assert told == len(answer.ids) or told is None, "a server that was left tells no more"


def test_a_request_after_a_cancel_is_answered_like_the_first(engine: Engine) -> None:
    before = ask(engine).said
    _stopped_after(engine, 2)
    assert engine.is_alive
    assert ask(engine).said == before


def test_a_request_that_was_cancelled_before_it_began_gives_no_tokens(engine: Engine) -> None:
    cancel = CancelToken()
    cancel.cancel()
    answer = ask(engine, request(max_new_tokens=500, fixed_length=True), cancel)
    assert answer.finish_reason == "cancelled"
    assert not answer.said
    assert ask(engine).said


def test_closing_twice_is_closing_once(bench: Bench) -> None:
    engine = bench.open()
    assert engine.is_alive
    engine.close()
    engine.close()
    assert not engine.is_alive


def test_a_closed_engine_says_so(bench: Bench) -> None:
    engine = bench.open()
    engine.close()
    with pytest.raises(EngineCrashed) as caught:
        ask(engine)
    assert caught.value.remedy


def test_an_engine_is_a_context_manager(bench: Bench) -> None:
    with bench.open() as engine:
        assert ask(engine).said
    assert not engine.is_alive


# What is loaded


def test_memory_is_told_with_the_method_or_the_reason_why_not(engine: Engine) -> None:
    memory = ask(engine).report.memory
    assert memory.reason if memory.peak_bytes is None else memory.method


def test_the_parts_make_up_the_whole(bench: Bench, engine: Engine) -> None:
    bench.needs("weights")
    facts = engine.describe()
    assert facts.weights_bytes is not None
    assert sum(facts.weights_bytes_by_part.values()) == facts.weights_bytes
    assert sum(facts.dtypes.values()) == facts.weights_bytes


def test_the_ledger_agrees_with_what_is_loaded(bench: Bench, engine: Engine) -> None:
    bench.needs("weights")
    memory = ask(engine).report.memory
    assert memory.weights_bytes == engine.describe().weights_bytes
    assert memory.peak_bytes is not None
    assert memory.weights_bytes is not None
    assert memory.peak_bytes >= memory.weights_bytes


# Toggles: every one that is offered does something, and nothing else is taken


def test_every_toggle_has_a_test_here(bench: Bench) -> None:
    if bench.backend.id in (*PLUGINS, "endpoint", "serverless", "llamacpp"):
        pytest.skip("it has tests of its own for what only it offers")
    assert bench.offered >= EVERY_TOGGLE
    if bench.backend.id != "local":  # the rest of its toggles: test_local_toggles
        assert bench.offered == EVERY_TOGGLE


def test_what_is_offered_is_accepted(bench: Bench) -> None:
    for toggle in bench.backend.capabilities().toggles:
        for choice in toggle.choices:
            # What another choice needs beside it.
            named = {"draft_model": bench.model} if choice.value == "draft" else {}
            chosen = {toggle.name: choice.value}
            setup = bench.setup(**({"options": chosen} if toggle.is_option else chosen), **named)
            if choice.value.startswith("gptq") or choice.value in OTHER_CHECKPOINTS:
                continue  # they need one of their own: test_local_toggles, test_llamacpp_toggles
            verdict = bench.backend.check(setup)
            assert verdict.ok == (not choice.why_not), (toggle.name, choice.value)


@pytest.mark.parametrize("name", sorted(OTHER_VALUES))
def test_a_value_that_is_not_offered_is_refused(bench: Bench, name: str) -> None:
    verdict = bench.backend.check(bench.setup(**{name: OTHER_VALUES[name]}))
    assert not verdict.ok
    assert verdict.reason
    assert verdict.remedy


def test_an_unknown_option_is_refused_by_name(bench: Bench) -> None:
    verdict = bench.backend.check(bench.setup(options={"turbo": True}))
    assert not verdict.ok
    assert "turbo" in verdict.reason


def test_a_field_without_a_toggle_must_keep_its_default(bench: Bench) -> None:
    ways = {
        "weights": "bf16",
        "kv_cache": "off",
        "reuse_prefix": True,
        "speculation": "lookup",
        "draft_model": "org/small",
        "draft_tokens": 4,
        "compile": True,
        "attention": "eager",
        "prefill_chunk": 64,
        "history": "none",
        "device": "cpu",
        "threads": 2,
    }
    fields = set(Setup.model_fields) - {"schema_version", "model", "revision", "backend", "options"}
    assert fields == set(ways), "a new field of Setup needs a value here"
    for name in fields - bench.offered:
        assert not bench.backend.check(bench.setup(**{name: ways[name]})).ok


@pytest.mark.parametrize("weights", ["fp32", "bf16", "fp16"])
def test_weights_are_held_in_the_type_asked_for(bench: Bench, weights: str) -> None:
    facts = bench.engine(weights=weights).describe()
    dtype = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}[weights]
    assert facts.parameters is not None
    assert facts.dtypes[dtype] == pytest.approx(facts.parameters * ITEM_BYTES[weights], rel=0.001)
    others = sum(facts.dtypes.values()) - facts.dtypes[dtype]
    if bench.backend.id == "llamacpp" and dtype != "float32":
        others -= facts.weights_bytes_by_part["norms"]  # vectors stay fp32 in a GGUF
    assert others < 4_096  # tables of angles stay fp32


def test_without_a_kv_cache_nothing_is_kept_and_the_answer_is_the_same(bench: Bench) -> None:
    asked = request(max_new_tokens=48, fixed_length=True)
    on, off = (ask(bench.engine(kv_cache=kv), asked) for kv in ("dynamic", "off"))
    assert off.report.memory.kv_cache_bytes == 0
    assert on.report.memory.kv_cache_bytes
    first = next((i for i, (a, b) in enumerate(zip(on.ids, off.ids, strict=True)) if a != b), None)
    assert first is None, f"the answers part at token {first}: on {on.ids}, off {off.ids}"


def test_kv_cache_bytes_are_those_of_the_positions_that_were_kept(bench: Bench) -> None:
    bench.needs("kv_cache")
    for weights, item_bytes in ITEM_BYTES.items():
        engine = bench.engine(weights=weights)
        facts, answer = engine.describe(), ask(engine)
        assert facts.layers
        assert facts.kv_heads
        assert facts.head_size
        # The last token is never fed back, so it has no keys.
        positions = answer.report.usage.prompt_tokens + answer.report.usage.output_tokens - 1
        expected = 2 * facts.layers * facts.kv_heads * facts.head_size * positions * item_bytes
        assert answer.report.memory.kv_cache_bytes == expected


def test_without_history_only_the_last_prompt_is_sent(bench: Bench) -> None:
    talk = request(PROMPT, "My name is Ada.", "Hello Ada.")
    full, none = (ask(bench.engine(history=history), talk) for history in ("full", "none"))
    alone = ask(bench.engine(), request(PROMPT))
    assert full.report.usage.prompt_tokens > none.report.usage.prompt_tokens
    assert none.report.usage.prompt_tokens == alone.report.usage.prompt_tokens
    assert none.said == alone.said


def test_without_history_the_system_prompt_is_still_sent(bench: Bench) -> None:
    bench.needs_from_it(COUNTING)
    engine = bench.engine(history="none")
    message = (Message(role="user", content=PROMPT),)
    plain = engine.count_tokens(message, Sampling())
    assert engine.count_tokens(message, Sampling(system_prompt="Answer in one word.")) > plain


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_are_as_many_as_asked_for(bench: Bench, threads: int) -> None:
    if threads > usable_cores():
        pytest.skip("this machine has one core")
    assert bench.engine(threads=threads).describe().threads == threads


def test_the_device_is_the_one_asked_for(bench: Bench) -> None:
    assert bench.engine(device="cpu").describe().device == "cpu"


def test_a_device_that_is_not_here_is_refused_with_a_reason(bench: Bench) -> None:
    if cuda_names():
        pytest.skip("this machine has a CUDA GPU")
    bench.needs("device")
    verdict = bench.backend.check(bench.setup(device="cuda"))
    assert not verdict.ok
    assert "GPU" in verdict.reason
    assert verdict.remedy


def test_toggles_and_choices_have_names_for_people(bench: Bench) -> None:
    for toggle in bench.backend.capabilities().toggles:
        assert toggle.title, toggle.name
        assert all(choice.label for choice in toggle.choices), toggle.name

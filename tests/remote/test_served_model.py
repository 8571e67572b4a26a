"""The endpoint backend on a real server: `transformers serve` with the bundled model."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil
import pytest
from huggingface_hub import InferenceClient

from app.bench.benchmarks.model_server import ModelServer
from app.bench.conversation import Column
from app.bench.figures import output_tokens, tpot, ttft
from app.bench.lane import Lane
from app.bench.runner import RunOrder, run
from backends.engine import CancelToken, Engine
from backends.local.backend import LocalBackend
from backends.remote.endpoint import EndpointBackend
from backends.request import Chunk
from backends.setup import Setup
from tests.backends.asking import PROMPT, ask, request
from tests.fakes.workshop import Workshop

# What the server holds: the type of its weights, one thread.
SAME = {"weights": "bf16", "threads": 1, "device": "cpu"}


@pytest.fixture
def engine(model_server: ModelServer) -> Iterator[Engine]:
    setup = model_server.setup()
    with EndpointBackend().open(setup, lambda _: None, CancelToken()) as opened:
        yield opened


def test_the_answer_is_that_of_the_same_weights_here(
    engine: Engine, model_server: ModelServer
) -> None:
    setup = Setup.model_validate({"model": str(model_server.folder)} | SAME)
    asked = request(max_new_tokens=64)
    with LocalBackend().open(setup, lambda _: None, CancelToken()) as local:
        here, there = ask(local, asked), ask(engine, asked)
    assert there.text == here.text
    assert there.finish_reason == here.finish_reason == "stop"
    told, counted = there.report.usage, here.report.usage
    assert told.prompt_tokens == counted.prompt_tokens
    assert told.output_tokens == counted.output_tokens


def test_stamps_are_those_of_tokens_as_they_are_made(engine: Engine) -> None:
    ask(engine)  # the connection is open
    answer = ask(engine, request(max_new_tokens=48, fixed_length=True))
    *pieces, last = answer.chunks
    stamps = [chunk.t_ns for chunk in pieces]
    assert stamps == sorted(stamps)
    assert answer.report.accepted_ns < stamps[0] < stamps[-1] <= last.t_ns
    assert len(set(stamps)) > 10, "text came in pieces, not in one go"
    assert answer.report.usage.output_tokens == 48


def test_a_run_on_it_has_every_figure_that_a_server_can_give(
    model_server: ModelServer, workshop: Workshop
) -> None:
    setup = model_server.setup()
    lane = Lane(Column(key="there", setup=setup), "there")
    record = run(workshop.bench, RunOrder(setup, request()), lane, CancelToken())
    assert record.status == "finished"
    assert output_tokens(record).provenance == "measured"
    first_ns, per_token_ns = ttft(record).value, tpot(record).value
    assert first_ns
    assert per_token_ns
    assert record.usage is not None
    assert record.memory.peak_bytes is None
    assert record.memory.reason.startswith("not told")


def test_a_stop_ends_the_work_of_the_server(engine: Engine, model_server: ModelServer) -> None:
    server, cancel = psutil.Process(model_server.pid), CancelToken()
    stream = engine.generate(request(max_new_tokens=1500, fixed_length=True), cancel)
    before = _busy_seconds(server)
    for _ in range(10):
        next(stream)
    assert _busy_seconds(server) > before, "it computes while it answers"
    cancel.cancel()
    assert list(stream)[-1].finish_reason == "cancelled"
    time.sleep(0.5)  # it notices when it sends or makes its next token
    at_rest = _busy_seconds(server)
    time.sleep(1.0)
    assert _busy_seconds(server) - at_rest < 0.2, "a second of computing would be near one"
    assert ask(engine).finish_reason == "stop"


def _busy_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def test_a_bare_client_of_the_hub_gets_the_same_answer(
    engine: Engine, model_server: ModelServer
) -> None:
    client = InferenceClient(base_url=model_server.address)
    stream = client.chat_completion(
        [{"role": "user", "content": PROMPT}],
        model=str(model_server.folder),
        max_tokens=16,
        temperature=0,
        stream=True,
    )
    pieces = [event.choices[0].delta.content for event in stream if event.choices]
    assert "".join(piece or "" for piece in pieces) == ask(engine).text


def test_a_server_that_is_killed_in_mid_answer_leaves_its_text_in_a_failed_run(
    model_server: ModelServer, workshop: Workshop
) -> None:
    setup = model_server.setup()
    asked = request(max_new_tokens=1500, fixed_length=True)
    lane = _KillingLane(model_server, Column(key="there", setup=setup), "there")
    record = run(workshop.bench, RunOrder(setup, asked), lane, CancelToken())
    assert not model_server.is_alive
    assert record.status == "failed"
    assert record.error is not None
    assert record.error.type == "StreamBroken"
    assert record.answer == lane.text
    assert record.answer
    again = run(workshop.bench, RunOrder(setup, asked), lane, CancelToken())
    assert again.error is not None
    assert "There is no server" in again.error.message


class _KillingLane(Lane):
    """Ends the server once a few pieces of the answer came."""

    def __init__(self, server: ModelServer, column: Column, label: str) -> None:
        super().__init__(column, label)
        self._server = server
        self._left = 5

    def take(self, chunk: Chunk) -> None:
        super().take(chunk)
        self._left -= 1
        if not self._left:
            self._server.kill()

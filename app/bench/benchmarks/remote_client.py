"""What our client costs beside a bare `InferenceClient` loop, on a server that costs nothing.

Ours is the whole path of a chat: the endpoint's engine with its watchdog, what is done about keys
and retries, and the lane that pages look at. The bare loop keeps the text and does nothing else.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median

from app.bench.benchmarks.engines import SHORT_PROMPT, interleaved
from app.bench.benchmarks.fast_server import MODEL
from app.bench.benchmarks.intervals import mean_interval
from app.bench.benchmarks.records import BenchmarkRecord, Target
from app.bench.benchmarks.server_process import answers, free_port
from app.bench.conversation import Column
from app.bench.lane import Lane
from backends.engine import CancelToken, Engine
from backends.errors import DynoError
from backends.registry import get_backend
from backends.request import Chunk, Message, Request, Sampling
from backends.settings import ROOT
from backends.setup import Setup

CLIENT_MS_PER_REQUEST = Target("client_ms_per_request", "ms", "lower", bar=1.0)
CLIENT_US_PER_CHUNK = Target("client_us_per_chunk", "µs", "lower", bar=50.0)
TARGETS = (CLIENT_MS_PER_REQUEST, CLIENT_US_PER_CHUNK)

_NAMES = ("ours", "bare")
_SHORT, _LONG = 1, 400
_WARM_UP_ROUNDS = 5
_START_SECONDS = 10.0


def measure(rounds: int) -> list[BenchmarkRecord]:
    """Ours minus the bare loop: on answers of one chunk, and for each chunk more."""
    with _fast_server() as address:
        setup = Setup(backend="endpoint", options={"address": address})
        opened = get_backend("endpoint").open(setup, lambda progress: None, CancelToken())
        with opened as engine:
            ways = dict(zip(_NAMES, (_ours(engine, setup), _bare(address)), strict=True))
            for _ in range(_WARM_UP_ROUNDS):
                for way in ways.values():
                    way(_SHORT)
                    way(_LONG)
            taken_s: dict[tuple[str, int], list[float]] = {}
            for order in interleaved(_NAMES, rounds):
                for tokens in (_SHORT, _LONG):
                    for name in order:
                        taken_s.setdefault((name, tokens), []).append(_timed(ways[name], tokens))
    return [_per_request(taken_s), _per_chunk(taken_s)]


def _per_request(taken_s: dict[tuple[str, int], list[float]]) -> BenchmarkRecord:
    pairs = zip(taken_s["ours", _SHORT], taken_s["bare", _SHORT], strict=True)
    more_ms = [(ours - bare) * 1e3 for ours, bare in pairs]
    mean, low, high = mean_interval(more_ms)
    whole = ", ".join(f"{name} {median(taken_s[name, _SHORT]) * 1e3:.2f}" for name in _NAMES)
    note = f"median of a request of one chunk: {whole} ms"
    return CLIENT_MS_PER_REQUEST.measured(mean, n=len(more_ms), interval=(low, high), reason=note)


def _per_chunk(taken_s: dict[tuple[str, int], list[float]]) -> BenchmarkRecord:
    per_chunk = {
        name: [
            (long - short) / (_LONG - _SHORT) * 1e6
            for long, short in zip(taken_s[name, _LONG], taken_s[name, _SHORT], strict=True)
        ]
        for name in _NAMES
    }
    more_us = [ours - bare for ours, bare in zip(*per_chunk.values(), strict=True)]
    mean, low, high = mean_interval(more_us)
    whole = ", ".join(f"{name} {median(per_chunk[name]):.1f}" for name in _NAMES)
    note = f"{_LONG} chunks against {_SHORT}; median of a chunk: {whole} µs"
    return CLIENT_US_PER_CHUNK.measured(mean, n=len(more_us), interval=(low, high), reason=note)


# Asks for so many tokens and takes them all.
_Way = Callable[[int], None]


def _timed(way: _Way, tokens: int) -> float:
    started_s = time.perf_counter()
    way(tokens)
    return time.perf_counter() - started_s


def _ours(engine: Engine, setup: Setup) -> _Way:
    """As the runner takes an answer."""

    def ask(tokens: int) -> None:
        sampling = Sampling(max_new_tokens=tokens)
        message = Message(role="user", content=SHORT_PROMPT)
        lane, chunks = Lane(Column(setup=setup), "benchmark"), list[Chunk]()
        for chunk in engine.generate(
            Request(messages=(message,), sampling=sampling), CancelToken()
        ):
            if chunk.token_ids or chunk.text:
                chunks.append(chunk)
                lane.take(chunk)
        _require(len(chunks), tokens)

    return ask


def _bare(address: str) -> _Way:
    if os.environ.get("HF_HUB_OFFLINE"):
        raise DynoError("InferenceClient asks nobody while HF_HUB_OFFLINE is set.", "Unset it.")
    from huggingface_hub import InferenceClient

    def ask(tokens: int) -> None:
        # A client holds its connections until it is closed.
        with InferenceClient(base_url=address) as client:
            stream = client.chat_completion(
                [{"role": "user", "content": SHORT_PROMPT}],
                model=MODEL,
                max_tokens=tokens,
                temperature=0,
                stream=True,
                stream_options={"include_usage": True},
            )
            deltas = (event.choices[0].delta for event in stream if event.choices)
            pieces = [delta.content for delta in deltas if delta.content]
        _require(len(pieces), tokens)

    return ask


def _require(came: int, asked: int) -> None:
    if came != asked:
        raise DynoError(f"{came} chunks came instead of {asked}.")


@contextlib.contextmanager
def _fast_server() -> Iterator[str]:
    """Its address, while it runs."""
    port = free_port()
    module = "app.bench.benchmarks.fast_server"
    process = subprocess.Popen([sys.executable, "-m", module, str(port)], cwd=ROOT)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise DynoError("The server for this benchmark did not start.")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()

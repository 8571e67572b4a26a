"""The endpoint backend on llama.cpp's own server, with the bundled model as GGUF."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from app.bench.benchmarks.server_process import free_port
from backends.engine import CancelToken, Engine
from backends.remote.endpoint import EndpointBackend
from backends.settings import ROOT
from backends.worker.engine import LocalEngine
from tests.backends.asking import ask, request
from tests.backends.gguf_engines import GgufEngines, gguf_of
from tests.remote.conftest import setup_of

pytestmark = pytest.mark.llamacpp
# It ends with whoever started it, also when that one is killed.
_ENTRY = """
import runpy, sys
from backends.host.server import die_with_parent
die_with_parent(int(sys.argv.pop(1)))
runpy.run_module("llama_cpp.server", run_name="__main__", alter_sys=True)
"""
_START_SECONDS = 60.0


@pytest.fixture(scope="module")
def here() -> Iterator[LocalEngine]:
    """The same file in an engine of our own."""
    with GgufEngines()() as made:
        yield made


@pytest.fixture(scope="module")
def served(here: LocalEngine) -> Iterator[tuple[str, psutil.Process]]:
    """Its address and its process."""
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", _ENTRY, str(os.getpid()), "--model", str(gguf_of(here))),
            *("--host", "127.0.0.1", "--port", str(port), "--n_ctx", "2048", "--n_threads", "1"),
        ],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}/v1"
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with suppress(OSError), urllib.request.urlopen(f"{address}/models", timeout=5):
            break
        assert process.poll() is None, "it ended"
        assert time.monotonic() < deadline, "it does not answer"
        time.sleep(0.1)
    yield address, psutil.Process(process.pid)
    process.terminate()
    process.wait(10)


@pytest.fixture
def engine(served: tuple[str, psutil.Process]) -> Iterator[Engine]:
    setup = setup_of(served[0], server="llamacpp", tokenizer="bundled")
    with EndpointBackend().open(setup, lambda _: None, CancelToken()) as made:
        yield made


def test_its_answer_is_that_of_the_same_file_here(engine: Engine, here: Engine) -> None:
    asked = request("What is the KV cache?", max_new_tokens=64)
    there = ask(engine, asked)
    assert there.text.strip() == ask(here, asked).text.strip()
    assert there.finish_reason == "stop"


def test_stamps_and_counts_are_there(engine: Engine) -> None:
    answer = ask(engine, request("What is the KV cache?", max_new_tokens=32))
    stamps = [chunk.t_ns for chunk in answer.chunks]
    assert stamps == sorted(stamps)
    assert answer.report.accepted_ns < stamps[0]
    assert answer.report.usage.output_tokens


def test_a_stop_ends_its_work(engine: Engine, served: tuple[str, psutil.Process]) -> None:
    cancel = CancelToken()
    stream = engine.generate(request("Tell me a story.", max_new_tokens=1500), cancel)
    next(stream)
    cancel.cancel()
    assert list(stream)[-1].finish_reason == "cancelled"
    time.sleep(0.5)
    before = sum(served[1].cpu_times()[:2])
    time.sleep(1.0)
    assert sum(served[1].cpu_times()[:2]) - before < 0.2, "a second of computing would be near one"
    assert ask(engine).finish_reason == "stop"

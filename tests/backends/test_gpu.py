"""The CUDA paths, for a machine with a GPU: `pytest -m gpu`."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.engine import CancelToken
from backends.host.client import HostClient
from backends.local.backend import LocalBackend
from backends.setup import Setup
from backends.worker.engine import LocalEngine
from tests.backends.asking import ask, request

pytestmark = pytest.mark.gpu

SHORT = request(max_new_tokens=24, fixed_length=True)


def opened(model: Path, **toggles: object) -> LocalEngine:
    setup = Setup.model_validate({"model": str(model), "device": "cuda:0"} | toggles)
    return LocalBackend().open(setup, lambda progress: None, CancelToken())


@pytest.mark.parametrize("weights", ["fp32", "bf16", "fp16"])
def test_weights_are_on_the_gpu_in_their_dtype(
    host: HostClient, bundled_model: Path, weights: str
) -> None:
    with opened(bundled_model, weights=weights) as engine:
        facts = engine.describe()
        assert facts.device == "cuda:0"
        item = {"fp32": 4, "bf16": 2, "fp16": 2}[weights]
        assert facts.parameters is not None
        assert facts.weights_bytes == pytest.approx(facts.parameters * item, rel=0.01)


def test_the_ledger_adds_up_to_the_allocators_peak(host: HostClient, bundled_model: Path) -> None:
    with opened(bundled_model, weights="bf16") as engine:
        answer = ask(engine, SHORT)
        memory = answer.report.memory
        assert memory.weights_bytes is not None
        assert memory.kv_cache_bytes
        assert memory.activations_bytes is not None
        parts = memory.weights_bytes + memory.kv_cache_bytes + memory.activations_bytes
        assert memory.peak_bytes == parts


def test_greedy_is_the_same_with_and_without_a_kv_cache(
    host: HostClient, bundled_model: Path
) -> None:
    with opened(bundled_model, weights="fp32") as engine:
        cached = ask(engine, SHORT).ids
    with opened(bundled_model, weights="fp32", kv_cache="off") as engine:
        assert ask(engine, SHORT).ids == cached


def test_a_stop_frees_the_gpu_soon(host: HostClient, bundled_model: Path) -> None:
    with opened(bundled_model) as engine:
        cancel = CancelToken()
        chunks = engine.generate(request(max_new_tokens=1500, fixed_length=True), cancel)
        next(chunks)
        cancel.cancel()
        last = list(chunks)[-1]
        assert last.finish_reason == "cancelled"
        assert engine.is_alive

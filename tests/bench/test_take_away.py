"""Code to take away compiles, says the whole setup or what it leaves out, and runs."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import pytest

from app.bench.take_away import commands_for, python_code
from backends.settings import ROOT
from backends.setup import Setup

LOCAL = [
    Setup(weights=weights, kv_cache=cache)
    for weights, cache in itertools.product(
        ("fp32", "bf16", "int8", "nf4", "gptq-int4"),
        ("dynamic", "off", "static", "quantized", "sliding"),
    )
] + [
    Setup(speculation="draft"),
    Setup(speculation="draft", draft_tokens=4),
    Setup(speculation="lookup"),
    Setup(kv_cache="static", compile=True),
    Setup(prefill_chunk=64, device="cpu", threads=3, attention="eager"),
    Setup(model="org/name", revision="abc", reuse_prefix=True, history="none"),
    Setup(weights="nf4", options={"nf4_double_quant": True}),
]
ELSEWHERE = [
    Setup(backend="llamacpp", weights="q8_0", speculation="lookup"),
    Setup(backend="llamacpp", model="/models/some.gguf", weights="gguf", threads=2),
    Setup(backend="endpoint", options={"address": "http://localhost:8000/v1", "server": "vllm"}),
    Setup(backend="serverless", model="smollm2-360m", options={"routing": "cheapest"}),
]


@pytest.mark.parametrize("setup", LOCAL + ELSEWHERE, ids=lambda setup: setup.canonical_json())
def test_it_compiles(setup: Setup) -> None:
    code = python_code(setup, 64)
    assert code is not None
    compile(code.text, "taken away", "exec")
    assert "64" in code.text


def text(**toggles: object) -> str:
    code = python_code(Setup.model_validate(toggles), 16)
    assert code is not None
    return code.text


@pytest.mark.parametrize(
    ("toggles", "said"),
    [
        ({"weights": "bf16"}, "dtype=torch.bfloat16"),
        ({"weights": "int8", "options": {"int8_threshold": 4}}, "llm_int8_threshold=4.0"),
        ({"weights": "gptq-int4"}, "models/bundled/target-gptq-int4"),
        ({"kv_cache": "off"}, "use_cache=False"),
        ({"kv_cache": "static"}, "StaticCache(config=model.config, max_cache_len=room)"),
        ({"kv_cache": "quantized"}, "nbits=4"),
        ({"speculation": "lookup", "draft_tokens": 7}, "prompt_lookup_num_tokens=7"),
        ({"speculation": "draft"}, "from_pretrained('models/bundled/draft'"),
        ({"compile": True, "kv_cache": "static"}, "disable_compile=False"),
        ({"attention": "flash"}, "flash_attention_2"),
        ({"prefill_chunk": 32}, "prefill_chunk_size=32"),
        ({"threads": 3}, "torch.set_num_threads(3)"),
        ({"device": "cuda:1"}, "DEVICE = 'cuda:1'"),
    ],
)
def test_each_toggle_is_in_it(toggles: dict[str, object], said: str) -> None:
    assert said in text(**toggles)
    assert said not in text()


def test_what_it_does_not_say_is_named() -> None:
    for toggles in ({"reuse_prefix": True}, {"history": "none"}, {"speculation": "draft"}):
        code = python_code(Setup.model_validate(toggles), 16)
        assert code is not None
        assert len(code.missing) == 2, "the folder to run it in, and the toggle"


def test_no_path_of_this_machine_is_in_it() -> None:
    for setup in LOCAL + ELSEWHERE:
        code = python_code(setup, 16)
        assert code is not None
        told = [code.text, *(command.text for command in commands_for(setup))]
        assert str(ROOT) not in "".join(told)


def test_servers_are_told_the_same() -> None:
    vllm, tgi = commands_for(Setup(weights="gptq-int4", speculation="lookup"))
    assert vllm.text.startswith("vllm serve models/bundled/target-gptq-int4 --quantization gptq_")
    assert '"num_speculative_tokens": 5' in vllm.text
    assert "--speculate 5" in tgi.text
    (server,) = commands_for(Setup(backend="llamacpp", weights="q8_0", threads=2))
    assert server.text == "llama-server -m MODEL.gguf --threads 2"
    assert server.missing


@pytest.mark.parametrize(
    "toggles", [{"kv_cache": "off"}, {"kv_cache": "quantized"}, {"weights": "int8"}]
)
def test_what_vllm_cannot_do_is_said(toggles: dict[str, object]) -> None:
    vllm, _ = commands_for(Setup.model_validate(toggles))
    assert any("vLLM" in sentence for sentence in vllm.missing)


def test_others_hosts_have_no_command() -> None:
    assert commands_for(Setup(backend="serverless", model="smollm2-360m")) == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    "setup",
    [
        Setup(),
        Setup(kv_cache="off", weights="bf16"),
        Setup(speculation="draft"),
        Setup(weights="nf4"),
    ],
    ids=lambda setup: setup.canonical_json(),
)
def test_it_runs_and_answers(setup: Setup) -> None:
    code = python_code(setup, 16)
    assert code is not None
    done = subprocess.run(
        [sys.executable, "-c", code.text],
        cwd=ROOT,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert "Prefill is" in done.stdout

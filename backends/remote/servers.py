"""What each kind of server can do beyond the standard, and how to start it with an optimisation."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from backends.request import Sampling


@dataclass(frozen=True, slots=True)
class Launch:
    """A way to start the server: what for, and the command, with MODEL for the model's Hub id."""

    purpose: str
    command: str


def _nothing(sampling: Sampling) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class ServerKind:
    """`fields` gives what a request of this sampling needs there beyond the standard.
    `fixes_length`: among it is that an answer of a fixed length does not end before.
    `counts_chunks`: with each chunk it can tell how many tokens there are so far. `metrics`: where
    it tells its own figures, beside `/v1`; empty where it has no such page."""

    id: str
    title: str
    fixes_length: bool = False
    fields: Callable[[Sampling], dict[str, Any]] = _nothing
    launches: tuple[Launch, ...] = ()
    counts_chunks: bool = False
    metrics: str = ""

    def launch_text(self) -> str:
        return "\n\n".join(f"# {launch.purpose}\n{launch.command}" for launch in self.launches)


def _ignore_end(sampling: Sampling) -> dict[str, Any]:
    if not sampling.fixed_length:
        return {}
    return {"ignore_eos": True, "min_tokens": sampling.max_new_tokens}


def _ignore_end_alone(sampling: Sampling) -> dict[str, Any]:
    return {"ignore_eos": True} if sampling.fixed_length else {}


def _generation_config(sampling: Sampling) -> dict[str, Any]:
    """`transformers serve` takes a temperature and samples only where the model's own configuration
    says so; what is given here counts, and the rest is the model's."""
    config: dict[str, Any] = {"do_sample": True} if sampling.temperature > 0 else {}
    if sampling.fixed_length:
        config["min_new_tokens"] = sampling.max_new_tokens
    return {"generation_config": json.dumps(config)} if config else {}


STANDARD = ServerKind("standard", "any OpenAI-compatible server")
_KINDS = (
    STANDARD,
    ServerKind(
        "vllm",
        "vLLM",
        True,
        _ignore_end,
        (
            Launch("as it is", "vllm serve MODEL"),
            Launch("GPTQ weights", "vllm serve MODEL --quantization gptq_marlin"),
            Launch("8-bit KV cache", "vllm serve MODEL --kv-cache-dtype fp8"),
            Launch(
                "prompt lookup",
                "vllm serve MODEL --speculative-config "
                '\'{"method": "ngram", "num_speculative_tokens": 5, "prompt_lookup_max": 4}\'',
            ),
            Launch(
                "draft model",
                "vllm serve MODEL --speculative-config "
                '\'{"model": "DRAFT", "num_speculative_tokens": 5}\'',
            ),
            Launch("prefixes computed again", "vllm serve MODEL --no-enable-prefix-caching"),
            Launch("without CUDA graphs", "vllm serve MODEL --enforce-eager"),
        ),
        counts_chunks=True,
        metrics="/metrics",
    ),
    ServerKind(
        "sglang",
        "SGLang",
        True,
        _ignore_end,
        (
            Launch("as it is", "python -m sglang.launch_server --model-path MODEL"),
            Launch(
                "8-bit KV cache",
                "python -m sglang.launch_server --model-path MODEL --kv-cache-dtype fp8_e5m2",
            ),
            Launch(
                "8-bit weights",
                "python -m sglang.launch_server --model-path MODEL --quantization fp8",
            ),
            Launch(
                "its figures, too",
                "python -m sglang.launch_server --model-path MODEL --enable-metrics",
            ),
        ),
        counts_chunks=True,
        metrics="/metrics",
    ),
    ServerKind(
        "llamacpp",
        "llama.cpp server",
        True,
        _ignore_end_alone,
        (
            Launch("as it is", "llama-server -hf MODEL --port 8080"),
            Launch(
                "8-bit KV cache", "llama-server -hf MODEL --cache-type-k q8_0 --cache-type-v q8_0"
            ),
            Launch("draft model", "llama-server -m MODEL.gguf -md DRAFT.gguf"),
            Launch("prompt lookup", "llama-server -m MODEL.gguf --spec-type ngram-simple"),
            Launch("its figures, too", "llama-server -hf MODEL --metrics"),
        ),
        metrics="/metrics",
    ),
    ServerKind(
        "tgi",
        "Text Generation Inference",
        launches=(
            Launch("as it is", "text-generation-launcher --model-id MODEL"),
            Launch("GPTQ weights", "text-generation-launcher --model-id MODEL --quantize gptq"),
            Launch("prompt lookup", "text-generation-launcher --model-id MODEL --speculate 3"),
        ),
        metrics="/metrics",
    ),
    ServerKind(
        "tensorrt-llm",
        "TensorRT-LLM",
        True,
        _ignore_end,
        (Launch("as it is", "trtllm-serve MODEL"),),
        metrics="/metrics",
    ),
    ServerKind("ollama", "Ollama", launches=(Launch("as it is", "ollama run MODEL"),)),
    ServerKind(
        "transformers",
        "transformers serve",
        True,
        _generation_config,
        (Launch("as it is", "transformers serve MODEL"),),
    ),
)
KINDS: Mapping[str, ServerKind] = {kind.id: kind for kind in _KINDS}

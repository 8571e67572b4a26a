"""What each kind of server can do beyond the standard, and how to start it with an optimisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Launch:
    """A way to start the server: what for, and the command; `{model}` is the model's Hub id."""

    purpose: str
    command: str


@dataclass(frozen=True, slots=True)
class ServerKind:
    """`fixed_length` gives the fields that make an answer so many tokens long; None where the
    server cannot be told to. `pages` are addresses worth a look, relative to the server's root."""

    id: str
    title: str
    fixed_length: Callable[[int], dict[str, Any]] | None = None
    launches: tuple[Launch, ...] = ()
    pages: Mapping[str, str] = field(default_factory=dict)


def _ignore_end(tokens: int) -> dict[str, Any]:
    return {"ignore_eos": True, "min_tokens": tokens}


STANDARD = ServerKind("standard", "any OpenAI-compatible server")
_KINDS = (
    STANDARD,
    ServerKind(
        "vllm",
        "vLLM",
        _ignore_end,
        (
            Launch("as it is", "vllm serve {model}"),
            Launch("GPTQ weights", "vllm serve {model} --quantization gptq_marlin"),
            Launch("8-bit KV cache", "vllm serve {model} --kv-cache-dtype fp8"),
            Launch(
                "prompt lookup",
                "vllm serve {model} --speculative-config "
                '\'{{"method": "ngram", "num_speculative_tokens": 5, "prompt_lookup_max": 4}}\'',
            ),
        ),
        {"metrics": "/metrics"},
    ),
    ServerKind(
        "sglang",
        "SGLang",
        _ignore_end,
        (
            Launch("as it is", "python -m sglang.launch_server --model-path {model}"),
            Launch(
                "8-bit KV cache",
                "python -m sglang.launch_server --model-path {model} --kv-cache-dtype fp8_e5m2",
            ),
        ),
        {"metrics": "/metrics"},
    ),
    ServerKind(
        "llamacpp",
        "llama.cpp server",
        lambda tokens: {"ignore_eos": True},
        (
            Launch("as it is", "llama-server -hf {model} --port 8080"),
            Launch(
                "8-bit KV cache", "llama-server -hf {model} --cache-type-k q8_0 --cache-type-v q8_0"
            ),
        ),
        {"metrics": "/metrics"},
    ),
    ServerKind("tgi", "Text Generation Inference", None, (), {"metrics": "/metrics"}),
    ServerKind(
        "tensorrt-llm", "TensorRT-LLM", _ignore_end, (Launch("as it is", "trtllm-serve {model}"),)
    ),
    ServerKind("ollama", "Ollama", None, (Launch("as it is", "ollama run {model}"),)),
    ServerKind(
        "transformers",
        "transformers serve",
        None,
        (Launch("as it is", "transformers serve {model}"),),
    ),
)
KINDS: Mapping[str, ServerKind] = {kind.id: kind for kind in _KINDS}

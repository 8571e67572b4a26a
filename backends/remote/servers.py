"""What each kind of server can do beyond the standard, and how to start it with an optimisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Launch:
    """A way to start the server: what for, and the command, with MODEL for the model's Hub id."""

    purpose: str
    command: str


@dataclass(frozen=True, slots=True)
class ServerKind:
    """`fixed_length` gives the fields that make an answer so many tokens long; None where the
    server cannot be told to."""

    id: str
    title: str
    fixed_length: Callable[[int], dict[str, Any]] | None = None
    launches: tuple[Launch, ...] = ()

    def launch_text(self) -> str:
        return "\n\n".join(f"# {launch.purpose}\n{launch.command}" for launch in self.launches)


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
            Launch("as it is", "vllm serve MODEL"),
            Launch("GPTQ weights", "vllm serve MODEL --quantization gptq_marlin"),
            Launch("8-bit KV cache", "vllm serve MODEL --kv-cache-dtype fp8"),
            Launch(
                "prompt lookup",
                "vllm serve MODEL --speculative-config "
                '\'{"method": "ngram", "num_speculative_tokens": 5, "prompt_lookup_max": 4}\'',
            ),
        ),
    ),
    ServerKind(
        "sglang",
        "SGLang",
        _ignore_end,
        (
            Launch("as it is", "python -m sglang.launch_server --model-path MODEL"),
            Launch(
                "8-bit KV cache",
                "python -m sglang.launch_server --model-path MODEL --kv-cache-dtype fp8_e5m2",
            ),
        ),
    ),
    ServerKind(
        "llamacpp",
        "llama.cpp server",
        lambda tokens: {"ignore_eos": True},
        (
            Launch("as it is", "llama-server -hf MODEL --port 8080"),
            Launch(
                "8-bit KV cache", "llama-server -hf MODEL --cache-type-k q8_0 --cache-type-v q8_0"
            ),
        ),
    ),
    ServerKind("tgi", "Text Generation Inference"),
    ServerKind(
        "tensorrt-llm", "TensorRT-LLM", _ignore_end, (Launch("as it is", "trtllm-serve MODEL"),)
    ),
    ServerKind("ollama", "Ollama", None, (Launch("as it is", "ollama run MODEL"),)),
    ServerKind(
        "transformers",
        "transformers serve",
        None,
        (Launch("as it is", "transformers serve MODEL"),),
    ),
)
KINDS: Mapping[str, ServerKind] = {kind.id: kind for kind in _KINDS}

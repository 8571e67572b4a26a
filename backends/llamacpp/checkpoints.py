"""What a checkpoint's config.json says of it, as far as it matters for a GGUF file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backends.errors import InvalidSetup
from backends.llamacpp.formats import FORMATS
from backends.setup import Weights

Config = Mapping[str, Any]
# How transformers calls the scaling of Llama 3.1.
SCALED_ANGLES = "llama3"
_CACHE_BLOCK = 32


@dataclass(frozen=True, slots=True)
class Family:
    """What llama.cpp calls an architecture. `turns_pairs`: it turns neighbouring numbers by the
    position's angle, where transformers turns those half a head apart."""

    name: str
    turns_pairs: bool


FAMILIES = {
    "LlamaForCausalLM": Family("llama", turns_pairs=True),
    "MistralForCausalLM": Family("llama", turns_pairs=True),
    "Qwen2ForCausalLM": Family("qwen2", turns_pairs=False),
    "Qwen3ForCausalLM": Family("qwen3", turns_pairs=False),
}


def family_of(config: Config) -> Family:
    """Raises `InvalidSetup` for a model that would be written wrong."""
    architecture = next(iter(config.get("architectures") or ()), "not named")
    family = FAMILIES.get(architecture)
    refusal = ""
    if family is None:
        known = ", ".join(name.removesuffix("ForCausalLM") for name in FAMILIES)
        refusal = f"its architecture is {architecture}; {known} are converted here"
    elif (kind := rope_of(config).get("rope_type", "default")) not in _angles_of(family):
        refusal = f"its positions are scaled ({kind}), which is not converted here"
    elif config.get("use_sliding_window", config.get("sliding_window") is not None):
        refusal = "its layers see a window of the text, which is not converted here"
    elif config.get("quantization_config") is not None:
        refusal = "its weights are quantized already"
    if family is None or refusal:
        raise InvalidSetup(
            f"This checkpoint cannot be written as GGUF: {refusal}.",
            "Give the path of a GGUF file of this model, or run it with transformers.",
        )
    return family


def _angles_of(family: Family) -> tuple[str, ...]:
    """Ways to turn by the position that are converted."""
    return ("default", SCALED_ANGLES) if family.name == "llama" else ("default",)


def check_widths(config: Config, weights: Weights) -> None:
    """Raises `InvalidSetup` where rows of a matrix are not whole blocks of the format: llama.cpp
    would silently put those matrices into another one."""
    widths, wanted = _widths(config), FORMATS[weights]
    odd = [width for width in widths if width % wanted.block]
    if odd:
        fitting = [one.name for one in FORMATS.values() if not any(w % one.block for w in widths)]
        raise InvalidSetup(
            f"{wanted.name} packs {wanted.block} weights together, and this model has a width of "
            f"{odd[0]:,}.",
            f"Choose {', '.join(fitting[:-1])} or {fitting[-1]}.",
        )


def check_cache(config: Config, cache_type: str) -> None:
    """Raises `InvalidSetup` where a head's keys are not whole blocks of the cache's type."""
    size = head_size(config)
    if cache_type != "f16" and size % _CACHE_BLOCK:
        raise InvalidSetup(
            f"A cache of {cache_type} packs {_CACHE_BLOCK} numbers together, and a head of this "
            f"model has {size}.",
            "Choose a KV cache of f16.",
        )


def _widths(config: Config) -> tuple[int, ...]:
    """Lengths of the rows of all matrices."""
    heads = config["num_attention_heads"] * head_size(config)
    return config["hidden_size"], heads, config["intermediate_size"]


def rope_of(config: Config) -> dict[str, Any]:
    """How positions are encoded; checkpoints of older versions of transformers have two fields."""
    rope = dict(config.get("rope_parameters") or config.get("rope_scaling") or {})
    rope.setdefault("rope_theta", config.get("rope_theta", 10_000.0))
    if "type" in rope:
        rope.setdefault("rope_type", rope["type"])
    return rope


def head_size(config: Config) -> int:
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])

"""Which toggles cannot work together: one table, looked at when a setup is built. No torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backends.capabilities import Availability
from backends.errors import InvalidSetup
from backends.local.devices import available_devices
from backends.local.formats import GPTQ_BITS, format_of
from backends.setup import Setup


@dataclass(frozen=True, slots=True)
class Conflict:
    """Setups for which `holds` is true cannot work, for this reason; `remedy` is the way out."""

    holds: Callable[[Setup], bool]
    reason: str
    remedy: str


def _on_mps(setup: Setup) -> bool:
    return setup.device == "mps" or (setup.device == "auto" and available_devices()[0] == "mps")


CONFLICTS = (
    Conflict(
        lambda setup: setup.speculation != "none" and setup.kv_cache != "dynamic",
        "Speculation takes back wrong guesses, which only a growing KV cache can do.",
        "Choose KV cache on (grows), or turn speculation off.",
    ),
    Conflict(
        lambda setup: setup.reuse_prefix and setup.kv_cache != "dynamic",
        "Only a growing KV cache can be cropped to the prefix and kept.",
        "Choose KV cache on (grows), or turn reuse prefix off.",
    ),
    Conflict(
        lambda setup: setup.reuse_prefix and setup.speculation != "none",
        "Speculation begins each answer with a cache of its own.",
        "Turn speculation or reuse prefix off.",
    ),
    Conflict(
        lambda setup: setup.compile and setup.kv_cache != "static",
        "A compiled step needs a KV cache whose shape stays.",
        "Choose KV cache static, or turn compile off.",
    ),
    Conflict(
        lambda setup: setup.compile and format_of(setup).is_quantized,
        "transformers does not compile models with quantized weights.",
        "Turn compile off, or choose fp32, bf16 or fp16.",
    ),
    Conflict(
        lambda setup: setup.prefill_chunk is not None and setup.kv_cache == "off",
        "Without a KV cache there is nothing to keep a chunk in.",
        "Turn the KV cache on, or leave prefill chunk empty.",
    ),
    Conflict(
        lambda setup: setup.prefill_chunk is not None and setup.speculation != "none",
        "transformers computes the prompt of an assisted generation in one pass.",
        "Leave prefill chunk empty, or turn speculation off.",
    ),
    Conflict(
        lambda setup: setup.prefill_chunk is not None and setup.compile,
        "Each length of a chunk would be compiled anew inside a run.",
        "Leave prefill chunk empty, or turn compile off.",
    ),
    Conflict(
        lambda setup: setup.weights in ("int8", "nf4") and _on_mps(setup),
        "bitsandbytes has no kernels for Apple's GPUs.",
        "Choose fp16 weights, or device cpu.",
    ),
    Conflict(
        lambda setup: setup.weights in GPTQ_BITS and _on_mps(setup),
        "GPTQModel's kernels are for CUDA GPUs and CPUs.",
        "Choose fp16 weights, or device cpu.",
    ),
    Conflict(
        lambda setup: setup.compile and _on_mps(setup),
        "Compiled steps are for CUDA GPUs and CPUs here.",
        "Turn compile off, or choose another device.",
    ),
    Conflict(
        lambda setup: setup.attention == "flash" and setup.weights == "fp32",
        "FlashAttention computes in 16 bits.",
        "Choose bf16 or fp16 weights, or attention sdpa.",
    ),
    Conflict(
        lambda setup: setup.attention == "flash" and setup.device == "cpu",
        "FlashAttention runs on CUDA GPUs.",
        "Choose attention sdpa, or device cuda.",
    ),
)


def check_combination(setup: Setup) -> Availability:
    """The first conflict of a setup, or that there is none."""
    for conflict in CONFLICTS:
        if conflict.holds(setup):
            return Availability(False, conflict.reason, conflict.remedy)
    return Availability(True)


def no_window() -> InvalidSetup:
    return InvalidSetup(
        "No layer of this model has a sliding window: each attends to the whole text.",
        "Choose KV cache on (grows).",
    )


def window_not_quantized() -> InvalidSetup:
    return InvalidSetup(
        "The quantized KV cache is for models whose layers all attend to the whole text.",
        "Choose KV cache on (grows), or sliding window.",
    )

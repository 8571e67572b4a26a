"""Number formats of GGUF files: how they are called and how many bytes a weight takes."""

from __future__ import annotations

from dataclasses import dataclass

from backends.setup import Weights


@dataclass(frozen=True, slots=True)
class GgufFormat:
    """`name` is the one in file names, such as F16. `block` weights are packed together, so every
    row of a matrix must be whole blocks; `matrix_bytes` are those of a weight, scales included.
    `is_quantized`: made by llama.cpp from an F16 file.
    """

    name: str
    matrix_bytes: float
    block: int = 1
    is_quantized: bool = False


# A block of 32 has one FP16 scale. Q4_K_M holds some matrices in Q6_K: its bytes are an average.
FORMATS: dict[Weights, GgufFormat] = {
    "fp32": GgufFormat("F32", 4),
    "bf16": GgufFormat("BF16", 2),
    "fp16": GgufFormat("F16", 2),
    "q8_0": GgufFormat("Q8_0", 34 / 32, 32, is_quantized=True),
    "q4_0": GgufFormat("Q4_0", 18 / 32, 32, is_quantized=True),
    "q4_k_m": GgufFormat("Q4_K_M", 4.85 / 8, 256, is_quantized=True),
}
# The weights of a file are what they are.
AS_STORED: Weights = "gguf"

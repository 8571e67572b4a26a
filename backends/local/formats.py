"""Number formats of weights: how many bytes each takes. No torch."""

from __future__ import annotations

from dataclasses import dataclass

from backends.catalog import CatalogModel
from backends.setup import Setup, Weights


@dataclass(frozen=True, slots=True)
class Format:
    """Bytes of a weight in the big matrices of the layers, scales included, and of any other.

    `library` is what must be installed beside torch and transformers.
    """

    matrix_bytes: float
    other_bytes: int
    library: str | None = None

    @property
    def is_quantized(self) -> bool:
        return self.library is not None


# A group of 128 INT4 weights has a scale and a zero point (FP16 and INT4); a block of 64 NF4
# weights has one FP32 scale; a row of INT8 weights has one FP32 scale.
FORMATS: dict[Weights, Format] = {
    "fp32": Format(4, 4),
    "bf16": Format(2, 2),
    "fp16": Format(2, 2),
    "int8": Format(1.01, 2, "bitsandbytes"),
    "nf4": Format(0.5 + 4 / 64, 2, "bitsandbytes"),
    "gptq-int4": Format(0.5 + 2.5 / 128, 2, "gptqmodel"),
    "gptq-int8": Format(1 + 3 / 128, 2, "gptqmodel"),
}
GPTQ_BITS: dict[Weights, int] = {"gptq-int4": 4, "gptq-int8": 8}


def catalog_bytes(entry: CatalogModel, wanted: Format) -> int:
    """What a model of the catalog takes in a format, before any of its files is here."""
    in_matrices = entry.parameters - entry.embedding_parameters
    matrices = in_matrices * wanted.matrix_bytes
    return int(matrices + entry.embedding_parameters * wanted.other_bytes)


def format_of(setup: Setup) -> Format:
    return FORMATS[setup.weights]

"""What `from_pretrained` is told for quantized weights, each by the library its field uses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from transformers import BitsAndBytesConfig, GPTQConfig

from backends.errors import InvalidSetup
from backends.local.formats import GPTQ_BITS
from backends.local.weight_files import gptq_bits
from backends.local.worker.gptq import kernel_for
from backends.setup import Setup

INT8_THRESHOLD = 6.0


def quantization_options(setup: Setup, folder: Path) -> dict[str, Any]:
    """The `quantization_config` of this setup; nothing for plain number formats.

    Raises `InvalidSetup` where checkpoint and setup do not fit.
    """
    stored_bits = gptq_bits(folder)
    if setup.weights in GPTQ_BITS:
        return {"quantization_config": _gptq(folder, stored_bits, GPTQ_BITS[setup.weights])}
    if stored_bits is not None:
        raise InvalidSetup(
            f"This checkpoint is quantized already (GPTQ, {stored_bits} bits).",
            f"Choose weights gptq-int{stored_bits}, or the model it was made from.",
        )
    if setup.weights == "int8":
        threshold = float(setup.options.get("int8_threshold", INT8_THRESHOLD))
        config = BitsAndBytesConfig(load_in_8bit=True, llm_int8_threshold=threshold)
        return {"quantization_config": config}
    if setup.weights == "nf4":
        config = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_compute_dtype=torch.bfloat16,
            bnb_4bit_use_double_quant=bool(setup.options.get("nf4_double_quant", False)),
        )
        return {"quantization_config": config}
    return {}


def _gptq(folder: Path, stored_bits: int | None, wanted_bits: int) -> GPTQConfig:
    if stored_bits != wanted_bits:
        raise InvalidSetup(
            f"This GPTQ checkpoint has {stored_bits} bits, not {wanted_bits}.",
            f"Choose weights gptq-int{stored_bits}.",
        )
    prepare_gptq()
    return GPTQConfig(bits=wanted_bits, backend=kernel_for(folder))


def prepare_gptq() -> None:
    """Settings that gptqmodel reads when it is imported: with two cores or fewer its loader asks
    for more workers than its pool would have."""
    os.environ.setdefault("GPTQMODEL_CPU_WORKERS", "2")

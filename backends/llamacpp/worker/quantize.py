"""Makes a GGUF file of fewer bits from one of 16, by llama.cpp's own quantizer."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import llama_cpp

from backends.errors import LoadFailed
from backends.llamacpp.worker.logs import listening
from backends.worker.serving import OnStage

QUANTIZER = f"llama-cpp-python {metadata.version('llama-cpp-python')}"
_TYPES = {
    "Q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0,
    "Q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0,
    "Q4_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M,
}
_TENSOR = re.compile(r"\[ *(\d+)/ *(\d+)\]")


def quantize(source: Path, type_name: str, target: Path, threads: int, on_stage: OnStage) -> None:
    """Raises `LoadFailed` where llama.cpp cannot."""
    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype = _TYPES[type_name]
    options.nthread = threads

    def tell(line: str) -> None:
        found = _TENSOR.search(line)
        if found is not None:
            on_stage(f"Quantizing to {type_name}", int(found[1]) / int(found[2]))

    on_stage(f"Quantizing to {type_name}", 0.0)
    with listening(tell):
        code = llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), options)
    if code or not target.is_file():
        raise LoadFailed(
            f"llama.cpp could not quantize this model to {type_name}.",
            "Choose fp16 weights; free space on the disk of the data folder.",
        )

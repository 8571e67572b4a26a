"""What is really loaded, read from the file's tensors and from llama.cpp itself."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import gguf
import llama_cpp

from backends.engine import EngineFacts
from backends.errors import LoadFailed
from backends.llamacpp.worker.context import Context
from backends.worker.messages import Load

_DTYPES = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}
# Bytes of a number in the cache, scales of its block included.
_CACHE_ITEM_BYTES = {"f16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}


@dataclass(slots=True)
class Tensors:
    """Bytes of a file's tensors by part and by type, and how many matrices are of which type."""

    by_part: dict[str, int] = field(default_factory=dict)
    by_type: dict[str, int] = field(default_factory=dict)
    matrices: Counter[str] = field(default_factory=Counter)

    @classmethod
    def read(cls, file: Path) -> Tensors:
        """Raises `LoadFailed` for a file that is broken."""
        found = cls()
        try:
            tensors = gguf.GGUFReader(file).tensors
        except Exception as error:
            raise LoadFailed(
                f"{file.name} is not a whole GGUF file.", "Download or copy it again.", str(error)
            ) from error
        for tensor in tensors:
            type_name = tensor.tensor_type.name
            part, dtype = _part_of(tensor.name), _DTYPES.get(type_name, type_name.lower())
            found.by_part[part] = found.by_part.get(part, 0) + int(tensor.n_bytes)
            found.by_type[dtype] = found.by_type.get(dtype, 0) + int(tensor.n_bytes)
            if len(tensor.shape) > 1:
                found.matrices[type_name] += 1
        return found

    @property
    def total_bytes(self) -> int:
        return sum(self.by_part.values())


def _part_of(name: str) -> str:
    if name.startswith("token_embd"):
        return "embeddings"
    for part, word in {"norms": "norm", "attention": "attn", "mlp": "ffn"}.items():
        if word in name:
            return part
    return "head" if name.startswith("output") else "other"


def head_size(context: Context) -> int | None:
    """Numbers of a head's key; None where keys and values differ or llama.cpp does not tell."""
    heads = llama_cpp.llama_model_n_head(context.model)
    told = {context.metadata(f"attention.{kind}_length") for kind in ("key", "value")}
    if told == {None}:
        return int(llama_cpp.llama_model_n_embd(context.model)) // heads if heads else None
    only = told.pop() if len(told) == 1 else None
    return int(only) if only is not None else None


def cache_bytes(context: Context) -> int | None:
    """Keys and values of every token that there is room for; None for a model whose layers do not
    all keep the same."""
    model, size = context.model, head_size(context)
    keeps_less = (
        llama_cpp.llama_model_n_swa(model)
        or llama_cpp.llama_model_is_recurrent(model)
        or llama_cpp.llama_model_is_hybrid(model)
    )
    if keeps_less or size is None:
        return None
    layers, heads = llama_cpp.llama_model_n_layer(model), llama_cpp.llama_model_n_head_kv(model)
    items = 2 * layers * heads * size * context.cache_tokens
    return int(items * _CACHE_ITEM_BYTES[context.cache_type])


def read_facts(
    order: Load, revision: str | None, tensors: Tensors, context: Context, *, is_plain: bool
) -> EngineFacts:
    model = context.model
    return EngineFacts(
        model_path=order.source,
        revision=revision,
        device=order.device,
        device_name=f"{context.gpu_layers} layers on the GPU" if context.gpu_layers else "cpu",
        dtypes=tensors.by_type,
        parameters=int(llama_cpp.llama_model_n_params(model)),
        weights_bytes=tensors.total_bytes,
        weights_bytes_by_part=tensors.by_part,
        context_window=context.window,
        layers=int(llama_cpp.llama_model_n_layer(model)),
        kv_heads=int(llama_cpp.llama_model_n_head_kv(model)),
        head_size=head_size(context),
        attention_kernel=f"ggml flash attention, KV cache {context.cache_type}",
        linear_kernels={
            f"ggml {name} ({instructions()})": count for name, count in tensors.matrices.items()
        },
        threads=int(llama_cpp.llama_n_threads(context.pointer)),
        chat_template="plain" if is_plain else "own",
        process_id=os.getpid(),
        versions={
            "llama_cpp_python": metadata.version("llama-cpp-python"),
            "llama.cpp": llama_cpp.llama_version().decode(),
        },
    )


def instructions() -> str:
    """What llama.cpp was built to use of this processor, as it says itself."""
    told = llama_cpp.llama_print_system_info().decode()
    named = (item.partition("=") for item in told.replace(":", "|").split("|"))
    return " ".join(name.strip() for name, _, value in named if value.strip() == "1")

"""Writes a checkpoint of safetensors as a GGUF file: llama.cpp's names, order of rows and keys."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from safetensors import safe_open

from backends.errors import LoadFailed
from backends.llamacpp.checkpoints import (
    SCALED_ANGLES,
    Config,
    Family,
    family_of,
    head_size,
    rope_of,
)
from backends.llamacpp.worker.gguf_tokenizer import read_json, write_tokenizer
from backends.worker.serving import OnStage

# Another recipe makes another file: raised when what is written changes.
WRITER = f"1, gguf {metadata.version('gguf')}"
_TYPES = {
    "F32": gguf.GGMLQuantizationType.F32,
    "F16": gguf.GGMLQuantizationType.F16,
    "BF16": gguf.GGMLQuantizationType.BF16,
}
_FILE_TYPES = {
    "F32": gguf.LlamaFileType.ALL_F32,
    "F16": gguf.LlamaFileType.MOSTLY_F16,
    "BF16": gguf.LlamaFileType.MOSTLY_BF16,
}
_LAYER = re.compile(r"model\.layers\.(\d+)\.(.+)\.(weight|bias)")
_IN_LAYER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_OUTSIDE = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
_FACTORS = "rope_freqs.weight"
Array = np.ndarray[Any, np.dtype[Any]]


def write_gguf(folder: Path, type_name: str, target: Path, on_stage: OnStage) -> None:
    """Write the checkpoint in `folder` to `target`, its matrices as F32, F16 or BF16, its vectors
    as F32.

    Raises `InvalidSetup` for an architecture that is not known here, `LoadFailed` for weights that
    F16 cannot hold.
    """
    config = read_json(folder / "config.json")
    family = family_of(config)
    writer = gguf.GGUFWriter(target, family.name)
    try:
        _write_sizes(writer, config, folder.name, type_name)
        write_tokenizer(writer, folder, config)
        tensors = sorted(_tensors(folder, config), key=lambda tensor: tensor.name)
        for tensor in tensors:
            tensor.announce(writer, type_name)
        factors = _angle_factors(config)
        if factors is not None:
            writer.add_tensor_info(_FACTORS, factors.shape, factors.dtype, factors.nbytes)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for index, tensor in enumerate(tensors):
            on_stage(f"Writing GGUF {type_name}", index / len(tensors))
            writer.write_tensor_data(tensor.data(family, config, type_name))
        if factors is not None:
            writer.write_tensor_data(factors)
    finally:
        writer.close()


def _write_sizes(writer: Any, config: Config, name: str, type_name: str) -> None:
    size = head_size(config)
    heads = config["num_attention_heads"]
    writer.add_name(name)
    writer.add_file_type(_FILE_TYPES[type_name])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.get("num_key_value_heads") or heads)
    writer.add_key_length(size)
    writer.add_value_length(size)
    writer.add_rope_dimension_count(size)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(rope_of(config)["rope_theta"])


# Tensors


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A tensor of the checkpoint, read when it is written. `source` is its name there."""

    name: str
    source: str
    file: Path
    shape: tuple[int, ...]

    def type_name(self, wanted: str) -> str:
        return wanted if len(self.shape) > 1 else "F32"

    def announce(self, writer: Any, wanted: str) -> None:
        type_ = _TYPES[self.type_name(wanted)]
        item_bytes = 4 if type_ == gguf.GGMLQuantizationType.F32 else 2
        size = int(np.prod(self.shape)) * item_bytes
        dtype = np.dtype(np.float32 if item_bytes == 4 else np.float16)
        writer.add_tensor_info(self.name, self.shape, dtype, size, raw_dtype=type_)

    def data(self, family: Family, config: Config, wanted: str) -> Array:
        with safe_open(self.file, framework="pt") as stored:
            tensor = stored.get_tensor(self.source)
        if family.turns_pairs and self.name.split(".")[-2] in ("attn_q", "attn_k"):
            tensor = _pairs_beside_each_other(tensor, head_size(config))
        array: Array = tensor.to(torch.float32).contiguous().numpy()
        type_name = self.type_name(wanted)
        if type_name == "BF16":
            return np.asarray(gguf.quantize(array, _TYPES[type_name]))
        if type_name == "F16":
            array = array.astype(np.float16)
            if not np.isfinite(array).all():
                raise LoadFailed(
                    f"{self.source} has numbers that F16 cannot hold.", "Choose bf16 or fp32."
                )
        return array


def _tensors(folder: Path, config: Config) -> Iterator[_Tensor]:
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as stored:
            for source in stored.keys():  # noqa: SIM118  # no mapping
                if source == "lm_head.weight" and config.get("tie_word_embeddings"):
                    continue
                shape = tuple(stored.get_slice(source).get_shape())
                yield _Tensor(_name_of(source), source, file, shape)


def _name_of(source: str) -> str:
    if source in _OUTSIDE:
        return _OUTSIDE[source]
    found = _LAYER.fullmatch(source)
    if found is None or found[2] not in _IN_LAYER:
        raise LoadFailed(
            f"This checkpoint cannot be written as GGUF: it has a tensor {source}.",
            "Give the path of a GGUF file of this model, or run it with transformers.",
        )
    return f"blk.{found[1]}.{_IN_LAYER[found[2]]}.{found[3]}"


def _pairs_beside_each_other(matrix: torch.Tensor, size: int) -> torch.Tensor:
    """Rows of each head in the order 0, half, 1, half + 1, …; [heads x head size, width]."""
    halves = matrix.reshape(-1, 2, size // 2, *matrix.shape[1:])
    return halves.transpose(1, 2).reshape(matrix.shape)


def _angle_factors(config: Config) -> Array | None:
    """By what each pair's angle is divided, [head size / 2], where Llama 3.1's scaling is on.

    A pair that turns once in more than original context / low_freq_factor tokens is slowed down by
    `factor`, one that turns in less than original context / high_freq_factor keeps its speed, and
    the speed of those between is mixed of both.
    """
    rope, size = rope_of(config), head_size(config)
    if rope.get("rope_type") != SCALED_ANGLES:
        return None
    pairs = np.arange(0, size, 2, dtype=np.float64) / size
    tokens_a_turn = 2 * math.pi * rope["rope_theta"] ** pairs
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    turns = rope["original_max_position_embeddings"] / tokens_a_turn
    kept = np.clip((turns - low) / (high - low), 0, 1)
    return np.asarray(1 / (kept + (1 - kept) / rope["factor"]), dtype=np.float32)

"""Writes a checkpoint of safetensors as a GGUF file: llama.cpp's names, order of rows and keys."""

from __future__ import annotations

import json
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
from backends.llamacpp.checkpoints import Config, Family, family_of, head_size, rope_of
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
_SINGLE_DIGITS = json.dumps([{"type": "Digits", "individual_digits": True}])
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
Array = np.ndarray[Any, np.dtype[Any]]


def write_gguf(folder: Path, type_name: str, target: Path, on_stage: OnStage) -> None:
    """Write the checkpoint in `folder` to `target`, its matrices as F32, F16 or BF16, its vectors
    as F32.

    Raises `InvalidSetup` for an architecture that is not known here, `LoadFailed` for weights that
    F16 cannot hold.
    """
    config = _read(folder / "config.json")
    family = family_of(config)
    writer = gguf.GGUFWriter(target, family.name)
    try:
        _write_sizes(writer, config, folder.name, type_name)
        _write_tokenizer(writer, folder, config)
        tensors = sorted(_tensors(folder, config), key=lambda tensor: tensor.name)
        for tensor in tensors:
            tensor.announce(writer, type_name)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for index, tensor in enumerate(tensors):
            on_stage(f"Writing GGUF {type_name}", index / len(tensors))
            writer.write_tensor_data(tensor.data(family, config, type_name))
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


# Tokenizer


def _write_tokenizer(writer: Any, folder: Path, config: Config) -> None:
    """The tokenizer, where llama.cpp has the same one; else none. Our engine reads the
    checkpoint's own in either case; this one is for whoever takes the file elsewhere."""
    found = _read(folder / "tokenizer.json") if (folder / "tokenizer.json").is_file() else {}
    split = _split_name(found)
    if split is None:
        writer.add_tokenizer_model("no_vocab")
        return
    size = config["vocab_size"]
    tokens = [f"[UNUSED{index}]" for index in range(size)]
    types = [gguf.TokenType.UNUSED] * size
    for token, index in found["model"]["vocab"].items():
        tokens[index], types[index] = token, gguf.TokenType.NORMAL
    for added in found["added_tokens"]:
        kind = gguf.TokenType.CONTROL if added["special"] else gguf.TokenType.USER_DEFINED
        tokens[added["id"]], types[added["id"]] = added["content"], kind
    pairs = found["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(split)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([pair if isinstance(pair, str) else " ".join(pair) for pair in pairs])
    writer.add_add_bos_token(False)
    for id_of, add in (
        ("bos_token_id", writer.add_bos_token_id),
        ("eos_token_id", writer.add_eos_token_id),
        ("pad_token_id", writer.add_pad_token_id),
    ):
        value = config.get(id_of)
        value = value[0] if isinstance(value, list) else value
        if value is not None:
            add(value)
    template = _template(folder)
    if template is not None:
        writer.add_chat_template(template)


def _template(folder: Path) -> str | None:
    """The checkpoint's chat template; older versions of transformers kept it elsewhere."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    file = folder / "tokenizer_config.json"
    template = _read(file).get("chat_template") if file.is_file() else None
    return template if isinstance(template, str) else None


def _split_name(tokenizer: dict[str, Any]) -> str | None:
    """What llama.cpp calls this tokenizer's way to split text before merging, where it is one of
    the two that are the same beyond doubt; None where it is another, or merges nothing."""
    split, model = tokenizer.get("pre_tokenizer") or {}, tokenizer.get("model") or {}
    is_plain = tokenizer.get("normalizer") is None and model.get("type") == "BPE"
    if not is_plain or not model["merges"] or not _is_byte_level(tokenizer.get("decoder") or {}):
        return None
    *before, last = split.get("pretokenizers", [split])
    if not _is_byte_level(last) or last.get("add_prefix_space"):
        return None
    names = {_SINGLE_DIGITS: "smollm", "[]": "gpt-2"}
    return names.get(json.dumps(before))


def _is_byte_level(part: dict[str, Any]) -> bool:
    return part.get("type") == "ByteLevel" and part.get("use_regex", True)


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


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LoadFailed(f"{path.name} cannot be read.", "Download or copy it again.") from error
    return found if isinstance(found, dict) else {}

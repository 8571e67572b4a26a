"""What is really loaded, read from the modules: bytes by part, dtypes, kernels, sizes."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import nn
from transformers import AutoModelForCausalLM

from backends.engine import EngineFacts
from backends.worker.messages import Load


def storage_bytes(tensors: Iterable[torch.Tensor]) -> int:
    """Bytes of the distinct storages behind these tensors (shared ones count once)."""
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage() for tensor in tensors}
    return sum(storage.nbytes() for storage in storages.values())


def _part_of(name: str, module: nn.Module) -> str:
    """Which part of a transformer a parameter belongs to, by its name's usual words."""
    lowered = name.lower()
    if isinstance(module, nn.Embedding) or "embed" in lowered:
        return "embeddings"
    for part, words in {
        "attention": ("attn", "attention"),
        "mlp": ("mlp", "feed_forward", "ffn"),
        "norms": ("norm", "ln_"),
        "head": ("lm_head",),
    }.items():
        if any(word in lowered for word in words):
            return part
    return "other"


def _quantization_state(module: nn.Module) -> list[tuple[str, torch.Tensor]]:
    """Scales and codes that bitsandbytes keeps beside its weights: attributes, no parameters."""
    weight = getattr(module, "weight", None)
    found: list[tuple[str, torch.Tensor]] = []
    holders = [weight, getattr(module, "state", None), getattr(weight, "quant_state", None)]
    holders.append(getattr(holders[-1], "state2", None))
    for holder in holders:
        for name in ("CB", "SCB", "absmax", "code", "offset"):
            tensor = getattr(holder, name, None)
            if isinstance(tensor, torch.Tensor) and tensor.numel():
                found.append((name, tensor))
    return found


def linear_kernels(model: nn.Module) -> dict[str, int]:
    """How many matrices are multiplied by which kind of module."""
    named = [type(m).__name__ for m in model.modules() if "Linear" in type(m).__name__]
    return dict(Counter(named))


def parameter_count(model: Any) -> int:
    """Weights of the architecture: packed ones hide several in one number."""
    config = copy.deepcopy(model.config)
    if getattr(config, "quantization_config", None) is None:
        return sum(parameter.numel() for parameter in model.parameters())
    del config.quantization_config
    with torch.device("meta"):
        plain = AutoModelForCausalLM.from_config(config)
    return sum(parameter.numel() for parameter in plain.parameters())


def read_facts(
    order: Load,
    folder: Path,
    revision: str | None,
    model: Any,
    device: torch.device,
    has_template: bool,
) -> EngineFacts:
    by_part: dict[str, int] = {}
    dtypes: dict[str, int] = {}
    seen: set[int] = set()
    for module_name, module in model.named_modules():
        for name, tensor in [
            *module.named_parameters(recurse=False),
            *module.named_buffers(recurse=False),
            *_quantization_state(module),
        ]:
            pointer = tensor.untyped_storage().data_ptr()
            if pointer in seen:
                continue
            seen.add(pointer)
            size = tensor.untyped_storage().nbytes()
            part = _part_of(f"{module_name}.{name}", module)
            by_part[part] = by_part.get(part, 0) + size
            dtype = str(tensor.dtype).removeprefix("torch.")
            dtypes[dtype] = dtypes.get(dtype, 0) + size
    config = model.config.get_text_config()
    heads = getattr(config, "num_attention_heads", None)
    head_size = getattr(config, "head_dim", None)
    if head_size is None and heads:
        head_size = config.hidden_size // heads
    is_cuda = device.type == "cuda"
    return EngineFacts(
        model_path=order.source,
        revision=revision,
        device=str(device),
        device_name=torch.cuda.get_device_name(device) if is_cuda else device.type,
        dtypes=dtypes,
        parameters=parameter_count(model),
        linear_kernels=linear_kernels(model),
        weights_bytes=sum(by_part.values()),
        weights_bytes_by_part=by_part,
        context_window=getattr(config, "max_position_embeddings", None),
        layers=getattr(config, "num_hidden_layers", None),
        kv_heads=getattr(config, "num_key_value_heads", heads),
        head_size=head_size,
        attention_kernel=str(getattr(config, "_attn_implementation", "")),
        threads=torch.get_num_threads(),
        chat_template="own" if has_template else "plain",
        process_id=psutil.Process().pid,
        versions={name: metadata.version(name) for name in ("torch", "transformers")},
    )

"""Opens what lies in a checkpoint's folder: safetensors only, never remote code."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from backends.errors import LoadFailed, NoDevice, OutOfMemory
from backends.local.formats import Format
from backends.local.weight_files import checkpoint_bytes
from backends.setup import Attention
from backends.worker.memory import free_bytes, require_room

_ATTENTION: dict[Attention, str] = {
    "sdpa": "sdpa",
    "eager": "eager",
    "flash": "flash_attention_2",
}


def torch_device(name: str) -> torch.device:
    """The torch device, checked. There is no fallback: what was asked for or an error."""
    device = torch.device(name)
    if device.type == "cuda" and (
        not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()
    ):
        raise NoDevice(
            f"PyTorch sees no device {name}.",
            "Choose device cpu, or install a CUDA build of torch.",
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise NoDevice("PyTorch sees no Apple GPU (mps).", "Choose device cpu.")
    return device


def check_fits(folder: Path, wanted: Format, device: torch.device, budget: int | None) -> None:
    """Refuse, with the numbers, what cannot fit the memory that is free."""
    needed = checkpoint_bytes(folder, wanted)
    if device.type == "cuda":
        free, where = int(torch.cuda.mem_get_info(device)[0]), "on the GPU"
    else:
        free, where = free_bytes(), "on this machine"
    require_room(needed, free, where, budget)


def open_tokenizer(folder: Path) -> Any:
    try:
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:
        raise LoadFailed(
            f"The tokenizer could not be read: {_first_line(error)}",
            "The folder needs tokenizer.json (a fast tokenizer) and tokenizer_config.json.",
        ) from error


def open_model(
    folder: Path,
    dtype: torch.dtype,
    device: torch.device,
    *,
    attention: Attention = "sdpa",
    **quantization: Any,
) -> Any:
    """The model on its device; with a `quantization_config` its matrices are quantized on the way.

    Raises `LoadFailed` or `OutOfMemory`.
    """
    placed = {"device_map": {"": device}} if quantization else {}
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        model, found = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
            attn_implementation=_ATTENTION[attention],
            **quantization,
            **placed,
        )
        _refuse_made_up_weights(found["missing_keys"])
        model.eval()
        if quantization:
            _try_kernels(model, folder)
        if device.type == "cpu":
            _own_memory(model)
        elif not quantization:
            model.to(device)
        refuse_offload(model, device)
        return model
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise OutOfMemory(
            "Memory ran out while the weights were loaded.",
            "Unload other engines, or choose smaller weights.",
        ) from error
    except LoadFailed:
        raise
    except Exception as error:
        raise LoadFailed(
            f"The model could not be loaded: {_first_line(error)}",
            "Check that the folder holds a text-generation model that transformers knows.",
            str(error)[:4000],
        ) from error


def _try_kernels(model: nn.Module, folder: Path) -> None:
    """One token through the model: kernels pack their weights, and refuse widths, only then."""
    try:
        with torch.no_grad():
            model(torch.zeros((1, 1), dtype=torch.long, device=next(model.parameters()).device))
    except (AssertionError, ValueError, RuntimeError) as error:
        text = model.config.get_text_config()
        raise LoadFailed(
            f"The kernel for these weights refuses this model ({_first_line(error)}): its widths "
            f"are {text.hidden_size} and {text.intermediate_size}.",
            "Choose INT8 or 16-bit weights for this model.",
        ) from error


def _own_memory(model: nn.Module) -> None:
    """Copy tensors out of the file mapping: the engine's memory is then its own and measurable.

    What a quantization library has wrapped is its own already.
    """
    for tensor in itertools.chain(model.parameters(), model.buffers()):
        if type(tensor) in (nn.Parameter, torch.Tensor):
            tensor.data = tensor.data.clone()


def refuse_offload(model: nn.Module, device: torch.device) -> None:
    """Libraries may leave what does not fit on the CPU or on disk, silently: every figure would
    then be of something else. Raises `LoadFailed`."""
    tensors = itertools.chain(model.named_parameters(), model.named_buffers())
    elsewhere = [name for name, tensor in tensors if tensor.device.type != device.type]
    if elsewhere:
        raise LoadFailed(
            f"{len(elsewhere)} of the model's tensors do not lie on {device} ({elsewhere[0]}).",
            "Choose smaller weights, unload other engines, or choose device cpu.",
        )


def _refuse_made_up_weights(missing: Iterable[str]) -> None:
    """transformers fills weights that the files lack with random numbers, and only warns."""
    names = sorted(missing)
    if names:
        raise LoadFailed(
            f"The files lack {len(names)} of the model's tensors ({', '.join(names[:3])}).",
            "Download or copy the whole checkpoint, with all its .safetensors files.",
        )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


def end_token_ids(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """Every token that the checkpoint says ends an answer, from all places where it may say so."""
    found: list[int] = []
    for source in (model.generation_config, model.config, tokenizer):
        ids = getattr(source, "eos_token_id", None)
        found += ids if isinstance(ids, list) else [ids] if ids is not None else []
    return tuple(dict.fromkeys(found))

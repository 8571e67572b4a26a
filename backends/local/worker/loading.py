"""Opens a checkpoint: find it, check it, load it, copy it out of the file mapping, look at it.

Safetensors only, never remote code. What is reported is read from the loaded modules.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from backends.engine import EngineFacts
from backends.errors import LoadFailed, NoDevice, OutOfMemory
from backends.local.memory import ProcessMemory, return_free_memory
from backends.local.messages import Load
from backends.local.weight_files import check_folder, checkpoint_bytes
from backends.local.worker.download import fetch_from_hub
from backends.setup import Setup

OnStage = Callable[[str, float | None], None]
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
# For a checkpoint without a template: the turns' texts, one under the other.
PLAIN_TEMPLATE = "{% for message in messages %}{{ message['content'] }}\n{% endfor %}"


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to generate. `end_token_ids` end an answer."""

    setup: Setup
    model: Any
    tokenizer: Any
    end_token_ids: tuple[int, ...]
    pad_token_id: int
    facts: EngineFacts


def load(order: Load, memory: ProcessMemory, on_stage: OnStage) -> LoadedModel:
    """Load what `order` asks for; `ModelNotFound`, `LoadFailed`, `OutOfMemory` or `NoDevice`."""
    started = time.perf_counter()
    device = _device(order.device)
    folder, revision = Path(order.source), order.setup.revision
    if not folder.is_dir():
        folder, revision = fetch_from_hub(order.source, revision, order.token, on_stage)
    check_folder(folder)
    dtype = _DTYPES[order.setup.weights]
    _check_fits(folder, dtype.itemsize, device, order.budget_bytes)
    on_stage("Reading the tokenizer", None)
    tokenizer = _tokenizer(folder)
    has_template = tokenizer.chat_template is not None
    if not has_template:
        tokenizer.chat_template = PLAIN_TEMPLATE
    on_stage("Loading the weights", None)
    model = _model(folder, dtype, device)
    end_token_ids = _end_token_ids(model, tokenizer)
    # A checkpoint's own sampling defaults would otherwise be mixed into every request.
    model.generation_config = GenerationConfig()
    gc.collect()
    return_free_memory()
    facts = _facts(order, folder, revision, model, device, has_template)
    facts = _with_load_time(facts, time.perf_counter() - started)
    pad = tokenizer.pad_token_id
    pad = pad if pad is not None else (end_token_ids[0] if end_token_ids else 0)
    return LoadedModel(order.setup, model, tokenizer, end_token_ids, pad, facts)


def _device(name: str) -> torch.device:
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


def _check_fits(folder: Path, item_bytes: int, device: torch.device, budget: int | None) -> None:
    """Refuse, with the numbers, what cannot fit the memory that is free."""
    needed = checkpoint_bytes(folder, item_bytes)
    if device.type == "cuda":
        free, where = int(torch.cuda.mem_get_info(device)[0]), "on the GPU"
    else:
        free, where = int(psutil.virtual_memory().available), "on this machine"
    if budget is not None and budget < free:
        free, where = budget, "left of the memory budget"
    if needed > free:
        raise OutOfMemory(
            f"The weights need {needed / 1e6:,.1f} MB; {free / 1e6:,.1f} MB are free {where}.",
            "Unload other engines, choose 16-bit weights or a smaller model, "
            "or raise DYNO_MEMORY_BUDGET_GB.",
        )


def _tokenizer(folder: Path) -> Any:
    try:
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:
        raise LoadFailed(
            f"The tokenizer could not be read: {_first_line(error)}",
            "The folder needs tokenizer.json (a fast tokenizer) and tokenizer_config.json.",
        ) from error


def _model(folder: Path, dtype: torch.dtype, device: torch.device) -> Any:
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
        )
        _refuse_made_up_weights(found["missing_keys"])
        model.eval()
        if device.type == "cpu":
            # Out of the file mapping: the engine's memory is then its own and can be measured.
            model._apply(lambda tensor: tensor.clone())
            return model
        return model.to(device)
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


def _end_token_ids(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """Every token that the checkpoint says ends an answer, from all places where it may say so."""
    found: list[int] = []
    for source in (model.generation_config, model.config, tokenizer):
        ids = getattr(source, "eos_token_id", None)
        found += ids if isinstance(ids, list) else [ids] if ids is not None else []
    return tuple(dict.fromkeys(found))


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


def _facts(
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
        parameters=sum(parameter.numel() for parameter in model.parameters()),
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


def _with_load_time(facts: EngineFacts, seconds: float) -> EngineFacts:
    from dataclasses import replace

    return replace(facts, load_seconds=round(seconds, 3))

"""From an order to a model that is ready: find it, open it, and the draft that guesses for it."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig

from backends.engine import EngineFacts
from backends.local.formats import GPTQ_BITS, Format, format_of
from backends.local.weight_files import check_folder, gptq_bits
from backends.local.worker.cache_kinds import check_cache
from backends.local.worker.checkpoint import (
    check_fits,
    end_token_ids,
    open_model,
    open_tokenizer,
    torch_device,
)
from backends.local.worker.download import fetch_from_hub
from backends.local.worker.facts import read_facts, storage_bytes
from backends.local.worker.gptq import quantized_folder
from backends.local.worker.quantized import prepare_gptq, quantization_options
from backends.setup import Setup
from backends.worker.memory import ProcessMemory, return_free_memory
from backends.worker.messages import Load
from backends.worker.prompts import PLAIN_TEMPLATE
from backends.worker.serving import OnStage

# What is not quantized, and what is computed in. Quantized weights compute in bf16 on a CPU.
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, slots=True)
class DraftModel:
    """The small model that guesses. `tokenizer` only where it is not the target's."""

    model: Any
    tokenizer: Any | None
    weights_bytes: int


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to generate. `end_token_ids` end an answer."""

    setup: Setup
    model: Any
    tokenizer: Any
    draft: DraftModel | None
    end_token_ids: tuple[int, ...]
    pad_token_id: int
    facts: EngineFacts


def load(order: Load, memory: ProcessMemory, on_stage: OnStage) -> LoadedModel:
    """Load what `order` asks for; `ModelNotFound`, `LoadFailed`, `OutOfMemory` or `NoDevice`."""
    started = time.perf_counter()
    memory.reset_peak()
    device = torch_device(order.device)
    folder, revision = _folder(order.source, order.setup.revision, order.token, on_stage)
    bits = GPTQ_BITS.get(order.setup.weights)
    if bits is not None and gptq_bits(folder) is None:
        folder = _quantized_here(order, folder, revision, bits, device, on_stage)
    dtype = _DTYPES.get(order.setup.weights, torch.bfloat16)
    check_fits(folder, format_of(order.setup), device, order.budget_bytes)
    quantization = quantization_options(order.setup, folder)
    on_stage("Reading the tokenizer", None)
    tokenizer = open_tokenizer(folder)
    has_template = tokenizer.chat_template is not None
    if not has_template:
        tokenizer.chat_template = PLAIN_TEMPLATE
    on_stage("Loading the weights", None)
    model = open_model(folder, dtype, device, attention=order.setup.attention, **quantization)
    check_cache(order.setup, model.config)
    ends = end_token_ids(model, tokenizer)
    # A checkpoint's own sampling defaults would otherwise be mixed into every request.
    model.generation_config = GenerationConfig()
    draft = None
    if order.draft_source is not None:
        draft = _draft(order, model, tokenizer, dtype, device, on_stage)
    gc.collect()
    return_free_memory()
    facts = read_facts(order, folder, revision, model, device, has_template)
    facts = replace(
        facts,
        load_seconds=round(time.perf_counter() - started, 3),
        load_peak_bytes=_peak_bytes(memory, device),
        draft_path=order.draft_source,
        draft_weights_bytes=draft.weights_bytes if draft else None,
        draft_parameters=sum(p.numel() for p in draft.model.parameters()) if draft else None,
    )
    pad = tokenizer.pad_token_id
    pad = pad if pad is not None else (ends[0] if ends else 0)
    return LoadedModel(order.setup, model, tokenizer, draft, ends, pad, facts)


def _peak_bytes(memory: ProcessMemory, device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return memory.peak()[0]


def _folder(
    source: str, revision: str | None, token: str | None, on_stage: OnStage
) -> tuple[Path, str | None]:
    """Where the checkpoint lies, downloaded if need be, and its commit."""
    folder = Path(source)
    if not folder.is_dir():
        folder, revision = fetch_from_hub(source, revision, token, on_stage)
    check_folder(folder)
    return folder, revision


def _quantized_here(
    order: Load,
    folder: Path,
    revision: str | None,
    bits: int,
    device: torch.device,
    on_stage: OnStage,
) -> Path:
    """A GPTQ checkpoint of a model that has none; it is made in 16 bits' memory."""
    check_fits(folder, Format(2, 2), device, order.budget_bytes)
    prepare_gptq()
    calibration, kept_in = Path(order.calibration), Path(order.kept_in)
    return quantized_folder(
        order.source, folder, revision, bits, calibration, kept_in, device, on_stage
    )


def _draft(
    order: Load,
    target: Any,
    tokenizer: Any,
    dtype: torch.dtype,
    device: torch.device,
    on_stage: OnStage,
) -> DraftModel:
    assert order.draft_source is not None
    folder, _ = _folder(order.draft_source, None, order.token, on_stage)
    check_fits(folder, Format(dtype.itemsize, dtype.itemsize), device, order.budget_bytes)
    on_stage("Loading the draft model", None)
    model = open_model(folder, dtype, device)
    model.generation_config = GenerationConfig()
    own = open_tokenizer(folder)
    same = own.get_vocab() == tokenizer.get_vocab() and (
        model.config.get_text_config().vocab_size == target.config.get_text_config().vocab_size
    )
    tensors = [*model.parameters(), *model.buffers()]
    return DraftModel(model, None if same else own, storage_bytes(tensors))

"""From an order to a GGUF model that is ready, written here first where there is only a
checkpoint."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from backends.catalog import is_gguf
from backends.engine import EngineFacts
from backends.errors import InvalidSetup, LoadFailed
from backends.llamacpp.formats import AS_STORED
from backends.llamacpp.options import CONTEXT, GPU_LAYERS, cache_type
from backends.llamacpp.worker.context import Context
from backends.llamacpp.worker.facts import Tensors, cache_bytes, read_facts
from backends.llamacpp.worker.files import GgufFile, gguf_file
from backends.llamacpp.worker.texts import CheckpointTexts, GgufTexts, Texts
from backends.setup import Setup, Weights
from backends.worker.memory import ProcessMemory, free_bytes, require_room
from backends.worker.messages import Load
from backends.worker.serving import OnStage
from backends.worker.stop_flag import StopFlag

# A draft is small: it stays in 16 bits where the target has fewer.
_DRAFT_WEIGHTS: Weights = "fp16"


@dataclass(frozen=True, slots=True)
class DraftModel:
    """The small model that guesses."""

    context: Context
    cache_bytes: int | None


@dataclass(frozen=True, slots=True)
class LoadedGguf:
    """A model ready to generate."""

    setup: Setup
    file: Path
    context: Context
    texts: Texts
    draft: DraftModel | None
    cache_bytes: int | None
    facts: EngineFacts


def load(order: Load, memory: ProcessMemory, stop: StopFlag, on_stage: OnStage) -> LoadedGguf:
    """Load what `order` asks for. Raises `ModelNotFound`, `LoadFailed`, `InvalidSetup` or
    `OutOfMemory`."""
    started = time.perf_counter()
    memory.reset_peak()
    setup = order.setup
    found = gguf_file(order, order.source, setup.revision, setup.weights, on_stage)
    tensors = Tensors.read(found.file)
    require_room(tensors.total_bytes, free_bytes(), "on this machine", order.budget_bytes)
    on_stage("Loading the weights", None)
    tokens = setup.options.get(CONTEXT)
    context = _opened(found, order, stop, None if tokens is None else int(tokens))
    texts = _texts(found, context)
    facts = read_facts(order, found.revision, tensors, context, is_plain=texts.is_plain)
    draft = None
    if order.draft_source is not None:
        draft, tensors = _draft(order, order.draft_source, texts, context, stop, on_stage)
        facts = replace(
            facts, draft_path=order.draft_source, draft_weights_bytes=tensors.total_bytes
        )
    facts = replace(
        facts,
        load_seconds=round(time.perf_counter() - started, 3),
        load_peak_bytes=memory.peak()[0],
    )
    return LoadedGguf(setup, found.file, context, texts, draft, cache_bytes(context), facts)


def _opened(
    found: GgufFile, order: Load, stop: StopFlag, tokens: int | None, *, is_draft: bool = False
) -> Context:
    options = order.setup.options
    return Context(
        found.file,
        tokens=tokens,
        is_draft=is_draft,
        threads=order.threads,
        stop=stop,
        cache_type=cache_type(order.setup),
        gpu_layers=int(options.get(GPU_LAYERS, 0)),
    )


def _texts(found: GgufFile, context: Context) -> Texts:
    if found.checkpoint is not None:
        return CheckpointTexts(found.checkpoint)
    if not context.has_tokenizer:
        raise LoadFailed(
            f"{found.file.name} holds no tokenizer.", "Open the checkpoint that it was made of."
        )
    return GgufTexts(context.model)


def _draft(
    order: Load,
    source: str,
    texts: Texts,
    target: Context,
    stop: StopFlag,
    on_stage: OnStage,
) -> tuple[DraftModel, Tensors]:
    weights = order.setup.weights
    if is_gguf(source):
        weights = AS_STORED
    elif weights not in ("fp32", "bf16", "fp16"):
        weights = _DRAFT_WEIGHTS
    found = gguf_file(order, source, None, weights, on_stage)
    tensors = Tensors.read(found.file)
    require_room(tensors.total_bytes, free_bytes(), "on this machine", order.budget_bytes)
    on_stage("Loading the draft model", None)
    context = _opened(found, order, stop, target.window, is_draft=True)
    if context.vocab_size != target.vocab_size or (
        _texts(found, context).tokens() != texts.tokens()
    ):
        raise InvalidSetup(
            "The draft model has another vocabulary than the model it guesses for.",
            "Choose a draft of the same family, or prompt lookup.",
        )
    return DraftModel(context, cache_bytes(context)), tensors

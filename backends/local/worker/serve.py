"""The entry of a worker that runs transformers."""

from __future__ import annotations

import functools
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

# Imported here so that a host that preloads this module has everything a worker needs.
import torch
import transformers
import transformers.models.auto.modeling_auto
import transformers.models.llama.modeling_llama
import transformers.tokenization_utils_tokenizers

from backends.engine import EngineFacts
from backends.local.worker import probes, scores
from backends.local.worker.generation import Generator
from backends.local.worker.loading import load
from backends.scores import Scores
from backends.worker import serving
from backends.worker.memory import ProcessMemory
from backends.worker.messages import Load, Score
from backends.worker.stop_flag import StopFlag


def serve(connection: Connection[Any, Any]) -> None:
    """Serve until the app closes the connection."""
    memory = ProcessMemory()
    transformers.utils.logging.disable_progress_bar()
    serving.serve(connection, functools.partial(_loaded, memory), _is_out_of_memory)


class _ServedGenerator(Generator):
    def score(self, order: Score) -> Scores:
        return scores.score(self, order)

    def probe(self, name: str, arguments: dict[str, Any]) -> Any:
        return probes.run(name, self, arguments)


def _loaded(
    memory: ProcessMemory, order: Load, stop: StopFlag, on_stage: serving.OnStage
) -> tuple[_ServedGenerator, EngineFacts]:
    torch.set_num_threads(order.threads)
    loaded = load(order, memory, on_stage)
    generator = _ServedGenerator(loaded, memory, stop)
    facts = loaded.facts
    if loaded.setup.compile:
        on_stage("Compiling the decode step", None)
        facts = replace(facts, compile_seconds=generator.compile())
    return generator, facts


def _is_out_of_memory(error: Exception) -> bool:
    is_told = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return is_told or "not enough memory" in str(error)

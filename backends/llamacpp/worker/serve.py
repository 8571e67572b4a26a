"""The entry of a worker that runs llama.cpp."""

from __future__ import annotations

import functools
from multiprocessing.connection import Connection
from typing import Any

from backends.engine import EngineFacts
from backends.scores import Scores
from backends.worker import serving
from backends.worker.memory import ProcessMemory
from backends.worker.messages import Load, Score
from backends.worker.stop_flag import StopFlag


def serve(connection: Connection[Any, Any]) -> None:
    """Serve until the app closes the connection."""
    memory = ProcessMemory()  # before the library is imported, so that it counts
    serving.serve(connection, functools.partial(_loaded, memory), _is_out_of_memory)


def _loaded(
    memory: ProcessMemory, order: Load, stop: StopFlag, on_stage: serving.OnStage
) -> tuple[serving.Served, EngineFacts]:
    on_stage("Starting llama.cpp", None)
    from backends.llamacpp.worker import probes, scores
    from backends.llamacpp.worker.generation import Generator
    from backends.llamacpp.worker.loading import load
    from backends.llamacpp.worker.logs import keep_logs_short

    class ServedGenerator(Generator):
        def score(self, order: Score) -> Scores:
            return scores.score(self, order)

        def probe(self, name: str, arguments: dict[str, Any]) -> Any:
            return probes.run(name, self, arguments)

    keep_logs_short()
    loaded = load(order, memory, stop, on_stage)
    return ServedGenerator(loaded, memory, stop), loaded.facts


def _is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError)

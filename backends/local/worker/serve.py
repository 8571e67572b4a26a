"""The worker's loop: one engine, one connection, one generation at a time.

A reader thread takes messages off the connection, so that a cancel is seen while the main thread
is inside a forward pass. The worker ends when the connection does.
"""

from __future__ import annotations

import os
import pickle
import queue
import threading
import traceback
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

# Imported here so that a host that preloads this module has everything a worker needs.
import torch
import transformers
import transformers.models.auto.modeling_auto
import transformers.models.llama.modeling_llama
import transformers.tokenization_utils_tokenizers

from backends.errors import DynoError, EngineCrashed, GenerationFailed, OutOfMemory
from backends.local.memory import ProcessMemory
from backends.local.messages import (
    Answer,
    Cancel,
    Count,
    Failed,
    FromWorker,
    Generate,
    Load,
    Loaded,
    LoadProgress,
    Probe,
    ToWorker,
)
from backends.local.worker import probes
from backends.local.worker.generation import Generator
from backends.local.worker.loading import load
from backends.local.worker.stopping import StopFlag


def serve(connection: Connection[Any, Any]) -> None:
    """Serve until the app closes the connection."""
    memory = ProcessMemory()
    transformers.utils.logging.disable_progress_bar()
    stop = StopFlag()
    inbox: queue.SimpleQueue[ToWorker] = queue.SimpleQueue()
    send_lock = threading.Lock()

    def send(message: FromWorker) -> None:
        # Plain pickle: `connection.send` goes through a pickler that is made for sharing handles
        # and costs twice as much, in the thread that should compute.
        data = pickle.dumps(message)
        with send_lock:
            connection.send_bytes(data)

    def read() -> None:
        while True:
            try:
                message: ToWorker = connection.recv()
            except (EOFError, OSError):
                os._exit(0)
            if isinstance(message, Cancel):
                stop.set()
            else:
                if isinstance(message, Generate):
                    stop.clear()  # here, so that a cancel sent right after is not lost
                inbox.put(message)

    threading.Thread(target=read, name="inbox", daemon=True).start()
    generator: Generator | None = None
    while True:
        message = inbox.get()
        try:
            if isinstance(message, Load):
                torch.set_num_threads(message.threads)
                loaded = load(message, memory, lambda stage, f: send(LoadProgress(stage, f)))
                generator = Generator(loaded, memory, stop)
                facts = loaded.facts
                if loaded.setup.compile:
                    send(LoadProgress("Compiling the decode step", None))
                    facts = replace(facts, compile_seconds=generator.compile())
                send(Loaded(facts))
                continue
            if generator is None:
                raise EngineCrashed("The worker was asked before it had loaded a model.")
            if isinstance(message, Generate):
                generator.run(message.request, send)
            elif isinstance(message, Count):
                prompt = generator.prompt_ids(message.messages, message.sampling)
                send(Answer(len(prompt)))
            elif isinstance(message, Probe):
                send(Answer(probes.run(message.name, generator, message.arguments)))
        except DynoError as error:
            send(Failed(error))
        except Exception as error:
            traceback.print_exc()
            told = _translated(error)
            if generator is not None and isinstance(told, OutOfMemory):
                generator.free_memory()
            send(Failed(told))


def _translated(error: Exception) -> DynoError:
    """A torch error in the words of our tree."""
    text = str(error)
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "not enough memory" in text:
        return OutOfMemory(
            "The device ran out of memory during this step.",
            "Unload other engines, shorten the conversation, or choose smaller weights.",
            text[:2000],
        )
    return GenerationFailed(
        f"The model failed: {type(error).__name__}: {text[:300]}",
        "Try again; if it stays, unload the engine on the Machine page.",
        traceback.format_exc()[-4000:],
    )

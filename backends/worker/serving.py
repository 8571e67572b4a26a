"""The worker's loop: one engine, one connection, one generation at a time.

A reader thread takes messages off the connection, so that a cancel is seen while the main thread
computes. The worker ends when the connection does.
"""

from __future__ import annotations

import os
import pickle
import queue
import threading
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, Protocol

from backends.engine import EngineFacts
from backends.errors import DynoError, EngineCrashed, GenerationFailed, OutOfMemory
from backends.request import Message, Request, Sampling
from backends.scores import Scores, TextIds
from backends.worker.messages import (
    Answer,
    Cancel,
    Count,
    End,
    Failed,
    FromWorker,
    Generate,
    Load,
    Loaded,
    LoadProgress,
    Probe,
    Score,
    Steps,
    TextToIds,
    ToWorker,
)
from backends.worker.stop_flag import StopFlag

OnStage = Callable[[str, float | None], None]


class Served(Protocol):
    """A loaded model that answers messages."""

    def run(self, request: Request, send: Callable[[Steps | End], None]) -> None:
        """Generate and send the steps, then the end with its reason and report."""
        ...

    def prompt_ids(self, messages: Sequence[Message], sampling: Sampling) -> list[int]: ...

    def text_ids(self, text: str, after: Sequence[Message]) -> TextIds:
        """Ids of a text as the answer to messages, or as it stands."""
        ...

    def score(self, order: Score) -> Scores:
        """Score given tokens. Raises `Cancelled` when the flag is set."""
        ...

    def probe(self, name: str, arguments: dict[str, Any]) -> Any:
        """Run a measurement. Raises `InvalidRequest` for one that is not known."""
        ...

    def free_memory(self) -> None:
        """Give back what is kept for the next request: the device is full."""
        ...


Loader = Callable[[Load, StopFlag, OnStage], tuple[Served, EngineFacts]]


def serve(
    connection: Connection[Any, Any],
    load: Loader,
    is_out_of_memory: Callable[[Exception], bool],
) -> None:
    """Serve what `load` gives until the app closes the connection."""
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
                if isinstance(message, Generate | Score):
                    stop.clear()  # here, so that a cancel sent right after is not lost
                inbox.put(message)

    threading.Thread(target=read, name="inbox", daemon=True).start()
    served: Served | None = None
    while True:
        message = inbox.get()
        try:
            if isinstance(message, Load):
                served, facts = load(message, stop, lambda stage, f: send(LoadProgress(stage, f)))
                send(Loaded(facts))
                continue
            if served is None:
                raise EngineCrashed("The worker was asked before it had loaded a model.")
            if isinstance(message, Generate):
                served.run(message.request, send)
            elif isinstance(message, Count):
                send(Answer(len(served.prompt_ids(message.messages, message.sampling))))
            elif isinstance(message, TextToIds):
                send(Answer(served.text_ids(message.text, message.after)))
            elif isinstance(message, Score):
                send(Answer(served.score(message)))
            elif isinstance(message, Probe):
                send(Answer(served.probe(message.name, message.arguments)))
        except DynoError as error:
            send(Failed(error))
        except Exception as error:
            traceback.print_exc()
            is_full = is_out_of_memory(error)
            if served is not None and is_full:
                served.free_memory()
            send(Failed(_out_of_memory(error) if is_full else _failed(error)))


def _out_of_memory(error: Exception) -> DynoError:
    return OutOfMemory(
        "The device ran out of memory during this step.",
        "Unload other engines, shorten the conversation, or choose smaller weights.",
        str(error)[:2000],
    )


def _failed(error: Exception) -> DynoError:
    return GenerationFailed(
        f"The model failed: {type(error).__name__}: {str(error)[:300]}",
        "Try again; if it stays, unload the engine on the Machine page.",
        traceback.format_exc()[-4000:],
    )

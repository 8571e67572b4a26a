"""The two seams: `Backend` opens setups, `Engine` answers requests.

A backend is found by the registry; an engine is owned by the pool. Timing, storing and comparing
live outside: an engine only stamps its chunks.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Protocol, Self, runtime_checkable

from backends.capabilities import Availability, Capabilities
from backends.errors import EngineCrashed
from backends.quotes import TokenQuote
from backends.request import Chunk, Message, Request, Sampling
from backends.setup import Setup


class CancelToken:
    """A request to stop that can be seen from other threads, with the moment it was made."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self.requested_ns: int | None = None

    def cancel(self) -> None:
        """Ask to stop. The first call counts; listeners are called once, in this thread."""
        with self._lock:
            if self._event.is_set():
                return
            self.requested_ns = time.monotonic_ns()
            self._event.set()
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def on_cancel(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` on cancel, at once if that has happened. Returns an undo function."""
        with self._lock:
            if not self._event.is_set():
                self._listeners.append(listener)
                return lambda: self._forget(listener)
        listener()
        return lambda: None

    def _forget(self, listener: Callable[[], None]) -> None:
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    @property
    def is_cancelled(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep up to `seconds`; True as soon as the stop was asked for."""
        return self._event.wait(seconds)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a load is. `fraction` is None where it cannot be known."""

    stage: str
    fraction: float | None = None


OnProgress = Callable[[Progress], None]


# `EngineFacts.device` of an engine that runs elsewhere.
REMOTE_DEVICE: Final = "remote"


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What is really loaded, read from the modules and not from the wishes of the setup.

    `weights_bytes_by_part` sums tensor storages: embeddings, attention, mlp, norms, head, other.
    `chat_template` is "own" or "plain" (the checkpoint had none). Sizes are None where a remote
    server does not tell. `quotes`: what those who may answer charge.
    """

    model_path: str
    revision: str | None
    device: str
    device_name: str
    dtypes: Mapping[str, int] = field(default_factory=dict)
    parameters: int | None = None
    weights_bytes: int | None = None
    weights_bytes_by_part: Mapping[str, int] = field(default_factory=dict)
    context_window: int | None = None
    layers: int | None = None
    kv_heads: int | None = None
    head_size: int | None = None
    attention_kernel: str = ""
    linear_kernels: Mapping[str, int] = field(default_factory=dict)
    threads: int | None = None
    chat_template: str = "own"
    load_seconds: float | None = None
    compile_seconds: float | None = None
    load_peak_bytes: int | None = None
    draft_path: str | None = None
    draft_parameters: int | None = None
    draft_weights_bytes: int | None = None
    process_id: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    quotes: tuple[TokenQuote, ...] = ()


class ClosedOnExit(ABC):
    """What `with` does with whatever is to be closed."""

    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()


class OpenUntilClosed(ClosedOnExit):
    """An engine without a process of its own: it lives until it is closed."""

    _is_closed = False

    @property
    def is_alive(self) -> bool:
        return not self._is_closed

    def close(self) -> None:
        self._is_closed = True

    def _require_open(self) -> None:
        if self._is_closed:
            raise EngineCrashed("The engine was closed.", "Send again: a new one is opened.")


@runtime_checkable
class Engine(Protocol):
    """A loaded setup. One generation at a time; `close` is idempotent."""

    def generate(self, request: Request, cancel: CancelToken) -> Iterator[Chunk]:
        """Stream the answer; the last chunk carries `finish_reason` and `report`.

        Raises a `DynoError`; a cancel ends the stream with `finish_reason="cancelled"` instead.
        """
        ...

    def count_tokens(self, messages: Sequence[Message], sampling: Sampling) -> int:
        """Length in tokens of the prompt that `generate` would build from these messages."""
        ...

    def describe(self) -> EngineFacts: ...

    @property
    def is_alive(self) -> bool:
        """False once it was closed or its process ended; the pool then loads a new one."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None: ...


@runtime_checkable
class Backend(Protocol):
    """Code that can run setups."""

    @property
    def id(self) -> str: ...

    @property
    def title(self) -> str: ...

    def capabilities(self) -> Capabilities: ...

    def check(self, setup: Setup) -> Availability:
        """Whether this setup can work here, as far as that is known without loading it."""
        ...

    def device_of(self, setup: Setup) -> str | None:
        """The device that a run occupies alone ("cpu", "cuda:0"), or None for a remote one."""
        ...

    def memory_needed_bytes(self, setup: Setup) -> int | None:
        """Memory the engine will need, estimated from the weight files; None if not known."""
        ...

    def open(self, setup: Setup, on_progress: OnProgress, cancel: CancelToken) -> Engine:
        """Load the setup. Raises a `DynoError`, `Cancelled` when `cancel` was asked for."""
        ...

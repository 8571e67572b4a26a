"""What every small backend would write again: inherit, and only the model is left to write.

For engines that live in the app's own process and need no hurry: a stub, a client of a server, a
binding of a small library. `docs/ADDING_A_BACKEND.md` shows how. Each token is stamped as it comes
out of `answer`; stopping, limits, stop strings, errors and the report are kept here.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace

from backends.capabilities import HISTORY, Availability, Capabilities, Toggle, check_toggles
from backends.engine import CancelToken, EngineFacts, OnProgress, OpenUntilClosed, Progress
from backends.errors import (
    Cancelled,
    GenerationFailed,
)
from backends.limits import new_tokens_allowed
from backends.request import (
    Chunk,
    FinishReason,
    GenerationReport,
    MemoryReading,
    Message,
    Request,
    Sampling,
    Usage,
)
from backends.setup import Setup
from backends.stop_strings import StopStringFilter
from backends.turns import turns_to_send


class SimpleEngine(OpenUntilClosed):
    """An engine of which only `count` and `answer` are to be written.

    `facts` is what `describe` tells; its `context_window` is enforced, None is no limit.
    """

    def __init__(self, setup: Setup, facts: EngineFacts) -> None:
        self.setup = setup
        self.facts = facts
        self._lock = threading.Lock()

    @abstractmethod
    def count(self, turns: Sequence[Message]) -> int:
        """Length in tokens of the prompt made of these turns."""

    @abstractmethod
    def answer(
        self, turns: Sequence[Message], sampling: Sampling, cancel: CancelToken
    ) -> Iterator[tuple[int, str]]:
        """The ids of the answer's tokens, each with the text it adds, as soon as it is there.

        Follows the temperature and the seed, and goes on for as long as it is asked where
        `sampling.fixed_length`. Whatever takes long looks at `cancel`, and may just return.
        """

    def memory(self) -> MemoryReading:
        """Memory of the generation that ended. Nothing is made up where nothing can be measured."""
        return MemoryReading(reason="it runs in the app's own process and cannot be told apart")

    def generate(self, request: Request, cancel: CancelToken) -> Iterator[Chunk]:
        with self._lock:
            self._require_open()
            accepted_ns = time.monotonic_ns()
            sampling = request.sampling
            turns = turns_to_send(self.setup.history, request.messages, sampling)
            prompt_tokens = self.count(turns)
            limit = new_tokens_allowed(prompt_tokens, sampling, self.facts.context_window)
            answer = self.answer(turns, sampling, cancel)
            stop, sent = StopStringFilter(sampling.stop), 0
            reason: FinishReason | None = None
            while reason is None:
                if cancel.is_cancelled:
                    reason = "cancelled"
                elif sent == limit:
                    reason = "length"
                elif stop.is_met and not sampling.fixed_length:
                    reason = "stop"
                elif (token := next(answer, None)) is not None:
                    t_ns = time.monotonic_ns()
                    self._require_open()  # `close` may have come from another thread
                    sent += 1
                    yield Chunk((token[0],), stop.feed(token[1]), t_ns)
                elif not cancel.is_cancelled:
                    reason = "stop"
                    if sampling.fixed_length:
                        raise GenerationFailed(
                            f"The answer ended after {sent:,} of {limit:,} tokens.",
                            "Turn fixed length off.",
                        )
            ended_ns = time.monotonic_ns()
            usage = Usage(prompt_tokens, prompt_tokens, sent)
            report = GenerationReport(accepted_ns, ended_ns, usage, self.memory())
            yield Chunk((), stop.rest(), ended_ns, finish_reason=reason, report=report)

    def count_tokens(self, messages: Sequence[Message], sampling: Sampling) -> int:
        return self.count(turns_to_send(self.setup.history, messages, sampling))

    def describe(self) -> EngineFacts:
        return self.facts


class SimpleBackend(ABC):
    """A backend of which only its names, its `toggles` and `load` are to be written.

    History is offered by every one of them, since `SimpleEngine` follows it.
    """

    id: str
    title: str
    toggles: tuple[Toggle, ...] = ()

    @abstractmethod
    def load(self, setup: Setup, on_progress: OnProgress, cancel: CancelToken) -> SimpleEngine:
        """The engine of a setup that `check` has passed. Raises a `DynoError`."""

    def capabilities(self) -> Capabilities:
        return Capabilities((*self.toggles, HISTORY))

    def check(self, setup: Setup) -> Availability:
        return check_toggles(setup, self.capabilities())

    def device_of(self, setup: Setup) -> str | None:
        return "cpu"

    def memory_needed_bytes(self, setup: Setup) -> int | None:
        return None

    def open(self, setup: Setup, on_progress: OnProgress, cancel: CancelToken) -> SimpleEngine:
        self.check(setup).require()
        on_progress(Progress("Loading"))
        started = time.perf_counter()
        engine = self.load(setup, on_progress, cancel)
        engine.facts = replace(engine.facts, load_seconds=round(time.perf_counter() - started, 3))
        if cancel.is_cancelled:
            engine.close()
            raise Cancelled("Loading was stopped.")
        return engine

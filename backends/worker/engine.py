"""A local engine as the app sees it: a connection to its worker, and how that worker ends."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from backends.engine import CancelToken, ClosedOnExit, EngineFacts, OnProgress, Progress
from backends.errors import Cancelled, DynoError, EngineCrashed, OutOfMemory
from backends.host.client import HostClient, WorkerProcess
from backends.request import (
    Chunk,
    GenerationReport,
    MemoryReading,
    Message,
    Request,
    Sampling,
    Usage,
)
from backends.scores import TOP_K, Ids, Scores, TextIds
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

STOP_GRACE_SECONDS = 0.25
_OOM_COUNTERS = (Path("/sys/fs/cgroup/memory.events"), Path("/proc/vmstat"))


class LocalEngine(ClosedOnExit):
    """One worker process. Calls are taken one at a time; `close` may come from any thread."""

    def __init__(self, host: HostClient, worker: WorkerProcess, oom_kills_before: int) -> None:
        self._host = host
        self._worker = worker
        self._oom_kills_before = oom_kills_before
        self._lock = threading.Lock()
        self._closed = False
        self._facts: EngineFacts | None = None

    @classmethod
    def open(
        cls,
        host: HostClient,
        entry: str,
        order: Load,
        on_progress: OnProgress,
        cancel: CancelToken,
    ) -> Self:
        """Start a worker serving `entry` ("module:function") and load. A cancel kills the worker
        at once and raises `Cancelled`."""
        if not host.is_ready:
            on_progress(Progress("Starting the engine host (once)"))
        _wait_ready(host, cancel)
        on_progress(Progress("Starting a worker"))
        engine = cls(host, host.start_worker(entry), _oom_kills())
        forget = cancel.on_cancel(engine._worker.kill)
        try:
            engine._send(order)
            while True:
                message = engine._receive()
                if isinstance(message, LoadProgress):
                    on_progress(Progress(message.stage, message.fraction))
                elif isinstance(message, Loaded):
                    engine._facts = message.facts
                    return engine
                elif isinstance(message, Failed):
                    raise message.error
        except BaseException as error:
            engine.close()
            if cancel.is_cancelled:
                raise Cancelled("Loading was stopped.") from error
            raise
        finally:
            forget()

    @property
    def pid(self) -> int:
        return self._worker.pid

    @property
    def is_alive(self) -> bool:
        return not self._closed and self._host.exit_code(self._worker.pid) is None

    def describe(self) -> EngineFacts:
        assert self._facts is not None
        return self._facts

    def generate(self, request: Request, cancel: CancelToken) -> Iterator[Chunk]:
        with self._lock:
            sent_ns = time.monotonic_ns()
            if cancel.is_cancelled:
                yield _stopped_chunk(sent_ns, 0, "it was stopped before it began")
                return
            stopper = _Stopper(self._worker)
            self._send(Generate(request))
            forget = cancel.on_cancel(stopper.stop)
            received = 0
            finished = False
            try:
                while not finished:
                    try:
                        message = self._receive()
                    except DynoError:
                        if not cancel.is_cancelled:
                            raise
                        finished = True
                        self.close()
                        reason = "the worker was killed to stop it"
                        yield _stopped_chunk(sent_ns, received, reason)
                        return
                    if isinstance(message, Failed):
                        finished = True
                        raise message.error
                    if isinstance(message, End):
                        finished = True
                        stopper.end()
                    for chunk in _chunks(message):
                        received += len(chunk.token_ids or ())
                        yield chunk
            finally:
                forget()
                stopper.end()
                if not finished:  # the reader went away in mid-answer
                    self.close()

    def count_tokens(self, messages: Sequence[Message], sampling: Sampling) -> int:
        return int(self._ask(Count(tuple(messages), sampling)))

    def text_ids(self, text: str, after: Sequence[Message] = ()) -> TextIds:
        found: TextIds = self._ask(TextToIds(text, tuple(after)))
        return found

    def score(
        self, text: TextIds, cancel: CancelToken, *, top_k: int = TOP_K, ids: Ids | None = None
    ) -> Scores:
        with self._lock:
            if cancel.is_cancelled:
                raise Cancelled("Scoring was stopped.")
            stopper = _Stopper(self._worker)
            self._send(Score(text, top_k, ids))
            forget = cancel.on_cancel(stopper.stop)
            try:
                scores: Scores = self._answered()
                return scores
            except DynoError as error:
                if cancel.is_cancelled:
                    raise Cancelled("Scoring was stopped.") from error
                raise
            finally:
                forget()
                stopper.end()

    def probe(self, name: str, **arguments: Any) -> Any:
        """Run a measurement in the worker (see its package's `probes`)."""
        return self._ask(Probe(name, arguments))

    def _ask(self, message: ToWorker) -> Any:
        with self._lock:
            self._send(message)
            return self._answered()

    def _answered(self) -> Any:
        reply = self._receive()
        if isinstance(reply, Failed):
            raise reply.error
        assert isinstance(reply, Answer)
        return reply.value

    def _send(self, message: ToWorker) -> None:
        try:
            self._worker.connection.send(message)
        except OSError as error:
            raise self._ended() from error

    def _receive(self) -> FromWorker:
        try:
            message: FromWorker = self._worker.connection.recv()
        except (EOFError, OSError) as error:
            raise self._ended() from error
        return message

    def _ended(self) -> DynoError:
        """Why the worker is gone, with the end of its log. Closes this engine."""
        self._worker.kill()
        code = self._host.exit_code(self._worker.pid, wait_seconds=1.0)
        tail = self._worker.log_tail()
        self.close()
        if code == -signal.SIGKILL and _oom_kills() > self._oom_kills_before:
            return OutOfMemory(
                "The system ended the worker because memory ran out.",
                "Unload other engines, shorten the conversation, or choose smaller weights.",
                tail,
            )
        how = f"signal {signal.Signals(-code).name}" if code and code < 0 else f"exit code {code}"
        return EngineCrashed(
            f"The worker process ended unexpectedly ({how}).",
            "Send again: a new worker is started. What was recorded is kept.",
            tail,
        )

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._worker.kill()
        self._host.exit_code(self._worker.pid, wait_seconds=1.0)
        self._worker.connection.close()


class _Stopper:
    """Passes one request's stop on to the worker, and kills it when it does not stop in time.

    Once the request has ended nothing is sent or killed any more: it would hit the next one.
    """

    def __init__(self, worker: WorkerProcess) -> None:
        self._worker = worker
        self._lock = threading.Lock()
        self._ended = False
        self._timer: threading.Timer | None = None

    def stop(self) -> None:
        with self._lock:
            if self._ended:
                return
            with contextlib.suppress(OSError):
                self._worker.connection.send(Cancel())
            self._timer = threading.Timer(STOP_GRACE_SECONDS, self._kill)
            self._timer.daemon = True
            self._timer.start()

    def _kill(self) -> None:
        with self._lock:
            if not self._ended:
                self._worker.kill()

    def end(self) -> None:
        with self._lock:
            self._ended = True
            if self._timer is not None:
                self._timer.cancel()


def _wait_ready(host: HostClient, cancel: CancelToken) -> None:
    """Wait for the host's preloading, but let a cancel through."""
    done = threading.Event()
    failure: list[BaseException] = []

    def wait() -> None:
        try:
            host.wait_ready()
        except BaseException as error:
            failure.append(error)
        done.set()

    if not host.is_ready:
        threading.Thread(target=wait, daemon=True).start()
        forget: Callable[[], None] = cancel.on_cancel(done.set)
        done.wait()
        forget()
    if cancel.is_cancelled:
        raise Cancelled("Loading was stopped.")
    if failure:
        raise failure[0]


def _chunks(message: FromWorker) -> Iterator[Chunk]:
    if isinstance(message, Steps):
        steps = zip(message.t_ns, message.token_ids, message.texts, strict=True)
        for index, (t_ns, ids, text) in enumerate(steps):
            guesses = message.guesses[index] if message.guesses else ()
            yield Chunk(tuple(ids), text, t_ns, *guesses)
    else:
        assert isinstance(message, End)
        yield Chunk(
            (),
            message.text,
            message.report.ended_ns,
            finish_reason=message.finish_reason,
            report=message.report,
        )


def _stopped_chunk(sent_ns: int, tokens: int, reason: str) -> Chunk:
    """The last chunk of an answer that the worker can tell nothing about, for this `reason`."""
    now_ns = time.monotonic_ns()
    report = GenerationReport(
        accepted_ns=sent_ns,
        ended_ns=now_ns,
        usage=Usage(None, None, output_tokens=tokens),
        memory=MemoryReading(reason=reason),
    )
    return Chunk((), "", now_ns, finish_reason="cancelled", report=report)


def _oom_kills() -> int:
    """How often the kernel has killed for memory: in this control group, else here at all."""
    for path in _OOM_COUNTERS:
        with contextlib.suppress(OSError, ValueError):
            for line in path.read_text().splitlines():
                name, _, count = line.partition(" ")
                if name == "oom_kill":
                    return int(count)
    return 0

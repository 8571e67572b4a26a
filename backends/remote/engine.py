"""An engine on a server elsewhere: one request at a time, stamped as its events are read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from backends.engine import CancelToken, EngineFacts, OpenUntilClosed
from backends.errors import Cancelled, DynoError, InvalidRequest, StreamBroken
from backends.remote.line import Line
from backends.remote.served import PROVIDER, served
from backends.remote.servers import ServerKind
from backends.remote.wire import Delta, ServerUsage, StreamEvent, chat_body, read_event
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

_PATH = "/chat/completions"
_NOT_TOLD = MemoryReading(reason="not told: a server does not say what it holds")


class RemoteEngine(OpenUntilClosed):
    """One model of one server. Tokens are counted by the server, so chunks have no ids; where it
    does not count, `count` does, and that is an estimate. `provider`: who answers, where that is
    settled before."""

    def __init__(
        self,
        setup: Setup,
        line: Line,
        kind: ServerKind,
        model: str,
        facts: EngineFacts,
        count: Callable[[str], int] | None = None,
        provider: str = "",
    ) -> None:
        self.setup = setup
        self._line = line
        self._kind = kind
        self._model = model
        self._facts = facts
        self._count = count
        self._provider = provider
        self._lock = threading.Lock()

    def generate(self, request: Request, cancel: CancelToken) -> Iterator[Chunk]:
        with self._lock:
            self._require_open()
            sampling = request.sampling
            turns = turns_to_send(self.setup.history, request.messages, sampling)
            body = chat_body(
                self._model,
                turns,
                sampling,
                self._beyond_the_standard(sampling),
                counts_chunks=self._kind.counts_chunks,
            )
            sent_ns = text_ns = time.monotonic_ns()
            usage: ServerUsage | None = None
            reason: FinishReason | None = None
            stop = StopStringFilter(sampling.stop)
            pieces: list[str] = []
            tokens_told = 0
            told_by = {PROVIDER: self._provider} if self._provider else {}
            try:
                with self._line.ask(_PATH, body, cancel) as exchange:
                    for wait in exchange.waits():
                        yield Chunk(None, "", time.monotonic_ns(), wait=wait)
                    sent_ns = exchange.sent_ns
                    told_by |= served(exchange.headers)
                    for t_ns, data in exchange.events():
                        event = read_event(data)
                        usage = event.usage or usage
                        reason = _reason(event) or reason
                        text_ns = t_ns if event.has_text else text_ns
                        for chunk in _chunks(event, t_ns, stop):
                            if not pieces:
                                chunk = replace(chunk, accepted_ns=sent_ns)
                            pieces.append(chunk.text)
                            so_far = self._tokens_so_far(event.usage)
                            if so_far is not None:
                                chunk = replace(chunk, tokens=so_far - tokens_told)
                                tokens_told = so_far
                            yield chunk
                        if pieces:
                            exchange.has_begun()
                if reason is None:
                    raise StreamBroken("The stream ended before the answer did.", "Send again.")
            except DynoError as error:
                if not (cancel.is_cancelled or isinstance(error, Cancelled)):
                    raise
                reason = "cancelled"
                usage = usage if self._kind.counts_chunks else None
            if rest := stop.rest():
                pieces.append(rest)
                so_far = self._tokens_so_far(usage)
                tokens = None if so_far is None else so_far - tokens_told
                yield Chunk(None, rest, text_ns, tokens=tokens)
            ended_ns = time.monotonic_ns()
            counted = self._usage(usage, "".join(pieces))
            report = GenerationReport(sent_ns, ended_ns, counted, _NOT_TOLD, served=told_by)
            yield Chunk(None, "", ended_ns, finish_reason=reason, report=report)

    def count_tokens(self, messages: Sequence[Message], sampling: Sampling) -> int:
        raise InvalidRequest("The server counts tokens, and only once it has answered.")

    def describe(self) -> EngineFacts:
        return self._facts

    def close(self) -> None:
        super().close()
        self._line.close()

    def _beyond_the_standard(self, sampling: Sampling) -> dict[str, Any]:
        if sampling.fixed_length and not self._kind.fixes_length:
            raise InvalidRequest(
                f"{self._kind.title[0].upper()}{self._kind.title[1:]} cannot be told to make an "
                "answer of a fixed length.",
                "Turn fixed length off, or say which kind of server it is.",
            )
        if sampling.fixed_length and sampling.stop:
            raise InvalidRequest(
                "A server's answer of a fixed length cannot be cut at a stop string: what follows "
                "would not be seen, and so not be timed.",
                "Remove the stop strings, or turn fixed length off.",
            )
        return self._kind.fields(sampling)

    def _tokens_so_far(self, told: ServerUsage | None) -> int | None:
        """Tokens of the answer up to here, where the server was asked to tell them and does."""
        return told.completion_tokens if self._kind.counts_chunks and told else None

    def _usage(self, told: ServerUsage | None, answer: str) -> Usage:
        """What the server counted, and where it did not, what `count` makes of it."""
        prompt = told.prompt_tokens if told else None
        details = told.prompt_tokens_details if told else None
        cached = (details.cached_tokens if details else None) or 0
        computed = None if prompt is None else prompt - cached
        if told is not None and told.completion_tokens is not None:
            thought = told.tokens_of_reasoning
            return Usage(prompt, computed, told.completion_tokens, reasoning_tokens=thought)
        if self._count is None:
            return Usage(prompt, computed, None)
        return Usage(prompt, computed, self._count(answer), is_estimated=True)


def _reason(event: StreamEvent) -> FinishReason | None:
    return event.choices[0].ended if event.choices else None


def _chunks(event: StreamEvent, t_ns: int, stop: StopStringFilter) -> Iterator[Chunk]:
    """The text of an event; role-only and empty ones give none. Not every server leaves the stop
    string out."""
    for choice in event.choices[:1]:
        thought = _thought(choice.delta)
        if thought:
            yield Chunk(None, thought, t_ns, kind="reasoning")
        shown = stop.feed(choice.delta.content or "")
        if shown:
            yield Chunk(None, shown, t_ns)


def _thought(delta: Delta) -> str | None:
    return delta.reasoning_content or delta.reasoning

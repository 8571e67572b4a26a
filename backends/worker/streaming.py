"""From a model's steps to messages: stamps where the ids exist, text decoded as it comes.

Everything happens in the thread that computes. A second thread that decodes and sends was tried
and cost 2 % of a small model's speed in lock hand-overs (docs/decisions/0003).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from backends.stop_strings import StopStringFilter
from backends.worker.messages import Steps
from backends.worker.tally import Tally

# 25 times a second, which still looks like flowing text.
_FLUSH_NS = 40_000_000
Step = TypeVar("Step")


class StepStream(Generic[Step]):
    """Keeps each step with its stamp, and sends what has gathered every 40 ms.

    A step is sent at once when the last sending is longer ago than that, so a slow model's tokens
    never wait. Between sendings a step is only kept: between two passes every cache line is cold,
    and decoding one token there takes ten times what it takes in a row of them.

    `decode` gives the text that a token completes, None while there is none; `ids_of` the token
    ids of steps, all at once.
    """

    def __init__(
        self,
        decode: Callable[[int], str | None],
        ids_of: Callable[[Sequence[Step]], list[list[int]]],
        stop: Sequence[str],
        send: Callable[[Steps], None],
        tally: Tally | None = None,
    ) -> None:
        self._decode = decode
        self._ids_of = ids_of
        self._stop = StopStringFilter(stop)
        self._send = send
        self._last_sent_ns = 0
        self._stamps_ns: list[int] = []
        self._steps: list[Step] = []
        self._tally = tally
        self._guesses: list[tuple[int, int]] = []  # made and kept in each step
        self.output_ids: list[int] = []

    @property
    def is_stopped(self) -> bool:
        """Whether a stop string has come, in what was decoded so far."""
        return self._stop.is_met

    def keep(self, now_ns: int, step: Step, tokens: int) -> None:
        """Take a step of so many tokens that were there at `now_ns`."""
        self._stamps_ns.append(now_ns)
        self._steps.append(step)
        if self._tally is not None:
            self._guesses.append(self._tally.verified(tokens))
        if now_ns - self._last_sent_ns >= _FLUSH_NS:
            self._last_sent_ns = now_ns
            self.flush()

    def flush(self) -> None:
        """Decode and send what has gathered."""
        if not self._steps:
            return
        steps = self._ids_of(self._steps)
        self.output_ids += [token_id for step in steps for token_id in step]
        texts: list[str] = []
        guesses: list[tuple[int, int, int]] = []
        if self._guesses:
            for step, (made, kept) in zip(steps, self._guesses, strict=True):
                guessed = self._text(step[:kept])
                texts.append(guessed + self._text(step[kept:]))
                guesses.append((made, kept, len(guessed)))
        else:
            texts = [self._text(step) for step in steps]
        self._send(Steps(self._stamps_ns, steps, texts, guesses))
        self._stamps_ns, self._steps, self._guesses = [], [], []

    def _text(self, ids: Sequence[int]) -> str:
        pieces = (self._decode(token_id) for token_id in ids)
        return self._stop.feed("".join(piece for piece in pieces if piece))

    def finish(self) -> str:
        """Send what is left; returns text held back that turned out to be no stop string."""
        self.flush()
        return self._stop.rest()

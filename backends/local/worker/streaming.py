"""From `generate`'s steps to chunks: stamps and ids where the ids exist, text decoded as it comes.

Everything happens in the thread that computes. A second thread that decodes and sends was tried
and cost 2 % of a small model's speed in lock hand-overs (docs/decisions/0003).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from tokenizers.decoders import DecodeStream
from transformers.generation.streamers import BaseStreamer

from backends.local.messages import Steps
from backends.local.worker.tally import Tally
from backends.stop_strings import StopStringFilter

# 25 times a second, which still looks like flowing text.
_FLUSH_NS = 40_000_000


class TokenTap(BaseStreamer):  # type: ignore[misc]  # transformers is not followed
    """Receives each step of `generate`, stamps it, and sends what has gathered every 40 ms.

    A step is sent at once when the last sending is longer ago than that, so a slow model's tokens
    never wait. Between sendings a step is only stamped and kept: between two forward passes every
    cache line is cold, and decoding one token there takes ten times what it takes in a row of them.
    The first `put` of `generate` is the prompt and is skipped.
    """

    def __init__(
        self,
        tokenizer: Any,
        stop: Sequence[str],
        send: Callable[[Steps], None],
        on_first_token: Callable[[], None],
        tally: Tally | None = None,
    ) -> None:
        self._backend = tokenizer.backend_tokenizer
        self._decode = DecodeStream(skip_special_tokens=True)
        self._stop = StopStringFilter(stop)
        self._send = send
        self._on_first_token = on_first_token
        self._seen_prompt = False
        self._last_sent_ns = 0
        self._stamps_ns: list[int] = []
        self._steps: list[torch.Tensor] = []  # token ids of each, [tokens] or [1, tokens]
        self._tally = tally
        self._guesses: list[tuple[int, int]] = []  # made and kept in each step
        self.output_ids: list[int] = []

    def put(self, value: torch.Tensor) -> None:
        now_ns = time.monotonic_ns()
        if not self._seen_prompt:
            self._seen_prompt = True
            return
        if not self._last_sent_ns:
            self._on_first_token()
        self._stamps_ns.append(now_ns)
        self._steps.append(value)
        if self._tally is not None:
            self._guesses.append(self._tally.verified(value.numel()))
        if now_ns - self._last_sent_ns >= _FLUSH_NS:
            self._last_sent_ns = now_ns
            self.flush()

    def flush(self) -> None:
        """Decode and send what has gathered."""
        if not self._steps:
            return
        ids: list[int] = torch.cat(self._steps, dim=-1).flatten().tolist()  # one copy, not many
        ends = itertools.accumulate(step.numel() for step in self._steps)
        steps = [ids[end - step.numel() : end] for step, end in zip(self._steps, ends, strict=True)]
        self.output_ids += ids
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
        pieces = (self._decode.step(self._backend, token_id) for token_id in ids)
        return self._stop.feed("".join(piece for piece in pieces if piece))

    def finish(self) -> str:
        """Send what is left; returns text held back that turned out to be no stop string."""
        self.flush()
        return self._stop.rest()

    def end(self) -> None:
        """Called by `generate`; `finish` does the work."""

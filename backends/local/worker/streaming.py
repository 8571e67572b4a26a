"""From `generate`'s steps to a stream of steps."""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from tokenizers.decoders import DecodeStream
from transformers.generation.streamers import BaseStreamer

from backends.worker.messages import Steps
from backends.worker.streaming import StepStream
from backends.worker.tally import Tally


class TokenTap(BaseStreamer):  # type: ignore[misc]  # transformers is not followed
    """Receives each step of `generate` and stamps it.

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
        decode = DecodeStream(skip_special_tokens=True).step
        decode = functools.partial(decode, tokenizer.backend_tokenizer)
        self._stream = StepStream[torch.Tensor](decode, _ids_of, stop, send, tally)
        self._on_first_token = on_first_token
        self._seen = 0

    @property
    def output_ids(self) -> list[int]:
        return self._stream.output_ids

    def put(self, value: torch.Tensor) -> None:
        """A step: token ids, [tokens] or [1, tokens]."""
        now_ns = time.monotonic_ns()
        self._seen += 1
        if self._seen == 1:
            return
        if self._seen == 2:
            self._on_first_token()
        self._stream.keep(now_ns, value, value.numel())

    def finish(self) -> str:
        """Send what is left; returns text held back that turned out to be no stop string."""
        return self._stream.finish()

    def end(self) -> None:
        """Called by `generate`; `finish` does the work."""


def _ids_of(steps: Sequence[torch.Tensor]) -> list[list[int]]:
    ids: list[int] = torch.cat(list(steps), dim=-1).flatten().tolist()  # one copy, not many
    ends = itertools.accumulate(step.numel() for step in steps)
    return [ids[end - step.numel() : end] for step, end in zip(steps, ends, strict=True)]

"""A backend without a model: it says the prompt again, word by word, as slowly as it is told to."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import cycle
from zlib import crc32

from backends.capabilities import Toggle
from backends.engine import CancelToken, EngineFacts, OnProgress
from backends.request import Message, Sampling
from backends.setup import Setup
from backends.simple import SimpleBackend, SimpleEngine

PAUSE = Toggle(
    "pause_ms",
    "Pause",
    "decoding",
    "Milliseconds to wait before each word. Empty: none.",
    minimum=0,
    maximum=1_000,
    is_option=True,
)
FACTS = EngineFacts("echo", None, device="cpu", device_name="cpu", context_window=4_096)


class EchoEngine(SimpleEngine):
    """A token is a word, and its id the word's checksum."""

    def count(self, turns: Sequence[Message]) -> int:
        return sum(len(turn.content.split()) for turn in turns)

    def answer(
        self, turns: Sequence[Message], sampling: Sampling, cancel: CancelToken
    ) -> Iterator[tuple[int, str]]:
        words = turns[-1].content.split()
        if sampling.temperature > 0:  # any temperature: the same words in another order
            random.Random(sampling.seed).shuffle(words)
        for word in cycle(words) if sampling.fixed_length else words:
            if cancel.wait(int(self.setup.options.get(PAUSE.name, 0)) / 1_000):
                return
            yield crc32(word.encode()), f"{word} "


class EchoBackend(SimpleBackend):
    id = "echo"
    title = "Echo (no model)"
    toggles = (PAUSE,)

    def load(self, setup: Setup, on_progress: OnProgress, cancel: CancelToken) -> EchoEngine:
        return EchoEngine(setup, FACTS)

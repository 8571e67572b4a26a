"""A worker whose device runs out of memory in mid-answer, once. A program apart: it needs torch.

Prints, one a line: the steps' tokens before the error, the error's class and remedy, and how many
tokens the next answer of the same engine has.
"""

from __future__ import annotations

import sys
import threading
from multiprocessing import Pipe
from typing import Any

import torch

from backends.local.worker import generation
from backends.local.worker.serve import serve
from backends.setup import Setup
from backends.worker.messages import End, Failed, Generate, Load, Loaded, Steps
from tests.backends.asking import request

PASSES_BEFORE = 6


def main(model: str) -> None:
    here, there = Pipe()
    fail_in_mid_answer()
    threading.Thread(target=serve, args=(there,), daemon=True).start()
    setup = Setup(model=model, device="cpu", threads=1, reuse_prefix=True)
    here.send(Load(setup, model, "cpu", 1, None, None))
    while not isinstance(here.recv(), Loaded):
        pass
    for _ in range(2):
        here.send(Generate(request("abc", max_new_tokens=12)))
        tokens = 0
        while True:
            message = here.recv()
            if isinstance(message, Steps):
                tokens += sum(len(ids) for ids in message.token_ids)
                continue
            if isinstance(message, Failed):
                say(tokens, type(message.error).__name__, message.error.remedy)
            if isinstance(message, End):
                say(tokens, message.finish_reason)
            break


def say(*words: object) -> None:
    """Written out at once: the worker ends this process as soon as its connection is closed, which
    may be before Python writes out what it has kept."""
    print(*words, flush=True)


def fail_in_mid_answer() -> None:
    """The seventh pass of the first answer raises what CUDA raises."""
    passes = 0
    original = generation.Generator.generate

    def generate(self: generation.Generator, *args: Any, **kwargs: Any) -> None:
        def count(module: Any, given: Any) -> None:
            nonlocal passes
            passes += 1
            if passes == PASSES_BEFORE + 1:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

        handle = self.loaded.model.register_forward_pre_hook(count)
        try:
            original(self, *args, **kwargs)
        finally:
            handle.remove()

    generation.Generator.generate = generate  # type: ignore[method-assign]


if __name__ == "__main__":
    main(sys.argv[1])

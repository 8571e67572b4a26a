"""Measurements in the worker, asked for by message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backends.errors import InvalidRequest
from backends.llamacpp.worker.generation import Generator

# A verification pass of speculation looks at this many tokens at once: four guesses and one more.
_CYCLE_TOKENS = 5
Logits = np.ndarray[Any, np.dtype[np.float32]]


def run(name: str, generator: Generator, arguments: dict[str, Any]) -> Any:
    """Run the probe called `name`. Raises `InvalidRequest` for an unknown one."""
    if name == "prompt_ids":
        return generator.prompt_ids(**arguments)
    if name == "teacher_forced":
        return teacher_forced(generator, **arguments)
    if name == "gguf_file":
        return str(generator.loaded.file)
    raise InvalidRequest(f"There is no probe called “{name}”.")


def teacher_forced(generator: Generator, token_ids: Sequence[int], prompt_tokens: int) -> Logits:
    """Logits after each token from the prompt's last one on, [len(token_ids) - prompt_tokens + 1,
    vocabulary], in passes as long as those that answering with this setup makes."""
    context, setup = generator.loaded.context, generator.loaded.setup
    context.keep(0)
    context.decode(token_ids[:prompt_tokens])
    rows = [context.logits().copy()]
    size = 1 if setup.speculation == "none" else _CYCLE_TOKENS
    for start in range(prompt_tokens, len(token_ids), size):
        step = token_ids[start : start + size]
        context.decode(step, all_logits=True)
        rows += [context.logits(index).copy() for index in range(len(step))]
    context.keep(0)
    return np.stack(rows)

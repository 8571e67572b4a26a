"""Measurements that need torch, asked for by message: bare loops to compare the engine with."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from backends.errors import InvalidRequest
from backends.local.worker.cache_kinds import whole_cache
from backends.local.worker.caches import KvCaches
from backends.local.worker.draft_pass import DraftPass
from backends.local.worker.generation import Generator
from backends.local.worker.scores import teacher_forced
from backends.request import Request


def run(name: str, generator: Generator, arguments: dict[str, Any]) -> Any:
    """Run the probe called `name`. Raises `InvalidRequest` for an unknown one."""
    if name == "bare_generate":
        return bare_generate(generator, **arguments)
    if name == "pass_lengths":
        return pass_lengths(generator, **arguments)
    if name == "draft_gap":
        return draft_gap(generator, **arguments)
    if name == "prompt_ids":
        return generator.prompt_ids(**arguments)
    if name == "teacher_forced":
        return teacher_forced(generator, **arguments)
    if name == "one_pass":
        return one_pass(generator, **arguments)
    raise InvalidRequest(f"There is no probe called “{name}”.")


def bare_generate(generator: Generator, request: Request) -> dict[str, int]:
    """The same `generate` with no streamer, no criteria and no hooks.

    Returns nanoseconds from the request on, its prompt's rendering included as in a run, and the
    tokens asked for (use a fixed length).
    """
    started_ns = time.monotonic_ns()
    ids = generator.prompt_ids(request.messages, request.sampling)
    limit = request.sampling.max_new_tokens
    cache, _ = KvCaches(generator.loaded).begin(ids, limit)
    generator.generate(ids, request.sampling, limit, cache, None)
    return {"ns": time.monotonic_ns() - started_ns, "tokens": limit}


def draft_gap(generator: Generator, ids: list[int]) -> float:
    """Largest difference of the draft's logits over these tokens, one at a time, between a pass of
    ours and one of the library's."""
    assert generator.loaded.draft is not None
    draft = generator.loaded.draft.model
    ours = DraftPass(draft, whole_cache(draft.config))
    theirs, gap = whole_cache(draft.config), 0.0
    with torch.inference_mode():
        for id_ in ids:
            token = torch.tensor([[id_]], device=draft.device)
            expected = draft(token, past_key_values=theirs).logits[:, -1]
            gap = max(gap, float((ours(token) - expected).abs().max()))
    return gap


def one_pass(generator: Generator, ids: Sequence[int]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Logits after each token by one plain call of the model, [tokens, vocabulary]."""
    model = generator.loaded.model
    with torch.no_grad():
        logits = model(torch.tensor([list(ids)], device=model.device), use_cache=False).logits[0]
    found: np.ndarray[Any, np.dtype[np.float32]] = logits.float().cpu().numpy()
    return found


def pass_lengths(generator: Generator, request: Request) -> list[int]:
    """How many tokens each forward pass of the target computes while the request is answered."""
    lengths: list[int] = []

    def note(module: Any, positional: Any, named: dict[str, Any]) -> None:
        ids = named["input_ids"] if named.get("input_ids") is not None else positional[0]
        lengths.append(int(ids.shape[1]))

    handle = generator.loaded.model.register_forward_pre_hook(note, with_kwargs=True)
    try:
        generator.run(request, lambda message: None)
    finally:
        handle.remove()
    return lengths

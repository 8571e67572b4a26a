"""Measurements that need torch, asked for by message: bare loops to compare the engine with."""

from __future__ import annotations

import time
from typing import Any

from transformers import DynamicCache

from backends.errors import InvalidRequest
from backends.local.worker.generation import Generator
from backends.request import Request


def run(name: str, generator: Generator, arguments: dict[str, Any]) -> Any:
    """Run the probe called `name`. Raises `InvalidRequest` for an unknown one."""
    if name == "bare_generate":
        return bare_generate(generator, **arguments)
    raise InvalidRequest(f"There is no probe called “{name}”.")


def bare_generate(generator: Generator, request: Request) -> dict[str, int]:
    """The same `generate` with no streamer, no criteria and no hooks.

    Returns nanoseconds from the request on, its prompt's rendering included as in a run, and the
    tokens asked for (use a fixed length).
    """
    started_ns = time.monotonic_ns()
    ids = generator.prompt_ids(request.messages, request.sampling)
    cached = generator.loaded.setup.kv_cache != "off"
    cache = DynamicCache(config=generator.loaded.model.config) if cached else None
    limit = request.sampling.max_new_tokens
    generator.generate(ids, request.sampling, limit, cache, None)
    return {"ns": time.monotonic_ns() - started_ns, "tokens": limit}

"""Measurements in the worker, asked for by message."""

from __future__ import annotations

from typing import Any

from backends.errors import InvalidRequest
from backends.llamacpp.worker.generation import Generator
from backends.llamacpp.worker.scores import teacher_forced


def run(name: str, generator: Generator, arguments: dict[str, Any]) -> Any:
    """Run the probe called `name`. Raises `InvalidRequest` for an unknown one."""
    if name == "prompt_ids":
        return generator.prompt_ids(**arguments)
    if name == "teacher_forced":
        return teacher_forced(generator, **arguments)
    if name == "gguf_file":
        return str(generator.loaded.file)
    raise InvalidRequest(f"There is no probe called “{name}”.")

"""What llama.cpp says: into the worker's log, without what only its authors want to know."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import llama_cpp

_DEBUG = 1
_CONTINUES = 5
_listeners: list[Callable[[str], None]] = []
_level = 0


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _heard(level: int, text: bytes, _: Any) -> None:
    global _level
    _level = _level if level == _CONTINUES else level
    if _level == _DEBUG:
        return
    line = text.decode(errors="replace")
    sys.stderr.write(line)
    for listener in _listeners:
        listener(line)


def keep_logs_short() -> None:
    llama_cpp.llama_log_set(_heard, None)


@contextmanager
def listening(listener: Callable[[str], None]) -> Iterator[None]:
    """Hear every line while this lasts."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)

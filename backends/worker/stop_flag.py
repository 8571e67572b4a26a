"""The flag by which a worker is told to stop a generation."""

from __future__ import annotations

import ctypes


class StopFlag:
    """Set by the reader thread, looked at by the thread that computes. A plain attribute: looking
    at it costs nanoseconds, and under the GIL a write is seen by the next look.

    `text` says the same to native code, which can look without Python: a string that is empty
    until the flag is set.
    """

    __slots__ = ("is_set", "text")

    def __init__(self) -> None:
        self.is_set = False
        self.text = ctypes.create_string_buffer(2)

    def set(self) -> None:
        self.is_set = True
        self.text[0] = b"\1"

    def clear(self) -> None:
        self.is_set = False
        self.text[0] = b"\0"

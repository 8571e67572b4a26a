"""A visitor without a screen: speaks just enough of Streamlit's protocol to have a page drawn.

The messages are protocol buffers. Two are all it needs, and this layer may not import Streamlit,
so they are written and read by hand; a test compares them with Streamlit's own classes.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Self
from urllib.parse import urlencode

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from backends.engine import ClosedOnExit
from backends.errors import DynoError

_RERUN_SCRIPT = 11  # BackMsg.rerun_script
_QUERY_STRING, _PAGE_NAME = 1, 4  # ClientState
_SCRIPT_FINISHED = 6  # ForwardMsg.script_finished
_FINISHED_SUCCESSFULLY = 0
_VARINT, _EIGHT_BYTES, _WITH_LENGTH, _FOUR_BYTES = 0, 1, 2, 5

Frames = list[bytes]


class Viewer(ClosedOnExit):
    """One session of a page. Use it in a `with`."""

    def __init__(self, port: int) -> None:
        self._opened = ExitStack()
        self._address = f"ws://localhost:{port}/_stcore/stream"

    def __enter__(self) -> Self:
        try:
            self._socket = self._opened.enter_context(
                connect(
                    self._address,
                    subprotocols=[Subprotocol("streamlit")],
                    max_size=None,
                    proxy=None,
                )
            )
        except (OSError, WebSocketException) as error:
            raise DynoError(f"The page could not be opened: {error}") from error
        return self

    def ask(self, page: str = "", **query: str) -> None:
        """Have the page drawn, as a browser does on opening it or after a click."""
        self._socket.send(rerun_message(urlencode(query), page))

    def wait_drawn(self, timeout_seconds: float = 120.0) -> Frames:
        """Take what the server sends until the page is whole; returns the messages."""
        frames: Frames = []
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                frame = self._socket.recv(timeout=max(0.0, deadline - time.monotonic()))
            except (TimeoutError, WebSocketException) as error:
                raise DynoError(f"The page was not drawn: {error!r}") from error
            assert isinstance(frame, bytes)
            frames.append(frame)
            if finished_successfully(frame):
                return frames

    def close(self) -> None:
        self._opened.close()


def rerun_message(query: str, page: str) -> bytes:
    """`BackMsg(rerun_script=ClientState(query_string=query, page_name=page))`."""
    state = _text(_QUERY_STRING, query) + _text(_PAGE_NAME, page)
    return _varint(_RERUN_SCRIPT << 3 | _WITH_LENGTH) + _varint(len(state)) + state


def finished_successfully(frame: bytes) -> bool:
    """Whether a `ForwardMsg` says that the page's script came to its end (not to a rerun)."""
    at = 0
    while at < len(frame):
        tag, at = _read_varint(frame, at)
        field, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _read_varint(frame, at)
            if field == _SCRIPT_FINISHED:
                return value == _FINISHED_SUCCESSFULLY
        elif kind == _WITH_LENGTH:
            length, at = _read_varint(frame, at)
            at += length
        else:
            at += {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}[kind]
    return False


def _text(field: int, value: str) -> bytes:
    encoded = value.encode()
    if not encoded:
        return b""
    return _varint(field << 3 | _WITH_LENGTH) + _varint(len(encoded)) + encoded


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7

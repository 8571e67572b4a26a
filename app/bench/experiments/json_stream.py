"""Reads one large JSON object member by member, and a list in it element by element.

Nothing but the value at hand is in memory. Knows JSON, nothing of what it says.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn

_CHARS_AT_ONCE = 1 << 20
_SPACE = " \t\r\n"


class NotJson(ValueError):
    """The text breaks off, or is no JSON object in UTF-8. Says where."""


class TooLarge(ValueError):
    """There are more bytes than may be read."""


def members(file: BinaryIO, streamed: str, max_bytes: int) -> Iterator[tuple[str, Any]]:
    """Each member of the object in the file: its name and value. The list called `streamed` comes
    as one pair for every element. Raises `NotJson` and `TooLarge`."""
    text = _Text(file, max_bytes)
    text.take("{")
    while text.next_char() != "}":
        name = text.value()
        if not isinstance(name, str):
            text.fail("a member without a name")
        text.take(":")
        if name == streamed:
            yield from ((name, element) for element in _elements(text))
        else:
            yield name, text.value()
        if text.next_char() != "}":
            text.take(",")
    text.take("}")
    if text.next_char():
        text.fail("something after the object")


def _elements(text: _Text) -> Iterator[Any]:
    text.take("[")
    while text.next_char() != "]":
        yield text.value()
        if text.next_char() != "]":
            text.take(",")
    text.take("]")


class _Text:
    """The part of the file that was read and not taken yet."""

    def __init__(self, file: BinaryIO, max_bytes: int) -> None:
        self._file = file
        self._max_bytes = max_bytes
        self._bytes = 0
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._parse = json.JSONDecoder(parse_constant=self._refuse_constant).raw_decode
        self._buffer = ""
        self._at = 0
        self._is_over = False

    def next_char(self) -> str:
        """The next character that is no space, without taking it; empty at the end."""
        while True:
            while self._at < len(self._buffer) and self._buffer[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._read_on():
                return ""

    def take(self, char: str) -> None:
        found = self.next_char()
        if found != char:
            self.fail(f"“{char}” is missing" if found else "it breaks off")
        self._at += 1

    def value(self) -> Any:
        if not self.next_char():
            self.fail("it breaks off")
        while True:
            try:
                value, end = self._parse(self._buffer, self._at)
            except RecursionError:
                self.fail("it is nested too deeply")
            except json.JSONDecodeError as error:
                if not self._read_on():
                    self.fail(error.msg)
                continue
            # A number may go on in what is not read yet.
            if end == len(self._buffer) and self._read_on():
                continue
            self._at = end
            return value

    def fail(self, why: str) -> NoReturn:
        raise NotJson(f"{why}, about byte {self._bytes - len(self._buffer) + self._at:,}")

    def _read_on(self) -> bool:
        """Read at least as much again as is waiting, so that a long value is not parsed too often.
        False at the end of the file."""
        if self._is_over:
            return False
        self._buffer = self._buffer[self._at :]
        self._at = 0
        data = self._file.read(max(_CHARS_AT_ONCE, len(self._buffer)))
        self._bytes += len(data)
        if self._bytes > self._max_bytes:
            raise TooLarge(f"more than {self._max_bytes:,} bytes")
        self._is_over = not data
        try:
            self._buffer += self._decode(data, self._is_over)
        except UnicodeDecodeError as error:
            raise NotJson(
                f"no UTF-8 near byte {self._bytes - len(data) + error.start:,}"
            ) from error
        return True

    def _refuse_constant(self, name: str) -> NoReturn:
        raise NotJson(f"“{name}” is no JSON number")

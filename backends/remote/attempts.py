"""Sends one request as often as it takes: what is asked again, when, and for how long."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx2

from backends.engine import CancelToken
from backends.errors import Cancelled, DynoError
from backends.remote.failures import (
    RETRIED_STATUSES,
    retry_after_seconds,
    starting_seconds,
)
from backends.remote.watchdog import Watchdog
from backends.request import Wait

if TYPE_CHECKING:
    from backends.remote.line import Line

_MAX_ERROR_BYTES: Final = 20_000
# What a proxy may ask to wait before a user would rather be told.
_LONGEST_WAIT_S: Final = 20.0
# A shorter pause is over before anybody has read of it.
_TOLD_FROM_S: Final = 1.0
_FIRST_PIECE: Final = "the first piece of the answer"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things may take, in seconds, and how often a refused request is sent in all; while
    a server says that it starts the model, as often as it takes within `cold_start_s`."""

    connect_s: float = 10.0
    first_event_s: float = 300.0
    cold_start_s: float = 600.0
    silence_s: float = 60.0
    tries: int = 4
    first_pause_s: float = 0.5


@dataclass(slots=True)
class Trace:
    """What httpx tells of a request while it is made."""

    on_socket: Callable[[Any], None]
    is_new_connection: bool = False
    sent_ns: int = 0

    def __call__(self, name: str, info: dict[str, Any]) -> None:
        if name in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self.is_new_connection = True
            self.on_socket(info["return_value"].get_extra_info("socket"))
        elif name == "http11.send_request_headers.started":
            self.sent_ns = time.monotonic_ns()


@dataclass(slots=True)
class Attempts:
    """Sends one request until it is answered, pausing in between as often and as long as patience
    allows."""

    line: Line
    path: str
    body: dict[str, Any]
    cancel: CancelToken
    watchdog: Watchdog
    trace: Trace = field(init=False)

    def __iter__(self) -> Iterator[Wait | httpx2.Response]:
        """Each pause, as it begins, and at last the response whose stream may be read."""
        patience = self.line.patience
        started_until_s = time.monotonic() + patience.cold_start_s
        tries = 0
        while True:
            tries += 1
            answer = self._send(self._backoff_s(tries))
            if isinstance(answer, httpx2.Response):
                yield answer
                return
            pause_s, is_starting = answer.pause_s, answer.is_starting
            if is_starting:
                tries -= 1  # it is on its way, and says when it will be there
                is_enough = time.monotonic() + pause_s > started_until_s
            else:
                is_enough = tries >= patience.tries or pause_s > _LONGEST_WAIT_S
            if is_enough:
                raise answer.failure
            if pause_s >= _TOLD_FROM_S:
                why = "The server starts the model" if is_starting else "The server asks to wait"
                yield Wait(why, time.monotonic_ns() + int(pause_s * 1e9))
            # Who asked for the pause is not late while it lasts.
            self.watchdog.allow(pause_s + patience.first_event_s, _FIRST_PIECE)
            if self.cancel.wait(pause_s):
                raise Cancelled("It was stopped while it waited for the server.")

    def _send(self, backoff_s: float) -> httpx2.Response | _Refusal:
        """Once. A refusal is to be followed by `backoff_s` at least, unless the connection was only
        an old one. Raises what asking again would not mend."""
        line, watchdog = self.line, self.watchdog
        if line.socket is not None:
            watchdog.hold(line.socket)

        def on_socket(connected: Any) -> None:
            line.remember_socket(connected)
            watchdog.hold(connected)

        self.trace = Trace(on_socket)
        watchdog.allow(line.patience.first_event_s, _FIRST_PIECE)
        try:
            response = line.send(self.path, self.body, self.trace)
        except httpx2.ConnectError as error:
            return _Refusal(line.unreachable(error), backoff_s)
        except (httpx2.NetworkError, httpx2.RemoteProtocolError) as error:
            # A server may close a kept connection at any time, most likely before it saw this.
            if self.trace.is_new_connection or self.cancel.is_cancelled or watchdog.expired:
                raise
            return _Refusal(line.broken(error, self.cancel, watchdog), 0.0)
        if response.status_code == 200:
            return response
        body = _beginning(response)
        failure = line.refused(response, body)
        response.close()
        if response.status_code not in RETRIED_STATUSES:
            raise failure
        starting_s = starting_seconds(response.status_code, body)
        if starting_s is not None:
            return _Refusal(failure, starting_s, is_starting=True)
        return _Refusal(failure, max(backoff_s, retry_after_seconds(response.headers) or 0.0))

    def _backoff_s(self, tries: int) -> float:
        """Doubling, and anywhere up to that much: many clients must not come back at once."""
        longest = self.line.patience.first_pause_s * 2.0 ** (tries - 1)
        return longest * random.uniform(0.5, 1.0)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """An answer that may be another one after `pause_s`. `is_starting`: the server has begun to
    load the model."""

    failure: DynoError
    pause_s: float
    is_starting: bool = False


def _beginning(response: httpx2.Response) -> str:
    """The first bytes of an error's body: nobody reads more, and there may be much more."""
    read = b""
    for piece in response.iter_bytes():
        read += piece
        if len(read) > _MAX_ERROR_BYTES:
            break
    return read[:_MAX_ERROR_BYTES].decode("utf-8", "replace")

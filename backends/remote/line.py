"""One connection to one server, kept open: asks, and gives the stream of events with their stamps.

Knows HTTP, not chat. What is asked again, and how often, is decided here; so is how long anything
may take.
"""

from __future__ import annotations

import contextlib
import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2
from pydantic import SecretStr

from backends.engine import CancelToken
from backends.errors import (
    Cancelled,
    DynoError,
    MissingCredential,
    RemoteError,
    StreamBroken,
    Timeout,
    Unreachable,
)
from backends.remote.failures import RETRIED_STATUSES, refusal, retry_after_seconds
from backends.remote.keys import can_be_sent, told_without_key, without_key
from backends.remote.watchdog import Watchdog
from backends.remote.wire import DONE

_MAX_EVENT_BYTES: Final = 1_000_000
_MAX_ERROR_BYTES: Final = 20_000
# What a proxy may ask to wait before a user would rather be told.
_LONGEST_WAIT_S: Final = 20.0
# From "[DONE]" to the end of the body, which is no part of the answer.
_END_S: Final = 0.1
_NO_REDIRECTS: Final = "Type the address that it points to."
# Its debug log repeats what a server sends, and a server may send back the key.
logging.getLogger("httpcore2").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things may take, in seconds, and how often a refused request is sent in all."""

    connect_s: float = 10.0
    first_event_s: float = 300.0
    silence_s: float = 60.0
    tries: int = 4
    first_pause_s: float = 0.5


@dataclass(slots=True)
class Exchange:
    """One request and the stream that answers it. `sent_ns`: its headers began to leave, on a
    connection that was open by then."""

    sent_ns: int
    _events: Iterator[httpx2.ServerSentEvent]
    _watchdog: Watchdog
    _patience: Patience
    _key: SecretStr | None

    def events(self) -> Iterator[tuple[int, str]]:
        """Data of each event with the moment at which it was read, until the stream ends or says
        "[DONE]", which not every server does."""
        for event in self._events:
            t_ns = time.monotonic_ns()
            if event.data == DONE:
                self._take_the_end()
                return
            if event.data:
                yield t_ns, without_key(event.data, self._key)

    def _take_the_end(self) -> None:
        """Nothing more is to come but the end of the body, and with that the connection is free for
        the next request; one that does not come soon is not waited for."""
        self._watchdog.allow(_END_S, "the end of the stream")
        with contextlib.suppress(httpx2.HTTPError):
            next(self._events, None)

    def has_begun(self) -> None:
        """The answer has begun: from now on less patience is needed for its next piece. Events
        before that may be empty ones, sent while a long prompt is still read."""
        self._watchdog.allow(self._patience.silence_s, "the next piece of the answer")


@dataclass(slots=True)
class _Trace:
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
class Line:
    """A client of the server at `base_url`, without a trailing slash. `key` is asked for each time,
    so that one typed later counts; it is in no message, not even where the server repeats it."""

    base_url: str
    key: Callable[[], SecretStr | None] = lambda: None
    patience: Patience = Patience()
    _client: httpx2.Client = field(init=False)
    # Of the connection that is open: cutting it is the only way to end a read that waits.
    _socket: Any = None

    def __post_init__(self) -> None:
        # One connection, so that the socket of the last request is that of the next.
        self._client = httpx2.Client(
            headers={"user-agent": "llm-dyno"},
            auth=self._with_key,
            limits=httpx2.Limits(max_connections=1, max_keepalive_connections=1),
            timeout=httpx2.Timeout(None, connect=self.patience.connect_s),
        )

    def close(self) -> None:
        self._client.close()

    def _remember_socket(self, connected: Any) -> None:
        self._socket = connected

    def _with_key(self, request: httpx2.Request) -> httpx2.Request:
        key = self.key()
        if key is not None:
            if not can_be_sent(key):
                raise MissingCredential(
                    f"The key of {self.base_url} holds characters that cannot be sent.",
                    "Type it again; a copy may have been cut or held a line break.",
                )
            request.headers["authorization"] = f"Bearer {key.get_secret_value()}"
        return request

    def get_json(self, path: str, within_s: float = 10.0) -> str:
        """The body of a `GET`. Raises a `DynoError`."""
        try:
            response = self._client.get(
                self.base_url + path,
                timeout=within_s,
                extensions={"trace": _Trace(self._remember_socket)},
            )
        except httpx2.HTTPError as error:
            raise self._unreachable(error) from None
        if response.status_code != 200:
            raise told_without_key(self._refused(response, response.text), self.key())
        return without_key(response.text, self.key())

    @contextmanager
    def ask(self, path: str, body: dict[str, Any], cancel: CancelToken) -> Iterator[Exchange]:
        """Send a request and hold its stream inside the `with`; leaving it closes the connection
        where the stream is not at its end, which tells the server to stop.

        Sent again after a pause where the server refuses before it begins, or where there is no
        connection to it or not any more. Raises `Cancelled` on a stop, else a `DynoError`.
        """
        with Watchdog() as watchdog:
            forget = cancel.on_cancel(watchdog.cut)
            try:
                response, sent_ns = self._answered(path, body, cancel, watchdog)
                try:
                    events = iter(httpx2.EventSource(response, _MAX_EVENT_BYTES))
                    yield Exchange(sent_ns, events, watchdog, self.patience, self.key())
                finally:
                    response.close()
            except (httpx2.HTTPError, DynoError) as error:
                if not isinstance(error, DynoError):
                    error = self._broken(error, cancel, watchdog)
                # Not from the first one: what that tells may hold what was sent.
                raise told_without_key(error, self.key()) from None
            finally:
                forget()

    def _answered(
        self, path: str, body: dict[str, Any], cancel: CancelToken, watchdog: Watchdog
    ) -> tuple[httpx2.Response, int]:
        """A response whose stream may be read, and when its request was sent."""

        def on_socket(connected: Any) -> None:
            self._remember_socket(connected)
            watchdog.hold(connected)

        if self._socket is not None:
            watchdog.hold(self._socket)
        for attempt in range(1, self.patience.tries + 1):
            trace = _Trace(on_socket)
            request = self._client.build_request(
                "POST", self.base_url + path, json=body, extensions={"trace": trace}
            )
            watchdog.allow(self.patience.first_event_s, "the first piece of the answer")
            pause_s = self._pause_s(attempt)
            try:
                response = self._client.send(request, stream=True)
            except httpx2.ConnectError as error:
                failure: DynoError = self._unreachable(error)
            except (httpx2.NetworkError, httpx2.RemoteProtocolError) as error:
                # A server may close a kept connection at any time, most likely before it saw this.
                if trace.is_new_connection or cancel.is_cancelled or watchdog.expired:
                    raise
                failure, pause_s = self._broken(error, cancel, watchdog), 0.0
            else:
                if response.status_code == 200:
                    return response, trace.sent_ns
                failure = self._refused(response, _beginning(response))
                response.close()
                if response.status_code not in RETRIED_STATUSES:
                    raise failure
                pause_s = max(pause_s, retry_after_seconds(response.headers) or 0.0)
            if attempt == self.patience.tries or pause_s > _LONGEST_WAIT_S:
                raise failure
            if cancel.wait(pause_s):
                raise Cancelled("It was stopped while it waited for the server.")
        raise AssertionError("the last try returns or raises")

    def _pause_s(self, attempt: int) -> float:
        """Doubling, and anywhere up to that much: many clients must not come back at once."""
        longest = self.patience.first_pause_s * 2.0 ** (attempt - 1)
        return longest * random.uniform(0.5, 1.0)

    def _refused(self, response: httpx2.Response, body: str) -> DynoError:
        if response.is_redirect:
            to = response.headers.get("location", "elsewhere")
            return RemoteError(f"{self.base_url} points to {to}.", _NO_REDIRECTS)
        told = without_key(body, self.key())
        return refusal(response.status_code, response.headers, told, self.base_url)

    def _unreachable(self, error: Exception) -> DynoError:
        return Unreachable(
            f"There is no server at {self.base_url} ({type(error).__name__}).",
            "Start it, or correct the address.",
        )

    def _broken(self, error: Exception, cancel: CancelToken, watchdog: Watchdog) -> DynoError:
        if cancel.is_cancelled:
            return Cancelled("It was stopped.")
        if watchdog.expired:
            return Timeout(
                f"{self.base_url} went silent: {watchdog.expired} did not come in time.",
                "It may be overloaded: send again, or ask for less.",
            )
        if isinstance(error, httpx2.SSEError):
            return StreamBroken(
                f"{self.base_url} does not stream as it should: {error}",
                "Check that the address is that of an OpenAI-compatible server.",
            )
        if isinstance(error, httpx2.ConnectTimeout):
            return self._unreachable(error)
        return StreamBroken(
            f"The connection to {self.base_url} broke ({type(error).__name__}).", "Send again."
        )


def _beginning(response: httpx2.Response) -> str:
    """The first bytes of an error's body: nobody reads more, and there may be much more."""
    read = b""
    for piece in response.iter_bytes():
        read += piece
        if len(read) > _MAX_ERROR_BYTES:
            break
    return read[:_MAX_ERROR_BYTES].decode("utf-8", "replace")

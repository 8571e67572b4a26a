"""One connection to one server, kept open: asks, and gives the stream of events with their stamps.

Knows HTTP, not chat. What is asked again, and how long anything may take, is in `attempts`.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
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
from backends.remote.attempts import Attempts, Patience, Trace
from backends.remote.failures import refusal
from backends.remote.keys import can_be_sent, told_without_key, without_key
from backends.remote.watchdog import Watchdog
from backends.remote.wire import DONE
from backends.request import Wait

_MAX_EVENT_BYTES: Final = 1_000_000
# From "[DONE]" to the end of the body, which is no part of the answer.
_END_S: Final = 0.1
_NO_REDIRECTS: Final = "Type the address that it points to."
# Its debug log repeats what a server sends, and a server may send back the key.
logging.getLogger("httpcore2").setLevel(logging.INFO)


@dataclass(slots=True)
class Exchange:
    """One request and the stream that answers it: first all `waits`, then the `events`. From then
    on there is `sent_ns`, when the headers of what was answered began to leave, on a connection
    that was open by then, and `headers`, those of the answer."""

    _answered: Iterator[Wait | httpx2.Response]
    _trace: Callable[[], Trace]
    _watchdog: Watchdog
    _patience: Patience
    _key: SecretStr | None
    sent_ns: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    _response: httpx2.Response | None = None

    def waits(self) -> Iterator[Wait]:
        """Send, and again after each pause that the server asks for, until it answers."""
        for step in self._answered:
            if isinstance(step, Wait):
                yield step
            else:
                self._response = step
                self.headers = {k: without_key(v, self._key) for k, v in step.headers.items()}
                self.sent_ns = self._trace().sent_ns

    def close(self) -> None:
        if self._response is not None:
            self._response.close()

    def events(self) -> Iterator[tuple[int, str]]:
        """Data of each event with the moment at which it was read, until the stream ends or says
        "[DONE]", which not every server does."""
        assert self._response is not None
        events = iter(httpx2.EventSource(self._response, _MAX_EVENT_BYTES))
        for event in events:
            t_ns = time.monotonic_ns()
            if event.data == DONE:
                self._take_the_end(events)
                return
            if event.data:
                yield t_ns, without_key(event.data, self._key)

    def _take_the_end(self, events: Iterator[httpx2.ServerSentEvent]) -> None:
        """Nothing more is to come but the end of the body, and with that the connection is free for
        the next request; one that does not come soon is not waited for."""
        self._watchdog.allow(_END_S, "the end of the stream")
        with contextlib.suppress(httpx2.HTTPError):
            next(events, None)

    def has_begun(self) -> None:
        """The answer has begun: from now on less patience is needed for its next piece. Events
        before that may be empty ones, sent while a long prompt is still read."""
        self._watchdog.allow(self._patience.silence_s, "the next piece of the answer")


@dataclass(slots=True)
class Line:
    """A client of the server at `base_url`, without a trailing slash. `key` is asked for each time,
    so that one typed later counts; it is in no message, not even where the server repeats it."""

    base_url: str
    key: Callable[[], SecretStr | None] = lambda: None
    patience: Patience = field(default_factory=Patience)
    _client: httpx2.Client = field(init=False)
    # Of the connection that is open: cutting it is the only way to end a read that waits.
    socket: Any = None

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

    def remember_socket(self, connected: Any) -> None:
        self.socket = connected

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
                extensions={"trace": Trace(self.remember_socket)},
            )
        except httpx2.HTTPError as error:
            raise self.unreachable(error) from None
        if response.status_code != 200:
            raise told_without_key(self.refused(response, response.text), self.key())
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
            attempts = Attempts(self, path, body, cancel, watchdog)
            exchange = Exchange(
                iter(attempts), lambda: attempts.trace, watchdog, self.patience, self.key()
            )
            try:
                yield exchange
            except (httpx2.HTTPError, DynoError) as error:
                if not isinstance(error, DynoError):
                    error = self.broken(error, cancel, watchdog)
                # Not from the first one: what that tells may hold what was sent.
                raise told_without_key(error, self.key()) from None
            finally:
                exchange.close()
                forget()

    def send(self, path: str, body: dict[str, Any], trace: Trace) -> httpx2.Response:
        """Send a request once and return its answer, with the stream unread."""
        return self._client.send(self._request(path, body, trace), stream=True)

    def _request(self, path: str, body: dict[str, Any], trace: Trace) -> httpx2.Request:
        return self._client.build_request(
            "POST", self.base_url + path, json=body, extensions={"trace": trace}
        )

    def refused(self, response: httpx2.Response, body: str) -> DynoError:
        if response.is_redirect:
            to = response.headers.get("location", "elsewhere")
            return RemoteError(f"{self.base_url} points to {to}.", _NO_REDIRECTS)
        told = without_key(body, self.key())
        return refusal(response.status_code, response.headers, told, self.base_url)

    def unreachable(self, error: Exception) -> DynoError:
        return Unreachable(
            f"There is no server at {self.base_url} ({type(error).__name__}).",
            "Start it, or correct the address.",
        )

    def broken(self, error: Exception, cancel: CancelToken, watchdog: Watchdog) -> DynoError:
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
            return self.unreachable(error)
        return StreamBroken(
            f"The connection to {self.base_url} broke ({type(error).__name__}).", "Send again."
        )

"""Every error a backend may raise, in one tree. Each knows what the user can do about it.

DynoError
├── BackendUnavailable
│   ├── MissingDependency
│   ├── MissingCredential
│   └── NoDevice
├── InvalidSetup
├── InvalidRequest
├── ModelNotFound
├── LoadFailed
├── OutOfMemory
├── EngineCrashed
├── GenerationFailed
│   ├── RemoteError
│   │   └── Unreachable
│   ├── RateLimited
│   ├── Timeout
│   └── StreamBroken
├── Cancelled
└── NotRecorded
"""

from __future__ import annotations


class DynoError(Exception):
    """Base of all errors shown to a user.

    `message` says what happened, `remedy` what to do next; neither holds secrets or tracebacks.
    `detail` may hold the tail of a log for whoever opens the expander.
    """

    def __init__(self, message: str, remedy: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.detail = detail

    def __reduce__(self) -> tuple[type[DynoError], tuple[str, str, str]]:
        return type(self), (self.message, self.remedy, self.detail)


class BackendUnavailable(DynoError):
    """The backend cannot run here at all."""


class MissingDependency(BackendUnavailable):
    """An optional library is not installed."""


class MissingCredential(BackendUnavailable):
    """A token or key is needed and absent."""


class NoDevice(BackendUnavailable):
    """The device that was asked for does not exist on this machine."""


class InvalidSetup(DynoError):
    """The toggles contradict each other, the backend or the model."""


class InvalidRequest(DynoError):
    """The prompt or its limits cannot be served (empty, past the context window, …)."""


class ContextFull(InvalidRequest):
    """The prompt does not fit the model's context window."""


class ModelNotFound(DynoError):
    """No such model: unknown id, no network to look it up, or a folder without one."""


class LoadFailed(DynoError):
    """The model exists but could not be loaded (pickle weights, broken files, gated, …)."""


class OutOfMemory(DynoError):
    """The model or the request does not fit the memory that is free."""


class EngineCrashed(DynoError):
    """The worker process ended without being asked to."""


class GenerationFailed(DynoError):
    """The engine is alive but this generation failed."""


class RemoteError(GenerationFailed):
    """A server answered with an error."""


class Unreachable(RemoteError):
    """There is no server at the address."""


class RateLimited(GenerationFailed):
    """A server asked to slow down."""


class Timeout(GenerationFailed):
    """No answer within the time allowed."""


class StreamBroken(GenerationFailed):
    """The stream ended before its end."""


class Cancelled(DynoError):
    """The user stopped it."""


class NotRecorded(DynoError):
    """The result is whole but could not be written to the store (disk full, read-only, …)."""

"""Requests as `huggingface_hub.InferenceClient` would make them, sent by ourselves.

The library knows where a provider answers, what it calls a model and how a token is presented. It
does not say when a request left, cannot be cut from another thread and hides what the answer's
headers tell. So a hook of its HTTP client hands each chat request over before it is sent
(docs/decisions/0013).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import httpx2
from huggingface_hub import InferenceClient, get_session
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from pydantic import SecretStr

from backends.errors import (
    DynoError,
    InvalidSetup,
    MissingCredential,
    ModelNotFound,
    Unreachable,
)
from backends.remote.attempts import Patience, Trace
from backends.remote.failures import refusal
from backends.remote.line import Line

_NAMED = frozenset(inspect.signature(InferenceClient.chat_completion).parameters)
_wanted: ContextVar[bool] = ContextVar("wanted", default=False)


class _HandedOver(BaseException):
    """Not an `Exception`: nothing on its way out may take it for a failure."""

    def __init__(self, request: httpx2.Request) -> None:
        super().__init__()
        self.request = request


def _hand_over(request: httpx2.Request) -> None:
    # Before a chat request the library may look up, with a GET, what a provider calls the model.
    if _wanted.get() and request.method == "POST":
        raise _HandedOver(request)


def _hook() -> None:
    """Have every request of the library's client pass by `_hand_over`; it may be a new client."""
    client = get_session()
    hooks = client.event_hooks
    if _hand_over not in hooks["request"]:
        client.event_hooks = {**hooks, "request": [*hooks["request"], _hand_over]}


def chat_request(client: InferenceClient, body: dict[str, Any]) -> httpx2.Request:
    """The request that `client.chat_completion` would send with this body. Raises a `DynoError`."""
    _hook()
    named = {name: value for name, value in body.items() if name in _NAMED}
    beyond = {name: value for name, value in body.items() if name not in _NAMED}
    token = _wanted.set(True)
    try:
        client.chat_completion(**named, extra_body=beyond)
    except _HandedOver as handed:
        return handed.request
    except OfflineModeIsEnabled as error:
        raise Unreachable(
            "HF_HUB_OFFLINE is set: nothing is asked for over the network.",
            "Unset it and start again.",
        ) from error
    except HfHubHTTPError as error:
        where = "The Hub"
        raise refusal(error.response.status_code, error.response.headers, "", where) from error
    except httpx2.HTTPError as error:
        raise Unreachable(
            f"The Hub cannot be reached ({type(error).__name__}).", "Check the network."
        ) from error
    except ValueError as error:
        raise _not_served(error) from error
    finally:
        _wanted.reset(token)
    raise AssertionError("a chat request is handed over before it is sent")


def _not_served(error: ValueError) -> DynoError:
    """What the library says of a provider or model that do not fit, in our tree."""
    told = str(error)
    if "api_key" in told or "API key" in told:
        return MissingCredential(
            "This key is none of Hugging Face's, so there is no routing.",
            "Name the provider whose key it is, or type a token that begins with hf_.",
        )
    if "Provider" in told and "not supported" in told:
        return InvalidSetup(told.split(". ")[0] + ".", "Choose one of its list, or leave it empty.")
    return ModelNotFound(told.split(". ")[0] + ".", "Choose another model or provider.")


class HubLine(Line):
    """A line to Hugging Face's router, or to a provider whose own key is used.

    `provider` is one of the library's names; "auto" leaves the choice to the router.
    """

    def __init__(
        self,
        base_url: str,
        provider: str,
        key: Callable[[], SecretStr | None],
        patience: Patience,
    ) -> None:
        super().__init__(base_url, key, patience)
        self._provider = provider

    def _request(self, path: str, body: dict[str, Any], trace: Trace) -> httpx2.Request:
        key = self.key()
        if key is None:
            raise MissingCredential("There is no token any more.", "Type it again.")
        client = InferenceClient(
            provider=self._provider,  # type: ignore[arg-type]
            api_key=key.get_secret_value(),
            headers={"user-agent": "llm-dyno"},
        )
        asked = chat_request(client, body)
        return self._client.build_request(
            asked.method,
            asked.url,
            headers=asked.headers,
            content=asked.content,
            extensions={"trace": trace},
        )

"""The OpenAI-compatible chat protocol: the body of a request and the events of its stream.

Lenient in what is read: servers add fields of their own and leave out others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from backends.errors import StreamBroken
from backends.request import FinishReason, Message, Sampling

DONE = "[DONE]"
_FINISH: dict[str, FinishReason] = {"stop": "stop", "eos": "stop", "length": "length"}


class _Lenient(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PromptDetails(_Lenient):
    cached_tokens: int | None = None


class CompletionDetails(_Lenient):
    reasoning_tokens: int | None = None


class ServerUsage(_Lenient):
    """What the server counted. `prompt_tokens` includes those that it had cached, and
    `completion_tokens` those of its thoughts."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None


class Delta(_Lenient):
    """A piece of the answer. What the model thought first comes under one of two names."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class StreamChoice(_Lenient):
    delta: Delta = Delta()
    finish_reason: str | None = None

    @property
    def ended(self) -> FinishReason | None:
        return None if self.finish_reason is None else _FINISH.get(self.finish_reason, "stop")


class StreamEvent(_Lenient):
    """One event of the stream; the usage comes with the last, often beside no choice at all."""

    choices: tuple[StreamChoice, ...] = ()
    usage: ServerUsage | None = None
    error: Any = None

    @property
    def has_text(self) -> bool:
        return any(choice.delta.content for choice in self.choices[:1])


class ServedModel(_Lenient):
    id: str
    max_model_len: int | None = None


class ServedModels(_Lenient):
    data: tuple[ServedModel, ...] = ()


def chat_body(
    model: str, turns: Sequence[Message], sampling: Sampling, extra: dict[str, Any]
) -> dict[str, Any]:
    """The JSON of `POST /v1/chat/completions`. `extra` is what one kind of server knows beyond the
    standard."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [turn.model_dump() for turn in turns],
        "max_tokens": sampling.max_new_tokens,
        "temperature": sampling.temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if sampling.temperature > 0:
        body |= {"top_p": sampling.top_p, "seed": sampling.seed}
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    return body | extra


def read_event(data: str) -> StreamEvent:
    """One event of the stream. Raises `StreamBroken` where it is no JSON of the protocol's shape,
    or where it tells of an error."""
    try:
        event = StreamEvent.model_validate_json(data)
    except ValidationError as error:
        raise StreamBroken(
            "The server sent something that is no chat event.",
            "Check that the address is that of an OpenAI-compatible server.",
            data[:500],
        ) from error
    if event.error is not None:
        raise StreamBroken(
            f"The server broke off: {_words(event.error)}.", "Try again; its log may say more."
        )
    return event


def _words(error: Any) -> str:
    told = error.get("message", error) if isinstance(error, dict) else error
    return str(told)[:300].rstrip(".")

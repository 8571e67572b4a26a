"""What of a conversation is sent with a prompt."""

from __future__ import annotations

from collections.abc import Sequence

from backends.errors import InvalidRequest
from backends.request import Message, Sampling
from backends.setup import History


def turns_to_send(
    history: History, messages: Sequence[Message], sampling: Sampling
) -> list[Message]:
    """The system prompt first, the user's prompt last, and the turns between where history is full.

    Raises `InvalidRequest` for an empty prompt.
    """
    turns = list(messages)
    if history == "none":
        turns = [turn for turn in turns[:-1] if turn.role == "system"] + turns[-1:]
    if not turns or not turns[-1].content.strip():
        raise InvalidRequest("The prompt is empty.", "Type a question.")
    if sampling.system_prompt:
        turns.insert(0, Message(role="system", content=sampling.system_prompt))
    return turns

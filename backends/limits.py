"""How long an answer may be."""

from __future__ import annotations

from backends.errors import ContextFull
from backends.request import Sampling


def new_tokens_allowed(prompt_tokens: int, sampling: Sampling, window: int | None) -> int:
    """The request's limit, or what is left of the context window; None is no window.

    Raises `ContextFull` where there is no room for one token, or for all of a fixed length.
    """
    if window is None:
        return sampling.max_new_tokens
    room = window - prompt_tokens
    wanted = sampling.max_new_tokens if sampling.fixed_length else 1
    if room < wanted:
        raise ContextFull(
            f"The prompt has {prompt_tokens:,} tokens and asks for at least {wanted:,} more, "
            f"but the context window holds {window:,}.",
            "Drop the oldest turns, clear the conversation, or shorten the prompt.",
        )
    return min(room, sampling.max_new_tokens)

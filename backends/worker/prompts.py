"""The prompt as token ids: turns through the checkpoint's chat template and tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backends.errors import InvalidRequest
from backends.request import Message, Sampling
from backends.setup import History
from backends.turns import turns_to_send

# For a checkpoint without a template: the turns' texts, one under the other.
PLAIN_TEMPLATE = "{% for message in messages %}{{ message['content'] }}\n{% endfor %}"


def prompt_ids(
    tokenizer: Any,
    history: History,
    messages: Sequence[Message],
    sampling: Sampling,
    *,
    is_plain: bool,
) -> list[int]:
    """Ids by a tokenizer of transformers. Raises `InvalidRequest` if the template refuses.

    `is_plain`: the template is not the checkpoint's own, and writes no special tokens.
    """
    turns = [turn.model_dump() for turn in turns_to_send(history, messages, sampling)]
    try:
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    except Exception as error:
        raise refused_by_template(error) from error
    # A template writes its own special tokens; plain text needs the tokenizer's.
    ids: list[int] = tokenizer(text, add_special_tokens=is_plain)["input_ids"]
    return ids


def refused_by_template(error: Exception) -> InvalidRequest:
    return InvalidRequest(
        f"The model's chat template refuses this conversation: {error}",
        "Remove the system prompt or clear the conversation.",
    )


def common_beginning(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two sequences share from their start."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))

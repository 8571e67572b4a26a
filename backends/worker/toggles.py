"""Toggles that mean the same in every engine that runs in a worker here."""

from __future__ import annotations

from backends.capabilities import Choice, Toggle
from backends.local.devices import default_threads, usable_cores

REUSE_PREFIX = Toggle(
    "reuse_prefix",
    "Reuse prefix",
    "cache",
    "The KV cache of the conversation so far is kept between turns: a turn "
    "computes only its new tokens.",
)
SPECULATION = Toggle(
    "speculation",
    "Speculation",
    "speculation",
    "Tokens are guessed ahead and checked by the model in one pass: the same "
    "answer in fewer passes.",
    (
        Choice("none", "none", "one pass for each token"),
        Choice("draft", "draft model", "a small model guesses"),
        Choice("lookup", "prompt lookup", "guesses are copied from the text"),
    ),
)
DRAFT_TOKENS = Toggle(
    "draft_tokens",
    "Guesses a cycle",
    "speculation",
    "Empty: a draft model goes on while it is sure of its guesses, at first up to "
    "20; with prompt lookup 10.",
    minimum=1,
    maximum=64,
    only_with=("speculation", ("draft", "lookup")),
)


def threads() -> Toggle:
    """With this machine's numbers."""
    return Toggle(
        "threads",
        "CPU threads",
        "device",
        f"Empty: {default_threads()} on this machine (one core is left to the app).",
        minimum=1,
        maximum=usable_cores(),
    )

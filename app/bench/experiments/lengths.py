"""The workload of lengths: a grid of prompts and answers of about so many tokens each."""

from __future__ import annotations

from itertools import cycle, islice

from app.bench.experiments.plan import LENGTHS, Plan
from app.bench.experiments.workloads import (
    MAX_PROMPT_CHARS,
    Workload,
    WorkloadInvalid,
    load_workload,
)
from app.bench.quality.texts import quality_pieces
from backends.request import Message

# Of the bundled text under the bundled model's tokenizer, which is near that of others for English
# prose. What a prompt really had is counted in each record.
_TOKENS_PER_WORD = 1.25
_QUESTION = "Go on with this text:"


def workload_of(plan: Plan, max_prompt_chars: int = MAX_PROMPT_CHARS) -> Workload:
    """What a plan asks: its grid of lengths, a built-in workload, or a file.

    Raises `WorkloadInvalid`.
    """
    if plan.workload != LENGTHS:
        return load_workload(plan.workload, max_prompt_chars)
    places = len(plan.prompt_tokens_grid) * len(plan.output_tokens_grid)
    tokens = [n for n in plan.prompt_tokens_grid for _ in plan.output_tokens_grid]
    conversations = tuple(_prompt(n, place / places) for place, n in enumerate(tokens))
    longest = max(len(messages[-1].content) for messages in conversations)
    if longest > max_prompt_chars:
        raise WorkloadInvalid(
            f"A prompt of {max(tokens):,} tokens has {longest:,} characters; "
            f"{max_prompt_chars:,} may be.",
            "Take shorter prompts, or raise DYNO_MAX_PROMPT_CHARS.",
        )
    return Workload(LENGTHS, conversations)


def _prompt(tokens: int, start: float) -> tuple[Message, ...]:
    """About so many tokens of the bundled text. `start`: the share of it that is skipped, so that
    no two prompts begin alike; at its end it begins again."""
    words = [word for piece in quality_pieces() for word in piece.text.split()]
    count = max(1, round(tokens / _TOKENS_PER_WORD) - len(_QUESTION.split()))
    first = int(start * len(words))
    taken = islice(cycle(words), first, first + count)
    return (Message(role="user", content=f"{_QUESTION} {' '.join(taken)}"),)

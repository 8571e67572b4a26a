"""Whether a prompt still fits each column's context window, counted before it is sent.

Counting needs the model's tokenizer, so it is done by engines that are loaded; for the others the
engine itself refuses when it comes to it (`ContextFull`).
"""

from __future__ import annotations

from dataclasses import dataclass

from app.bench.conversation import Column, Conversation
from app.bench.conversations import with_dropped_turn
from backends.engine import Engine
from backends.errors import DynoError
from backends.pool import EnginePool


@dataclass(frozen=True, slots=True)
class Overflow:
    """A column whose prompt would not fit. `turns_to_drop` would make room; None if none would."""

    column: Column
    prompt_tokens: int
    context_window: int
    turns_to_drop: int | None


def overflows(pool: EnginePool, conversation: Conversation, prompt: str) -> list[Overflow]:
    """Every column, among those whose engine is loaded and idle, that the prompt would overflow."""
    found = []
    for column in conversation.comparison.columns:
        engine = pool.loaded(column.setup)
        if engine is None:
            continue
        try:
            overflow = _overflow(engine, conversation, column, prompt)
        except DynoError:  # it was closed meanwhile; the run will say what there is to say
            continue
        if overflow is not None:
            found.append(overflow)
    return found


def _overflow(
    engine: Engine, conversation: Conversation, column: Column, prompt: str
) -> Overflow | None:
    window = engine.describe().context_window
    if window is None:
        return None
    sampling = conversation.comparison.sampling_of(column)
    reserve = sampling.max_new_tokens if sampling.fixed_length else 1

    def tokens(candidate: Conversation) -> int:
        return engine.count_tokens(candidate.messages_for(column.key, prompt), sampling)

    needed = tokens(conversation)
    if needed + reserve <= window:
        return None
    dropped = conversation.dropped_turns.get(column.key, 0)
    for more in range(dropped + 1, len(conversation.turns) + 1):
        if tokens(with_dropped_turn(conversation, column.key, more)) + reserve <= window:
            return Overflow(column, needed, window, more)
    return Overflow(column, needed, window, None)

"""Teacher-forced logits, in passes such as answering makes: for parity and for quality."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from backends.llamacpp.worker.context import Stopped
from backends.llamacpp.worker.generation import Generator
from backends.scores import Scores
from backends.worker.messages import Score
from backends.worker.scoring import Rows, scores_of, stopped

# A verification pass of speculation looks at this many tokens at once: four guesses and one more.
_CYCLE_TOKENS = 5


def score(generator: Generator, order: Score) -> Scores:
    """What `Scorer.score` gives. Raises `Cancelled` when the flag is set meanwhile."""
    # After its last token nothing is asked.
    passes = _logits(generator, order.text.token_ids[:-1], order.text.prompt_tokens)
    try:
        return scores_of(passes, order.text.scored, order.top_k, order.ids)
    except Stopped as error:
        raise stopped() from error
    finally:
        generator.free_memory()


def teacher_forced(generator: Generator, token_ids: Sequence[int], prompt_tokens: int) -> Rows:
    """Logits after each token from the prompt's last one on, [len(token_ids) - prompt_tokens + 1,
    vocabulary], in passes as long as those that answering with this setup makes."""
    rows = np.concatenate(list(_logits(generator, token_ids, prompt_tokens)))
    generator.free_memory()
    return rows


def _logits(generator: Generator, token_ids: Sequence[int], prompt_tokens: int) -> Iterator[Rows]:
    context, setup = generator.loaded.context, generator.loaded.setup
    context.keep(0)
    context.decode(token_ids[:prompt_tokens])
    yield context.logits()[None].copy()
    size = 1 if setup.speculation == "none" else _CYCLE_TOKENS
    for start in range(prompt_tokens, len(token_ids), size):
        step = token_ids[start : start + size]
        context.decode(step, all_logits=True)
        yield np.stack([context.logits(index).copy() for index in range(len(step))])

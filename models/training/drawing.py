"""What a training learns from, step by step: conversations are written, encoded and put into
batches, ahead of time in other processes where a GPU would have to wait. Needs no torch."""

import os
import random
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from itertools import islice
from multiprocessing import get_context

from tokenizers import Tokenizer

from models.training.batches import Batch, Encoded, encode, grouped, max_chars
from models.training.dialogues import conversation
from models.training.plan import Plan
from models.training.tokenizer import CONTEXT_TOKENS

Step = list[Batch]

# Draws that are ready or being made, for each process.
_AHEAD = 3


def draw(tokenizer: Tokenizer, plan: Plan, number: int, tokens: int) -> list[Step]:
    """What the next steps learn from, at most as many as are drawn at once: a pure function of the
    plan and the draw's number, `tokens` being how far training is by then."""
    rng = random.Random(f"{plan.seed}:{number}")
    step_tokens = plan.tokens_of_step(tokens)
    drawn: list[Encoded] = []
    left = plan.steps_drawn * step_tokens
    while left > 0:
        said = conversation(rng, "train", max_chars(plan.row_tokens(rng, tokens)))
        encoded = encode(tokenizer, said, plan.user_weight)
        # Some conversations have no answer that is learned from.
        if len(encoded.ids) <= CONTEXT_TOKENS and any(encoded.weights):
            drawn.append(encoded)
            left -= len(encoded.ids)
    # As a part of a batch is padding, this is about one for each step.
    cells = min(plan.batch_tokens, int(1.3 * step_tokens))
    batches = list(grouped(drawn, cells))
    rng.shuffle(batches)
    steps: list[Step] = [[] for _ in range(plan.steps_drawn)]
    for batch in batches:
        min(steps, key=lambda step: sum(b.tokens for b in step)).append(batch)
    return [step for step in steps if step]


class Draws:
    """The draws of a plan in their order, from number `first` on and without end. With `workers`
    they are made ahead in so many processes, which end with `close`; else when they are wanted."""

    def __init__(self, tokenizer: Tokenizer, plan: Plan, first: int, workers: int = 0) -> None:
        self._tokenizer = tokenizer
        self._plan = plan
        self._numbered = islice(enumerate(plan.draws()), first, None)
        self._open = ExitStack()
        self._made = self._made_ahead(workers) if workers else self._made_when_wanted()

    def __next__(self) -> list[Step]:
        return next(self._made)

    def close(self) -> None:
        self._open.close()

    def _made_when_wanted(self) -> Iterator[list[Step]]:
        for number, tokens in self._numbered:
            yield draw(self._tokenizer, self._plan, number, tokens)

    def _made_ahead(self, workers: int) -> Iterator[list[Step]]:
        pool = ProcessPoolExecutor(
            workers, get_context("spawn"), _prepare, (self._tokenizer.to_str(), self._plan)
        )
        self._open.callback(pool.shutdown, cancel_futures=True)
        ahead: deque[Future[list[Step]]] = deque()
        for number, tokens in self._numbered:
            ahead.append(pool.submit(_drawn, number, tokens))
            if len(ahead) >= _AHEAD * workers:
                yield ahead.popleft().result()


# Of a process that draws.
_prepared: list[tuple[Tokenizer, Plan]] = []


def _prepare(tokenizer: str, plan: Plan) -> None:
    # There are as many processes as are needed.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    _prepared.append((Tokenizer.from_str(tokenizer), plan))


def _drawn(number: int, tokens: int) -> list[Step]:
    tokenizer, plan = _prepared[0]
    return draw(tokenizer, plan, number, tokens)

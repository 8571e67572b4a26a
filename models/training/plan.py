"""How to train: numbers only, and what follows from them at each point. Needs no torch."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

# What users type is mostly noise to learn: it does not count in the loss, nor cost time there.
USER_WEIGHT = 0.0
# Of weights that have learned before, on a CPU: three times the tokens are drawn for a step, and a
# fifth of the conversations is learned from, in 1.7 times the time (docs/LOG.md, 2026-11-24).
_FURTHER_STEPS, _FURTHER_SHARE = 3, 0.2


@dataclass(frozen=True)
class Length:
    """Conversations of up to about `row_tokens`, and their share of all at the start and end."""

    row_tokens: int
    share_at_start: float
    share_at_end: float


@dataclass(frozen=True)
class Plan:
    """How to train. Learning rates are peaks; they fall linearly over the last `decay_share`.
    `step_tokens`, at the start and at the end: early, many small steps learn faster; late, the
    gradient's noise is what stands in the way. A batch has at most `batch_tokens` cells; so many
    steps are drawn at once that rows of similar length fill it. With a `learned_share` below 1 a
    step learns from about that share of the conversations drawn for it, see `choosing`."""

    total_tokens: int
    lengths: tuple[Length, ...] = (
        Length(256, 0.985, 0.86),
        Length(512, 0.0, 0.05),
        Length(1024, 0.015, 0.05),
        Length(2048, 0.0, 0.04),
    )
    step_tokens: tuple[int, int] = (2400, 7000)
    batch_tokens: int = 4096
    steps_drawn: int = 5
    muon: bool = True
    matrix_lr: float = 0.02
    other_lr: float = 3e-3
    user_weight: float = USER_WEIGHT
    warmup_steps: int = 60
    decay_share: float = 0.6
    seed: int = 1
    average_decay: float = 0.998
    learned_share: float = 1.0

    def lr_factor(self, step: int, tokens: int) -> float:
        warm = min(1.0, (step + 1) / self.warmup_steps)
        left = (1.0 - min(1.0, tokens / self.total_tokens)) / self.decay_share
        return warm * min(1.0, max(0.02, left))

    def tokens_of_step(self, tokens: int) -> int:
        """How many tokens are drawn for the next step, after `tokens` of training."""
        start, end = self.step_tokens
        return int(start + min(1.0, tokens / self.total_tokens) * (end - start))

    def row_tokens(self, rng: random.Random, tokens: int) -> int:
        """How long the next conversation may be, after `tokens` of training."""
        done = min(1.0, tokens / self.total_tokens)
        shares = [
            length.share_at_start + done * (length.share_at_end - length.share_at_start)
            for length in self.lengths
        ]
        return rng.choices(self.lengths, shares)[0].row_tokens

    def draws(self) -> Iterator[int]:
        """After how many tokens each draw is made, without end. As planned: what was really drawn
        is a little more, but so a draw depends on its number only and can be made ahead."""
        tokens = 0
        while True:
            yield tokens
            tokens += self.steps_drawn * self.tokens_of_step(tokens)


def gpu_plan(total_tokens: int) -> Plan:
    """For a GPU, which waits while it is told what to do: few large batches, and larger steps, as
    there are more tokens to make them of."""
    return Plan(total_tokens, step_tokens=(8_000, 48_000), batch_tokens=65_536, steps_drawn=12)


def further(plan: Plan, rate: float) -> Plan:
    """For weights that have learned before: texts are as at the plan's end, `rate` of its learning
    rates falls from the beginning, and as most is known, steps learn from what is not."""
    return replace(
        plan,
        lengths=tuple(
            replace(length, share_at_start=length.share_at_end) for length in plan.lengths
        ),
        step_tokens=(_FURTHER_STEPS * plan.step_tokens[1],) * 2,
        batch_tokens=2 * plan.batch_tokens,
        learned_share=_FURTHER_SHARE,
        matrix_lr=plan.matrix_lr * rate,
        other_lr=plan.other_lr * rate,
        decay_share=1.0,
    )

"""What a cycle of speculation cost and gave, beside the same setup without it. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.bench.figures import draft_share, tpot
from app.bench.record import RunRecord


@dataclass(frozen=True, slots=True)
class Cycle:
    """Averages over the cycles of one answer but the first, which holds the prefill.

    `plain_steps`: time of a cycle / time per token of the plain setup. `predicted` is the speed-up
    if checking all guesses took as long as one plain step, tokens x (1 - share of time spent
    guessing): what Leviathan et al. 2023 assume, with tokens and shares measured.
    `measured` is time per token of the plain setup / of this one.
    """

    tokens: float
    plain_steps: float
    predicted: float
    measured: float


def plain_twin(run: RunRecord, others: Iterable[RunRecord]) -> RunRecord | None:
    """The run among `others` whose setup is this one's without speculation."""
    plain = {"speculation": "none", "draft_model": None, "draft_tokens": None}
    wanted = run.setup.model_copy(update=plain)
    return next((other for other in others if other.setup == wanted), None)


def cycle_of(run: RunRecord, plain: RunRecord) -> Cycle | None:
    """None where either run is unfinished, contended, or too short to have a time per token."""
    if not (run.is_undisturbed and plain.is_undisturbed):
        return None
    counted = [chunk for chunk in run.chunks if chunk.tokens > 0]
    share, mine_ns, plain_ns = draft_share(run).value, tpot(run).value, tpot(plain).value
    if run.speculation is None or len(counted) < 2 or not (mine_ns and plain_ns):
        return None
    cycles = len(counted) - 1
    tokens = sum(chunk.tokens for chunk in counted[1:]) / cycles
    cycle_ns = (counted[-1].t_ns - counted[0].t_ns) / cycles
    return Cycle(
        tokens=tokens,
        plain_steps=cycle_ns / float(plain_ns),
        predicted=tokens * (1 - float(share or 0)),
        measured=float(plain_ns) / float(mine_ns),
    )

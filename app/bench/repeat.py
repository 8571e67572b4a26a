"""Repeats that settle a difference: the same prompt, equal lengths, interleaved A B B A, paired.

The reference is the first column. Runs are stored with the purpose "repeat"; the verdict is
computed from them, so it is the same after a restart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.bench.compare import (
    PAIRS_FOR_A_VERDICT,
    PairedRatio,
    corrected_confidence,
    paired_ratio,
)
from app.bench.conversation import Column, Comparison, Conversation
from app.bench.jobs import Job, JobBoard
from app.bench.labels import label_of
from app.bench.lane import Lane
from app.bench.store import RunFilter, RunSummary, Store
from app.bench.store.values import PROMPT_START_CHARS
from backends.request import Sampling

PAIRS = 8
TOKENS = 48


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one column's decode speed stands to the reference's: `speed.ratio` times as fast."""

    column_key: str
    label: str
    reference_label: str
    speed: PairedRatio

    @property
    def sentence(self) -> str:
        """For people; "× faster" is said only where it is proven."""
        speed, pairs = self.speed, f"{self.speed.n} pairs of {TOKENS} tokens"
        if speed.low is None or speed.high is None:
            return f"{self.label}: one pair says nothing yet."
        interval = f"[{speed.low:.3g}, {speed.high:.3g}]"
        if not speed.proven:
            return (
                f"No difference shown between {self.label} and {self.reference_label}: "
                f"decode ratio {speed.ratio:.3g} {interval}, {pairs}."
            )
        if speed.ratio >= 1:
            return (
                f"{self.label} decodes {speed.ratio:.3g}× as fast as {self.reference_label} "
                f"{interval}, {pairs}."
            )
        return (
            f"{self.reference_label} decodes {1 / speed.ratio:.3g}× as fast as {self.label} "
            f"[{1 / speed.high:.3g}, {1 / speed.low:.3g}], {pairs}."
        )


def schedule(columns: Sequence[Column], pairs: int) -> list[Column]:
    """A B B A A B …: forwards and backwards in turn, so that a drift hits all alike."""
    order: list[Column] = []
    for index in range(pairs):
        order += columns if index % 2 == 0 else list(reversed(columns))
    return order


def start(board: JobBoard, conversation: Conversation, turn: int, pairs: int = PAIRS) -> Job:
    """Repeat a turn in every column of the conversation, as a job that pages can follow."""
    comparison = conversation.comparison
    lanes = [
        Lane(column, label_of(column, comparison)) for column in schedule(comparison.columns, pairs)
    ]
    job = Job(conversation.id, conversation.visitor, turn, lanes, purpose="repeat")
    board.start_runs(job, conversation, _fixed_length(comparison))
    return job


def _fixed_length(comparison: Comparison) -> Sampling:
    return comparison.sampling.model_copy(
        update={"temperature": 0.0, "max_new_tokens": TOKENS, "fixed_length": True, "stop": ()}
    )


def verdicts(store: Store, conversation: Conversation, turn: int) -> list[Verdict]:
    """What the stored repeats of a turn say about every column against the first; their intervals
    hold together with 95 %."""
    summaries = store.runs(
        RunFilter(
            visitor=conversation.visitor,
            conversation_id=conversation.id,
            purpose="repeat",
            limit=None,
        )
    )
    start = conversation.turns[turn].prompt[:PROMPT_START_CHARS]
    same = [one for one in summaries if one.turn == turn and one.prompt_start == start]
    runs = sorted(same, key=lambda one: one.created_at)
    reference, *others = conversation.comparison.columns
    pairs = {column.key: _pairs(runs, reference, column) for column in others}
    comparisons = sum(len(made) >= PAIRS_FOR_A_VERDICT for made in pairs.values())
    confidence = corrected_confidence(comparisons)
    return [
        Verdict(
            column.key,
            label_of(column, conversation.comparison),
            label_of(reference, conversation.comparison),
            paired_ratio([a for a, _ in made], [b for _, b in made], confidence),
        )
        for column in others
        if (made := pairs[column.key])
    ]


def _pairs(
    runs: Sequence[RunSummary], reference: Column, column: Column
) -> list[tuple[float, float]]:
    """(reference TPOT, column TPOT) of runs made one after the other: their ratio is the speed-up.

    A run whose partner never came (the job was stopped) is left out, and so is a pair with a run
    that failed; the pairs after them stay pairs.
    """
    setups = {reference.key: reference.setup.id, column.key: column.setup.id}
    pairs: list[tuple[float, float]] = []
    waiting: RunSummary | None = None
    for run in runs:
        if run.column_key is None or setups.get(run.column_key) != run.setup_id:
            continue
        if waiting is None or waiting.column_key == run.column_key:
            waiting = run
            continue
        first, second = (waiting, run) if run.column_key == column.key else (run, waiting)
        waiting = None
        if first.status == second.status == "finished" and first.tpot_ns and second.tpot_ns:
            pairs.append((float(first.tpot_ns), float(second.tpot_ns)))
    return pairs

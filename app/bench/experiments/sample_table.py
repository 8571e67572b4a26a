"""The samples of an experiment as columns: a hundred thousand runs are compared in a moment.

It is a sequence of `RunSample`s, each of which is only made when it is asked for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isnan
from typing import cast, overload

import numpy as np
from numpy.typing import NDArray

from app.bench.experiments.order import WARM_UP_ROUND
from app.bench.experiments.samples import MEDIANS, RunSample
from app.bench.record import ExperimentPlace, RunStatus

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

_NO_REASON = "why was not kept"
# A pair is a round, a conversation and a turn, of which there are fewer than these.
_CONVERSATIONS, _TURNS = 1 << 20, 1 << 20


@dataclass(frozen=True, eq=False)
class SampleTable(Sequence[RunSample]):
    """Columns of equal length. Numbers that were not measured are NaN."""

    run_ids: Sequence[str]
    created_at: Sequence[dt.datetime]
    experiment_ids: Sequence[str]
    statuses: Sequence[str]
    errors: Sequence[str]
    disturbances: Sequence[str]
    contended: Booleans
    warm: Booleans
    rounds: Integers
    conversations: Integers
    turns: Integers
    setups: Integers
    attempts: Integers
    workers: Sequence[str]
    prompt_tokens: Floats
    output_tokens: Floats
    values: Mapping[str, Floats]
    reasons: Sequence[Mapping[str, str]]

    @classmethod
    def of(cls, samples: Sequence[RunSample]) -> SampleTable:
        """The same samples as a table."""
        if isinstance(samples, SampleTable):
            return samples
        places = [one.place for one in samples]
        return cls(
            run_ids=[one.run_id for one in samples],
            created_at=[one.created_at for one in samples],
            experiment_ids=[one.id for one in places],
            statuses=[one.status for one in samples],
            errors=[one.error for one in samples],
            disturbances=[one.disturbed for one in samples],
            contended=np.array([one.contended for one in samples], dtype=bool),
            warm=np.array([one.warm for one in samples], dtype=bool),
            rounds=integers([one.round for one in places]),
            conversations=integers([one.conversation for one in places]),
            turns=integers([one.turn for one in places]),
            setups=integers([one.setup for one in places]),
            attempts=integers([one.attempt for one in places]),
            workers=[one.worker for one in places],
            prompt_tokens=floats([one.prompt_tokens for one in samples]),
            output_tokens=floats([one.output_tokens for one in samples]),
            values={name: floats([one.values.get(name) for one in samples]) for name in MEDIANS},
            reasons=[one.reasons for one in samples],
        )

    def __len__(self) -> int:
        return len(self.run_ids)

    @overload
    def __getitem__(self, index: int) -> RunSample: ...
    @overload
    def __getitem__(self, index: slice) -> list[RunSample]: ...
    def __getitem__(self, index: int | slice) -> RunSample | list[RunSample]:
        if isinstance(index, slice):
            return self.picked(np.arange(*index.indices(len(self))))
        return self.picked(np.array([range(len(self))[index]]))[0]

    def __iter__(self) -> Iterator[RunSample]:
        return iter(self.picked(np.arange(len(self))))

    def picked(self, runs: Integers) -> list[RunSample]:
        """The samples at these indices, in their order."""
        names = tuple(self.values)
        numbers = zip(*(self.values[name][runs].tolist() for name in names), strict=True)
        columns = (
            *(self.rounds, self.conversations, self.turns, self.setups, self.attempts),
            *(self.contended, self.warm, self.prompt_tokens, self.output_tokens),
        )
        lists = (column[runs].tolist() for column in columns)
        return [
            RunSample(
                run_id=self.run_ids[run],
                created_at=self.created_at[run],
                place=ExperimentPlace(
                    id=self.experiment_ids[run],
                    round=round_,
                    conversation=conversation,
                    turn=turn,
                    setup=setup,
                    attempt=attempt,
                    worker=self.workers[run],
                ),
                status=cast(RunStatus, self.statuses[run]),
                error=self.errors[run],
                disturbed=self.disturbances[run],
                contended=contended,
                warm=warm,
                prompt_tokens=None if isnan(prompt) else int(prompt),
                output_tokens=None if isnan(output) else int(output),
                values={
                    name: value
                    for name, value in zip(names, values, strict=True)
                    if not isnan(value)
                },
                reasons=self.reasons[run],
            )
            for (
                run,
                values,
                round_,
                conversation,
                turn,
                setup,
                attempt,
                contended,
                warm,
                prompt,
                output,
            ) in zip(runs.tolist(), numbers, *lists, strict=True)
        ]

    def of_setup(self, setup: int) -> Integers:
        """Which runs are a setup's, warm-ups not among them, in the order of the plan: the clock
        may jump."""
        mine = np.flatnonzero((self.setups == setup) & (self.rounds > WARM_UP_ROUND))
        in_order: Integers = mine[np.lexsort((self.attempts[mine], self.pairs[mine]))]
        return in_order

    def kept(self, runs: Integers) -> Integers:
        """Of the runs of a setup the one that counts for each pair: the undisturbed one, else the
        last that finished."""
        may = self.is_finished[runs] & ~self.contended[runs] & self.warm[runs]
        able = runs[may]
        disturbed = self.is_disturbed[able]
        order = np.arange(len(able))
        best_first = np.lexsort((np.where(disturbed, -order, order), disturbed, self.pairs[able]))
        _, firsts = np.unique(self.pairs[able][best_first], return_index=True)
        best: Integers = able[best_first[firsts]]
        return best

    @property
    def in_order(self) -> Integers:
        """All runs in the order of the plan, those that were made again after each other."""
        order: Integers = np.lexsort((self.attempts, self.setups, self.pairs))
        return order

    def why_missing(self, runs: Integers, metric: str) -> str:
        """The reason of the first of the runs that lacks a metric; empty where none does."""
        lacking = runs[np.isnan(self.values[metric][runs])]
        return self.reasons[lacking[0]].get(metric, _NO_REASON) if len(lacking) else ""

    @cached_property
    def pairs(self) -> Integers:
        """A number for each run's round, conversation and turn, in their order."""
        return (self.rounds * _CONVERSATIONS + self.conversations) * _TURNS + self.turns

    @cached_property
    def is_finished(self) -> Booleans:
        return _equal(self.statuses, "finished")

    @cached_property
    def is_failed(self) -> Booleans:
        return _equal(self.statuses, "failed")

    @cached_property
    def is_disturbed(self) -> Booleans:
        return ~_equal(self.disturbances, "")


def integers(values: Sequence[int]) -> Integers:
    return np.array(values, dtype=np.int64)


def floats(values: Sequence[float | None]) -> Floats:
    return np.array(values, dtype=np.float64)


def _equal(texts: Sequence[str], wanted: str) -> Booleans:
    return np.array([text == wanted for text in texts], dtype=bool)

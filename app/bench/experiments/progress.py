"""How far an experiment is, and what the rest of it will take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from app.bench.experiments.order import WARM_UP_ROUND
from app.bench.figures import cost
from app.bench.record import RunRecord


@dataclass(frozen=True, slots=True)
class Status:
    """`made` of `planned` runs, without warm-ups and what was made again. `seconds_left` and
    `dollars_left` are None until every setup has answered once; dollars also where the cost of a
    run is not known."""

    planned: int
    made: int
    doing: str
    seconds: float
    seconds_left: float | None = None
    dollars: Decimal | None = None
    dollars_left: Decimal | None = None
    disturbed: int = 0
    left_out: Mapping[str, str] = field(default_factory=dict)
    is_waiting: bool = False  # its turn has not come yet


def seconds_of(record: RunRecord) -> float:
    """From when the device was ours until it was free for the next: load, warm-up and run."""
    timeline = record.timeline
    if timeline.started_ns is None or timeline.released_ns is None:
        return 0.0
    return (timeline.released_ns - timeline.started_ns) / 1e9


@dataclass(slots=True)
class _Sums:
    runs: int = 0
    seconds: float = 0.0
    priced: int = 0
    dollars: Decimal = Decimal(0)


class Tally:
    """Sums over finished runs, kept as they are made: telling takes no longer the more there are.

    Warm-ups cost money like other runs. What the rest takes is expected from compared runs whose
    engine was loaded already.
    """

    def __init__(self) -> None:
        self._all = _Sums()
        self._expected: dict[int, _Sums] = {}
        self.disturbed = 0

    def add(self, record: RunRecord) -> None:
        place = record.experiment
        if record.status != "finished" or place is None:
            return
        self._add(self._all, record)
        is_compared = place.round > WARM_UP_ROUND
        if is_compared and record.load_seconds is None:
            self._add(self._expected.setdefault(place.setup, _Sums()), record)
        self.disturbed += bool(record.disturbed and is_compared)

    def _add(self, sums: _Sums, record: RunRecord) -> None:
        dollars = cost(record).value
        sums.runs += 1
        sums.seconds += seconds_of(record)
        if dollars is not None:
            sums.priced += 1
            sums.dollars += Decimal(dollars)

    @property
    def runs(self) -> int:
        return self._all.runs

    @property
    def dollars(self) -> Decimal | None:
        """What all runs cost; None where that of one is not known."""
        return self._all.dollars if 0 < self._all.runs == self._all.priced else None

    def seconds_for(self, left: Mapping[int, int]) -> float | None:
        """Expected seconds for so many runs of each setup (by its index); None without an
        experience with one of them."""
        if any(setup not in self._expected for setup in left):
            return None
        found = {setup: self._expected[setup] for setup in left}
        return sum(left[setup] * one.seconds / one.runs for setup, one in found.items())

    def dollars_for(self, left: Mapping[int, int]) -> Decimal | None:
        """The same in dollars; None also where a run has no known cost."""
        found = {setup: self._expected.get(setup, _Sums()) for setup in left}
        if self.dollars is None or any(not 0 < one.runs == one.priced for one in found.values()):
            return None
        return sum(
            (left[setup] * one.dollars / one.runs for setup, one in found.items()), Decimal()
        )

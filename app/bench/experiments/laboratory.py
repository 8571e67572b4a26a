"""Where experiments are made."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from app.bench.energy.counters import CounterOf, counter_of
from app.bench.experiments.disturbance import OtherLoad
from app.bench.runner import Bench
from app.bench.store import Store


@dataclass(frozen=True, slots=True)
class Laboratory:
    """What an experiment needs: where runs are made and kept, the clock, who watches the load, and
    where energy is read."""

    bench: Bench
    store: Store
    clock_ns: Callable[[], int] = time.monotonic_ns
    load: OtherLoad = field(default_factory=OtherLoad)
    counter_of: CounterOf = counter_of

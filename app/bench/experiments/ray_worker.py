"""What runs on each worker of a Ray cluster: a bench of its own, which makes one run at a time."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence

from app.bench.benchmarks.engines import opened_bench
from app.bench.experiments.disturbance import OtherLoad
from app.bench.experiments.making import HereMaker
from app.bench.record import RunRecord
from app.bench.runner import RunOrder
from app.bench.scheduler import Scheduler, default_lock_dir
from backends.engine import CancelToken


class RayWorker:
    """An actor's body. `gpus`: those that Ray gave it; each has a queue of its own on its host,
    since all of them are the first one to the process that has them."""

    def __init__(self, gpus: Sequence[str]) -> None:
        folder = default_lock_dir()
        scheduler = Scheduler(folder / f"gpu-{'-'.join(gpus)}" if gpus else folder)
        self._host = " ".join([socket.gethostname(), *(f"GPU {gpu}" for gpu in gpus)])
        self._held = contextlib.ExitStack()
        bench = self._held.enter_context(opened_bench(scheduler))
        self._maker = HereMaker(bench, OtherLoad())
        self._cancel = CancelToken()

    def place(self) -> str:
        """Host and GPUs, for people."""
        return self._host

    def make(self, order: RunOrder) -> RunRecord:
        return self._maker.make(order, self._cancel)

    def stop(self) -> None:
        """Called beside `make`: the run that is made ends, and no other begins."""
        self._cancel.cancel()

    def close(self) -> None:
        self._held.close()

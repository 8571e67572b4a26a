"""What runs on each worker of a Ray cluster: a bench of its own, which makes one run at a time.

It uses the settings, prices, models and tokens of the machine it is on. Plain values go in and out.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Collection, Sequence

import psutil
from pydantic import BaseModel, ConfigDict, TypeAdapter

from app.bench.benchmarks.engines import opened_bench
from app.bench.environment import commit
from app.bench.experiments.disturbance import OtherLoad
from app.bench.experiments.making import HereMaker
from app.bench.runner import RunOrder
from app.bench.scheduler import Scheduler
from backends.engine import CancelToken
from backends.errors import DynoError
from backends.registry import get_backend
from backends.setup import Setup

ORDERS = TypeAdapter(RunOrder)
_THREADS = "OMP_NUM_THREADS"


class Introduction(BaseModel):
    """Who a worker is. `place`: host and GPU, for people. `problems`: why it cannot run a setup, by
    the setup's index."""

    model_config = ConfigDict(frozen=True)

    place: str
    host: str
    pid: int
    commit: str | None
    problems: dict[int, str]


class RayWorker:
    """An actor's body. `gpus`: the ids that Ray gave it; to this process they count from 0."""

    def __init__(self, gpus: Sequence[str]) -> None:
        _forget_ray_threads()
        self._host = socket.gethostname()
        self._place = " ".join([self._host, *(f"GPU {gpu}" for gpu in gpus)])
        self._held = contextlib.ExitStack()
        # A queue has the GPU's name on its host, where other programs may wait for it, too.
        names = {f"cuda:{index}": f"cuda:{gpu}" for index, gpu in enumerate(gpus)}
        bench = self._held.enter_context(opened_bench(Scheduler(known_as=names)))
        self._load = OtherLoad()
        self._maker = HereMaker(bench, self._load)
        self._cancel = CancelToken()

    def introduce(self, setups: Sequence[str]) -> str:
        """Who this is, as JSON, and which of the setups (JSON) cannot be run here."""
        problems = {
            index: _problem(Setup.model_validate_json(one)) for index, one in enumerate(setups)
        }
        return Introduction(
            place=self._place,
            host=self._host,
            pid=os.getpid(),
            commit=commit(),
            problems={index: problem for index, problem in problems.items() if problem},
        ).model_dump_json()

    def meet(self, pids: Collection[int]) -> None:
        """Other workers on this host are no disturbance by others."""
        self._load.siblings = tuple(pids)

    def make(self, order: str) -> str:
        """The record of a run, both as JSON."""
        return self._maker.make(ORDERS.validate_json(order), self._cancel).model_dump_json()

    def stop(self) -> None:
        """Called beside `make`: the run that is made ends, and no other begins."""
        self._cancel.cancel()

    def close(self) -> None:
        self._held.close()


def _problem(setup: Setup) -> str:
    try:
        get_backend(setup.backend).check(setup).require()
    except DynoError as error:
        return f"{error.message} {error.remedy}".strip()
    return ""


def _forget_ray_threads() -> None:
    """Ray sets it for what it thinks an actor computes with; engines are told their threads, and
    those of one machine have none."""
    if _THREADS not in psutil.Process().environ():  # as the process was started
        os.environ.pop(_THREADS, None)

"""A Ray cluster as it is seen from here: connected to, with a worker on each GPU or host.

Every machine needs the app in the folder where it is here. Ray is imported lazily. It listens on
the machine's network addresses while it runs, also for a cluster of one; a token keeps others out.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app.bench.experiments.ray_worker import RayWorker
from app.bench.prices import PriceBook
from app.bench.record import RunRecord
from app.bench.runner import RunOrder
from backends.engine import REMOTE_DEVICE, CancelToken
from backends.errors import Cancelled, DynoError, MissingDependency
from backends.settings import ROOT

LOCAL = "ray"
_LOOK_SECONDS = 0.1
_START_SECONDS = 180
_CLOSE_SECONDS = 10
_OBJECT_STORE_BYTES = 100_000_000
_log = logging.getLogger("llm_dyno")


class WorkerLost(DynoError):
    """A worker of the cluster ended, or cannot be reached any more."""


class RayMaker:
    """One worker, as it is seen from here."""

    def __init__(self, ray: Any, actor: Any, place: str) -> None:
        self.place = place
        self.prices: PriceBook | None = None
        self._ray = ray
        self._actor = actor

    def make(self, order: RunOrder, cancel: CancelToken) -> RunRecord:
        """Raises `WorkerLost`."""
        forget = cancel.on_cancel(self._stop)
        try:
            made = self._actor.make.remote(order)
            while not self._ray.wait([made], timeout=_LOOK_SECONDS)[0]:
                pass
            record: RunRecord = self._ray.get(made)
        except self._ray.exceptions.RayError as error:
            _log.warning("the worker %s was lost: %s", self.place, error)
            raise WorkerLost(
                f"The worker {self.place} was lost ({type(error).__name__}).",
                "The others go on; the log has the details.",
            ) from error
        finally:
            forget()
        if self.prices and record.price is None and record.environment.device != REMOTE_DEVICE:
            price = self.prices.price_for(record.environment.device)
            record = record.model_copy(update={"price": price})
        return record

    def _stop(self) -> None:
        with contextlib.suppress(Exception):
            self._actor.stop.remote()

    def close(self) -> None:
        """Let it close its engines, then end it."""
        with contextlib.suppress(Exception):
            self._ray.get(self._actor.close.remote(), timeout=_CLOSE_SECONDS)
        with contextlib.suppress(Exception):
            self._ray.kill(self._actor)


def prepare_environment(address: str) -> None:
    """What Ray reads once, when it is imported: tell nobody of its use, and present a token.

    A Ray of this machine alone gets one of its own, which it would else leave in the home folder;
    for a cluster it is the one that lies there, which Ray's client does not look for by itself.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if "RAY_AUTH_MODE" in os.environ:
        return
    if address == LOCAL:
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    told = {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys()
    if told or (Path.home() / ".ray" / "auth_token").is_file():
        os.environ["RAY_AUTH_MODE"] = "token"


@contextlib.contextmanager
def connected(address: str) -> Iterator[Any]:
    """Ray, connected; a Ray of this machine alone is ended and removed afterwards."""
    prepare_environment(address)
    try:
        import ray
    except ImportError as error:
        raise MissingDependency(
            "Ray is not installed.", "pip install -r requirements-ray.txt, or run without --on."
        ) from error
    if ray.is_initialized():  # whoever connected it ends it
        yield ray
        return
    options: dict[str, Any] = {
        "runtime_env": {"env_vars": {"PYTHONPATH": str(ROOT)}},
        "logging_level": logging.ERROR,
        "log_to_driver": False,
    }
    folder = ""
    if address == LOCAL:
        folder = tempfile.mkdtemp(prefix="ray-")
        options |= {"include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES}
        options |= {"_temp_dir": folder}
    try:
        try:
            ray.init(address="local" if folder else address, **options)
        except (ConnectionError, OSError, RuntimeError, ValueError, ImportError) as error:
            raise DynoError(
                f"No Ray cluster answers at {address}: {error}",
                "Start one (ray start --head), or use --on ray for this machine alone. Where it "
                "asks for a token, set RAY_AUTH_TOKEN to the cluster's.",
            ) from error
        yield ray
    finally:
        ray.shutdown()
        if folder:
            shutil.rmtree(Path(folder), ignore_errors=True)


@contextlib.contextmanager
def started(ray: Any, workers: int | None, cancel: CancelToken) -> Iterator[list[RayMaker]]:
    """Workers that answered; all are ended on the way out, however that is taken."""
    makers: list[RayMaker] = []
    actors = [_actor(ray, *place) for place in _places(ray, workers)]
    try:
        names = _names(ray, [actor.place.remote() for actor in actors], cancel)
        for index, (actor, name) in enumerate(zip(actors, names, strict=True)):
            count = names[: index + 1].count(name)
            makers.append(RayMaker(ray, actor, name if count == 1 else f"{name} ({count})"))
        yield makers
    finally:
        for maker in makers:
            maker.close()
        for actor in actors[len(makers) :]:
            with contextlib.suppress(Exception):
                ray.kill(actor)


def _names(ray: Any, asked: list[Any], cancel: CancelToken) -> list[str]:
    """What the workers are called, once all have started."""
    deadline = time.monotonic() + _START_SECONDS
    try:
        while len(ray.wait(asked, num_returns=len(asked), timeout=_LOOK_SECONDS)[0]) < len(asked):
            if cancel.is_cancelled:
                raise Cancelled("It was stopped while the workers started.")
            if time.monotonic() > deadline:
                raise ray.exceptions.GetTimeoutError(f"waited for {_START_SECONDS} s")
        names: list[str] = ray.get(asked)
        return names
    except ray.exceptions.RayError as error:
        raise DynoError(
            "A worker of the cluster did not start.",
            f"Every machine needs the app in {ROOT}, with its requirements.",
            str(error),
        ) from error


def _places(ray: Any, workers: int | None) -> list[tuple[str, bool]]:
    """For each worker its node and whether it has a GPU: one for each GPU of the cluster, or where
    there is none one for each node; with `workers` that many of them, or in turn on the nodes."""
    nodes = [node for node in ray.nodes() if node["Alive"]]
    gpus = [
        (str(node["NodeID"]), True)
        for node in nodes
        for _ in range(int(node["Resources"].get("GPU", 0)))
    ]
    places = gpus or [(str(node["NodeID"]), False) for node in nodes]
    if workers is None:
        return places
    if gpus and workers > len(gpus):
        raise DynoError(
            f"The cluster has {len(gpus)} GPUs, fewer than {workers} workers.", "Ask for fewer."
        )
    return [places[index % len(places)] for index in range(workers)]


def _actor(ray: Any, node: str, has_gpu: bool) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    # `stop` is called beside `make`.
    options = ray.remote(_in_actor(has_gpu)).options(
        num_cpus=0,
        num_gpus=1 if has_gpu else 0,
        max_concurrency=2,
        scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
    )
    return options.remote()


def _in_actor(has_gpu: bool) -> type[RayWorker]:
    """The worker's class as an actor makes it: only there is it known which GPU it got."""

    class _Worker(RayWorker):
        def __init__(self) -> None:
            super().__init__(_gpu_ids() if has_gpu else ())

    return _Worker


def _gpu_ids() -> Sequence[str]:
    import ray

    return [str(one) for one in ray.get_gpu_ids()]

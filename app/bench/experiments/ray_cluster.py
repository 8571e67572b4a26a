"""A Ray cluster: connected, with a worker for each GPU, or for each host without one.

The only module that imports ray, and only when a cluster is asked for.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.bench.environment import commit
from app.bench.experiments.ray_worker import Introduction, RayWorker
from backends.engine import CancelToken
from backends.errors import Cancelled, DynoError, MissingDependency
from backends.settings import ROOT
from backends.setup import Setup

LOCAL = "ray"
LOOK_SECONDS = 0.1
_CLOSE_SECONDS = 10
_KNOCK_SECONDS = 5
_CLIENT_PORT = 10001  # Ray's default
_OBJECT_STORE_BYTES = 100_000_000


class Actor:
    """One worker of the cluster, as it is seen from here."""

    def __init__(self, ray: Any, handle: Any, introduction: Introduction, place: str) -> None:
        self.ray = ray
        self.handle = handle
        self.introduction = introduction
        self.place = place

    def close(self) -> None:
        """Let it close its engines, then end it."""
        with contextlib.suppress(Exception):
            self.ray.get(self.handle.close.remote(), timeout=_CLOSE_SECONDS)
        with contextlib.suppress(Exception):
            self.ray.kill(self.handle)


def prepare_environment(*, is_local: bool) -> None:
    """What Ray reads when it is imported, where the user has not set it: tell nobody of its use,
    and show a token.

    A Ray of this machine alone is on the loopback only where there can be no clusters, and gets a
    token of its own, which it would else leave in the home folder. That of a cluster may be set or
    lie there, and Ray's client does not look for it by itself.
    """
    wanted = {"RAY_USAGE_STATS_ENABLED": "0"}
    tokens = {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"}
    if is_local:
        wanted["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        wanted |= {} if tokens & os.environ.keys() else {"RAY_AUTH_TOKEN": secrets.token_hex(32)}
    if is_local or tokens & os.environ.keys() or (Path.home() / ".ray" / "auth_token").is_file():
        wanted["RAY_AUTH_MODE"] = "token"
    for name, value in wanted.items():
        os.environ.setdefault(name, value)


@contextlib.contextmanager
def connected(address: str) -> Iterator[Any]:
    """Ray, connected; a Ray of this machine alone is ended and removed afterwards.

    Raises `MissingDependency` without Ray, `DynoError` where no cluster answers.
    """
    is_local = address == LOCAL
    prepare_environment(is_local=is_local)
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
        "runtime_env": {"env_vars": {"PYTHONPATH": f"{ROOT}{os.pathsep}${{PYTHONPATH}}"}},
        "logging_level": logging.ERROR,
        "log_to_driver": False,
    }
    folder = tempfile.mkdtemp(prefix="ray-") if is_local else ""
    if is_local:
        options |= {"include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES}
        options |= {"_temp_dir": folder}
    try:
        try:
            if not is_local:
                _knock(address)
            _enter(ray, "local" if is_local else address, options)
        except (ConnectionError, OSError, RuntimeError, ValueError, ImportError) as error:
            raise DynoError(
                f"No Ray cluster answers at {address}: {str(error).strip().splitlines()[0]}",
                "Start one (ray start --head), or use --on ray for this machine alone. Where it "
                "asks for a token, set RAY_AUTH_TOKEN to the cluster's.",
            ) from error
        yield ray
    finally:
        ray.shutdown()
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _enter(ray: Any, address: str, options: Mapping[str, Any]) -> None:
    """A cluster starts a server of its own for each who comes, which fails now and then while its
    head is busy: asked again it starts another."""
    try:
        ray.init(address=address, **options)
    except ConnectionAbortedError:
        ray.init(address=address, **options)


def _knock(address: str) -> None:
    """Ray itself tries for half a minute where nobody listens."""
    place = urlsplit(address)
    socket.create_connection(
        (place.hostname or "", place.port or _CLIENT_PORT), _KNOCK_SECONDS
    ).close()


@contextlib.contextmanager
def started(
    ray: Any,
    setups: Mapping[str, Setup],
    workers: int | None,
    cancel: CancelToken,
    tell: Callable[[str], None],
) -> Iterator[list[Actor]]:
    """Workers that can run the setups (by label); all are ended on the way out.

    GPUs that others use are waited for. Raises `DynoError` where a worker does not start, has
    other code, or cannot run what others can, and `Cancelled` for a stop meanwhile.
    """
    handles = [_actor(ray, *place) for place in _places(ray, workers)]
    actors = [Actor(ray, handle, _NOBODY, "") for handle in handles]
    try:
        asked = [one.model_dump_json() for one in setups.values()]
        told = [handle.introduce.remote(asked) for handle in handles]
        introductions = [
            Introduction.model_validate_json(one) for one in _all(ray, told, cancel, tell)
        ]
        for actor, one, place in zip(actors, introductions, _names(introductions), strict=True):
            actor.introduction, actor.place = one, place
        _refuse_other_code(actors)
        _refuse_disagreement(actors, list(setups))
        meetings = [
            actor.handle.meet.remote(_beside(actor.introduction, introductions)) for actor in actors
        ]
        _all(ray, meetings, cancel, tell)
        yield actors
    finally:
        for actor in actors:
            actor.close()


_NOBODY = Introduction(place="", host="", pid=0, commit=None, problems={})


def _beside(one: Introduction, introductions: Sequence[Introduction]) -> list[int]:
    """Process ids of the other workers on its host."""
    return [other.pid for other in introductions if other.host == one.host and other.pid != one.pid]


def _all(
    ray: Any, told: Sequence[Any], cancel: CancelToken, tell: Callable[[str], None]
) -> list[Any]:
    """What every worker answers, as soon as all have."""
    waiting = list(told)
    while waiting:
        tell(f"waits for {len(waiting)} workers of the cluster")
        _, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=LOOK_SECONDS)
        if cancel.is_cancelled:
            raise Cancelled("It was stopped while it waited for the cluster.")
    try:
        answers: list[Any] = ray.get(list(told))
    except ray.exceptions.RayError as error:
        raise DynoError(
            "A worker of the cluster did not start.",
            f"Every machine needs the app in {ROOT}, with its requirements.",
            str(error),
        ) from error
    return answers


def _names(introductions: Sequence[Introduction]) -> list[str]:
    """The place of each, no two the same."""
    places = [one.place for one in introductions]
    return [
        place if places.count(place) == 1 else f"{place} ({places[: index + 1].count(place)})"
        for index, place in enumerate(places)
    ]


def _refuse_other_code(actors: Sequence[Actor]) -> None:
    here = commit()
    for actor in actors:
        there = actor.introduction.commit
        if here and there and here != there:
            raise DynoError(
                f"The app on {actor.place} is another version ({there[:7]}, here {here[:7]}).",
                f"Check out the same commit in {ROOT} on every machine.",
            )


def _refuse_disagreement(actors: Sequence[Actor], labels: Sequence[str]) -> None:
    """What nobody can run is left out later, as on one machine. Where some can, the others lack
    something."""
    for index, label in enumerate(labels):
        problems = {actor.place: actor.introduction.problems.get(index, "") for actor in actors}
        if all(problems.values()):
            continue
        for place, problem in problems.items():
            if problem:
                raise DynoError(
                    f"{place} cannot run “{label}”: {problem}",
                    "Every worker needs the plan's models and libraries, in the same places.",
                )


def _places(ray: Any, workers: int | None) -> list[tuple[str, bool]]:
    """For each worker its node and whether it has a GPU: one for each GPU of the cluster, or where
    there is none one for each node; with `workers` that many of them, or in turn on the nodes."""
    resources = {str(one["NodeID"]): one["Resources"] for one in ray.nodes() if one["Alive"]}
    gpus = [(id_, True) for id_, has in resources.items() for _ in range(int(has.get("GPU", 0)))]
    # A head without processors is there to be asked, not to compute.
    places = gpus or [(id_, False) for id_, has in resources.items() if has.get("CPU", 0)]
    if not places:
        raise DynoError("The cluster has no worker.", "Start one with ray start --address=…")
    if workers is None:
        return places
    if gpus and workers > len(gpus):
        raise DynoError(
            f"The cluster has {len(gpus)} GPUs, fewer than {workers} workers.", "Ask for fewer."
        )
    return [places[index % len(places)] for index in range(workers)]


def _actor(ray: Any, node: str, has_gpu: bool) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    # `stop` is called beside `make`. Processors are shared by locks, with other programs, too.
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

"""A server for benchmarks: the same pages, and orders over HTTP that a page would give.

Never the shipped entry. It answers this machine only, and only JSON, which no page of another
site can send without being asked first.
"""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.bench.conversation import Comparison
from app.bench.conversations import with_turn
from app.bench.jobs import Job
from app.bench.store import RunFilter
from app.ui.drawn import drawn_route
from app.ui.server import OWNER, close_server, get_server
from backends.engine import CancelToken
from backends.errors import DynoError, InvalidRequest
from backends.host.shared import shared_host
from backends.registry import get_backend
from backends.setup import Setup

_LOOPBACK = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
_WAIT_SECONDS = 600.0
_ASKED_SECONDS = 20.0

Order = dict[str, Any]


@asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
    server = get_server()
    try:
        yield {"server": server}
    finally:
        close_server()


def conversation(order: Order) -> str:
    comparison = Comparison.model_validate(order["comparison"])
    return get_server().book.start(comparison, OWNER).id


def turn(order: Order) -> None:
    """Ask all columns, as `chat_state.send` does for a page."""
    server, prompt = get_server(), str(order["prompt"])
    changed = server.book.change(order["conversation"], OWNER, lambda c: with_turn(c, prompt))
    if changed is None:
        raise InvalidRequest("There is no such conversation.")
    server.jobs.answer(changed, changed.turns[-1].index)


def wait(order: Order) -> dict[str, Any]:
    """The records of a turn by column key, once it was asked (here or in a page) and is done."""
    job = _job(str(order["conversation"]), int(order["turn"]))
    if not job.wait(_WAIT_SECONDS):
        raise InvalidRequest("This turn takes too long.")
    return {
        lane.column.key: lane.record.model_dump(mode="json")
        for lane in job.lanes
        if lane.record is not None
    }


def _job(conversation_id: str, index: int) -> Job:
    deadline = time.monotonic() + _ASKED_SECONDS
    while time.monotonic() < deadline:
        job = get_server().jobs.of(conversation_id, OWNER)
        if job is not None and job.turn == index:
            return job
        time.sleep(0.02)
    raise InvalidRequest("This turn was not asked.")


def preloaded(_: Order) -> None:
    shared_host().wait_ready()


def load(order: Order) -> float:
    server, setup = get_server(), Setup.model_validate(order["setup"])
    device, cancel = get_backend(setup.backend).device_of(setup), CancelToken()
    started = time.perf_counter()
    with (
        server.scheduler.lease(device, "the benchmark startup", cancel),
        server.pool.lease(setup, lambda progress: None, cancel),
    ):
        return time.perf_counter() - started


def unload(_: Order) -> None:
    pool = get_server().pool
    for engine in pool.engines():
        pool.unload(engine.key)


def state(_: Order) -> dict[str, Any]:
    return {"host": shared_host().pid, "runs": get_server().store.count(RunFilter(visitor=OWNER))}


def modules(_: Order) -> list[str]:
    """What is imported in this process, by the names of the packages."""
    return sorted({name.partition(".")[0] for name in sys.modules})


def _route(answer: Callable[[Order], Any]) -> Route:
    async def endpoint(request: Request) -> Response:
        if request.client is None or request.client.host not in _LOOPBACK:
            return JSONResponse("only for this machine", status_code=403)
        if request.headers.get("content-type") != "application/json":
            return JSONResponse("only JSON", status_code=415)
        try:
            return JSONResponse(await run_in_threadpool(answer, await request.json()))
        except DynoError as error:
            return JSONResponse(f"{error.message} {error.remedy}".strip(), status_code=400)

    return Route(f"/_dyno/bench/{answer.__name__}", endpoint, methods=["POST"])


app = st.App(
    Path(__file__).with_name("main.py"),
    lifespan=lifespan,
    routes=[
        drawn_route(),
        *(
            _route(answer)
            for answer in (conversation, turn, wait, preloaded, load, unload, state, modules)
        ),
    ],
)

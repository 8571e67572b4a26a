"""What one server holds for all its visitors: store, prices, engines, queue, jobs.

Started by the entry's lifespan before any visitor; in tests on first need.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from app.bench.conversations import ConversationBook
from app.bench.experiments.board import ExperimentBoard
from app.bench.experiments.running import Laboratory
from app.bench.jobs import JobBoard
from app.bench.prices import PriceBook
from app.bench.runner import Bench
from app.bench.scheduler import Scheduler
from app.bench.store import Store
from backends.host.shared import close_shared_host, shared_host
from backends.pool import EnginePool
from backends.settings import Settings, get_settings

VISITOR_COOKIE = "dyno_visitor"
OWNER = "local"


@dataclass(frozen=True, slots=True)
class Server:
    """One per process. `visitor` says whose page this is."""

    settings: Settings
    store: Store
    prices: PriceBook
    pool: EnginePool
    scheduler: Scheduler
    book: ConversationBook
    jobs: JobBoard
    experiments: ExperimentBoard

    def visitor(self) -> str:
        """On one's own machine everybody is its owner; in public mode a visitor is a cookie."""
        if not self.settings.public:
            return OWNER
        import streamlit as st

        return st.context.cookies.get(VISITOR_COOKIE) or "nobody"

    def close(self) -> None:
        self.jobs.cancel_all()
        self.experiments.close()
        self.pool.close()
        self.store.close()
        close_shared_host()


_lock = threading.Lock()
_server: Server | None = None


def get_server() -> Server:
    """The server's parts, made on first call. Raises `DynoError` for a bad setting or database."""
    global _server
    with _lock:
        if _server is None:
            _server = _start(get_settings())
        return _server


def close_server() -> None:
    """Stop jobs, close engines, end the host. The next `get_server` starts anew."""
    global _server
    with _lock:
        server, _server = _server, None
    if server is not None:
        server.close()


def _start(settings: Settings) -> Server:
    shared_host()  # it preloads while the rest is made and the browser comes
    budget = settings.memory_budget_gb
    store = Store.open(settings)
    prices = PriceBook.load(settings)
    pool = EnginePool(settings.max_engines, int(budget * 1e9) if budget is not None else None)
    scheduler = Scheduler(max_queue=settings.max_queue)
    book = ConversationBook(store)
    bench = Bench(pool, scheduler, prices)
    jobs = JobBoard(bench, book)
    experiments = ExperimentBoard(Laboratory(bench, store), settings)
    return Server(settings, store, prices, pool, scheduler, book, jobs, experiments)

"""A whole bench on the fake backend: pool, scheduler, prices, store, conversations and jobs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.bench.conversation import Column, Comparison, Conversation
from app.bench.conversations import ConversationBook, with_turn
from app.bench.jobs import Job, JobBoard
from app.bench.prices import PriceBook
from app.bench.runner import Bench
from app.bench.scheduler import Scheduler
from app.bench.store import Store
from backends.pool import EnginePool
from backends.request import Sampling
from backends.settings import Settings
from backends.setup import Setup

VISITOR = "ada"
PROMPT = "What is prefill?"


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def setup_of(model: str = "a", **toggles: object) -> Setup:
    return Setup.model_validate({"model": model, "backend": "fake"} | toggles)


def columns_of(*models: str) -> tuple[Column, ...]:
    """One column a model; its key is the model's name."""
    return tuple(Column(key=model, setup=setup_of(model)) for model in models)


@dataclass(slots=True)
class Workshop:
    """What one server holds, in a folder."""

    bench: Bench
    store: Store
    book: ConversationBook
    jobs: JobBoard

    @classmethod
    def make(cls, folder: Path, max_queue: int = 32, settings: Settings | None = None) -> Workshop:
        settings = settings or Settings(data_dir=folder / "data")
        store = Store.open(settings)
        scheduler = Scheduler(folder / "locks", max_queue)
        bench = Bench(EnginePool(8), scheduler, PriceBook.load(settings))
        book = ConversationBook(store)
        return cls(bench, store, book, JobBoard(bench, book))

    def conversation(
        self, columns: Sequence[Column], *prompts: str, race: bool = False, tokens: int = 4
    ) -> Conversation:
        """A conversation of `columns` with these prompts, none answered yet."""
        comparison = Comparison(
            columns=tuple(columns), race=race, sampling=Sampling(max_new_tokens=tokens)
        )
        id_ = self.book.start(comparison, VISITOR).id
        for prompt in prompts or (PROMPT,):
            self.book.change(id_, VISITOR, lambda one, text=prompt: with_turn(one, text))  # type: ignore[misc]
        return self.now(id_)

    def now(self, id_: str) -> Conversation:
        conversation = self.book.get(id_, VISITOR)
        assert conversation is not None
        return conversation

    def finish(self, job: Job) -> Job:
        """Wait for the job; it must end by itself."""
        assert job.wait(20), [lane.state for lane in job.lanes]
        return job

    def close(self) -> None:
        self.jobs.cancel_all()
        for job in self.jobs.running():
            job.wait(20)
        self.bench.pool.close()
        self.store.close()

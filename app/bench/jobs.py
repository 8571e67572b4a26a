"""Jobs: work in the server that pages attach to. A refresh or a closed tab loses nothing.

A job owns a thread and its lanes; a page reads the lanes and may cancel. Jobs are found again by
the conversation they belong to.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from app.bench.conversation import Column, Conversation
from app.bench.conversations import ConversationBook
from app.bench.labels import label_of
from app.bench.lane import Lane
from app.bench.record import Purpose, RunRecord
from app.bench.runner import Bench, RunOrder, contended, not_begun, run
from app.bench.scheduler import Place
from backends.engine import CancelToken
from backends.errors import Cancelled, DynoError
from backends.registry import get_backend
from backends.remote.paid import Paid
from backends.request import Request, Sampling

_JOBS_KEPT = 30
_BEGUN_AFTER_SECONDS = 2.0
_log = logging.getLogger("llm_dyno")


class Job:
    """Lanes worked on in a thread. `is_done` becomes true when all of them ended.

    Made, posted on the board, then begun.
    """

    def __init__(
        self,
        conversation_id: str,
        visitor: str,
        turn: int,
        lanes: Sequence[Lane],
        purpose: Purpose = "chat",
    ) -> None:
        self.id = uuid.uuid4().hex[:12]
        self.conversation_id = conversation_id
        self.visitor = visitor
        self.turn = turn
        self.purpose = purpose
        self.lanes = list(lanes)
        self.cancel_token = CancelToken()
        self.started_ns = time.monotonic_ns()
        self.failure: DynoError | None = None
        self._done = threading.Event()
        self._begun = threading.Event()
        self._begin_lock = threading.Lock()
        self._work: Callable[[], None] | None = None

    def lane(self, column_key: str) -> Lane | None:
        return next((lane for lane in self.lanes if lane.column.key == column_key), None)

    def cancel(self) -> None:
        """Stop what runs and drop what waits. Returns at once."""
        self.cancel_token.cancel()

    @property
    def is_done(self) -> bool:
        return self._done.is_set()

    def wait(self, seconds: float) -> bool:
        """True once the job is done, at the latest after `seconds`."""
        return self._done.wait(seconds)

    def prepare(self, work: Callable[[], None]) -> None:
        """Say what is to be done once the job begins."""
        self._work = work

    def begin(self) -> None:
        """Start the job's thread, once; later calls do nothing.

        A page that shows the job begins it after the places for the answers were drawn, so that
        the first token does not wait behind the drawing.
        """
        with self._begin_lock:
            work, self._work = self._work, None
        self._begun.set()
        if work is not None:
            run = threading.Thread(target=self._run, args=(work,), daemon=True)
            run.name = f"job-{self.id}"
            run.start()

    def wait_begun(self, seconds: float) -> bool:
        """True once the job was begun by anybody, at the latest after `seconds`."""
        return self._begun.wait(seconds)

    def _run(self, work: Callable[[], None]) -> None:
        """Do the work and be done, however it ends."""
        try:
            work()
        except DynoError as error:
            self.failure = error
        except Exception as error:
            _log.exception("a job failed")
            self.failure = DynoError(
                f"The job failed ({type(error).__name__}).", "Try again; the log has the details."
            )
        finally:
            for lane in self.lanes:
                lane.state = "done"
            self._done.set()


class JobBoard:
    """All jobs of this server, the newest of each conversation to be found by its id."""

    def __init__(self, bench: Bench, book: ConversationBook) -> None:
        self._bench = bench
        self._book = book
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, Job] = OrderedDict()

    def of(self, conversation_id: str, visitor: str) -> Job | None:
        """The job that runs for a conversation, or the last that did."""
        with self._lock:
            job = self._jobs.get(conversation_id)
        return job if job is not None and job.visitor == visitor else None

    def begin(self, job_id: str) -> None:
        """Begin the job of this id; an unknown or old one is left alone."""
        with self._lock:
            job = next((job for job in self._jobs.values() if job.id == job_id), None)
        if job is not None:
            job.begin()

    def running(self) -> list[Job]:
        with self._lock:
            return [job for job in self._jobs.values() if not job.is_done]

    def answer(
        self,
        conversation: Conversation,
        turn: int,
        columns: Sequence[Column] | None = None,
        *,
        begin: bool = True,
    ) -> Job:
        """Answer a turn of the conversation in `columns` (all of them by default).

        With `begin=False` the job is on the board but waits a little for `Job.begin`.
        """
        comparison = conversation.comparison
        chosen = comparison.columns if columns is None else columns
        lanes = [Lane(column, label_of(column, comparison)) for column in chosen]
        job = Job(conversation.id, conversation.visitor, turn, lanes)
        self.start_runs(job, conversation, race=comparison.race, begin=begin)
        return job

    def start_runs(
        self,
        job: Job,
        conversation: Conversation,
        sampling: Sampling | None = None,
        *,
        race: bool = False,
        begin: bool = True,
    ) -> None:
        """Begin a job that makes one run in each of its lanes; `sampling` replaces the columns'."""
        orders = [(lane, _order(job, conversation, lane, sampling)) for lane in job.lanes]
        job.prepare(lambda: self._make_runs(job, orders, race))
        self.post(job)
        if begin:
            job.begin()
        else:
            # Whoever was to begin it may be gone: a tab that is closed right after sending.
            late = threading.Timer(_BEGUN_AFTER_SECONDS, job.begin)
            late.daemon = True
            late.start()

    def post(self, job: Job) -> None:
        """Put a job on the board, where pages find it by its conversation."""
        with self._lock:
            self._jobs[job.conversation_id] = job
            self._jobs.move_to_end(job.conversation_id)
            for key in [key for key, old in self._jobs.items() if old.is_done][:-_JOBS_KEPT]:
                del self._jobs[key]

    def _make_runs(self, job: Job, orders: list[tuple[Lane, RunOrder]], race: bool) -> None:
        if race and len(orders) > 1:
            self._race(job, orders)
            return
        # Repeats are compared in pairs, so each waits for the one before it.
        groups = _by_machine(orders) if job.purpose == "chat" else [orders]
        _all_at_once([partial(self._one_by_one, job, group) for group in groups])

    def _one_by_one(self, job: Job, orders: Sequence[tuple[Lane, RunOrder]]) -> None:
        for lane, order in orders:
            if job.cancel_token.is_cancelled and job.purpose != "chat":
                return  # a chat tells in every column that it was stopped; repeats just end
            self._one(job, lane, order)

    def _one(self, job: Job, lane: Lane, order: RunOrder) -> None:
        self._keep(lane, run(self._bench, order, lane, job.cancel_token))

    def _keep(self, lane: Lane, record: RunRecord) -> None:
        """Commit the record before the page says that the run is done."""
        lane.not_recorded = self._book.add_run(record)
        lane.record = record
        lane.state = "done"

    def _race(self, job: Job, orders: list[tuple[Lane, RunOrder]]) -> None:
        """All at once: the devices are held for the whole job, and every run is marked."""
        devices = sorted({d for _, order in orders if (d := _device_of(order)) is not None})
        try:
            with _all_leases(self._bench, devices, job, [lane for lane, _ in orders]):
                _all_at_once(
                    [partial(self._one, job, lane, contended(order)) for lane, order in orders]
                )
        except DynoError as error:  # stopped while it waited, or the queue is full
            for lane, order in orders:
                lane.error = None if isinstance(error, Cancelled) else error
                self._keep(lane, not_begun(self._bench, order, error, job.cancel_token))

    def cancel_all(self) -> None:
        for job in self.running():
            job.cancel()


def _all_at_once(works: Sequence[Callable[[], None]]) -> None:
    """Each in a thread of its own, but for the last one; returns when all are done."""
    threads = [threading.Thread(target=work, daemon=True) for work in works[:-1]]
    for thread in threads:
        thread.start()
    try:
        for work in works[-1:]:
            work()
    finally:
        for thread in threads:
            thread.join()


def _by_machine(orders: list[tuple[Lane, RunOrder]]) -> list[list[tuple[Lane, RunOrder]]]:
    """The runs of each machine, in their order; those of this one last. A server of somebody else
    is a machine of its own, one on this machine is not."""
    here: list[tuple[Lane, RunOrder]] = []
    elsewhere: dict[str | None, list[tuple[Lane, RunOrder]]] = {}
    for lane, order in orders:
        group = elsewhere.setdefault(_device_of(order), []) if _is_elsewhere(order) else here
        group.append((lane, order))
    return [group for group in (*elsewhere.values(), here) if group]


def _is_elsewhere(order: RunOrder) -> bool:
    try:
        backend = get_backend(order.setup.backend)
    except DynoError:
        return False  # the run itself will say so
    return isinstance(backend, Paid) and backend.is_elsewhere(order.setup)


def _order(job: Job, conversation: Conversation, lane: Lane, sampling: Sampling | None) -> RunOrder:
    column, comparison = lane.column, conversation.comparison
    before = conversation.model_copy(update={"turns": conversation.turns[: job.turn]})
    messages = before.messages_for(column.key, conversation.turns[job.turn].prompt)
    return RunOrder(
        setup=column.setup,
        request=Request(messages=messages, sampling=sampling or comparison.sampling_of(column)),
        label=lane.label,
        visitor=conversation.visitor,
        conversation_id=conversation.id,
        turn=job.turn,
        column=[other.key for other in comparison.columns].index(column.key),
        column_key=column.key,
        purpose=job.purpose,
    )


def _device_of(order: RunOrder) -> str | None:
    try:
        return get_backend(order.setup.backend).device_of(order.setup)
    except DynoError:
        return None  # the run itself will say so


@contextmanager
def _all_leases(bench: Bench, devices: list[str], job: Job, lanes: list[Lane]) -> Iterator[None]:
    """Hold several devices, always taken in the same order so that two races cannot deadlock."""

    def tell(place: Place) -> None:
        for lane in lanes:
            lane.place = place
            lane.state = "queued"

    with ExitStack() as stack:
        for device in devices:
            stack.enter_context(bench.scheduler.lease(device, "a race", job.cancel_token, tell))
        yield

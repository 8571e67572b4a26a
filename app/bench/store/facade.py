"""The `Store`: opens, asks, writes, and says why it could not. Rows are the business of `runs`,
`conversations` and `experiments`."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from sqlalchemy.orm import Session

from app.bench.conversation import Conversation
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.sample_table import SampleTable
from app.bench.experiments.samples import PassResult, SetupFigure
from app.bench.record import RunRecord
from app.bench.store import conversations, database, experiments, failures, passes, runs, samples
from app.bench.store.values import (
    ConversationSummary,
    ExperimentSummary,
    RunFilter,
    RunSummary,
)
from backends.errors import DynoError, NotRecorded
from backends.settings import Settings

KEEP_DELETED = dt.timedelta(days=30)
_LOOK_AGAIN_SECONDS = 5.0
_RECORDS_AT_ONCE = 200


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Store:
    """Runs and conversations of all visitors. Usable from several threads and processes at once.

    Every question names its visitor; None is the machine's owner, who sees all. Writes raise
    `NotRecorded` and leave what is there as it was; reads raise `DynoError` where the disk fails.
    `problem` says why the last write could not be made; the next one tries again.
    """

    def __init__(
        self, settings: Settings, opened: database.Database, clock: Callable[[], dt.datetime]
    ) -> None:
        """Use `Store.open`."""
        self._settings = settings
        self._database = opened
        self._clock = clock
        self._reopening = threading.Lock()
        file = database.database_file(settings)
        self._folder = file.parent if file else None
        self._look_again_at = time.monotonic() + _LOOK_AGAIN_SECONDS
        self.problem: DynoError | None = None

    @classmethod
    def open(cls, settings: Settings, clock: Callable[[], dt.datetime] = _utc_now) -> Store:
        """Open, migrate and purge what was deleted over 30 days ago.

        Never fails for a disk that cannot be written: `problem` then says why. Raises `DynoError`
        for a database from a newer version or a bad `DYNO_DATABASE_URL`.
        """
        file = database.database_file(settings)
        try:
            opened, problem = database.open_writable(settings), None
        except database.FAILURES as error:
            opened = database.open_for_reading(settings)
            problem = failures.not_recorded(error, file.parent if file else None)
        store = cls(settings, opened, clock)
        store.problem = problem
        if problem is None:
            with contextlib.suppress(NotRecorded), store._writing() as session:
                conversations.purge(session, clock() - KEEP_DELETED)
                experiments.purge(session, clock() - KEEP_DELETED)
                runs.purge(session, clock() - KEEP_DELETED)
        return store

    def close(self) -> None:
        self._database.close()

    def save_run(self, record: RunRecord) -> None:
        """Committed when this returns. Saving the same id again replaces it."""
        with self._writing() as session:
            runs.save(session, record)

    def save_runs(self, records: Sequence[RunRecord]) -> None:
        """The same for many: all of them are committed or none."""
        with self._writing() as session:
            runs.save_all(session, records)

    def runs(self, filter_: RunFilter) -> list[RunSummary]:
        """Newest first."""
        with self._reading() as session:
            return runs.summaries(session, filter_)

    def count(self, filter_: RunFilter) -> int:
        """How many runs match, whatever the filter's limit and offset."""
        with self._reading() as session:
            return runs.count(session, filter_)

    def run(self, id_: str, visitor: str | None) -> RunRecord | None:
        """The full record; None where there is none or it belongs to someone else."""
        with self._reading() as session:
            return runs.record(session, id_, visitor)

    def records(self, filter_: RunFilter) -> list[RunRecord]:
        """Full records of the runs that match, newest first (for exports)."""
        with self._reading() as session:
            return runs.records(session, filter_)

    def earlier_runs(self, setup_id: str, visitor: str | None, limit: int) -> list[RunRecord]:
        """The newest comparable runs of one setup, and as many warm-ups; for expectations."""
        with self._reading() as session:
            return runs.earlier_runs(session, setup_id, visitor, limit)

    def models(self, visitor: str | None) -> list[str]:
        """Every model that the visitor has runs of, by name."""
        with self._reading() as session:
            return runs.models(session, visitor)

    def delete_runs(self, ids: Iterable[str], visitor: str | None) -> int:
        """Hide runs; they can be restored for 30 days. Returns how many it were."""
        with self._writing() as session:
            return runs.delete(session, list(ids), visitor, self._clock())

    def restore_runs(self, ids: Iterable[str], visitor: str | None) -> int:
        with self._writing() as session:
            return runs.restore(session, list(ids), visitor)

    def save_conversation(self, conversation: Conversation) -> None:
        """Keep title, comparison and prompts. Answers are runs: save those with `save_run`.

        A turn that was edited or removed since takes its earlier runs out of the conversation
        (not out of the store), except those named in the turn's `runs`.
        """
        with self._writing() as session:
            conversations.save(session, conversation)

    def conversation(self, id_: str, visitor: str | None) -> Conversation | None:
        """With the latest run of each turn and column; None where it is not the visitor's."""
        with self._reading() as session:
            return conversations.load(session, id_, visitor)

    def conversations(self, visitor: str | None, limit: int = 200) -> list[ConversationSummary]:
        """Newest first."""
        with self._reading() as session:
            return conversations.summaries(session, visitor, limit)

    def delete_conversation(self, id_: str, visitor: str | None) -> bool:
        """Hide it and its runs; both can be restored together for 30 days."""
        with self._writing() as session:
            return conversations.delete(session, id_, visitor, self._clock())

    def restore_conversation(self, id_: str, visitor: str | None) -> bool:
        with self._writing() as session:
            return conversations.restore(session, id_, visitor)

    def save_experiment(self, experiment: Experiment) -> None:
        """Keep plan and state. Its runs are saved with `save_run`, each when it is made."""
        with self._writing() as session:
            experiments.save(session, experiment)

    def experiment(self, id_: str, visitor: str | None) -> Experiment | None:
        """None where there is none or it belongs to someone else."""
        with self._reading() as session:
            return experiments.load(session, id_, visitor)

    def experiments(self, visitor: str | None, limit: int = 200) -> list[Experiment]:
        """Newest first."""
        with self._reading() as session:
            return experiments.newest(session, visitor, limit)

    def experiment_summaries(
        self, visitor: str | None, limit: int = 50, offset: int = 0
    ) -> list[ExperimentSummary]:
        """Newest first, with how many runs each has; reads neither plans whole nor runs."""
        with self._reading() as session:
            return experiments.summaries(session, visitor, limit, offset)

    def count_experiments(self, visitor: str | None) -> int:
        with self._reading() as session:
            return experiments.count(session, visitor)

    def rename_experiment(self, id_: str, visitor: str | None, name: str) -> bool:
        """Empty: the plan's own name again. False where there is none such for the visitor."""
        with self._writing() as session:
            return experiments.rename(session, id_, visitor, name)

    def delete_experiment(self, id_: str, visitor: str | None) -> bool:
        """Hide it and its runs; both can be restored together for 30 days. Runs that are still made
        for it are hidden, too."""
        with self._writing() as session:
            return experiments.delete(session, id_, visitor, self._clock())

    def restore_experiment(self, id_: str, visitor: str | None) -> bool:
        with self._writing() as session:
            return experiments.restore(session, id_, visitor)

    def is_taken(self, experiment_id: str, run_ids: Sequence[str]) -> bool:
        """Whether one of these ids is in use, by anybody, hidden ones too."""
        with self._reading() as session:
            return experiments.is_known(session, experiment_id) or runs.are_known(session, run_ids)

    def discard_experiment(self, id_: str) -> None:
        """Remove a hidden experiment for good, with its hidden runs. One that is shown stays."""
        with self._writing() as session:
            experiments.discard(session, id_)

    def each_record(self, experiment_id: str) -> Iterator[RunRecord]:
        """The full records of an experiment's runs, a few in memory at a time, in no order."""
        ids = list(self.samples(experiment_id).run_ids)
        for start in range(0, len(ids), _RECORDS_AT_ONCE):
            with self._reading() as session:
                found = runs.records_of(session, ids[start : start + _RECORDS_AT_ONCE])
            yield from found

    def samples(self, experiment_id: str) -> SampleTable:
        """What comparisons need of an experiment's runs, in no order."""
        with self._reading() as session:
            return samples.samples(session, experiment_id)

    def save_pass(
        self, experiment_id: str, name: str, figures: Mapping[int, Sequence[SetupFigure]]
    ) -> None:
        """Keep what a finished pass found of each setup, by index; replaces an earlier one."""
        with self._writing() as session:
            passes.save(session, experiment_id, name, figures)

    def passes(self, experiment_id: str) -> tuple[PassResult, ...]:
        """What the passes of an experiment found, by name."""
        with self._reading() as session:
            return passes.load(session, experiment_id)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Session]:
        try:
            with self._readable().reading() as session:
                yield session
        except database.FAILURES as error:
            raise failures.not_readable(error, self._folder) from error

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Session]:
        try:
            with self._writable().writing() as session:
                yield session
        except database.FAILURES as error:
            problem = failures.not_recorded(error, self._folder)
            self.problem = problem
            raise problem from error
        self.problem = None

    def _readable(self) -> database.Database:
        """The database; while an empty one stands in for it, the real one is looked for again."""
        if self._database.is_stand_in and time.monotonic() >= self._look_again_at:
            self._look_again_at = time.monotonic() + _LOOK_AGAIN_SECONDS
            with contextlib.suppress(DynoError, *database.FAILURES):
                self._writable()
                self.problem = None
        return self._database

    def _writable(self) -> database.Database:
        """The database, opened again if it could not be written or its file has gone."""
        with self._reopening:
            if not (self._database.writable and self._database.is_still_there()):
                opened = database.open_writable(self._settings)
                # The old one is left to its readers and to the garbage collector.
                self._database = opened
            return self._database

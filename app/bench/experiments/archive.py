"""An experiment as one JSON file: its plan, prompts, runs and passes, for others to read and rerun.

The file is written and read in parts, whatever its size, and says nothing of who made it. What is
read is checked whole before anything of it is kept.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from app.bench.experiments.archive_file import (
    FIGURES,
    FORMAT,
    VERSION,
    CheckedFile,
    check,
    number_of,
    number_of_text,
    what_counts,
)
from app.bench.experiments.archive_file import records as records_in
from app.bench.experiments.experiment import Experiment, new_experiment_id
from app.bench.experiments.plan import Plan
from app.bench.experiments.shelf import WorkloadShelf
from app.bench.experiments.workloads import Workload, WorkloadInvalid, load_workload
from app.bench.store import Store
from backends.errors import DynoError

MAX_BYTES = 1_000_000_000
_RUNS_AT_ONCE = 500


class AlreadyHere(DynoError):
    """The experiment was imported before, or made here. Nothing was changed."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__(
            f"“{experiment.plan.name}” ({experiment.id}) is here already, with the same runs.",
            "Open it in the list of experiments.",
        )
        self.experiment = experiment


def export_json(store: Store, experiment: Experiment, shelf: WorkloadShelf) -> Iterator[str]:
    """The file in parts. Prompts that are no longer here are left out, and it says so."""
    workload = _workload_of(experiment, shelf)
    header = {
        "format": FORMAT,
        "version": VERSION,
        "experiment": _bare(experiment),
        "workload": _spoken(workload),
        "quality_text": _text_of(experiment.plan.quality_text),
        "passes": [
            {"name": one.name, "figures": FIGURES.dump_python(dict(one.figures), mode="json")}
            for one in store.passes(experiment.id)
        ],
    }
    yield json.dumps(header, ensure_ascii=False)[:-1] + ', "runs": [\n'
    before = ""
    for record in store.each_record(experiment.id):
        yield before + record.model_dump_json(exclude={"visitor"})
        before = ",\n"
    yield "\n]}\n"


def import_json(
    store: Store,
    file: BinaryIO,
    visitor: str,
    shelf: WorkloadShelf,
    max_bytes: int = MAX_BYTES,
) -> Experiment:
    """Keep an experiment from a file that can be read twice, as the visitor's own.

    Its ids are kept, unless something else here has one of them: then all are new, and
    `imported_from` tells the old one. Raises `ArchiveInvalid` for a file that is none,
    `AlreadyHere` where the same is here, and `NotRecorded` where it cannot be kept; then nothing
    of it is.
    """
    checked = check(file, max_bytes)
    file.seek(0)
    origin, old = checked.experiment, checked.experiment.id
    here = store.experiment(old, visitor)
    if here is not None and _digest_of(store, here) == checked.digest:
        raise AlreadyHere(here)
    is_taken = store.is_taken(old, checked.run_ids)
    id_ = new_experiment_id() if is_taken else old
    machines = ", ".join(checked.hardware) or "another machine"
    if checked.workload is not None:
        shelf.keep(checked.workload)
    is_ended = origin.state in ("stopped", "finished")
    changes: dict[str, Any] = {
        "id": id_,
        "visitor": visitor,
        "plan": _plan_here(checked, shelf),
        "imported_from": f"{machines}, experiment {old} there" if is_taken else machines,
        "state": origin.state if is_ended else "stopped",
        "reason": origin.reason if is_ended else "It was exported before it had ended.",
    }
    experiment = origin.model_copy(update=changes)
    try:
        # Hidden until it is whole: what breaks off half-way is never seen.
        store.save_experiment(experiment)
        store.delete_experiment(id_, visitor)
        kept = records_in(file, max_bytes, visitor, old, id_)
        while some := list(islice(kept, _RUNS_AT_ONCE)):
            store.save_runs(some)
        for name, figures in checked.passes.items():
            store.save_pass(id_, name, figures)
        store.restore_experiment(id_, visitor)
    except BaseException:
        with contextlib.suppress(DynoError):
            store.discard_experiment(id_)
        raise
    return experiment


def _plan_here(checked: CheckedFile, shelf: WorkloadShelf) -> Plan:
    """The plan, which names no places of this machine, whatever the file says; a text that was
    scored lies where it is kept here."""
    plan = checked.experiment.plan.without_folders
    if not plan.quality_text:
        return plan
    if not checked.quality_text:  # whatever lies here under that path is another text, and private
        elsewhere = str(Path("not imported", plan.quality_text))
        return plan.model_copy(update={"quality_text": elsewhere})
    ending = Path(plan.quality_text).suffix or ".txt"
    path = shelf.keep_text(checked.quality_text, ending)
    return plan.model_copy(update={"quality_text": str(path)})


def _digest_of(store: Store, experiment: Experiment) -> int:
    digest = number_of_text(what_counts(experiment))
    for record in store.each_record(experiment.id):
        digest = (digest + number_of(record)) % (1 << 256)
    return digest


def _workload_of(experiment: Experiment, shelf: WorkloadShelf) -> Workload | None:
    """What was asked: as it was kept, else as it is in the repository or the plan's file."""
    name, digest = experiment.plan.workload, experiment.workload_digest
    found = shelf.find(digest, name)
    if found is None:
        with contextlib.suppress(WorkloadInvalid):
            found = load_workload(name)
    return found if found is not None and found.digest == digest else None


def _bare(experiment: Experiment) -> dict[str, Any]:
    """Without its visitor, and of the places of files only their names."""
    told = experiment.model_copy(update={"plan": experiment.plan.without_folders})
    return told.model_dump(mode="json", exclude={"visitor"})


def _spoken(workload: Workload | None) -> dict[str, Any] | None:
    if workload is None:
        return None
    return {
        "name": Path(workload.name).name,
        "conversations": [
            [{"role": one.role, "content": one.content} for one in messages]
            for messages in workload.conversations
        ],
        "answers": workload.answers,
    }


def _text_of(path: str) -> str | None:
    """The user's text that was scored, where there was one and it is still here."""
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        return None

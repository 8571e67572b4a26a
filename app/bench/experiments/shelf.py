"""What experiments asked, kept as text beside the store, so that any of them can be gone on with.

A file's name is the digest of what it holds; names that people gave are in the experiments.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import re
import sys
from pathlib import Path

from app.bench.data_folder import WORKLOADS_FOLDER
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.lengths import workload_of
from app.bench.experiments.workload_files import Asked, as_json_lines
from app.bench.experiments.workloads import Workload, WorkloadInvalid, load_workload
from backends.errors import DynoError, NotRecorded
from backends.settings import Settings
from backends.whole_files import write_atomically

_DIGEST = re.compile(r"^[0-9a-f]{16}$")


class WorkloadGone(DynoError):
    """What an experiment asked is no longer here."""


def asked_by(experiment: Experiment, settings: Settings) -> Workload:
    """What an experiment asked: as it was kept, else from what its plan names (on one's own
    machine: a visitor's plan opens no files of a public server).

    Raises `WorkloadGone` where it is not here, or is not the same any more.
    """
    plan, digest = experiment.plan, experiment.workload_digest
    kept = WorkloadShelf(settings).find(digest, plan.workload)
    if kept is None and not settings.public:
        with contextlib.suppress(WorkloadInvalid):
            kept = workload_of(plan, settings.max_prompt_chars)
    if kept is None or kept.digest != digest:
        raise WorkloadGone(
            "The prompts of this experiment are no longer here.", "Start it anew with them."
        )
    return kept


class WorkloadShelf:
    """Workloads by digest, in the data folder."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.data_dir / WORKLOADS_FOLDER

    def keep(self, workload: Workload) -> None:
        """Written once. Raises `NotRecorded` where it cannot be."""
        asked = [Asked(*one) for one in zip(workload.conversations, workload.answers, strict=True)]
        self._write(self._path(workload.digest), as_json_lines(asked))

    def keep_text(self, text: str, ending: str) -> Path:
        """A text whose scoring is planned; returns where it lies. Raises `NotRecorded`."""
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        path = self._folder / f"text-{digest}{ending}"
        self._write(path, text)
        return path

    def find(self, digest: str, name: str) -> Workload | None:
        """What was kept, under the name that it has now; None where it is gone or was changed."""
        path = self._path(digest)
        if not _DIGEST.match(digest) or not path.is_file():
            return None
        try:
            found = load_workload(str(path), sys.maxsize)  # it was short enough when it came
        except WorkloadInvalid:
            return None
        return dataclasses.replace(found, name=name) if found.digest == digest else None

    def _write(self, path: Path, text: str) -> None:
        try:
            if not path.is_file():
                write_atomically(path, text)
        except OSError as error:
            raise NotRecorded(
                f"The prompts could not be kept: {error.strerror or error}.",
                f"Make {self._folder.parent} writable with free space and try again.",
            ) from error

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.jsonl"

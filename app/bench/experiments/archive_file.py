"""Reads an experiment's JSON file and believes nothing of it: members, versions, ids, every run."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from app.bench.experiments.experiment import Experiment
from app.bench.experiments.json_stream import NotJson, TooLarge, members
from app.bench.experiments.samples import SetupFigure
from app.bench.experiments.workloads import Workload
from app.bench.record import RunRecord
from backends.errors import DynoError
from backends.request import Message

FORMAT, VERSION = "llm-dyno-experiment", 1
_ID = re.compile(r"^[0-9A-Za-z_-]{1,64}$")
# Where a run stood in a chat means nothing on another machine.
_OF_A_CHAT = ("conversation_id", "turn", "column", "column_key")
FIGURES: TypeAdapter[dict[int, tuple[SetupFigure, ...]]] = TypeAdapter(
    dict[int, tuple[SetupFigure, ...]]
)


class ArchiveInvalid(DynoError):
    """The file is no experiment that this version can read."""


class _Prompts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    conversations: tuple[tuple[Message, ...], ...]
    answers: tuple[tuple[str, ...] | None, ...] = ()

    def as_workload(self) -> Workload:
        return Workload(self.name, self.conversations, self.answers)


@dataclass(slots=True)
class CheckedFile:
    """What the file says but for its runs, of which it keeps ids, number and digest."""

    experiment: Experiment
    workload: Workload | None
    quality_text: str
    passes: Mapping[str, Mapping[int, tuple[SetupFigure, ...]]]
    run_ids: list[str] = field(default_factory=list)
    hardware: dict[str, None] = field(default_factory=dict)
    digest: int = 0


def check(file: BinaryIO, max_bytes: int) -> CheckedFile:
    """Read it through once: every run is looked at and none is kept in memory."""
    said: dict[str, Any] = {}
    runs: list[tuple[str, str, int, str | None, int]] = []
    try:
        for name, value in members(file, "runs", max_bytes):
            if name == "runs":
                record = _record(value, "nobody")
                assert record.experiment is not None
                place = record.experiment
                made_on = record.environment.hardware if record.status == "finished" else None
                runs.append((record.id, place.id, place.setup, made_on, number_of(record)))
            else:
                said[name] = value
                _refuse_another_format(said)
    except NotJson as error:
        raise ArchiveInvalid(f"The file is no whole JSON: {error}.", "Export it again.") from error
    except TooLarge as error:
        raise ArchiveInvalid(
            f"The file has more than {max_bytes / 1e6:,.0f} MB.",
            "Import it on a machine of your own, or take a smaller one.",
        ) from error
    checked = _header(said)
    for run_id, experiment_id, setup, made_on, number in runs:
        if experiment_id != checked.experiment.id:
            raise _invalid(f"run {run_id} belongs to another experiment")
        if not 0 <= setup < len(checked.experiment.plan.setups):
            raise _invalid(f"run {run_id} has a setup that is not planned")
        checked.run_ids.append(run_id)
        checked.digest = (checked.digest + number) % (1 << 256)
        if made_on:
            checked.hardware[made_on] = None
    if len(set(checked.run_ids)) < len(checked.run_ids):
        raise _invalid("two runs have the same id")
    return checked


def _header(said: Mapping[str, Any]) -> CheckedFile:
    _refuse_another_format({"format": None, "version": None} | dict(said))
    try:
        experiment = Experiment.model_validate(said.get("experiment"))
        prompts = said.get("workload")
        workload = None if prompts is None else _Prompts.model_validate(prompts).as_workload()
        passes = {
            str(one["name"])[:32]: FIGURES.validate_python(one["figures"])
            for one in said.get("passes", ())
        }
    except (ValueError, KeyError, TypeError) as error:
        raise _invalid(_where(error)) from error
    if not _ID.match(experiment.id):
        raise _invalid("the experiment's id is none")
    if workload is not None and workload.digest != experiment.workload_digest:
        raise _invalid("its prompts are not those that were asked")
    text = said.get("quality_text")
    checked = CheckedFile(experiment, workload, text if isinstance(text, str) else "", passes)
    checked.digest = number_of_text(what_counts(experiment))
    return checked


def _refuse_another_format(said: Mapping[str, Any]) -> None:
    """As soon as it is said, which is at the beginning."""
    if said.get("format", FORMAT) != FORMAT:
        raise ArchiveInvalid(
            "The file is no exported experiment.", "Choose one that was exported as JSON."
        )
    if said.get("version", VERSION) != VERSION:
        raise ArchiveInvalid(
            f"Its format has version {said.get('version')!r:.20}; this app reads {VERSION}.",
            "Update the app.",
        )


def records(
    file: BinaryIO, max_bytes: int, visitor: str, old: str, new: str
) -> Iterator[RunRecord]:
    """The runs as they are kept here. Of a run with a new id it is always the same one."""
    for name, value in members(file, "runs", max_bytes):
        if name != "runs":
            continue
        record = _record(value, visitor)
        if new != old:
            assert record.experiment is not None
            id_ = uuid.uuid5(uuid.NAMESPACE_OID, f"{new}/{record.id}").hex
            place = record.experiment.model_copy(update={"id": new})
            record = record.model_copy(update={"id": id_, "experiment": place})
        yield record


def _record(value: Any, visitor: str) -> RunRecord:
    if not isinstance(value, dict):
        raise _invalid("a run is no object")
    try:
        record = RunRecord.model_validate(
            {**value, **dict.fromkeys(_OF_A_CHAT), "visitor": visitor}
        )
    except ValidationError as error:
        raise _invalid(f"run {value.get('id')!r:.80}: {_where(error)}") from error
    if not _ID.match(record.id):
        raise _invalid(f"“{record.id:.80}” is no id of a run")
    if record.experiment is None:
        raise _invalid(f"run {record.id} belongs to no experiment")
    return record


def what_counts(experiment: Experiment) -> str:
    """What makes it this experiment, whatever it is called and wherever its files lie."""
    left_out = {"name", "workload", "quality_text"}
    return f"{experiment.plan.model_dump_json(exclude=left_out)} {experiment.workload_digest}"


def number_of(record: RunRecord) -> int:
    """The record as a number; the sum over all runs does not depend on their order."""
    return number_of_text(record.model_dump_json(exclude={"visitor", *_OF_A_CHAT}))


def number_of_text(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest())


def _where(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return f"{place}: {first['msg']}" if place else str(first["msg"])
    return f"“{error.args[0]}” is missing" if isinstance(error, KeyError) else "of another shape"


def _invalid(why: str) -> ArchiveInvalid:
    return ArchiveInvalid(f"The file cannot be read as an experiment: {why}.", "Export it again.")

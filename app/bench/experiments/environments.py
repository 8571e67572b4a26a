"""Where the runs of two experiments were made, and what changed between them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app.bench.experiments.sample_table import SampleTable
from app.bench.record import Environment, RunRecord


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not the same; empty where one side does not have it."""

    what: str
    before: str
    after: str


def changes(first: Sequence[RunRecord], second: Sequence[RunRecord]) -> list[Change]:
    """What differs in hardware, devices, threads, kernels, versions, commit and weights.

    Setups that only one of the two has would differ by themselves, so only those of both count.
    """
    shared = {run.setup.id for run in first} & {run.setup.id for run in second}
    before = facts([run for run in first if run.setup.id in shared])
    after = facts([run for run in second if run.setup.id in shared])
    names = sorted(before.keys() | after.keys())
    pairs = ((name, before.get(name, ""), after.get(name, "")) for name in names)
    return [Change(name, then, now) for name, then, now in pairs if then != now]


def workers(samples: SampleTable) -> dict[str, int]:
    """How many finished runs each worker of a cluster made ("": this or another machine without
    one); nothing where there was no cluster."""
    ended = zip(samples.workers, samples.statuses, strict=True)
    made = Counter(worker for worker, status in ended if status == "finished")
    return dict(sorted(made.items())) if any(made) else {}


def facts(records: Sequence[RunRecord]) -> dict[str, str]:
    """Each fact as text; several values where the runs differ among themselves."""
    seen: dict[str, set[str]] = {}
    for record in records:
        if record.status == "finished":
            worker = record.experiment.worker if record.experiment else ""
            told = {"made on": worker} if worker else {}
            for name, value in (_of(record.environment) | told).items():
                seen.setdefault(name, set()).add(value)
    return {name: ", ".join(sorted(values)) for name, values in seen.items()}


def _of(environment: Environment) -> dict[str, str]:
    told = {
        "hardware": environment.hardware,
        "device": environment.device,
        "threads": environment.threads,
        "commit": environment.commit,
        "attention kernel": environment.attention_kernel,
        "revision of the weights": environment.model_revision,
        **{f"version of {name}": one for name, one in environment.versions.items()},
    }
    return {name: str(value) for name, value in told.items() if value not in (None, "")}

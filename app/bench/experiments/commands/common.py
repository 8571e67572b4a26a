"""What the commands share: the store, errors as sentences, JSON, exit codes."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from app.bench.experiments.experiment import Experiment
from app.bench.experiments.findings import Findings, SetupFigures, findings_of
from app.bench.experiments.passes import formula_of
from app.bench.experiments.samples import MEDIANS
from app.bench.store import Store
from backends.errors import DynoError
from backends.settings import get_settings

EXIT_DONE, EXIT_INCOMPLETE, EXIT_NOTHING, EXIT_UNSURE, EXIT_STOPPED = 0, 1, 2, 3, 130

AsJson = Annotated[bool, typer.Option("--json", help="Print everything as JSON on the last line.")]
ExperimentId = Annotated[str, typer.Argument(metavar="ID", help="As `experiments` lists it.")]


def console() -> Console:
    """A terminal's own width; wide enough for a table where the output goes to a file."""
    made = Console()
    return made if made.is_terminal else Console(width=160)


@contextlib.contextmanager
def told(console: Console) -> Iterator[None]:
    """Errors as a sentence and what to do, with the exit code for them."""
    try:
        yield
    except DynoError as error:
        sentence = f"{error.message} {error.remedy}".strip()
        console.print(sentence, style="red", markup=False, highlight=False)
        raise typer.Exit(EXIT_NOTHING) from error


@contextlib.contextmanager
def opened_store(*, writes: bool = False) -> Iterator[Store]:
    """The store of this machine's data folder. Who writes gets its problem raised: nothing is run
    that cannot be recorded."""
    store = Store.open(get_settings())
    try:
        if writes and store.problem is not None:
            raise store.problem
        yield store
    finally:
        store.close()


def found(store: Store, id_: str) -> Experiment:
    one = store.experiment(id_, None)
    if one is None:
        raise DynoError(
            f"There is no experiment {id_}.", "python -m app.bench experiments lists them."
        )
    return one


def findings_in(store: Store, experiment: Experiment) -> Findings:
    return findings_of(experiment, store.samples(experiment.id), store.passes(experiment.id))


def as_told(findings: Findings) -> dict[str, Any]:
    """`figures`: of each setup in the plan, by metric, those of runs and those of passes."""
    return {
        "experiment": bare(findings.experiment),
        "conclusion": asdict(findings.conclusion),
        "figures": [_figures(setup) for setup in findings.setups],
    }


def _figures(setup: SetupFigures) -> dict[str, Any]:
    told = {name: asdict(figure) for name, figure in setup.figures.items()}
    for name in told.keys() - set(MEDIANS):
        told[name]["formula"] = formula_of(name)
    return told


def bare(experiment: Experiment) -> dict[str, Any]:
    return experiment.model_dump(mode="json", exclude={"visitor"})


def echo_json(value: object) -> None:
    """One line; dates and money as text."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


def written(path: Path, content: bytes, *, force: bool) -> Path:
    """The file's full path once it is written. What is there is kept, unless `force`."""
    try:
        with path.expanduser().open("wb" if force else "xb") as file:
            file.write(content)
    except FileExistsError as error:
        raise DynoError(f"There is a file {path} already.", "--force replaces it.") from error
    except OSError as error:
        raise DynoError(
            f"{path} cannot be written ({error.strerror or error}).", "Name another file."
        ) from error
    return path.expanduser().resolve()

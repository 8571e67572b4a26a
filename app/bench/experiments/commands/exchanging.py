"""`export` and `import`: an experiment as a file, to other programs and to other machines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from app.bench.experiments.archive import AlreadyHere, export_json, import_json
from app.bench.experiments.commands.common import (
    AsJson,
    ExperimentId,
    Overwrite,
    bare,
    console,
    echo_json,
    findings_in,
    found,
    opened_store,
    told,
    written,
)
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.run_table import runs_csv, runs_parquet
from app.bench.experiments.shelf import WorkloadShelf
from app.bench.experiments.tables import show_conclusion
from app.bench.store import Store
from backends.errors import DynoError
from backends.settings import get_settings

_FORMATS = ("json", "csv", "parquet")


def export(
    id_: ExperimentId,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="All of it: plan, prompts, runs; `import` reads it.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="A line a run, for a spreadsheet.")] = False,
    as_parquet: Annotated[bool, typer.Option("--parquet", help="The same with types.")] = False,
    force: Overwrite = False,
) -> None:
    """Write an experiment to a file; without a format as the file's name ends."""
    out = console()
    with told(out, as_json=False), opened_store() as store:
        flags = zip(_FORMATS, (as_json, as_csv, as_parquet), strict=True)
        form = _format([name for name, given in flags if given], file)
        parts = _parts(store, found(store, id_), form)
        path = written(file, parts, force=force)
        out.print(f"Written: {path}", markup=False, highlight=False, soft_wrap=True)


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="As `export --json` wrote it.")],
    as_json: AsJson = False,
) -> None:
    """Keep an experiment from another machine's file here."""
    out = console()
    with told(out, as_json), opened_store(writes=True) as store:
        try:
            with file.expanduser().open("rb") as opened:
                kept = import_json(store, opened, "local", WorkloadShelf(get_settings()))
        except AlreadyHere as error:
            kept = error.experiment
            out.print(error.message, markup=False, highlight=False)
        except OSError as error:
            why = error.strerror or error
            raise DynoError(f"{file} cannot be read ({why}).", "Name another file.") from error
        show_conclusion(findings_in(store, kept), out)
        if as_json:
            echo_json({"experiment": bare(kept)})


def _format(given: list[str], file: Path) -> str:
    chosen = given or [file.suffix.lower().removeprefix(".")]
    if len(chosen) > 1 or chosen[0] not in _FORMATS:
        raise DynoError("Which format?", "Say one of --json, --csv and --parquet.")
    return chosen[0]


def _parts(store: Store, experiment: Experiment, form: str) -> Iterator[bytes]:
    if form == "parquet":
        yield runs_parquet(experiment, store.samples(experiment.id))
        return
    if form == "csv":
        texts = runs_csv(experiment, store.samples(experiment.id))
    else:
        texts = export_json(store, experiment, WorkloadShelf(get_settings()))
    for text in texts:
        yield text.encode()

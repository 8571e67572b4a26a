"""`report`: an experiment as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.bench.experiments.commands.common import (
    AsJson,
    ExperimentId,
    console,
    echo_json,
    findings_in,
    found,
    opened_store,
    told,
    written,
)
from app.bench.experiments.limits import limits_of
from app.bench.experiments.recommend import Wish, recommend
from app.bench.experiments.report import html, recommended, witnesses

Overwrite = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]


def report(
    id_: ExperimentId,
    file: Annotated[
        Path | None, typer.Option("--html", help="Where to; by default experiment-ID.html here.")
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(metavar="LIMIT", help="Such as ttft<=300ms; for the recommendation. Repeat."),
    ] = None,
    wish: Annotated[Wish, typer.Option(help="What matters most within the limits.")] = "fastest",
    force: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Write an experiment as an HTML file that opens without a network, with its charts."""
    out = console()
    with told(out), opened_store() as store:
        findings = findings_in(store, found(store, id_))
        limits = limits_of(limit or [], findings)
        blocks = [recommended(recommend(findings, limits, wish), findings)]
        page = html(findings, witnesses(store, findings), blocks)
        path = written(file or Path(f"experiment-{id_}.html"), page.encode(), force=force)
        out.print(f"Written: {path}", markup=False, highlight=False, soft_wrap=True)
        if as_json:
            echo_json({"file": str(path)})

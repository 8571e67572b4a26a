"""Experiments on the command line.

Exit codes: 0 all that was asked for is done, 1 an experiment ended early or a setup was left out
(of `check`: something is slower), 2 nothing could be done, 3 `check` cannot tell, 130 stopped by
Ctrl-C (what is done is kept).
"""

from __future__ import annotations

import typer

from app.bench.experiments.commands.checking import check
from app.bench.experiments.commands.looking import compare, experiments, runs
from app.bench.experiments.commands.reporting import report
from app.bench.experiments.commands.running import run


def add_to(app: typer.Typer) -> None:
    """Make the commands known."""
    for command in (run, runs, experiments, compare, report, check):
        app.command()(command)

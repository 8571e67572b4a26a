"""Every figure of every setup with its interval, and what a reader must know to believe them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.bench.experiments.figure_text import Scale, scale_of, short_title
from app.bench.experiments.findings import ORDER, Findings, SetupFigures
from app.bench.experiments.samples import SetupFigure
from app.ui.facts_table import draw_facts
from app.ui.safe_text import plain_text_as_markdown


def draw_figures(findings: Findings) -> None:
    head, *rows = figure_rows(findings)
    st.caption("Medians of the runs with their 95 % intervals, then what other passes found.")
    draw_facts(rows, head, "Figures of each setup")
    for remark in remarks(findings):
        st.caption(plain_text_as_markdown(remark))


def figure_rows(findings: Findings) -> list[tuple[str, ...]]:
    """A row a figure, a column a setup; the first row names them."""
    names = {name for setup in findings.setups for name in setup.figures}
    ordered = sorted(names, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
    rows = [("Figure", *(setup.label for setup in findings.setups))]
    for name in ordered:
        found = [setup.figures.get(name) for setup in findings.setups]
        some = next(figure for figure in found if figure is not None)
        values = [one.value for one in found if one is not None and one.value is not None]
        scale = scale_of(some, values)
        rows.append((short_title(some), *(_cell(one, scale) for one in found)))
    rows.append(("Runs that count", *(_runs(findings, setup) for setup in findings.setups)))
    return rows


def _cell(figure: SetupFigure | None, scale: Scale) -> str:
    if figure is None:
        return "not measured: its pass was not made for this setup"
    return scale.with_interval(figure)


def _runs(findings: Findings, setup: SetupFigures) -> str:
    result = findings.conclusion.setups[setup.index]
    counted = max((len(median.samples) for median in result.medians), default=0)
    notes = [f"{result.failed} failed"] if result.failed else []
    notes += [f"{result.disturbed} disturbed"] if result.disturbed else []
    return f"{counted} ({', '.join(notes)})" if notes else str(counted)


def remarks(findings: Findings) -> Sequence[str]:
    """What was left out, what was disturbed, what has not ended."""
    experiment = findings.experiment
    found = [f"Ended early: {experiment.reason}"] if experiment.reason else []
    found += [f"{label} was left out: {said}" for label, said in experiment.left_out.items()]
    disturbed = sum(one.disturbed for one in findings.conclusion.setups)
    if disturbed:
        found.append(
            f"{disturbed} of the runs that count were disturbed by other work, also when they were "
            "made again: on a quiet machine medians may be better."
        )
    return found

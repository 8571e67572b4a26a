"""Every figure of every setup with its interval, and what a reader must know to believe them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

import streamlit as st

from app.bench.experiments.figure_text import Scale, scale_of, short_title
from app.bench.experiments.findings import ORDER, Findings, SetupFigures
from app.bench.experiments.samples import SetupFigure
from app.bench.format import grouped, missing_phrase
from app.ui.colors import css_class
from app.ui.safe_text import plain_text_as_markdown


def draw_figures(findings: Findings) -> None:
    st.caption("Medians of the runs with their 95 % intervals, then what other passes found.")
    st.html(figures_html(findings))
    st.caption("  \n".join(plain_text_as_markdown(one) for one in remarks(findings)))


def figures_html(findings: Findings) -> str:
    """A row a figure, a column a setup; every text is escaped."""
    heads = "".join(
        f'<th scope="col" class="{css_class(setup.index)}">{escape(setup.label)}</th>'
        for setup in findings.setups
    )
    rows = [_row(short_title(some), cells) for some, cells in _figures(findings)]
    counts = [_runs(findings, setup) for setup in findings.setups]
    rows.append(_row("Runs that count", counts))
    return (
        '<div class="dyno-results-box" tabindex="0" role="region" aria-label="Figures">'
        '<table class="dyno-results" aria-label="Figures of each setup">'
        f'<thead><tr><th scope="col">Figure</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _figures(findings: Findings) -> Iterator[tuple[SetupFigure, list[tuple[str, str]]]]:
    """Each metric with (value, interval or reason) of every setup."""
    names = {name for setup in findings.setups for name in setup.figures}
    for name in sorted(names, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER)):
        found = [setup.figures.get(name) for setup in findings.setups]
        some = next(figure for figure in found if figure is not None)
        scale = scale_of(some, findings.values(name))
        yield some, [_cell(one, scale) for one in found]


def _row(title: str, cells: Iterable[tuple[str, str]]) -> str:
    drawn = "".join(
        f"<td>{escape(value)}<small>{escape(note)}</small></td>" for value, note in cells
    )
    return f'<tr><th scope="row">{escape(title)}</th>{drawn}</tr>'


def _cell(figure: SetupFigure | None, scale: Scale) -> tuple[str, str]:
    if figure is None:
        return "not measured", "its pass was not made for this setup"
    if figure.value is None:
        phrase, _, reason = missing_phrase(figure.reason).partition(": ")
        return phrase, reason
    return scale.text(figure.value), scale.interval(figure) or figure.reason


def _runs(findings: Findings, setup: SetupFigures) -> tuple[str, str]:
    result = findings.conclusion.setups[setup.index]
    counted = max((len(median.samples) for median in result.medians), default=0)
    notes = [f"{result.failed} failed"] if result.failed else []
    notes += [f"{result.disturbed} disturbed"] if result.disturbed else []
    return grouped(counted), ", ".join(notes)


def remarks(findings: Findings) -> list[str]:
    """What a reader must know to believe the table; how many runs were disturbed is in it."""
    experiment = findings.experiment
    told = [f"Ended early: {experiment.reason}"] if experiment.reason else []
    told += [f"{label} was left out: {why}" for label, why in experiment.left_out.items()]
    if any(one.disturbed for one in findings.conclusion.setups):
        told.append(
            "Disturbed runs had other work beside them or a slow clock, also when they were made "
            "again: on a quiet machine the medians may be better."
        )
    return told

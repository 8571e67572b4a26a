"""Limits and a wish of the user's, and the setup that they lead to."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TypeVar

import streamlit as st

from app.bench.experiments.figure_text import scale_of, short_title
from app.bench.experiments.findings import Findings
from app.bench.experiments.recommend import Recommendation, Wish, recommend, wishes
from app.bench.experiments.recommend_text import (
    details,
    judgement_text,
    limit_text,
    some_figure,
    verdict,
)
from app.bench.experiments.samples import SetupFigure
from app.ui.colors import css_class
from app.ui.compare.take_away import draw_take_away
from app.ui.safe_text import plain_text_as_markdown

# Limits are set in these units, whatever the figures are shown in: a limit that is kept in the
# session must not change its meaning when more runs change the unit of the chart.
_UNITS: Mapping[str, tuple[float, str]] = {
    "ttft_ns": (1e6, "ms"),
    "tpot_ns": (1e6, "ms"),
    "e2e_ns": (1e6, "ms"),
    "decode_tokens_per_second": (1, "tok/s"),
    "peak_memory_bytes": (1e6, "MB"),
    "cost_per_million_tokens": (1, "$"),
    "cost_dollars": (1, "$"),
}
_ABOVE_REFERENCE = "perplexity_ratio"
T = TypeVar("T")
Asked = tuple[Wish, Mapping[str, float]]


@st.fragment
def draw_recommendation(findings: Findings) -> None:
    """A fragment: another limit redraws this and nothing else."""
    offered = [one for one in findings.metrics() if one.better != "neither"]
    possible = wishes(findings)
    if not possible:
        st.caption("A recommendation needs a setup that has answered.")
        return
    st.subheader("Which setup to use", anchor=False)
    place = st.container()
    with st.container(horizontal=True):
        wish = _wish(findings, possible)
        names = [one.metric for one in offered]
        key = f"limits-{findings.experiment.id}"
        before: list[str] = _kept(key, [])
        chosen = st.multiselect(
            "Limits on",
            names,
            default=[name for name in before if name in names],
            format_func=lambda name: _title(findings, name),
            key=key,
            placeholder="No limit",
            width=420,
        )
        _keep(key, chosen)
    limits = _limits(findings, chosen)
    _keep(_asked_key(findings.experiment.id), (wish, limits))
    found = recommend(findings, limits, wish)
    with place:
        st.markdown(f"**{plain_text_as_markdown(verdict(findings, found))}**")
        st.caption("  \n".join(plain_text_as_markdown(one) for one in details(findings, found)))
    if limits:
        st.html(judgements_html(findings, found))
    if found.best:
        draw_take_away(findings, found.best)


def asked(id_: str) -> Asked | None:
    """The wish and the limits, in base units, that the last recommendation of it was made for."""
    found: Asked | None = _kept(_asked_key(id_), None)
    return found


def _asked_key(id_: str) -> str:
    return f"asked-{id_}"


def _wish(findings: Findings, possible: tuple[Wish, ...]) -> Wish:
    key = f"wish-{findings.experiment.id}"
    before = _kept(key, possible[0])
    wish = st.segmented_control(
        "What matters most",
        list(possible),
        default=before if before in possible else possible[0],
        format_func=str.capitalize,
        required=True,
        key=key,
    )
    _keep(key, wish)
    return wish


def _kept(key: str, default: T) -> T:
    """What was chosen before. Streamlit forgets a widget while another page is shown."""
    kept: T = st.session_state.get(f"kept-{key}", default)
    return kept


def _keep(key: str, value: object) -> None:
    st.session_state[f"kept-{key}"] = value


def _title(findings: Findings, metric: str) -> str:
    if metric == _ABOVE_REFERENCE:
        return "Perplexity above the reference’s"
    return short_title(some_figure(findings, metric))


def _limits(findings: Findings, chosen: list[str]) -> dict[str, float]:
    """The limits in the metrics' own units; each begins where half of the setups keep it."""
    limits: dict[str, float] = {}
    if not chosen:
        return limits
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for metric in chosen:
            figure = some_figure(findings, metric)
            divisor, unit = _unit(findings, figure)
            word = "at least" if figure.better == "higher" else "at most"
            key = f"limit-{metric}-{findings.experiment.id}"
            shown = st.number_input(
                f"{_title(findings, metric)} {word}" + (f" ({unit})" if unit else ""),
                min_value=0.0,
                value=_kept(key, _first(findings, figure, divisor)),
                key=key,
                format="%.6g",
                width=230,
            )
            _keep(key, shown)
            limits[metric] = 1 + shown / 100 if metric == _ABOVE_REFERENCE else shown * divisor
    return limits


def _unit(findings: Findings, figure: SetupFigure) -> tuple[float, str]:
    if figure.metric == _ABOVE_REFERENCE:
        return 1, "%"
    if figure.metric in _UNITS:
        return _UNITS[figure.metric]
    scale = scale_of(figure, findings.values(figure.metric))
    return scale.divisor, scale.unit


def _first(findings: Findings, figure: SetupFigure, divisor: float) -> float:
    """The middle one of the unfavourable ends."""
    if figure.metric == _ABOVE_REFERENCE:
        return 1.0
    found = [setup.figures.get(figure.metric) for setup in findings.setups]
    ends = [
        end
        for one in found
        if one is not None and one.value is not None
        for end in [(one.low if figure.better == "higher" else one.high)]
        if end is not None
    ]
    middle = sorted(ends or findings.values(figure.metric))
    return float(f"{middle[len(middle) // 2] / divisor:.2g}")


def judgements_html(findings: Findings, found: Recommendation) -> str:
    """A row a setup, a column a limit: kept or not, and by what; every text is escaped."""
    judged = found.candidates[0].judgements
    figures = [some_figure(findings, one.metric) for one in judged]
    heads = "".join(
        f'<th scope="col">{escape(limit_text(figure, one.limit))}</th>'
        for figure, one in zip(figures, judged, strict=True)
    )
    rows = []
    for candidate in found.candidates:
        cells = "".join(
            f'<td class="{"dyno-kept" if one.passes else "dyno-missed"}">'
            f"{'kept' if one.passes else 'missed' if one.worst is not None else 'not known'}"
            f"<small>{escape(judgement_text(figure, one))}</small></td>"
            for figure, one in zip(figures, candidate.judgements, strict=True)
        )
        name = f'<span class="dyno-setup-name">{escape(candidate.label)}</span>'
        rows.append(
            f'<tr class="{css_class(candidate.index)}"><th scope="row">{name}</th>{cells}</tr>'
        )
    return (
        '<div class="dyno-results-box" tabindex="0" role="region" aria-label="Limits">'
        '<table class="dyno-results dyno-limits" aria-label="Limits that each setup keeps">'
        f'<thead><tr><th scope="col">Setup</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )

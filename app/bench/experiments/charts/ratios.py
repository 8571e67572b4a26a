"""How every setup stands to the reference, and how two experiments stand to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.bench.experiments.charts.forest import ForestRow, forest
from app.bench.experiments.figure_text import ratio_words
from app.bench.experiments.findings import Findings
from app.bench.experiments.statistics import COMPARED, MetricRatio, Move, Verdict
from app.bench.experiments.words import STARTS_DIFFER
from app.bench.format import significant
from app.charts.style import plain, shortened

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True)
class RatioRow:
    """A setup's figure over the reference's. The interval is at `confidence`."""

    setup: str
    reference: str
    metric: str
    ratio: float | None
    low: float | None
    high: float | None
    pairs: int
    confidence: float
    verdict: Verdict
    reason: str


def ratio_rows(findings: Findings) -> list[RatioRow]:
    reference, *others = findings.conclusion.setups
    return [
        RatioRow(
            setup=one.label,
            reference=reference.label,
            metric=ratio.metric,
            ratio=ratio.ratio,
            low=ratio.low,
            high=ratio.high,
            pairs=ratio.n,
            confidence=ratio.confidence,
            verdict=ratio.verdict,
            reason=ratio.reason,
        )
        for one in others
        for ratio in one.ratios
    ]


def ratio_chart(findings: Findings, *, dark: bool = False) -> go.Figure | None:
    """A row a setup in a group a metric; None without a second setup that has pairs."""
    reference, *others = findings.conclusion.setups
    groups = []
    for metric in COMPARED:
        ratios = [(one, ratio) for one in others for ratio in one.ratios if ratio.metric == metric]
        if any(ratio.ratio is not None for _, ratio in ratios):
            rows = [_row(one.index, one.label, ratio) for one, ratio in ratios]
            groups.append((ratios[0][1].title, rows))
    proven = sum(row.is_proven for _, rows in groups for row in rows)
    together = findings.conclusion.comparisons
    title = (
        f"{proven} of {together} differences from {plain(shortened(reference.label))} are proven"
    )
    if not together:
        title = f"How do the setups differ from {plain(shortened(reference.label))}?"
    return forest(
        groups,
        title,
        f"In pairs, reference at 1; all {together} intervals hold together with 95 %",
        f"Times the figure of {plain(shortened(reference.label))}, log axis",
        dark=dark,
    )


def moves_chart(
    moves: Sequence[Move], indices: dict[str, int], *, dark: bool = False
) -> go.Figure | None:
    """What moved from a first experiment to a second; `indices` gives each setup's in the second's
    plan, by label."""
    titles = dict.fromkeys((one.metric, one.title) for one in moves if one.ratio is not None)
    groups = [
        (title, [_move_row(one, indices[one.setup]) for one in moves if one.metric == metric])
        for metric, title in titles
    ]
    moved, judged = sum(one.moved for one in moves), sum(one.ratio is not None for one in moves)
    return forest(
        groups,
        f"{moved} of {judged} figures moved beyond the spread of runs",
        f"Not in pairs; all intervals hold together with 95 %. {STARTS_DIFFER}",
        "Times the figure of the earlier experiment, log axis",
        dark=dark,
    )


def _row(index: int, label: str, ratio: MetricRatio) -> ForestRow:
    is_proven = ratio.verdict in ("better", "worse")
    hover = [f"<b>{plain(label)}</b>, {plain(ratio.title)}"]
    if ratio.ratio is not None:
        hover.append(_with_interval(ratio.ratio, ratio.low, ratio.high))
        hover.append(f"derived, n = {ratio.n} pairs, at {100 * ratio.confidence:.3g} %")
    text = _text(ratio, is_proven)
    return ForestRow(
        *(index, label, ratio.ratio, ratio.low, ratio.high),
        is_proven=is_proven,
        text=text,
        hover="<br>".join([*hover, plain(text)]),
    )


def _text(ratio: MetricRatio, is_proven: bool) -> str:
    if is_proven and ratio.ratio is not None:
        return ratio_words(ratio.metric, ratio.ratio)
    return "not compared" if ratio.verdict == "not compared" else "no difference shown"


def _move_row(move: Move, index: int) -> ForestRow:
    hover = [f"<b>{plain(move.setup)}</b>, {plain(move.title)}"]
    text = "not judged"
    if move.ratio is not None:
        text = ratio_words(move.metric, move.ratio) if move.moved else "within their spread"
        hover.append(_with_interval(move.ratio, move.low, move.high))
        hover.append(f"derived, n = {move.n[0]} and {move.n[1]}, at {100 * move.confidence:.3g} %")
    return ForestRow(
        *(index, move.setup, move.ratio, move.low, move.high),
        is_proven=move.moved,
        text=text,
        hover="<br>".join([*hover, plain(move.reason or text)]),
    )


def _with_interval(ratio: float, low: float | None, high: float | None) -> str:
    ends = "" if low is None or high is None else f" [{significant(low)}, {significant(high)}]"
    return f"{significant(ratio)}×{ends}"

"""One compact row of figures under an answer, always the same six in the same order.

Each cell can be hovered or focused and then says its title, formula and how it was obtained. The
row takes its space before there are figures, so that nothing jumps when they arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from app.bench import figures
from app.bench.format import Parts, count, missing_phrase, row_parts
from app.bench.metric import Figure, Provenance
from app.bench.record import RunRecord

STYLE_FILE = Path(__file__).with_name("style.css")

_HOW_OBTAINED: dict[Provenance, str] = {
    "measured": "Measured in this run",
    "derived": "Derived from what was measured",
    "estimated": "Estimated",
    "quoted": "Quoted from a source",
}


@dataclass(frozen=True, slots=True)
class _Cell:
    label: str
    figures: tuple[Callable[[RunRecord], Figure], ...]


_CELLS = (
    _Cell("TTFT", (figures.ttft,)),
    _Cell("TPOT", (figures.tpot,)),
    _Cell("Decode", (figures.decode_rate,)),
    _Cell("Tokens", (figures.prompt_tokens, figures.output_tokens)),
    _Cell("Memory", (figures.peak_memory,)),
    _Cell("Cost", (figures.cost,)),
)


def inject_style() -> None:
    """Load the style sheet; once per run of the script, from the entry page."""
    import streamlit as st

    st.html(STYLE_FILE)


def render_figures(
    record: RunRecord | None,
    best: Collection[str] = (),
    *,
    peers: Sequence[RunRecord] = (),
    label: str = "",
) -> None:
    """Draw the row of one run; with None its empty space.

    `best` holds the names of figures (`Figure.name`) in which this run is the best of comparable
    ones: who calls it has made sure that they are. `peers` are the runs beside it, so that all
    columns show the same unit and decimals. `label` names the setup to screen readers.
    """
    import streamlit as st

    st.html(figures_html(record, best, peers=peers, label=label))


def figures_html(
    record: RunRecord | None,
    best: Collection[str] = (),
    *,
    peers: Sequence[RunRecord] = (),
    label: str = "",
) -> str:
    """The row as HTML; everything in it is escaped."""
    if record is None:
        blank = "".join(
            f'<span class="dyno-figure"><span class="dyno-label">{escape(cell.label)}</span>'
            '<span class="dyno-value">&nbsp;</span></span>'
            for cell in _CELLS
        )
        row = f'<div class="dyno-figures dyno-empty" aria-hidden="true">{blank}</div>'
        return f'<div class="dyno-row">{row}</div>'
    cells = "".join(_cell_html(cell, record, best, peers) for cell in _CELLS)
    name = f"Figures of {label or record.setup_label}".strip()
    row = f'<div class="dyno-figures" role="list" aria-label="{escape(name)}">{cells}</div>'
    return f'<div class="dyno-row">{row}</div>'


def _cell_html(
    cell: _Cell, record: RunRecord, best: Collection[str], peers: Sequence[RunRecord]
) -> str:
    shown = [read(record) for read in cell.figures]
    is_best = any(figure.name in best for figure in shown)
    if len(shown) == 2:
        parts = [_pair(shown[0], shown[1])]
    else:
        read = cell.figures[0]
        others = [read(peer) for peer in peers if peer.id != record.id]
        parts = row_parts([shown[0], *others])[:1]
    spoken = "; ".join(_spoken(figure, is_best) for figure in shown)
    classes = "dyno-figure dyno-best" if is_best else "dyno-figure"
    return (
        f'<span class="{classes}" role="listitem" tabindex="0" aria-label="{escape(spoken)}">'
        f'<span class="dyno-label">{escape(cell.label)}</span>'
        f'<span class="dyno-value">{_value_html(parts[0], shown)}</span>'
        f'<span class="dyno-tip" aria-hidden="true">{_tip_html(shown, is_best)}</span></span>'
    )


def _pair(before: Figure, after: Figure) -> Parts:
    if not isinstance(before.value, int) or not isinstance(after.value, int):
        return Parts("", missing=missing_phrase(before.reason or after.reason))
    return Parts(f"{count(before.value)} → {count(after.value)}")


def _value_html(parts: Parts, shown: Sequence[Figure]) -> str:
    if parts.missing:
        phrase = parts.missing.partition(":")[0]  # the reason is one hover away
        return f'<span class="dyno-missing">{escape(phrase)}</span>'
    about = "≈" if any(figure.provenance == "estimated" for figure in shown) else ""
    short = escape(parts.short_unit)
    unit = f'<span class="dyno-unit">{short}</span>' if short else ""
    return f"{about}{escape(parts.number)}{unit}"


def _spoken(figure: Figure, is_best: bool) -> str:
    value = row_parts([figure])[0].text
    return f"{figure.title}: {value}{', best of these setups' if is_best else ''}"


def _tip_html(shown: Sequence[Figure], is_best: bool) -> str:
    blocks = []
    for figure in shown:
        value = row_parts([figure])[0].text
        how = _HOW_OBTAINED[figure.provenance] if figure.value is not None else ""
        lines = [
            f"<b>{escape(figure.title)}: {escape(value)}</b>",
            f"<span>{escape(figure.formula)}</span>",
            f"<i>{escape(how)}{'. Best of these setups' if is_best else ''}</i>" if how else "",
        ]
        blocks.append("".join(line for line in lines if line))
    return "".join(blocks)

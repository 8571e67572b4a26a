"""How every chart looks: transparent, quiet axes, a title that asks, labels beside the lines."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

THIN = "\u202f"  # narrow no-break space: between thousands, and before a unit
CONTENDED = "a race: the setups shared the device"
MARGIN = {"l": 8, "t": 64, "b": 8, "pad": 0}
LEGEND_PX = 30
_CLEAR = "rgba(0,0,0,0)"
_CHARACTER_PX = 7.2
_LABEL_PX = 17
_X_AXIS_PX, _Y_AXIS_PX = 56, 72
_SUBTITLE_LINE_PX, _TITLE_LINE_PX = 18, 20
_TITLE_CHARACTERS, _SUBTITLE_CHARACTERS = 46, 74
_LINE_CHART_PX = 320
_BAR_PX, _BAR_MARGINS_PX = 46, 120


@dataclass(frozen=True, slots=True)
class Ink:
    """The greys of a theme."""

    text: str
    quiet: str
    line: str

    @staticmethod
    def of(dark: bool) -> Ink:
        return (
            Ink("#E6E9ED", "#9AA4B0", "#2A3038") if dark else Ink("#1B1F24", "#5F6772", "#E6E9ED")
        )


@dataclass(frozen=True, slots=True)
class End:
    """The last point of a line, as shares of its axes, with the name to put there."""

    x: float
    y: float
    label: str


def titled(question: str, contended: bool) -> str:
    """A title that says so where the runs disturbed each other."""
    return f"{question} ({CONTENDED})" if contended else question


def plain(text: str) -> str:
    """A name as Plotly shows it: its texts are a kind of HTML."""
    return escape(text, quote=False)


def line_chart(title: str, subtitle: str, *, dark: bool) -> go.Figure:
    return _chart(title, subtitle, dark=dark, height=_LINE_CHART_PX)


def tall_chart(title: str, subtitle: str, height: int, *, dark: bool) -> go.Figure:
    """A chart whose height follows what is in it. Title and subtitle are wrapped for a narrow page,
    and may hold `<br>`."""
    title, subtitle = wrapped(title, _TITLE_CHARACTERS), wrapped(subtitle, _SUBTITLE_CHARACTERS)
    lines = (title + subtitle).count("<br>")
    figure = _chart(title, subtitle, dark=dark, height=height + lines * _SUBTITLE_LINE_PX)
    # A title of several lines is placed by its last one, so the others need room above.
    above = title.count("<br>") * _TITLE_LINE_PX
    figure.update_layout(margin_t=MARGIN["t"] + lines * _SUBTITLE_LINE_PX, title_pad_t=above)
    return figure


def wrapped(text: str, longest: int) -> str:
    """Lines of at most so many characters, broken between words."""
    lines = [line for part in text.split("<br>") for line in _broken(part, longest)]
    return "<br>".join(lines)


def _broken(text: str, longest: int) -> list[str]:
    return textwrap.wrap(text, longest, break_long_words=False, break_on_hyphens=False)


def bar_chart(title: str, subtitle: str, bars: int, *, dark: bool) -> go.Figure:
    return _chart(title, subtitle, dark=dark, height=_BAR_MARGINS_PX + _BAR_PX * max(1, bars))


def _chart(title: str, subtitle: str, *, dark: bool, height: int) -> go.Figure:
    import plotly.graph_objects as go

    ink = Ink.of(dark)
    figure = go.Figure()
    figure.update_layout(
        title={
            "text": title,
            "subtitle": {"text": subtitle, "font": {"size": 13, "color": ink.quiet}},
            "font": {"size": 16, "color": ink.text, "weight": 600},
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 0.99,
            "yanchor": "top",
        },
        height=height,
        margin={**MARGIN, "r": 8},
        separators=f".{THIN}",
        paper_bgcolor=_CLEAR,
        plot_bgcolor=_CLEAR,
        font={"size": 13, "color": ink.text},
        hoverlabel={"align": "left", "font": {"size": 13}},
        showlegend=False,
        dragmode=False,
    )
    return figure


def axis(title: str, *, dark: bool, grid: bool = True, **more: Any) -> dict[str, Any]:
    """An axis with its unit in the title; zero-based unless `more` says otherwise."""
    ink = Ink.of(dark)
    look = {
        "title": {"text": title, "font": {"size": 13, "color": ink.quiet}},
        "tickfont": {"size": 12, "color": ink.quiet},
        "showgrid": grid,
        "gridcolor": ink.line,
        "zeroline": False,
        "showline": not grid,
        "linecolor": ink.line,
        "rangemode": "tozero",
        "automargin": True,
        "fixedrange": True,
        "separatethousands": True,
        "nticks": 7,
    }
    return look | more


def heading(figure: go.Figure, text: str, x: float, *, dark: bool) -> None:
    """Names a panel above its top left corner, where it can be read without turning the head."""
    figure.add_annotation(
        text=text,
        x=x,
        y=1,
        xref="paper",
        yref="paper",
        xanchor="left",
        yanchor="bottom",
        xshift=-20,
        yshift=6,
        showarrow=False,
        font={"size": 13, "color": Ink.of(dark).quiet},
    )
    figure.update_layout(margin_t=MARGIN["t"] + 22)


def legend_below(figure: go.Figure) -> None:
    """A legend on a line of its own under the axis; the chart grows by that line."""
    bottom = figure.layout.margin.b + LEGEND_PX
    figure.update_layout(
        showlegend=True,
        height=figure.layout.height + LEGEND_PX,
        margin_b=bottom,
        legend={
            "orientation": "h",
            "x": 0,
            "xref": "container",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "traceorder": "normal",
            "font": {"size": 12},
        },
    )


def with_room(figure: go.Figure, left: int = _Y_AXIS_PX) -> None:
    """Room for both axes and their titles, given and not found out: that is a second drawing, which
    a slow machine takes 0.2 s for. For axes whose labels are short, or as wide as `left` says."""
    figure.update_layout(margin_l=max(left, _Y_AXIS_PX), margin_b=_X_AXIS_PX)
    figure.update_xaxes(automargin=False)
    figure.update_yaxes(automargin=False)


def setup_axis(names: Sequence[str], *, dark: bool, **more: Any) -> dict[str, Any]:
    """A vertical axis of setups by position, so that equal names stay apart; the first on top."""
    ink = Ink.of(dark)
    return axis(
        "",
        dark=dark,
        grid=False,
        tickmode="array",
        tickvals=list(range(len(names))),
        ticktext=[plain(shortened(name)) for name in names],
        tickfont={"size": 13, "color": ink.text},
        range=[len(names) - 0.5, -0.5],
        rangemode="normal",
        ticklabelstandoff=8,
        **more,
    )


def shortened(text: str, longest: int = 28) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def label_width(labels: Sequence[str]) -> int:
    """Room in pixels that the longest of these labels needs."""
    return round(max((len(shortened(label)) for label in labels), default=0) * _CHARACTER_PX) + 16


def spread(ends: Sequence[End], width_px: float, height_px: float) -> list[float]:
    """How far up, in pixels, to move each end's label so that none covers another.

    Labels are centred above their point; those at the sides are pushed inside.
    """
    placed: list[tuple[float, float, float]] = []
    lifts = [0.0] * len(ends)
    for i in sorted(range(len(ends)), key=lambda i: (ends[i].y, ends[i].x)):
        end = ends[i]
        width = label_width([end.label])
        left = max(0.0, min(end.x * width_px - width / 2, width_px - width))
        wanted = bottom = end.y * height_px
        for other_left, other_right, other_bottom in sorted(placed, key=lambda box: box[2]):
            beside = left + width < other_left or other_right < left
            if not beside and abs(bottom - other_bottom) < _LABEL_PX:
                bottom = other_bottom + _LABEL_PX
        placed.append((left, left + width, bottom))
        lifts[i] = bottom - wanted
    return lifts

"""Six colours that colour-blind readers can tell apart, in a light and a dark variant.

A setup takes the colour of its column and keeps it everywhere: column edge, chart, table. Contrast
with the page is at least 4.5 : 1; a test measures it, and how far the colours are apart under
the three kinds of colour blindness. Charts add a dash and a marker shape as a second sign.
"""

from __future__ import annotations

from collections.abc import Iterable

LIGHT_PAGE, DARK_PAGE = "#FFFFFF", "#111418"
LIGHT = ("#1A4FB5", "#C05000", "#27806A", "#8A2463", "#5A4A00", "#45187F")
DARK = ("#5AA2F7", "#EE7B2B", "#9BEFC4", "#BC7DB5", "#F0CB2B", "#CDC4FE")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star")

# Parts of memory are shades of one hue, so that they are not taken for setups. Text on them is
# readable: dark text on the pale ones, white on the strong one.
MEMORY_PARTS_LIGHT = {
    "weights": "#4A3BB0",
    "kv_cache": "#8F84DC",
    "draft": "#A79DE6",
    "compiled": "#CBC5F3",
    "activations": "#BDB5EE",
    "rest": "#D5D9E0",
}
MEMORY_PARTS_DARK = {
    "weights": "#B9AFFF",
    "kv_cache": "#8778E6",
    "draft": "#7366C9",
    "compiled": "#544A86",
    "activations": "#5D50AE",
    "rest": "#434B57",
}


def setup_color(index: int, *, dark: bool = False) -> str:
    """The colour of the setup in column `index` (from 0); they repeat after six."""
    palette = DARK if dark else LIGHT
    return palette[index % len(palette)]


def setup_colors(keys: Iterable[str], *, dark: bool = False) -> dict[str, str]:
    """Colours by column key, in the order of the columns."""
    return {key: setup_color(index, dark=dark) for index, key in enumerate(keys)}


def setup_symbol(index: int) -> str:
    """The marker of a setup: another one where its colour comes again, so that 36 are apart."""
    return SYMBOLS[(index + index // len(LIGHT)) % len(SYMBOLS)]


def faded(color: str, opacity: float) -> str:
    """A colour as Plotly writes it, so much of it."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"

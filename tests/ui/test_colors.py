"""The colours can be read, told apart by colour-blind readers, and are the same in every file."""

from __future__ import annotations

import itertools
import math
import re
import tomllib

import pytest

from app.charts import colors
from app.ui.colors import css_class
from app.ui.figure_row import STYLE_FILE
from backends.settings import ROOT

# Machado, Oliveira and Fernandes 2009, severity 1, for linear RGB.
VISION = {
    "normal": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def linear(color: str) -> list[float]:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def contrast(one: str, other: str) -> float:
    def luminance(color: str) -> float:
        red, green, blue = linear(color)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def seen(color: str, vision: str) -> tuple[float, float, float]:
    """Oklab of what an eye of this vision sees."""
    source = linear(color)
    rgb = [
        min(1.0, max(0.0, sum(m * c for m, c in zip(row, source, strict=True))))
        for row in VISION[vision]
    ]
    red, green, blue = rgb
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def test_setups_read_as_text_on_their_page() -> None:
    assert min(contrast(color, colors.LIGHT_PAGE) for color in colors.LIGHT) >= 4.5
    assert min(contrast(color, colors.DARK_PAGE) for color in colors.DARK) >= 4.5


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("palette", [colors.LIGHT, colors.DARK], ids=["light", "dark"])
def test_setups_are_told_apart(palette: tuple[str, ...], vision: str) -> None:
    seen_colors = [seen(color, vision) for color in palette]
    distances = [math.dist(one, other) for one, other in itertools.combinations(seen_colors, 2)]
    assert min(distances) >= 0.07
    assert math.dist(seen_colors[0], seen_colors[1]) >= 0.2


def test_style_sheet_and_theme_have_the_same_colors() -> None:
    style = STYLE_FILE.read_text(encoding="utf-8")
    pairs = re.findall(r"\.dyno-setup-\d .*?light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", style)
    assert [light.upper() for light, _ in pairs] == list(colors.LIGHT)
    assert [dark.upper() for _, dark in pairs] == list(colors.DARK)
    theme = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))["theme"]
    assert theme["light"]["chartCategoricalColors"] == list(colors.LIGHT)
    assert theme["dark"]["chartCategoricalColors"] == list(colors.DARK)
    assert theme["light"]["backgroundColor"] == colors.LIGHT_PAGE
    assert theme["dark"]["backgroundColor"] == colors.DARK_PAGE


def test_theme_text_links_and_buttons_are_readable() -> None:
    theme = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))["theme"]
    for variant in (theme["light"], theme["dark"]):
        for name in ("textColor", "linkColor"):
            for page in (variant["backgroundColor"], variant["secondaryBackgroundColor"]):
                assert contrast(variant[name], page) >= 4.5
        assert contrast(variant["primaryColor"], "#FFFFFF") >= 4.5  # the text of a primary button
        assert contrast(variant["primaryColor"], variant["backgroundColor"]) >= 3


def test_a_column_keeps_its_color() -> None:
    assert colors.setup_colors(["kvon", "kvoff"]) == {
        "kvon": colors.LIGHT[0],
        "kvoff": colors.LIGHT[1],
    }
    assert colors.setup_color(6) == colors.LIGHT[0]
    assert colors.setup_color(1, dark=True) == colors.DARK[1]
    assert css_class(7) == "dyno-setup-1"

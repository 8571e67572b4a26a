"""The figures of setups as text and as numbers on an axis: units, digits, words for a ratio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.bench.experiments.samples import SetupFigure
from app.bench.format import missing_phrase, significant, unit_scale
from app.charts.style import THIN

# Where the unit of the metric alone would not say enough.
_UNITS = {
    "cost_per_million_tokens": "$ per million tokens",
    "perplexity": "",
    "kl_per_token": "nats",
    "first_divergence_tokens": "tokens",
    "joules_per_token": "J",
}
_NEAR_ONE = 1.01
_LEAST = 0.000001
_SHARES = {"top1_agreement", "identical_answers", "accuracy"}
_SHORT = {
    "ttft_ns": "TTFT",
    "tpot_ns": "TPOT",
    "e2e_ns": "E2E",
    "decode_tokens_per_second": "Decode speed",
    "peak_memory_bytes": "Peak memory",
    "cost_dollars": "Cost of answers",
    "cost_per_million_tokens": "Cost per million tokens",
}
_MORE_AND_LESS = {
    **dict.fromkeys(("ttft_ns", "tpot_ns", "e2e_ns"), ("slower", "faster")),
    "decode_tokens_per_second": ("faster", "slower"),
    "peak_memory_bytes": ("larger", "smaller"),
    **dict.fromkeys(("cost_dollars", "cost_per_million_tokens"), ("dearer", "cheaper")),
}


@dataclass(frozen=True, slots=True)
class Scale:
    """A metric's values in one unit: divided by `divisor`, with `unit` behind them."""

    divisor: float
    unit: str
    digits: int = 3

    @property
    def is_money(self) -> bool:
        return self.unit.startswith("$")

    def text(self, value: float) -> str:
        """A value with its unit: 21.3 ms, $0.042 per million tokens, 97 %."""
        number = self._number(value)
        if self.is_money:
            return f"${number}{self.unit[1:]}"
        gap = "" if self.unit in ("", "×") else THIN
        return f"{number}{gap}{self.unit}"

    def _number(self, value: float) -> str:
        """Its digits; what rounding leaves of nothing is told as about 0."""
        scaled = value / self.divisor
        if 0 < scaled < _LEAST and not self.is_money:
            return "≈0"
        return significant(scaled, self.digits)

    def short(self, value: float) -> str:
        """As `text`, for cells whose heading says of how much the price is: $0.042."""
        return (
            f"${significant(value / self.divisor, self.digits)}"
            if self.is_money
            else self.text(value)
        )

    def interval(self, figure: SetupFigure) -> str:
        """The interval alone: [20.9, 21.8]; empty where there is none."""
        if figure.low is None or figure.high is None:
            return ""
        ends = (self._number(end) for end in (figure.low, figure.high))
        return f"[{', '.join(ends)}]"

    def with_interval(self, figure: SetupFigure) -> str:
        """A figure with its interval: 21.3 ms [20.9, 21.8]; or why there is none."""
        if figure.value is None:
            return missing_phrase(figure.reason)
        return f"{self.text(figure.value)} {self.interval(figure)}".rstrip()


def scale_of(figure: SetupFigure, values: Sequence[float]) -> Scale:
    """The unit in which the smallest of these values reads well."""
    if figure.metric in _UNITS:
        return Scale(1, _UNITS[figure.metric])
    if figure.metric == "perplexity_ratio":
        return Scale(1, "×", digits=4)
    if figure.metric in _SHARES:
        return Scale(0.01, "%")
    sizes = [abs(value) for value in values if value]
    if figure.unit == "dollars":
        divisor, unit = unit_scale(figure.unit, min(sizes, default=0))
        return Scale(divisor, f"$ {unit or 'an answer'}")
    return Scale(*unit_scale(figure.unit, min(sizes, default=0)))


def figure_text(figure: SetupFigure) -> str:
    """A figure by itself, with its interval."""
    values = [] if figure.value is None else [figure.value]
    return scale_of(figure, values).with_interval(figure)


def value_text(figure: SetupFigure, value: float) -> str:
    """A value of the figure's metric, such as a limit."""
    return scale_of(figure, [value]).text(value)


def short_title(figure: SetupFigure) -> str:
    """What tables and buttons call a metric."""
    return _SHORT.get(figure.metric, figure.title)


def axis_title(figure: SetupFigure, scale: Scale) -> str:
    """What stands at an axis: the metric, its unit, and which end is the better."""
    unit = f" ({scale.unit})" if scale.unit else ""
    title = "Cost" if scale.is_money else short_title(figure)
    return f"{title}{unit} · {figure.better} is better"


def ratio_words(metric: str, ratio: float) -> str:
    """What a ratio says: 1.27× slower, 1.40× smaller, and near to 1 1.003× larger."""
    more, less = _MORE_AND_LESS.get(metric, ("more", "less"))
    times = max(ratio, 1 / ratio)
    return f"{significant(times, 3 if times >= _NEAR_ONE else 4)}× {more if ratio >= 1 else less}"

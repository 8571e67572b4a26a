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
    "cost_dollars": "$ an answer",
    "perplexity": "",
    "kl_per_token": "nats",
    "first_divergence_tokens": "tokens",
    "joules_per_token": "J",
}
_SHARES = {"top1_agreement", "identical_answers", "accuracy"}
_SHORT = {
    "ttft_ns": "TTFT",
    "tpot_ns": "TPOT",
    "e2e_ns": "E2E",
    "decode_tokens_per_second": "Decode speed",
    "peak_memory_bytes": "Peak memory",
    "cost_dollars": "Cost an answer",
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

    def text(self, value: float) -> str:
        """A value with its unit: 21.3 ms, $0.042, 97 %."""
        number = significant(value / self.divisor)
        if self.unit.startswith("$"):
            return f"${number}{self.unit[1:]}"
        return f"{number}{THIN}{self.unit}" if self.unit else number

    def with_interval(self, figure: SetupFigure) -> str:
        """A figure with its interval: 21.3 ms [20.9, 21.8]; or why there is none."""
        if figure.value is None:
            return missing_phrase(figure.reason)
        if figure.low is None or figure.high is None:
            return self.text(figure.value)
        ends = (significant(end / self.divisor) for end in (figure.low, figure.high))
        return f"{self.text(figure.value)} [{', '.join(ends)}]"


def scale_of(figure: SetupFigure, values: Sequence[float]) -> Scale:
    """The unit in which the smallest of these values reads well."""
    if figure.metric in _UNITS:
        return Scale(1, _UNITS[figure.metric])
    if figure.metric in _SHARES:
        return Scale(0.01, "%")
    sizes = [abs(value) for value in values if value]
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


def better_words(figure: SetupFigure) -> str:
    return f"{figure.better} is better"


def ratio_words(metric: str, ratio: float) -> str:
    """What a ratio says: 1.27× slower, 1.4× smaller."""
    more, less = _MORE_AND_LESS.get(metric, ("more", "less"))
    return f"{significant(max(ratio, 1 / ratio))}× {more if ratio >= 1 else less}"

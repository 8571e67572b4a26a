"""A recommendation in sentences, with numbers and units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from app.bench.experiments.figure_text import (
    figure_text,
    ratio_words,
    scale_of,
    short_title,
    value_text,
)
from app.bench.experiments.findings import Findings, SetupFigures
from app.bench.experiments.recommend import Judgement, Recommendation, RunnerUp
from app.bench.experiments.samples import SetupFigure
from app.bench.format import significant
from app.charts.style import THIN


def verdict(findings: Findings, found: Recommendation) -> str:
    """The one sentence that goes on top."""
    setups = findings.setups
    if not found.best:
        if found.passing:
            return f"No setup that passes has the figure that tells which is {found.wish}."
        return f"No setup keeps {_limits(found)}. {_advice(findings, found)}".strip()
    first = setups[found.best[0]]
    value = _value(first, found)
    among = _among(found)
    if len(found.best) == 1:
        return f"Use {_name(first)}: {value}, the {found.wish} {among}."
    others = _listed([_name(setups[index]) for index in found.best[1:]])
    return (
        f"{_name(first)} ({value}) and {others} are tied as the {found.wish} {among}: "
        "no difference between them is shown."
    )


def details(findings: Findings, found: Recommendation) -> list[str]:
    """The runner-up, and what each limit excludes."""
    sentences = []
    if found.runner_up is not None:
        sentences.append(_runner_up(findings, found, found.runner_up))
    for place, _ in enumerate(found.candidates[0].judgements if found.candidates else ()):
        sentences.append(_excluded(findings, found, place))
    return sentences


def limit_text(figure: SetupFigure, limit: float) -> str:
    """TTFT ≤ 300 ms."""
    sign = "≥" if figure.better == "higher" else "≤"
    scale = scale_of(figure, [limit])
    number = f"{limit / scale.divisor:.6g}"  # as it was typed
    gap = "" if scale.unit in ("", "×") else THIN
    told = f"${number}{scale.unit[1:]}" if scale.is_money else f"{number}{gap}{scale.unit}"
    return f"{short_title(figure)} {sign} {told}"


def judgement_text(figure: SetupFigure, judged: Judgement) -> str:
    """Why a setup keeps a limit or does not: up to 412 ms."""
    if judged.worst is None:
        return judged.reason
    bound = "at least" if figure.better == "higher" else "up to"
    # A digit more than figures have: it is held against the limit.
    scale = scale_of(figure, [judged.worst])
    return f"{bound} {replace(scale, digits=scale.digits + 1).text(judged.worst)}"


def some_figure(findings: Findings, metric: str) -> SetupFigure:
    """A setup's figure of a metric, for its unit and its title."""
    return next(setup.figures[metric] for setup in findings.setups if metric in setup.figures)


def _name(setup: SetupFigures) -> str:
    return f"“{setup.label}”"


def _value(setup: SetupFigures, found: Recommendation) -> str:
    assert found.metric is not None
    figure = setup.figures[found.metric]
    return f"{short_title(figure)} {figure_text(figure)}"


def _among(found: Recommendation) -> str:
    total, passing = len(found.candidates), len(found.passing)
    limits = len(found.candidates[0].judgements)
    if not limits:
        return f"of {total} setups" if total > 1 else "and only setup"
    kept = "the limit" if limits == 1 else "both limits" if limits == 2 else f"all {limits} limits"
    verb = "keeps" if passing == 1 else "keep"
    return f"of the {passing} of {total} setups that {verb} {kept}"


def _limits(found: Recommendation) -> str:
    limits = len(found.candidates[0].judgements)
    return "the limit" if limits == 1 else "both limits" if limits == 2 else f"all {limits} limits"


def _advice(findings: Findings, found: Recommendation) -> str:
    """What to loosen, or why loosening one limit does not help."""
    loosening = found.loosening
    if loosening is not None:
        figure = some_figure(findings, loosening.metric)
        room = f" ({_percent(loosening.by)} more room)" if math.isfinite(loosening.by) else ""
        return (
            f"Loosen {limit_text(figure, loosening.limit)} to "
            f"{value_text(figure, rounded_away(loosening.to, figure))}{room} "
            f"and “{loosening.label}” passes."
        )
    unknown = [one for one in found.candidates if any(j.worst is None for j in one.missed)]
    if unknown:
        one = unknown[0]
        judged = next(j for j in one.missed if j.worst is None)
        title = short_title(some_figure(findings, judged.metric))
        return f"Of “{one.label}” it is not known: {title} {judged.reason}."
    nearest = min(found.candidates, key=lambda one: (len(one.missed), _sum(one.missed)))
    missed = [
        f"{short_title(some_figure(findings, j.metric))} "
        f"({judgement_text(some_figure(findings, j.metric), j)})"
        for j in nearest.missed
    ]
    return f"No single one is enough: “{nearest.label}” is nearest and misses {_listed(missed)}."


def _sum(missed: Sequence[Judgement]) -> float:
    return sum(one.over or 0.0 for one in missed)


def _runner_up(findings: Findings, found: Recommendation, one: RunnerUp) -> str:
    assert found.metric is not None
    words = ""
    if one.ratio is not None:
        words = f", {ratio_words(found.metric, one.ratio.ratio)}"
        if one.ratio.low is not None and one.ratio.high is not None:
            ends = f"{significant(one.ratio.low)}, {significant(one.ratio.high)}"
            words += f" (ratio [{ends}] over {one.ratio.n} pairs)"
    told = f"Runner-up: “{one.label}”{words}, {_value(findings.setups[one.index], found)}."
    if _is_better_by_median(findings, found, one):
        told += " Its median is the better one, but pair by pair it is not: pairs tell more."
    return told


def _is_better_by_median(findings: Findings, found: Recommendation, one: RunnerUp) -> bool:
    assert found.metric is not None
    best, other = (findings.setups[i].figures[found.metric] for i in (found.best[0], one.index))
    if best.value is None or other.value is None:
        return False
    return other.value < best.value if best.better == "lower" else other.value > best.value


def _excluded(findings: Findings, found: Recommendation, place: int) -> str:
    judged = [(one.label, one.judgements[place]) for one in found.candidates]
    figure = some_figure(findings, judged[0][1].metric)
    told = [f"“{label}” ({judgement_text(figure, one)})" for label, one in judged if not one.passes]
    limit = limit_text(figure, judged[0][1].limit)
    return f"{limit} excludes {_listed(told)}." if told else f"{limit} excludes no setup."


def rounded_away(value: float, figure: SetupFigure) -> float:
    """A limit with three digits that the value keeps: rounded up, or down where more is better."""
    if value <= 0:
        return value
    divisor = scale_of(figure, [value]).divisor
    step = 10.0 ** (math.floor(math.log10(value / divisor)) - 2)
    steps = value / divisor / step
    whole = math.floor(steps + 1e-9) if figure.better == "higher" else math.ceil(steps - 1e-9)
    return whole * step * divisor


def _percent(share: float) -> str:
    return f"{significant(100 * share, 2)} %"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"

"""Limits as they are typed on the command line: “ttft<=300ms”, “peak_memory<=8GB”."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.bench.experiments.findings import Findings
from app.bench.experiments.recommend_text import some_figure
from app.bench.experiments.samples import SetupFigure
from app.bench.metric import Unit
from backends.errors import DynoError

_WRITTEN = re.compile(r"\s*(\w+)\s*(<=|>=|≤|≥)\s*([0-9.eE+-]+)\s*(\S*)\s*")
_SIGNS = {"lower": ("<=", "≤"), "higher": (">=", "≥")}
# What a unit that may be typed is worth in the metric's own; "" where none need be.
_WORTH: dict[Unit, dict[str, float]] = {
    "ns": {"ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9},
    "bytes": {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9},
    "share": {"": 1, "%": 0.01},
    "dollars": {"": 1, "$": 1},
    "tokens/s": {"": 1, "tok/s": 1},
    "tokens": {"": 1, "tokens": 1},
    "joules": {"": 1, "J": 1},
}


class LimitInvalid(DynoError):
    """A limit cannot be read, or nothing like it was measured."""


def limits_of(texts: Iterable[str], findings: Findings) -> dict[str, float]:
    """Limits by metric, in its own unit. A metric may be named by its beginning.

    Raises `LimitInvalid`, saying what would do.
    """
    return dict(_limit(text, findings) for text in texts)


def _limit(text: str, findings: Findings) -> tuple[str, float]:
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise LimitInvalid(f"“{text}” is no limit.", "Write it as ttft<=300ms or accuracy>=90%.")
    name, sign, number, unit = written.groups()
    figure = some_figure(findings, _metric(name, findings))
    if figure.better != "neither" and sign not in _SIGNS[figure.better]:
        other = _SIGNS[figure.better][0]
        raise LimitInvalid(f"Of {figure.title}, {figure.better} is better.", f"Write {other}.")
    return figure.metric, _number(text, number) * _worth(text, unit, figure)


def _metric(name: str, findings: Findings) -> str:
    known = [one.metric for one in findings.metrics()]
    if name in known:
        return name
    meant = [metric for metric in known if metric.startswith(name.lower())]
    if len(meant) == 1:
        return meant[0]
    which = "may mean several" if meant else "was not measured"
    raise LimitInvalid(f"“{name}” {which}.", f"There are {', '.join(meant or known)}.")


def _number(text: str, number: str) -> float:
    try:
        return float(number)
    except ValueError as error:
        raise LimitInvalid(f"“{text}” has no number.", "Write it as ttft<=300ms.") from error


def _worth(text: str, unit: str, figure: SetupFigure) -> float:
    worth = _WORTH.get(figure.unit, {"": 1})
    if unit not in worth:
        units = ", ".join(one for one in worth if one) or "none"
        said = f"the unit “{unit}”" if unit else "no unit"
        raise LimitInvalid(f"“{text}” has {said}.", f"{figure.title} takes {units}.")
    return worth[unit]

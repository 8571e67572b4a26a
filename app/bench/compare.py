"""When runs may be ranked, which is best, and whether a difference is proven. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.bench.figures import all_figures
from app.bench.metric import Figure
from app.bench.record import UNKNOWN_DEVICE, RunRecord

PAIRS_FOR_A_VERDICT = 6
CONFIDENCE = 0.95

FormatRow = Callable[[Sequence[Figure]], list[str]]


def why_not_comparable(records: Sequence[RunRecord]) -> list[str]:
    """Sentences for people, each naming one thing that makes a ranking unfair; empty if none.

    What a setup chooses (its device, its threads) is what is being compared; the same choice that
    led to different threads is not.
    """
    if len(records) < 2:
        return ["There is only one run."]
    reasons = _own_reasons(records)
    if len({_prompt(record) for record in records}) > 1:
        reasons.append("The prompts differ.")
    elif len({_system_prompt(record) for record in records}) > 1:
        reasons.append("The system prompts differ.")
    elif len({record.request.messages for record in records}) > 1:
        reasons.append("The earlier answers in the conversation differ, so the prompts do too.")
    reasons += _sampling_reasons(records)
    if all(record.status == "finished" for record in records):
        reasons += _length_reasons(records)
    reasons += _machine_reasons(records)
    return reasons


def best(
    records: Sequence[RunRecord], figure_name: str, format_row: FormatRow | None = None
) -> set[str]:
    """Ids of the runs with the best value of a figure; several where the best look the same.

    Empty where the runs are not comparable, one has no value, or all look the same once
    formatted (by default: three significant digits).
    """
    if why_not_comparable(records):
        return set()
    row = [all_figures(record)[figure_name] for record in records]
    values = [figure.value for figure in row if figure.value is not None]
    if len(values) < len(row) or row[0].better == "neither":
        return set()
    shown = (format_row or _three_digits)(row)
    if len(set(shown)) == 1:
        return set()
    pick = min if row[0].better == "lower" else max
    best_shown = shown[values.index(pick(values))]
    return {record.id for record, text in zip(records, shown, strict=True) if text == best_shown}


def have_ids(run: RunRecord, other: RunRecord) -> bool:
    """Whether two answers can be compared token by token."""
    return bool(_ids(run) and _ids(other))


def equal_beginning(run: RunRecord, reference: RunRecord) -> int | None:
    """How many tokens two answers share from their start; None where they are the same.

    Answers without token ids are compared by their text, and then the count is of characters.
    """
    by_token = have_ids(run, reference)
    a, b = ((_ids(r) if by_token else tuple(r.answer)) for r in (run, reference))
    if a == b:
        return None
    pairs = zip(a, b, strict=False)
    return next((n for n, (x, y) in enumerate(pairs) if x != y), min(len(a), len(b)))


def _ids(record: RunRecord) -> tuple[int, ...]:
    return tuple(token for chunk in record.chunks for token in chunk.token_ids or ())


@dataclass(frozen=True, slots=True)
class PairedRatio:
    """Geometric mean of a / b over pairs with its 95 % interval.

    `low` and `high` are None where one pair alone gives none. `proven`: at least 6 pairs, and the
    interval excludes 1. `sentence` says so, or why not. The interval is at another confidence where
    one was asked for.
    """

    ratio: float
    low: float | None
    high: float | None
    n: int
    proven: bool
    sentence: str


def paired_ratio(
    a: Sequence[float], b: Sequence[float], confidence: float = CONFIDENCE
) -> PairedRatio:
    """Student's t on the logarithms of a[i] / b[i], two-sided, 95 % unless it is told otherwise.

    Raises `ValueError` for no pairs, unequal lengths, or values that are not positive and finite.
    """
    if not a or len(a) != len(b):
        raise ValueError(f"pairs are needed, not {len(a)} and {len(b)} values")
    import numpy as np

    values = np.array([a, b], dtype=float)
    if not (np.isfinite(values) & (values > 0)).all():
        raise ValueError("values must be positive and finite")
    logs = np.log(values[0]) - np.log(values[1])
    n = len(logs)
    mean = float(logs.mean())
    ratio = math.exp(mean)
    if n == 1:
        return PairedRatio(ratio, None, None, n, False, _too_few(ratio, None, n))
    half = _student_t(n - 1, confidence) * math.sqrt(float(logs.var(ddof=1)) / n)
    low, high = math.exp(mean - half), math.exp(mean + half)
    if n < PAIRS_FOR_A_VERDICT:
        return PairedRatio(ratio, low, high, n, False, _too_few(ratio, (low, high), n))
    proven = low > 1 or high < 1
    verdict = (
        "the interval excludes 1, so the difference is proven"
        if proven
        else "the interval includes 1, so no difference is proven"
    )
    sentence = f"{ratio:.3g}× [{low:.3g}, {high:.3g}] over {n} pairs: {verdict}."
    return PairedRatio(ratio, low, high, n, proven, sentence)


def corrected_confidence(comparisons: int, together: float = CONFIDENCE) -> float:
    """At which confidence each of several intervals holds, so that all hold `together`.

    Bonferroni's inequality (Dunn, Multiple Comparisons Among Means, JASA 56, 1961).
    """
    return 1 - (1 - together) / max(1, comparisons)


def _student_t(degrees: int, confidence: float) -> float:
    """The quantile that leaves half of what the confidence leaves above it (2.5 % for 95 %)."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, (1 + confidence) / 2))


def _too_few(ratio: float, interval: tuple[float, float] | None, n: int) -> str:
    around = f" [{interval[0]:.3g}, {interval[1]:.3g}]" if interval else ""
    pairs = "1 pair" if n == 1 else f"{n} pairs"
    return f"{ratio:.3g}×{around} over {pairs}: no verdict below {PAIRS_FOR_A_VERDICT} pairs."


def _name(record: RunRecord) -> str:
    return f"“{record.setup_label or record.setup.id}”"


def _own_reasons(records: Sequence[RunRecord]) -> list[str]:
    """What is the matter with runs by themselves: a sentence a matter, with all whose it is."""
    finished = [one for one in records if one.status == "finished"]
    matters = [
        ([one for one in records if one.status == "failed"], "failed.", "failed."),
        (
            [one for one in records if one.status == "stopped"],
            "was stopped before its end.",
            "were stopped before their end.",
        ),
        (
            [one for one in records if one.contended],
            "shared the device with other runs.",
            "shared the device with other runs.",
        ),
        (
            [one for one in finished if not one.warm],
            "was its engine's first answer: one-time costs are in it.",
            "were their engines' first answers: one-time costs are in them.",
        ),
    ]
    return [
        f"{_listed([_name(one) for one in those])} {of_one if len(those) == 1 else of_several}"
        for those, of_one, of_several in matters
        if those
    ]


def _prompt(record: RunRecord) -> str:
    return record.request.messages[-1].content if record.request.messages else ""


def _system_prompt(record: RunRecord) -> tuple[str, ...]:
    written = [m.content for m in record.request.messages if m.role == "system"]
    return (record.request.sampling.system_prompt, *written)


def _sampling_reasons(records: Sequence[RunRecord]) -> list[str]:
    """How tokens are chosen. Limits on length count only by the lengths that came of them."""
    samplings = [record.request.sampling for record in records]
    reasons = []
    temperatures = {sampling.temperature for sampling in samplings}
    if len(temperatures) > 1:
        reasons.append(f"The temperatures differ ({_listed(sorted(temperatures))}).")
    elif temperatures != {0.0}:
        if len({sampling.top_p for sampling in samplings}) > 1:
            reasons.append("The values of top-p differ.")
        if len({sampling.seed for sampling in samplings}) > 1:
            reasons.append("The seeds differ.")
    if len({sampling.stop for sampling in samplings}) > 1:
        reasons.append("The stop strings differ.")
    return reasons


def _length_reasons(records: Sequence[RunRecord]) -> list[str]:
    unknown = [r for r in records if r.usage is None or r.usage.output_tokens is None]
    if unknown:
        return [f"The length of the answer of {_name(record)} is not known." for record in unknown]
    counts = (record.usage.output_tokens for record in records if record.usage is not None)
    lengths = {count for count in counts if count is not None}
    if len(lengths) > 1:
        return [
            f"The answers differ in length ({_listed(sorted(lengths))} tokens): "
            "set a fixed length to compare speed."
        ]
    return []


def _machine_reasons(records: Sequence[RunRecord]) -> list[str]:
    records = [one for one in records if one.environment.device != UNKNOWN_DEVICE]
    reasons = []
    machines = {record.environment.hardware for record in records}
    if len(machines) > 1:
        reasons.append(f"They ran on different hardware ({_listed(sorted(machines))}).")
    devices: dict[tuple[str, str], set[str]] = {}
    threads: dict[int | None, set[int | None]] = {}
    for record in records:
        chosen = record.setup.backend, record.setup.device
        devices.setdefault(chosen, set()).add(record.environment.device)
        if record.environment.device == "cpu":
            threads.setdefault(record.setup.threads, set()).add(record.environment.threads)
    if any(len(found) > 1 for found in devices.values()):
        reasons.append("The same choice of device led to different devices.")
    if any(len(found) > 1 for found in threads.values()):
        reasons.append("The same choice of threads led to different numbers of threads.")
    return reasons


def _listed(values: Sequence[object]) -> str:
    words = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    return ", ".join(words[:-1]) + f" and {words[-1]}" if len(words) > 1 else "".join(words)


def _three_digits(row: Sequence[Figure]) -> list[str]:
    return [f"{Decimal(str(figure.value)):.3g}" for figure in row]

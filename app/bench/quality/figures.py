"""The figures of quality, each with its formula. Pure: scores and answers in, figures out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.bench.benchmarks.intervals import share_interval
from app.bench.experiments.samples import SetupFigure
from app.bench.experiments.statistics import median_interval
from app.bench.metric import Better, Unit
from app.bench.quality.estimates import (
    TEXTS_FOR_AN_INTERVAL,
    Estimate,
    exponential,
    mean_per_token,
    share_of_tokens,
)
from app.bench.quality.scoring import PieceScore

IS_REFERENCE: Final = "it is the reference"
FEW_TEXTS: Final = f"fewer than {TEXTS_FOR_AN_INTERVAL} texts give no interval"
OTHER_TOKENS: Final = "it reads the text as other tokens than the reference"
_FORMULAE: dict[str, tuple[str, Unit, Better, str]] = {
    "perplexity": (
        "Perplexity",
        "number",
        "lower",
        "exp of the mean of -log p over the tokens of the text, in passes such as answering makes; "
        "interval: Student's t over the texts",
    ),
    "perplexity_ratio": (
        "Perplexity, to the reference",
        "ratio",
        "lower",
        "exp of the mean difference of -log p to the reference's, text by text; interval: "
        "Student's t over the texts",
    ),
    "kl_per_token": (
        "KL per token",
        "nats",
        "lower",
        "mean over the tokens of the text of the sum of p log(p / q), p the reference's "
        "probabilities and q the setup's; where not the whole vocabulary is told apart, the rest "
        "counts as one token, and it is a lower bound; interval: Student's t over the texts",
    ),
    "top1_agreement": (
        "Same likeliest token",
        "share",
        "higher",
        "share of the text's tokens at which setup and reference hold the same token likeliest; "
        "interval: Korn and Graubard, over the texts",
    ),
    "first_divergence_tokens": (
        "Same first tokens",
        "tokens",
        "higher",
        "median over the prompts of how many tokens the greedy answer shares with the reference's "
        "from its start; an answer that is the same counts with all of its tokens",
    ),
    "identical_answers": (
        "Same answers",
        "share",
        "higher",
        "share of the prompts with the same greedy answer as the reference's, token by token, or "
        "letter by letter where no token ids are told; interval: Clopper and Pearson",
    ),
    "accuracy": (
        "Right answers",
        "share",
        "higher",
        "share of the prompts with known answers whose greedy answer holds an accepted one as "
        "whole words, numbers exactly; interval: Clopper and Pearson",
    ),
}
OF_TEXT = ("perplexity", "perplexity_ratio", "kl_per_token", "top1_agreement")
OF_ANSWERS = ("first_divergence_tokens", "identical_answers", "accuracy")


def quality_formula(metric: str) -> str:
    """How a figure of quality is obtained, in words."""
    return _FORMULAE[metric][3]


@dataclass(frozen=True, slots=True)
class Beginning:
    """An answer against the reference's: `shared` first tokens, None where they cannot be
    compared token by token."""

    is_same: bool
    shared: int | None


def unmeasured(metrics: Sequence[str], reason: str) -> tuple[SetupFigure, ...]:
    return tuple(_figure(metric, None, 0, reason) for metric in metrics)


def figures_of_text(
    scores: Sequence[PieceScore], reference: Sequence[PieceScore] | None, bound: str = ""
) -> tuple[SetupFigure, ...]:
    """Figures of the scored pieces. `reference` None: nothing of it is known; `scores` itself: they
    are its own. `bound` says that KL is a lower bound, where it is one."""
    tokens = [score.tokens for score in scores]
    perplexity = exponential(mean_per_token([score.nats for score in scores], tokens))
    made = [_estimated("perplexity", perplexity)]
    if reference is None:
        return (*made, *unmeasured(OF_TEXT[1:], "the reference was not scored"))
    if reference is scores:
        values = {"perplexity_ratio": 1.0, "kl_per_token": 0.0, "top1_agreement": 1.0}
        return (*made, *(_by_definition(name, one, len(scores)) for name, one in values.items()))
    kl = [score.kl_nats for score in scores if score.kl_nats is not None]
    hits = [score.agreed for score in scores if score.agreed is not None]
    if len(kl) < len(scores) or len(hits) < len(scores):
        return (*made, *unmeasured(OF_TEXT[1:], OTHER_TOKENS))
    differences = [one.nats - other.nats for one, other in zip(scores, reference, strict=True)]
    ratio = exponential(mean_per_token(differences, tokens))
    return (
        *made,
        _estimated("perplexity_ratio", ratio),
        _estimated("kl_per_token", _not_negative(mean_per_token(kl, tokens)), bound),
        _estimated("top1_agreement", share_of_tokens(hits, tokens)),
    )


def figures_of_beginnings(
    beginnings: Sequence[Beginning] | None, prompts: int
) -> tuple[SetupFigure, ...]:
    """How answers begin as the reference's do. None: these are the reference's own answers."""
    if beginnings is None:
        return (
            *unmeasured(OF_ANSWERS[:1], IS_REFERENCE),
            _by_definition("identical_answers", 1.0, prompts),
        )
    if not beginnings:
        return unmeasured(OF_ANSWERS[:2], "no prompt was answered by both")
    missing = _missing(len(beginnings), prompts)
    shared = [one.shared for one in beginnings if one.shared is not None]
    if len(shared) < len(beginnings):
        first = unmeasured(OF_ANSWERS[:1], "not all answers have the reference's kind of token ids")
    else:
        median, low, high = median_interval(shared)
        few = "" if low is not None else "fewer than 6 prompts give no interval"
        reason = missing or few
        first = (_figure(OF_ANSWERS[0], median, len(shared), reason, low, high),)
    same = sum(one.is_same for one in beginnings)
    return (*first, _share("identical_answers", same, len(beginnings), missing))


def accuracy(right: Sequence[bool], asked: int) -> SetupFigure:
    """`right`: of each answer that was given, of `asked` prompts whose answers are known."""
    if not asked:
        return unmeasured(("accuracy",), "the workload does not say which answers are right")[0]
    if not right:
        return unmeasured(("accuracy",), "no such prompt was answered")[0]
    return _share("accuracy", sum(right), len(right), _missing(len(right), asked))


def _missing(answered: int, asked: int) -> str:
    return "" if answered == asked else f"{asked - answered} of {asked} prompts have no answer"


def _share(metric: str, hits: int, n: int, reason: str) -> SetupFigure:
    return _figure(metric, hits / n, n, reason, *share_interval(hits, n))


def _not_negative(one: Estimate) -> Estimate:
    """KL is not: what its interval holds below zero cannot be."""
    low = None if one.low is None else max(0.0, one.low)
    return Estimate(max(0.0, one.value), low, one.high, one.n)


def _estimated(metric: str, one: Estimate, reason: str = "") -> SetupFigure:
    few = "" if one.low is not None else FEW_TEXTS
    return _figure(
        metric, one.value, one.n, "; ".join(filter(None, (reason, few))), one.low, one.high
    )


def _by_definition(metric: str, value: float, n: int) -> SetupFigure:
    return _figure(metric, value, n, IS_REFERENCE, value, value)


def _figure(
    metric: str,
    value: float | None,
    n: int,
    reason: str,
    low: float | None = None,
    high: float | None = None,
) -> SetupFigure:
    title, unit, better, _ = _FORMULAE[metric]
    return SetupFigure(metric, title, unit, better, value, low, high, n, reason)

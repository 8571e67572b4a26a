"""What an experiment will take, before its first run: from earlier runs of the same setups. Pure,
but for `earlier_runs`, which asks the store."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.bench.environment import hardware_name
from app.bench.experiments.plan import Plan
from app.bench.experiments.progress import seconds_of
from app.bench.experiments.workloads import Workload, prompts_of
from app.bench.figures import tpot, ttft
from app.bench.record import Price, RunRecord, TokenPrice
from app.bench.store import Store

_RUNS_ASKED_FOR = 16
# What the pool's engine answers before the first run, see `runner`.
_FIRST_TOKENS = 8
# A salted prompt is longer by about so many characters of its own.
_SALT_CHARS = 28


@dataclass(frozen=True, slots=True)
class Expectation:
    """Expected of all runs, warm-ups and loads; None where `reason` says why. `dollars` may be
    None alone, where there is no price."""

    seconds: float | None
    dollars: Decimal | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Pace:
    """Medians of one setup: tokens a character of the prompt, seconds a token of the prompt until
    the first token, seconds a further token, what a run takes besides, and a load."""

    tokens_per_char: float
    prefill: float
    decode: float
    besides: float
    load: float
    answer_tokens: float | None
    price: Price | TokenPrice | None

    def seconds(self, prompt_tokens: float, output_tokens: float) -> float:
        return prompt_tokens * self.prefill + max(0.0, output_tokens - 1) * self.decode

    def dollars(self, prompt_tokens: float, output_tokens: float) -> Decimal | None:
        match self.price:
            case Price(dollars_per_hour=per_hour):
                busy = self.seconds(prompt_tokens, output_tokens)
                return per_hour * Decimal(busy) / 3600
            case TokenPrice() as price:
                paid = price.input_per_million * Decimal(prompt_tokens)
                paid += price.output_per_million * Decimal(output_tokens)
                return paid / 1_000_000
        return None


def earlier_runs(store: Store, plan: Plan, visitor: str | None) -> dict[str, list[RunRecord]]:
    """The newest comparable runs of each setup of a plan, by its id, whatever they were made for.
    Runs of other machines, which came by an import or a shared database, tell nothing of this one.

    Raises `DynoError` where the store cannot be read.
    """
    found = {}
    for id_ in {one.setup.id for one in plan.setups}:
        runs = store.earlier_runs(id_, visitor, _RUNS_ASKED_FOR)
        found[id_] = [run for run in runs if run.environment.hardware == hardware_name()]
    return found


def expected(
    plan: Plan, workload: Workload, earlier: Mapping[str, Sequence[RunRecord]]
) -> Expectation:
    """Seconds and dollars of the whole plan, each setup at its medians of earlier runs.

    A prompt's tokens are taken from its characters, at the tokens a character that earlier prompts
    had. A natural answer is taken to be as long as earlier natural ones were. What is done again
    and what an early end saves is not in it.
    """
    seconds, dollars = 0.0, Decimal(0)
    unpriced = ""
    for one, label in zip(plan.setups, plan.labels, strict=True):
        pace = _pace(earlier.get(one.setup.id, ()))
        if pace is None:
            return Expectation(None, None, f"not known: no undisturbed run of {label} is here yet")
        lengths = _lengths(plan, workload, pace)
        first = [lengths[0]] * plan.warm_ups
        runs = lengths * plan.repeats + first
        seconds += pace.load + pace.seconds(lengths[0][0], _FIRST_TOKENS)
        seconds += sum(pace.seconds(*run) + pace.besides for run in runs)
        costs = [pace.dollars(*run) for run in runs]
        dollars += sum((cost for cost in costs if cost is not None), Decimal(0))
        if None in costs:
            unpriced = unpriced or f"cost not known: no price is set for {label}"
    return Expectation(seconds, None if unpriced else dollars, unpriced)


def _lengths(plan: Plan, workload: Workload, pace: _Pace) -> list[tuple[float, float]]:
    """Prompt and output tokens of each turn of the workload."""
    found = []
    for index, conversation in enumerate(workload.conversations):
        output = float(plan.sampling_of(index).max_new_tokens)
        if plan.output == "natural" and pace.answer_tokens is not None:
            output = min(output, pace.answer_tokens)
        for messages in prompts_of(conversation):
            chars = sum(len(one.content) for one in messages) + _SALT_CHARS * plan.salted
            found.append((chars * pace.tokens_per_char, output))
    return found


def _pace(records: Sequence[RunRecord]) -> _Pace | None:
    """None where no run has what it takes."""
    per_char, prefill, decode, besides, natural = [], [], [], [], []
    for record in records:
        chars = sum(len(one.content) for one in record.request.messages)
        tokens = record.usage.prompt_tokens if record.usage else None
        first_ns, each_ns = ttft(record).value, tpot(record).value
        if not (chars and tokens and first_ns and each_ns and record.usage):
            continue
        per_char.append(tokens / chars)
        prefill.append(float(first_ns) / 1e9 / tokens)
        decode.append(float(each_ns) / 1e9)
        made = record.usage.output_tokens or 0
        if record.load_seconds is None and record.warm_up_seconds is None:
            answered = float(first_ns) / 1e9 + max(0, made - 1) * decode[-1]
            besides.append(max(0.0, seconds_of(record) - answered))
        if not record.request.sampling.fixed_length and made:
            natural.append(made)
    if not prefill:
        return None
    loads = [record.load_seconds for record in records if record.load_seconds is not None]
    return _Pace(
        tokens_per_char=statistics.median(per_char),
        prefill=statistics.median(prefill),
        decode=statistics.median(decode),
        besides=_median(besides),
        load=_median(loads),
        answer_tokens=statistics.median(natural) if natural else None,
        price=records[0].price,
    )


def _median(values: Iterable[float]) -> float:
    """0 where there are none: then it is the small part of what is expected that is not known."""
    found = list(values)
    return statistics.median(found) if found else 0.0

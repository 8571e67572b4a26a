"""A store as it is after a year of use: made-up runs, for measuring the app on many of them.

Nothing here was measured, and nothing of it ever lies in a user's data folder.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice

import numpy as np

from app.bench.experiments.experiment import Experiment
from app.bench.experiments.order import sequence
from app.bench.experiments.plan import Plan, PlannedSetup
from app.bench.record import (
    ChunkStamp,
    Environment,
    ExperimentPlace,
    MemoryLedger,
    RunRecord,
    Timeline,
    TokenUsage,
)
from app.bench.store import Store
from backends.request import Message, Request
from backends.setup import Setup

TOKENS = 32
LARGE_RUNS = 20_000
_SMALL_RUNS, _SMALL_EXPERIMENTS = 4_000, 10
_PROMPT_TOKENS = 24
_CONVERSATIONS = 20
_AT_ONCE = 1_000
_VARIANTS = 200
_SPREAD = 0.05
_FIRST_TOKEN_NS = 1_000_000_000
_MS = 1_000_000
_BEGUN = dt.datetime(2025, 11, 1, tzinfo=dt.UTC)
_ENVIRONMENT = Environment(hardware="made up", device="cpu", threads=1, versions={"torch": "2.13"})
SETUPS = (
    Setup(),
    Setup(kv_cache="off"),
    Setup(weights="bf16"),
    Setup(weights="int8"),
    Setup(speculation="draft"),
    Setup(speculation="lookup"),
)
_PROMPTS = tuple(f"What is meant by term number {n} of the handbook?" for n in range(200))


@dataclass(frozen=True, slots=True)
class Filled:
    """What there is now: how many runs, and the experiment that has `LARGE_RUNS` of them."""

    runs: int
    large_experiment: str


def fill(store: Store, runs: int) -> Filled:
    """Runs of one large experiment with six setups, of some small ones, and of chats."""
    rng = np.random.default_rng(20261121)
    large = min(LARGE_RUNS, runs // 2)
    begun, made = _BEGUN, 0
    ids = []
    for index in range(1 + _SMALL_EXPERIMENTS):
        setups = len(SETUPS) if index == 0 else 3
        wanted = large if index == 0 else min(_SMALL_RUNS, (runs - large) // 20)
        experiment = _experiment(index, setups, wanted, begun)
        store.save_experiment(experiment)
        made += _keep(store, islice(_of_experiment(experiment, rng), wanted))
        ids.append(experiment.id)
        begun += dt.timedelta(days=30)
    _keep(store, _of_chats(runs - made, rng))
    return Filled(runs, ids[0])


def _keep(store: Store, records: Iterator[RunRecord]) -> int:
    kept = 0
    while some := list(islice(records, _AT_ONCE)):
        store.save_runs(some)
        kept += len(some)
    return kept


def _experiment(index: int, setups: int, runs: int, begun: dt.datetime) -> Experiment:
    repeats = -(-runs // (setups * _CONVERSATIONS))
    plan = Plan(
        name=f"Made-up experiment {index + 1}",
        setups=tuple(PlannedSetup(setup=setup) for setup in SETUPS[:setups]),
        repeats=repeats,
        output_tokens=TOKENS,
    )
    return Experiment(
        created_at=begun, updated_at=begun, plan=plan, workload_digest="", state="finished"
    )


def _of_experiment(experiment: Experiment, rng: np.random.Generator) -> Iterator[RunRecord]:
    plan = experiment.plan
    labels = plan.labels
    cells = sequence(len(plan.setups), [1] * _CONVERSATIONS, plan.repeats, plan.seed)
    for number, cell in enumerate(cells):
        place = ExperimentPlace(
            id=experiment.id,
            round=cell.round,
            conversation=cell.conversation,
            turn=cell.turn,
            setup=cell.setup,
        )
        is_disturbed = rng.random() < 0.01
        yield _run(experiment.created_at, number, cell.setup, labels, rng).model_copy(
            update={
                "experiment": place,
                "purpose": "benchmark",
                "disturbed": "other work kept 1.0 of 2 cores busy" if is_disturbed else "",
            }
        )


def _of_chats(runs: int, rng: np.random.Generator) -> Iterator[RunRecord]:
    labels = Plan(name="chat", setups=tuple(PlannedSetup(setup=one) for one in SETUPS)).labels
    for number in range(runs):
        yield _run(_BEGUN, number, number % len(SETUPS), labels, rng).model_copy(
            update={"conversation_id": f"chat-{number // 20}", "turn": number // 2 % 10}
        )


def _run(
    begun: dt.datetime, number: int, setup: int, labels: Sequence[str], rng: np.random.Generator
) -> RunRecord:
    """Setup by setup a little slower, with the spread of a real machine."""
    chunks = _stamps(setup, int(rng.integers(_VARIANTS)))
    before_ns = round(20 * _MS * (1 + 0.1 * setup) * float(rng.lognormal(0, _SPREAD)))
    ended_ns = chunks[-1].t_ns + _MS
    has_failed = rng.random() < 0.002
    message = Message(role="user", content=_PROMPTS[number % len(_PROMPTS)])
    return RunRecord.model_construct(
        created_at=begun + dt.timedelta(seconds=number),
        setup=SETUPS[setup],
        setup_label=labels[setup],
        request=Request(messages=(message,)),
        status="failed" if has_failed else "finished",
        finish_reason="error" if has_failed else "length",
        answer=" token" * TOKENS,
        chunks=chunks,
        timeline=Timeline(
            queued_ns=0,
            accepted_ns=chunks[0].t_ns - before_ns,
            ended_ns=ended_ns,
            released_ns=ended_ns + _MS,
        ),
        usage=TokenUsage(
            prompt_tokens=_PROMPT_TOKENS,
            prompt_tokens_computed=_PROMPT_TOKENS,
            output_tokens=TOKENS,
        ),
        memory=MemoryLedger(
            weights_bytes=58_000_000, kv_cache_bytes=900_000, peak_bytes=75_000_000 + setup
        ),
        warm=True,
        environment=_ENVIRONMENT,
    )


@cache
def _stamps(setup: int, variant: int) -> tuple[ChunkStamp, ...]:
    """The tokens of an answer. There are some hundred different ones, shared by all runs."""
    spread = float(np.random.default_rng(variant).lognormal(0, _SPREAD))
    gap_ns = round(6 * _MS * (1 + 0.1 * setup) * spread)
    return tuple(
        ChunkStamp(
            t_ns=_FIRST_TOKEN_NS + index * gap_ns, tokens=1, text=" token", token_ids=(index,)
        )
        for index in range(TOKENS)
    )

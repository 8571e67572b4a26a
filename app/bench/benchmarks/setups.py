"""What each optimisation is worth: setups against each other, paired and interleaved, as a user of
the chat page would run them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice, product
from statistics import fmean, median

from rich.console import Console

from app.bench.benchmarks.dialogues import (
    Dialogue,
    asked,
    evaluation_dialogues,
    long_prompt,
    one_of_each_kind,
)
from app.bench.benchmarks.engines import (
    decode_speed,
    finished_run,
    interleaved,
    opened_bench,
)
from app.bench.benchmarks.intervals import mean_interval
from app.bench.benchmarks.records import BenchmarkRecord, Target
from app.bench.compare import equal_beginning, paired_ratio
from app.bench.figures import total_time, tpot, ttft
from app.bench.record import RunRecord
from app.bench.runner import Bench
from backends.engine import CancelToken
from backends.errors import DynoError
from backends.local.devices import usable_cores
from backends.registry import get_backend
from backends.request import Message, Request, Sampling
from backends.setup import Setup

KV_ON_OFF_1024 = Target("kv_on_off_1024", "ratio", "higher", bar=12.0)
PREFIX_TTFT_RATIO = Target("prefix_ttft_ratio", "ratio", "lower", bar=1.5)
WHOLE_TTFT_RATIO = Target("prefix_ttft_ratio_without_reuse", "ratio", "lower")
DRAFT_SPEEDUP = Target("draft_speedup", "ratio", "higher", bar=1.8)
LOOKUP_SPEEDUP = Target("lookup_speedup", "ratio", "higher", bar=1.3)
BEST_VS_FP32 = Target("best_vs_fp32", "ratio", "higher", bar=2.5)
GPTQ_BYTES_RATIO = Target("gptq_bytes_ratio", "ratio", "lower", bar=0.40)
GPTQ_SPEED_RATIO = Target("gptq_speed_ratio", "ratio", "higher", bar=0.9)
LOAD_INT4 = Target("load_int4_seconds", "s", "lower", bar=5.0)
LOAD_INT8 = Target("load_int8_seconds", "s", "lower", bar=5.0)

_CONTEXTS = (64, 256, 512, 1024)
_TURNS = 20
_AGREEMENT = 0.95
_REWRITES = frozenset({"repeats", "shortens", "upper case"})
# Tried for `best_vs_fp32` on a CPU, each also with all cores, on one dialogue of each kind; the
# fastest goes through all.
_CANDIDATES: tuple[dict[str, object], ...] = (
    {},
    {"weights": "bf16"},
    {"weights": "fp16"},
    {"weights": "gptq-int4"},
    {"speculation": "draft"},
    {"weights": "bf16", "speculation": "draft"},
    {"weights": "fp16", "speculation": "draft"},
    {"weights": "gptq-int4", "speculation": "draft"},
    {"kv_cache": "static", "compile": True},
    {"weights": "bf16", "kv_cache": "static", "compile": True},
)


@dataclass(frozen=True, slots=True)
class Stand:
    """What every figure here needs: the bench, the model, how often, where to tell."""

    bench: Bench
    model: str
    pairs: int
    console: Console

    def setup(self, **toggles: object) -> Setup:
        return Setup.model_validate({"model": self.model} | toggles)

    def run(self, setup: Setup, request: Request) -> RunRecord:
        return finished_run(self.bench, setup, request, self.console)


def measure(console: Console, model: str, pairs: int, only: str = "") -> list[BenchmarkRecord]:
    """All figures, or those whose name holds `only`. What cannot be measured says why."""
    records: list[BenchmarkRecord] = []
    with opened_bench() as bench:
        stand = Stand(bench, model, pairs, console)
        for targets, measured in _FIGURES:
            if not any(only in target.name for target in targets):
                continue
            console.print(f"Measuring {', '.join(target.name for target in targets)}")
            try:
                records += measured(stand)
            except DynoError as error:
                reason = f"{error.message} {error.remedy}".strip()
                records += [target.not_measured(reason) for target in targets]
    return records


def _kv_on_off(stand: Stand) -> list[BenchmarkRecord]:
    on, off = stand.setup(), stand.setup(kv_cache="off")
    times_ns: dict[tuple[str, int], list[float]] = {}
    for context in _CONTEXTS:
        request = _context_of(stand, context)
        for order in interleaved((on, off), stand.pairs if context == _CONTEXTS[-1] else 2):
            for setup in order:
                taken = _value(tpot(stand.run(setup, request)).value)
                times_ns.setdefault((setup.kv_cache, context), []).append(taken)
    longest = _CONTEXTS[-1]
    ratio = paired_ratio(times_ns["off", longest], times_ns["dynamic", longest])
    fits = "; ".join(
        f"{word}: {_fit(kv, times_ns)}" for word, kv in (("on", "dynamic"), ("off", "off"))
    )
    interval = (ratio.low, ratio.high)
    return [KV_ON_OFF_1024.measured(ratio.ratio, n=ratio.n, interval=interval, reason=fits)]


def _fit(kv_cache: str, times_ns: dict[tuple[str, int], list[float]]) -> str:
    """Least squares of the time a token over the context's length, through the medians."""
    xs = list(_CONTEXTS)
    ys = [median(times_ns[kv_cache, context]) / 1e6 for context in xs]
    mean_x, mean_y = fmean(xs), fmean(ys)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    slope /= sum((x - mean_x) ** 2 for x in xs)
    return f"{mean_y - slope * mean_x:.2f} ms + {slope * 1000:.2f} ms for each 1,000 tokens"


def _context_of(stand: Stand, tokens: int) -> Request:
    """A prompt of about so many tokens, by repeating and cutting the long one."""
    words = list(islice(cycle(long_prompt().split()), tokens))
    setup = stand.setup()
    sampling = Sampling(max_new_tokens=16, fixed_length=True)
    with stand.bench.pool.lease(setup, lambda progress: None, CancelToken()) as leased:
        low, high = 1, len(words)
        while low < high:
            middle = (low + high + 1) // 2
            message = Message(role="user", content=" ".join(words[:middle]))
            fits = leased.engine.count_tokens((message,), sampling) <= tokens
            low, high = (middle, high) if fits else (low, middle - 1)
    message = Message(role="user", content=" ".join(words[:low]))
    return Request(messages=(message,), sampling=sampling)


def _prefix(stand: Stand) -> list[BenchmarkRecord]:
    ratios: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for _ in range(max(6, stand.pairs)):
        for reuse in (True, False):
            ratios[reuse].append(_ttft_over_turns(stand, stand.setup(reuse_prefix=reuse)))
    made = []
    for target, reuse in ((PREFIX_TTFT_RATIO, True), (WHOLE_TTFT_RATIO, False)):
        second, last = zip(*ratios[reuse], strict=True)
        ratio = paired_ratio(last, second)
        note = f"median TTFT of turn 2 {median(second) / 1e6:.1f} ms, of turn {_TURNS} "
        note += f"{median(last) / 1e6:.1f} ms"
        made.append(
            target.measured(ratio.ratio, n=ratio.n, interval=(ratio.low, ratio.high), reason=note)
        )
    return made


def _ttft_over_turns(stand: Stand, setup: Setup) -> tuple[float, float]:
    """TTFT in nanoseconds of the second and the last turn of one conversation."""
    talk: list[Message] = []
    seen: dict[int, float] = {}
    for turn in range(1, _TURNS + 1):
        talk.append(Message(role="user", content=f"What is the capital of {_COUNTRIES[turn - 1]}?"))
        record = stand.run(setup, asked(talk, 40))
        talk.append(Message(role="assistant", content=record.answer))
        seen[turn] = _value(ttft(record).value)
    return seen[2], seen[_TURNS]


_COUNTRIES = (
    *("Norway", "France", "Spain", "Italy", "Japan", "Kenya", "Peru", "Canada", "Egypt", "Greece"),
    *("Poland", "Austria", "Cuba", "Chile", "Ghana", "India", "Nepal", "Qatar", "Iran", "Iraq"),
)


def _draft(stand: Stand) -> list[BenchmarkRecord]:
    draft = stand.setup(speculation="draft")
    return [_speedup(stand, DRAFT_SPEEDUP, draft, evaluation_dialogues())]


def _lookup(stand: Stand) -> list[BenchmarkRecord]:
    rewriting = [d for d in evaluation_dialogues() if d.kind in _REWRITES]
    if not rewriting:
        raise DynoError("There are no dialogues that rewrite.", "Fetch the repository anew.")
    return [_speedup(stand, LOOKUP_SPEEDUP, stand.setup(speculation="lookup"), rewriting)]


def _speedup(
    stand: Stand, target: Target, setup: Setup, dialogues: Sequence[Dialogue]
) -> BenchmarkRecord:
    """Total time of the plain setup over that of this one, a pair a dialogue."""
    plain = setup.model_copy(update={"speculation": "none", "draft_tokens": None})
    pairs = _pairs(stand, plain, setup, dialogues)
    ratio = paired_ratio([_busy_ns(a) for a, _ in pairs], [_busy_ns(b) for _, b in pairs])
    same = sum(equal_beginning(a, b) is None for a, b in pairs)
    guesses = [b.speculation for _, b in pairs if b.speculation is not None]
    drafted = sum(g.drafted for g in guesses)
    accepted = sum(g.accepted for g in guesses)
    note = f"{same} of {len(pairs)} answers unchanged; {accepted} of {drafted} guesses accepted"
    return target.measured(ratio.ratio, n=ratio.n, interval=(ratio.low, ratio.high), reason=note)


def _best(stand: Stand) -> list[BenchmarkRecord]:
    dialogues, first = evaluation_dialogues(), one_of_each_kind()
    plain = stand.setup()
    found: list[tuple[float, Setup]] = []
    for toggles, threads in product(_CANDIDATES, (None, usable_cores())):
        setup = stand.setup(**toggles, threads=threads)
        if setup == plain or not get_backend(setup.backend).check(setup).ok:
            continue
        few = _pairs(stand, plain, setup, first)
        speedup = paired_ratio([_busy_ns(a) for a, _ in few], [_busy_ns(b) for _, b in few])
        found.append((speedup.ratio, setup))
    told = ", ".join(f"{_words(setup)} {times:.2f}" for times, setup in sorted(found, key=_first))
    for _, setup in sorted(found, key=_first, reverse=True):
        pairs = _pairs(stand, plain, setup, dialogues)
        same = sum(equal_beginning(a, b) is None for a, b in pairs)
        if same < _AGREEMENT * len(pairs):
            told += f"; {_words(setup)} agrees on {same} of {len(pairs)} only"
            continue
        ratio = paired_ratio([_busy_ns(a) for a, _ in pairs], [_busy_ns(b) for _, b in pairs])
        agree = f"{_words(setup)}, {same} of {len(pairs)} answers the same"
        note = f"{agree}; over {len(first)} dialogues: {told}"
        interval = (ratio.low, ratio.high)
        return [BEST_VS_FP32.measured(ratio.ratio, n=ratio.n, interval=interval, reason=note)]
    return [BEST_VS_FP32.not_measured(f"no setup agrees often enough: {told}")]


def _first(pair: tuple[float, Setup]) -> float:
    return pair[0]


def _words(setup: Setup) -> str:
    chosen = setup.model_dump(exclude_defaults=True, exclude={"model", "threads"})
    words = [name if value is True else str(value) for name, value in chosen.items()] or ["fp32"]
    return " ".join([*words, *([f"on {setup.threads} threads"] if setup.threads else [])])


def _gptq(stand: Stand) -> list[BenchmarkRecord]:
    half, packed = stand.setup(weights="bf16"), stand.setup(weights="gptq-int4")
    message = Message(role="user", content="What is the KV cache?")
    sampling = Sampling(max_new_tokens=64, fixed_length=True)
    request = Request(messages=(message,), sampling=sampling)
    speeds: dict[str, list[float]] = {"bf16": [], "gptq-int4": []}
    sizes: dict[str, float] = {}
    for order in interleaved((half, packed), max(6, stand.pairs)):
        for setup in order:
            record = stand.run(setup, request)
            speeds[setup.weights].append(decode_speed(record))
            sizes[setup.weights] = _value(record.memory.weights_bytes)
    bytes_ratio = sizes["gptq-int4"] / sizes["bf16"]
    ratio = paired_ratio(speeds["gptq-int4"], speeds["bf16"])
    sizes_told = ", ".join(f"{name} {size / 1e6:.2f} MB" for name, size in sizes.items())
    speeds_told = ", ".join(f"{name} {median(s):.0f} tokens/s" for name, s in speeds.items())
    interval = (ratio.low, ratio.high)
    return [
        GPTQ_BYTES_RATIO.measured(bytes_ratio, n=1, reason=sizes_told),
        GPTQ_SPEED_RATIO.measured(ratio.ratio, n=ratio.n, interval=interval, reason=speeds_told),
    ]


def _loads(stand: Stand) -> list[BenchmarkRecord]:
    made = []
    for target, weights in ((LOAD_INT4, "gptq-int4"), (LOAD_INT8, "int8")):
        setup = stand.setup(weights=weights)
        backend = get_backend(setup.backend)
        seconds = []
        for _ in range(max(5, stand.pairs // 2)):
            started = time.monotonic()
            with backend.open(setup, lambda progress: None, CancelToken()):
                seconds.append(time.monotonic() - started)
        mean, low, high = mean_interval(seconds)
        note = "the engine host runs already"
        made.append(target.measured(mean, n=len(seconds), interval=(low, high), reason=note))
    return made


def _pairs(
    stand: Stand, one: Setup, other: Setup, dialogues: Sequence[Dialogue]
) -> list[tuple[RunRecord, RunRecord]]:
    """Each dialogue asked of both, in turning order."""
    made = []
    for index, dialogue in enumerate(dialogues):
        request = asked(dialogue.messages)
        order = (one, other) if index % 2 == 0 else (other, one)
        records = {setup.id: stand.run(setup, request) for setup in order}
        made.append((records[one.id], records[other.id]))
    return made


def _busy_ns(record: RunRecord) -> float:
    return _value(total_time(record).value)


def _value(value: object) -> float:
    if not isinstance(value, int | float):
        raise DynoError("A run has no figure to compare.")
    return float(value)


_FIGURES: tuple[tuple[tuple[Target, ...], Callable[[Stand], list[BenchmarkRecord]]], ...] = (
    ((KV_ON_OFF_1024,), _kv_on_off),
    ((PREFIX_TTFT_RATIO, WHOLE_TTFT_RATIO), _prefix),
    ((DRAFT_SPEEDUP,), _draft),
    ((LOOKUP_SPEEDUP,), _lookup),
    ((BEST_VS_FP32,), _best),
    ((GPTQ_BYTES_RATIO, GPTQ_SPEED_RATIO), _gptq),
    ((LOAD_INT4, LOAD_INT8), _loads),
)
TARGETS = tuple(target for targets, _ in _FIGURES for target in targets)

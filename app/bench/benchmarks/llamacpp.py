"""llama.cpp through our engine: against a bare loop in a process of its own on the same GGUF, and
against transformers on the same weights."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from statistics import median

from rich.console import Console

from app.bench.benchmarks.engines import (
    SHORT_PROMPT,
    decode_speed,
    engine_speed,
    equal_work,
    finished_run,
    interleaved,
    opened_bench,
    tell_place,
)
from app.bench.benchmarks.records import BenchmarkRecord, Target
from app.bench.compare import paired_ratio
from app.bench.runner import Bench
from backends.engine import CancelToken
from backends.errors import DynoError
from backends.local.devices import default_threads, usable_cores
from backends.registry import get_backend
from backends.request import Request
from backends.settings import ROOT
from backends.setup import Setup
from backends.worker.engine import LocalEngine

LLAMACPP_VS_BARE = Target("llamacpp_vs_bare", "ratio", "higher", bar=0.95)
LLAMACPP_VS_BARE_MAPPED = Target("llamacpp_vs_bare_mapped", "ratio", "higher")
LLAMACPP_VS_FP32 = Target("llamacpp_vs_fp32", "ratio", "higher", bar=4.0)
LLAMACPP_VS_FP32_ONE_THREAD = Target("llamacpp_vs_fp32_one_thread", "ratio", "higher")
TARGETS = (
    LLAMACPP_VS_BARE,
    LLAMACPP_VS_BARE_MAPPED,
    LLAMACPP_VS_FP32,
    LLAMACPP_VS_FP32_ONE_THREAD,
)
BARE_PROGRAM = "backends.llamacpp.worker.bare"

_WARM_UP_ROUNDS = 2


def measure(console: Console, model: str, pairs: int, tokens: int = 192) -> list[BenchmarkRecord]:
    """Tokens/s of F16 over each of the two others, in interleaved pairs of `tokens` tokens: against
    the bare loop with as many threads as the app uses by default, against transformers with all
    cores, since nothing is drawn meanwhile, and with one."""
    request = equal_work(SHORT_PROMPT, tokens)
    f16 = Setup(model=model, backend="llamacpp", weights="fp16")
    all_cores, one = (f16.model_copy(update={"threads": n}) for n in (usable_cores(), 1))
    verdict = get_backend(f16.backend).check(f16)
    if not verdict.ok:
        raise DynoError(verdict.reason, verdict.remedy)
    with opened_bench() as bench:
        return [
            *_against_bare(bench, f16, request, pairs, console),
            _against_fp32(bench, all_cores, request, pairs, console, LLAMACPP_VS_FP32),
            _against_fp32(bench, one, request, pairs, console, LLAMACPP_VS_FP32_ONE_THREAD),
        ]


# Against a bare loop


def _against_bare(
    bench: Bench, setup: Setup, request: Request, pairs: int, console: Console
) -> list[BenchmarkRecord]:
    """From the request to the last token. The bare loop is given the prompt's ids, the engine
    renders and tokenizes it. The bare loop holds its weights as the engine does, which can be
    measured, and mapped from the file, as users of the library have them."""
    cancel, told = CancelToken(), set[str]()
    device = get_backend(setup.backend).device_of(setup)
    with (
        bench.scheduler.lease(
            device, "the benchmark llamacpp", cancel, lambda p: tell_place(console, told, p)
        ),
        bench.pool.lease(setup, lambda progress: None, cancel) as leased,
    ):
        engine = leased.engine
        if not isinstance(engine, LocalEngine):
            raise DynoError("Only an engine in a worker can be compared with a bare loop.")
        with (
            _bare_loop(engine, request, "own") as own,
            _bare_loop(engine, request, "mapped") as mapped,
        ):
            speeds = _in_turns(
                {"own": own, "engine": lambda: engine_speed(engine, request), "mapped": mapped},
                pairs,
            )
    return [
        _ratio(target, setup, request, speeds["engine"], speeds[how], f"bare loop ({how})")
        for target, how in ((LLAMACPP_VS_BARE, "own"), (LLAMACPP_VS_BARE_MAPPED, "mapped"))
    ]


@contextlib.contextmanager
def _bare_loop(
    engine: LocalEngine, request: Request, weights: str
) -> Iterator[Callable[[], float]]:
    """Tokens a second of a plain llama-cpp-python loop in a fresh process, on the engine's file."""
    facts = engine.describe()
    file = engine.probe("gguf_file")
    ids = engine.probe("prompt_ids", messages=request.messages, sampling=request.sampling)
    tokens = request.sampling.max_new_tokens
    numbers = str(facts.threads), str(facts.context_window)
    process = subprocess.Popen(
        [sys.executable, "-m", BARE_PROGRAM, file, *numbers, weights],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def speed() -> float:
        stdin.write(json.dumps({"ids": ids, "tokens": tokens}) + "\n")
        stdin.flush()
        answer = stdout.readline()
        if not answer:
            raise DynoError("The bare loop ended.", "Run it by hand: it says why.")
        return tokens * 1e9 / float(json.loads(answer)["ns"])

    try:
        yield speed
    finally:
        with contextlib.suppress(OSError):  # it has ended already
            stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        stdout.close()


# Against transformers


def _against_fp32(
    bench: Bench, setup: Setup, request: Request, pairs: int, console: Console, target: Target
) -> BenchmarkRecord:
    """Decode speed, as the chat page shows it."""
    fp32 = Setup(model=setup.model, device="cpu", threads=setup.threads)
    speeds = _in_turns(
        {
            "llamacpp": lambda: decode_speed(finished_run(bench, setup, request, console)),
            "fp32": lambda: decode_speed(finished_run(bench, fp32, request, console)),
        },
        pairs,
    )
    return _ratio(target, setup, request, speeds["llamacpp"], speeds["fp32"], "transformers fp32")


def _in_turns(sides: Mapping[str, Callable[[], float]], pairs: int) -> dict[str, list[float]]:
    """Speeds of all sides in interleaved rounds, after some that do not count."""
    for _ in range(_WARM_UP_ROUNDS):
        for speed in sides.values():
            speed()
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    for order in interleaved(tuple(sides), pairs):
        for name in order:
            speeds[name].append(sides[name]())
    return speeds


def _ratio(
    target: Target, setup: Setup, request: Request, ours: list[float], theirs: list[float], who: str
) -> BenchmarkRecord:
    ratio = paired_ratio(ours, theirs)
    threads = setup.threads or default_threads()
    note = (
        f"F16, {request.sampling.max_new_tokens} tokens, {threads} threads; median "
        f"{median(ours):.4g} tokens/s, {who} {median(theirs):.4g}"
    )
    return target.measured(ratio.ratio, n=ratio.n, interval=(ratio.low, ratio.high), reason=note)

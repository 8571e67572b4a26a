"""Our TTFT and TPOT of a real server against guidellm's: same prompts, same length, in turns.

One server of the bundled model on one thread; one request at a time; blocks of requests A B, B A. A
pair is two blocks, and its ratio the median of those of its prompts: what disturbs the machine for
a while is one pair's, and what disturbs one request is nobody's. A request at the head of each
block is in no figure: it opens connections. How guidellm's figures are defined is told in
`app.bench.benchmarks.guidellm`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from rich.console import Console

from app.bench.benchmarks.dialogues import one_of_each_kind
from app.bench.benchmarks.engines import finished_run, interleaved, opened_bench
from app.bench.benchmarks.guidellm import Timing, installed, timings
from app.bench.benchmarks.model_server import ModelServer
from app.bench.benchmarks.records import BenchmarkRecord, Target
from app.bench.compare import paired_ratio
from app.bench.figures import tpot, ttft
from app.bench.record import RunRecord
from app.bench.runner import Bench
from backends.catalog import BUNDLED, resolve
from backends.errors import DynoError
from backends.request import Request, Sampling
from backends.settings import get_settings

TTFT_VS_GUIDELLM = Target("ttft_vs_guidellm", "ratio", "lower", bar=1.05, floor=0.95)
TPOT_VS_GUIDELLM = Target("tpot_vs_guidellm", "ratio", "lower", bar=1.05, floor=0.95)
BY_THEIR_FORMULA = Target("tpot_vs_guidellm_by_its_formula", "ratio", "lower", 1.05, 0.95)
TARGETS = (TTFT_VS_GUIDELLM, TPOT_VS_GUIDELLM, BY_THEIR_FORMULA)

_PROMPTS = 12
# The timings of one block.
_Block = list[Timing]


def measure(console: Console, pairs: int, tokens: int = 32) -> list[BenchmarkRecord]:
    """Ours over guidellm's, by its words and by ours, in `pairs` of blocks."""
    program = installed(get_settings().data_dir)
    requests = _requests(tokens)
    ours: list[_Block] = []
    theirs: list[_Block] = []
    with (
        tempfile.TemporaryDirectory(prefix="dyno-served-") as folder,
        ModelServer(Path(resolve(BUNDLED)), Path(folder) / "server.log") as server,
        opened_bench() as bench,
    ):
        server.wait_answering()
        for order in interleaved(("ours", "theirs"), pairs):
            for side in order:
                if side == "ours":
                    ours.append(_our_timings(bench, server, requests, console)[1:])
                else:
                    theirs.append(timings(program, server, requests)[1:])
    _require_equal_work(ours, theirs)
    return [
        _ratio(TTFT_VS_GUIDELLM, "time_to_first_token_ns", ours, theirs),
        _ratio(TPOT_VS_GUIDELLM, "inter_token_latency_ns", ours, theirs),
        _ratio(BY_THEIR_FORMULA, "time_per_output_token_ns", ours, theirs),
    ]


def _requests(tokens: int) -> list[Request]:
    """Dialogues of many kinds, short and long; the first one twice."""
    kinds = one_of_each_kind()
    # From the first to the last: those of many turns come late.
    dialogues = [kinds[n * (len(kinds) - 1) // (_PROMPTS - 1)] for n in range(_PROMPTS)]
    sampling = Sampling(max_new_tokens=tokens, fixed_length=True)
    made = [Request(messages=dialogue.messages, sampling=sampling) for dialogue in dialogues]
    return [made[0], *made]


def _our_timings(
    bench: Bench, server: ModelServer, requests: Sequence[Request], console: Console
) -> list[Timing]:
    return [_timing(finished_run(bench, server.setup(), one, console)) for one in requests]


def _timing(record: RunRecord) -> Timing:
    """Our figures of a run under their names; what has no name here is computed as there."""
    first_ns, per_token_ns, usage = ttft(record).value, tpot(record).value, record.usage
    if first_ns is None or per_token_ns is None or usage is None or not usage.output_tokens:
        raise DynoError("A run has no figures to compare.")
    accepted_ns, last_ns = record.timeline.accepted_ns, record.chunks[-1].t_ns
    assert accepted_ns is not None
    return Timing(
        time_to_first_token_ns=float(first_ns),
        time_per_output_token_ns=(last_ns - accepted_ns) / usage.output_tokens,
        inter_token_latency_ns=float(per_token_ns),
        output_tokens=usage.output_tokens,
    )


def _require_equal_work(ours: Sequence[_Block], theirs: Sequence[_Block]) -> None:
    lengths = {timing.output_tokens for block in (*ours, *theirs) for timing in block}
    if len(lengths) > 1:
        raise DynoError(f"The answers differ in length: {sorted(lengths)} tokens.")


def _ratio(
    target: Target, name: str, ours: Sequence[_Block], theirs: Sequence[_Block]
) -> BenchmarkRecord:
    def values(block: _Block) -> list[float]:
        return [float(getattr(timing, name)) for timing in block]

    of_pairs = [
        median(a / b for a, b in zip(values(one), values(other), strict=True))
        for one, other in zip(ours, theirs, strict=True)
    ]
    ratio = paired_ratio(of_pairs, [1.0] * len(of_pairs))
    middles = [
        median(value for block in side for value in values(block)) for side in (ours, theirs)
    ]
    note = (
        f"guidellm's {_WORDS[name]}; pairs of blocks of {len(ours[0])} prompts, "
        f"{ours[0][0].output_tokens} tokens; "
        f"median ours {middles[0] / 1e6:.4g}, theirs {middles[1] / 1e6:.4g} ms"
    )
    interval = (ratio.low, ratio.high)
    return target.measured(ratio.ratio, n=ratio.n, interval=interval, reason=note)


_WORDS = {
    "time_to_first_token_ns": "time to first token",
    "inter_token_latency_ns": "inter-token latency, which is our TPOT",
    "time_per_output_token_ns": "time per output token (from sending, the first token included)",
}

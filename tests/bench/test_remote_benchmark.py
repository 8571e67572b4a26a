"""What is compared with guidellm and with a bare client is the same work, by the same formulae."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from app.bench.benchmarks import remote, remote_client
from app.bench.benchmarks.guidellm import Timing, _in_turn, _spec, _timing
from app.bench.benchmarks.model_server import ModelServer
from app.bench.benchmarks.remote_timing import _requests, _require_equal_work
from app.bench.benchmarks.remote_timing import _timing as our_timing
from backends.errors import DynoError
from backends.remote.servers import KINDS
from backends.request import Message, Request, Sampling
from tests.ui.records import make_record

ASKED = Request(
    messages=(Message(role="user", content="What is prefill?"),),
    sampling=Sampling(max_new_tokens=32, fixed_length=True),
)


class _Served:
    """What is read of a server to make guidellm's orders."""

    folder = Path("model")
    address = "http://127.0.0.1:1/v1"
    kind = KINDS["transformers"]


def told(started_s: float = 1.0, prompt: str = "What is prefill?") -> dict[str, Any]:
    """What guidellm tells of a request, in part."""
    body = {"messages": [{"role": "user", "content": prompt}]}
    return {
        "info": {"timings": {"request_start": started_s}, "error": "no"},
        "request_args": json.dumps({"body": body}),
        "time_to_first_token_ms": 40.5,
        "time_per_output_token_ms": 13.5,
        "inter_token_latency_ms": 12.25,
        "output_tokens": 32,
    }


def test_the_figures_have_the_names_and_bars_that_were_promised() -> None:
    bars = {target.name: (target.floor, target.bar) for target in remote.TARGETS}
    assert bars["ttft_vs_guidellm"] == bars["tpot_vs_guidellm"] == (0.95, 1.05)
    assert bars["client_ms_per_request"] == (None, 1.0)
    assert bars["client_us_per_chunk"] == (None, 50.0)


def test_our_figures_by_their_formulae() -> None:
    run = make_record(ttft_ms=20, tpot_ms=10, tokens=5)
    run = run.model_copy(update={"usage": run.usage and run.usage.model_copy()})
    timing = our_timing(run)
    assert timing.time_to_first_token_ns == 20e6
    assert timing.inter_token_latency_ns == 10e6
    assert timing.time_per_output_token_ns == (20e6 + 4 * 10e6) / 5


def test_what_guidellm_tells_is_taken_in_nanoseconds() -> None:
    assert _timing(told(), ASKED) == Timing(40.5e6, 13.5e6, 12.25e6, 32)


def test_requests_are_matched_in_the_order_in_which_they_were_sent() -> None:
    results = {"successful": [told(2.0), told(1.0)], "errored": [], "incomplete": []}
    assert [one["info"]["timings"]["request_start"] for one in _in_turn(results)] == [1.0, 2.0]
    with pytest.raises(DynoError, match="another order"):
        _timing(told(prompt="Something else?"), ASKED)
    with pytest.raises(DynoError, match="failed: no"):
        _in_turn(results | {"errored": [told()]})


def test_guidellm_asks_for_what_we_ask_for() -> None:
    spec = _spec(cast(ModelServer, _Served()), [ASKED] * 3, Path("prompts"), Path("result"))
    extra = spec["backend"]["extras"]["body"]
    assert extra["max_tokens"] == 32
    assert extra["temperature"] == 0
    assert json.loads(extra["generation_config"]) == {"min_new_tokens": 32}
    assert spec["profile"] == {"kind": "synchronous"}
    assert spec["constraints"] == [{"kind": "max_requests", "count": 3}]


def test_prompts_are_of_many_lengths_and_the_first_comes_twice() -> None:
    asked = _requests(32)
    assert asked[0] == asked[1]
    assert len({len(request.messages) for request in asked}) > 1
    assert all(request.sampling.fixed_length for request in asked)


def test_answers_of_different_lengths_are_not_compared() -> None:
    short, long = Timing(1.0, 1.0, 1.0, 31), Timing(1.0, 1.0, 1.0, 32)
    _require_equal_work([[long]], [[long]])
    with pytest.raises(DynoError, match=r"\[31, 32\]"):
        _require_equal_work([[long]], [[short]])


def test_both_clients_take_every_chunk_of_the_fast_server() -> None:
    per_request, per_chunk = remote_client.measure(rounds=3)
    for record in (per_request, per_chunk):
        assert record.value is not None
        assert record.low is not None
        assert record.n == 3
        assert "ours" in record.reason

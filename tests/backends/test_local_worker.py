"""Workers are real processes: they are killed, stopped and measured here, never mocked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from backends.engine import CancelToken, Engine, Progress
from backends.errors import Cancelled, EngineCrashed
from backends.host.client import HostClient
from backends.host.shared import shared_host
from backends.local.backend import WORKER_ENTRY, LocalBackend
from backends.pool import EnginePool
from backends.request import Chunk
from backends.settings import ROOT
from backends.setup import Setup
from backends.worker.engine import STOP_GRACE_SECONDS, LocalEngine
from backends.worker.messages import Load
from tests.backends.asking import Answer, ask, request
from tests.backends.make_models import make_model

LONG = request(max_new_tokens=600, fixed_length=True)


def setup_of(model: Path, **toggles: object) -> Setup:
    return Setup.model_validate({"model": str(model), "device": "cpu", "threads": 1} | toggles)


def opened(model: Path, **toggles: object) -> LocalEngine:
    setup = setup_of(model, **toggles)
    return LocalBackend().open(setup, lambda progress: None, CancelToken())


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for_end(*pids: int) -> None:
    deadline = time.monotonic() + 20
    while any(is_running(pid) for pid in pids):
        assert time.monotonic() < deadline, f"still running: {[p for p in pids if is_running(p)]}"
        time.sleep(0.02)


@pytest.fixture
def pool(host: HostClient) -> Iterator[EnginePool]:
    made = EnginePool(max_engines=4)
    yield made
    made.close()


def answer_through(pool: EnginePool, setup: Setup) -> Answer:
    with pool.lease(setup, lambda progress: None, CancelToken()) as leased:
        return ask(leased.engine)


def pid_of(engine: Engine) -> int:
    pid = engine.describe().process_id
    assert pid is not None
    return pid


# Killed


def test_a_worker_killed_in_mid_answer_is_told_and_replaced(
    pool: EnginePool, bundled_model: Path
) -> None:
    setup = setup_of(bundled_model)
    got: list[Chunk] = []

    def killed_after_three_chunks() -> None:
        with pool.lease(setup, lambda progress: None, CancelToken()) as leased:
            for chunk in leased.engine.generate(LONG, CancelToken()):
                got.append(chunk)
                if len(got) == 3:
                    os.kill(pid_of(leased.engine), signal.SIGKILL)

    with pytest.raises(EngineCrashed) as caught:
        killed_after_three_chunks()
    assert "SIGKILL" in caught.value.message
    assert caught.value.remedy
    assert len(got) >= 3
    assert pool.engines() == []
    assert answer_through(pool, setup).ids


def test_a_worker_killed_while_idle_is_replaced_unseen(
    pool: EnginePool, bundled_model: Path
) -> None:
    setup = setup_of(bundled_model)
    before = answer_through(pool, setup)
    engine = pool.loaded(setup)
    assert engine is not None
    killed = pid_of(engine)
    os.kill(killed, signal.SIGKILL)
    while engine.is_alive:
        time.sleep(0.005)
    assert answer_through(pool, setup).ids == before.ids
    assert pool.engines()[0].pid != killed


def test_the_end_of_a_crashed_worker_s_log_is_kept_as_detail(bundled_model: Path) -> None:
    engine = opened(bundled_model)
    engine._worker.log.write_text("Fatal: the tensor was on fire\n")
    os.kill(engine.pid, signal.SIGSEGV)
    with pytest.raises(EngineCrashed) as caught:
        ask(engine, LONG)
    assert "SIGSEGV" in caught.value.message
    assert "on fire" in caught.value.detail


def test_killing_the_host_ends_all_workers_and_the_next_requests_get_a_new_host(
    pool: EnginePool, bundled_model: Path
) -> None:
    setups = [setup_of(bundled_model), setup_of(bundled_model, kv_cache="off")]
    before = [answer_through(pool, setup).ids for setup in setups]
    engines = [engine for setup in setups if (engine := pool.loaded(setup)) is not None]
    old_host = shared_host().pid
    assert old_host is not None
    os.kill(old_host, signal.SIGKILL)
    assert not engines[0].is_alive  # asked at once, when the host is hardly gone
    wait_for_end(old_host, *(pid_of(engine) for engine in engines))
    assert answer_through(pool, setups[0]).ids == before[0]
    assert not engines[1].is_alive  # the new host never knew this worker
    assert answer_through(pool, setups[1]).ids == before[1]
    assert shared_host().pid != old_host


APP = """
import sys, time
from backends.engine import CancelToken
from backends.host.shared import shared_host
from backends.local.backend import LocalBackend
from backends.setup import Setup

setup = Setup(model=sys.argv[1], device="cpu", threads=1)
engine = LocalBackend().open(setup, lambda progress: None, CancelToken())
print(shared_host().pid, engine.pid, flush=True)
time.sleep(600)
"""


def test_host_and_workers_end_when_the_app_is_killed(bundled_model: Path) -> None:
    app = subprocess.Popen(
        [sys.executable, "-c", APP, str(bundled_model)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert app.stdout is not None
    with app.stdout:
        pids = [int(word) for word in app.stdout.readline().split()]
        assert len(pids) == 2
        assert all(is_running(pid) for pid in pids)
        app.kill()
        app.wait()
        wait_for_end(*pids)


# Stopped


def test_a_stop_during_a_long_prefill_gives_no_token(slow_model: Path) -> None:
    engine = opened(slow_model)
    cancel = CancelToken()
    threading.Timer(0.4, cancel.cancel).start()
    answer = ask(engine, request("x" * 6_000, max_new_tokens=8), cancel)
    assert answer.finish_reason == "cancelled"
    assert answer.ids == []
    engine.close()


def test_the_pool_answers_after_a_stop_during_a_long_prefill(
    pool: EnginePool, slow_model: Path
) -> None:
    setup = setup_of(slow_model)
    cancel = CancelToken()
    threading.Timer(0.4, cancel.cancel).start()
    with pool.lease(setup, lambda progress: None, CancelToken()) as leased:
        ask(leased.engine, request("x" * 6_000, max_new_tokens=8), cancel)
    assert answer_through(pool, setup).ids


def test_a_stop_without_a_kv_cache_is_seen_inside_a_pass(slow_model: Path) -> None:
    engine = opened(slow_model, kv_cache="off")
    cancel = CancelToken()
    stamps = []
    for chunk in engine.generate(request("x" * 300, max_new_tokens=200, fixed_length=True), cancel):
        if chunk.token_ids:
            stamps.append(chunk.t_ns)
            cancel.cancel()
    assert cancel.requested_ns is not None
    assert sum(t_ns > cancel.requested_ns for t_ns in stamps) == 0
    engine.close()


def test_a_worker_that_does_not_stop_in_time_is_killed_and_the_answer_is_kept(
    bundled_model: Path,
) -> None:
    engine = opened(bundled_model)
    cancel = CancelToken()
    chunks = []
    for chunk in engine.generate(LONG, cancel):
        chunks.append(chunk)
        if len(chunks) == 2:
            os.kill(engine.pid, signal.SIGSTOP)  # as deaf as a worker can be
            cancel.cancel()
    answer = Answer(chunks)
    assert answer.finish_reason == "cancelled"
    assert len(answer.ids) == answer.report.usage.output_tokens >= 2
    assert answer.report.memory.peak_bytes is None
    assert answer.report.memory.reason
    assert not engine.is_alive


def test_a_stop_that_comes_after_the_end_does_not_hit_the_next_request(
    bundled_model: Path,
) -> None:
    engine = opened(bundled_model)
    cancel = CancelToken()
    answered = threading.Event()
    # A listener before the engine's own holds the stop back until the answer is over.
    cancel.on_cancel(lambda: answered.wait(20) and None)
    chunks = engine.generate(request(), cancel)
    first = next(chunks)
    stopping = threading.Thread(target=cancel.cancel)
    stopping.start()
    assert [first, *chunks][-1].finish_reason in ("stop", "length")
    answered.set()
    stopping.join()
    time.sleep(2 * STOP_GRACE_SECONDS)  # a late kill would come within the grace of a stop
    assert ask(engine).ids
    assert engine.is_alive
    engine.close()


def test_leaving_in_mid_answer_ends_the_worker(bundled_model: Path) -> None:
    engine = opened(bundled_model)
    chunks = engine.generate(LONG, CancelToken())
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]  # a generator, as every engine's stream
    assert not engine.is_alive


def test_a_stop_during_a_load_ends_the_worker(host: HostClient, bundled_model: Path) -> None:
    cancel = CancelToken()
    stages: list[Progress] = []

    def stop_at_the_weights(progress: Progress) -> None:
        stages.append(progress)
        if "weights" in progress.stage:
            cancel.cancel()

    with pytest.raises(Cancelled):
        LocalBackend().open(setup_of(bundled_model), stop_at_the_weights, cancel)
    assert stages


def test_a_load_that_was_stopped_before_it_began_starts_no_worker(
    host: HostClient, bundled_model: Path
) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        LocalBackend().open(setup_of(bundled_model), lambda progress: None, cancel)


# Memory


def test_weights_are_counted_from_the_tensors(bundled_model: Path) -> None:
    with opened(bundled_model) as engine:
        facts = engine.describe()
    assert facts.parameters is not None
    assert facts.weights_bytes is not None
    # Tables of angles for the positions are held beside the parameters.
    assert 0 <= facts.weights_bytes - facts.parameters * 4 < 4_096


def test_two_engines_of_the_same_weights_hold_the_same_memory_each(slow_model: Path) -> None:
    asked = request(max_new_tokens=8, fixed_length=True)
    with ExitStack() as stack:
        engines = [stack.enter_context(opened(slow_model)) for _ in range(2)]
        both = [ask(engine, asked).report.memory for engine in engines]
        engines[0].close()
        alone = ask(engines[1], asked).report.memory
    weights = both[0].weights_bytes
    assert weights is not None
    for reading in (*both, alone):
        assert reading.peak_bytes is not None
        assert reading.peak_bytes >= weights
        assert both[0].peak_bytes == pytest.approx(reading.peak_bytes, rel=0.1)


def test_the_peak_is_that_of_the_run_and_not_of_an_earlier_one(slow_model: Path) -> None:
    with opened(slow_model) as engine:
        small = ask(engine, request(max_new_tokens=2)).report.memory.peak_bytes
        large = ask(engine, request("x" * 1_500, max_new_tokens=2)).report.memory.peak_bytes
        again = ask(engine, request(max_new_tokens=2)).report.memory.peak_bytes
    assert small is not None
    assert large is not None
    assert again is not None
    assert large > small
    assert again < large


# What is loaded


def test_a_checkpoint_without_a_template_gets_a_plain_one(foreign_model: Path) -> None:
    with opened(foreign_model) as engine:
        assert engine.describe().chat_template == "plain"
        answer = ask(engine, request("Once upon a time"))
    assert answer.ids
    assert answer.text.strip()


def test_a_checkpoint_with_a_template_keeps_its_own(tiny_model: Path) -> None:
    with opened(tiny_model) as engine:
        assert engine.describe().chat_template == "own"
        text = "Hi"
        assert engine.count_tokens(request(text).messages, request().sampling) == len(
            f"[user]{text}\n[assistant]"
        )


@pytest.mark.parametrize("weights", ["fp32", "bf16", "fp16"])
def test_a_foreign_model_answers_the_same_with_and_without_a_kv_cache(
    foreign_model: Path, weights: str
) -> None:
    asked = request("Once upon a time there was", max_new_tokens=40, fixed_length=True)
    with opened(foreign_model, weights=weights) as engine:
        on = ask(engine, asked).ids
    with opened(foreign_model, weights=weights, kv_cache="off") as engine:
        off = ask(engine, asked).ids
    if weights == "fp32":
        first = next((i for i, (a, b) in enumerate(zip(on, off, strict=True)) if a != b), None)
        assert first is None, f"the answers part at token {first}: on {on}, off {off}"
    assert len(on) == len(off) == 40


def test_characters_of_several_tokens_arrive_whole(tiny_model: Path) -> None:
    with opened(tiny_model) as engine:
        answer = ask(engine, request("é" * 20, max_new_tokens=120, fixed_length=True, seed=5))
    assert "\ud800" not in answer.text
    answer.text.encode()


def test_the_app_process_has_not_imported_torch() -> None:
    script = (
        "import sys, backends.local.backend, backends.pool, app.bench.jobs;"
        "print(sorted({'torch', 'transformers', 'streamlit'} & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"


def test_a_message_that_the_worker_does_not_expect_is_an_error_and_not_the_end(
    host: HostClient, tiny_model: Path
) -> None:
    order = Load(setup_of(tiny_model), str(tiny_model), "cpu", 1, None, None)
    engine = LocalEngine.open(host, WORKER_ENTRY, order, lambda progress: None, CancelToken())
    with pytest.raises(Exception, match="no probe"):
        engine.probe("nothing_like_it")
    assert ask(engine).ids
    engine.close()


def test_a_device_that_runs_out_of_memory_in_mid_answer_is_told_and_answers_again(
    tmp_path: Path,
) -> None:
    model = make_model(tmp_path / "model")
    done = subprocess.run(
        [sys.executable, "-m", "tests.backends.full_device", str(model)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    failed, answered = done.stdout.splitlines()
    tokens, error, remedy = failed.split(maxsplit=2)
    assert error == "OutOfMemory"
    assert 0 <= int(tokens) < 12
    assert "shorten the conversation" in remedy
    assert answered.split()[0] == "12"


def test_weights_that_were_left_on_another_device_are_refused() -> None:
    program = (
        "import torch\n"
        "from backends.errors import LoadFailed\n"
        "from backends.local.worker.checkpoint import refuse_offload\n"
        "model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2, device='meta'))\n"
        "try:\n"
        "    refuse_offload(model, torch.device('cpu'))\n"
        "except LoadFailed as error:\n"
        "    print(error.message, error.remedy)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("2 of the model's tensors do not lie on cpu (1.weight).")
    assert "smaller weights" in done.stdout

"""How benchmark records judge, how benchmarks exit, and what their small tools do."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from typer.testing import CliRunner

from app.bench import __main__ as command_line
from app.bench.benchmarks import (
    llamacpp,
    observer,
    paint,
    quiet,
    scale,
    setups,
    soak,
    startup,
    viewer,
)
from app.bench.benchmarks.browser import chromium_path
from app.bench.benchmarks.engines import interleaved
from app.bench.benchmarks.intervals import mean_interval, quantile_interval
from app.bench.benchmarks.quiet import MachineBusy, refuse_if_busy
from app.bench.benchmarks.records import BenchmarkRecord, Target, exit_code, json_line
from app.bench.benchmarks.table import show
from app.bench.record import MemoryLedger
from backends.errors import DynoError
from backends.local.devices import cuda_names
from backends.settings import ROOT
from tests.bench.samples import make_run
from tests.needs import lacking

HIGHER = Target("speed", "ratio", "higher", bar=0.98)
LOWER = Target("wait", "s", "lower", bar=4.0)
NO_BAR = Target("shown", "s", "lower")
KEYS = "name value low high unit n better bar holds reason date hardware versions commit"


# Records


@pytest.mark.parametrize(
    ("target", "value", "interval", "holds"),
    [
        (HIGHER, 1.00, (0.99, 1.01), True),
        (HIGHER, 0.99, (0.97, 1.01), False),
        (HIGHER, 0.98, (0.98, 0.98), True),
        (LOWER, 3.0, (1.0, 3.9), True),
        (LOWER, 3.0, (1.0, 4.1), False),
        (LOWER, 3.0, (None, None), True),
        (LOWER, 4.5, (None, None), False),
        (NO_BAR, 99.0, (98.0, 100.0), None),
    ],
)
def test_a_figure_holds_when_the_unfavourable_end_of_its_interval_does(
    target: Target, value: float, interval: tuple[float | None, float | None], holds: bool | None
) -> None:
    assert target.measured(value, n=20, interval=interval).holds is holds


@pytest.mark.parametrize(
    ("interval", "holds"),
    [((0.96, 1.04), True), ((0.94, 1.0), False), ((1.0, 1.06), False), ((None, None), True)],
)
def test_what_should_be_equal_has_a_bar_on_both_sides(
    interval: tuple[float | None, float | None], holds: bool
) -> None:
    equal = Target("same", "ratio", "lower", bar=1.05, floor=0.95)
    assert equal.measured(1.0, n=3, interval=interval).holds is holds


def test_a_figure_without_a_value_says_why_and_holds_nothing() -> None:
    record = HIGHER.not_measured("there is no Chromium")
    assert (record.value, record.holds, record.reason) == (None, None, "there is no Chromium")
    with pytest.raises(ValueError, match="why"):
        HIGHER.not_measured("")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_number_is_a_fault_and_no_figure(value: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        HIGHER.measured(value, n=1)


def test_the_json_has_the_keys_of_the_design_in_their_order() -> None:
    line = json_line([LOWER.measured(3.0, n=5, interval=(2.0, 3.5))])
    (record,) = json.loads(line)
    assert "\n" not in line
    assert " ".join(record) == KEYS
    assert (record["value"], record["low"], record["high"], record["n"]) == (3.0, 2.0, 3.5, 5)
    assert record["hardware"]
    assert "python" in record["versions"]


GOOD = HIGHER.measured(1.0, n=20)
BAD = HIGHER.measured(0.5, n=20)
NONE = LOWER.not_measured("no browser")
SHOWN = NO_BAR.measured(9.0, n=5)


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([GOOD], 0),
        ([GOOD, NONE], 0),
        ([SHOWN], 0),
        ([GOOD, BAD], 1),
        ([BAD, NONE], 1),
        ([NONE], 2),
        ([], 2),
    ],
)
def test_exit_codes(records: list[BenchmarkRecord], code: int) -> None:
    assert exit_code(records) == code


def test_the_table_shows_every_figure_its_verdict_and_what_is_to_be_said() -> None:
    out = io.StringIO()
    show([GOOD, BAD, NONE, SHOWN], Console(file=out, width=140))
    text = out.getvalue()
    for expected in ("speed", "holds", "falls short", "not measured", "≥ 0.98", "no browser"):
        assert expected in text


def test_the_figures_have_the_names_and_bars_that_were_promised() -> None:
    targets = [*observer.TARGETS, *startup.TARGETS, *paint.TARGETS, *soak.TARGETS, *scale.TARGETS]
    bars = {target.name: (target.better, target.bar) for target in targets}
    assert bars["observer_ratio"] == ("higher", 0.98)
    assert bars["startup_seconds"] == ("lower", 4.0)
    assert bars["engine_ready_seconds"] == ("lower", 2.0)
    assert bars["engine_ready_cold_seconds"] == ("lower", None)
    assert bars["paint_p95_seconds"] == ("lower", 0.1)
    assert bars["paint_updates_per_second"] == ("higher", 20.0)
    assert bars["ui_ratio"] == ("higher", 0.95)
    assert bars["ui_ratio_chromium"] == ("higher", None)
    assert bars["soak_growth_mb"] == ("lower", 50.0)
    assert bars["compare_seconds"] == ("lower", 1.5)
    assert bars["filter_seconds"] == ("lower", 0.5)
    assert bars["app_rss_mb"] == ("lower", 400.0)


# Intervals


def test_the_mean_of_equal_samples_is_certain_and_one_sample_says_nothing_of_its_error() -> None:
    assert mean_interval([2.0, 2.0, 2.0]) == (2.0, 2.0, 2.0)
    assert mean_interval([2.0]) == (2.0, None, None)


def test_the_interval_of_a_mean_is_student_t() -> None:
    mean, low, high = mean_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert low is not None
    assert high is not None
    # t(0.975, 4) = 2.776445; s = sqrt(2.5); half = t * s / sqrt(5)
    assert (mean, round(low, 4), round(high, 4)) == (3.0, 1.0368, 4.9632)


def test_a_quantile_is_a_sample_and_its_interval_counts_samples() -> None:
    samples = [float(number) for number in range(1, 101)]
    value, low, high = quantile_interval(list(reversed(samples)), 0.95)
    assert value == 95.0
    assert low == 90.0  # fewer than 90 of 100 lie below the true 95 % point once in forty times
    assert high == 100.0
    assert quantile_interval([0.5], 0.95) == (0.5, 0.5, 0.5)


def test_pairs_are_interleaved() -> None:
    assert ["".join(pair) for pair in interleaved(("A", "B"), 4)] == ["AB", "BA", "AB", "BA"]


# A quiet machine


def test_weights_that_nobody_counted_have_no_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    uncounted = make_run(memory=MemoryLedger(reason="not read"))
    monkeypatch.setattr(setups, "finished_run", lambda *_: uncounted)
    console = Console(file=io.StringIO())
    bytes_ratio, _ = setups.measure(console, "m", pairs=1, only="gptq")
    assert (bytes_ratio.name, bytes_ratio.value) == ("gptq_bytes_ratio", None)
    assert "no figure" in bytes_ratio.reason


def test_a_busy_machine_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet.psutil, "cpu_percent", lambda: 90.0)
    with pytest.raises(MachineBusy, match="cores busy") as refused:
        refuse_if_busy(seconds=0.0)
    assert "--force" in refused.value.remedy
    monkeypatch.setattr(quiet.psutil, "cpu_percent", lambda: 0.5)
    refuse_if_busy(seconds=0.0)


# The viewer's protocol


@pytest.mark.parametrize(
    ("query", "page"), [("", ""), ("c=abc", ""), ("c=" + "x" * 300, "runs"), ("s=ü", "machine")]
)
def test_what_the_viewer_asks_is_what_streamlit_understands(query: str, page: str) -> None:
    message = BackMsg.FromString(viewer.rerun_message(query, page))
    assert message.WhichOneof("type") == "rerun_script"
    assert (message.rerun_script.query_string, message.rerun_script.page_name) == (query, page)


def test_the_viewer_knows_when_a_page_is_whole() -> None:
    done, rerun, other = ForwardMsg(hash="h" * 200), ForwardMsg(), ForwardMsg()
    done.script_finished = ForwardMsg.FINISHED_SUCCESSFULLY
    rerun.script_finished = ForwardMsg.FINISHED_EARLY_FOR_RERUN
    other.delta.new_element.text.body = "script finished"
    assert viewer.finished_successfully(done.SerializeToString())
    assert not viewer.finished_successfully(rerun.SerializeToString())
    assert not viewer.finished_successfully(other.SerializeToString())


# The command line


def test_the_doctor_prints_json_on_its_last_line(data_dir: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app.bench", "doctor", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    checks = json.loads(done.stdout.splitlines()[-1])
    assert {"name", "ok", "detail", "remedy", "optional"} == set(checks[0])
    assert any(check["name"] == "Python" for check in checks)
    faults = any(not check["ok"] and not check["optional"] for check in checks)
    assert done.returncode == int(faults)


def test_a_busy_machine_ends_a_benchmark_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy() -> None:
        raise MachineBusy("Other work runs.", "Wait.")

    monkeypatch.setattr(command_line, "refuse_if_busy", busy)
    monkeypatch.setattr(observer, "measure", lambda *_: pytest.fail("it started"))
    result = CliRunner().invoke(command_line.app, ["observer", "--json"])
    assert result.exit_code == 2
    (record,) = json.loads(result.stdout.splitlines()[-1])
    assert (record["value"], record["holds"]) == (None, None)
    assert record["reason"] == "Other work runs. Wait."


def test_force_measures_all_the_same_and_a_fault_is_a_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> list[BenchmarkRecord]:
        raise DynoError("There is no such model.", "Name another.")

    monkeypatch.setattr(command_line, "refuse_if_busy", lambda: pytest.fail("it looked"))
    monkeypatch.setattr(observer, "measure", fail)
    result = CliRunner().invoke(command_line.app, ["observer", "--force", "--json"])
    assert result.exit_code == 2
    (record,) = json.loads(result.stdout.splitlines()[-1])
    assert record["reason"] == "There is no such model. Name another."


def test_the_observer_measures_a_real_engine(bundled_model: Path) -> None:
    out = io.StringIO()
    (record,) = observer.measure(Console(file=out), str(bundled_model), pairs=2, tokens=16)
    assert record.name == "observer_ratio"
    assert record.n == 2
    assert record.value is not None
    assert record.value > 0


@pytest.mark.llamacpp
def test_llama_cpp_is_compared_with_a_bare_loop_and_with_transformers(bundled_model: Path) -> None:
    out = io.StringIO()
    records = llamacpp.measure(Console(file=out), str(bundled_model), pairs=2, tokens=16)
    assert [record.name for record in records] == [target.name for target in llamacpp.TARGETS]
    assert all(record.value is not None and record.n == 2 for record in records)
    assert (llamacpp.LLAMACPP_VS_BARE.bar, llamacpp.LLAMACPP_VS_FP32.bar) == (0.95, 4.0)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_short_soak_leaves_nothing_behind_and_loses_no_run(bundled_model: Path) -> None:
    out = io.StringIO()
    records = soak.measure(Console(file=out), str(bundled_model), conversations=3)
    by_name = {record.name: record for record in records}
    assert by_name["soak_growth_mb"].value is not None
    assert by_name["soak_left_behind"].value == 0, by_name["soak_left_behind"].reason
    assert by_name["soak_missing_runs"].value == 0, by_name["soak_missing_runs"].reason


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_paints_are_seen_and_runs_are_compared_watched_and_not(bundled_model: Path) -> None:
    if not chromium_path():
        lacking("BROWSER", "no Chromium is on the PATH")
    records = paint.measure(Console(file=io.StringIO()), str(bundled_model), turns=2, pairs=2)
    by_name = {record.name: record for record in records}
    assert by_name["paint_p95_seconds"].n == 4, "each answer was seen to appear"
    for name in ("paint_updates_per_second", "ui_ratio", "ui_ratio_chromium"):
        value = by_name[name].value
        assert value is not None, by_name[name].reason
        assert value > 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_starts_and_loads_are_timed(bundled_model: Path) -> None:
    if not chromium_path():
        lacking("BROWSER", "no Chromium is on the PATH")
    records = startup.measure(Console(file=io.StringIO()), str(bundled_model), repeats=1)
    assert all(record.value is not None for record in records), records


# The GPU's probe


def test_without_a_gpu_the_probe_says_so_and_ends_cleanly() -> None:
    if cuda_names():
        pytest.skip("there is a GPU here: the test marked gpu runs it")
    done = subprocess.run(
        [sys.executable, str(ROOT / "backends" / "local" / "gpu_probe.py")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout.splitlines()[-1])["measured"] is False
    assert "Traceback" not in done.stderr


@pytest.mark.gpu
def test_the_probe_measures_a_model_of_two_layers() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "backends" / "local" / "gpu_probe.py"), "--layers", "2"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert all("error" not in row for row in result["rows"]), result["rows"]
    assert all(0 < row["mbu"] < 1.2 for row in result["rows"])

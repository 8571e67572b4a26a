"""What disturbed a run is read from processors, clocks and GPUs, never from the run's own times."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from app.bench.experiments import clock_drops
from app.bench.experiments.clock_drops import (
    ClockDrops,
    is_constant,
    read_mhz,
    why_not_watched,
)
from app.bench.experiments.disturbance import OtherLoad, Reading
from app.bench.experiments.gpu_noise import GpuNoise, GpuUse, gpu_noise, read_gpus
from tests.bench.samples import ENVIRONMENT, make_run

OWN = {10, 11}


def clocks(*mhz: float | None) -> ClockDrops:
    return ClockDrops(iter(mhz).__next__)


def test_a_clock_that_drops_is_told_once_it_is_known_what_is_usual() -> None:
    drops = clocks(3_000, 2_900, 3_100, 3_000, 2_950, 2_000, 2_800)
    said = [drops.end("a") for _ in range(7)]
    assert said[:5] == [""] * 5
    assert said[5] == "the processors ran at 2.00 GHz, usually 3.00"
    assert said[6] == ""


def test_a_setup_is_held_against_itself() -> None:
    drops = clocks(*[3_000] * 5, *[2_000] * 6)
    assert [drops.end("a") for _ in range(5)] == [""] * 5
    assert [drops.end("b") for _ in range(6)] == [""] * 6


@pytest.fixture
def moving(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine whose clock may move."""
    monkeypatch.setattr(clock_drops, "is_constant", lambda: False)
    return monkeypatch


def test_the_clock_is_that_of_the_fastest_processor(moving: pytest.MonkeyPatch) -> None:
    Clock = namedtuple("Clock", "current")
    moving.setattr(psutil, "cpu_freq", lambda percpu: [Clock(800.0), Clock(3_000.0)])
    assert read_mhz() == 3_000
    assert why_not_watched() == ""


@pytest.mark.parametrize("error", [None, OSError, NotImplementedError, RuntimeError])
def test_where_no_clock_is_told_it_is_said_so(
    error: type[Exception] | None, moving: pytest.MonkeyPatch
) -> None:
    def read(percpu: bool) -> list[object]:
        if error is not None:
            raise error
        return []

    moving.setattr(psutil, "cpu_freq", read)
    assert read_mhz() is None
    assert "does not tell" in why_not_watched()
    moving.delattr(psutil, "cpu_freq")
    assert read_mhz() is None


@pytest.mark.parametrize(
    ("cpuinfo", "has_driver", "constant"),
    [
        ("flags\t\t: fpu aperfmperf avx2", False, False),
        ("flags\t\t: fpu avx2", True, False),
        ("flags\t\t: fpu avx2", False, True),
        ("Features\t: fp asimd", False, False),
        (None, False, False),
    ],
)
def test_a_clock_that_never_moves_is_not_watched(
    cpuinfo: str | None,
    has_driver: bool,
    constant: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if cpuinfo is not None:
        (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{cpuinfo}\n")
    if has_driver:
        (tmp_path / "policy0").mkdir()
    found = is_constant(tmp_path / "cpuinfo", tmp_path)
    assert found is constant
    monkeypatch.setattr(clock_drops, "is_constant", lambda: found)
    Clock = namedtuple("Clock", "current")
    monkeypatch.setattr(psutil, "cpu_freq", lambda percpu: [Clock(2_500.0)])
    assert (read_mhz() is None) is constant
    assert ("never moves" in why_not_watched()) is constant


def test_a_machine_that_tells_no_clock_disturbs_nothing() -> None:
    assert clocks(None).end("a") == ""
    told = read_mhz()
    assert told is None or told > 0


@pytest.mark.parametrize(
    ("gpus", "said"),
    [
        ([], ""),
        ([GpuUse(0, frozenset({11}), 0)], ""),
        ([GpuUse(0, frozenset({11, 99}), 0)], "another process was on GPU 0"),
        ([GpuUse(0, frozenset({11}), 0), GpuUse(1, frozenset({99}), 0x8)], ""),
        ([GpuUse(0, frozenset({11}), 0x60)], "the clock of GPU 0 was held down by heat"),
        ([GpuUse(0, frozenset({11}), 0x4)], ""),
        ([GpuUse(0, frozenset({77_777}), 0x80)], "held down by a power brake"),
    ],
)
def test_others_on_our_gpu_and_its_clock_are_told(gpus: list[GpuUse], said: str) -> None:
    found = gpu_noise(gpus, OWN)
    assert (said in found) if said else found == ""


def test_without_a_driver_there_are_no_gpus_to_look_at() -> None:
    assert isinstance(read_gpus(), list)


def test_a_run_is_held_against_the_clock_of_what_it_ran_on() -> None:
    readings = iter([Reading(0, 0, 0), Reading(1, 1.5, 0)] * 2)
    hot = GpuNoise(lambda: [GpuUse(0, frozenset(), 0x40)])
    load = OtherLoad(readings.__next__, clocks(*[3_000] * 9), hot)
    load.begin(new_processes=False)
    on_cpu = load.look(make_run())
    assert "cores busy" in on_cpu
    assert "GPU" not in on_cpu
    on_gpu = make_run(environment=ENVIRONMENT.model_copy(update={"device": "cuda:0"}))
    assert load.look(on_gpu) == "the clock of GPU 0 was held down by heat"

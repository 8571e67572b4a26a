"""Joules are what the counters moved by; where none can be read, it says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.bench.energy.counters import NoCounter, NvmlCounter, RaplCounter, counter_of
from app.bench.energy.figures import Spent, joules_per_token
from app.bench.energy.meter import EnergyMeter

RANGE_UJ = 262_143_328_850


def domain(root: Path, folder: str, name: str, energy_uj: int) -> Path:
    made = root / folder
    made.mkdir()
    (made / "name").write_text(f"{name}\n")
    (made / "energy_uj").write_text(f"{energy_uj}\n")
    (made / "max_energy_range_uj").write_text(f"{RANGE_UJ}\n")
    return made / "energy_uj"


def test_packages_are_summed_and_nothing_inside_them_is_counted_twice(tmp_path: Path) -> None:
    one = domain(tmp_path, "intel-rapl:0", "package-0", 5_000_000)
    two = domain(tmp_path, "intel-rapl:1", "package-1", 1_000_000)
    cores = domain(tmp_path, "intel-rapl:0:0", "core", 0)
    twin = domain(tmp_path, "intel-rapl-mmio:0", "package-0", 0)
    board = domain(tmp_path, "intel-rapl:2", "psys", 0)
    meter = EnergyMeter(RaplCounter(tmp_path))
    meter.begin()
    one.write_text("7500000")
    two.write_text("1250000")
    for other in (cores, twin, board):
        other.write_text("99000000")
    meter.end()
    assert meter.joules == pytest.approx(2.75)


def test_a_counter_that_began_again_is_followed(tmp_path: Path) -> None:
    file = domain(tmp_path, "intel-rapl:0", "package-0", RANGE_UJ - 1_000_000)
    counter = RaplCounter(tmp_path)
    begun = counter.read()
    file.write_text("2000000")
    assert counter.joules_between(begun, counter.read()) == pytest.approx(3.0)


def test_without_counters_it_says_why(tmp_path: Path) -> None:
    with pytest.raises(NoCounter, match=f"no RAPL counters in {tmp_path}"):
        RaplCounter(tmp_path)
    with pytest.raises(NoCounter, match="a server does not say"):
        counter_of(None)
    with pytest.raises(NoCounter, match="no energy counter is known for mps"):
        counter_of("mps")


def test_a_counter_only_root_may_read_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = domain(tmp_path, "intel-rapl:0", "package-0", 1)
    read = Path.read_text

    def guarded(self: Path) -> str:
        if self == file:
            raise PermissionError(13, "Permission denied")
        return read(self)

    monkeypatch.setattr(Path, "read_text", guarded)
    with pytest.raises(NoCounter, match="not readable without root"):
        RaplCounter(tmp_path)


def test_a_counter_that_goes_away_ends_the_metering(tmp_path: Path) -> None:
    file = domain(tmp_path, "intel-rapl:0", "package-0", 1)
    meter = EnergyMeter(RaplCounter(tmp_path))
    meter.begin()
    file.unlink()
    meter.end()
    assert meter.joules is None
    assert "cannot be read" in meter.problem


class FakeNvml:
    """Two GPUs whose counters stand at 1 J and 2 J."""

    class NVMLError(Exception):
        pass

    def __init__(self) -> None:
        self.millijoules = {"0": 1_000, "1": 2_000, "GPU-b": 2_000}
        self.is_old = False

    def nvmlInit(self) -> None:  # noqa: N802
        pass

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> str:  # noqa: N802
        if str(index) not in self.millijoules:
            raise self.NVMLError("Invalid Argument")
        return str(index)

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802
        return uuid

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: str) -> int:  # noqa: N802
        if self.is_old:
            raise self.NVMLError("Not Supported")
        return self.millijoules[handle]


class NoDriver(FakeNvml):
    def nvmlInit(self) -> None:  # noqa: N802
        raise self.NVMLError("Driver Not Loaded")


def test_a_gpus_counter_is_read_in_joules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    nvml = FakeNvml()
    counter = NvmlCounter(1, nvml)
    begun = counter.read()
    nvml.millijoules |= {"0": 90_000, "1": 5_500}
    assert counter.joules_between(begun, counter.read()) == pytest.approx(3.5)


@pytest.mark.parametrize("named", ["1", "GPU-b"])
def test_cuda_counts_only_the_gpus_that_it_may_see(
    monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert NvmlCounter(0, FakeNvml()).read() == 2_000


def test_a_gpu_without_a_counter_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    nvml = FakeNvml()
    with pytest.raises(NoCounter, match="shows no GPU 7"):
        NvmlCounter(7, nvml)
    with pytest.raises(NoCounter, match="does not answer"):
        NvmlCounter(0, NoDriver())
    nvml.is_old = True
    with pytest.raises(NoCounter, match=r"cannot be read \(Not Supported\)"):
        NvmlCounter(0, nvml)


def test_joules_a_token_are_those_of_whole_rounds() -> None:
    runs = [Spent(n, joules, 10) for n in range(1, 7) for joules in (1.0, 3.0 + n % 2)]
    found = joules_per_token(runs)
    assert (found.value, found.n, found.reason) == (pytest.approx(0.225), 6, "")
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.225 < found.high
    few = joules_per_token(runs[:4], disturbed=1)
    assert (few.low, few.high) == (None, None)
    assert "the energy of other work is in 1 of 4 runs" in few.reason


def test_a_counter_that_stands_still_gives_no_zero() -> None:
    assert joules_per_token([Spent(1, 0.0, 10)]).value is None
    assert joules_per_token([]).value is None

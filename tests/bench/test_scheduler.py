"""One run at a time on a device, first come first served, also between processes."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.bench.scheduler import Place, Scheduler, default_lock_dir
from backends.engine import CancelToken
from backends.errors import Cancelled, InvalidRequest
from backends.settings import ROOT
from tests.fakes.workshop import wait_until

DEVICE = "cuda:0"


@pytest.fixture
def lock_dir(tmp_path: Path) -> Path:
    return tmp_path / "locks"


@pytest.fixture
def scheduler(lock_dir: Path) -> Scheduler:
    return Scheduler(lock_dir)


class Visitor:
    """Someone in a thread who wants the device and holds it until told to go."""

    def __init__(self, scheduler: Scheduler, name: str, order: list[str]) -> None:
        self.places: list[Place] = []
        self.cancel = CancelToken()
        self.go = threading.Event()
        self.has_it = threading.Event()
        self.error: Exception | None = None
        self._scheduler, self._name, self._order = scheduler, name, order
        self.thread = threading.Thread(target=self._visit, daemon=True)
        self.thread.start()

    def _visit(self) -> None:
        try:
            with self._scheduler.lease(DEVICE, self._name, self.cancel, self.places.append):
                self._order.append(self._name)
                self.has_it.set()
                self.go.wait(20)
        except Exception as error:
            self.error = error

    def leave(self) -> None:
        self.go.set()
        self.thread.join(20)
        assert not self.thread.is_alive()


def queue_up(scheduler: Scheduler, *names: str) -> tuple[list[Visitor], list[str]]:
    """Visitors who came in this order; the first has the device."""
    order: list[str] = []
    visitors: list[Visitor] = []
    for index, name in enumerate(names):
        visitors.append(Visitor(scheduler, name, order))
        if index == 0:
            assert visitors[0].has_it.wait(20)
        else:
            wait_until(lambda i=index: scheduler.snapshot()[0].waiting == i)  # type: ignore[misc]
    return visitors, order


def test_first_come_first_served(scheduler: Scheduler) -> None:
    visitors, order = queue_up(scheduler, "Ada", "Ben", "Cem", "Dora")
    for visitor in visitors:
        assert visitor.has_it.wait(20)
        visitor.leave()
    assert order == ["Ada", "Ben", "Cem", "Dora"]


def test_never_two_at_once(scheduler: Scheduler) -> None:
    inside, most = [0], [0]

    def visit() -> None:
        with scheduler.lease(DEVICE, "x", CancelToken()):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.002)
            inside[0] -= 1

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(visit) for _ in range(24)]:
            done.result(20)
    assert most == [1]


def test_the_place_and_the_holder_are_told(scheduler: Scheduler) -> None:
    visitors, _ = queue_up(scheduler, "Ada", "Ben", "Cem")
    wait_until(lambda: bool(visitors[2].places))
    assert visitors[1].places[-1] == Place(1, "Ada")
    assert visitors[2].places[-1] == Place(2, "Ada")
    visitors[0].leave()
    assert visitors[1].has_it.wait(20)
    wait_until(lambda: visitors[2].places[-1].ahead == 1)
    for visitor in visitors[1:]:
        visitor.leave()


def test_the_snapshot_counts_who_waits_and_not_who_runs(scheduler: Scheduler) -> None:
    visitors, _ = queue_up(scheduler, "Ada", "Ben")
    (queue,) = scheduler.snapshot()
    assert (queue.device, queue.holder, queue.waiting) == (DEVICE, "Ada", 1)
    for visitor in visitors:
        visitor.leave()
    (queue,) = scheduler.snapshot()
    assert (queue.holder, queue.waiting) == ("", 0)


def test_who_stops_waiting_leaves_the_queue_to_the_others(scheduler: Scheduler) -> None:
    visitors, order = queue_up(scheduler, "Ada", "Ben", "Cem")
    visitors[1].cancel.cancel()
    visitors[1].thread.join(20)
    assert isinstance(visitors[1].error, Cancelled)
    visitors[0].leave()
    assert visitors[2].has_it.wait(20)
    visitors[2].leave()
    assert order == ["Ada", "Cem"]


def test_who_was_stopped_before_does_not_get_the_device(scheduler: Scheduler) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled), scheduler.lease(DEVICE, "Ada", cancel):
        pass
    assert scheduler.snapshot()[0].waiting == 0


def test_as_many_may_wait_as_the_setting_says_and_the_next_is_refused(lock_dir: Path) -> None:
    scheduler = Scheduler(lock_dir, max_queue=2)
    visitors, _ = queue_up(scheduler, "Ada", "Ben", "Cem")
    with (
        pytest.raises(InvalidRequest) as caught,
        scheduler.lease(DEVICE, "Dora", CancelToken()),
    ):
        pass
    assert "2 waiting" in caught.value.message
    assert caught.value.remedy
    for visitor in visitors:
        visitor.leave()


def test_an_error_inside_frees_the_device(scheduler: Scheduler) -> None:
    def fail() -> None:
        with scheduler.lease(DEVICE, "Ada", CancelToken()):
            raise OSError("the model broke")

    with pytest.raises(OSError, match="broke"):
        fail()
    with scheduler.lease(DEVICE, "Ben", CancelToken()):
        pass


def test_devices_do_not_wait_for_each_other(scheduler: Scheduler) -> None:
    with (
        scheduler.lease("cpu", "Ada", CancelToken()),
        scheduler.lease("cuda:0", "Ben", CancelToken()),
    ):
        pass


def test_a_remote_setup_never_waits(scheduler: Scheduler) -> None:
    with (
        scheduler.lease(None, "Ada", CancelToken()),
        scheduler.lease(None, "Ben", CancelToken()),
    ):
        assert scheduler.snapshot() == []


def test_without_a_place_for_locks_the_queue_alone_has_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    scheduler = Scheduler(tmp_path / "file" / "locks")
    with scheduler.lease(DEVICE, "Ada", CancelToken()):
        pass


# Between processes

OTHER_PROCESS = """
import sys, time
from pathlib import Path
from app.bench.scheduler import Scheduler
from backends.engine import CancelToken

with Scheduler(Path(sys.argv[1])).lease(sys.argv[2], "the benchmark", CancelToken()):
    print("mine", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_process(lock_dir: Path) -> subprocess.Popen[str]:
    """Another program that has the device until its stdin ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, str(lock_dir), DEVICE],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "mine\n"
    return process


def test_another_process_is_waited_for_and_named(
    scheduler: Scheduler, other_process: subprocess.Popen[str]
) -> None:
    visitor = Visitor(scheduler, "Ada", [])
    wait_until(lambda: bool(visitor.places))
    assert not visitor.has_it.is_set()
    assert str(other_process.pid) in visitor.places[-1].holder
    assert "the benchmark" in visitor.places[-1].holder
    other_process.communicate()
    assert visitor.has_it.wait(20)
    visitor.leave()


def test_a_killed_process_frees_the_device(
    scheduler: Scheduler, other_process: subprocess.Popen[str]
) -> None:
    visitor = Visitor(scheduler, "Ada", [])
    wait_until(lambda: bool(visitor.places))
    other_process.kill()
    other_process.communicate()
    assert visitor.has_it.wait(20)
    visitor.leave()


def test_waiting_for_another_process_can_be_stopped(
    scheduler: Scheduler, other_process: subprocess.Popen[str]
) -> None:
    visitor = Visitor(scheduler, "Ada", [])
    wait_until(lambda: bool(visitor.places))
    visitor.cancel.cancel()
    visitor.thread.join(20)
    assert isinstance(visitor.error, Cancelled)
    other_process.communicate()


def test_all_apps_of_a_user_look_at_the_same_locks(session_folder: Path) -> None:
    assert default_lock_dir().parent == session_folder
    assert default_lock_dir() == default_lock_dir()

"""Servers of others answer while this machine does; one of them answers one question at a time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from app.bench.conversation import Column
from app.bench.jobs import Job
from app.bench.record import RunRecord
from backends.registry import get_backend
from backends.remote.endpoint import EndpointBackend
from backends.setup import Setup
from tests.fakes import FakeBackend, Script
from tests.fakes.workshop import Workshop, columns_of, wait_until
from tests.remote.conftest import setup_of
from tests.remote.fault_server import Act, FaultServer

Elsewhere = Callable[[], None]


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    """From its call on the fault server counts as somebody else's machine."""
    return lambda: monkeypatch.setattr(EndpointBackend, "is_elsewhere", lambda self, setup: True)


def there(server: FaultServer, key: str = "there", **options: str) -> Column:
    return Column(key=key, setup=setup_of(server.address, **options))


def record_of(job: Job, key: str) -> RunRecord:
    lane = job.lane(key)
    assert lane is not None
    assert lane.record is not None
    return lane.record


def test_a_server_elsewhere_answers_while_this_machine_is_busy(
    server: FaultServer, workshop: Workshop, fake: FakeBackend, elsewhere: Elsewhere
) -> None:
    elsewhere()
    gate = threading.Event()
    fake.scripts["a"] = Script(gate=gate)
    job = workshop.jobs.answer(workshop.conversation((*columns_of("a"), there(server))), 0)
    wait_until(lambda: job.lanes[1].state == "done")
    assert record_of(job, "there").status == "finished"
    assert not record_of(job, "there").contended, "they share no device"
    assert job.lanes[0].state != "done"
    gate.set()
    workshop.finish(job)


def test_a_server_on_this_machine_waits_for_its_turn(
    server: FaultServer, workshop: Workshop, fake: FakeBackend
) -> None:
    gate = threading.Event()
    fake.scripts["a"] = Script(gate=gate)
    job = workshop.jobs.answer(workshop.conversation((*columns_of("a"), there(server))), 0)
    wait_until(lambda: bool(fake.engines) and bool(fake.engines[0].requests))
    assert job.lanes[1].state == "waiting"
    assert not server.bodies
    gate.set()
    workshop.finish(job)
    assert record_of(job, "there").status == "finished"


def test_two_setups_of_one_server_are_asked_one_after_the_other(
    server: FaultServer, workshop: Workshop, elsewhere: Elsewhere
) -> None:
    elsewhere()
    server.plays(Act(first_pause_s=0.1))
    columns = (there(server, "one"), there(server, "other", served_model="other"))
    job = workshop.finish(workshop.jobs.answer(workshop.conversation(columns), 0))
    one, other = record_of(job, "one").timeline, record_of(job, "other").timeline
    assert one.released_ns is not None
    assert other.accepted_ns is not None
    assert one.released_ns <= other.accepted_ns


@pytest.mark.parametrize(
    ("address", "is_elsewhere"),
    [
        ("http://0.0.0.0:8000/v1", False),
        ("http://[::]:8000/v1", False),
        (f"http://{socket.gethostname()}:8000/v1", False),
        ("http://localhost:8000/v1", False),
        ("http://127.0.0.1:8000/v1", False),
        ("http://[::1]:8000/v1", False),
        ("http://10.0.0.7:8000/v1", True),
        ("https://api.example.org/v1", True),
    ],
)
def test_what_listens_on_loopback_is_this_machine(address: str, is_elsewhere: bool) -> None:
    backend = get_backend("endpoint")
    assert isinstance(backend, EndpointBackend)
    setup = Setup(backend="endpoint", options={"address": address})
    assert backend.is_elsewhere(setup) == is_elsewhere

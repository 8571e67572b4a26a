"""A fault server, and an engine that asks it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backends.engine import CancelToken
from backends.remote.endpoint import EndpointBackend
from backends.remote.engine import RemoteEngine
from backends.remote.line import Patience
from backends.setup import Setup
from tests.remote.fault_server import FaultServer, fault_server

QUICK = Patience(connect_s=1.0, first_event_s=0.6, silence_s=0.4, tries=3, first_pause_s=0.01)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with fault_server() as running:
        yield running


@pytest.fixture
def backend() -> EndpointBackend:
    return EndpointBackend(QUICK)


def setup_of(address: str, **options: str) -> Setup:
    return Setup(backend="endpoint", options={"address": address, **options})


@pytest.fixture
def engine(server: FaultServer, backend: EndpointBackend) -> Iterator[RemoteEngine]:
    with backend.open(setup_of(server.address), lambda _: None, CancelToken()) as opened:
        yield opened

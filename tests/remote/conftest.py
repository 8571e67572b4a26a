"""A fault server, an engine that asks it, and the same server as Hugging Face's router."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from huggingface_hub.inference import _providers

from backends.engine import CancelToken
from backends.remote.attempts import Patience
from backends.remote.endpoint import EndpointBackend
from backends.remote.engine import RemoteEngine
from backends.setup import Setup
from tests.remote.fault_server import FaultServer, fault_server

QUICK = Patience(
    connect_s=1.0, first_event_s=0.6, silence_s=0.4, cold_start_s=4.0, tries=3, first_pause_s=0.01
)


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


MODEL = "meta-llama/Llama-3.2-3B-Instruct"
HOSTED: dict[str, Any] = {
    "id": MODEL,
    "providers": [
        {
            "provider": "novita",
            "status": "live",
            "context_length": 32768,
            "pricing": {"input": 0.03, "output": 0.05},
        },
        {"provider": "together", "status": "live", "context_length": 131072},
        {"provider": "gone", "status": "error", "pricing": {"input": 1, "output": 1}},
    ],
}


@pytest.fixture
def router(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> FaultServer:
    """The fault server where the library believes the router to be."""
    root = server.address.removesuffix("/v1")
    monkeypatch.setattr(_providers.CONVERSATIONAL_AUTO_ROUTER, "base_url", root)
    server.listed = (HOSTED, {"id": 7, "providers": "odd"})
    return server

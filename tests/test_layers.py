"""Imports point one way, in the source and in the server that runs.

import-linter reads the source; lazy strings and what libraries pull in show only at run time.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from app.bench.benchmarks.server_process import BENCH_ENTRY, SHIPPED_ENTRY, ServerProcess
from app.bench.benchmarks.viewer import Viewer
from app.bench.conversation import Column, Comparison
from backends.request import Sampling
from backends.settings import ROOT
from backends.setup import Setup

HEAVY = ("torch", "transformers", "accelerate", "llama_cpp", "gguf", "ray")
# The chat page is the default one: its address is the root.
PAGES = sorted("" if path.stem == "chat" else path.stem for path in ROOT.glob("pages/*.py"))

_IMPORT_ALL = """
import importlib, pkgutil, sys
for package in sys.argv[1:]:
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        name = module.name
        heavy = name.startswith(("backends.local.worker", "backends.llamacpp.worker"))
        if heavy or ".migrations." in name or name.endswith("__main__"):
            continue
        importlib.import_module(name)
print(" ".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_the_layers_of_the_source_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def _loaded_by(*packages: str) -> set[str]:
    """The packages that are in memory once every module of `packages` was imported."""
    command = [sys.executable, "-c", _IMPORT_ALL, *packages]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_backends_load_neither_torch_nor_streamlit_nor_the_app() -> None:
    loaded = _loaded_by("backends")
    assert "backends" in loaded
    assert not loaded & {*HEAVY, "streamlit", "app"}


def test_measuring_loads_neither_torch_nor_streamlit() -> None:
    assert not _loaded_by("app.bench", "app.charts", "backends") & {*HEAVY, "streamlit"}


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path / "server", request.param) as server:
        server.wait_answering()
        yield server


def _open_every_page(server: ServerProcess) -> None:
    for page in PAGES:
        with Viewer(server.port) as viewer:
            viewer.ask(page=page)
            messages = [ForwardMsg.FromString(frame) for frame in viewer.wait_drawn()]
        assert not any(message.HasField("page_not_found") for message in messages), page
        elements = [m.delta.new_element for m in messages if m.HasField("delta")]
        exceptions = [e.exception for e in elements if e.WhichOneof("type") == "exception"]
        assert not exceptions, (page, exceptions)
        assert len(elements) > 1, page


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("server", [SHIPPED_ENTRY], indirect=True)
def test_the_shipped_server_maps_no_torch_library_after_every_page(server: ServerProcess) -> None:
    _open_every_page(server)
    maps = Path(f"/proc/{server.pid}/maps").read_text()
    assert "/site-packages/" in maps
    for part in ("libtorch", "/torch/", "/transformers/"):
        assert part not in maps


@pytest.mark.parametrize("server", [BENCH_ENTRY], indirect=True)
def test_pages_and_answers_import_neither_torch_nor_transformers(
    server: ServerProcess, bundled_model: Path
) -> None:
    _open_every_page(server)
    column = Column(setup=Setup(model=str(bundled_model)))
    comparison = Comparison(columns=(column,), sampling=Sampling(max_new_tokens=4))
    conversation = server.start_conversation(comparison)
    server.start_turn(conversation, "Once upon a time")
    assert server.finished_turn(conversation, 0)[column.key].answer
    _open_every_page(server)
    modules = server.modules()
    assert {"streamlit", "app", "backends"} <= set(modules)
    assert not set(modules) & set(HEAVY)


@pytest.mark.parametrize("server", [SHIPPED_ENTRY], indirect=True)
def test_the_shipped_server_takes_no_orders_over_http(server: ServerProcess) -> None:
    with pytest.raises(Exception, match="refused"):
        server.modules()


@pytest.mark.parametrize("server", [SHIPPED_ENTRY], indirect=True)
def test_nothing_is_left_when_the_server_ends(server: ServerProcess) -> None:
    _open_every_page(server)
    assert len(server.processes()) >= 2, "the server and its engine host"
    assert server.end() == []

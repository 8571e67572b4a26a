"""What every test stands on: its own data folder, no way out of this machine, nothing left behind.

Engines come from one host for the whole session (its preloading takes seconds); models are the
project's own, a foreign one beside the checkout, and random ones made on first need.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.bench.benchmarks.model_server import ModelServer
from backends import registry
from backends.host.client import HostClient
from backends.host.shared import close_shared_host, shared_host
from backends.settings import ROOT, get_settings
from tests.backends.make_models import make_model
from tests.fakes import FakeBackend
from tests.fakes.workshop import Workshop

FOREIGN_MODEL = ROOT.parent / "shared" / "models" / "stories260K"
_LEAVE_SECONDS = 10.0


@pytest.fixture(scope="session", autouse=True)
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A temporary folder that this session's processes, sockets and device locks are known by.

    The Hub is set to a closed port and its cache to this folder, for us and all we start.
    """
    tmp_path_factory.getbasetemp()  # made where pytest keeps it, before TMPDIR changes
    folder = Path(tempfile.mkdtemp(prefix="dyno-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", None)
        patch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        patch.setenv("HF_HOME", str(folder / "hub"))
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        patch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        patch.delenv("HF_TOKEN", raising=False)
        patch.delenv("HF_HUB_OFFLINE", raising=False)
        for name in [name for name in os.environ if name.startswith("DYNO_")]:
            patch.delenv(name)
        yield folder
        close_shared_host()
        left = _left_behind(folder)
    shutil.rmtree(folder, ignore_errors=True)
    assert not left, f"the tests left processes behind: {left}"


def _left_behind(folder: Path) -> list[str]:
    """Processes of this session that still live, after some seconds to end by themselves."""
    deadline = time.monotonic() + _LEAVE_SECONDS
    while (left := list(_processes_of(folder))) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def _processes_of(folder: Path) -> Iterator[str]:
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("TMPDIR") == str(folder) and process.pid != os.getpid()
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                yield f"{process.pid} {' '.join(process.cmdline())}"
        except psutil.Error:
            continue


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder of the test's own; settings are read anew."""
    folder = tmp_path / "data"
    monkeypatch.setenv("DYNO_DATA_DIR", str(folder))
    get_settings.cache_clear()
    yield folder
    get_settings.cache_clear()


@pytest.fixture
def host() -> HostClient:
    """The engine host that all tests share, preloaded. It is started again if a test ended it."""
    client = shared_host()
    client.wait_ready()
    return client


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBackend]:
    """The fake backend, registered as "fake" like any other."""
    monkeypatch.setitem(registry._BUILT_IN, "fake", "tests.fakes:FakeBackend")
    registry.get_backend.cache_clear()
    backend = registry.get_backend("fake")
    assert isinstance(backend, FakeBackend)
    yield backend
    backend.release_all()
    registry.get_backend.cache_clear()


@pytest.fixture
def workshop(fake: FakeBackend, tmp_path: Path) -> Iterator[Workshop]:
    """What a server holds, on the fake backend."""
    made = Workshop.make(tmp_path)
    yield made
    fake.release_all()
    made.close()


@pytest.fixture(scope="session")
def foreign_model() -> Path:
    """A checkpoint that nobody here trained, without a chat template."""
    if not (FOREIGN_MODEL / "model.safetensors").is_file():
        pytest.skip("the foreign checkpoint (../shared/models/stories260K) is not here")
    return FOREIGN_MODEL


@pytest.fixture(scope="session")
def bundled_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the bundled target, so that a training run beside the tests cannot change it."""
    source = ROOT / "models" / "bundled" / "target"
    if not (source / "model.safetensors").is_file():
        source = FOREIGN_MODEL
    if not (source / "model.safetensors").is_file():
        pytest.skip("neither the bundled model nor the foreign checkpoint is here")
    folder = tmp_path_factory.mktemp("bundled") / "target"
    shutil.copytree(source, folder, copy_function=shutil.copyfile)
    return folder


class ServedModel:
    """`transformers serve` with one model. It is started when first asked for, and again if a test
    ended it."""

    def __init__(self, model: Path, folder: Path) -> None:
        self._model = model
        self._folder = folder
        self._started: list[ModelServer] = []

    def __call__(self) -> ModelServer:
        if not self._started or not self._started[-1].is_alive:
            log = self._folder / f"transformers-serve-{len(self._started)}.log"
            self._started.append(ModelServer(self._model, log))
            self._started[-1].wait_answering()
        return self._started[-1]

    def close(self) -> None:
        for server in self._started:
            server.close()


@pytest.fixture(scope="session")
def served_model(bundled_model: Path, session_folder: Path) -> Iterator[ServedModel]:
    """The bundled model on a real server."""
    served = ServedModel(bundled_model, session_folder)
    yield served
    served.close()


@pytest.fixture
def model_server(served_model: ServedModel) -> ModelServer:
    return served_model()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama with one token a byte and a small context window."""
    return make_model(tmp_path_factory.mktemp("tiny") / "tiny")


@pytest.fixture(scope="session")
def slow_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama whose long prefill takes seconds."""
    folder = tmp_path_factory.mktemp("slow") / "slow"
    return make_model(folder, hidden=256, layers=24, window=16_384)

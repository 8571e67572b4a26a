"""Where a GGUF file comes from: written here once and kept, or fetched from the Hub."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from backends.engine import CancelToken, Progress
from backends.errors import Cancelled, InvalidSetup, LoadFailed, ModelNotFound
from backends.host.client import HostClient
from backends.host.shared import shared_host
from backends.llamacpp.backend import WORKER_ENTRY, LlamaCppBackend
from backends.setup import Setup
from backends.worker.engine import LocalEngine
from backends.worker.messages import Load
from tests.backends.asking import ask, request
from tests.backends.gguf_engines import gguf_of, opened
from tests.backends.make_models import make_model
from tests.bench.disks import fill, small_disk
from tests.fakes.hub import SHA, FakeHub, HubModel

pytestmark = pytest.mark.llamacpp


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "model")


def setup_of(model: Path | str, weights: str = "fp16") -> Setup:
    return Setup.model_validate(
        {"model": str(model), "backend": "llamacpp", "weights": weights, "threads": 1}
    )


def stages_of(setup: Setup) -> list[str]:
    """What opening tells."""
    told: list[Progress] = []
    LlamaCppBackend().open(setup, told.append, CancelToken()).close()
    return [progress.stage for progress in told]


# Written here


def test_a_file_is_written_once(model: Path, data_dir: Path) -> None:
    assert any("Writing GGUF" in stage for stage in stages_of(setup_of(model)))
    (kept,) = (data_dir / "conversions").iterdir()
    written = (kept / "model.gguf").stat().st_mtime_ns
    assert not any("Writing" in stage for stage in stages_of(setup_of(model)))
    assert (kept / "model.gguf").stat().st_mtime_ns == written
    assert json.loads((kept / "recipe.json").read_text())["format"] == "F16"


def test_a_quantized_file_is_made_of_the_16_bit_one_once(model: Path, data_dir: Path) -> None:
    told = stages_of(setup_of(model, "q8_0"))
    assert any("Quantizing to Q8_0" in stage for stage in told)
    recipes = [
        json.loads((kept / "recipe.json").read_text())
        for kept in (data_dir / "conversions").iterdir()
    ]
    assert sorted(recipe["format"] for recipe in recipes) == ["F16", "Q8_0"]
    assert not any("Quantizing" in stage for stage in stages_of(setup_of(model, "q8_0")))


def test_a_checkpoint_that_has_changed_is_written_anew(model: Path, data_dir: Path) -> None:
    stages_of(setup_of(model))
    other = make_model(model.parent / "other", hidden=64)
    shutil.rmtree(model)
    other.rename(model)
    with opened(setup_of(model)) as engine:
        assert engine.describe().head_size == 16
    assert len(list((data_dir / "conversions").iterdir())) == 2


def test_a_stop_leaves_nothing_that_is_used(model: Path, data_dir: Path) -> None:
    cancel = CancelToken()

    def stop(progress: Progress) -> None:
        if progress.stage.startswith("Writing GGUF"):
            cancel.cancel()

    with pytest.raises(Cancelled):
        LlamaCppBackend().open(setup_of(model), stop, cancel)
    kept = data_dir / "conversions"
    assert not list(kept.glob("gguf-*"))
    with opened(setup_of(model)) as engine:
        assert ask(engine, request(max_new_tokens=4, fixed_length=True)).ids
    assert [path.name[:5] for path in kept.iterdir()] == ["gguf-"], "left-overs are gone"


def test_a_full_disk_is_told_and_nothing_is_left(tmp_path: Path, model: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        fill(disk)
        order = Load(setup_of(model), str(model), "cpu", 1, None, None, kept_in=str(disk))
        with pytest.raises(LoadFailed, match="could not be kept") as caught:
            _open(shared_host(), order)
        assert "Free space" in caught.value.remedy
        assert [path.name for path in disk.iterdir()] == ["ballast"]


def test_numbers_that_f16_cannot_hold_are_not_written(tmp_path: Path) -> None:

    folder = make_model(tmp_path / "big")
    weights = load_file(folder / "model.safetensors")
    weights["lm_head.weight"][0, 0] = np.float32(1e6)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(LoadFailed, match="lm_head") as caught:
        opened(setup_of(folder))
    assert "bf16" in caught.value.remedy
    with opened(setup_of(folder, "bf16")) as engine:
        assert engine.is_alive


def _open(host: HostClient, order: Load) -> LocalEngine:
    return LocalEngine.open(host, WORKER_ENTRY, order, lambda told: None, CancelToken())


# From the Hub


@pytest.fixture(scope="module")
def hub_and_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeHub, HostClient]]:
    """A Hub on this machine, and a host whose workers know no other."""
    hub = FakeHub()
    hub.start()
    folder = tmp_path_factory.mktemp("hub")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", hub.url)
        patch.setenv("HF_HUB_CACHE", str(folder / "cache"))
        host = HostClient(folder / "logs")
        host.wait_ready()
    yield hub, host
    host.close()
    hub.stop()


def _from_hub(host: HostClient, name: str, weights: str, kept_in: Path) -> LocalEngine:
    order = Load(setup_of(name, weights), name, "cpu", 1, None, None, kept_in=str(kept_in))
    return _open(host, order)


@pytest.fixture
def ggufs(bundled_model: Path) -> dict[str, bytes]:
    """A repository of two GGUF files."""
    found = {}
    for weights, name in (("fp16", "tiny-F16.gguf"), ("q8_0", "tiny.q8_0.gguf")):
        with opened(setup_of(bundled_model, weights)) as engine:
            found[name] = gguf_of(engine).read_bytes()
    return found


def test_of_a_gguf_repository_only_the_file_with_these_weights_is_fetched(
    hub_and_host: tuple[FakeHub, HostClient], ggufs: dict[str, bytes], tmp_path: Path
) -> None:
    hub, host = hub_and_host
    hub.models["org/ggufs"] = HubModel(ggufs)
    hub.asked.clear()
    with _from_hub(host, "org/ggufs", "q8_0", tmp_path) as engine:
        facts = engine.describe()
        assert facts.revision == SHA
        assert facts.dtypes["q8_0"] > 0
        assert ask(engine, request(max_new_tokens=4, fixed_length=True)).ids
    assert {one.path.rsplit("/", 1)[-1] for one in hub.downloads("*")} == {"tiny.q8_0.gguf"}


def test_what_a_gguf_repository_lacks_is_told_with_what_it_has(
    hub_and_host: tuple[FakeHub, HostClient], ggufs: dict[str, bytes], tmp_path: Path
) -> None:
    hub, host = hub_and_host
    hub.models["org/two"] = HubModel(ggufs)
    with pytest.raises(ModelNotFound, match="Q4_0") as caught:
        _from_hub(host, "org/two", "q4_0", tmp_path)
    assert "tiny-F16.gguf" in caught.value.remedy
    with pytest.raises(InvalidSetup, match="2 GGUF files"):
        _from_hub(host, "org/two", "gguf", tmp_path)


def test_a_checkpoint_of_the_hub_is_converted(
    hub_and_host: tuple[FakeHub, HostClient], model: Path, tmp_path: Path
) -> None:
    hub, host = hub_and_host
    hub.models["org/checkpoint"] = HubModel.of_folder(model)
    with _from_hub(host, "org/checkpoint", "fp16", tmp_path / "kept") as engine:
        assert engine.describe().revision == SHA
        assert ask(engine, request(max_new_tokens=4, fixed_length=True)).ids
    assert [path.name[:5] for path in (tmp_path / "kept").iterdir()] == ["gguf-"]


def test_a_file_without_a_tokenizer_is_refused(model: Path) -> None:
    with opened(setup_of(model)) as engine:
        file = gguf_of(engine)
    with pytest.raises(LoadFailed, match="no tokenizer"):
        opened(setup_of(str(file), "gguf"))

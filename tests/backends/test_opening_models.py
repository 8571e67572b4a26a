"""Folders and Hub ids that can be opened, and those that cannot, each with a sentence."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.catalog import resolve
from backends.engine import CancelToken, Progress
from backends.errors import (
    DynoError,
    LoadFailed,
    MissingCredential,
    ModelNotFound,
    NoDevice,
    OutOfMemory,
)
from backends.host.client import HostClient
from backends.local.backend import WORKER_ENTRY, LocalBackend
from backends.pool import EnginePool
from backends.settings import get_settings
from backends.setup import Setup
from backends.worker.engine import LocalEngine
from backends.worker.messages import Load
from tests.backends.asking import ask, request
from tests.fakes.hub import SHA, FakeHub, HubModel


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """A checkpoint that a test may break."""
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def refusal_of(model: Path) -> DynoError:
    """The error that opening a folder ends with."""
    setup = Setup(model=str(model), device="cpu", threads=1)
    with pytest.raises(DynoError) as caught:
        LocalBackend().open(setup, lambda progress: None, CancelToken())
    assert caught.value.message
    assert caught.value.remedy
    return caught.value


# Folders


def test_a_whole_folder_opens(host: HostClient, folder: Path) -> None:
    setup = Setup(model=str(folder), device="cpu", threads=1)
    with LocalBackend().open(setup, lambda progress: None, CancelToken()) as engine:
        assert ask(engine).ids


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="no folder"):
        resolve(str(tmp_path / "nothing"))


def test_a_folder_without_a_model(host: HostClient, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    error = refusal_of(tmp_path / "empty")
    assert isinstance(error, ModelNotFound)
    assert "config.json" in error.message


def test_a_folder_without_weights(host: HostClient, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    error = refusal_of(folder)
    assert isinstance(error, ModelNotFound)
    assert "weights" in error.message


@pytest.mark.parametrize("name", ["pytorch_model.bin", "consolidated.00.pth"])
def test_a_folder_with_pickles_only_is_never_unpickled(
    host: HostClient, folder: Path, name: str
) -> None:
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(b"cos\nsystem\n(S'touch /tmp/pwned'\ntR.")
    error = refusal_of(folder)
    assert isinstance(error, LoadFailed)
    assert "pickle" in error.message
    assert name in error.message


def test_weights_that_were_cut_off(host: HostClient, folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1_000])
    assert isinstance(refusal_of(folder), LoadFailed)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x10\x00\x00\x00\x00\x00\x00\x00{not json at all", b"\xff" * 64],
    ids=["empty", "no JSON", "a huge header"],
)
def test_weights_that_are_garbage(host: HostClient, folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)
    error = refusal_of(folder)
    assert isinstance(error, LoadFailed)
    assert "model.safetensors" in error.message


def test_a_folder_without_a_tokenizer(host: HostClient, folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    error = refusal_of(folder)
    assert isinstance(error, LoadFailed)
    assert "tokenizer" in error.message


def test_a_config_that_is_not_json(host: HostClient, folder: Path) -> None:
    (folder / "config.json").write_text("{")
    assert isinstance(refusal_of(folder), LoadFailed)


def test_a_model_of_an_unknown_kind(host: HostClient, folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "made_up", "architectures": ["MadeUpForCausalLM"]}
    (folder / "config.json").write_text(json.dumps(config))
    error = refusal_of(folder)
    assert isinstance(error, LoadFailed)
    assert "made_up" in error.message


def test_code_in_the_folder_is_never_run(host: HostClient, folder: Path, tmp_path: Path) -> None:
    trace = tmp_path / "it-ran"
    (folder / "modeling_evil.py").write_text(f"open({str(trace)!r}, 'w')\nclass Evil: pass\n")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoModelForCausalLM": "modeling_evil.Evil"}}
    (folder / "config.json").write_text(json.dumps(config))
    assert isinstance(refusal_of(folder), LoadFailed)
    assert not trace.exists()


def test_weights_that_do_not_belong_to_the_config(host: HostClient, folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config |= {"num_hidden_layers": 3}
    (folder / "config.json").write_text(json.dumps(config))
    error = refusal_of(folder)
    assert isinstance(error, LoadFailed)
    assert "layers.2" in error.message + error.detail


# Memory and devices


def test_a_budget_that_is_too_small_is_told_with_both_numbers(
    host: HostClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DYNO_MEMORY_BUDGET_GB", "0.0001")
    get_settings.cache_clear()
    error = refusal_of(folder)
    assert isinstance(error, OutOfMemory)
    needed_mb = (folder / "model.safetensors").stat().st_size / 1e6
    assert f"{needed_mb:.1f} MB" in error.message
    assert "0.1 MB" in error.message
    assert "DYNO_MEMORY_BUDGET_GB" in error.remedy


def test_the_pool_refuses_what_the_budget_cannot_hold_before_a_worker_starts(folder: Path) -> None:
    pool = EnginePool(max_engines=2, budget_bytes=100_000)
    setup = Setup(model=str(folder), device="cpu")
    with (
        pytest.raises(OutOfMemory, match=r"needs about .* MB"),
        pool.lease(setup, lambda progress: None, CancelToken()),
    ):
        pass
    assert pool.engines() == []


def test_16_bit_weights_are_budgeted_at_half(folder: Path) -> None:
    fp32, fp16 = (
        LocalBackend().memory_needed_bytes(Setup(model=str(folder), weights=weights))
        for weights in ("fp32", "fp16")
    )
    assert fp32 is not None
    assert fp16 == fp32 / 2


def test_a_device_that_the_worker_does_not_see(host: HostClient, folder: Path) -> None:
    setup = Setup(model=str(folder), threads=1)
    order = Load(setup, str(folder), "cuda:7", 1, None, None)
    with pytest.raises(NoDevice):
        LocalEngine.open(host, WORKER_ENTRY, order, lambda progress: None, CancelToken())


# The Hub


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


@pytest.fixture
def hub(hub_and_host: tuple[FakeHub, HostClient]) -> Iterator[FakeHub]:
    """The Hub, running and empty."""
    hub = hub_and_host[0]
    hub.models.clear()
    hub.asked.clear()
    yield hub
    hub.stop()
    hub.start()


@pytest.fixture
def hub_host(hub_and_host: tuple[FakeHub, HostClient]) -> HostClient:
    return hub_and_host[1]


@pytest.fixture
def checkpoint(tiny_model: Path) -> HubModel:
    return HubModel.of_folder(tiny_model)


def open_from_hub(
    host: HostClient,
    model: str,
    revision: str | None = None,
    token: str | None = None,
    stages: list[Progress] | None = None,
) -> LocalEngine:
    setup = Setup(model=model, revision=revision, device="cpu", threads=1)
    order = Load(setup, resolve(model), "cpu", 1, None, token)
    return LocalEngine.open(host, WORKER_ENTRY, order, (stages or []).append, CancelToken())


def test_a_model_of_the_hub_is_brought_whole_and_pinned_to_its_commit(
    hub: FakeHub, hub_host: HostClient, checkpoint: HubModel
) -> None:
    hub.models["org/whole"] = checkpoint
    stages: list[Progress] = []
    setup = Setup(model="org/whole", device="cpu", threads=1)
    order = Load(setup, "org/whole", "cpu", 1, None, None)
    with LocalEngine.open(hub_host, WORKER_ENTRY, order, stages.append, CancelToken()) as engine:
        assert engine.describe().revision == SHA
        assert engine.describe().model_path == "org/whole"
        assert len(ask(engine, request(max_new_tokens=4, fixed_length=True)).ids) == 4
    fractions = [p.fraction for p in stages if "ownload" in p.stage and p.fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_only_what_is_needed_is_downloaded(
    hub: FakeHub, hub_host: HostClient, checkpoint: HubModel
) -> None:
    extra = {"pytorch_model.bin": b"pickle", "run_me.py": b"print(1)", "README.md": b"# Hi"}
    hub.models["org/extra"] = dataclasses.replace(checkpoint, files=checkpoint.files | extra)
    open_from_hub(hub_host, "org/extra").close()
    fetched = {one.path.rsplit("/", 1)[-1] for one in hub.downloads("*")}
    assert "model.safetensors" in fetched
    assert not fetched & set(extra)


def test_a_second_opening_downloads_nothing(
    hub: FakeHub, hub_host: HostClient, checkpoint: HubModel
) -> None:
    hub.models["org/twice"] = checkpoint
    open_from_hub(hub_host, "org/twice").close()
    before = len(hub.downloads("*"))
    open_from_hub(hub_host, "org/twice").close()
    assert before > 0
    assert len(hub.downloads("*")) == before


def hub_refusal(
    host: HostClient, model: str, revision: str | None = None, token: str | None = None
) -> DynoError:
    with pytest.raises(DynoError) as caught:
        open_from_hub(host, model, revision, token)
    assert caught.value.message
    assert caught.value.remedy
    return caught.value


def test_an_id_that_the_hub_does_not_know(hub: FakeHub, hub_host: HostClient) -> None:
    error = hub_refusal(hub_host, "org/nothing")
    assert isinstance(error, ModelNotFound)
    assert "org/nothing" in error.message


def test_a_gated_model_says_where_to_accept_its_licence(
    hub: FakeHub, hub_host: HostClient, checkpoint: HubModel
) -> None:
    hub.models["org/gated"] = dataclasses.replace(checkpoint, gated=True)
    error = hub_refusal(hub_host, "org/gated")
    assert isinstance(error, MissingCredential)
    assert "org/gated" in error.remedy
    assert "HF_TOKEN" in error.remedy


def test_a_gated_model_opens_with_a_token_that_is_shown_nowhere(
    hub: FakeHub, hub_host: HostClient, checkpoint: HubModel
) -> None:
    hub.models["org/allowed"] = dataclasses.replace(checkpoint, gated=True)
    with open_from_hub(hub_host, "org/allowed", token="hf_secret") as engine:
        assert "hf_secret" not in repr(engine.describe())
        assert "hf_secret" not in engine._worker.log_tail()
    tokens = {one.token for one in hub.asked if "org/allowed" in one.path}
    assert tokens == {"Bearer hf_secret"}


def test_a_revision_that_does_not_exist(
    hub: FakeHub, hub_host: HostClient, checkpoint: HubModel
) -> None:
    hub.models["org/revised"] = checkpoint
    error = hub_refusal(hub_host, "org/revised", revision="no-such-branch")
    assert isinstance(error, ModelNotFound)
    assert "no-such-branch" in error.message


def test_a_revision_by_its_commit(hub: FakeHub, hub_host: HostClient, checkpoint: HubModel) -> None:
    hub.models["org/pinned"] = checkpoint
    with open_from_hub(hub_host, "org/pinned", revision=SHA) as engine:
        assert engine.describe().revision == SHA


def test_pickles_of_the_hub_are_not_even_downloaded(
    hub: FakeHub, hub_host: HostClient, checkpoint: HubModel
) -> None:
    files = {n: d for n, d in checkpoint.files.items() if n != "model.safetensors"}
    hub.models["org/pickled"] = HubModel(files | {"pytorch_model.bin": b"cos\nsystem\n"})
    error = hub_refusal(hub_host, "org/pickled")
    assert isinstance(error, LoadFailed)
    assert "pickle" in error.message
    assert hub.downloads("*") == []


def test_a_model_without_weights(hub: FakeHub, hub_host: HostClient) -> None:
    hub.models["org/weightless"] = HubModel({"README.md": b"# A data set, perhaps"})
    assert isinstance(hub_refusal(hub_host, "org/weightless"), ModelNotFound)


def test_a_download_that_is_cut_goes_on_where_it_stopped(
    hub: FakeHub, hub_host: HostClient, checkpoint: HubModel
) -> None:
    block = 10 * 2**20  # the Hub's client keeps what it has in blocks of this size
    files = checkpoint.files | {"merges.txt": b"x" * (block + 2_000)}
    hub.models["org/cut"] = HubModel(files, cut=("merges.txt", block + 1_000))
    with open_from_hub(hub_host, "org/cut") as engine:
        assert ask(engine).ids
    ranges = [one.range for one in hub.downloads("*/merges.txt")]
    assert ranges == [None, f"bytes={block}-"]


def test_a_download_that_breaks_off_can_be_tried_again(
    hub: FakeHub, hub_host: HostClient, checkpoint: HubModel
) -> None:
    hub.models["org/broken"] = dataclasses.replace(
        checkpoint, cut=("model.safetensors", 1_000), broken=True
    )
    error = hub_refusal(hub_host, "org/broken")
    assert isinstance(error, LoadFailed)
    assert "broke off" in error.message
    hub.models["org/broken"] = checkpoint
    with open_from_hub(hub_host, "org/broken") as engine:
        assert ask(engine).ids
    assert len(hub.downloads("*/config.json")) == 1  # what came whole is not fetched again


def test_without_a_network_a_cached_model_opens_as_it_was(
    hub: FakeHub, hub_host: HostClient, checkpoint: HubModel
) -> None:
    extra = checkpoint.files | {"README.md": b"# Not downloaded"}
    hub.models["org/cached"] = dataclasses.replace(checkpoint, files=extra)
    open_from_hub(hub_host, "org/cached").close()
    hub.stop()
    with open_from_hub(hub_host, "org/cached") as engine:
        assert engine.describe().revision == SHA
        assert ask(engine).ids
    with open_from_hub(hub_host, "org/cached", revision=SHA) as engine:
        assert engine.describe().revision == SHA


def test_without_a_network_a_model_that_is_not_cached_cannot_open(
    hub: FakeHub, hub_host: HostClient
) -> None:
    hub.stop()
    error = hub_refusal(hub_host, "org/never-seen")
    assert isinstance(error, LoadFailed)
    assert "cannot be reached" in error.message
    assert "bundled" in error.remedy


def test_without_a_network_half_a_download_is_not_taken_for_a_model(
    hub: FakeHub, hub_host: HostClient, checkpoint: HubModel
) -> None:
    hub.models["org/half"] = dataclasses.replace(
        checkpoint, cut=("model.safetensors", 1_000), broken=True
    )
    hub_refusal(hub_host, "org/half")
    hub.stop()
    assert isinstance(hub_refusal(hub_host, "org/half"), LoadFailed)


@pytest.mark.parametrize("name", ["a b", "org/name/more", "https://example.org/x", "org//x", "?"])
def test_what_is_neither_a_folder_nor_an_id(name: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        resolve(name)
    assert caught.value.remedy

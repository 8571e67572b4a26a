"""The catalog: every model with what it needs, known before anything is downloaded."""

from __future__ import annotations

import pytest

from backends.catalog import BUNDLED, CatalogModel, catalog
from backends.local.backend import LocalBackend, draft_source, weights_source
from backends.local.formats import FORMATS, catalog_bytes
from backends.settings import ROOT
from backends.setup import Setup

BACKEND = LocalBackend()
MODELS = list(catalog().values())
FAMILIES = ("smollm2", "qwen2.5", "llama-3.2", "qwen3", "gemma-3")


def test_the_bundled_model_comes_first_and_every_family_is_there() -> None:
    assert MODELS[0].id == BUNDLED
    assert (ROOT / MODELS[0].target).is_dir()
    for family in FAMILIES:
        assert any(model.id.startswith(family) for model in MODELS)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_sizes_hang_together(model: CatalogModel) -> None:
    assert 0 < model.embedding_parameters < model.parameters
    assert model.licence
    sizes = {name: catalog_bytes(model, FORMATS[name]) for name in FORMATS}
    assert sizes["fp32"] == 2 * sizes["bf16"] == 4 * model.parameters
    assert sizes["gptq-int4"] < sizes["nf4"] < sizes["int8"] < sizes["bf16"]
    assert model.kv_cache_bytes(model.context) > 0


def test_what_a_model_of_the_hub_needs_is_known_before_it_is_here() -> None:
    needed = BACKEND.memory_needed_bytes(Setup(model="qwen2.5-7b", weights="bf16"))
    assert needed == pytest.approx(15.2e9, rel=0.01)
    packed = BACKEND.memory_needed_bytes(Setup(model="qwen2.5-7b", weights="nf4"))
    assert packed is not None
    assert packed < 6.5e9


def test_a_draft_is_smaller_and_of_the_same_family() -> None:
    for model in MODELS:
        if model.draft is not None:
            source = draft_source(Setup(model=model.id, speculation="draft"))
            assert source is not None
            assert source != weights_source(Setup(model=model.id))


def test_gptq_comes_from_the_published_repository_where_there_is_one() -> None:
    source = weights_source(Setup(model="qwen2.5-7b", weights="gptq-int4"))
    assert source == "Qwen/Qwen2.5-7B-Instruct-GPTQ-Int4"
    own = weights_source(Setup(model="smollm2-135m", weights="gptq-int4"))
    assert own == "HuggingFaceTB/SmolLM2-135M-Instruct", "quantized here, since nobody published it"

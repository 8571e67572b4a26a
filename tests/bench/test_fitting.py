"""What fits is known from sizes; the default is what fits well and anybody may have."""

from __future__ import annotations

import pytest

from app.bench.fitting import default_model, fit
from backends.catalog import BUNDLED, catalog

GB = 1_000_000_000
MODELS = catalog().values()


@pytest.mark.parametrize(("free_gb", "expected"), [(24, "16 bits"), (16, "4 bits"), (4, "none")])
def test_a_model_fits_in_16_bits_in_4_or_not_at_all(free_gb: int, expected: str) -> None:
    assert fit(catalog()["qwen2.5-7b"], free_gb * GB) == expected


def test_without_a_gpu_the_bundled_model_is_the_default() -> None:
    assert default_model(MODELS, None) == BUNDLED


@pytest.mark.parametrize("gpu_gb", [2, 8, 24, 141])
def test_on_a_gpu_it_is_the_largest_that_fits_and_wants_no_token(gpu_gb: int) -> None:
    chosen = catalog()[default_model(MODELS, gpu_gb * GB)]
    assert not chosen.gated
    assert fit(chosen, gpu_gb * GB) == "16 bits"
    larger = [m for m in MODELS if m.parameters > chosen.parameters and not m.gated]
    assert all(fit(model, gpu_gb * GB) != "16 bits" for model in larger)


def test_where_nothing_fits_the_bundled_model_is_left() -> None:
    assert default_model([catalog()["qwen2.5-7b"]], 1 * GB) == BUNDLED

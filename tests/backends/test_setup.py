"""A setup is a value: equal ones have equal ids, today and in years."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from backends.setup import Setup

OTHER_VALUES = {
    "model": "org/other",
    "revision": "abc",
    "backend": "other",
    "weights": "bf16",
    "kv_cache": "off",
    "reuse_prefix": True,
    "speculation": "draft",
    "draft_model": "org/small",
    "draft_tokens": 4,
    "compile": True,
    "attention": "eager",
    "prefill_chunk": 64,
    "history": "none",
    "device": "cpu",
    "threads": 2,
    "options": {"turbo": True},
}


def test_the_id_is_stable() -> None:
    """Stored runs are found by it: a change here orphans them."""
    assert Setup().id == "44136fa355b3"
    assert (
        Setup(weights="bf16", kv_cache="off", threads=2).id
        == Setup.model_validate_json('{"kv_cache": "off", "threads": 2, "weights": "bf16"}').id
    )


def test_a_toggle_left_at_its_default_is_not_in_the_id() -> None:
    """So that ids stay as they are when a toggle is added."""
    assert Setup(weights="fp32", device="auto").canonical_json() == "{}"
    assert Setup(weights="bf16").canonical_json() == '{"weights":"bf16"}'


def test_every_field_changes_the_id() -> None:
    assert set(OTHER_VALUES) == set(Setup.model_fields) - {"schema_version"}
    ids = {Setup.model_validate({name: value}).id for name, value in OTHER_VALUES.items()}
    assert len(ids | {Setup().id}) == len(OTHER_VALUES) + 1


def test_the_order_of_options_does_not_matter() -> None:
    assert Setup(options={"a": 1, "b": 2}).id == Setup(options={"b": 2, "a": 1}).id


def test_json_brings_a_setup_back() -> None:
    setup = Setup.model_validate(OTHER_VALUES)
    assert Setup.model_validate_json(setup.model_dump_json()) == setup


def test_setups_share_no_engine() -> None:
    for name, value in OTHER_VALUES.items():
        assert Setup.model_validate({name: value}).engine_key != Setup().engine_key, name


@pytest.mark.parametrize(
    "wrong",
    [
        {"weights": "fp8"},
        {"kv_cache": "maybe"},
        {"device": "tpu"},
        {"device": "cuda:x"},
        {"threads": 0},
        {"model": "  "},
        {"schema_version": 2},
        {"turbo": True},
    ],
)
def test_what_is_no_setup_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Setup.model_validate(wrong)


def test_a_setup_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Setup().weights = "bf16"  # type: ignore[misc]

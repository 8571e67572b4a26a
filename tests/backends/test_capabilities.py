"""Toggles refuse what they do not offer, and say why."""

from __future__ import annotations

import pytest

from backends.capabilities import Capabilities, Choice, Toggle, check_toggles
from backends.setup import Setup

WEIGHTS = Toggle(
    "weights",
    "Weights",
    "weights",
    choices=(Choice("fp32", "fp32"), Choice("int8", "INT8", why_not="It needs another library.")),
)
THREADS = Toggle("threads", "CPU threads", "device", minimum=1, maximum=4)
TURBO = Toggle("turbo", "Turbo", "decoding", is_option=True)
LAYERS = Toggle("layers", "GPU layers", "device", minimum=0, maximum=8, is_option=True)
CAPABILITIES = Capabilities((WEIGHTS, THREADS, TURBO, LAYERS))


def check(**toggles: object) -> str:
    """The reason why a setup is refused; empty if it is not."""
    verdict = check_toggles(Setup.model_validate(toggles), CAPABILITIES)
    assert verdict.ok == (not verdict.reason)
    assert verdict.ok or verdict.remedy
    return verdict.reason


def test_the_defaults_pass() -> None:
    assert check() == ""


def test_a_choice_that_cannot_be_made_here_says_why() -> None:
    assert check(weights="int8") == "It needs another library."


def test_a_value_that_is_not_offered_names_those_that_are() -> None:
    reason = check(weights="bf16")
    assert "bf16" in reason
    assert "fp32" in reason


@pytest.mark.parametrize("threads", [None, 1, 4])
def test_a_number_within_its_bounds_passes(threads: int | None) -> None:
    assert check(threads=threads) == ""


def test_a_number_out_of_bounds_names_them() -> None:
    reason = check(threads=5)
    assert "1" in reason
    assert "4" in reason


def test_a_field_without_a_toggle_keeps_its_default() -> None:
    assert "kv_cache" in check(kv_cache="off")


def test_options_are_known_by_name() -> None:
    assert check(options={"turbo": True, "layers": 3}) == ""
    assert "warp" in check(options={"warp": True})


def test_an_option_is_checked_like_any_toggle() -> None:
    assert check(options={"layers": 9})
    assert check(options={"layers": "three"})
    assert check(options={"layers": True}), "a switch is no number"


def test_a_switch_takes_nothing_but_on_and_off() -> None:
    assert check(options={"turbo": "very"})


def test_a_field_of_the_setup_is_no_option() -> None:
    assert check(options={"weights": "fp32"})


def test_a_toggle_is_found_by_its_name() -> None:
    assert CAPABILITIES.toggle("threads") is THREADS
    assert CAPABILITIES.toggle("nothing") is None

"""Without llama-cpp-python the backend is there, greyed, and says how to get it."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from importlib.util import find_spec

import pytest

from backends.engine import CancelToken
from backends.errors import MissingDependency
from backends.llamacpp import backend as llamacpp
from backends.llamacpp.backend import LlamaCppBackend
from backends.registry import usable_backends
from backends.setup import Setup

SETUP = Setup(backend="llamacpp", weights="fp16")


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str) -> ModuleSpec | None:
        return None if name in ("llama_cpp", "gguf") else find_spec(name)

    monkeypatch.setattr(llamacpp, "find_spec", without)


def test_it_is_listed_all_the_same() -> None:
    assert "llamacpp" in [backend.id for backend in usable_backends()]


def test_it_says_what_is_missing_and_how_to_install_it() -> None:
    verdict = LlamaCppBackend().check(SETUP)
    assert not verdict.ok
    assert "llama-cpp-python and gguf" in verdict.reason
    assert "pip install -r requirements-llamacpp.txt" in verdict.remedy


def test_every_format_is_greyed_with_the_reason() -> None:
    weights = LlamaCppBackend().capabilities().toggle("weights")
    assert weights is not None
    assert all("not installed" in choice.why_not for choice in weights.choices)


def test_opening_it_says_so_too() -> None:
    with pytest.raises(MissingDependency) as caught:
        LlamaCppBackend().open(SETUP, lambda progress: None, CancelToken())
    assert "requirements-llamacpp.txt" in caught.value.remedy

"""Backends are found by name, lazily; a broken plugin is told and hides nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata

import pytest

from backends import registry
from backends.errors import BackendUnavailable, InvalidSetup
from backends.registry import get_backend, registrations, usable_backends
from backends.settings import ROOT


@pytest.fixture(autouse=True)
def fresh_registry() -> Iterator[None]:
    get_backend.cache_clear()
    yield
    get_backend.cache_clear()


@dataclass(frozen=True)
class Package:
    name: str


@dataclass(frozen=True)
class Plugin:
    """What `importlib.metadata` tells of an entry point."""

    name: str
    value: str
    dist: Package | None


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Pretend that packages with these entry points are installed."""

    def pretend(*plugins: Plugin) -> None:
        monkeypatch.setattr(metadata, "entry_points", lambda group: list(plugins))

    return pretend


def test_listing_and_opening_the_registry_imports_no_heavy_library() -> None:
    script = (
        "import sys; from backends.registry import usable_backends;"
        "[b.capabilities() for b in usable_backends()];"
        "print({'torch', 'transformers', 'huggingface_hub', 'streamlit'} & set(sys.modules))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "set()"


def test_listing_names_imports_no_backend_at_all() -> None:
    script = (
        "import sys; from backends.registry import registrations; registrations();"
        "print([name for name in sys.modules if name.startswith('backends.local')])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"


def test_the_built_in_backend_is_there() -> None:
    assert get_backend("local").id == "local"
    assert get_backend("local") is get_backend("local")


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(InvalidSetup) as caught:
        get_backend("locl")
    assert "locl" in caught.value.message
    assert "local" in caught.value.remedy


def test_a_name_like_no_other_gets_the_whole_list() -> None:
    with pytest.raises(InvalidSetup, match="zebra") as caught:
        get_backend("zebra")
    assert "local" in caught.value.remedy


def test_a_plugin_is_found_by_its_entry_point(install: Callable[..., None]) -> None:
    install(Plugin("mine", "tests.fakes:FakeBackend", Package("my-package")))
    assert registrations()["mine"].origin == "my-package"
    assert get_backend("mine").title == "No model at all"


@pytest.mark.parametrize(
    "target",
    ["no.such.module:Class", "tests.fakes:NoSuchClass", "tests.backends.broken_plugin:Broken", "x"],
)
def test_a_broken_plugin_hides_nothing(install: Callable[..., None], target: str) -> None:
    install(
        Plugin("broken", target, Package("bad-package")),
        Plugin("mine", "tests.fakes:FakeBackend", Package("my-package")),
    )
    usable = usable_backends()
    assert len(usable) == len(registrations()) - 1
    assert {"local", "fake"} <= {backend.id for backend in usable}
    with pytest.raises(BackendUnavailable) as caught:
        get_backend("broken")
    assert "broken" in caught.value.message
    assert "bad-package" in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize("name", ["local", "mine"])
def test_a_name_taken_twice_is_told_with_both_parties(
    install: Callable[..., None], name: str
) -> None:
    install(
        Plugin("mine", "tests.fakes:FakeBackend", Package("first-package")),
        Plugin(name, "tests.fakes:FakeBackend", Package("second-package")),
    )
    with pytest.raises(InvalidSetup) as caught:
        registrations()
    first = "built in" if name == "local" else "first-package"
    assert first in caught.value.message
    assert "second-package" in caught.value.message
    assert caught.value.remedy


def test_every_built_in_target_exists() -> None:
    for id_ in registry._BUILT_IN:
        assert get_backend(id_).id == id_

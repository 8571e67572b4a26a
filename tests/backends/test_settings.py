"""Settings come from the environment once; what is unknown or wrong is told in a sentence."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from backends.errors import DynoError
from backends.settings import Settings, get_settings, hub_token


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Changes are seen because no setting was read before them."""
    get_settings.cache_clear()
    return monkeypatch


def refusal() -> DynoError:
    with pytest.raises(DynoError) as caught:
        get_settings()
    assert caught.value.remedy
    return caught.value


def test_every_setting_can_be_set(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": "postgresql://somewhere/runs",
        "PUBLIC": "1",
        "MEMORY_BUDGET_GB": "1.5",
        "HOURLY_PRICE": "0.40",
        "MAX_PROMPT_CHARS": "1000",
        "MAX_ENGINES": "2",
        "MAX_QUEUE": "3",
        "PUBLIC_EXPERIMENT_RUNS": "40",
        "PUBLIC_EXPERIMENT_MINUTES": "2.5",
    }
    assert {name.lower() for name in given} == set(Settings.model_fields)
    for name, value in given.items():
        environment.setenv(f"DYNO_{name}", value)
    settings = get_settings()
    assert settings.data_dir == tmp_path
    assert settings.logs_dir == tmp_path / "logs"
    assert settings.public
    assert settings.memory_budget_gb == 1.5
    assert settings.hourly_price == Decimal("0.40")
    assert (settings.max_engines, settings.max_queue) == (2, 3)
    assert (settings.public_experiment_runs, settings.public_experiment_minutes) == (40, 2.5)


def test_settings_are_read_once(environment: pytest.MonkeyPatch) -> None:
    first = get_settings()
    environment.setenv("DYNO_PUBLIC", "1")
    assert get_settings() is first
    assert not first.public


def test_an_unknown_setting_stops_the_start_with_a_suggestion(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("DYNO_DATADIR", "/somewhere")
    error = refusal()
    assert "DYNO_DATADIR" in error.message
    assert "DYNO_DATA_DIR" in error.remedy


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DYNO_MAX_ENGINES", "0"),
        ("DYNO_MAX_ENGINES", "many"),
        ("DYNO_MEMORY_BUDGET_GB", "-1"),
        ("DYNO_HOURLY_PRICE", "cheap"),
        ("DYNO_PUBLIC", "perhaps"),
    ],
)
def test_a_bad_value_is_named(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)
    error = refusal()
    assert name in error.message
    assert "Traceback" not in error.message


def test_an_empty_value_is_none_at_all(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DYNO_HOURLY_PRICE", "")
    assert get_settings().hourly_price is None


def test_the_data_folder_is_the_users_own_by_default(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("DYNO_DATA_DIR")
    assert get_settings().data_dir.name == "llm-dyno"
    assert get_settings().data_dir.is_absolute()


def test_the_hubs_token_does_not_show(environment: pytest.MonkeyPatch) -> None:
    assert hub_token() is None
    environment.setenv("HF_TOKEN", "hf_secret")
    token = hub_token()
    assert token is not None
    assert "hf_secret" not in f"{token!r} {token}"
    assert token.get_secret_value() == "hf_secret"


def test_the_token_may_stand_in_streamlits_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.settings.ROOT", tmp_path / "project")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert hub_token() is None
    (tmp_path / ".streamlit").mkdir()
    secrets = tmp_path / ".streamlit" / "secrets.toml"
    secrets.write_text('HF_TOKEN = "hf_of_the_file"')
    token = hub_token()
    assert token is not None
    assert token.get_secret_value() == "hf_of_the_file"
    secrets.write_text("HF_TOKEN = ")
    assert hub_token() is None

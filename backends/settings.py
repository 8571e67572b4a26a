"""Every setting, read once from the environment. An unknown `DYNO_…` or a bad value is refused."""

from __future__ import annotations

import contextlib
import difflib
import os
import tomllib
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from backends.errors import DynoError

ROOT = Path(__file__).resolve().parents[1]


def _default_data_dir() -> Path:
    if "SPACE_ID" in os.environ and os.access("/data", os.W_OK):
        return Path("/data")
    return Path(platformdirs.user_data_dir("llm-dyno", appauthor=False))


class Settings(BaseSettings):
    """Settings by environment variable (`DYNO_` + the name in capitals); see the README's table."""

    model_config = SettingsConfigDict(env_prefix="DYNO_", frozen=True, env_ignore_empty=True)

    data_dir: Path = Field(default_factory=_default_data_dir)
    database_url: str | None = None
    public: bool = False
    memory_budget_gb: Annotated[float, Field(gt=0)] | None = None
    hourly_price: Annotated[Decimal, Field(ge=0)] | None = None
    max_prompt_chars: Annotated[int, Field(ge=1)] = 200_000
    max_engines: Annotated[int, Field(ge=1)] = 8
    max_queue: Annotated[int, Field(ge=1)] = 32
    public_experiment_runs: Annotated[int, Field(ge=1)] = 500
    public_experiment_minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 30.0

    @property
    def logs_dir(self) -> Path:
        return self.data_dir / "logs"


def hub_token() -> SecretStr | None:
    """The Hugging Face token of the environment, else of Streamlit's secrets file (the project's,
    then the user's); never stored or shown."""
    token = os.environ.get("HF_TOKEN")
    for folder in () if token else (ROOT, Path.home()):
        with contextlib.suppress(OSError, ValueError):
            secrets = (folder / ".streamlit" / "secrets.toml").read_text(encoding="utf-8")
            token = token or str(tomllib.loads(secrets).get("HF_TOKEN", ""))
    return SecretStr(token) if token else None


@cache
def get_settings() -> Settings:
    """The settings of this process. Raises `DynoError` with one sentence on a bad value."""
    known = {f"DYNO_{name.upper()}" for name in Settings.model_fields}
    for name in os.environ:
        if name.startswith("DYNO_") and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(sorted(known))}."
            raise DynoError(f"Unknown setting {name} in the environment.", hint)
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "DYNO_" + str(first["loc"][0]).upper()
        raise DynoError(
            f"The setting {name} has a bad value: {first['msg']}.",
            f"Correct or unset {name} and start again.",
        ) from error

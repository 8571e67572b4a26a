"""What Hugging Face's router serves: models, who serves them, and for how much.

Its list is asked for at most once a day and kept, dated, in the data folder: prices are quoted with
the day on which they were read, and the last list serves while the router does not answer.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from backends.errors import DynoError, RemoteError
from backends.quotes import TokenQuote
from backends.remote.line import Line
from backends.whole_files import write_atomically

ROUTER = "https://router.huggingface.co/v1"
CACHE_FILE = "serverless_models.json"
_SOURCE = "Hugging Face router's model list"
_FRESH = dt.timedelta(days=1)
_LIVE = "live"


class _Lenient(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Pricing(_Lenient):
    """Dollars for a million tokens."""

    input: Decimal
    output: Decimal


class Provider(_Lenient):
    provider: str
    status: str = _LIVE
    context_length: int | None = None
    pricing: Pricing | None = None


class HostedModel(_Lenient):
    """A model and those who serve it now."""

    id: str
    providers: tuple[Provider, ...] = ()

    @property
    def live(self) -> tuple[Provider, ...]:
        return tuple(one for one in self.providers if one.status == _LIVE)


class _Answer(_Lenient):
    data: list[Any]


class HostedModels(_Lenient):
    """The router's list as it was on `read_at`."""

    read_at: dt.datetime
    models: tuple[HostedModel, ...]

    def find(self, id_: str) -> HostedModel | None:
        return next((model for model in self.models if model.id == id_), None)

    def quotes(self, id_: str) -> tuple[TokenQuote, ...]:
        """What each provider charges for a model; none for those that do not say."""
        model = self.find(id_)
        return tuple(
            TokenQuote(
                provider=one.provider,
                input_per_million=one.pricing.input,
                output_per_million=one.pricing.output,
                cached_per_million=None,
                source=_SOURCE,
                date=self.read_at.date(),
            )
            for one in (model.live if model else ())
            if one.pricing is not None
        )


def hosted_models(line: Line, folder: Path, now: dt.datetime | None = None) -> HostedModels:
    """The list of the last day, or a new one, or where there is no new one the last there was.
    Raises a `DynoError` where there was never one."""
    now = now or dt.datetime.now(dt.UTC)
    kept = _kept(folder / CACHE_FILE)
    if kept is not None and now - kept.read_at < _FRESH:
        return kept
    try:
        read = HostedModels(read_at=now, models=_asked(line))
    except DynoError:
        if kept is None:
            raise
        return kept
    with contextlib.suppress(OSError):  # asked again next time
        write_atomically(folder / CACHE_FILE, read.model_dump_json())
    return read


def _asked(line: Line) -> tuple[HostedModel, ...]:
    try:
        listed = _Answer.model_validate_json(line.get_json("/models")).data
    except ValidationError as error:
        raise RemoteError(
            f"The list of models at {line.base_url} cannot be read.", "Try again later."
        ) from error
    models = []
    for one in listed:
        with contextlib.suppress(ValidationError):  # one odd entry must not hide the others
            models.append(HostedModel.model_validate(one))
    return tuple(models)


def _kept(path: Path) -> HostedModels | None:
    try:
        return HostedModels.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None

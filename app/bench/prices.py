"""What a device costs per hour, or a server by token: nothing until someone says so.

A price that the user set (kept in the data folder) goes before `DYNO_HOURLY_PRICE`; the dated
table beside this file suggests for devices, and quotes for hosts that do not tell their own.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
import tomllib
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from app.bench.data_folder import PRICES_FILE
from app.bench.record import Price, TokenPrice
from backends.errors import InvalidRequest, NotRecorded
from backends.settings import Settings
from backends.whole_files import set_aside, write_atomically

_TABLE = Path(__file__).with_name("prices.toml")
_PRICES = TypeAdapter(dict[str, Price | TokenPrice])
_HIGHEST = Decimal(100_000)
_DECIMALS = 6
_REMEDY = "Type dollars per hour, such as 0.40."
_TOKEN_REMEDY = "Type dollars for a million tokens, such as 0.15."


class Suggestion(BaseModel):
    """A dated price from the table. `note` says what to know before using it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    dollars_per_hour: Decimal
    source: str
    date: dt.date
    matches: str
    note: str = ""


class HostedPrice(BaseModel):
    """A dated price of a host, for models whose Hub id `matches`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str
    matches: str
    input_per_million: Decimal
    output_per_million: Decimal
    cached_per_million: Decimal | None = None
    source: str
    date: dt.date


@cache
def table() -> tuple[Suggestion, ...]:
    entries = tomllib.loads(_TABLE.read_text(encoding="utf-8"))["hardware"]
    return tuple(Suggestion.model_validate(entry) for entry in entries)


@cache
def hosted_table() -> tuple[HostedPrice, ...]:
    entries = tomllib.loads(_TABLE.read_text(encoding="utf-8"))["hosted"]
    return tuple(HostedPrice.model_validate(entry) for entry in entries)


def hosted_price(provider: str, model: str) -> TokenPrice | None:
    """What the table says that a provider charges for a model, by its Hub id."""
    for one in hosted_table():
        if one.provider == provider and re.search(one.matches, model):
            return TokenPrice.model_validate(one.model_dump(exclude={"provider", "matches"}))
    return None


def suggestions(device_name: str) -> list[Suggestion]:
    """Prices of the same hardware elsewhere; empty where the table does not know it."""
    return [one for one in table() if re.search(one.matches, device_name, re.IGNORECASE)]


def parse_dollars(text: str, remedy: str = _REMEDY) -> Decimal:
    """Dollars as typed. Raises `InvalidRequest` with what is wrong, and `remedy`."""
    typed = text.strip().removeprefix("$").strip()
    try:
        value = Decimal(typed)
    except InvalidOperation:
        raise InvalidRequest(f"“{text.strip()[:40]}” is not a number.", remedy) from None
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise InvalidRequest("A price must be a finite number.", remedy)
    if value < 0:
        raise InvalidRequest("A price cannot be negative.", remedy)
    if value > _HIGHEST:
        raise InvalidRequest(f"A price above {_HIGHEST} dollars is not taken.", remedy)
    if exponent < -_DECIMALS:
        raise InvalidRequest(f"A price has at most {_DECIMALS} decimals.", remedy)
    return abs(value)


class PriceBook:
    """The prices of this machine's devices, by device name, and of servers, by what they are
    charged as. Safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        """Use `PriceBook.load`."""
        self._settings = settings
        self._file = settings.data_dir / PRICES_FILE
        self._lock = threading.Lock()
        self._prices: dict[str, Price | TokenPrice] = {}
        self._unkept: dict[str, Price | TokenPrice | None] = {}
        self.problem = ""

    @classmethod
    def load(cls, settings: Settings) -> PriceBook:
        """Never fails: where the user's prices cannot be read, `problem` says so."""
        book = cls(settings)
        book._prices = book._read()
        return book

    def suggestions(self, device_name: str) -> list[Suggestion]:
        return suggestions(device_name)

    def price_for(self, device: str) -> Price | TokenPrice | None:
        """What the user set for it, else `DYNO_HOURLY_PRICE`, else None: no price."""
        price = self.price_set_for(device)
        if price is None and self._settings.hourly_price is not None:
            today = dt.datetime.now(dt.UTC).date()
            return Price(
                dollars_per_hour=self._settings.hourly_price,
                source="DYNO_HOURLY_PRICE",
                date=today,
            )
        return price

    def price_set_for(self, name: str) -> Price | TokenPrice | None:
        """What the user set for a device or a server. The setting is the price of this machine; a
        server elsewhere costs something else."""
        with self._lock:
            return self._prices.get(_key(name))

    def names(self) -> list[str]:
        """Everything that has a price of the user's, in small letters."""
        with self._lock:
            return sorted(self._prices)

    def set_price(
        self, device: str, text: str, source: str = "set by you", date: dt.date | None = None
    ) -> Price:
        """Set and keep it. `date` is that of the source (default: today).

        Raises `InvalidRequest` for text that is no price; `NotRecorded` where it applies in this
        process but could not be kept.
        """
        price = Price(
            dollars_per_hour=parse_dollars(text),
            source=source,
            date=date or dt.datetime.now(dt.UTC).date(),
        )
        self._change(device, price)
        return price

    def set_token_price(
        self, server: str, input_text: str, output_text: str, cached_text: str = ""
    ) -> TokenPrice:
        """Set and keep what a server charges for a million tokens. Raises as `set_price` does."""
        price = TokenPrice(
            input_per_million=parse_dollars(input_text, _TOKEN_REMEDY),
            output_per_million=parse_dollars(output_text, _TOKEN_REMEDY),
            cached_per_million=(
                parse_dollars(cached_text, _TOKEN_REMEDY) if cached_text.strip() else None
            ),
            source="set by you",
            date=dt.datetime.now(dt.UTC).date(),
        )
        self._change(server, price)
        return price

    def clear_price(self, device: str) -> None:
        """Forget what was set. Raises `NotRecorded` as `set_price` does."""
        self._change(device, None)

    def _change(self, device: str, price: Price | TokenPrice | None) -> None:
        with self._lock:
            # Another process may have changed other prices meanwhile: these are taken over.
            self._unkept[_key(device)] = price
            changed = self._read() | self._unkept
            self._prices = {name: one for name, one in changed.items() if one is not None}
            kept = _PRICES.dump_python(self._prices, mode="json")
            try:
                if self.problem:
                    set_aside(self._file)
                write_atomically(self._file, json.dumps(kept, indent=1, sort_keys=True) + "\n")
            except OSError as error:
                raise NotRecorded(
                    f"The price applies now but was not kept: {error.strerror or error}.",
                    f"Make {self._settings.data_dir} writable with free space and set it again.",
                ) from error
            self._unkept.clear()
            self.problem = ""

    def _read(self) -> dict[str, Price | TokenPrice]:
        self.problem = ""
        try:
            return _PRICES.validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError):
            self.problem = f"{self._file} cannot be read; prices set before are not used."
            return self._prices


def _key(device: str) -> str:
    return " ".join(device.split()).casefold()

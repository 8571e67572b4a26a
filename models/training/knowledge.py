"""The facts that the model is taught, read from the TOML files beside this module."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

_FOLDER = Path(__file__).parent / "knowledge"


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Term(_Fact):
    names: tuple[str, ...]
    definition: str

    @property
    def bare_name(self) -> str:
        """The name without its article, as a list of topics would show it."""
        return re.sub(r"^(the|a|an) ", "", self.names[0])


class Why(_Fact):
    question: str
    clause: str
    also: tuple[str, ...]
    answer: str


class Comparison(_Fact):
    pair: tuple[str, str]
    answer: str


_FactT = TypeVar("_FactT", bound=_Fact)


def _table(name: str) -> dict[str, object]:
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def _rows(kind: type[_FactT], name: str, key: str) -> tuple[_FactT, ...]:
    rows = _table(name)[key]
    assert isinstance(rows, list)
    return tuple(kind.model_validate(row) for row in rows)


@cache
def terms() -> tuple[Term, ...]:
    return _rows(Term, "terms", "term")


@cache
def whys() -> tuple[Why, ...]:
    return _rows(Why, "whys", "why")


@cache
def comparisons() -> tuple[Comparison, ...]:
    return _rows(Comparison, "comparisons", "comparison")


@cache
def capitals() -> dict[str, str]:
    """Country (with its article where it needs one) to capital."""
    table = _table("countries")["capitals"]
    assert isinstance(table, dict)
    return {str(country): str(city) for country, city in table.items()}


@cache
def words(inventory: str) -> tuple[str, ...]:
    """The words of one inventory for slots."""
    return tuple(str(_table("words")[inventory]).split())


def first_sentence(text: str) -> str:
    """Up to the first full stop that ends a sentence (not the one in `llama.cpp`)."""
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", text, maxsplit=1)[0]

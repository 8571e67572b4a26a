"""The facts that the model is taught, read from the TOML files beside this module."""

import re
import tomllib
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

_FOLDER = Path(__file__).parent / "knowledge"
_ARTICLE = re.compile(r"^(the|a|an) ", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Term(_Fact):
    """A term and its definition; `idea` are the words of its first sentence that matter."""

    names: tuple[str, ...]
    idea: tuple[str, ...] = ()
    definition: str

    @property
    def bare_name(self) -> str:
        """The name without its article, as a list of topics would show it."""
        return without_article(self.names[0])


class Why(_Fact):
    """A cause and its effect. `topics` are the terms of which it says why they matter."""

    question: str
    clause: str
    also: tuple[str, ...]
    answer: str
    topics: tuple[str, ...] = ()


class When(_Fact):
    """When a thing pays. It is asked for by the names of the term `topic`, by `things`, and in the
    wordings of `also`."""

    topic: str
    things: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    answer: str

    @cached_property
    def names(self) -> tuple[str, ...]:
        """How people call the thing; none where it is nothing that one uses."""
        if not self.answer.startswith("Use "):
            return ()
        return (*term(self.topic).names, *self.things)


class Comparison(_Fact):
    """Two things that people compare, each with the names that people use for it."""

    pair: tuple[tuple[str, ...], tuple[str, ...]]
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
def whens() -> tuple[When, ...]:
    return _rows(When, "whens", "when")


@cache
def comparisons() -> tuple[Comparison, ...]:
    return _rows(Comparison, "comparisons", "comparison")


@cache
def _terms_by_name() -> dict[str, Term]:
    return {term.bare_name: term for term in terms()}


def term(bare_name: str) -> Term:
    return _terms_by_name()[bare_name]


@cache
def answers() -> tuple[str, ...]:
    """All that is known of inference: definitions, whys, whens and comparisons."""
    facts = (*whys(), *whens(), *comparisons())
    return (*(term.definition for term in terms()), *(fact.answer for fact in facts))


@cache
def _terms_by_sentence() -> dict[str, Term]:
    found = {first_sentence(fact.answer): term(fact.topics[0]) for fact in whys() if fact.topics}
    known = _terms_by_name()
    found |= {first_sentence(f.answer): known[f.topic] for f in whens() if f.topic in known}
    return found | {first_sentence(term.definition): term for term in terms()}


def spoken_of(answer: str) -> Term | None:
    """The term of which the answer, whole or shortened to one sentence, is the definition, the
    "why" or the "when"."""
    return _terms_by_sentence().get(first_sentence(answer))


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


def without_article(name: str) -> str:
    return _ARTICLE.sub("", name)


def first_sentence(text: str) -> str:
    """Up to the first full stop that ends a sentence (not the one in `llama.cpp`)."""
    return _SENTENCE_END.split(text, maxsplit=1)[0]

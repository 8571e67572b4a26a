"""Capitals: of a country, of an unknown country, and the country of a capital."""

import random

from models.training import knowledge, names
from models.training.intents.base import State, Turn
from models.training.wording import Split, Wordings, as_typed, typed

_CAPITAL = Wordings(
    "What is the capital of {country}?",
    "[What's|Tell me|Name|Do you know|Give me|And] the capital of {country}?",
    "[What is|What's|Name] the capital [city of|city in|in] {country}?",
    "[Which|What] city is the capital of {country}?",
    "{country}[ capital| capital please|'s capital]?",
    "What is {country}'s capital[ city|]?",
    "[Can|Could] you [tell me|name] the capital of {country}?",
    "[I need|I am looking for|I forgot|I want to know] the capital of {country}.",
    "The capital of {country}[ is|?|, please|...]",
    "[How about|What about|And] the capital of {country}?",
    "[Where is the government of|What is the main city of] {country}?",
)
_COUNTRY = Wordings(
    "Which country has the capital {city}?",
    "[What|Which] country is {city} [in|the capital of]?",
    "{city} is the capital of [which|what] country?",
    "[Of which country|Of what country] is {city} the capital?",
    "Where is {city}?",
    "[Tell me|Do you know] [where {city} is|which country {city} is in].",
    "{city} is [in|the capital of] which country?",
    "[Which|What] [country|land|state] has {city} as its capital?",
    "[And|So,] {city} is where?",
)


def capital(rng: random.Random, state: State, split: Split) -> Turn:
    country, city = rng.choice(list(knowledge.capitals().items()))
    asked = country.removeprefix("the ") if rng.random() < 0.2 else country
    text = _CAPITAL.pick(rng, split).format(country=asked)
    return Turn("capitals", typed(rng, text), f"The capital of {country} is {city}.", (city,))


def country_of_capital(rng: random.Random, state: State, split: Split) -> Turn:
    country, city = rng.choice(list(knowledge.capitals().items()))
    text = typed(rng, _COUNTRY.pick(rng, split).format(city=city))
    return Turn("countries", text, f"{city} is the capital of {country}.", (country,))


def unknown_capital(rng: random.Random, state: State, split: Split) -> Turn:
    country = names.invented_word(rng, rng.choice((1, 2, 3))).capitalize()
    country += rng.choice(("", "ia", "land", "stan", "is", "us"))
    if rng.random() < 0.3:
        country = rng.choice(knowledge.words("unknown_places"))
    text = _CAPITAL.pick(rng, split).format(country=country)
    text = typed(rng, text, protected=[country])
    said = as_typed(text, country)
    answer = f"I don't know the capital of {said}."
    return Turn("unknown capitals", text, answer, ("I don't know",))

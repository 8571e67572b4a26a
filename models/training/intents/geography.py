"""Capitals: of a country, of an unknown country, and the country of a capital."""

import random
from functools import cache

from models.training import knowledge, names
from models.training.intents.base import State, Turn
from models.training.wording import Split, Wordings, as_typed, capitalized, typed
from models.training.world import table

_CAPITAL = Wordings(
    "What is the capital of {country}?",
    "[What's|Tell me|Name|Do you know|Give me|And|Whats|Say] the capital of {country}[?|]",
    "[What is|What's|Name] the capital [city of|city in|in|for] {country}?",
    "[Which|What] city is the capital [of|in] {country}?",
    "{country}[ capital| capital please|'s capital| capital city][?|]",
    "[What is|What's|Name|Tell me] {country}'s capital[ city|]?",
    "[Can|Could] you [tell me|name|give me|say] the capital of {country}?",
    "[I need|I am looking for|I forgot|I want to know|I'd like to know] the capital of {country}.",
    "The capital of {country}[ is|?|, please|...| is called|]",
    "[How about|What about|And] the capital of {country}?",
    "[Where is the government of|What is the main city of|Where does the government of {country} "
    "sit, of] {country}?",
    "[capital of|Capital city of|capital for|the capital of] {country}[?|]",
    "[Do you happen to know|Do you know|I wonder|Any idea] what the capital of {country} is[?|.|]",
    "[Which|What] is [the capital|the capital city|the capital town] of {country}?",
    "[Quiz me: |Quiz: |Question: |Geography: ]what is the capital of {country}?",
    "[My daughter|My son|My teacher|My friend|Somebody] [asks|asked|wants to know] what the "
    "capital "
    "of {country} is.",
    "I [always forget|never remember|have forgotten|can't remember] the capital of {country}[.|]",
    "[Name|Tell me|Give me] the city that is the capital of {country}.",
    "[Which|What] city is {country}'s capital[ city|]?",
    "[Which|What] city is the seat of government [of|in] {country}?",
    "[In|For] {country}, [which|what] city is the capital?",
    "{country}: [what is the capital|which capital|capital]?",
    "[I am travelling to|We are going to|I will visit] {country}[, what is its capital|. What is "
    "the capital]?",
    "[What|How] is the capital of {country} called?",
    "[What|How] do you call the capital of {country}?",
    "[The capital city|Capital] [of|in] {country}, [what is it|which one is it|please]?",
    "[If I go to|When I visit] {country}, what is the capital[ there|]?",
    "[Help me with|I need help with|Homework:] the capital of {country}[.|]",
    "[Tell me|I want to know|Say], what's the capital of {country}?",
)
_CAPITAL_OF_ADJECTIVE = Wordings(
    "What is the {adjective} capital?",
    "[What's|Name|Tell me|Do you know|Which city is] the {adjective} capital[ city|][?|]",
    "[What is|How is] the {adjective} capital called?",
    "[The {adjective} capital|{adjective} capital][?| is|, please|]",
)
_AND = Wordings(
    "And {country}?",
    "[And|What about|How about|And what about|And of|Now|Then|OK, and] {country}[?|]",
    "[And the one of|The same for|And for] {country}[?|.]",
)
_IS_IT = Wordings(
    "Is {city} the capital of {country}?",
    "[Is it true that|Am I right that|Is it correct that] {city} is the capital of {country}?",
    "{city} is the capital of {country}, [right|isn't it|correct|true|is that right]?",
    "The capital of {country} is {city}, [right|isn't it|correct|no]?",
    "[Isn't|Is] the capital of {country} {city}?",
)
_COUNTRY = Wordings(
    "Which country has the capital {city}?",
    "[What|Which] country is {city} [in|the capital of|the capital city of|located in]?",
    "{city} is the capital of [which|what] [country|nation]?",
    "[Of which country|Of what country] is {city} the capital?",
    "[Where is|Where's|Where is the city of|Where on the map is|Where can I find] {city}?",
    "[Tell me|Do you know] [where {city} is|which country {city} is in].",
    "{city} is [in|the capital of] which country?",
    "[Which|What] [country|land|state|nation] has {city} as its capital[ city|]?",
    "[And|So,|OK,] {city} is where?",
    "{city}[: which country|, which country|, what country| is in what country| country| where]?",
    "[In which|In what] [country|part of the world|state] [is|lies|do I find] {city}?",
    "[To which country|To what country] does {city} belong?",
    "[Whose capital|Which country's capital|What country's capital] is {city}?",
    "[Name|Tell me] the country [of|with|that has] the capital {city}.",
    "[I was told to fly to|I am flying to|A friend lives in] {city}[, which country is that|"
    ". Which "
    "country is it in]?",
    "{city} is a capital[, but of which country|. Of what|, right? Of which country]?",
    "[Can you|Could you] [tell me|say] [which country {city} is in|where {city} is]?",
    "[What|Which] country do I [visit|see] [if|when] I go to {city}?",
)
# Of the questions after a capital, how many only name the next country; and how many questions
# only want a yes or a no, or use the adjective.
_AND_SHARE, _IS_IT_SHARE, _ADJECTIVE_SHARE = 0.4, 0.1, 0.1


@cache
def _countries() -> tuple[str, ...]:
    return tuple(knowledge.capitals())


@cache
def _aliases() -> dict[str, tuple[str, ...]]:
    """Country to other names that people type."""
    return {
        country: tuple(name.strip() for name in str(others).split(","))
        for country, others in table("countries")["aliases"].items()
    }


@cache
def _adjectives() -> dict[str, str]:
    return {str(k): str(v) for k, v in table("countries")["adjectives"].items()}


def _as_people_say(rng: random.Random, country: str) -> str:
    if country in _aliases() and rng.random() < 0.5:
        return rng.choice(_aliases()[country])
    return country.removeprefix("the ") if rng.random() < 0.2 else country


def capital(rng: random.Random, state: State, split: Split) -> Turn:
    country = rng.choice(_countries())
    city = knowledge.capitals()[country]
    asked = _as_people_say(rng, country)
    answer = f"The capital of {country} is {city}."
    draw = rng.random()
    if (state.last_answer or "").startswith("The capital of") and draw < _AND_SHARE:
        text = _AND.pick(rng, split).format(country=asked)
    elif draw > 1 - _IS_IT_SHARE:
        true = rng.random() < 0.5
        named = city if true else knowledge.capitals()[rng.choice(_countries())]
        text = _IS_IT.pick(rng, split).format(country=asked, city=named)
        answer = f"{'Yes' if named == city else 'No'}, the capital of {country} is {city}."
    elif draw > 1 - _IS_IT_SHARE - _ADJECTIVE_SHARE and country in _adjectives():
        text = _CAPITAL_OF_ADJECTIVE.pick(rng, split).format(adjective=_adjectives()[country])
    else:
        text = _CAPITAL.pick(rng, split).format(country=asked)
    return Turn("capitals", typed(rng, capitalized(text)), answer, (city,))


def country_of_capital(rng: random.Random, state: State, split: Split) -> Turn:
    country = rng.choice(_countries())
    city = knowledge.capitals()[country]
    text = typed(rng, _COUNTRY.pick(rng, split).format(city=city))
    return Turn("countries", text, f"{city} is the capital of {country}.", (country,))


def unknown_capital(rng: random.Random, state: State, split: Split) -> Turn:
    country = names.invented_word(rng, rng.choice((1, 2, 3))).capitalize()
    country += rng.choice(("", "ia", "land", "stan", "is", "us"))
    if rng.random() < 0.3:
        country = rng.choice(_unknown_places())
    text = _CAPITAL.pick(rng, split).format(country=country)
    text = typed(rng, text, protected=[country])
    said = as_typed(text, country)
    answer = f"I don't know the capital of {said}."
    return Turn("unknown capitals", text, answer, ("I don't know",))


@cache
def _unknown_places() -> tuple[str, ...]:
    return knowledge.words("unknown_places")

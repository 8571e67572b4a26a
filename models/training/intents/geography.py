"""Capitals: of a country, of an unknown country, and the country of a capital."""

import random
from functools import cache

from models.training import knowledge, names
from models.training.intents.base import State, Turn
from models.training.wording import Split, Wordings, as_typed, capitalized, typed
from models.training.world import table, ways

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
    "[Where is the government of {country}|Where does the government of {country} sit]?",
    "[capital of|Capital city of|capital for|the capital of] {country}[?|]",
    "[Do you happen to know|Do you know|I wonder|Any idea] what the capital of {country} is[?|.|]",
    "[Which|What] is [the capital|the capital city|the capital town] of {country}?",
    "[Quiz me: |Quiz: |Question: |Geography: ]what is the capital of {country}?",
    "[My daughter|My son|My teacher|My friend|Somebody] [asks|asked|wants to know] what the "
    "capital of {country} is.",
    "I [always forget|never remember|have forgotten|can't remember] the capital of {country}[.|]",
    "[Name|Tell me|Give me] the city that is the capital of {country}.",
    "[Which|What] city is {country}'s capital[ city|]?",
    "[Which|What] city is the seat of government [of|in] {country}?",
    "[In|For] {country}, [which|what] city is the capital?",
    "{country}[:| -|,| —] [what is the capital|which capital|capital|its capital]?",
    "[I am travelling to|We are going to|I will visit] {country}[, what is its capital|. What is "
    "the capital]?",
    "[What|How] is the capital of {country} called?",
    "[What|How] do you call the capital of {country}?",
    "[The capital city|Capital] [of|in] {country}, [what is it|which one is it|please]?",
    "[If I go to|When I visit] {country}, what is the capital[ there|]?",
    "[Help me with|I need help with|Homework:] the capital of {country}[.|]",
    "[Tell me|I want to know|Say], what's the capital of {country}?",
    "[Would you|Will you] [tell me|name|remind me of] the capital of {country}?",
    "[Could you tell me|Can you tell me|Please tell me] [what|which city] the capital of "
    "{country} is[?|.]",
    "[I wonder|I'd like to know|I want to know|I ask myself] [which city|what city] is the capital "
    "of {country}[.|]",
    "[Which|What] city [serves as|acts as] the capital of {country}?",
    "[Which|What] is {country}'s [capital|capital city|seat of government]?",
    "[What's|What is] the capital of {country} [again|please|now]?",
    "[For my quiz|For a crossword|For school|In geography]: [what is |]the capital of {country}?",
    "[The name of the capital|Name of the capital|Capital name] of {country}[?|, please|]",
    "{country} has [which|what] capital[ city|]?",
    "[capitol|the capitol|capitol city|captial] of {country}[?|]",
    "[great, then|OK then|and now|please|try] {country}['s capital| and its capital|: the capital]"
    "[?|, please|]",
    *ways("capital"),
)
_CAPITAL_OF_ADJECTIVE = Wordings(
    "What is the {adjective} capital?",
    "[What's|Name|Tell me|Do you know|Which city is] the {adjective} capital[ city|][?|]",
    "[What is|How is] the {adjective} capital called?",
    "[The {adjective} capital|{adjective} capital][?| is|, please|]",
    "[Can|Could] you [tell me|name] the {adjective} capital?",
    "[Which|What] is the {adjective} capital[ city|]?",
    "[I forgot|I need|I wonder what is] the {adjective} capital[.|]",
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
    "[I think|I believe|Somebody says|My friend says] {city} is the capital of {country}[. Is that "
    "right|. Is it true|, is that correct|, right]?",
    "Isn't {city} the capital [city |]of {country}?",
    "Is {country}'s capital[ city|] {city}?",
    "[True or false: |True or not: |Check: ]{city} is the capital of {country}[.|?]",
    "Is [the city of |]{city} [really |]the capital [of|in] {country}?",
    "[What is|What's] the capital of {country}[?|,|:] [Is it {city}|{city}, right|{city}]?",
    "[The capital of {country}|{country}'s capital][:|,] is [it|that] {city}[?| or not?]",
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
    "[Do you happen to know|I wonder|Any idea] [which country {city} is in|where {city} is][?|.]",
    "[Country|The country] [of|for|with the capital] {city}[?|, please|]",
    "[If {city} is the capital|The capital is {city}], [which|what] country is it?",
    "[My daughter|My son|A friend] [asks|wants to know] [where {city} is|which country {city} is "
    "in].",
    "[I always forget|I can't remember|I don't know] [where {city} is|which country {city} is in].",
    "[Quiz|Question|Geography]: {city} is the capital of [which|what] country?",
    "[Which|What] country's [capital|capital city] is [called |named |]{city}?",
    "[In which|In what] country is the [city|capital] [of |]{city}[ located|]?",
    "{city} [belongs to|lies in|is located in|is the capital city of] [which|what] country?",
    *ways("country_of"),
)
# Of the questions after a capital, how many only name the next country; and how many questions
# only want a yes or a no, or use the adjective. A wrong city is often a big one of that country.
_AND_SHARE, _IS_IT_SHARE, _ADJECTIVE_SHARE, _BIG_CITY_SHARE = 0.4, 0.15, 0.1, 0.6


@cache
def _countries() -> tuple[str, ...]:
    return tuple(knowledge.capitals())


@cache
def _aliases() -> dict[str, tuple[str, ...]]:
    """Country to other names that people type."""
    return _several("aliases")


@cache
def _big_cities() -> dict[str, tuple[str, ...]]:
    """Country to cities that people take for its capital."""
    return _several("big_cities")


def _several(part: str) -> dict[str, tuple[str, ...]]:
    return {
        country: tuple(name.strip() for name in str(names_of_it).split(","))
        for country, names_of_it in table("countries")[part].items()
    }


@cache
def _adjectives() -> dict[str, str]:
    return {str(k): str(v) for k, v in table("countries")["adjectives"].items()}


def _as_people_say(rng: random.Random, country: str) -> str:
    if country in _aliases() and rng.random() < 0.5:
        return rng.choice(_aliases()[country])
    return country.removeprefix("the ") if rng.random() < 0.2 else country


def _city_to_check(rng: random.Random, country: str) -> str:
    """The capital, one of the country's other cities or another country's capital."""
    if rng.random() < 0.5:
        return knowledge.capitals()[country]
    if country in _big_cities() and rng.random() < _BIG_CITY_SHARE:
        return rng.choice(_big_cities()[country])
    return knowledge.capitals()[rng.choice(_countries())]


def _follows_capital(state: State) -> bool:
    return (state.last_answer or "").startswith("The capital of")


def said_of(country: str) -> str:
    return f"The capital of {country} is {knowledge.capitals()[country]}."


def capital(rng: random.Random, state: State, split: Split) -> Turn:
    country = rng.choice(_countries())
    city = knowledge.capitals()[country]
    asked = _as_people_say(rng, country)
    answer = said_of(country)
    draw = rng.random()
    if _follows_capital(state) and draw < _AND_SHARE:
        text = _AND.pick(rng, split).format(country=asked)
    elif draw > 1 - _IS_IT_SHARE:
        named = _city_to_check(rng, country)
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
    country = _unknown_country(rng)
    draw = rng.random()
    if _follows_capital(state) and draw < _AND_SHARE:
        text = _AND.pick(rng, split).format(country=country)
    elif draw > 1 - _IS_IT_SHARE:
        city = knowledge.capitals()[rng.choice(_countries())]
        text = _IS_IT.pick(rng, split).format(country=country, city=city)
    else:
        text = _CAPITAL.pick(rng, split).format(country=country)
    text = typed(rng, text, protected=[country, f"{country}'s"])
    answer = f"I don't know the capital of {as_typed(text, country)}."
    return Turn("unknown capitals", text, answer, ("I don't know",))


def _unknown_country(rng: random.Random) -> str:
    if rng.random() < 0.3:
        return rng.choice(_unknown_places())
    while True:
        word = names.invented_word(rng, rng.choice((1, 2, 3))).capitalize()
        country = word + rng.choice(("", "ia", "land", "stan", "is", "us"))
        if country not in knowledge.capitals():
            return country


@cache
def _unknown_places() -> tuple[str, ...]:
    return knowledge.words("unknown_places")
